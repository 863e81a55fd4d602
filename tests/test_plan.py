"""A plan covers what it says; a false symmetry never gets that far; a lane comes back equal."""

from dataclasses import replace

import numpy as np
import pytest

from noether.cases import CATALOG, CORE
from noether.cases.case import CaseError
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.numpy_step import BLOCK
from noether.kernels.programs.precision import PRECISIONS
from noether.labs import gpu
from noether.laws.continuous.cells import TURNS
from noether.laws.exact import EXACT, controls
from noether.laws.exact.cell import DiscreteCell, rules_of
from noether.laws.registry import LAWS
from noether.mechanics.symbolic import prove
from noether.plan import design
from noether.plan.casefiles import load
from noether.plan.choices import Request, select
from noether.runs.execute import case_name
from noether.runs.replay_lane import ReplayError, replay
from noether.verdicts.record import HOLDS

QUICK = design.cells(select(Request(backend="numpy")))


def test_quick_covers_each_case_under_each_rule_and_in_each_precision():
    exact = [c for c in QUICK if isinstance(c, DiscreteCell) and c.kind == "exact" and c.subject in CORE]
    plain = [r.name for r in RULES.values() if not r.optional]
    assert {(c.case, c.rule) for c in exact if c.rule in plain} == {
        (c.name, r) for c in CORE for r in rules_of(c) if r in plain
    }
    assert {(c.case, c.precision) for c in exact} >= {(c.name, p) for c in CORE for p in PRECISIONS}


def test_quick_glances_at_every_other_case_that_has_a_kernel():
    others = [c for c in CATALOG if c not in CORE]
    glances = [c for c in QUICK if case_name(c) in {c.name for c in others}]
    exact = [c for c in glances if isinstance(c, DiscreteCell) and not RULES[c.rule].rare]
    assert [c.case for c in exact] == [c.name for c in others if rules_of(c)]
    assert (
        {c.backend for c in exact} == {"numpy"}
        and {c.kind for c in exact} == {"exact"}
        and {c.horizon for c in exact} == {design.GLANCE}
    )
    assert {c.precision for c in exact} == set(PRECISIONS) and {c.rule for c in exact} >= {
        "gradient-descent",
        "heavy-ball",
        "heavy-ball-decoupled",
        "mirror-descent",
    }
    for seed in range(TURNS):  # the equations of motion take turns
        flows = {
            case_name(c)
            for c in design.cells(select(Request(backend="numpy", seed=seed)))
            if c.laws[0] in ("T1", "T2")
        } & {c.name for c in others}
        assert flows == {c.name for c in others[seed::TURNS]}


def test_quick_covers_each_law_of_a_rule_with_an_option_its_controls_and_parity():
    cells = [c for c in QUICK if isinstance(c, DiscreteCell)]
    for rule in (r for r in RULES.values() if r.optional and not r.rare):
        mine = [c for c in cells if c.rule == rule.name]
        laws = {
            k
            for k, law in EXACT.items()
            if any(law.concerns(c, rule) for c in CORE if rule.name in rules_of(c))
        }
        assert {k for c in mine if c.kind == "exact" for k in c.laws} == laws
        exact = [c for c in mine if c.kind == "exact"]
        assert {design.width(c.precision) for c in exact} == {"wide", "narrow"}
        assert [c.case for c in mine if c.kind == "controls"] == ["mexican-hat"]
    compared = design.cells(select(Request(law="B1")))
    if compared:
        assert {c.rule for c in compared} >= set(RULES)


