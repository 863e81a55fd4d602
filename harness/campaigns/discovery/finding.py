"""The result of a discovery: which symmetries a loss has, or why nothing can be said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from noether.campaigns.discovery import nullspace
from noether.campaigns.discovery.algebra import divided, echelon, rational
from noether.campaigns.discovery.generator import Generator, exact_gradients, proven
from noether.campaigns.discovery.large.estimate import MEMORY, WITHIN
from noether.campaigns.discovery.large.families import Family
from noether.campaigns.discovery.large.finding import Rest, found_in
from noether.campaigns.discovery.loss import DENSE, Loss, meant
from noether.campaigns.discovery.nullspace import GAP, Spectrum, spectrum
from noether.cases import Case
from noether.mechanics.wide import require_wide

CLOSED = 1e-6  # of a bracket outside the null space: a false member leaves a share of order one


@dataclass(frozen=True)
class Weak:
    """A generator that the loss nearly keeps: size is the rms of <g, xi> over |g| and the field's size
    (nullspace.py (1))."""

    generator: Generator
    size: float


@dataclass(frozen=True)
class Finding:
    """What `discover` found.

    loss        what was looked at
    spectrum    the singular values that tell kept fields from broken ones; None of a constant loss
    generators  the symmetries, each with its formula, its charge, and the proof of it at 50 digits
    weak        fields that are nearly kept, each with its size
    undecided   why nothing can be said, or ''
    unclosed    how much of a bracket of two symmetries is no symmetry
    families    of many parameters (large/): the rotations of all pairs of many, beside `generators`
    rest        of many parameters: what is known of all fields that were not found
    """

    loss: Loss
    spectrum: Spectrum | None
    generators: list = field(default_factory=list)
    weak: list = field(default_factory=list)
    undecided: str = ""
    unclosed: float = 0.0
    families: list[Family] = field(default_factory=list)
    rest: Rest | None = None

    @property
    def count(self) -> int:
        """How many independent symmetries there are, the multiples of translations not counted."""
        return len(self.generators) + sum(f.count for f in self.families)

    @property
    def killing(self) -> int:
        """How many of them are Killing fields."""
        return sum(g.is_killing for g in self.generators) + sum(
            f.count for f in self.families if f.is_killing
        )

    @property
    def translations(self) -> int:
        """How many of the generators are translations."""
        return sum(g.name == "translation" for g in self.generators)


def discover(
    loss: Loss | Case | Callable | str,
    seed: int = 0,
    *,
    dim: int | None = None,
    box: tuple[float, float] | None = None,
    within: float = WITHIN,
    memory: float = MEMORY,
    tell: Callable[[str], None] = lambda text: None,
    note: Callable[[str], None] = lambda text: None,
) -> Finding:
    """Every affine symmetry of a loss that nobody declared, with a proof of each, or why nothing can be said.

    loss   a function loss(q, xp), a Case, or a word of the command line: a case of the catalogue,
           FILE.py:NAME
    seed   the points at which gradients are compared derive from it
    dim    how many parameters the function takes; a Case knows
    box    (low, high) of every parameter, where points are drawn: (-1, 1), or the Case's own
    within, memory  seconds and gigabytes that it may take by its estimate, for more than 40 parameters
    tell, note      called with what is being done, and with estimates

    `generators` of what comes back are the fields xi(q) = A q + a that the loss keeps, `weak` those that it
    nearly keeps; `undecided` is the reason where nothing can be said, else ''. Raises
    noether.system.usage.UsageError for wrong input.
    """
    require_wide()
    if not isinstance(loss, Loss):
        loss = meant(loss, dim, None if box is None else ",".join(map(str, box)))
    if loss.dim <= DENSE:
        return of_all(loss, seed)
    found = found_in(loss, seed, within, memory, tell, note)
    if found.undecided and nullspace.memory(loss.dim) <= nullspace.MEMORY:
        seconds = nullspace.seconds(loss.dim)
        note(f"not decided: {found.undecided}; one matrix of all fields decides it in about {seconds:.2g} s")
        return of_all(loss, seed)
    weak = [Weak(*pair) for pair in found.weak]
    return Finding(
        loss, None, found.generators, weak, found.undecided, families=found.families, rest=found.rest
    )


def of_all(loss: Loss, seed: int) -> Finding:
    """The result from one matrix of all affine fields. Raises UsageError where it is too large."""
    seen = spectrum(loss, seed)
    if seen is None:
        return Finding(
            loss, None, undecided="the gradient is zero at every point: a constant loss keeps everything"
        )
    if not seen.is_clear:
        return Finding(
            loss,
            seen,
            undecided=f"no clear gap: the smallest broken singular value {seen.smallest_broken:.2g} is "
            f"{seen.gap:.2g} times the largest kept, {GAP:g} needed",
        )
    points = exact_gradients(loss, seed)
    found = divided(seen)
    generators = [proven(f, points) for f in found.all]
    weak = weakly(seen, points)
    false = [g for g in generators if not g.holds]
    undecided = ""
    if false:
        undecided = (
            f"{len(false)} fields of the null space are no symmetries at new points: {false[0].name}, "
            f"{false[0].proof}"
        )
    elif found.unclosed > CLOSED:
        undecided = f"the fields do not close under brackets: {found.unclosed:.2g} of one is outside"
    return Finding(loss, seen, generators, weak, undecided, found.unclosed)


def weakly(seen: Spectrum, points: list) -> list[Weak]:
    """Fields below a second gap: broken, but weakly; as sparse as their span allows, which is known to its
    own breaking only."""
    if not seen.nearly:
        return []
    end, d = len(seen.values) - seen.kept, len(seen.centre)
    fields = np.array([seen.original(f).ravel() for f in seen.fields[end - seen.nearly : end]])
    tolerance = min(1e-2, max(1e-6, 1e2 * float(seen.values[end - seen.nearly])))
    clean = [rational(row.reshape(d, d + 1), tolerance) for row in echelon(fields, tolerance)]
    return [Weak(proven(f, points), seen.size_of(f)) for f in clean]
