"""Hypothesis strategies for everything that a launch is made of. Public: import them into tests of your own.

    from hypothesis import given
    from noether.campaigns.fuzz.strategies import launches

    @given(launches(rule=RULES["heavy-ball"], eps=0.0))
    def test_a_claim_about_whatever_is_launched(drawn):
        case, job = drawn

Nothing is filtered: a lane is a string of bytes, its units, which a regime turns into a start and parameters
(harness/campaigns/fuzz/regimes.py, where the bounds stand). Everything shrinks towards one ordinary lane of
one step: zero units are a step size that is a power of two, no kick, no momentum, no decay, no breaking; the
first case, rule and precision are the simplest. Starts are drawn in their own precision and then widened.
reproduction.py turns a violated record into one shell line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "noether.campaigns.fuzz.strategies needs hypothesis, which is not installed: pip install "
        "'noether-harness[fuzz]'"
    ) from None

from noether.campaigns.fuzz.lanes import units
from noether.campaigns.fuzz.regimes import REGIMES, Regime, draw, ordinary
from noether.cases import CORE
from noether.cases.case import Case
from noether.cases.rules import RULES, Rule
from noether.kernels.loops import launch
from noether.kernels.programs.precision import MODES, PRECISIONS, Precision
from noether.laws.exact.cell import rules_of
from noether.mechanics import sweep

LANES = (1, 2, 3, 5, 7, 16, 33, 127, 129)
# Lanes that are drawn; the others mix their units, so that a wide launch shrinks as a narrow one does.
ANCHORS = 3
UNIT_BYTES = 4  # a float32 step size must differ from a float64 one


def cases() -> SearchStrategy[Case]:
    """A core case, the fewest parameters first.   cases().example().name == "mexican-hat" """
    return st.sampled_from(sorted(CORE, key=lambda c: c.dim))


def rules(case: Case) -> SearchStrategy[Rule]:
    """A rule that a case runs under, of those whose state is q and one displacement, and whose step is made
    of products alone: of these are the regimes.   rules(RAYLEIGH).example().name == "heavy-ball" """
    plain = lambda r: r.elementary and len(r.buffers) == 1 and not r.extra and (r.covector or r.signed)
    names = [name for name in rules_of(case) if plain(RULES[name])]
    # A single rule is a choice too, or its case would seem the simplest.
    return st.integers(0, len(RULES) - 1).map(lambda i: RULES[names[i % len(names)]])


def precisions() -> SearchStrategy[Precision]:
    """A precision with its mode, float64 first.   precisions().example().label == "bfloat16/mixed" """
    return st.sampled_from(
        [Precision(p, m) for m in MODES for p in PRECISIONS if m == "stored" or Precision(p).arith != p]
    )


def backends() -> SearchStrategy[str]:
    """A backend that this machine has, numpy first.   backends().example() == "triton-ptx" """
    return st.sampled_from([b for b in launch.BACKENDS if not launch.missing(b)])


def regimes(rule: Rule) -> SearchStrategy[Regime]:
    """Where a lane is drawn from, the ordinary first.

    regimes(RULES["heavy-ball"]).example().name == "tiny-norm"
    """
    return st.sampled_from(
        [r for r in REGIMES.values() if r.fits(rule) and (r.change is not ordinary or r.name == "ordinary")]
    )


def lane_counts() -> SearchStrategy[int]:
    """One lane, odd numbers, a block of the compiled kernel less and more one.

    lane_counts().example() == 129
    """
    return st.sampled_from(LANES)


def horizons(longest: int = 12) -> SearchStrategy[int]:
    """Steps of a launch.   horizons(4).example() == 3"""
    return st.integers(1, longest)


def etas(case: Case, precision: Precision) -> SearchStrategy[float]:
    """Step sizes pace 2^-j, j an integer of the sweep's range.

    etas(RAYLEIGH, Precision("float64")).example() == 0.125
    """
    low, high = sweep.STEP_EXPONENTS[precision.name]
    return st.integers(low, high).map(lambda j: sweep.pace(case) * 2.0**-j)


def kappas() -> SearchStrategy[float]:
    """Metric deformations: 0, small, and up to a condition number of 2^40.   kappas().example() == 0.5"""
    return st.one_of(st.just(0.0), st.integers(-20, 40).map(lambda j: 2.0**j))


class Lane(NamedTuple):
    """One lane: start q and kick v, (d,) float64 in their stores (log q where the rule stores it), and its
    parameters."""

    q: np.ndarray
    v: np.ndarray
    eta: float
    beta: float
    k: float
    eps: float


def columns(case: Case) -> SearchStrategy[np.ndarray]:
    """The units of one lane in [0, 1), (units(case),): what regimes.draw takes.

    columns(RAYLEIGH).example().max() < 1

    As bytes: a list of numbers takes twenty times as long to draw and to shrink.
    """
    count = units(case)
    return st.binary(min_size=UNIT_BYTES * count, max_size=UNIT_BYTES * count).map(
        lambda raw: np.frombuffer(raw, ">u4") / 256.0**UNIT_BYTES
    )


@st.composite
def single_lanes(draw_, case: Case, rule: Rule, precision: Precision, regime: str | None = None) -> Lane:
    """One lane of a regime, or of any.

    single_lanes(RAYLEIGH, HEAVY_BALL, Precision("float64"), "tiny-norm").example().eta
    """
    chosen = draw_(regimes(rule)) if regime is None else REGIMES[regime]
    job = draw(chosen, case, rule, precision, draw_(columns(case))[:, None], 1)
    return Lane(job.q0[:, 0], job.v0[:, 0], *(float(x) for x in job.params[:, 0]))


def starts(case: Case, precision: Precision, regime: str | None = None) -> SearchStrategy[np.ndarray]:
    """A start, (d,) float64 as q is stored.

    starts(RAYLEIGH, Precision("bfloat16"), "near-singular").example()
    """
    return single_lanes(case, RULES["heavy-ball"], precision, regime).map(lambda lane: lane.q)


def betas(precision: Precision, regime: str = "heavy-memory") -> SearchStrategy[float]:
    """A momentum below 1; of the regime heavy-memory, close to it.

    betas(Precision("float64"), "ordinary").example() == 0.5
    """
    return single_lanes(CORE[0], RULES["heavy-ball"], precision, regime).map(lambda lane: lane.beta)


def decays(
    case: Case, precision: Precision, regime: str = "strong-decay"
) -> SearchStrategy[tuple[float, float]]:
    """Step size and decay, (eta, k), together; of the regime strong-decay, eta k around 2.

    decays(RAYLEIGH, Precision("float64")).example() == (0.125, 16.0)
    """
    return single_lanes(case, RULES["heavy-ball-decoupled"], precision, regime).map(
        lambda lane: (lane.eta, lane.k)
    )


def magnitudes(case: Case, precision: Precision, regime: str = "strong-breaking") -> SearchStrategy[float]:
    """A breaking magnitude; of the regime strong-breaking, up to overflow.

    magnitudes(RAYLEIGH, Precision("float32"), "ordinary").example() == 0.0
    """
    return single_lanes(case, RULES["heavy-ball"], precision, regime).map(lambda lane: lane.eps)


@st.composite
def launches(
    draw_, *, case=None, rule=None, precision=None, regime=None, lanes=None, steps=None, k=None, eps=None
) -> tuple[Case, launch.Job]:
    """A launch of the catalogue as (case, noether.kernels.loops.launch.Job), of any shape, each lane in a
    regime of its own.

    case, rule, precision, lanes, steps   a value, or a strategy; None draws any
    regime                                a name of noether.campaigns.fuzz.regimes.REGIMES for every lane, or
                                          a strategy; None draws one for each lane
    k, eps                                one value for every lane
    Example: `@given(launches(precision=Precision("bfloat16"), regime="unstable", lanes=1))`.
    """

    def pick(given, default):
        return (
            draw_(given) if isinstance(given, SearchStrategy) else draw_(default) if given is None else given
        )

    case = pick(case, cases())
    rule = pick(rule, rules(case))
    precision, steps, count = (
        pick(precision, precisions()),
        pick(steps, horizons()),
        pick(lanes, lane_counts()),
    )
    every = None if regime is None else REGIMES[pick(regime, None)]
    chosen = [every or draw_(regimes(rule)) for _ in range(min(count, ANCHORS))]
    anchors = np.array([draw_(columns(case)) for _ in chosen])
    mix = np.random.default_rng(draw_(st.integers(0, 2**16)) if count > ANCHORS else 0)
    parts = []
    for i, one in enumerate(chosen):
        others = mix.integers(0, len(chosen), (len(range(i, count, len(chosen))) - 1, anchors.shape[1]))
        u = np.concatenate([anchors[i : i + 1], np.take_along_axis(anchors, others, axis=0)])
        parts.append(draw(one, case, rule, precision, u.T, steps))
    q0, v0, params = (
        np.concatenate([getattr(job, name) for job in parts], axis=1) for name in ("q0", "v0", "params")
    )
    for row, value in ((2, k), (3, eps)):
        if value is not None:
            params[row] = value
    return case, launch.Job(parts[0].program, rule, precision, q0, v0, params, steps, metric=parts[0].metric)


class Point(NamedTuple):
    """A point at which a continuous law speaks: q, qdot (d,) float64, and the magnitudes of metric and
    breaking terms."""

    case: Case
    q: np.ndarray
    qdot: np.ndarray
    kappa: float
    eps: float


@st.composite
def points(draw_, *, case=None, regime: str | None = None) -> Point:
    """A point of a case, in any regime.   @given(points(regime="near-singular"))"""
    case = draw_(cases()) if case is None else case
    lane = draw_(single_lanes(case, RULES["heavy-ball"], Precision("float64"), regime))
    return Point(case, lane.q, lane.v / lane.eta, draw_(kappas()), lane.eps)