def test_each_law_of_a_rare_rule_has_a_point_its_own_near_misses_and_in_full_each_type_and_parity():
    full = design.cells(select(Request(profile="full")))
    compiled = any(not launch.missing(b) for b in launch.BACKENDS[1:])
    for rule in (r for r in RULES.values() if r.rare):
        laws = {
            k
            for k, law in EXACT.items()
            if any(law.concerns(c, rule) for c in CATALOG if rule.name in rules_of(c))
        }
        for cells, types in ((QUICK, 1), (full, len(PRECISIONS))):
            mine = [c for c in cells if isinstance(c, DiscreteCell) and c.rule == rule.name]
            assert {k for c in mine if c.kind == "exact" for k in c.laws} == laws
            assert (
                len({c.precision for c in mine if c.kind == "exact"}) == types
                and len([c for c in mine if c.kind == "exact"]) <= types + 2
            )
            assert (
                1 <= len([c for c in mine if c.kind == "controls" and not c.tag]) <= 2
            )  # its home, and one more where its laws have more controls
            assert bool([c for c in mine if c.kind == "parity"]) == (compiled and cells is not QUICK)
    compared = [c for c in full if isinstance(c, DiscreteCell) and c.kind == "parity" and RULES[c.rule].rare]
    assert {c.precision for c in compared} == (set(PRECISIONS) if compiled else set())


def test_every_law_of_the_book_has_cells_and_every_cell_a_law_of_the_book():
    cells = design.cells(select(Request()))
    planned = {law for c in cells for law in c.laws}
    assert planned == {k for k, law in LAWS.items() if not law.on_request} - (
        set() if any(not launch.missing(b) for b in launch.BACKENDS[1:]) else {"B1"}
    )


def test_names_of_cells_differ():
    names = [c.name for c in QUICK]
    assert len(set(names)) == len(names) > 60


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_wrong_ptx_is_shown_once_on_each_backend_that_executes_it_here(profile):
    cells = design.cells(select(Request(profile=profile)))
    here = [b for b in launch.ON_CPU if not launch.missing(b)]
    assert sorted(
        c.backend for c in cells if isinstance(c, DiscreteCell) and c.extra.get("sabotaged")
    ) == sorted(here)


def test_full_is_the_whole_product():
    full = design.cells(select(Request(backend="numpy", profile="full")))
    exact = {(c.case, c.rule, c.precision) for c in full if isinstance(c, DiscreteCell) and c.kind == "exact"}
    assert exact >= {
        (c.name, r, p) for c in CORE for r in rules_of(c) if not RULES[r].rare for p in PRECISIONS
    }


def test_every_control_of_the_issue_is_planned_somewhere():
    seen = set()
    for cell in QUICK:
        if isinstance(cell, DiscreteCell) and cell.kind == "controls":
            job = cell.job()
            from noether.laws.exact.controls import KERNEL_CONTROLS

            seen |= {c.name for c in KERNEL_CONTROLS if c.applies(job)}
    from noether.laws.exact.controls import KERNEL_CONTROLS

    assert seen == {c.name for c in KERNEL_CONTROLS}


def test_the_same_seed_draws_the_same_lanes_on_every_backend():
    cell = next(c for c in QUICK if isinstance(c, DiscreteCell) and c.kind == "exact")
    a, b, c = cell.job(), replace(cell, backend="triton-ptx").job(), replace(cell, seed=1).job()
    assert np.array_equal(a.q0, b.q0) and np.array_equal(a.params, b.params)
    assert not np.array_equal(a.q0, c.q0)


def test_the_worst_lane_comes_back_equal_when_it_runs_alone():
    cell = DiscreteCell(CORE[2], "heavy-ball", "bfloat16", "numpy", "exact", ("D0", "D2", "D3"), 33, 0)
    for record in cell.run():
        assert record.verdict == HOLDS
        again = replay(record.as_dict())
        assert again.equal, again.text
        wrong = replay({**record.as_dict(), "spent": record.spent * (1 + 1e-15)})
        assert not wrong.equal and "NOT EQUAL" in wrong.text


@pytest.mark.parametrize(
    "change", [{"law": "T1"}, {"control": "ascent"}, {"worst": None}, {"case": "unheard-of"}]
)
def test_what_cannot_be_replayed_says_why(change):
    record = DiscreteCell(CORE[2], "heavy-ball", "float32", "numpy", "exact", ("D0",), 3, 0).run()[0]
    with pytest.raises(ReplayError):
        replay({**record.as_dict(), **change})


