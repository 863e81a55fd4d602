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
from torch.utils._pytree import tree_map

from noether.campaigns.discovery.algebra import divided
from noether.campaigns.discovery.generator import Generator
from noether.campaigns.discovery.nullspace import GAP, Spectrum, shape, solved
from noether.networks.families import GL, TRANSLATION, Family
from noether.networks.twin import Call, NoTwin, gradients_of, outputs, run, twin
from noether.system.usage import UsageError

MOST = 40
"""Trained numbers: 1640 unknowns, whose singular values take about five seconds."""
FRESH = 3
"""Points at which a field that was missed is tried, none of them used to find it."""
LIMIT = 2.0 ** (-29 / 2)
FEW = 8
OUTSIDE = 1e-3
"""Of a field that is no combination of others, as a part of its length: one that is has a part of the order
of the null space's own error, which the gap keeps below 1e-4."""


@dataclass(frozen=True, eq=False)
class Discovered:
    """What brute force found.

    names      of the d numbers, as "fc.weight[0, 1]"
    spectrum   the singular values; None where nothing could be said
    proposed   independent fields of the walk's families
    kept       independent fields that leave the outputs alone, multiples of translations left out
    missed     those that are no combination of the walk's
    undecided  why nothing can be said, or ''
    """

    names: tuple[str, ...]
    spectrum: Spectrum | None = None
    proposed: int = 0
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
        told = {"undecided": self.undecided, "proposed": self.proposed, "kept": self.kept}
        told |= {"gap": seen.gap if seen and np.isfinite(seen.gap) else None, "gap_needed": GAP}
        told["missed"] = [{"kind": g.name, "moves": self.formula(g), "error": g.error} for g in self.missed]
        return told


