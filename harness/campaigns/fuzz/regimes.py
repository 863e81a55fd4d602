"""Regimes: parts of the space of starts and parameters in which lanes are drawn (ordinary, denormal,
near-singular ...).

A lane is drawn from a column of units, numbers in [0, 1): from a generator when it comes from a batch, from
Hypothesis when it comes from a property. `draw` is a plain function of the units, nothing is filtered, and
units of zero give the simplest lane of a regime (step size a power of two, no momentum, no decay, no
breaking), so that shrinking simplifies.

Scales are measured, not guessed: `stiffness` is the largest curvature on the case's box, `reach` how far the
box may be scaled before an operation of the program leaves the normal numbers or the finite ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from noether.campaigns.fuzz.lanes import DECAY, MOMENTUM, SIGNIFICAND, Lanes, between, reach, stiffness
from noether.cases.case import Case
from noether.cases.rule import Rule
from noether.kernels.loops.launch import Job
from noether.kernels.programs import trace
from noether.kernels.programs.precision import Precision, representable
from noether.mechanics.domain import MARGIN, NORMAL, OVERFLOW
from noether.mechanics.sweep import started

# ---- the regimes: each changes what the ordinary one drew


def ordinary(x: Lanes) -> None:
    """What was drawn, as it is."""


def few_bits(x: Lanes) -> None:
    """Everything on a coarse grid: sums then fall on ties, and cancel exactly."""
    grain = np.exp2(np.floor(between(x.u["choice"], 1, 5)))
    x.q, x.v = np.rint(x.q * grain) / grain, np.rint(x.v * 16 * grain) / (16 * grain)
    x.eta = np.exp2(np.floor(np.log2(x.eta)))
    x.beta, x.k = np.rint(x.beta * 4 * grain) / (4 * grain), np.rint(x.k * 8) / 8
    x.beta = np.minimum(x.beta, 1 - 1 / (4 * grain))
    x.eps = np.where(x.eps > 0, np.exp2(np.floor(np.log2(np.maximum(x.eps, 2.0**-60)))), 0.0)
    x.q = np.where(x.q == 0, 1 / grain, x.q)


def unstable(x: Lanes) -> None:
    """Step sizes beyond the edge of stability."""
    edge = 2 * (1 + x.beta * x.rule.momentum) / stiffness(x.case, x.rule.log_state)
    x.eta = edge * np.exp2(between(x.u["eta"], 0.125, 3)) * (1 + x.u["eta_low"] / 64)


def tiny_norm(x: Lanes) -> None:
    """Starts scaled down as far as every operation stays normal."""
    x.scaled(reach(x.case, x.precision)[1] * x.u["scale"])
    x.follow(-8, 0)


def huge_norm(x: Lanes) -> None:
    """Starts scaled up as far as every operation stays finite."""
    x.scaled(reach(x.case, x.precision)[2] * x.u["scale"])
    x.follow(-8, -1)
    # Decay as slow as the ordinary one, whatever the step.
    x.k = x.k * np.minimum(1, 1 / np.maximum(x.eta, 2.0**-1000))


def denormal(x: Lanes) -> None:
    """Half: scaled to where the program's operations underflow. Half: a step that is subnormal in the store
    of v."""
    abyss, floor, _ = reach(x.case, x.precision)
    deep = x.u["choice"] < 0.5
    x.scaled(np.where(deep, between(x.u["scale"], min(floor, abyss + 4), abyss), floor * 0.5))
    x.follow(-6, 0)
    small = NORMAL[x.precision.v_store] * np.exp2(between(x.u["scale"], 4, -8))
    with np.errstate(all="ignore"):
        subnormal = small / x.pull()
    x.eta = np.where(deep | ~np.isfinite(subnormal), x.eta, subnormal)
    x.v = np.where(deep, x.v, x.v * 0)


def near_singular(x: Lanes) -> None:
    """Some components alone go towards 0: the boundary of the orthant, the axes, almost the origin."""
    floor = max(reach(x.case, x.precision)[1], -60) / (1 if x.rule.log_state else 2)
    # One binary digit a component.
    share, _ = np.modf(x.u["choice"] * np.exp2(np.arange(x.case.dim) + 1)[:, None])
    x.scaled(np.where(share < 0.5, x.u["scale"] * floor, 0.0))
    x.follow(-7, -1)


def whole_range(x: Lanes) -> None:
    """Some components, or all, anywhere in the store: products underflow and overflow, sums lose their
    digits."""
    kind = x.precision.q_store
    low, high = np.log2(x.precision.tiny_q), np.log2(OVERFLOW[kind] / MARGIN)
    share = np.modf(x.u["choice"] * np.exp2(np.arange(x.case.dim))[:, None])[0]
    x.scaled(
        np.where(
            share < 0.5,
            np.where(x.u["scale"] < 0.5, 2 * x.u["scale"] * low, (2 * x.u["scale"] - 1) * high),
            0.0,
        )
    )


def heavy_memory(x: Lanes) -> None:
    """Momenta from 1 - 2^-7 to the last number below 1."""
    most = SIGNIFICAND[x.precision.arith]
    x.beta = 1 - np.exp2(-np.floor(between(x.u["beta"], 7, most + 1)))


def strong_decay(x: Lanes) -> None:
    """Decay with eta k on both sides of 2: s = 1 - eta k near -1 when decoupled, the stability edge of
    gradient descent when coupled."""
    off = np.exp2(between(x.u["k"], -1, -SIGNIFICAND[x.precision.arith]))
    x.k = (2 + np.where(x.u["choice"] < 0.5, -off, off / 8)) / x.eta


def strong_breaking(x: Lanes) -> None:
    """Breaking from 1 to overflow."""
    top = np.log2(OVERFLOW[x.precision.rounded]) - 2 * np.log2(MARGIN)
    spread = np.log2(np.abs(np.array(x.case.box, dtype=float)).max() * 4)
    x.eps = np.exp2(between(x.u["eps"], 0, top - max(0.0, spread)))
    x.follow(-9, -1)


def from_rest(x: Lanes) -> None:
    """No kick."""
    x.v = np.zeros_like(x.v)


def plain(x: Lanes) -> None:
    """No decay, no breaking: where the symmetry is whole and D3 speaks."""
    x.k, x.eps = np.zeros_like(x.k), np.zeros_like(x.eps)


# ---- what they are


@dataclass(frozen=True)
class Regime:
    """A way to draw launches: change(lanes) edits what the ordinary one drew.

    steps     least and largest horizon of a batch
    lanes     the lane counts a batch chooses from; () leaves it to the batch
    needs     a property of the rule without which the regime is another one: momentum, decay
    diverges  whether many lanes may leave the domain, so that a batch should be small
    """

    name: str
    what: str
    change: Callable = ordinary
    steps: tuple[int, int] = (2, 256)
    lanes: tuple[int, ...] = ()
    needs: str = ""
    diverges: bool = False

    def fits(self, rule: Rule) -> bool:
        """Whether a rule has what the regime needs."""
        return {"": True, MOMENTUM: rule.momentum, DECAY: rule.decay != "none"}[self.needs]


EDGE = "past the stability edge, eta lambda from 2(1+beta) to 8 times that"
KILLING = "no decay and no breaking: charges of Killing fields decay without a source"
ORTHANT = "some components near 0: the boundary of the orthant, the axes"
ANYWHERE = "components anywhere in the store, overflow and underflow included"
SMALL = "starts scaled down as far as every operation stays normal"
HUGE = "starts scaled up as far as every operation stays finite"
SUBNORMAL = "products and stored steps among the subnormal numbers"
BITS = "numbers of few significant bits: ties and exact cancellation"
MEMORY = "beta from 1 - 2^-7 to the last number below 1"
ODD = (2, 3, 31, 33, 127, 129, 1021, 4093, 4097)
EVERY = (
    Regime("ordinary", "starts in the box, steps well below the stability edge"),
    Regime("plain", KILLING, plain),
    Regime("few-bits", BITS, few_bits, (1, 64)),
    Regime("unstable", EDGE, unstable, (1, 24), diverges=True),
    Regime("tiny-norm", SMALL, tiny_norm, (1, 64)),
    Regime("huge-norm", HUGE, huge_norm, (1, 48), diverges=True),
    Regime("denormal", SUBNORMAL, denormal, (1, 48), diverges=True),
    Regime("near-singular", ORTHANT, near_singular, (1, 64), diverges=True),
    Regime("whole-range", ANYWHERE, whole_range, (1, 24), diverges=True),
    Regime("heavy-memory", MEMORY, heavy_memory, (2, 256), needs=MOMENTUM),
    Regime("strong-decay", "eta k on both sides of 2", strong_decay, (1, 64), needs=DECAY, diverges=True),
    Regime("strong-breaking", "eps from 1 to overflow", strong_breaking, (1, 32), diverges=True),
    Regime("from-rest", "no kick: the charge starts at 0", from_rest, needs=MOMENTUM),
    Regime("one-lane", "a launch of a single lane", lanes=(1,)),
    Regime("odd-lanes", "lane counts that no block divides", lanes=ODD),
    Regime("long", "long horizons", steps=(1024, 16384)),
)
REGIMES: dict[str, Regime] = {regime.name: regime for regime in EVERY}
"""Every regime by name."""


def draw(regime: Regime, case: Case, rule: Rule, precision: Precision, u: np.ndarray, steps: int) -> Job:
    """The launch that these units (rows of `NAMED`, then start and kick; lanes) mean. Whatever they are, it
    is a valid one.

    Made in float64, rounded to the precision's own types first and then widened (rules of evidence, 8). kappa
    of a metric shares the unit of the low digits of eta; what a rule has beside the common parameters, that
    of the choice of lanes.
    """
    x = Lanes(case, rule, precision, np.asarray(u, dtype=np.float64))
    regime.change(x)
    with np.errstate(all="ignore"):
        q = np.log(np.maximum(np.abs(x.q), 2.0**-1000)) if rule.log_state else x.q
    v = x.v if rule.momentum and not rule.log_state else np.zeros_like(x.v)
    top = OVERFLOW[precision.arith] / MARGIN
    eta = np.clip(x.eta, NORMAL[precision.arith], top)
    beta = np.clip(x.beta, 0, 1 - 2.0 ** -SIGNIFICAND[precision.arith])
    columns = {"eta": eta, "beta": beta, "k": np.clip(x.k, 0, top), "eps": np.clip(x.eps, 0, top)}
    columns |= {"kappa": x.u["eta_low"], **{one.name: one.at(x.u["choice"]) for one in rule.extra}}
    params = representable(np.array([columns[name] for name in rule.parameters]), precision.arith)
    held = lambda y, kind: representable(np.clip(y, -OVERFLOW[kind] / MARGIN, OVERFLOW[kind] / MARGIN), kind)
    state = (held(q, precision.q_store), started(rule, held(v, precision.v_store)), params, steps)
    return Job(trace.gradient(case), rule, precision, *state, metric=trace.metric(case, rule))
