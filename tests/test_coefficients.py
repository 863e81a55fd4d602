"""What a record of an exact law says it would have noticed, it would have noticed, and nothing much
smaller."""

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.kernels.loops import launch
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, trajectory
from noether.laws.exact.coefficients import TERMS, named, parameter, part, telling
from noether.laws.exact.judge import judge_all, spent_of
from noether.verdicts.record import HOLDS

CASES = {c.name: c for c in CATALOG}
POINTS = [
    ("rayleigh", "heavy-ball", "float32", ("D0", "D1", "D2", "D4", "D5")),
    ("rayleigh", "heavy-ball-decoupled", "float32", ("D2", "D10")),
    ("rayleigh", "gradient-descent", "float64", ("D11",)),
    ("softmax", "nesterov", "bfloat16", ("D2", "D6")),
    ("entropy-mirror", "mirror-descent", "float32", ("D7",)),
    ("mexican-hat", "heavy-ball-decoupled", "float32", ("D3",)),
]


def worst(law, t, symmetry, **flaws) -> float:
    with np.errstate(all="ignore"):
        return float(spent_of(law.residual(t, symmetry, **flaws)).max())


@pytest.mark.parametrize(("case", "rule", "precision", "laws"), POINTS)
def test_a_coefficient_that_is_off_by_its_power_is_violated_and_by_half_of_it_is_not(
    case, rule, precision, laws
):
    cell = LaunchCell(CASES[case], rule, precision, "numpy", "exact", laws, 31, 0)
    t = trajectory(cell, cell.job(), launch.run(cell.job(), "numpy"))
    symmetries = {s.name: s for s in cell.case.symmetries} | {None: None}
    for record in judge_all(t, laws, about=cell.about(cell.job(), "numpy"), powers=True):
        law, symmetry = EXACT[record.law], symmetries[record.symmetry]
        few = part(t, telling(t, np.flatnonzero(law.covers(t, symmetry))))
        assert record.verdict == HOLDS and {
            "prediction",
            *(TERMS.get(record.law, {}) if case == "rayleigh" else ()),
        } <= set(record.powers)
        for name, x in record.powers.items():
            if name == "prediction" or x > 0.1:  # of a launch that hardly tells: no linear response
                continue
            for share, seen in (
                (1.1, True),
                (0.5, False),
            ):  # the bound reads the coefficient too, and beta^n is not linear in beta
                factor = 1 + np.longdouble(share * x)
                changed, flaws = (
                    (few, TERMS[law.key][name](few, factor))
                    if name in TERMS.get(law.key, {})
                    else (parameter(few, name, factor), {})
                )
                assert (worst(law, changed, symmetry, **flaws) > 1) == seen, (
                    f"{record.law} {name} x {share} of {x:.3g}"
                )


def test_every_parameter_of_a_rule_has_a_power_in_the_law_of_its_update():
    (record,) = LaunchCell(CASES["rayleigh"], "heavy-ball", "float64", "numpy", "exact", ("D0",), 31, 0).run()
    assert (
        set(record.powers) == {"prediction", "eta", "beta", "k", "eps"}
        and max(record.powers.values()) < 1e-12
    )
    (record,) = LaunchCell(
        CASES["entropy-mirror"], "mirror-descent", "float64", "numpy", "exact", ("D0",), 31, 0
    ).run()
    assert set(record.powers) == {"prediction", "eta", "eps"}


def test_the_power_of_faults_is_not_asked_and_some_lanes_are_those_lanes():
    cell = LaunchCell(CASES["rayleigh"], "heavy-ball", "float64", "numpy", "faults", ("D2",), 31, 0, 8)
    assert not any(r.powers for r in cell.run())
    t = trajectory(cell, cell.job(), launch.run(cell.job(), "numpy"))
    lanes = telling(t, np.arange(t.lanes))
    few, law, (scale,) = part(t, lanes), EXACT["D2"], cell.case.symmetries
    assert (
        len(lanes) <= 8
        and {int(np.argmax(t.eta * t.eps)), int(np.argmax(t.eta * t.k))} <= set(lanes)
        and named(t) == ("eta", "beta", "k", "eps")
    )
    whole, some = law.residual(t, scale), law.residual(few, scale)
    assert (
        np.abs(whole.predicted[:, lanes] - some.predicted) <= some.bound / 64
    ).all()  # a sum may be taken in another order