class Numbers:
    """The trained numbers of a module as one vector, and its gradients in float64 and in float32.

    Raises UsageError where they are more than MOST.
    """

    def __init__(self, model: torch.nn.Module, call: Call):
        self.parameters = {
            name: p for name, p in model.named_parameters() if p.requires_grad and p.is_floating_point()
        }
        self.starts, self.d = {}, 0
        for name, p in self.parameters.items():
            self.starts[name] = self.d
            self.d += p.numel()
        if self.d > MOST:
            raise UsageError(
                f"it has {self.d} numbers that are trained, must have at most {MOST} for --discover, which "
                "tries every affine motion of them"
            )
        self.call = call
        self.twins = [twin(model, dtype).cpu() for dtype in (torch.float64, torch.float32)]
        to_cpu = lambda x: x.detach().cpu() if isinstance(x, torch.Tensor) else x
        self.given = tree_map(to_cpu, (call.args, call.kwargs))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(
            f"{name}[{', '.join(map(str, at))}]" if p.ndim else name
            for name, p in self.parameters.items()
            for at in np.ndindex(*p.shape)
        )

    def vector(self, by_name: dict) -> np.ndarray:
        """(d,) float64 of tensors by name."""
        return np.concatenate([by_name[n].detach().double().cpu().numpy().ravel() for n in self.parameters])

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Where points are drawn: around the parameters, as far as those of a tensor or of all are large."""
        q = self.vector(self.parameters)
        whole = np.sqrt((q * q).mean()) or 1.0
        sizes = [
            np.full(p.numel(), max(float(p.detach().double().square().mean()) ** 0.5, whole))
            for p in self.parameters.values()
        ]
        return q, np.concatenate(sizes)

    def minibatch(self, generator: torch.Generator) -> Call:
        """A fresh call of the same shape, with random numbers and slopes of its own."""
        args, kwargs = tree_map(lambda x: fresh(x, generator), self.given)
        masks = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
        call = Call(args, kwargs, {"cpu": masks.get_state()}, self.call.training)
        with torch.no_grad():
            found = outputs(run(self.twins[1], call, torch.float32))
        call.cotangents = [torch.randn(y.shape, generator=generator) for y in found]
        return call

    def gradients(self, q: np.ndarray, call: Call) -> tuple[np.ndarray, np.ndarray]:
        """In float64 and in float32, (d,) each, at a point that float32 can hold. Raises NoTwin."""
        both = []
        for model, dtype in zip(self.twins, (torch.float64, torch.float32), strict=True):
            own = dict(model.named_parameters())
            with torch.no_grad():
                for name, start in self.starts.items():
                    p = own[name]
                    p.copy_(torch.from_numpy(q[start : start + p.numel()]).reshape(p.shape))
            both.append(self.vector(gradients_of(model, [call], dtype)))
        return both[0], both[1]


def fresh(x, generator: torch.Generator):
    """Another input of the same kind: normal numbers of the same mean and deviation, whole numbers drawn from
    those that are there. A mask or a constant stays as it is."""
    if not isinstance(x, torch.Tensor) or x.dtype == torch.bool or x.is_complex():
        return x
    if not x.is_floating_point():
        at = torch.randint(max(1, x.numel()), x.shape, generator=generator)
        return x.reshape(-1)[at] if x.numel() else x
    if not bool(torch.isfinite(x).all()) or len(x.unique()) <= FEW:
        return x
    return x.mean() + x.std() * torch.randn(x.shape, generator=generator, dtype=x.dtype)


def discovered(model: torch.nn.Module, call: Call, families: Iterable[Family], seed: int) -> Discovered:
    """All affine symmetries of the outputs, and those that these families do not span.

    families  the symmetries that are known, without those of the loss alone
    Raises UsageError where the module has more than MOST trained numbers.
    """
    numbers = Numbers(model, call)
    generator = torch.Generator().manual_seed(seed)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # threads that wait for each other take most of the time of small tensors
        seen, why = measured(numbers, generator, seed)
        if seen is None:
            return Discovered(numbers.names, None, undecided=why)
        return compared(numbers, seen, list(families), generator, seed)
    except NoTwin as error:
        return Discovered(numbers.names, None, undecided=str(error))
    finally:
        torch.set_num_threads(threads)


def measured(numbers: Numbers, generator: torch.Generator, seed: int) -> tuple[Spectrum | None, str]:
    """The spectrum of (1), or why there is none. Raises NoTwin."""
    rows, _ = shape(numbers.d)
    centre, sizes = numbers.box()
    size = float(sizes.max())
    drawn = np.random.default_rng(seed).uniform(-1, 1, (rows, numbers.d))
    points = (centre + sizes * drawn).astype(np.float32).astype(np.float64)
    pairs = [numbers.gradients(q, numbers.minibatch(generator)) for q in points]
    wide, apart = np.array([a for a, _ in pairs]), np.array([a - b for a, b in pairs])
    if not np.isfinite(wide).all() or not np.isfinite(apart).all():
        return None, "a gradient is not finite at points around the parameters"
    y = (points - centre) / size
    length = np.sqrt((wide * wide).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt((apart * apart).sum(axis=1) * ((y * y).sum(axis=1) + 1)) / length
    # The median: where a kink lies between the two precisions, a gradient jumps, and one such row would hide
    # what eps breaks.
    noise = LIMIT * float(np.median(errors[length > 0])) * rows**0.5 if length.any() else 0.0
    seen = solved(wide.T, y.T, centre, size, noise)
    if seen is None:
        return None, "the gradient is zero at every point"
    if not seen.is_clear:
        return None, (
            f"no clear gap: the smallest broken singular value {seen.smallest_broken:.2g} is {seen.gap:.2g} "
            f"times the largest kept, {GAP:g} needed"
        )
    return seen, ""


def compared(
    numbers: Numbers, seen: Spectrum, families: list[Family], generator: torch.Generator, seed: int
) -> Discovered:
    """What the null space has beside the fields of the families. Raises NoTwin."""
    found = divided(seen)
    everything = [*found.translations, *found.killing, *found.symmetric, *found.others]
    known = [f for family in families for f in fields_of(numbers, family)]
    own = basis(seen, known)
    moves = [f for f in known if not f[:, :-1].any()]
    base = basis(seen, [*known, *(m for t in moves for m in multiples(t))])
    missed = []
    for one in sorted(everything, key=np.count_nonzero):
        if beyond(base, seen, one) is not None:
            missed.append(one)
            more = [one] if one[:, :-1].any() else multiples(one)
            base = basis(seen, more, base)
    tried = [proven(numbers, f, generator, seed) for f in missed]
    false = [error for error, unit in tried if error > unit]
    undecided = f"{len(false)} fields of the null space are no symmetries at new points" if false else ""
    named = tuple(Generator(f, error) for f, (error, _) in zip(missed, tried, strict=True))
    return Discovered(numbers.names, seen, len(own), len(everything), named, undecided)


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


def proven(numbers: Numbers, one: np.ndarray, generator: torch.Generator, seed: int) -> tuple[float, float]:
    """The largest <g64, xi> at points that were not used, and the limit of networks/check.py (2), both in
    units of |g||xi|. Raises NoTwin."""
    centre, sizes = numbers.box()
    rng, worst = np.random.default_rng([seed, 1]), (0.0, 1.0)
    for _ in range(FRESH):
        q = (centre + sizes * rng.uniform(-1, 1, numbers.d)).astype(np.float32).astype(np.float64)
        wide, narrow = numbers.gradients(q, numbers.minibatch(generator))
        xi = one @ np.append(q, 1.0)
        unit = np.linalg.norm(wide) * np.linalg.norm(xi) or 1.0
        error, limit = abs(wide @ xi) / unit, LIMIT * float(np.abs(wide - narrow) @ np.abs(xi)) / unit
        if error - limit > worst[0] - worst[1]:
            worst = (float(error), float(limit))
    return worst
