"""The witness of the update: a gradient in wide numbers, asked wherever D0 is judged."""

import numpy as np
import pytest
from test_judging import given, trajectory, verdict

from noether.cases import CATALOG
from noether.kernels.loops import launch
from noether.laws.exact import witness as witnesses
from noether.laws.exact.cell import LaunchCell
from noether.laws.exact.cell import trajectory as launched
from noether.laws.exact.judge import judge_all
from noether.laws.exact.witness import witness
from noether.mechanics.wide import AtKink
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED

HAT = next(c for c in CATALOG if c.name == "mexican-hat")


ABOUT = dict(case="mexican-hat", rule="heavy-ball", backend="numpy", precision="float64", parameters={})


STEPS, LANES = 3, 16


def test_the_update_alone_asks_the_witness(monkeypatch):
    asked = []
    monkeypatch.setattr(witnesses, "witness", lambda t, lane, step: asked.append((lane, step)) or 2.0)
    assert verdict(given((2, 4), 0.5)).verdict == HOLDS and not asked
    record = verdict(given((2, 4), 0.5), key="D0")
    assert (
        record.verdict == VIOLATED and record.spent == 2 and asked == [(4, 2)] and "50-digit" in record.reason
    )
    assert verdict(given((2, 4), 5.0), key="D0").spent == 5, "a violation needs no witness"
    assert len(asked) == 1
    monkeypatch.setattr(witnesses, "witness", lambda t, lane, step: 1.0)
    assert verdict(given((2, 4), 0.5), key="D0").verdict == HOLDS


def test_the_witness_measures_the_wide_gradient_in_its_bounds():
    """Off by a known multiple of the bound: 8 bounds of the kernel at 2^-64, and 8 roundings of the
    gradient."""
    t = trajectory()
    right = witness(t, 3, 1)
    assert 0 <= right <= 1
    g, error = t.g[1, :, 3].copy(), t.g_error[1, :, 3]
    bound = 8 * error * 2.0**-64 / 2.0**-53 + 8 * 2.0**-64 * np.abs(g)
    for i, factor in ((0, 1e6), (2, -1e7)):
        t.g[1, :, 3] = g
        t.g[1, i, 3] += np.longdouble(factor) * bound[i]
        assert witness(t, 3, 1) == pytest.approx(abs(factor), abs=1.5, rel=1e-6)


def test_a_witness_that_agrees_exactly_needs_no_bound(monkeypatch):
    t = trajectory()
    t.g, t.g_error = np.zeros((STEPS, HAT.dim, LANES), np.longdouble), np.zeros((STEPS, HAT.dim, LANES))
    found = [0, 0, 0]
    monkeypatch.setattr(witnesses, "gradient_mp", lambda loss, q, digits: list(found))
    assert witness(t, 3, 1) == 0
    t.g_error[1, 2, 3] = 2.0**8  # a bound of 8 x 2^8 x 2^-64 / 2^-53 = 1
    found[2] = 1
    assert witness(t, 3, 1) == 1
    found[0] = 1
    with np.errstate(divide="ignore"):
        assert witness(t, 3, 1) == np.inf


@pytest.mark.parametrize(
    ("kinks", "wrong", "expected"),
    [(0, 0, HOLDS), (3, 0, HOLDS), (3, 1, VIOLATED), (0, 1, VIOLATED), (99, 1, INCONCLUSIVE)],
)
def test_at_a_kink_another_point_is_the_witness(monkeypatch, kinks, wrong, expected):
    cell = LaunchCell(HAT, "heavy-ball", "float64", "numpy", "exact", ("D0",), LANES, 0, STEPS)
    t, honest, asked = launched(cell, cell.job(), launch.run(cell.job(), "numpy")), witnesses.gradient_mp, []

    def at_kinks(loss, q, digits):
        asked.append(q)
        if len(asked) <= kinks:
            raise AtKink("here")
        return [x + wrong for x in honest(loss, q, digits)]

    monkeypatch.setattr(witnesses, "gradient_mp", at_kinks)
    (record,) = judge_all(t, ("D0",), about=ABOUT)
    assert record.verdict == expected and len({tuple(map(float, q)) for q in asked}) == len(asked) == min(
        kinks + 1, witnesses.WITNESSES + 1
    )
