"""A plan covers what it says; a false symmetry never gets that far; a lane comes back equal."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from noether.cases import CATALOG, CORE
from noether.cases.case import CaseError
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import MODES, PRECISIONS
from noether.laws.continuous.cells import TURNS
from noether.laws.exact import EXACT, shown_faults
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.registry import LAWS
from noether.mechanics.symmetry_proof import prove
from noether.plan import coverage, design
from noether.plan.casefiles import load
from noether.plan.choices import Request, select
from noether.plan.launches import GLANCE
from noether.runs.replay_lane import ReplayError, replay
from noether.verdicts.record import HOLDS, VIOLATED


@cache
def quick() -> list:
    """The cells of a quick run in numpy, planned once in a process of the tests, and not while they are
    collected."""
    return design.cells(select(Request(backend="numpy")))


@cache
def full() -> list:
    """The cells of a full run."""
    return design.cells(select(Request(profile="full")))


def launches(cells, kind="exact"):
    return [c for c in cells if isinstance(c, LaunchCell) and c.kind == kind]


def test_quick_covers_each_core_case_under_each_rule_and_in_each_type_and_each_law_in_each_type():
    exact = [c for c in launches(quick()) if c.case in CORE]
    rules = {(c.name, r) for c in CORE for r in rules_of(c) if RULES[r].screened}
    assert {(c.case.name, c.rule) for c in exact} >= rules
    assert {(c.case.name, c.precision) for c in exact} >= {(c.name, p) for c in CORE for p in PRECISIONS}
    assert {c.precision for c in exact} == set(design.PRECISIONS)
    points = [(c, r, p) for c in CORE for r in rules_of(c) for p in PRECISIONS if RULES[r].screened]
    assert {(law, c.precision) for c in exact for law in c.laws} >= {
        (law, p[2]) for p in points for law in coverage.laws_at(*p)
    }


def test_quick_glances_at_every_other_case_that_has_a_kernel():
    others = [c for c in CATALOG if c not in CORE]
    glances = [c for c in quick() if c.case.name in {c.name for c in others}]
    exact = [c for c in launches(glances) if RULES[c.rule].screened]
    assert [c.case.name for c in exact] == [c.name for c in others if rules_of(c)]
    assert {c.backend for c in exact} == {"numpy"} and {c.horizon for c in exact} == {GLANCE}
    assert {c.precision for c in exact} == set(PRECISIONS)
    plain = {r for r in RULES if coverage.plain((CORE[0], r, "float64"))}
    assert {c.rule for c in exact} == plain
    for seed in range(TURNS):  # the equations of motion take turns
        flows = {
            c.case.name
            for c in design.cells(select(Request(backend="numpy", seed=seed)))
            if c.laws[0] in ("T1", "T2")
        } & {c.name for c in others}
        assert flows == {c.name for c in others[seed::TURNS]}


def test_parity_covers_each_rule():
    compared = design.cells(select(Request(law="B1")))
    if compared:
        assert {c.rule for c in compared} >= set(RULES)


COARSE = ("muon", "accelerated-mirror-descent")
"""Rules that no case moves by more than rounding where every operation is rounded to sixteen bits."""


def test_each_law_of_a_rule_of_its_own_kind_has_a_point_its_near_faults_and_in_full_each_type_and_parity():
    compiled = any(not launch.missing(b) for b in launch.BACKENDS[1:])
    for rule in (r for r in RULES.values() if not r.screened):
        laws = {
            k
            for k, law in EXACT.items()
            if any(law.concerns(c, rule) for c in CATALOG if rule.name in rules_of(c))
        }
        for cells, types in ((quick(), 1), (full(), len(PRECISIONS))):
            mine = [c for c in cells if c.rule == rule.name]
            assert {k for c in launches(mine) for k in c.laws} == laws
            shown = {c.precision for c in launches(mine)}
            assert len(shown & set(PRECISIONS)) == types
            modes = {p.partition("/")[2] or "stored" for p in shown}
            whole = (
                {"stored"} if cells is quick() else set(MODES) - ({"eager"} if rule.name in COARSE else set())
            )
            assert modes == whole
            assert len(launches(mine)) <= types + len(modes) + 1
            near = [c for c in launches(mine, "faults") if not c.tag]
            assert 1 <= len(near) <= 2  # one more where its laws have more faults
            assert bool(launches(mine, "parity")) == (compiled and cells is not quick())
    compared = [c for c in launches(full(), "parity") if not RULES[c.rule].screened]
    assert {c.precision for c in compared} >= set(PRECISIONS) if compiled else not compared


def test_every_law_of_the_book_has_cells_and_every_cell_a_law_of_the_book():
    cells = design.cells(select(Request()))
    planned = {law for c in cells for law in c.laws}
    assert planned == {k for k, law in LAWS.items() if not (law.on_request or law.only_full)} - (
        set() if any(not launch.missing(b) for b in launch.BACKENDS[1:]) else {"B1"}
    )


def test_names_of_cells_differ():
    names = [c.name for c in quick()]
    assert len(set(names)) == len(names) > 60


def test_full_is_every_case_under_every_rule_and_the_whole_product_of_the_core():
    exact = launches(full())
    shown = {(c.case.name, c.rule, c.precision) for c in exact}
    rules = [(c, r) for c in CATALOG for r in rules_of(c) if RULES[r].screened]
    assert {x[:2] for x in shown} >= {(c.name, r) for c, r in rules}
    assert shown >= {(c.name, r, p) for c, r in rules if c in CORE for p in PRECISIONS}


def test_every_fault_of_a_kernel_is_planned_somewhere():
    faults = shown_faults.KERNEL_FAULTS
    jobs = [cell.job() for cell in quick() if isinstance(cell, LaunchCell) and cell.kind == "faults"]
    assert {f.name for job in jobs for f in faults if f.applies(job)} == {f.name for f in faults}


def test_the_same_seed_draws_the_same_lanes_on_every_backend():
    cell = next(c for c in quick() if isinstance(c, LaunchCell) and c.kind == "exact")
    a, b, c = cell.job(), replace(cell, backend="triton-ptx").job(), replace(cell, seed=1).job()
    assert np.array_equal(a.q0, b.q0) and np.array_equal(a.params, b.params)
    assert not np.array_equal(a.q0, c.q0)


def test_the_worst_lane_comes_back_equal_when_it_runs_alone():
    cell = LaunchCell(CORE[2], "heavy-ball", "bfloat16", "numpy", "exact", ("D0", "D2", "D3"), 33, 0)
    for record in cell.run():
        assert record.verdict == HOLDS
        again = replay(record.as_dict())
        assert again.equal, again.text
        wrong = replay({**record.as_dict(), "spent": record.spent * (1 + 1e-15)})
        assert not wrong.equal and "NOT EQUAL" in wrong.text


@pytest.mark.parametrize(
    "change", [{"law": "T1"}, {"fault": "ascent"}, {"worst": None}, {"case": "unheard-of"}]
)
def test_what_cannot_be_replayed_says_why(change):
    record = LaunchCell(CORE[2], "heavy-ball", "float32", "numpy", "exact", ("D0",), 3, 0).run()[0]
    with pytest.raises(ReplayError):
        replay({**record.as_dict(), **change})


def test_a_false_symmetry_is_refused_with_the_point_and_the_size():
    case = load.load("docs/examples/false_symmetry.py")
    with pytest.raises(CaseError) as refusal:
        prove(case)
    text = str(refusal.value)
    assert "ellipse" in text and "rotation" in text and "grad f" in text and "q = " in text


UNKNOWN = {"rule": "sgd", "precision": "float8", "backend": "abacus", "symmetry": "none", "case": "softmax"}
DAMAGE = [{name: word} for name, word in UNKNOWN.items()]
DAMAGE += [{"worst": {"start": [start]}} for start in ("zz", "0x1p0")]
DAMAGE += [{"worst": {"step": step}} for step in (None, 999)]
DAMAGE += [{"steps": "x"}, {"steps": 0}, {"spent": None}]


@pytest.mark.parametrize("damage", DAMAGE, ids=str)
def test_a_damaged_record_is_refused_and_not_a_crash(damage):
    record = LaunchCell(CORE[2], "heavy-ball", "float32", "numpy", "exact", ("D2",), 3, 0).run()[0].as_dict()
    broken = {**record, **damage, "worst": {**record["worst"], **damage.get("worst", {})}}
    with pytest.raises(ReplayError):
        replay(broken)


@pytest.mark.parametrize("pace", [-1.0, 0.0, 0.3, float("nan"), float("inf"), "x"])
def test_a_pace_that_is_no_power_of_two_is_refused(pace):
    with pytest.raises(CaseError, match="power of two"):
        replace(CORE[0], pace=pace)


@pytest.mark.parametrize(
    "case",
    CORE + tuple(c for c in CATALOG if c.name in ("product", "gaussian-fisher", "entropy-simplex")),
    ids=lambda c: c.name,
)
def test_a_narrowed_choice_shows_each_law_every_near_fault_that_applies_to_it(case):
    """By (law, fault), not by the name of a case: what one launch of the choice can show, some launch
    shows."""
    for rule in ("", *rules_of(case)):
        cells = design.cells(select(Request(cases=(case.name,), rule=rule or None, backend="numpy")))
        mine = [c for c in cells if isinstance(c, LaunchCell)]
        exact = [c for c in mine if c.kind == "exact"]
        shown = set().union(
            *(
                shown_faults.pairs(c.case, c.rule, c.precision, c.laws, "float64")
                for c in mine
                if c.kind == "faults"
            )
        )
        able = set().union(*(shown_faults.pairs(c.case, c.rule, "float64", c.laws, "float64") for c in exact))
        assert {x[:2] for x in shown} >= {x[:2] for x in able}
        assert {law for law, _, _ in shown} == {k for c in exact for k in c.laws}


def test_where_every_operation_is_rounded_to_16_bits_no_near_fault_is_shown_and_the_others_are():
    asked = Request(cases=("product",), law="D0", precision="bfloat16/eager", backend="numpy")
    cells = [c for c in design.cells(select(asked)) if c.kind == "faults" and c.precision == asked.precision]
    names = {r.fault for c in cells for r in c.run()}
    near = {fault.name for fault in shown_faults.NEAR}
    assert cells and names >= {"no-op kernel", "gradient x 2", "ascent"}
    assert len(near) == len(shown_faults.NEAR) and not names & near


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_what_vanishes_in_16_bits_is_shown_in_float64_to_the_laws_that_speak_of_the_choice(precision):
    asked = Request(rule="natural-gradient", precision=precision, backend="numpy")
    cells = [c for c in design.cells(select(asked)) if isinstance(c, LaunchCell)]
    laws = {law for c in cells if c.kind == "exact" for law in c.laws}
    wider = [c for c in cells if c.precision == "float64"]
    assert wider and all(c.kind == "faults" and {*c.laws} <= laws for c in wider)
    found = [r for c in wider for r in c.run()]
    killed = {r.fault for r in found if r.verdict == VIOLATED}
    assert {r.fault for r in found} == killed and "kappa x (1 + 2^-10)" in killed


def test_a_choice_with_a_wide_type_shows_its_faults_in_its_own_types():
    asked = Request(rule="natural-gradient", precision="float32,bfloat16", backend="numpy")
    assert {c.precision for c in design.cells(select(asked))} <= {"float32", "bfloat16", ""}


def test_a_rule_of_its_own_kind_is_tried_in_a_reduced_mode_that_alone_is_chosen():
    chosen = Request(cases=("rayleigh",), rule="heavy-ball-scheduled", precision="float16/mixed", law="D0,D2")
    cells = design.cells(select(chosen))
    assert {c.precision for c in launches(cells)} == {"float16/mixed"}
    both = design.cells(select(replace(chosen, precision="float16,float16/mixed")))
    assert {c.precision for c in launches(both)} == {"float16"}, "stored types come first, where there is one"
