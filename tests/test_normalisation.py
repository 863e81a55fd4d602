"""S1 to S4: the formulas against enumeration and closed solutions, the verdicts on means, and faults that
must show."""

import numpy as np
import pytest
from scipy import stats

from noether.cases import CORE
from noether.kernels.loops import launch, noise
from noether.kernels.programs import numpy_step
from noether.laws.normalisation import cell as cell_constants
from noether.laws.normalisation import cells, equilibrium, relaxation, twin, white_noise, white_twin
from noether.laws.normalisation.cell import TANGENTIAL, Cell
from noether.laws.registry import LAWS
from noether.verdicts import means
from noether.verdicts.record import HOLDS, INCONCLUSIVE, STATISTICAL, VIOLATED

# ---- verdicts on means


def cell(law="S2", part="relaxation", profile="quick"):
    return Cell(law, TANGENTIAL, part, profile, 0, "numpy")


def judged(samples, predicted, bias=0.0):
    return means.mean_record(
        cell(), means.means_of(samples), predicted, bias, {}, "note", steps=1, backend="numpy"
    )


def test_a_mean_holds_near_its_prediction_and_not_away_from_it():
    x = np.random.default_rng(0).normal(1.0, 0.1, (3, 200))
    assert judged(x, 1.0).verdict == HOLDS
    assert judged(x, np.array([1.0, 1.0, 1.2])).verdict == VIOLATED


def test_thin_flat_and_few_samples_decide_nothing():
    rng = np.random.default_rng(0)
    assert judged(rng.normal(1.0, 3.0, (1, 100)), 1.0).verdict == INCONCLUSIVE
    assert judged(np.ones((1, 100)), 1.0, bias=0.01).verdict == INCONCLUSIVE
    assert judged(rng.normal(1.0, 0.1, (1, 20)), 1.0).verdict == INCONCLUSIVE
    assert judged(np.full((1, 100), np.nan), 1.0).verdict == VIOLATED


