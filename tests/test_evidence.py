"""The evidence cannot fool itself: a wrong kernel, a wrong name, a lane that nobody judged are each found
out."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from plainest import record

from noether.cases import CATALOG, CORE
from noether.cases.case import DIAGONAL, Case, Metric, rotation
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, shown_faults, sizes
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.exact.judge import judge_all, spent_of
from noether.mechanics import sweep, wide
from noether.mechanics.domain import normal_steps, overflowing, same_stores
from noether.mechanics.trajectory import Trajectory
from noether.plan.choices import Request
from noether.runs import run as running
from noether.verdicts.exit_codes import of_records
from noether.verdicts.record import INCONCLUSIVE, OUTSIDE, VIOLATED

ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})
LAUNCH = dict(rule="heavy-ball", precision="float64", backend="triton-ptx", lanes=9, steps=4)
REQUEST = Request(("mexican-hat",), law="D0,D2", **LAUNCH)
TIGHT = 1 / 20
HAT = next(c for c in CORE if c.name == "mexican-hat")


def cell(backend="triton-ptx", kind="exact", laws=("D0", "D2", "D3"), precision="float64", lanes=9, steps=4):
    return LaunchCell(HAT, "heavy-ball", precision, backend, kind, laws, lanes, 3, steps)


@pytest.mark.parametrize("precision", ["float64", "bfloat16"])
def test_every_step_component_and_lane_is_judged(precision):
    """One wrong value anywhere, in q or v, is a violation that names its lane."""
    mine = cell("numpy", precision=precision, laws=("D0",), lanes=5, steps=3)
    job = mine.job()
    z, v = launch.run(job, "numpy").wide()
    for buffer, step, component, lane in np.ndindex(2, 3, HAT.dim, job.lanes):
        for wrong in (np.nan, None):
            pair = [z.copy(), v.copy()]
            old = pair[buffer][step + 1, component, lane]
            pair[buffer][step + 1, component, lane] = (
                np.nan if wrong is not None else old + 0.25 * (1 + abs(old))
            )
            (record,) = judge_all(
                Trajectory(HAT, job.rule, job.precision, *pair, job.params), ("D0",), about=ABOUT
            )
            assert record.verdict == VIOLATED and record.worst["lane"] == lane, (
                f"buffer {buffer}, step {step + 1}, component {component}, lane {lane}"
            )


@pytest.mark.parametrize(
    "precision",
    ["float64", "float32", "float16", "bfloat16", "float16/eager", "float16/mixed", "bfloat16/mixed"],
)
def test_no_bound_is_idle_in_any_precision(precision):
    """Over a few launches each half of D0 and each law comes near its bound, or a bound 30 times too wide
    would pass."""
    found = {}
    for case in (*CORE, next(c for c in CATALOG if c.name == "product")):  # D8 speaks of a product
        for rule in rules_of(case):
            steps = min(12, sweep.horizon(RULES[rule], parse(precision)))
            job = LaunchCell(case, rule, precision, "numpy", "exact", (), 61, 0, steps).job()
            inside = cache(lambda case=case, job=job: ~overflowing(job, *same_stores(case, job)))
            for name, lanes in spent_by_lane(case, job):
                found.setdefault(name, []).append((lanes, inside))
    worst = {name: worst_inside(those) for name, those in found.items()}
    assert all(TIGHT <= x <= 1 for x in worst.values()), (
        f"worst spent in {precision}: {worst}, must be from {TIGHT} to 1"
    )
    assert len(worst) == 1 + sum(law.reads(precision) for law in EXACT.values())


def spent_by_lane(case, job):
    """Of each law, and of each half of D0, the most that each lane spends; -1 where the law is silent."""
    t = Trajectory(case, job.rule, job.precision, *launch.run(job, "numpy").wide(), job.params)
    for law in EXACT.values():
        for symmetry in case.symmetries if law.about_symmetry else (None,):
            covered = law.covers(t, symmetry)
            if covered.any():
                spent = spent_of(law.residual(t, symmetry))
                halves = {"D0 v": spent[:, : case.dim], "D0 q": spent[:, case.dim :]}
                for name, part in halves.items() if law.key == "D0" else ((law.key, spent),):
                    yield name, np.where(covered, part.reshape(-1, job.lanes).max(axis=0), -1.0)


def worst_inside(found) -> float:
    """The most that any lane spends of those that do not leave their domain. Which do takes as long to find
    as all the rest: it is asked only where a lane would be the worst."""
    worst = -1.0
    for lanes, inside in sorted(found, key=lambda pair: -pair[0].max()):
        if lanes.max() > worst:
            worst = max(worst, float(lanes[inside()].max(initial=-1.0)))
    return worst


FINE = record()
KILLED = record(fault="a", verdict=VIOLATED, spent=9.0)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([FINE, KILLED], 0),
        ([], 3),
        ([FINE], 3),
        ([KILLED], 3),
        ([FINE, KILLED, record(fault="b")], 3),
        ([FINE, KILLED, record(fault="b", verdict=INCONCLUSIVE)], 3),
        ([record(verdict=INCONCLUSIVE), KILLED], 3),
        ([record(verdict=OUTSIDE, spent=None), KILLED], 3),
        ([FINE, KILLED, record(verdict=VIOLATED, spent=float("nan"))], 1),
        ([FINE] * 999 + [KILLED, record(verdict=VIOLATED, spent=2.0)], 1),
    ],
)
def test_exit_code_is_0_only_where_everything_holds_and_every_fault_was_killed(records, code):
    assert of_records(records, ["D0"]) == code
    assert of_records([*records, record(law="D2")], ["D0", "D2"]) == (code or 3)


def test_a_law_without_a_record_is_blind():
    assert of_records([FINE, KILLED], ["D0", "D2"]) == 3


def test_a_run_without_faults_is_blind(monkeypatch):
    monkeypatch.setattr(shown_faults, "KERNEL_FAULTS", ())
    assert (
        running.run(
            dataclasses.replace(REQUEST, backend="numpy", law="D0"), record=False, how=running.How(1)
        ).exit_code
        == 3
    )


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_bound_of_a_decaying_charge_decays_with_it(precision):
    """B' = |beta| B + b: at beta = 1/2 the last bound is at most twice the largest local one, however many
    steps."""
    plain = (("beta", 0.5), ("eps", 0.0), ("k", 0.0))
    job = LaunchCell(HAT, "heavy-ball", precision, "numpy", "exact", (), 9, 0, 40, plain).job()
    t = Trajectory(HAT, job.rule, job.precision, *launch.run(job, "numpy").wide(), job.params)
    for symmetry in HAT.symmetries:
        decay, step = EXACT["D3"].residual(t, symmetry), EXACT["D2"].residual(t, symmetry)
        assert (decay.bound <= 2.01 * step.bound.max(axis=0)).all()
        assert spent_of(decay).max() <= 1


def test_a_wrong_response_in_any_one_lane_is_violated_and_its_bound_is_not_idle(monkeypatch):
    mine, honest = cell("numpy", kind="response", laws=("E1",), lanes=17, steps=24), launch.run
    spent = [r.spent for r in mine.run() if r.fault is None]
    assert 1 / 60 <= max(spent) <= 1
    for lane in range(mine.lanes):

        def crooked(job, backend, *faults, lane=lane):
            outcome = honest(job, backend, *faults)
            outcome.v[-1, :, lane] *= 1 + 2.0**-20
            return outcome

        monkeypatch.setattr(launch, "run", crooked)
        assert VIOLATED in {r.verdict for r in mine.run() if r.fault is None}, f"lane {lane}"


def test_every_wrong_law_is_shown_and_killed():
    case = {c.name: c for c in CATALOG}
    points = [
        ("rayleigh", "heavy-ball", ("D1", "D2", "D4", "D5")),
        ("rayleigh", "nesterov", ("D2",)),
        ("rayleigh", "heavy-ball-decoupled", ("D10",)),
        ("rayleigh", "gradient-descent", ("D11",)),
        ("deformed-rayleigh", "natural-gradient", ("D2", "D7")),
        ("rayleigh", "heavy-ball-scheduled", ("D2",)),
        ("gaussian-fisher", "heavy-ball-scheduled", ("D6",)),
        ("product", "sign-descent", ("D8",)),
        ("entropy-simplex", "exponentiated-gradient", ("D7",)),
        ("product", "adam", ("D14",)),
        ("quadratic-network", "lion", ("D15",)),
        ("product", "lamb", ("D16",)),
    ]
    cells = [
        LaunchCell(case[name], rule, "float64", "numpy", "faults", laws, 9, 0, 12)
        for name, rule, laws in points
    ]
    records = [r for cell in cells for r in cell.run()]
    wanted = {(fault.law, fault.name) for fault in shown_faults.LAW_FAULTS}
    assert {(r.law, r.fault) for r in records if r.verdict == VIOLATED} >= wanted


@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
def test_a_sweep_is_no_single_point(case):
    rule = next((r for r in rules_of(case)[::-1] if RULES[r].momentum), rules_of(case)[-1])
    job = LaunchCell(case, rule, "float64", "numpy", "exact", (), 61, 0).job()
    eta, beta, k, eps = job.params[:4]
    assert (eta != eta.astype(np.float32)).mean() > 0.9, "a step size demoted to float32 would not show"
    assert (eta > 0).all() and eta.max() / eta.min() > 4 and len(set(beta)) >= 4
    assert (k > 0).any() and (k == 0).any() and (eps == 0).any()
    assert np.ptp(np.log10(eps[eps > 0])) > 6
    assert len({tuple(x) for x in job.q0.T}) == job.lanes
    assert case.metric.kind == "bregman" or job.v0.any(axis=0).all(), "from rest the charge laws are 0 = 0"
    other = LaunchCell(case, rule, "float64", "numpy", "exact", (), 61, 1).job()
    assert (other.q0 != job.q0).all()


def test_a_reference_far_from_its_subnormal_numbers_is_normal_at_every_step():
    case = next(c for c in CORE if c.scale_free)
    job = LaunchCell(case, "heavy-ball", "float64", "numpy", "covariance", (), 9, 0, 8, (("eps", 0.0),)).job()
    assert normal_steps(case, job).all()


def test_the_witness_sees_a_wrong_wide_gradient(monkeypatch):
    """Kernel and wide gradient wrong alike: only the differences of the loss know."""
    honest = wide.gradient
    monkeypatch.setattr(wide, "gradient", lambda loss, q: 2 * honest(loss, q))
    twice = trace.gradient_program(HAT.dim, lambda q, eps, xp: 2 * HAT.total(q, eps, xp))
    mine = cell("numpy", laws=("D0",))
    job = dataclasses.replace(mine.job(), program=twice)
    (found,) = judge_all(
        Trajectory(HAT, job.rule, job.precision, *launch.run(job, "numpy").wide(), job.params),
        ("D0",),
        about=ABOUT,
    )
    assert found.verdict == VIOLATED and "50-digit" in found.reason


def test_a_kinetic_term_that_the_metric_of_a_case_cancels_is_no_near_fault():
    """G the same for both components that are turned: <A w/G, w> = <A w, w>/G = 0, with or without its
    metric."""

    def entries(q, kappa, xp):
        r = q[0] * q[0] + q[1] * q[1]
        return [1 + kappa * r, 1 + kappa * r, 2 + kappa * q[2]]

    kept = next(c for c in CATALOG if c.name == "deformed-hat")
    turned = dataclasses.replace(
        kept, metric=Metric(DIAGONAL, entries=entries), symmetries=(rotation(3, 0, 1),)
    )
    fault = next(f for f in shown_faults.LAW_FAULTS if f.name == "kinetic term without its metric")
    for case, told in ((turned, False), (kept, True)):
        cell = LaunchCell(case, "heavy-ball-metric", "float64", "numpy", "faults", ("D2",), 13, 0, 12)
        job = cell.job()
        t = Trajectory.launched(case, job, *launch.run(job, "numpy").wide())
        assert any(shown_faults.changes(fault, t, s) for s in case.symmetries) is told


INWARDS = Case(
    name="inwards",
    title="a bowl whose box is on one side",
    source="none",
    loss=lambda q, xp: q[0] * q[0] + q[1] * q[1],
    breaking=lambda q, xp: q[0] * q[0],
    symmetries=(rotation(2, 0, 1),),
    box=((1.0, 2.0), (1.0, 2.0)),
)


@pytest.mark.parametrize("rule", ["sign-descent", "adamw"])
def test_half_a_longest_step_is_no_fault_where_every_lane_is_drawn_inwards(rule, monkeypatch):
    """No step is outwards, so that no largest size is reached: nothing here could show the fault. A bound
    that is too wide is another reason, and hides none."""
    shown = lambda case: {
        r.fault: r.verdict
        for r in LaunchCell(case, rule, "float64", "numpy", "faults", ("D15",), 13, 0, 12).run()
    }
    half, outwards = "ball of half the size", next(c for c in CATALOG if c.name == "quadratic-network")
    inwards = shown(INWARDS)
    assert half not in inwards and VIOLATED in inwards.values()
    assert shown(outwards)[half] == VIOLATED
    honest = sizes.off_at_most
    monkeypatch.setattr(sizes, "off_at_most", lambda t: honest(t) + 1e6)
    assert shown(outwards)[half] != VIOLATED
