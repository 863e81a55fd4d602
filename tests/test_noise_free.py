"""D9 and D12: what minibatches and long runs cannot change, and that each verdict can fail."""

from dataclasses import replace

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.cases.case import Case, scale
from noether.kernels.loops import launch
from noether.laws.averages import minibatch, stationary
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

BY_NAME = {c.name: c for c in CATALOG}
SOFTMAX, QUOTIENT = BY_NAME["softmax"], BY_NAME["deformed-rayleigh"]


@pytest.mark.parametrize("case", [c for c in CATALOG if c.samples], ids=lambda c: c.name)
def test_the_mean_of_the_samples_is_the_loss(case):
    q = list(case.draw(np.random.default_rng(0), 16))
    losses = case.samples(q, np)
    assert len(losses) >= 3 and np.ptp(np.array(losses), axis=0).min() > 0
    assert np.allclose(sum(losses) / len(losses), case.loss(q, np), rtol=2.0**-48, atol=0)


def test_minibatches_keep_the_charge_balance_and_what_breaks_the_symmetry_does_not():
    for cell in minibatch.cells([SOFTMAX], "quick", 3):
        records = minibatch.run_cell(cell)
        right = [r for r in records if r.fault is None]
        assert len(right) == 2 and {r.verdict for r in right} == {HOLDS}
        assert {r.fault for r in records if r.verdict == VIOLATED} == {
            "minibatches that are not symmetric",
            "noise in every direction",
        }


def test_a_right_run_on_minibatches_that_overflows_is_outside_and_a_wrong_one_is_not():
    """In lane 142 of this launch, beta .99, two of six samples are told apart until exp of a logit leaves
    float32 at step 71."""
    cell = minibatch.Cell(SOFTMAX, "nesterov", "float32", "full", 8)
    job, every = cell.job(), ((0, 1), (1, 2))
    outcome = minibatch.run(job, SOFTMAX, [every[n % 2] for n in range(job.steps)])
    records = minibatch.run_cell(cell)
    assert {r.verdict for r in records if not r.fault} == {HOLDS}
    assert {r.verdict for r in records if r.fault and r.symmetry == "translation-0"} == {VIOLATED}
    assert all(r.lanes < job.lanes for r in records)
    assert np.isfinite(outcome.wide()[0]).all(), (
        "with other minibatches no lane overflows: nobody is excused by his parameters"
    )


def test_whole_batches_are_no_evidence_about_minibatches():
    cell = minibatch.cells([SOFTMAX], "quick", 0)[0]
    whole = tuple(range(6))
    t = minibatch.Noisy(
        SOFTMAX,
        cell.job(),
        minibatch.run(cell.job(), SOFTMAX, [whole] * cell.job().steps),
        [whole] * cell.job().steps,
    )
    assert {r.verdict for r in minibatch.judged(cell, t, None)} == {INCONCLUSIVE}


def test_a_gradient_of_another_minibatch_is_seen_by_the_update_law_of_its_own():
    """The bound's gradient is the minibatch's: D0 holds with the right batches and fails with the batches of
    the step after."""
    from noether.laws.exact import EXACT
    from noether.laws.exact.judge import judge

    cell = minibatch.cells([SOFTMAX], "quick", 1)[0]
    job, batches = cell.job(), [((0, 2), (1, 5), (3, 4))[n % 3] for n in range(cell.job().steps)]
    outcome = minibatch.run(job, SOFTMAX, batches)
    about = dict(case="softmax", rule=cell.rule, backend="numpy", precision="float64", parameters={})
    # D0's witness reads the whole loss's gradient, so its bare residual is judged.
    for given, verdict in ((batches, True), (batches[1:] + batches[:1], False)):
        t = minibatch.Noisy(SOFTMAX, job, outcome, given)
        r = EXACT["D0"].residual(t)
        assert bool((np.abs(r.measured - r.predicted) <= r.bound).all()) == verdict
    assert (
        judge(
            minibatch.Noisy(SOFTMAX, job, outcome, batches), EXACT["D2"], SOFTMAX.symmetries[0], about=about
        ).verdict
        == HOLDS
    )


@pytest.mark.parametrize("cell", stationary.cells([QUOTIENT], "quick", 5), ids=lambda c: c.rule)
def test_long_runs_average_as_stated_and_not_as_another_law_states(cell):
    records = stationary.run_cell(cell)
    (right,) = [r for r in records if r.fault is None]
    assert right.verdict == HOLDS and 0.03 < right.spent < 1
    assert set(right.powers) == {"prediction", "eta", "beta", "k"} and max(right.powers.values()) < 1e-12
    wrong = {r.fault: r.verdict for r in records if r.fault}
    assert len(wrong) == 4 and set(wrong.values()) == {VIOLATED}


SUMMED = stationary.cells([QUOTIENT], "quick", 0)


@pytest.fixture(scope="module", params=SUMMED, ids=lambda c: c.rule)
def summed(request):
    cell = request.param
    t = stationary.settled(cell, cell.job(), launch.run(cell.job(), "numpy"))
    return cell, t, stationary.Sums.over(t)


