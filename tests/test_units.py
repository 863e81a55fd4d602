"""The units and smallest numbers that bounds are made of are those of the types."""

import ml_dtypes
import pytest

from noether.kernels.programs import elementary, precision
from noether.mechanics import domain
from noether.runs import known_numbers


@pytest.mark.parametrize("kind", precision.PRECISIONS)
def test_units_and_smallest_numbers_are_those_of_the_types(kind):
    about = ml_dtypes.finfo(kind if kind != "bfloat16" else ml_dtypes.bfloat16)
    assert precision.UNIT[kind] == float(about.eps) / 2 and precision.SUBNORMAL[kind] == float(
        about.smallest_subnormal
    )
    assert (
        domain.NORMAL[kind] == float(about.smallest_normal)
        and 0.94 < domain.OVERFLOW[kind] / float(about.max) <= 1
    )


@pytest.mark.parametrize("table", ["UNIT", "SUBNORMAL"])
@pytest.mark.parametrize("kind", precision.PRECISIONS)
def test_a_unit_that_is_twice_or_half_the_right_one_is_seen_by_every_run(kind, table, monkeypatch):
    assert not known_numbers.units()
    for factor in (2, 0.5) if (kind, table) != ("float64", "SUBNORMAL") else (2,):
        monkeypatch.setitem(getattr(precision, table), kind, getattr(precision, table)[kind] * factor)
        assert any(kind in line for line in known_numbers.units()), factor
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("name", "table", "change"),
    [("exp", "LN2_LO", 1.001), ("log", "LN2_LO", 1.001), ("exp", "LOG2E", 1.0), ("units", "", 0)],
)
def test_a_function_that_is_off_by_more_than_it_states_is_seen_by_every_run(name, table, change, monkeypatch):
    assert not known_numbers.functions()
    if name == "units":
        monkeypatch.setattr(elementary, "EXP_UNITS", 3000.0)
    elif table == "LN2_LO":
        monkeypatch.setitem(elementary.LN2_LO, "float32", elementary.LN2_LO["float32"] * change)
    else:
        right = elementary.series
        monkeypatch.setattr(
            elementary, "series", lambda arith: [2 * c for c in right(arith)[:4]] + right(arith)[4:]
        )
    assert known_numbers.functions()
