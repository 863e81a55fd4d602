"""Every kind of fault is planted, every planted fault is killed, and what cannot be killed is proven to be
none."""

import dataclasses
import re

import numpy as np
import pytest
from plainest import listed, silent

from noether import faults
from noether.campaigns.kill_matrix import campaign, findings, matrix, points
from noether.cases import CATALOG, CORE
from noether.faults import fault
from noether.kernels.loops import launch
from noether.kernels.programs.precision import narrow, parse, widen
from noether.laws.exact import EXACT, law_faults
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.registry import LAWS
from noether.system.usage import UsageError
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED

CASES = {c.name: c for c in CATALOG}
ONE_POINT = (CASES["mexican-hat"], "heavy-ball", "float64")
KINDS_WANTED = listed("""
    sign; factor; stale momentum; early momentum; wrong first step; decay; ignored option;
    unasked option; dtype; indexing; stale read; gradient of a nearby loss; gradient at the wrong point;
    wrong kinetic factor; wrong charge; eps at the wrong time; wrong metric; no-op; non-finite
""")
NAMES_WANTED = listed("""
    decay coupled for decoupled; decay decoupled for coupled; decay applied after the step;
    decay of one for decay of q; decay twice; decay ignored; sign of the k; Nesterov unasked;
    dampening unasked; ascent; momentum ignored; eta as float32; beta as float32; momentum one type lower;
    position one type lower; bfloat16 store truncated; double rounding; subnormals flushed to zero;
    tail lanes not written; off by one lane at the store; off by one lane at the load;
    the neighbour's parameters; one lane in 10^6, last component; components swapped at the store;
    32-bit offset overflows; constants x (1 + 2^-10); another loss, same symmetry;
    one term of the gradient missing; gradient at the next position; gradient at the look-ahead;
    breaking term of the last position; breaking term ignored; eps x 2;
    breaking term in the wrong component; gradient at the stored logarithm; NaN in one lane;
    infinity in one lane; NaN at the last step; charge at the old position
""")
NAMES_WANTED += [f"stale read every 2^{k} steps" for k in range(7)]


@pytest.mark.parametrize("seed", range(8))
def test_a_nan_in_one_lane_lies_where_the_laws_of_some_lanes_speak(seed):
    """At the middle lane a quick run in a hundred showed it to D3 in no cell: half of the lanes are broken,
    and D3 says nothing of them."""
    from noether.laws.exact import shown_faults

    cell = LaunchCell(CASES["softmax"], "heavy-ball", "float64", "numpy", "faults", ("D3",), 61, seed, 12)
    (nan,) = [f for f in shown_faults.KERNEL_FAULTS if f.name == "NaN in one lane"]
    t, law = shown_faults.wrong_trajectory(cell.case, cell.job(), nan), EXACT["D3"]
    lanes = np.flatnonzero(np.isnan(t.q).any(axis=(0, 1)))
    assert len(lanes) == 1 and all(law.covers(t, s)[lanes[0]] for s in cell.case.symmetries)


def test_every_kind_of_fault_is_planted():
    assert not set(KINDS_WANTED) - {f.kind for f in (*faults.KERNEL, *law_faults.FAULTS)}
    assert not set(NAMES_WANTED) - {f.name for f in (*faults.KERNEL, *law_faults.FAULTS)}


def test_fault_names_differ():
    names = [f.name for f in faults.KERNEL]
    assert len(set(names)) == len(names) and {f.name for f in faults.LINES} <= set(names)
    assert len({(f.name, f.law) for f in law_faults.FAULTS}) == len(law_faults.FAULTS)


def test_every_exact_law_has_a_wrong_twin():
    assert {f.law for f in law_faults.FAULTS} == set(EXACT)
    assert set(findings.LAWS) == {k for k, law in LAWS.items() if not (law.on_request or law.only_full)}, (
        "the matrix has a column for every law of a run that asks for nothing"
    )
    assert campaign.cells("quick", (), 0), "the whole campaign cannot be planned"


@pytest.mark.parametrize(
    "point",
    [
        ("mexican-hat", "heavy-ball", "float64"),
        ("entropy-mirror", "mirror-descent", "float64"),
        ("mexican-hat", "heavy-ball-decoupled", "float64"),
    ],
)
def test_every_fault_that_applies_is_killed(point):
    records = matrix.MatrixCell(CASES[point[0]], *point[1:]).run()
    found = findings.verdict(records, whole=False)
    assert found.exit_code == 0 and found.killed >= 60 and found.equivalent >= 3, found.reasons
    assert {r.verdict for r in records if r.fault is None} == {HOLDS}