def test_the_averages_are_those_of_the_two_published_forms(summed):
    """rho and the factor of (3) in stationary.py against 2 eta k/(1+beta) and the decoupled form, written
    out."""
    cell, t, sums = summed
    found = stationary.averages(t, sums).average[:, 0]
    eta, beta, k, _ = cell.job().params
    a = 1 - eta * k
    square = (
        2 * eta * k / (1 + beta)
        if cell.rule == "heavy-ball"
        else (1 - a * a) * (1 - a * beta) / (1 + a * beta)
    )
    overlap = (
        1 - eta * k / (1 + beta) if cell.rule == "heavy-ball" else a + beta * (1 - a * a) / (1 + a * beta)
    )
    assert np.allclose(found.astype(float), [square, overlap], rtol=2.0**-48, atol=0)


@pytest.mark.parametrize("symbol", ["eta", "beta", "k"])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_symbol_of_the_summed_law_is_noticed(summed, symbol, sign):
    """A change of 2^-30 of any of them, up or down, violates (2) or (3)."""
    cell, t, sums = summed
    wrong = stationary.averages(t, sums, **{symbol: 1 + sign * 2.0**-30})
    assert stationary.judged(cell, cell.job(), wrong, "numpy", "wrong").verdict == VIOLATED


@pytest.mark.parametrize("which", ["sum R", "dR", "dC"])
@pytest.mark.parametrize("equation", [0, 1])
def test_every_term_of_the_summed_law_is_noticed(summed, which, equation, monkeypatch):
    cell, t, sums = summed
    right = stationary.coefficients

    def wrong(t, **law):
        average, ends = (x.copy() for x in right(t, **law))
        (average if which == "sum R" else ends[:, ("dR", "dC").index(which)])[equation] *= 1 + 2.0**-30
        return average, ends

    monkeypatch.setattr(stationary, "coefficients", wrong)
    assert (
        stationary.judged(cell, cell.job(), stationary.averages(t, sums), "numpy", "wrong").verdict
        == VIOLATED
    )


def test_a_wrong_step_late_in_a_long_run_is_seen(summed):
    """One lane is longer by 2^-32 from the seventh step before the end on."""
    cell, t, _ = summed
    q = t.q.copy()
    q[-7:, :, 3] *= 1 + 2.0**-32
    moved = Trajectory(t.case, t.rule, t.precision, q, t.v, t.params)
    r = stationary.judged(
        cell, cell.job(), stationary.averages(moved, stationary.Sums.over(moved)), "numpy", None
    )
    assert r.verdict == VIOLATED and r.worst["lane"] == 3


def test_a_run_that_is_still_on_its_way_proves_nothing_about_averages():
    cell = SUMMED[0]
    job = replace(cell.job(), steps=8)
    t = stationary.settled(cell, job, launch.run(job, "numpy"))
    assert (
        stationary.judged(cell, job, stationary.averages(t, stationary.Sums.over(t)), "numpy", None).verdict
        == INCONCLUSIVE
    )


def quartic(q, xp):
    """Least along a whole line, where |q| shrinks by the decay alone until its fourth power underflows."""
    r = q[0] * q[0] + q[1] * q[1]
    return q[0] ** 4 / r**2


ANGLE = Case(
    name="quartic-angle", title="t", source="own", loss=quartic, breaking=lambda q, xp: q[0],
    box=((1.0, 2.0), (1.0, 2.0)), scale_free=True, symmetries=(scale(2),),
)  # fmt: skip


@pytest.mark.parametrize("cell", stationary.cells([ANGLE], "quick", 0), ids=lambda c: c.rule)
def test_a_long_run_that_shrinks_until_it_underflows_is_judged_as_far_as_it_is_certified(cell):
    right, *wrong = stationary.run_cell(cell)
    assert right.verdict == INCONCLUSIVE and 0.1 < right.spent < 1, right.reason
    assert ("; 8 lanes leave the domain" in right.reason) == (cell.rule == "heavy-ball")
    assert len(right.data["x"]) == (16 if cell.rule == "heavy-ball" else 24)
    assert {r.verdict for r in wrong} == {VIOLATED}


def test_a_number_that_is_none_is_excused_only_where_the_right_run_has_none():
    cell = stationary.cells([ANGLE], "quick", 0)[0]
    job = cell.job()
    outcome = launch.run(job, "numpy")
    stays = np.isfinite(outcome.q).all(axis=(0, 1))
    assert 8 <= stays.sum() < job.lanes

    def look():
        t = stationary.settled(cell, job, outcome)
        return stationary.averages(t, stationary.Sums.over(t))

    until = stationary.spoken_of(cell, job, outcome, look())
    assert (until[~stays] < job.steps // 2).all() and (until[stays] == job.steps // 2).all()
    lane = int(np.flatnonzero(stays)[0])
    outcome.q[-9:, :, lane] = np.nan
    spoiled = look()
    until = stationary.spoken_of(cell, job, outcome, spoiled)
    r = stationary.judged(cell, job, spoiled, "numpy", None, until)
    assert r.verdict == VIOLATED and r.worst["lane"] == lane


def test_a_long_run_of_which_every_lane_leaves_is_outside():
    cell = stationary.cells([ANGLE], "quick", 0)[0]
    job = cell.job()
    t = stationary.settled(cell, job, launch.run(job, "numpy"))
    found = stationary.averages(t, stationary.Sums.over(t))
    r = stationary.judged(cell, job, found, "numpy", None, np.zeros(job.lanes, int))
    assert r.verdict == OUTSIDE
