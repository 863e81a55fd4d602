"""All of the discovery for many parameters, in order, and what may be said at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from noether.campaigns.discovery.generator import ROUNDED, Generator
from noether.campaigns.discovery.large.classes import Found, searched
from noether.campaigns.discovery.large.estimate import check, estimate
from noether.campaigns.discovery.large.families import Family, families
from noether.campaigns.discovery.large.fields import Box, Fields
from noether.campaigns.discovery.large.gradients import Exact, Traced, traced
from noether.campaigns.discovery.large.sample import Rows, Sample, iterations, less, rows_of
from noether.campaigns.discovery.large.support import new_ones, on_support
from noether.campaigns.discovery.loss import Loss
from noether.system.outside import plural

AIM = 1e-6
"""Of tau (sample.py (3)): no more iterations are taken."""
ENOUGH = 1e-3
"""Of tau, at which nothing else is said to be there: with another symmetry, once in 1250 times."""
LONG = 5.0
"""Seconds from which on an estimate is told."""
PATIENCE = 20
"""Iterations in which |p|^2 must halve, or else its support is looked at; twice as many for each next one."""
SMALL = (0.05, 0.0)
"""Entries of a sample below this share of the largest are left out, at first."""
ROUNDS = 6
"""Samples: each but the last one found something."""
AT_ROUNDING = 1e-10
"""Of |M p| / |p|: what is left is kept. A field is broken by 1e-12 at least where there is a gap
(nullspace.py), and a sample of many fields has the root mean square of theirs."""

FALSE = "what the points of the small systems keep is not kept at all other points"


@dataclass(frozen=True)
class Rest:
    """What is known of the fields that were not found.

    chance      at most so likely is it that a loss with another symmetry looks as this one
    dimension   where that is large: about so many fields, at most, are left
    broken      and so much the loss breaks a random one of them, 1 for any field
    rows        points, and iterations, of the last sample
    unseen      pairs of parameters of which too few points of their systems told anything
    """

    chance: float
    dimension: float
    broken: float
    rows: int
    iterations: int
    unseen: int

    @property
    def is_nothing(self) -> bool:
        """Whether there is no other symmetry."""
        return self.chance <= ENOUGH


@dataclass
class LargeFinding:
    """What was found: generators one by one, families of rotations, and the rest."""

    generators: list[Generator] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    weak: list[tuple[Generator, float]] = field(default_factory=list)
    rest: Rest | None = None
    undecided: str = ""


def found_in(
    loss: Loss,
    seed: int,
    within: float,
    memory: float,
    tell: Callable[[str], None],
    note: Callable[[str], None],
) -> LargeFinding:
    """The affine symmetries of a loss of many parameters. Raises UsageError, also where that would take more
    than `within` seconds or `memory` gigabytes.

    tell  called with what is being done;  note  with what is to stay in sight
    """
    ready, box = traced(loss), Box.of(loss.box)
    first = check(ready, within, memory)
    if first.seconds > LONG:
        note(f"{loss.dim} parameters: {first.told()}")
    points = ready.exact(seed)
    tell("looking at translations, scales and pairs of parameters")
    classes = searched(ready, box, np.random.default_rng([seed, 2]))
    if classes is None:
        return LargeFinding(undecided="the gradient is zero at every point: a constant loss keeps everything")
    errors = classes.fields.errors(points)
    left = estimate(loss.dim, len(ready.program.ops), classes.others, len(classes.moves))
    tell("looking for all others")
    if left.seconds > LONG:
        found = plural(classes.fields.count, "symmetry", "symmetries")
        note(f"{found} found; looking for others takes {left.told()}")
    more, rest, why = completed(ready, box, classes, seed, tell)
    told = doubt(errors, more.errors(points) if more.count else np.zeros(0), classes, rest, why)
    return put_together(classes, errors, more, points, rest, told)


def put_together(
    classes: Found, errors: np.ndarray, more: Fields, points: list[Exact], rest: Rest, told: str
) -> LargeFinding:
    """Families for many rotations, generators for all else."""
    groups, alone = families(classes.fields, errors, classes.starts[1])
    single = [Generator(classes.fields.one(k), float(errors[k])) for k in np.flatnonzero(alone)]
    single += more.generators(more.errors(points)) if more.count else []
    weak = classes.weak.generators(classes.weak.errors(points)) if classes.weak.count else []
    return LargeFinding(single, groups, list(zip(weak, classes.sizes.tolist(), strict=True)), rest, told)


def completed(
    ready: Traced, box: Box, classes: Found, seed: int, tell: Callable[[str], None]
) -> tuple[Fields, Rest, str]:
    """The fields of no class, what is left, and why that is in doubt, or ''."""
    known, more, why = classes.fields.after(classes.starts[0]) + classes.weak, Fields.none(len(box.half)), ""
    rows = rows_of(ready, box, len(classes.moves), classes.others, np.random.default_rng([seed, 3]))
    if not rows.keeps(classes.fields.after(classes.starts[0]), box, np.random.default_rng([seed, 6])):
        return more, Rest(1.0, float(rows.scale.size), 1.0, len(rows.g), 0, classes.unseen), FALSE
    most = iterations(len(rows.g), rows.scale.size)
    for turn in range(ROUNDS):
        sample = Sample.start(rows, known + more, box, np.random.default_rng([seed, 4, turn]))
        sample.advance(most, AIM / 2, PATIENCE << turn)
        if np.linalg.norm(sample.p) > AIM / 2:
            tell(f"looking where {sample.dimension:.3g} fields are left")
            new, why = read_off(
                sample, classes, known + more, ready, box, np.random.default_rng([seed, 5, turn])
            )
            if new.count and turn < ROUNDS - 1:
                more = more + new
                continue
            sample.advance(most, AIM / 2)
        break
    if more.count and not rows.keeps(more, box, np.random.default_rng([seed, 7])):
        why = FALSE
    return more, rest_of(sample, rows, classes.unseen), why


def read_off(
    sample: Sample, classes: Found, known: Fields, ready: Traced, box: Box, rng: np.random.Generator
) -> tuple[Fields, str]:
    """What the support of a sample holds that is not known: where its largest entries are first, and again
    where those are that are left, until nothing new is there."""
    rows, new, why = sample.rows, Fields.none(known.dim), ""
    for small in SMALL:
        while True:
            left = less(sample.p, rows, known + new, box)
            fields, clear = on_support(rows.outside(left), small, ready, box, rng)
            why = "" if clear else "there is no clear gap where it is largest"
            more = new_ones(fields, rows, classes.moves, known + new, box)
            if not more.count:
                break
            new = new + more
        if new.count:
            break
    return new, why


def rest_of(sample: Sample, rows: Rows, unseen: int) -> Rest:
    """What a sample says of the fields that were not found."""
    chance = min(1.0, sample.bound() * (2 / np.pi) ** 0.5)
    return Rest(chance, sample.dimension, sample.broken, len(rows.g), sample.taken, unseen)


def doubt(errors: np.ndarray, more: np.ndarray, classes: Found, rest: Rest, why: str) -> str:
    """Why nothing can be said of some fields, or ''."""
    false = int((np.concatenate([errors, more]) > ROUNDED).sum())
    if false:
        return f"{false} fields of the null space are no symmetries at new points"
    if classes.unclear:
        return f"no clear gap between kept and broken in {classes.unclear} of the small systems"
    if why == FALSE:
        return FALSE
    if rest.is_nothing:
        return ""
    many = f"there may be others: about {rest.dimension:.3g} are left after {rest.iterations} iterations"
    if rest.broken <= AT_ROUNDING:
        return f"{many}, and a random one of them is kept to {rest.broken:.1g}, but none was told apart"
    return f"{many}, and a random one of them is broken by {rest.broken:.1g}{'; ' if why else ''}{why}"
