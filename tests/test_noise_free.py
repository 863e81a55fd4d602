"""D9 and D12: what minibatches and long runs cannot change, and that each verdict can fail."""

from dataclasses import replace

import numpy as np
import pytest

from cases import CATALOG
from harness import minibatch, stationary
from harness.verdicts import HOLDS, INCONCLUSIVE, VIOLATED
from kernels import launch

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
        right = [r for r in records if r.control is None]
        assert len(right) == 2 and {r.verdict for r in right} == {HOLDS}
        assert {r.control for r in records if r.verdict == VIOLATED} == {"minibatches that are not symmetric", "noise in every direction"}


def test_whole_batches_are_no_evidence_about_minibatches():
    cell = minibatch.cells([SOFTMAX], "quick", 0)[0]
    whole = tuple(range(6))
    t = minibatch.Noisy(SOFTMAX, cell.job(), minibatch.run(cell.job(), SOFTMAX, [whole] * cell.job().steps), [whole] * cell.job().steps)
    assert {r.verdict for r in minibatch.judged(cell, t, None)} == {INCONCLUSIVE}


def test_a_gradient_of_another_minibatch_is_seen_by_the_update_law_of_its_own():
    """The bound's gradient is the minibatch's: D0 holds with the right batches and fails with the batches of the step after."""
    from harness.judge import judge
    from harness.laws import EXACT

    cell = minibatch.cells([SOFTMAX], "quick", 1)[0]
    job, batches = cell.job(), [((0, 2), (1, 5), (3, 4))[n % 3] for n in range(cell.job().steps)]
    outcome = minibatch.run(job, SOFTMAX, batches)
    about = dict(case="softmax", rule=cell.rule, backend="numpy", precision="float64", parameters={})
    # D0's witness reads the whole loss's gradient, so its bare residual is judged.
    for given, verdict in ((batches, True), (batches[1:] + batches[:1], False)):
        t = minibatch.Noisy(SOFTMAX, job, outcome, given)
        r = EXACT["D0"].residual(t)
        assert bool((np.abs(r.measured - r.predicted) <= r.bound).all()) == verdict
    assert judge(minibatch.Noisy(SOFTMAX, job, outcome, batches), EXACT["D2"], SOFTMAX.symmetries[0], about=about).verdict == HOLDS


@pytest.mark.parametrize("cell", stationary.cells([QUOTIENT], "quick", 5), ids=lambda c: c.rule)
def test_long_runs_average_as_stated_and_not_as_another_law_states(cell):
    records = stationary.run_cell(cell)
    (right,) = [r for r in records if r.control is None]
    assert right.verdict == HOLDS and 0.9 < right.measured / right.predicted < 1.1
    wrong = {r.control: r.verdict for r in records if r.control}
    assert len(wrong) == 4 and set(wrong.values()) == {VIOLATED}


def test_the_averages_are_those_of_the_two_published_forms():
    """rho and the cosine of stationary.py (2), (3) against 2 eta k/(1+beta) and the decoupled form, written out."""
    cell = stationary.cells([QUOTIENT], "quick", 0)[0]
    job = cell.job()
    for rule in ("heavy-ball", "heavy-ball-decoupled"):
        mine = replace(cell, rule=rule)
        t = stationary.settled(mine, mine.job(), launch.run(mine.job(), "numpy"))
        found = stationary.averages(t, stationary.Sums.over(t))
        eta, beta, k, _ = job.params if rule == cell.rule else mine.job().params
        a = 1 - eta * k
        square = 2 * eta * k / (1 + beta) if rule == "heavy-ball" else (1 - a * a) * (1 - a * beta) / (1 + a * beta)
        cosine = 1 - eta * k / (1 + beta) if rule == "heavy-ball" else a + beta * (1 - a * a) / (1 + a * beta)
        assert np.allclose(found.predicted.astype(float), [square, cosine], rtol=2.0**-48, atol=0)


def test_a_run_that_is_still_on_its_way_proves_nothing_about_averages():
    cell = stationary.cells([QUOTIENT], "quick", 0)[0]
    job = replace(cell.job(), steps=8)
    t = stationary.settled(cell, job, launch.run(job, "numpy"))
    assert stationary.judged(cell, job, stationary.averages(t, stationary.Sums.over(t)), "numpy", None).verdict == INCONCLUSIVE
