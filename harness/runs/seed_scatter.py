"""How far spent scatters between seeds, for each law: what a baseline allows before a rise is marked.

spent is the largest of lanes x steps values of one bounded variable, so two runs that differ in nothing but
the seed are two draws of one extreme. Were log spent a Gumbel variable of scale b (the heaviest tail that a
largest of many has, once spent itself may be a Frechet variable), the logarithm of their ratio would be
logistic of that scale:

    P(spent'/spent > F) = 1 / (1 + F^(1/b)),     F(p) = (1/p - 1)^b                                        (1)

b is the smallest scale whose logistic tail lies above the measured one everywhere in its upper
tenth         (2)
(theirs are mixtures: entries near 1 have no room to scatter, so one variance would understate the tail),
times sqrt(n/chi2) for the upper 95 % limit of a scale that is known from n = entries x (runs - 1) numbers.
The mean of log(spent'/spent) over the n entries of a law has the standard deviation sqrt(2) m, m measured
between seeds on N entries and at most m sqrt(N/n) on fewer; the largest mean that chance allows is t(p)
sqrt(2)
m     (3)

    python -m noether.runs.seed_scatter RUN RUN ...     measure again, from run folders of one choice and
                                                        several seeds
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

ALARM = 0.01
"""Declared rate of false alarms of one comparison with another seed: half for its entries, half for its
laws."""
UPPER = 0.9
SILENT = 2.0**-53
"""A spent up to this counts as 0, which has no scale: its residual is smaller than the rounding of the bound
that it is divided by. That the equations of motion are those of the Lagrangian (T1, T2) spends 1e-23 to 1e-18
from seed to seed, whatever the law is worth."""
NARROW = ("float16", "bfloat16")


@dataclass(frozen=True)
class Scatter:
    """How a law scatters between seeds: b of (2), m and N of (3)."""

    entry: float
    mean: float
    entries: int


SCATTER: dict[tuple[str, str], Scatter] = {
    ("D0", "eager"): Scatter(0.029, 0.009, 5),
    ("D0", "narrow"): Scatter(0.008, 0.002, 20),
    ("D0", "wide"): Scatter(0.021, 0.004, 35),
    ("D2", "eager"): Scatter(0.203, 0.069, 7),
    ("D2", "narrow"): Scatter(0.068, 0.011, 57),
    ("D2", "wide"): Scatter(0.165, 0.052, 23),
    ("D3", "eager"): Scatter(0.260, 0.082, 9),
    ("D3", "narrow"): Scatter(0.149, 0.035, 22),
    ("D3", "wide"): Scatter(0.292, 0.076, 26),
    ("D4", "narrow"): Scatter(0.077, 0.025, 14),
    ("D4", "wide"): Scatter(0.213, 0.020, 18),
    ("D6", "narrow"): Scatter(0.107, 0.057, 4),
    ("D6", "wide"): Scatter(0.149, 0.024, 15),
    ("D7", "eager"): Scatter(0.164, 0.077, 1),
    ("D7", "narrow"): Scatter(0.101, 0.043, 5),
    ("D7", "wide"): Scatter(0.129, 0.072, 5),
    ("E1", "wide"): Scatter(0.366, 0.150, 7),
    ("T1", "wide"): Scatter(0.326, 0.048, 10),
    ("T2", "wide"): Scatter(0.169, 0.079, 1),
    ("T5", "wide"): Scatter(0.715, 0.328, 1),
}
"""Quick profile: the largest of three measurements, eleven seeds; eight launches of one seed whose starts
moved by a few units in the last place, which redraws every rounding and nothing else; and seven seeds on the
cases and bounds of 27 November 2026 (m that of the larger m sqrt(N)). docs/ci.md has what follows.
"""
# Of the fewest.
RUNS_MEASURED = 7


def width(precision: str) -> str:
    """Stored types scatter alike in two groups; the mode in which every operation is rounded scatters more
    than its store."""
    name, _, mode = precision.partition("/")
    return "eager" if mode == "eager" else "narrow" if name in NARROW else "wide"


def group(key: str) -> tuple[str, str]:
    """The line of SCATTER for an entry `LAW CASE RULE PRECISION ...`."""
    law, _, _, precision, *_ = key.split(" ")
    return law, width(precision)


def entry_factor(key: str, entries: int) -> float:
    """F of (1) for one of `entries` entries; infinite for a law whose scatter was never measured."""
    found = SCATTER.get(group(key))
    return (2 * entries / ALARM - 1) ** found.entry if found else math.inf


def mean_factor(which: tuple[str, str], entries: int, groups: int) -> float:
    """The largest geometric mean of spent'/spent over `entries` entries of one of `groups` groups, (3)."""
    from scipy.stats import t

    found = SCATTER.get(which)
    if found is None:
        return math.inf
    m = found.mean * max(1.0, math.sqrt(found.entries / entries))
    return math.exp(float(t.isf(ALARM / 2 / groups, RUNS_MEASURED - 1)) * math.sqrt(2) * m)


def logistic_scale(ratios) -> float:
    """The scale (2) of the logarithms of ratios of every ordered pair."""
    import numpy as np

    D = np.sort(np.asarray(ratios, float))
    p = 1 - np.arange(1, len(D) + 1) / (len(D) + 1)
    tail = p < max(1 - UPPER, 1.5 / (len(D) + 1))  # of fewer than ten ratios the largest alone
    return float(np.max(np.maximum(D[tail], 0) / np.log(1 / p[tail] - 1)))


def measure(runs: Sequence[dict[str, float]]) -> dict[tuple[str, str], Scatter]:
    """The measured scatter, one line a group, from `spent` by entry in several runs. Raises ValueError for
    fewer than three."""
    import numpy as np
    from scipy.stats import chi2

    if len(runs) < 3:
        raise ValueError(f"{len(runs)} runs: at least 3 seeds are needed")
    keys = [k for k in sorted(set.intersection(*map(set, runs))) if all(r[k] > SILENT for r in runs)]
    found: dict[tuple[str, str], list] = {}
    for key in keys:
        found.setdefault(group(key), []).append(np.log([r[key] for r in runs]))
    apart = ~np.eye(len(runs), dtype=bool)
    out = {}
    for which, rows in sorted(found.items()):
        ratios = np.concatenate([(x[:, None] - x[None])[apart] for x in rows])
        n = len(rows) * (len(runs) - 1)
        out[which] = Scatter(
            logistic_scale(ratios) * math.sqrt(n / chi2.ppf(0.05, n)),
            float(np.mean(rows, axis=0).std(ddof=1)),
            len(rows),
        )
    return out


def main(folders: list[str]) -> int:
    """Print the lines of SCATTER that these run folders, of one choice and different seeds, give."""
    from pathlib import Path

    from noether.runs.baseline import entries
    from noether.runs.saved_run import read_run
    from noether.verdicts.record import ORDER

    runs = [[r for r in read_run(Path(f)).records if r.kind != ORDER] for f in folders]
    for (law, size), s in measure([{k: e.spent for k, e in entries(r).items()} for r in runs]).items():
        print(f'    ("{law}", "{size}"): Scatter({s.entry:.3f}, {s.mean:.3f}, {s.entries}),')
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