def test_the_bound_of_a_mean_is_its_quantile_times_its_error_and_the_bias():
    """(1) and (2) of harness/verdicts/means.py said again, with the quantile of another function."""
    lanes, bias = 64, 0.0625
    samples = 3 + np.tile([-0.5, 0.5], lanes // 2)  # no skewness: only what it may be off enters (2)
    found = judged(samples, 3.0, bias)
    t = stats.t.isf(means.FALSE / 2, lanes - 1)
    q = t + 3 * np.sqrt(6 / lanes) * (2 * t * t + 1) / (6 * np.sqrt(lanes))
    error = 0.5 / np.sqrt(lanes - 1)
    # Two inversions of one distribution agree to some hundred roundings.
    assert found.bound == pytest.approx(q * error + bias, rel=2.0**-40, abs=0)
    assert (found.spent, found.verdict) == (0.0, HOLDS)


def test_false_alarms_are_as_rare_as_said_even_for_skewed_samples(monkeypatch):
    """Exponential samples, skewness 2, at a rate that can be counted: at most twice 1e-2 of 4000 (binomial
    error .16 %)."""
    monkeypatch.setattr(means, "FALSE", 1e-2)
    found = means.means_of(np.random.default_rng(3).exponential(size=(4000, 96)), family=1)
    alarms = np.mean(abs(found.value - 1) > found.q * found.error)
    assert 1e-4 < alarms < 2e-2
    monkeypatch.undo()
    assert means.means_of(np.random.default_rng(3).normal(size=(1, 10**6))).q[0] == pytest.approx(
        6.109, abs=0.02
    )


# ---- the cells


@pytest.fixture(scope="module")
def records():
    return {c.name: cells.run_cell(c) for c in cells.cells(CORE, "quick", 0, "numpy")}


def test_every_law_holds_and_every_fault_of_the_book_is_killed(records):
    found = [r for rs in records.values() for r in rs]
    assert all(r.verdict == HOLDS for r in found if r.fault is None), [
        r.reason for r in found if r.fault is None and r.verdict != HOLDS
    ]
    for law in ("S1", "S2", "S3", "S4"):
        mine = [r for r in found if r.law == law]
        killed = {r.fault for r in mine if r.fault and r.verdict == VIOLATED}
        assert any(r.fault is None for r in mine) and killed == set(LAWS[law].must_kill)
        assert all(r.verdict == VIOLATED for r in mine if r.fault)


def test_records_name_what_ran_and_carry_the_published_claim(records):
    planned = {c.name: c.backend for c in cells.cells(CORE, "quick", 0, "numpy")}
    for name, found in records.items():
        assert {r.backend for r in found} == {planned[name]} and all(
            r.replay and r.cell == name for r in found
        )
    (claim,) = [r.data["claim"] for rs in records.values() for r in rs if "claim" in r.data]
    beta = cell_constants.MILD  # (1-beta)/(1+beta), and what is left of the start
    assert claim["published"] == 1 and claim["ratio"] == pytest.approx((1 - beta) / (1 + beta), rel=0.1)


def test_cells_come_with_their_case_and_glances_with_none():
    assert cells.cells(CORE, "glance", 0, "numpy") == []
    rest = [c for c in CORE if not c.scale_free]
    assert rest and cells.cells(rest, "full", 0, "numpy") == []
    full = cells.cells(CORE, "full", 0, "triton-cpu")
    assert len({c.name for c in full}) == len(full)
    assert {c.backend for c in full if c.law != "B1"} == {"numpy", "scipy", "triton-cpu"}


def test_the_noisy_loop_is_compared_bit_for_bit_in_a_quick_run_and_a_wrong_one_is_seen(monkeypatch):
    if launch.missing("triton-cpu"):
        pytest.skip(launch.missing("triton-cpu"))
    mine = [c for c in cells.cells(CORE, "quick", 0, "triton-cpu") if c.law == "B1"]
    assert {c.backend for c in mine} >= {"triton-cpu"} and not [
        c for c in cells.cells(CORE, "quick", 0, "numpy") if c.law == "B1"
    ]
    first = cells.run_cell(mine[0])
    assert [r.verdict for r in first] == [HOLDS, VIOLATED, VIOLATED] and first[0].backend == "triton-cpu"
    assert {r.fault for r in first[1:]} <= set(LAWS["B1"].must_kill)
    right = launch.run

    def wrong(j, backend="numpy"):
        out = right(j, backend)
        if backend != "numpy":
            out.sums[1, 5, 30] = np.nextafter(out.sums[1, 5, 30], 2)
        return out

    monkeypatch.setattr(launch, "run", wrong)
    assert cells.run_cell(mine[0])[0].verdict == VIOLATED


FAULTS = {
    "momentum x (1 + 2^-10)": lambda q, w, p: (q + 2.0**-10 * 0.9 * p["v"], w + 2.0**-10 * 0.9 * p["v"]),
    "a radial part of the force": lambda q, w, p: (q * (1 - 1e-3 * p["eta"]), w - 1e-3 * p["eta"] * q),
    "position not moved by the last percent": lambda q, w, p: (q - 0.01 * w, w),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_step_violates_the_equilibrium(fault, monkeypatch):
    right = numpy_step.step

    def wrong(q, v, params, *rest):
        r, w = right(q, v, params, *rest)
        moved = [FAULTS[fault](a, b, {"v": c, "eta": params[0]}) for a, b, c in zip(r, w, v, strict=True)]
        return [a for a, _ in moved], [b for _, b in moved]

    monkeypatch.setattr(numpy_step, "step", wrong)
    found = equilibrium.settled(cell("S3", "settled"))
    assert any(r.verdict == VIOLATED for r in found if r.fault is None)


def test_noise_with_a_memory_is_not_white(monkeypatch):
    """A draw that repeats every other step's bits, half of the flips lost: the ratio of means is that of
    another correlation."""
    right = noise.draw
    monkeypatch.setattr(
        noise,
        "draw",
        lambda keys, counter: right(keys, counter) | np.uint32(0x80000000 if counter % 2 else 0),
    )
    found = [r for r in white_noise.fluctuating(cell("S3", "fluctuating")) if r.fault is None]
    means = [r for r in found if r.kind == STATISTICAL]
    assert len(means) == 4 and all(r.verdict == VIOLATED for r in means if "E r^2/E r^-2" in r.reason)


def test_the_twin_of_the_wrong_filter_parts_from_it():
    """RMSProp per coordinate is that per filter while one coordinate carries all of the gradient, and not
    once it turns."""
    V, steps = np.array([1.0]), 400
    ghat = np.ones((steps, 1))
    each = twin.run_coordinates(V, ghat, 0.05, 0.02)
    whole = twin.run_twin(V, ghat, 0.05, 0.02)[1]
    assert each[-1, 0] / whole[-1, 0] > 1.2 and white_twin.next_order(0.0, 0.01)[0] == pytest.approx(-0.01)


def test_orders_beyond_reach_have_no_bound():
    D = np.array([0.1, 0.6])
    assert relaxation.later(D, D)[1] == np.inf and relaxation.later(D, D)[0] == pytest.approx(0.05)
