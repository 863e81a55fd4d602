"""What rounding does to a solution is in the bound, and a wrong term is not."""

import numpy as np
import pytest
from plainest import case

from noether.cases.case import translation
from noether.laws.continuous.cells import RULES, Cell, run_cell
from noether.mechanics import flow, flow_rounding
from noether.mechanics.symbolic_mechanics import mechanics
from noether.verdicts.record import HOLDS, VIOLATED

BOTH = translation((1, 1))


def far(place):
    """The difference of two parameters squared, far from the origin: eps + q0 - q1 cancels there."""
    box = ((place, place + 1.0),) * 2
    far = dict(box=box, symmetries=(BOTH,))
    return case("far", lambda q, xp: (q[0] - q[1]) ** 2 / 2, lambda q, xp: q[0], **far)


@pytest.mark.parametrize("place", [10.0, 1e3, 1e5])
@pytest.mark.parametrize("part", ["masses", "eps"])
def test_a_right_law_far_from_the_origin_is_never_called_violated(place, part):
    """At 1000 the sweep of eps came to 3.1 bounds, of the distances between methods alone."""
    records = run_cell(
        Cell("T1", far(place), RULES["T1"], part, "quick", 0, ("T4",) if part == "masses" else ())
    )
    real = [r for r in records if not r.fault]
    assert real and VIOLATED not in {r.verdict for r in real}
    if place < 1e4:
        assert any(r.verdict == HOLDS for r in real)
        assert {r.verdict for r in records if r.fault} == {VIOLATED}


@pytest.mark.parametrize("delta, sigma", [(0.0, 0.0), (2.0**-40, 0.0), (0.0, 2.0**-40), (2.0**-40, 2.0**-41)])
def test_a_charge_strays_as_its_rates_and_sources_are_off_and_not_where_they_are_exact(
    delta, sigma, monkeypatch
):
    """(1): by UNSEEN |2 delta - sigma| min(t, m/mu), for a charge that is the sum of two momenta."""
    found, honest = [], flow_rounding.rounded

    def off(t):
        rates, others = honest(t)
        found.append(t)
        return np.where(np.arange(4)[:, None, None] >= 2, delta, 0) + 0 * rates, sigma + 0 * others

    monkeypatch.setattr(flow_rounding, "rounded", off)
    run_cell(Cell("T1", far(1.0), RULES["T1"], "eps", "quick", 0))
    t = found[-1]
    parts = sum(name in t.mechanics.parts[0] for name in flow_rounding.TOTAL)
    assert parts, "without a source sigma is of nothing"
    lasts = np.minimum(t.times, t.parameters.m / t.parameters.mu)
    expected = flow_rounding.UNSEEN * abs(2 * delta - parts * sigma) * lasts
    # The charge is linear: its difference over NUDGE of the smaller of two momenta, of which the larger is at
    # most 2^13 times as large, loses 2^-64/NUDGE of the larger.
    assert np.allclose(t.strayed[0], expected, rtol=2.0**-64 / flow_rounding.NUDGE * 2.0**13, atol=0)


@pytest.mark.parametrize("delta, sigma", [(0.0, 2.0**-40), (2.0**-40, 0.0)])
def test_the_energy_strays_as_its_rates_and_what_friction_takes_are_off(delta, sigma, monkeypatch):
    """By UNSEEN |<p, delta> + mu sigma| t: of momenta that are off, and of the power."""
    honest = flow_rounding.rounded

    def off(t):
        rates, others = honest(t)
        return np.where(np.arange(4)[:, None, None] >= 2, delta, 0) + 0 * rates, sigma + 0 * others

    monkeypatch.setattr(flow_rounding, "rounded", off)
    far_case = far(1.0)
    mech, one = mechanics(far_case), np.ones(1)
    parameters = flow.Parameters(0.9 * one, 1.3 * one, 0 * one, 0 * one)
    x0 = flow.start(mech, np.array([[1.2], [1.7]]), np.array([[0.3], [-0.5]]), parameters)
    t = flow.by_dop853(mech, x0, parameters, np.linspace(0, 1, 9)[:, None], 1e-12)
    # T = m |p|^2/2 of a Euclidean metric, in which p is the velocity: dT = m <p, delta>.
    rate = 0.9 * delta * t.x[:, 2:].sum(axis=1) + 1.3 * sigma
    expected = flow_rounding.UNSEEN * np.max(np.abs(rate), axis=0) * t.times
    # T is a square: the difference is off by NUDGE/2 of its terms, which cancel to a sixth here at most.
    assert np.allclose(t.energy_strayed, expected, rtol=6 * flow_rounding.NUDGE, atol=0)


class Somewhere:
    """One point of a trajectory."""

    def __init__(self, x):
        self.x = np.array(x)[None, :, None]


def test_a_coordinate_near_its_boundary_is_not_nudged_beyond_it():
    """log q at q = 1e-9 beside 1: nudged by 2^-20 of the largest it would be NaN, which spends infinity."""
    x, delta = (1e-9, 1.0), np.array([[[-1e-20]], [[3e-20]]])
    slope = flow_rounding.along(Somewhere(x), lambda q: np.log(q[0]) + q[1] ** 2, delta)
    exact = -1e-20 / 1e-9 + 2 * 3e-20
    # A difference over NUDGE of the coordinate is off by NUDGE/2 of it.
    assert abs(slope[0, 0] - exact) <= flow_rounding.NUDGE * abs(exact)
    assert flow_rounding.along(Somewhere(x), lambda q: np.log(q[0]), 0 * delta)[0, 0] == 0
