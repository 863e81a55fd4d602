"""What the gradient of a sampled step says: what made it, how far it is rounded, and whether it is
orthogonal to the symmetries of the network.

    g     what the optimizer was given
    g1    the gradient of the network's outputs, done again in the network's own type
    g64   the same in float64

    factor    x = <g, g1>/<g1, g1>: 1/scale under loss scaling, below 1 where it was clipped
    rest      |g - x g1|/|g|: what no factor explains, as a penalty on the parameters, or noise
    rounding  |g1 - g64|/|g64|, by parameter

N3 is the statement of harness/networks/check.py: along each generator g64 has what the eps of normalisations
give, and no more, to 2^(-29/2) of what the rounding of g1 comes to. Where there is more, the outputs are
asked: if a finite move along the generators leaves them alone, to the same part of their own rounding, the
network is symmetric and its gradient is wrong. If not, the network itself breaks the symmetry, by so much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from noether.campaigns.watch.forward import NotJudged
from noether.campaigns.watch.memory import TooLarge, at_most
from noether.networks.check import BITS, UNKNOWN, Checked, check, share
from noether.networks.eps import eps_slopes, explained
from noether.networks.families import Family
from noether.networks.finite import moved
from noether.networks.twin import WIDE, Call, NoTwin, gradients_of, outputs, run, twin
from noether.verdicts.judgement import Worst, worst

NEAR = 2.0**-10
"""The part of its reach by which the planted fault has a gradient along each generator."""
Numbers = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Along:
    """What a gradient has along one family.

    worst    the generator that spends most of its bound, of g64
    planted  the same of a gradient that has NEAR of its reach along each generator
    power    the smallest part of the reach that would have been seen, of the generator seen worst; inf where
             nothing could be
    share    of the gradient in its own type: the largest part of its reach that it has along a generator
    broken   the same of g64 without what eps explains, where the outputs change along the generators
    """

    family: Family
    worst: Worst
    planted: Worst
    power: float
    share: float
    broken: float | None = None


@dataclass(frozen=True)
class Slopes:
    """What one sampled gradient says. factor and rest are as above; `repeats` where the rest is rounding."""

    factor: float
    rest: float
    repeats: bool
    calls: int
    rounding: dict[str, float] = field(default_factory=dict)
    along: tuple[Along, ...] = ()


def slopes(
    model: torch.nn.Module, calls: Sequence[Call], given: Numbers, families: Sequence[Family], limit: int
) -> Slopes:
    """What is to be said of the gradient `given`, by the parameters' names. Raises NotJudged."""
    held = 3 * 8 * sum(p.numel() for p in model.parameters())
    if held > limit:
        raise NotJudged(f"a copy in float64 takes {held / 2**20:.0f} MiB, the limit is {limit / 2**20:g} MiB")
    try:
        with gradients_aside(model), at_most(limit - held):
            same = twin(model, None)
            once = [gradients_of(same, [call], None) for call in calls]
        own = {name: sum(x[name] for x in once) for name in once[0]}
        factor, rest, repeats = explained_by(given, own, once)
        if bits_of(model) == BITS[WIDE]:  # no wider numbers are beside it
            return Slopes(factor, rest, repeats, len(calls))
        with gradients_aside(model), at_most(limit - held):
            wide, eps = eps_slopes(model, calls)
    except TooLarge:
        raise NotJudged(f"a copy in float64 keeps more than {limit / 2**20:g} MiB") from None
    except NoTwin as error:
        raise NotJudged(str(error)) from None
    rounding = {name: relative(own[name].to(WIDE) - wide[name], wide[name]) for name in given}
    host = lambda x: {name: y.detach().cpu() for name, y in x.items()}
    numbers = host(own), host(wide), host({name: p.to(WIDE) for name, p in model.named_parameters()})
    asked = [f for f in families if all(name in given for name in f.parameters)]
    eps = {name: x.cpu() for name, x in eps.items()}
    bits = bits_of(model)
    found = tuple(along(model, calls, check(f, *numbers, explained(f, eps), bits)) for f in asked)
    return Slopes(factor, rest, repeats, len(calls), rounding, found)


