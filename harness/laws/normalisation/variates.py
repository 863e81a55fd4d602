"""What the noise itself does to r^4, lane by lane, with its mean known: a control variate.

The signs s_n of a lane are known (kernels/loops/noise.py), so L' = beta L - eta |ghat| s is too, whatever q
does (relaxation.py); and to leading order r^4 is linear in L^2. With l = L'^2 the part of r^4 that has mean
zero and scatters is

    d' = (1 - lambda) d + 2 (1+beta)/(1-beta) (l - E l),    lambda = 4 eta k/(1-beta),    E d = 0  (1)

E l exactly as in relaxation.py. r^4 - d has the mean of r^4, for every d of mean zero; what is left of its
scatter is of the next order in eta k: some thirty times less, as a thousand times as many lanes would give.
That E d = 0 needs signs of the correlation that they say; `flips` judges that, from the same draws.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.loops import noise
from noether.kernels.loops.noisy_launch import NoisyJob
from noether.laws.normalisation.relaxation import Regime, squares


def signs(job: NoisyJob) -> np.ndarray:
    """s_n of each lane in each step, (steps, lanes), +1 and -1; of a force with one sign a lane."""
    if job.signs != 1:
        raise ValueError(f"the force has {job.signs} signs a lane, must have 1")
    number, seed, threshold, _ = job.counters
    counters = noise.mix((np.arange(job.steps, dtype=np.uint64) + noise.GOLDEN).astype(np.uint32))
    bits = noise.mix(noise.key(number, seed) ^ counters[:, None])
    turns = np.where(bits < threshold, -1.0, 1.0)
    turns[0] = np.where(bits[0] < noise.WHITE, 1.0, -1.0)
    return np.cumprod(turns, axis=0)


def filtered(x: np.ndarray, keeps) -> np.ndarray:
    """y_n = keeps y_{n-1} + x_n along the first axis, from 0."""
    out, y = np.empty_like(x), 0.0
    for n, now in enumerate(x):
        y = keeps * y + now
        out[n] = y
    return out


def turned(s: np.ndarray, beta, g) -> np.ndarray:
    """L after each step, from rest, for signs s (steps, lanes); g: eta |ghat|, (steps, 1) or a number."""
    return filtered(-s * g, beta)


def scatter(r: Regime, s: np.ndarray, g: np.ndarray, lanes_of: np.ndarray | None = None) -> np.ndarray:
    """(1), (steps, lanes). r: one beta, eta and k; g (steps,): eta |ghat|; lanes_of: which rho each lane
    has."""
    beta = float(r.beta)
    mean = squares(r, g).reshape(len(g), -1)
    excess = turned(s, beta, g[:, None]) ** 2 - (mean if lanes_of is None else mean[:, lanes_of])
    kept = 1 - 4 * float(r.eta) * float(r.k) / (1 - beta)
    return filtered(2 * (1 + beta) / (1 - beta) * excess, kept)


def crossed(r: Regime, s: np.ndarray, g: float, tilt: float) -> np.ndarray:
    """What noise and a mean gradient, `tilt` of it, do together to the angle of a step, over the angle of the
    mean: (steps, lanes).

    L is L_t + L_s, and r^4 has the part o that is odd in the noise, o' = (1 - lambda) o + 2 (1+beta)/(1-beta)
    2 L_t L_s, so that L/r^2 has the even part -L_s o/(2 r^4). White noise, whence E L_s' o = beta E L_s o and
    that follows from itself linearly.
    """
    beta, kept = float(r.beta), 1 - 4 * float(r.eta) * float(r.k) / (1 - float(r.beta))
    gain = 4 * (1 + beta) / (1 - beta)
    straight = filtered(np.full((len(s), 1), -g * tilt), beta)
    L = turned(s, beta, g)
    odd = filtered(gain * straight * L, kept)
    mean = filtered(gain * straight[:, 0] * squares(r, np.full(len(s), g)), kept * beta)
    product, expected = np.zeros_like(L), np.zeros(len(s))
    product[1:], expected[1:] = L[1:] * odd[:-1], beta * mean[:-1]
    return (product - expected[:, None]) / (2 * float(r.x0) * straight)


def flips(s: np.ndarray, lags: int) -> np.ndarray:
    """s_n s_{n+m} averaged over the steps, m = 1 .. lags: (lags, lanes); its mean is rho^m."""
    return np.array([np.mean(s[m:] * s[:-m], axis=0) for m in range(1, lags + 1)])
