"""What must stand together at least once in a run, as a table.

A point is a case under a rule in a precision. A requirement names what must meet, say each case and each
rule, and where, by properties: no planner knows a case by its name. cover.py finds the cheapest points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from noether.cases.case import Case
from noether.cases.rules import RULES, Rule
from noether.kernels.loops import launch
from noether.kernels.programs.precision import UNIT, parse
from noether.kernels.programs.trace import gradient, metric
from noether.laws.exact import EXACT
from noether.laws.exact.judge import EVIDENCE_SHARE, PATH_MOTION
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory

Point = tuple[Case, str, str]
WEIGHT = {"stored": 1, "mixed": 2, "eager": 4}  # of compiling: in eager modes every operation is rounded
LAUNCH = 160  # operations, of a launch beside its gradient: one of 27 takes half as long as one of 190
SMALL = 100  # operations of a gradient whose eager program, four times as long, is soon compiled
MISLEADING = 100  # times the cost: a point that tells little is taken only where no other is


# ---- what a point shows


def case(p: Point) -> tuple:
    return (p[0].name,)


def rule(p: Point) -> tuple:
    return (p[1],)


def precision(p: Point) -> tuple:
    return (p[2],)


def stored(p: Point) -> tuple:
    """The type, where nothing but what is stored is rounded to it."""
    return (p[2],) if mode_of(p) == "stored" else ()


def mode(p: Point) -> tuple:
    return (mode_of(p),)


def law(p: Point) -> tuple:
    return laws_at(*p)


def mode_of(p: Point) -> str:
    return p[2].partition("/")[2] or "stored"


def laws_at(case: Case, rule: str, precision: str) -> tuple[str, ...]:
    return laws_under(case, RULES[rule], precision)


@cache
def laws_under(case: Case, rule: Rule, precision: str) -> tuple[str, ...]:
    return tuple(k for k, law in EXACT.items() if law.concerns(case, rule, precision))


# ---- where


def anywhere(p: Point) -> bool:
    return True


def shared(p: Point) -> bool:
    """Under a rule that is shown on every case. The others have a metric, a sign, a schedule or a simplex of
    their own, and are shown where their laws are."""
    return RULES[p[1]].screened


def own(p: Point) -> bool:
    return not shared(p)


def plain(p: Point) -> bool:
    """Without any option: gradient descent, heavy ball with either decay, mirror descent."""
    r = RULES[p[1]]
    return shared(p) and not (r.looks_ahead or r.timed or r.maximize)


def heavy_ball(p: Point) -> bool:
    """Momentum and coupled decay without any option."""
    return plain(p) and RULES[p[1]].momentum and RULES[p[1]].decay == "coupled"


def logarithmic(p: Point) -> bool:
    """Under mirror descent, which stores log q."""
    return shared(p) and RULES[p[1]].log_state


def wide(p: Point) -> bool:
    return p[2] in ("float64", "float32")


def reduced(p: Point) -> bool:
    return mode_of(p) != "stored"


def fine(p: Point) -> bool:
    """Where arithmetic has more than eight bits: of less its laws are enough."""
    return shared(p) and reduced(p) and parse(p[2]).u_arith < UNIT["bfloat16"]


def small(p: Point) -> bool:
    return gradient(p[0]).length <= SMALL


def telling(p: Point) -> bool:
    """Whether a force acts on every component, and the metric is not the same everywhere."""
    r = RULES[p[1]]
    return all(gradient(p[0]).reads_position) and (not r.on_metric or any(metric(p[0], r).reads_position))


def moves(case: Case, rule: str, precision: str) -> bool:
    """Whether a point moves, as `moves_under` has it."""
    return moves_under(case, RULES[rule], precision)


@cache
def moves_under(case: Case, rule: Rule, precision: str) -> bool:
    """Whether most lanes move by more than what the kernel may round, in the few steps of a small launch.

    Only of eager modes it is asked: where every operation is rounded to few bits, the bound on a gradient may
    exceed a step along it, and a launch would prove nothing.
    """
    p = parse(precision)
    if not p.eager:
        return True
    job = sweep.draw(case, rule, p, lanes=4 * EVIDENCE_SHARE, steps=8, seed=0)
    t = Trajectory.launched(case, job, *launch.run(job, "numpy").wide())
    return bool((np.nan_to_num(t.path) >= PATH_MOTION).mean() > 0.5)


# ---- the table


@dataclass(frozen=True)
class Requirement:
    """Every combination of the facets that a point of `where` shows must be shown by a chosen one."""

    facets: tuple[Callable[[Point], Iterable], ...]
    where: Callable[[Point], bool] = anywhere

    def pairs(self, p: Point) -> list[tuple]:
        return [(self.facets, *x) for x in product(*(f(p) for f in self.facets))] if self.where(p) else []


EACH_RULE = Requirement((case, rule), shared)
EACH_TYPE = Requirement((case, stored), shared)
LAWS_OF_OWN = Requirement((rule, law), own)
QUICK = (
    EACH_RULE,
    EACH_TYPE,
    LAWS_OF_OWN,
    Requirement((law, stored), shared),
    Requirement((precision,), shared),
    Requirement((rule, mode), lambda p: plain(p) and reduced(p)),
    Requirement((law, mode), lambda p: plain(p) and reduced(p) and small(p)),
    Requirement((law, precision), lambda p: plain(p) and mode_of(p) == "mixed" and small(p)),
    Requirement((rule, precision), logarithmic),
)
NATIVE = (Requirement((case,), shared), Requirement((rule,)), Requirement((precision,)))

TABLE: dict[tuple[str, str], tuple[Requirement, ...]] = {
    ("exact", "quick"): QUICK,
    ("exact", "full"): (
        *QUICK,
        Requirement((case, rule, stored), shared),
        Requirement((case, precision), fine),
        Requirement((rule, precision), fine),
        Requirement((rule, stored), own),
        Requirement((rule, mode), lambda p: own(p) and reduced(p)),
    ),
    # The cases beside the core: in quick they are glanced at (launches.py).
    ("others", "full"): (
        EACH_RULE,
        EACH_TYPE,
        Requirement((rule, precision), shared),
        Requirement((case,), reduced),
    ),
    # Rules of the user's own, which no run of the catalogue has shown.
    ("theirs", "quick"): (Requirement((rule, precision)),),
    ("theirs", "full"): (Requirement((rule, precision)), Requirement((case, rule))),
    # What is compiled, of points that could run in numpy: the cases beside the core, rules of their own.
    ("native", "full"): NATIVE,
    ("native", "quick"): NATIVE,
    ("covariance", "quick"): (Requirement((case,), heavy_ball), Requirement((stored,), heavy_ball)),
    ("covariance", "full"): (Requirement((case, rule, stored)),),
    ("response", "full"): (Requirement((case, precision), lambda p: heavy_ball(p) and wide(p)),),
    ("parity", "quick"): NATIVE,
    ("parity", "full"): (*QUICK, *NATIVE, Requirement((stored,), own)),
    # The interpreter takes 50 us an operation, and runs on no GPU: few points, few steps.
    ("interpreted", "quick"): tuple(
        Requirement(r.facets, lambda p: shared(p) and not reduced(p)) for r in NATIVE
    ),
    ("interpreted", "full"): NATIVE,
}
"""(kind of evidence, profile) -> what it must show; a stress run is as full. The requirements of faults are
in faulty.py, made of what a launch can show of them."""


# ---- what it costs


def operations(p: Point) -> float:
    """What compiling a point costs, in operations. Not of its size: short types would always be taken."""
    return (gradient(p[0]).length + LAUNCH) * WEIGHT[mode_of(p)] * (1 if telling(p) else MISLEADING)


def launched(p: Point) -> float:
    """What a launch in numpy costs, where nothing is compiled: of equal ones the smaller is less."""
    return (1 + gradient(p[0]).length * 2.0**-16) * (1 if telling(p) else MISLEADING)