def test_a_false_symmetry_is_refused_with_the_point_and_the_size():
    case = load.load("docs/examples/false_symmetry.py")
    with pytest.raises(CaseError) as refusal:
        prove(case)
    text = str(refusal.value)
    assert "ellipse" in text and "rotation" in text and "grad f" in text and "q = " in text


def test_a_backend_that_is_not_here_is_named():
    if not launch.missing("triton-gpu"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(launch.BackendMissing, match="triton-gpu is not here"):
        design.backend_of("triton-gpu")
    assert gpu.main() == 3


def test_the_gpu_table_fails_on_one_wrong_bit_and_on_nothing_checked(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OUT", str(tmp_path))
    row = {"case": "c", "rule": "r", "precision": "p", "values": 9, "differ": 0, "unwritten": 0}
    law = {"spent": 0.5, "verdict": HOLDS}
    result = {
        "device": "d",
        "capability": [9, 0],
        "versions": {},
        "parity": [row],
        "verification": [law],
        "facts": [],
        "speed": [],
    }
    assert gpu.report(result) == 0
    assert gpu.report({**result, "parity": [{**row, "differ": 1}]}) == 1
    assert gpu.report({**result, "verification": [{**law, "verdict": "violated"}]}) == 1
    assert gpu.report({**result, "parity": []}) == 3
    alive = {"spent": 0.5, "verdict": HOLDS, "control": "ascent"}
    assert gpu.report({**result, "verification": [law, alive]}) == 3
    assert gpu.report({**result, "verification": [law, alive, {**alive, "verdict": "violated"}]}) == 0
    assert gpu.report({**result, "speed": [{"skipped": "out of time"}]}) == 3


def test_parity_of_the_gpu_job_runs_on_another_backend():
    """All of `make gpu` but the device: the same function on numpy finds no differing bit."""
    rows = gpu.parity("numpy", iter_clock(3))
    done = [r for r in rows if "differ" in r]
    assert (
        len(done) == 3
        and not any(r["differ"] for r in done)
        and all(r["digest"] == r["digest_numpy"] for r in done)
    )
    assert len(rows) == len(gpu.points()) and sum("skipped" in r for r in rows) == len(rows) - 3


def test_verification_of_the_gpu_job_runs_on_another_backend():
    rows = gpu.verification("numpy", iter_clock(2))
    assert {r["verdict"] for r in rows if "verdict" in r} == {HOLDS} and sum(
        "skipped" in r for r in rows
    ) > 100


def iter_clock(n):
    left = iter([1.0] * n)
    return lambda: next(left, -1.0)


DAMAGE = [{"worst": {"start": ["zz"]}}, {"worst": {"start": ["0x1p0"]}}, {"worst": {"step": None}},
    {"worst": {"step": 999}}, {"rule": "sgd"},
          {"precision": "float8"}, {"backend": "abacus"}, {"symmetry": "none"}, {"steps": "x"}, {"steps": 0},
          {"spent": None}, {"case": "softmax"}]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE, ids=str)
def test_a_damaged_record_is_refused_and_not_a_crash(damage):
    record = (
        DiscreteCell(CORE[2], "heavy-ball", "float32", "numpy", "exact", ("D2",), 3, 0).run()[0].as_dict()
    )
    broken = {**record, **damage, "worst": {**record["worst"], **damage.get("worst", {})}}
    with pytest.raises(ReplayError):
        replay(broken)


@pytest.mark.parametrize("pace", [-1.0, 0.0, 0.3, float("nan"), float("inf"), "x"])
def test_a_pace_that_is_no_power_of_two_is_refused(pace):
    with pytest.raises(CaseError, match="power of two"):
        replace(CORE[0], pace=pace)


def test_parity_is_planned_on_every_triton_backend_that_is_here():
    cells = [c for c in design.cells(select(Request(law="B1"))) if isinstance(c, DiscreteCell)]
    here = {b for b in launch.BACKENDS[1:] if not launch.missing(b)}
    assert {c.backend for c in cells} == here
    for backend in here:
        mine = [c for c in cells if c.backend == backend]
        interpreted = backend == "triton-interpreted"
        common = [c for c in mine if not RULES[c.rule].rare]
        assert {c.case for c in common} == {c.name for c in CORE} and {c.rule for c in mine} == {
            r for r in design.RULES if not (interpreted and RULES[r].rare)
        }
        assert {c.precision for c in mine} == set(PRECISIONS if interpreted else design.PRECISIONS)
        assert len([c for c in mine if c.extra.get("untraced")]) == (not interpreted)
        assert bool([c for c in mine if c.lanes > 2 * BLOCK]) == (
            backend not in ("triton-interpreted", "triton-ptx")
        )


def test_parity_runs_where_numpy_is_merely_the_best_and_not_where_it_was_asked_for(monkeypatch):
    """Without a compiler `auto` is numpy: B1 must not go blind then."""
    pytest.importorskip("triton")
    honest = launch.missing
    monkeypatch.setattr(
        launch, "missing", lambda b: "no compiler" if b in ("triton-cpu", "triton-gpu") else honest(b)
    )
    assert launch.automatic() == "numpy"
    assert {c.backend for c in design.cells(select(Request(law="B1")))} == {
        b for b in ("triton-interpreted", "triton-ptx") if not honest(b)
    }
    assert not design.cells(select(Request(law="B1", backend="numpy")))


def test_the_kernels_that_ask_the_hardware_compile_without_it():
    pytest.importorskip("triton")
    from noether.kernels.loops.compiled import compile_ptx
    from noether.kernels.loops.hardware import float_argument, native_bfloat16

    native = compile_ptx(native_bfloat16, {"x_ptr": "*fp32", "out_ptr": "*bf16", "n": "i32"}, {"BLOCK": 128})
    assert "cvt.rn.bf16" in native.ptx
    assert ".param .f32" in compile_ptx(float_argument, {"out_ptr": "*fp64", "value": "fp32"}, {}).ptx


@pytest.mark.parametrize(
    "case",
    CORE + tuple(c for c in CATALOG if c.name in ("product", "gaussian-fisher", "entropy-simplex")),
    ids=lambda c: c.name,
)
def test_a_narrowed_choice_shows_each_law_every_near_miss_that_applies_to_it(case):
    """By (law, control), not by the name of a case: what one launch of the choice can show, some launch
    shows."""
    for rule in ("", *rules_of(case)):
        cells = design.cells(select(Request(cases=(case.name,), rule=rule or None, backend="numpy")))
        mine = [c for c in cells if isinstance(c, DiscreteCell)]
        exact = [c for c in mine if c.kind == "exact"]
        shown = set().union(
            *(
                controls.pairs(c.subject, c.rule, c.precision, c.laws, "float64")
                for c in mine
                if c.kind == "controls"
            )
        )
        able = set().union(*(controls.pairs(c.subject, c.rule, "float64", c.laws, "float64") for c in exact))
        assert {x[:2] for x in shown} >= {x[:2] for x in able}
        assert {law for law, _, _ in shown} == {k for c in exact for k in c.laws}


def test_where_every_operation_is_rounded_to_16_bits_no_near_miss_is_shown_and_the_others_are():
    cells = [
        c
        for c in design.cells(
            select(Request(cases=("product",), law="D0", precision="bfloat16/eager", backend="numpy"))
        )
        if c.kind == "controls"
    ]
    names = {r.control for c in cells for r in c.run()}
    assert cells and names >= {"no-op kernel", "gradient x 2", "ascent"} and not names & {*controls.NEAR}