def test_the_designed_points_show_every_fault_and_every_rule():
    shown = points.points("quick")
    jobs = [LaunchCell(*point, "numpy", "exact", (), 61, 0).job() for point in shown]
    wide = LaunchCell(*points.point(*points.WIDE), "numpy", "exact", (), 10_007, 0, 2).job()
    unshown = [f.name for f in faults.KERNEL if not any(f.applies(j) for j in (*jobs, wide))]
    assert not unshown
    assert {r for c in CORE for r in rules_of(c)} <= {rule for _, rule, _ in shown}


def test_a_kind_that_no_case_has_is_told_and_not_left_out():
    def never(case):
        return False

    with pytest.raises(LookupError, match="no case of the catalogue is never and runs under heavy-ball"):
        points.case_of(never, "heavy-ball")


@pytest.mark.parametrize("rule", ["heavy-ball", "heavy-ball-decoupled", "mirror-descent", "gradient-descent"])
def test_a_fault_of_one_step_is_a_hypothesis_about_one_step_from_any_state(rule):
    """From the state after four right steps, one faulty step is the fault's and not the right one."""
    case = CASES["entropy-mirror" if rule == "mirror-descent" else "mexican-hat"]
    job = LaunchCell(case, rule, "float64", "numpy", "exact", (), 61, 0, 5).job()
    q, v = launch.run(job, "numpy").wide()
    one = dataclasses.replace(job, q0=q[4], v0=v[4], steps=1)
    right = launch.run(one, "numpy").wide()
    assert np.array_equal(right[0][1], q[5]) and np.array_equal(right[1][1], v[5])
    local = [
        f for f in faults.KERNEL if f.when == fault.ANY and f.name not in faults.EQUIVALENT and f.applies(one)
    ]
    assert len(local) > 25
    for f in local:
        if f.name in ("breaking term every other step", "nothing after six steps"):
            continue
        wrong = f.outcome(case, one)
        assert np.array_equal(wrong[0][0], right[0][0]), f.name
        assert not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(wrong, right, strict=True)), (
            f"{f.name} does nothing in one step"
        )


def test_a_wrong_step_is_planted_in_numpy_only():
    job = LaunchCell(CASES["mexican-hat"], "heavy-ball", "float64", "numpy", "exact", (), 3, 0, 2).job()
    with pytest.raises(ValueError, match="planted in numpy only"):
        launch.run(job, "triton-ptx", faults.BY_NAME["no-op kernel"].advance)


# ---- what is no fault


def all_of(kind: str) -> np.ndarray:
    """Every finite number of a 16-bit type, as float32."""
    bits = np.arange(2**16, dtype=np.uint16)
    with np.errstate(invalid="ignore"):
        values = widen(bits if kind == "bfloat16" else bits.view(np.float16), kind)
    return values[np.isfinite(values)].astype(np.float32)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_proof_rounding_is_a_projection_and_odd(kind):
    x = all_of(kind)
    assert np.array_equal(narrow(x, kind), x), "what is representable is rounded to itself"
    with np.errstate(over="ignore"):
        between = np.concatenate([x * np.float32(1 + 2.0**-k) for k in (6, 9, 12, 20)])
        assert np.array_equal(narrow(-between, kind), -narrow(between, kind), equal_nan=True)
        assert np.array_equal(narrow(narrow(between, kind), kind), narrow(between, kind))


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_proof_one_times_and_zero_plus_change_no_number(kind):
    x = all_of(kind)
    assert np.array_equal((np.float32(1) * x).view(np.uint32), x.view(np.uint32))
    assert np.array_equal(x + np.float32(0), x)


def test_every_harmless_change_has_its_proof_and_nothing_else_has():
    from noether.faults import harmless

    assert {f.name for f in harmless.FAULTS} == set(faults.EQUIVALENT)
    assert all(len(proof) > 20 for proof in faults.EQUIVALENT.values())


# ---- the verdict can fail


def seen(name, law="D0", verdict=VIOLATED, spent=9.0):
    data = {"kind": "sign", "what": "", "first_step": 1, "first_lane": 0}
    return silent(law=law, verdict=verdict, spent=spent, fault=name, data=data)


