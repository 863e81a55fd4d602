"""A diagnosis names the first wrong step, lane and component, and what explains them; and says where nothing
does."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plainest import listed

from noether.cases import CATALOG
from noether.faults import BY_NAME, KERNEL
from noether.faults.fault import ANY, FIRST, HISTORY
from noether.kernels.loops import launch
from noether.laws.exact import EXACT, diagnosis, update
from noether.laws.exact.cell import LaunchCell
from noether.laws.exact.diagnosis import attach, diagnose
from noether.laws.exact.judge import judge_all, spent_of
from noether.laws.exact.matching_fault import operations
from noether.mechanics.trajectory import Trajectory
from noether.runs.records_file import line, parse
from noether.verdicts.record import VIOLATED

CASE = {c.name: c for c in CATALOG}
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})
# Which step is wrong is a matter of n: at every step that is wrong the two are one.
SAME = {"breaking term every other step": "breaking term ignored"}


def launched(case="mexican-hat", rule="heavy-ball", precision="float64", lanes=13, steps=12):
    return LaunchCell(CASE[case], rule, precision, "numpy", "exact", (), lanes, 5, steps).job()


def faulty(job, fault, case="mexican-hat"):
    with np.errstate(all="ignore"):
        return Trajectory.launched(CASE[case], job, *fault.outcome(CASE[case], job))


def right(job, case="mexican-hat"):
    return Trajectory.launched(CASE[case], job, *launch.run(job, "numpy").wide())


def seen(t) -> np.ndarray:
    with np.errstate(all="ignore"):
        return spent_of(update(t)) > 1


KINDS = [
    ("mexican-hat", "heavy-ball", "float64"),
    ("rayleigh", "heavy-ball-decoupled", "float32"),
    ("entropy-mirror", "mirror-descent", "float64"),
    ("mexican-hat", "gradient-descent", "float16"),
    ("mexican-hat", "heavy-ball", "bfloat16/mixed"),
    ("mexican-hat", "nesterov", "float64"),
]


@pytest.mark.parametrize("case, rule, precision", KINDS)
def test_every_planted_fault_of_a_step_is_named(case, rule, precision):
    job = launched(case, rule, precision)
    shown = 0
    for fault in (f for f in KERNEL if f.when in (ANY, FIRST, HISTORY) and f.applies(job)):
        t = faulty(job, fault, case)
        if not seen(t).any():
            continue  # of this size no law sees it either
        found = diagnose(t, job)
        names = [f["name"] for f in found["faults"]]
        assert fault.name in names or SAME.get(fault.name) in names, f"{fault.name}: {found['line']}"
        assert found["explained"] and repr(names[0]) in found["line"]
        shown += 1
    assert shown >= 25


def test_faults_of_the_whole_launch_are_named():
    job = launched(lanes=61)
    names = """tail lanes not written; off by one lane at the store; the neighbour's eta; NaN in one lane;
        32-bit offset overflows; last row written twice"""
    for name in listed(names):
        found = diagnose(faulty(job, BY_NAME[name]), job)
        assert name in [f["name"] for f in found["faults"]] and "in the whole launch" in found["line"], found[
            "line"
        ]


@settings(max_examples=30)
@given(st.integers(0, 11), st.integers(0, 12), st.integers(0, 2), st.sampled_from("qv"))
def test_the_first_wrong_step_lane_and_component_are_exact(step, lane, component, which):
    job = launched()
    q, v = launch.run(job, "numpy").wide()
    (q if which == "q" else v)[step + 1, component, lane] *= 1 + 2.0**-20
    found = diagnose(Trajectory.launched(CASE["mexican-hat"], job, q, v), job)
    # a wrong v' is wrong in q' = q + v' too: the worse of the two stands first
    where = tuple(found["first"][x] for x in ("step", "lane", "component"))
    assert where == (step, lane, component)
    assert (
        f"first wrong at step {step}, lane {lane}" in found["line"]
        and f"1 of {job.lanes} lanes" in found["line"]
    )


def test_nothing_is_diagnosed_on_a_right_trajectory():
    job = launched()
    records = judge_all(right(job), EXACT, about=ABOUT)
    attach(records, right(job), job)
    assert records and not any("diagnosis" in r.data for r in records)
    assert diagnose(right(job), job)["first"] is None and not diagnose(right(job), job)["explained"]


@pytest.mark.parametrize(
    "name, said",
    [
        ("gradient x (1 + 2^-10)", "the gradient in v' is 1 + 2^-10 times what it must be"),
        ("gradient x 2", "the gradient in v' is 2 times what it must be"),
        ("ascent", "the gradient in v' is -1 times what it must be"),
        ("beta x (1 + 2^-10)", "the momentum term in v' is 1 + 2^-10 times"),
        ("eta x (1 + 2^-10)", "eta in v' is 1 + 2^-10 times"),
        ("k off by 1 %", "the decay in v' is 1.01 times"),
        ("decay ignored", "the decay in v' is missing"),
        ("breaking term ignored", "the breaking term in v' is missing"),
        ("momentum ignored", "the momentum term in v' is missing"),
        ("the state is never written", "v' in q' is missing"),
        ("decay twice", "q' holds the decay, which must not be there"),
        ("constants x (1 + 2^-10)", "the symmetric gradient in v' is 1 + 2^-10 times"),
        ("displacement x 2", "v' in q' is 2 times"),
    ],
)
def test_without_any_hypothesis_the_term_is_named_with_its_factor(monkeypatch, name, said):
    monkeypatch.setattr("noether.faults.KERNEL", ())
    job = launched()
    found = diagnose(faulty(job, BY_NAME[name]), job)
    assert found["faults"] == [] and found["explained"] and found["terms"][0]["one"]
    assert said in found["line"], found["line"]


@pytest.mark.parametrize(
    "name, precision, said",
    [
        (
            "momentum one type lower",
            "float64",
            "each wrong v' has at most 24 significant bits, float64 has 53: it was rounded to float32",
        ),
        ("momentum one type lower", "float32", "it was rounded to bfloat16"),
        ("position one type lower", "float64", "each wrong q' has at most 24"),
        (
            "momentum narrowed to the store",
            "bfloat16/mixed",
            "v' has at most 8 significant bits, float32 has 24: it was rounded to bfloat16",
        ),
        (
            "truncating store of q",
            "bfloat16",
            "each wrong q' is nearer to zero, by less than one unit in the last place: it was truncated",
        ),
        ("truncating store of v", "float16", "each wrong v' is nearer to zero"),
    ],
)
def test_without_any_hypothesis_the_rounding_is_named(monkeypatch, name, precision, said):
    monkeypatch.setattr("noether.faults.KERNEL", ())
    job = launched(precision=precision, lanes=61)
    found = diagnose(faulty(job, BY_NAME[name]), job)
    assert said in found["line"], found["line"]


def test_two_faults_at_once_are_not_explained_by_one():
    job = launched()
    both = dataclasses.replace(job, params=job.params * np.array([1 + 2.0**-10, 1 - 2.0**-9, 1, 1])[:, None])
    q, v = launch.run(both, "numpy").wide()
    found = diagnose(Trajectory.launched(CASE["mexican-hat"], job, q, v), job)
    assert found["faults"] == [] and not found["explained"]
    assert "not explained by one term; by two" in found["line"]
    assert re.search(
        r"the momentum term in v' is 1 - 2\^-9 times.* and eta in v' is 1 \+ 2\^-10 times", found["line"]
    )


def test_what_nothing_explains_is_said_to_be_not_explained():
    job = launched()
    q, v = launch.run(job, "numpy").wide()
    noise = np.random.default_rng(3).standard_normal(v[1:].shape)
    v[1:] += 2.0**-20 * noise
    found = diagnose(Trajectory.launched(CASE["mexican-hat"], job, q, v), job)
    assert (
        not found["explained"]
        and "not explained by one term or two" in found["line"]
        and not found["roundings"]
    )


def test_a_right_step_that_is_judged_wrong_accuses_the_judge(monkeypatch):
    job = launched()
    t = right(job)
    monkeypatch.setattr(Trajectory, "g_kept", property(lambda self: 2 * self._gradient(self.case.loss)))
    found = diagnose(t, job)
    assert "those of the right step, bit for bit" in found["line"] and "not the kernel" in found["line"]


def test_a_right_launch_that_overflows_accuses_nobody():
    job = dataclasses.replace(
        launched(steps=40), params=launched().params * np.array([2.0**9, 1, 1, 1])[:, None]
    )
    found = diagnose(right(job), job)
    assert found["first"] is not None and "the right step itself overflows" in found["line"]


def test_lanes_outside_the_domain_are_not_diagnosed():
    job = launched()
    t = faulty(job, BY_NAME["NaN in one lane"])
    outside = np.isnan(t.q).any(axis=(0, 1))
    assert outside.sum() == 1 and diagnose(t, job)["first"] is not None
    assert diagnose(t, job, outside)["first"] is None


def test_a_regular_fault_tells_its_stride(monkeypatch):
    job = launched(lanes=61)
    found = diagnose(faulty(job, BY_NAME["breaking term every other step"]), job)
    assert found["wrong"]["stride"] == 2 and "every 2 steps" in found["line"]


def test_a_diagnosis_that_fails_loses_no_verdict(monkeypatch):
    job = launched()
    t = faulty(job, BY_NAME["gradient x 2"])
    records = judge_all(t, EXACT, about=ABOUT)
    before = [(r.verdict, r.spent, r.reason) for r in records]
    monkeypatch.setattr(diagnosis, "diagnose", lambda *about: 1 / 0)
    attach(records, t, job)
    assert [(r.verdict, r.spent, r.reason) for r in records] == before
    assert all(
        "itself failed, ZeroDivisionError" in r.data["diagnosis"]["line"]
        for r in records
        if r.verdict == VIOLATED
    )


def test_a_diagnosis_survives_the_file():
    job = launched()
    t = faulty(job, BY_NAME["tail lanes not written"])
    records = judge_all(t, ("D0",), about=ABOUT)
    attach(records, t, job)
    (back,) = [parse(line(r.as_dict())) for r in records]
    assert back.data["diagnosis"]["line"] == records[0].data["diagnosis"]["line"]


@pytest.mark.parametrize("case, rule, precision", KINDS[:3])
def test_one_wrong_operation_of_the_gradient_is_named(case, rule, precision):
    job = launched(case, rule, precision)
    faults = operations(job.program)
    shown = 0
    for fault in faults[:: max(1, len(faults) // 6)]:
        t = faulty(job, fault, case)
        found = diagnose(t, job)
        if found["first"] is None or found.get("overflows") or found.get("right"):
            continue  # a change of spelling: x - y for x + (-y)
        names = [f["name"] for f in found["faults"]]
        assert names and (fault.name in names or not any("operation" in n for n in names)), (
            f"{fault.name}: {found['line']}"
        )
        shown += fault.name in names
    assert shown >= 3
