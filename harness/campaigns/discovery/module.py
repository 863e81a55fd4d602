"""All affine symmetries of a small module of PyTorch, by brute force: what a walk through it may have missed.

The trained parameters are one vector q of d numbers. At many points q_i, each with a fresh minibatch x_i and
a fresh slope c_i of the loss along the outputs, the gradient in float64 is one row of

    <g_i, A q_i + a> = 0,    g_i = J(q_i; x_i)^T c_i,                                                      (1)

whose solutions (A | a) are all affine fields that leave the outputs alone, whatever the data and the loss
are (nullspace.py). What errors of the gradients can make of a singular value is seen from float32, as in
networks/check.py: with E the system of g32 - g64 in place of g, a symmetry has at most 2^-29 ||E|| and is
kept up to the middle, 2^(-29/2) ||E||; between kept and broken there must be a gap besides.

A walk's families are fields, too, and so are the multiples of a translation by affine functions. What is in
the null space and not in their span was missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch

from noether.campaigns.discovery.algebra import divided
from noether.campaigns.discovery.generator import Generator
from noether.campaigns.discovery.nullspace import GAP, Spectrum, shape, solved
from noether.campaigns.discovery.numbers import Numbers, Sample
from noether.networks.families import GL, TRANSLATION, Family
from noether.networks.twin import Call, NoTwin

FRESH = 64
"""Points at which what is kept is tried, none of them used to find it."""
ENOUGH = 3
"""Of them those at which a gradient must come to a number, or nothing is said of what moves it."""
MORE, MOST_ROWS = 3, 9
"""Where units are on at few of the points, there are so many times more of them, and at most so many."""
ENTRIES = 2e7
"""Of the largest system: 160 MB."""
THIN = "fields of the null space are no symmetries at new points"
LIMIT = 2.0 ** (-29 / 2)
OUTSIDE = 1e-3
"""Of a field that is no combination of others, as a part of its length: one that is has a part of the order
of the null space's own error, which the gap keeps below 1e-4."""


@dataclass(frozen=True, eq=False)
class Discovered:
    """What brute force found.

    names      of the d numbers, as "fc.weight[0, 1]"
    spectrum   the singular values; None where nothing could be said
    kept       independent generators, multiples of translations left out
    missed     those that are no combination of the walk's
    undecided  why nothing can be said, or ''
    """

    names: tuple[str, ...]
    spectrum: Spectrum | None = None
    kept: int = 0
    missed: tuple[Generator, ...] = field(default=())
    undecided: str = ""

    def formula(self, generator: Generator) -> str:
        """By how much a generator moves which number, by name."""
        by = re.sub(r"dq(\d+) =", r"q\1 by", generator.formula)
        return re.sub(r"q(\d+)", lambda found: self.names[int(found[1])], by)

    def plain(self) -> dict:
        """The result as plain data for --json."""
        seen = self.spectrum
        told = {"undecided": self.undecided, "kept": self.kept}
        told |= {"gap": seen.gap if seen and np.isfinite(seen.gap) else None, "gap_needed": GAP}
        told["missed"] = [{"kind": g.name, "moves": self.formula(g), "error": g.error} for g in self.missed]
        return told


def discovered(
    model: torch.nn.Module, call: Call, exact: Iterable[Family], nearly: Iterable[Family], seed: int
) -> Discovered:
    """All affine symmetries of the outputs, and those that the families of a walk do not span.

    exact, nearly  the families that are symmetries, and those that eps breaks; none of the loss alone
    Raises UsageError where the module has more than numbers.MOST trained numbers.
    """
    numbers = Numbers(model, call)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # threads that wait for each other take most of the time of small tensors
        known = [[f for one in some for f in fields_of(numbers, one)] for some in (exact, nearly)]
        return settled(numbers, *known, rng, generator)
    except NoTwin as error:
        return Discovered(numbers.names, None, undecided=str(error))
    finally:
        torch.set_num_threads(threads)


def settled(numbers: Numbers, exact: list, nearly: list, rng, generator) -> Discovered:
    """What is found, with more points where those were too few. Raises NoTwin."""
    fresh = numbers.sample(FRESH, rng, generator)
    rows, unknowns = shape(numbers.d)
    at = numbers.sample(rows, rng, generator)
    while True:
        seen, why = measured(numbers, at)
        if seen is None:
            return Discovered(numbers.names, undecided=why)
        made = compared(numbers, seen, exact, nearly, fresh)
        many = MORE * len(at.points)
        if THIN not in made.undecided or many > MOST_ROWS * rows or many * unknowns > ENTRIES:
            return made
        at = at.and_also(numbers.sample(many - len(at.points), rng, generator))