@pytest.mark.parametrize(
    ("records", "asked", "code", "reason"),
    [
        ([seen("a")], ("a",), 0, ""),
        ([], (), 3, "nothing was shown"),
        ([seen("a"), seen("b", verdict=INCONCLUSIVE, spent=0.5)], (), 3, "no law kills 'b'"),
        ([seen("a")], ("a", "b"), 3, "'b' applies at no point"),
        ([seen("a"), seen("gradient times one", verdict=INCONCLUSIVE, spent=0.0)], (), 0, ""),
        ([seen("gradient times one")], (), 3, "listed as equivalent but D0 kills it"),
        ([seen("a"), seen(None)], (), 1, "violated with nothing planted"),
    ],
)
def test_a_survivor_a_false_proof_and_a_fault_that_is_never_shown_are_blindness(records, asked, code, reason):
    found = findings.verdict(records, asked, whole=False)
    assert found.exit_code == code and reason in " ".join(found.reasons)


def test_a_law_that_kills_nothing_is_named():
    found = findings.verdict([seen("a")], ())
    assert (
        found.exit_code == 3
        and "T1 kills no fault" in found.reasons
        and "D0 kills no fault" not in found.reasons
    )


def test_a_fault_that_survives_ends_the_run_with_exit_code_3(monkeypatch):
    """A harness that judges nothing: every fault survives."""
    monkeypatch.setattr(matrix, "spent_of", lambda r: np.zeros_like(np.asarray(r.measured, float)))
    monkeypatch.setattr(matrix, "bits", lambda mine, plain: matrix.Seen(0.0))
    monkeypatch.setattr(campaign, "points", lambda profile: (ONE_POINT,))
    found = campaign.run(("eta x 2",), record=False)
    assert found.exit_code == 3 and found.verdict.reasons == ("no law kills 'eta x 2'",)


def test_a_fault_is_named_by_the_beginning_of_its_name_and_wrong_words_are_refused():
    assert campaign.chosen(("stale read",)) == tuple(f"stale read every 2^{k} steps" for k in range(7))
    with pytest.raises(UsageError, match="eta"):
        campaign.chosen(("etta x 2",))
    with pytest.raises(UsageError, match="quick or full"):
        campaign.run(profile="stress")


# ---- what a run leaves behind


@pytest.fixture
def short(monkeypatch, tmp_path):
    """`noether faults` on one point, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(campaign, "points", lambda profile: (ONE_POINT,))
    return tmp_path


def test_the_command_prints_the_matrix_and_the_report_shows_it(short, capsys):
    from noether.cli.main import call

    assert (
        call(
            ["faults", "eta x", "stale read", "no-op", "inconclusive counted", "--out", "here", "--jobs", "1"]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert (
        "eta x 2 " in out
        and "every planted fault is killed" in out
        and "15 faults: 15 killed (0 by B1 alone)" in out
    )
    page = (short / "here" / "report.html").read_text()
    assert all(
        name in page
        for name in ("Kill matrix", "eta x (1 + 2^-10)", "no-op kernel", "inconclusive counted as holds")
    )
    assert not re.search("https?:", page)
    (short / "here" / "report.html").unlink()
    assert call(["report", "here"]) == 0 and (short / "here" / "report.html").read_text() == page


def test_the_matrix_for_machines(short, capsys):
    import json

    from noether.cli.main import call

    assert call(["faults", "sign of the beta", "--json", "--out", "here", "--jobs", "1"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["matrix"]
    assert (
        row["fault"] == "sign of the beta"
        and row["killed"]["D0"]["steps"] == row["killed"]["D0"]["lanes"] == 1
        and row["killed"]["D0"]["ratio"] > 1e10
    )


def test_a_wrong_fault_name_is_refused_with_exit_code_2(short, capsys):
    from noether.cli.main import call

    assert call(["faults", "sign of the betta"]) == 2
    assert "sign of the beta" in capsys.readouterr().err and not (short / "runs").exists()


def test_heat_and_decades_say_how_far_beyond_the_bound():
    from noether.report.faults.page import decades, heat

    assert [decades(x) for x in (1.5, 2e3, 3e14, float("inf"))] == ["0.2", "3", "14", "∞"]
    assert heat(1.0) < heat(1e3) < heat(1e14) < heat(float("inf")) == heat(1e300) == 75


def test_another_number_of_a_launch_is_another_launch():
    """Which lanes are outside is kept of a launch: of another one they would be the wrong ones."""
    job = LaunchCell(*ONE_POINT, "numpy", "exact", (), 9, 0, 4).job()
    another = lambda **changed: matrix.Launched(dataclasses.replace(job, **changed))
    same = another(params=job.params.copy())
    assert same == another() and hash(same) == hash(another())
    for name in ("q0", "v0", "params"):
        changed = getattr(job, name).copy()
        changed[0, -1] = np.nextafter(changed[0, -1], np.inf)
        assert another(**{name: changed}) != same, name
    for name, value in (("steps", job.steps + 1), ("precision", parse("bfloat16")), ("begun", 1)):
        assert another(**{name: value}) != same, name
