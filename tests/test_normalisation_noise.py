"""The noise of the normalisation laws: its mean, its signs, its error bars."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.special import stdtr
from test_normalisation import records  # noqa: F401

from noether.kernels.loops import launch
from noether.laws.normalisation import variates
from noether.laws.normalisation.launches import job, lanes
from noether.laws.normalisation.relaxation import Regime
from noether.runs import completeness
from noether.verdicts import means
from noether.verdicts.record import STATISTICAL

K = 1 / 8


def test_what_is_taken_off_for_the_noise_has_mean_zero():
    """Over all 2^10 sequences of signs, each with its probability."""
    steps, beta, e = 10, 0.61, 0.01
    s = np.array(list(product((1.0, -1.0), repeat=steps))).T
    for rho in (0.0, 0.45):
        weight = np.prod(np.where(s[1:] == s[:-1], (1 + rho) / 2, (1 - rho) / 2), axis=0) / 2
        r = Regime(e / K, beta, K, 1.3, rho, 2.0)
        d = variates.scatter(r, s, np.full(steps, e / K * 1.3))
        assert abs(d @ weight).max() < 1e-14 * abs(d).max() and abs(d).max() > 1e-3
        if rho == 0:
            d = variates.crossed(r, s, e / K * 1.3, 0.1)
            assert abs(d @ weight).max() < 1e-14 * abs(d).max() and abs(d).max() > 1e-3


def test_the_signs_are_those_that_the_loop_draws():
    """L follows from them exactly: <A q, v> of the loop's own end."""
    parts = lanes(0.01, 0.61, K, 0.0, 1.3, [0.0, 0.45, 0.96], 1.0, number=np.arange(3), seed=5)
    task = job(parts, windows=1, every=50)
    run, L = launch.run(task, "numpy"), variates.turned(variates.signs(task), 0.61, 0.013)
    assert np.allclose(run.q[0] * run.v[1] - run.q[1] * run.v[0], L[-1], rtol=0, atol=50 * 8 * 2.0**-53 * 0.1)


def test_error_bars_cover_as_often_as_they_say():
    """value +- error of 4000 means of 96 exponential and normal samples: within 1, 2 of them .683, .954 of
    the time by Student's t.

    Binomial scatter of 4000 is .0074 and .0033 of one; five of it. Skewness takes .4 % from a two-sided share
    at n = 96.
    """
    rng = np.random.default_rng(5)
    for draw, skewed in ((rng.normal, 0.0), (rng.exponential, 0.004)):
        found = means.means_of(draw(size=(4000, 96)), family=1)
        off = abs(found.value - (1.0 if skewed else 0.0)) / found.error
        for t in (1.0, 2.0):
            stated = 1 - 2 * stdtr(95, -t)
            assert abs(np.mean(off < t) - stated) < 5 * np.sqrt(stated * (1 - stated) / 4000) + skewed


@pytest.mark.parametrize("law", ["S2", "S3", "S4"])
def test_bars_a_thousand_times_as_wide_are_noticed_as_idle(records, law):
    """What is at most a thousandth spent in every mean of a run is no accident
    (harness/runs/completeness.py)."""
    mine = [r for rs in records.values() for r in rs if r.law == law and r.fault is None]
    assert sum(r.kind == STATISTICAL for r in mine) >= 4 and not completeness.idle(mine, [law])
    wide = [replace(r, spent=r.spent / 1000) if r.kind == STATISTICAL else r for r in mine]
    assert [line for line in completeness.idle(wide, [law]) if line.startswith(law)]