def measured(numbers: Numbers, at: Sample) -> tuple[Spectrum | None, str]:
    """The spectrum of (1), or why there is none."""
    if not at.is_finite:
        return None, "a gradient is not finite at points around the parameters"
    centre = at.points.mean(axis=0)
    size = float(np.abs(at.points - centre).max())
    y, length = (at.points - centre) / size, np.sqrt((at.wide**2).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt((at.apart**2).sum(axis=1) * ((y * y).sum(axis=1) + 1)) / length
    # The median: where a kink lies between the two precisions, a gradient jumps, and one such row would hide
    # what eps breaks.
    noise = LIMIT * float(np.median(errors[length > 0])) * len(y) ** 0.5 if length.any() else 0.0
    seen = solved(at.wide.T, y.T, centre, size, noise)
    if seen is None:
        return None, "the gradient is zero at every point"
    if not seen.is_clear:
        return None, (
            f"no clear gap: the smallest broken singular value {seen.smallest_broken:.2g} is {seen.gap:.2g} "
            f"times the largest kept, {GAP:g} needed"
        )
    return seen, ""


def compared(numbers: Numbers, seen: Spectrum, exact: list, nearly: list, fresh: Sample) -> Discovered:
    """What the null space has beside the fields of the families, and whether it has all that are exact."""
    found = divided(seen)
    everything = [*found.translations, *found.killing, *found.symmetric, *found.others]
    null = seen.null.reshape(seen.kept, numbers.d * (numbers.d + 1))
    lost = sum(beyond(null, seen, f) is not None for f in exact)
    moves = [m for f in exact if not f[:, :-1].any() for m in multiples(f)]
    base = walked = basis(seen, [*exact, *nearly, *moves])
    missed = []
    for one in sorted(everything, key=np.count_nonzero):
        if beyond(base, seen, one) is not None:
            missed.append(one)
            base = basis(seen, [one] if one[:, :-1].any() else multiples(one), base)
    tried = [proven(one, fresh) for one in missed]
    named = tuple(Generator(f, error) for f, (error, _) in zip(missed, tried, strict=True))
    rare = np.flatnonzero((fresh.wide != 0).sum(axis=0) < ENOUGH)
    free = np.eye(numbers.d)[rare]  # unless they are known to be moved at will, as a bias of keys is
    rare = [j for j, e in zip(rare, free, strict=True) if beyond(walked, seen, constant(e)) is not None]
    why = doubt(numbers, lost, rare, [is_kept for _, is_kept in tried])
    return Discovered(numbers.names, seen, len(everything), () if why else named, why)


def constant(e: np.ndarray) -> np.ndarray:
    """The translation along a vector, as a field."""
    return np.column_stack([np.zeros((len(e), len(e))), e])


def doubt(numbers: Numbers, lost: int, rare: list[int], holds: list[bool]) -> str:
    """Why nothing can be said although there is a gap; '' where something can.

    lost   exact generators of the walk that are not in the null space
    rare   numbers to which a gradient seldom comes;  holds  for each field that was missed, at new points
    """
    if lost:
        return f"{lost} generators that are kept on the given inputs are not kept on others"
    if rare:
        told = " ".join(numbers.names[j] for j in rare[:ENOUGH])
        return f"a gradient seldom reaches {told}{' and others' if len(rare) > ENOUGH else ''}"
    if not all(holds):
        return f"{holds.count(False)} {THIN}"
    return ""


def fields_of(numbers: Numbers, family: Family) -> list[np.ndarray]:
    """The generators of a family as fields (A | a), (d, d + 1) each."""
    d, out = numbers.d, {}
    for part in family.parts:
        at = part.where.numpy() + numbers.starts[part.parameter]
        for i in range(family.n):
            if family.kind == GL:
                for j in range(family.n):  # A with a single 1 at (i, j): x_i moves by y_j, or against
                    one = out.setdefault((i, j), np.zeros((d, d + 1)))
                    to, by = (at[i], at[j]) if part.sign > 0 else (at[j], at[i])
                    one[to, by] += part.sign
            elif family.kind == TRANSLATION:
                out.setdefault(i, np.zeros((d, d + 1)))[at[i], d] += part.sign
            else:
                out.setdefault(i, np.zeros((d, d + 1)))[at[i], at[i]] += part.sign
    return list(out.values())


def multiples(translation: np.ndarray) -> list[np.ndarray]:
    """A translation times each parameter, and times 1: symmetries that say nothing new."""
    return [np.outer(translation[:, -1], e) for e in np.eye(translation.shape[1])]


def basis(seen: Spectrum, fields: list[np.ndarray], start: np.ndarray | None = None) -> np.ndarray:
    """An orthonormal basis (r, d (d + 1)) of fields in the coordinates of the spectrum, after a first."""
    d = len(seen.centre)
    start = np.zeros((0, d * (d + 1))) if start is None else start
    rows, r = np.concatenate([start, np.zeros((len(fields), d * (d + 1)))]), len(start)
    for one in fields:
        rest = beyond(rows[:r], seen, one)
        if rest is not None:
            rows[r], r = rest, r + 1
    return rows[:r]


def beyond(base: np.ndarray, seen: Spectrum, one: np.ndarray) -> np.ndarray | None:
    """The direction in which a field leaves a span; None where it is in it."""
    flat = seen.scaled(one).ravel()
    rest = flat - base.T @ (base @ flat)
    rest = rest - base.T @ (base @ rest)
    length = np.linalg.norm(rest)
    return rest / length if length > OUTSIDE * np.linalg.norm(flat) else None


def proven(one: np.ndarray, fresh: Sample) -> tuple[float, bool]:
    """The largest <g64, xi> at new points, in units of |g||xi|, and whether each is within the limit of
    networks/check.py (2)."""
    xi = np.column_stack([fresh.points, np.ones(len(fresh.points))]) @ one.T
    along = np.abs((fresh.wide * xi).sum(axis=1))
    unit = np.linalg.norm(fresh.wide, axis=1) * np.linalg.norm(xi, axis=1)
    limit = LIMIT * (np.abs(fresh.apart) * np.abs(xi)).sum(axis=1)
    return float((along[unit > 0] / unit[unit > 0]).max(initial=0.0)), bool((along <= limit).all())