@contextmanager
def gradients_aside(model: torch.nn.Module):
    """A context in which parameters have no gradients: copies are smaller, and none is ever added to."""
    kept = [(p, p.grad) for p in model.parameters()]
    try:
        for p, _ in kept:
            p.grad = None
        yield
    finally:
        for p, g in kept:
            p.grad = g


def bits_of(model: torch.nn.Module) -> int:
    """The bits of the widest type of a network's parameters."""
    return max(BITS.get(p.dtype, 0) for p in model.parameters() if p.is_floating_point())


def explained_by(given: Numbers, own: Numbers, once: Sequence[Numbers]) -> tuple[float, float, bool]:
    """x, the rest, and whether the rest is no more than adding up the calls and three factors round.

    A sum of c calls rounds c - 1 times, and x itself is known to one rounding: the sum of |g1| over the calls
    is what can be off. Raises NotJudged.
    """
    inner = lambda a, b: float(sum((a[n].to(WIDE) * b[n].to(WIDE)).sum() for n in given))
    square = inner(own, own)
    if not square > 0:
        raise NotJudged("the gradient of the network's outputs is 0")
    factor = inner(given, own) / square
    repeats, rest = True, 0.0
    for name, g in given.items():
        off = (g.to(WIDE) - factor * own[name].to(WIDE)).abs()
        size = sum(x[name].to(WIDE).abs() for x in once) * abs(factor)
        unit, least = torch.finfo(g.dtype).eps / 2, torch.finfo(g.dtype).tiny
        repeats = repeats and bool((off <= (len(once) + 4) * unit * size + least).all())
        rest += float(off.square().sum())
    whole = inner(given, given)
    return factor, (rest / whole) ** 0.5 if whole > 0 else float(rest > 0), repeats


def relative(off: torch.Tensor, whole: torch.Tensor) -> float:
    """|off| over |whole|, 0 where nothing is off."""
    a, b = float(off.norm()), float(whole.norm())
    return 0.0 if a == 0 else a / b if b > 0 else float("inf")


def along(model: torch.nn.Module, calls: Sequence[Call], x: Checked) -> Along:
    """What the gradient has along one family."""
    bound, eps = x.limit * x.unit, 0.0 if x.eps is None else x.eps.numpy()
    at = worst(x.slope.numpy(), eps, bound.numpy())
    planted = worst((x.slope + NEAR * x.size).numpy(), eps, bound.numpy())
    moves = x.size > 0
    if x.verdict == UNKNOWN or not moves.any():
        return Along(x.family, at, planted, float("inf"), 0.0)
    told = dict(power=float((bound[moves] / x.size[moves]).max()), share=share(x.own, x.size))
    if at.spent <= 1 or not changes(model, calls, x.family, x.limit):
        return Along(x.family, at, planted, **told)
    return Along(x.family, at, planted, **told, broken=x.unexplained)


def changes(model: torch.nn.Module, calls: Sequence[Call], family: Family, limit: float) -> bool:
    """Whether a finite move along the family changes the outputs in float64, by more than `limit` of what
    they round in the network's own type, which is its unit roundoff times their size at least."""
    wide = twin(model)
    there = dict(wide.named_parameters())
    unit = 2.0 ** -bits_of(model)
    for call in calls:
        with torch.no_grad():
            before = outputs(run(wide, call))
            kept = {name: there[name].clone() for name in family.parameters}
            put(there, moved(family, kept))
            after = outputs(run(wide, call))
            put(there, kept)
        for a, b in zip(before, after, strict=True):
            if a.numel() and not bool((a - b).abs().max() <= limit * unit * a.abs().max()):
                return True
    return False


def put(there: Mapping[str, torch.Tensor], values: Numbers) -> None:
    """Write values into parameters."""
    for name, value in values.items():
        there[name].copy_(value)
