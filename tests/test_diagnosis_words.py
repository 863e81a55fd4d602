"""A diagnosis in numbers and words, and where it is shown."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_diagnosis import launched

from noether.cases import CATALOG
from noether.faults import BY_NAME
from noether.kernels.loops import launch
from noether.kernels.programs.numpy_step import advanced
from noether.laws.exact import attribution
from noether.laws.exact.attribution import figure, significant
from noether.laws.exact.diagnosis import diagnose
from noether.mechanics.trajectory import Trajectory

CASE = {c.name: c for c in CATALOG}


FIGURES = [
    (1 + 2.0**-10, 2.0**-40, "1 + 2^-10"),
    (1 - 2.0**-9, 2.0**-40, "1 - 2^-9"),
    (0.0, 1e-9, "0"),
    (2.0, 1e-9, "2"),
    (-1.0, 0.0, "-1"),
    (0.75, 1e-9, "0.75"),
    (1.01, 1e-6, "1.01"),
    (1.0009, 1e-3, "1"),
    (3.0, 1.0, "3"),
]


@pytest.mark.parametrize("x, within, word", FIGURES)
def test_a_factor_is_the_simplest_number_that_it_can_be(x, within, word):
    assert figure(x, within) == word


@given(st.floats(-1e30, 1e30), st.integers(1, 53))
def test_significant_bits_are_counted(x, bits):
    mantissa, exponent = np.frexp(x)
    short = np.ldexp(np.rint(mantissa * 2.0**bits) / 2.0**bits, exponent)
    assert significant(np.array([short]))[0] <= bits
    assert significant(np.array([0.0, 1.0, 1.5, -(1 + 2.0**-52)])).tolist() == [0, 1, 2, 53]


def test_few_values_show_no_rounding():
    one = np.ones((1, 3))
    points = attribution.Points("v'", -0.1 * one, one, one, one, 2.0**-53, one > 0, {}, frozenset())
    assert attribution.rounding(points, "float64") == []


def test_a_violation_is_explained_on_the_terminal_in_junit_and_by_replay(monkeypatch, tmp_path, capsys):
    """A kernel that is wrong for every caller: verify and replay run it alike."""
    from noether.cli.main import call

    honest = launch.run

    def doubled(job, backend, advance=None):
        return honest(
            job,
            backend,
            BY_NAME["gradient x 2"].advance
            if advance is None and job.lanes in (2, 61)
            else advance or advanced,
        )

    monkeypatch.setattr(launch, "run", doubled)
    monkeypatch.chdir(tmp_path)
    words = "verify mexican-hat --rule heavy-ball --precision float64 --law D0,D2 --backend numpy --jobs 1"
    assert call([*words.split(), "--out", "r"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    said = "the stored values are those of 'gradient x 2'"
    assert said in out and said in Path("r/junit.xml").read_text().replace("&#x27;", "'")
    kept = [json.loads(x) for x in Path("r/records.jsonl").read_text().splitlines()]
    assert {r["law"] for r in kept if "diagnosis" in r["data"]} == {"D0", "D2"} and all(
        r["verdict"] == "violated" for r in kept if "diagnosis" in r["data"]
    )
    assert call(["replay", "r", "--law", "D0"]) == 1
    assert said in " ".join(capsys.readouterr().out.split())


def test_a_fault_of_one_component_is_named_with_its_component():
    """Unrolled code may be wrong in one of its copies."""
    job = launched()

    def one_component(n, q, v, *about):
        right_q, right_v = advanced(n, q, v, *about)
        wrong_q, wrong_v = BY_NAME["gradient x 2"].advance(n, q, v, *about)
        return [right_q[0], wrong_q[1], right_q[2]], [right_v[0], wrong_v[1], right_v[2]]

    q, v = launch.run(job, "numpy", one_component).wide()
    found = diagnose(Trajectory.launched(CASE["mexican-hat"], job, q, v), job)
    assert [f["name"] for f in found["faults"]] == ["gradient x 2"] and found["components"] == [1]
    assert (
        "component 1 alone" in found["line"]
        and found["terms"][0]["text"] == "the gradient in v' is 2 times what it must be"
    )
