"""What rounding does to a solution is in the bound, and a wrong term is not."""

import numpy as np
import pytest
from plainest import case

from noether.cases.case import translation
from noether.laws.continuous.cells import RULES, Cell, run_cell
from noether.mechanics import flow_rounding
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


def test_a_charge_cannot_stray_where_the_rates_are_exact(monkeypatch):
    """And by UNSEEN delta t where each rate is off by delta: (1), for a charge that is the sum of momenta."""
    found = []
    honest = flow_rounding.rounded

    def off(by):
        def rounded(t):
            delta, others = honest(t)
            found.append(t)
            return np.where(np.arange(4)[:, None, None] >= 2, by, 0) + 0 * delta, 0 * others

        return rounded

    for by in (0.0, 2.0**-40):
        monkeypatch.setattr(flow_rounding, "rounded", off(by))
        run_cell(Cell("T1", far(1.0), RULES["T1"], "eps", "quick", 0))
        t = found[-1]
        lasts = np.minimum(t.times, t.parameters.m / t.parameters.mu)
        # j = p0 + p1 with p = G qdot: two rates, each off by 2^-40.
        expected = flow_rounding.UNSEEN * 2 * by * lasts
        assert np.allclose(t.strayed[0], expected, rtol=1e-4, atol=0)
