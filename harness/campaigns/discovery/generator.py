"""One discovered generator: its name, formula, charge, the laws that speak of it, and its proof."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import mpmath
import numpy as np

from noether.campaigns.discovery.loss import Loss
from noether.cases.case import Symmetry
from noether.cases.rules import HEAVY_BALL
from noether.laws.exact import EXACT
from noether.mechanics.dual import Dual, Functions
from noether.plan.casefiles.complaint import told
from noether.system.usage import UsageError

POINTS, DIGITS = 3, 50
EXACTLY, ROUNDED = 1e-40, 1e-12
TERMS = 6  # of a formula that is shown


@dataclass(frozen=True)
class Generator:
    """A generator xi(q) = A q + a.

    field  (d, d + 1) = (A | a)
    error  the largest |<g, xi>| / (|g| |xi|) at 50 digits
    """

    field: np.ndarray
    error: float

    @cached_property
    def symmetry(self) -> Symmetry:
        """The generator as a Symmetry of a case; whole numbers are ints."""
        plain = lambda x: int(x) if x == int(x) else float(x)
        rows = [[plain(x) for x in row] for row in self.field]
        return Symmetry(self.name, tuple(tuple(r[:-1]) for r in rows), tuple(r[-1] for r in rows))

    @cached_property
    def name(self) -> str:
        """The name that the catalogue gives such a generator."""
        A, a = self.field[:, :-1], self.field[:, -1]
        diagonal = np.diag(A)
        if not A.any():
            return "translation"
        if np.array_equal(A, -A.T):
            return "rotation"
        if np.array_equal(A, np.diag(diagonal)):
            set_ = diagonal[diagonal != 0]
            kind = "rescale" if set_.min() < 0 < set_.max() else "scale"
            return f"{kind} about a point" if a.any() else kind
        return "general-linear"

    @property
    def is_killing(self) -> bool:
        """Whether it is a Killing field of the Euclidean metric: no kinetic breaking, the charge decays
        without a source."""
        return np.array_equal(self.field[:, :-1], -self.field[:, :-1].T)

    @property
    def proof(self) -> str:
        """How the generator was proven, in words."""
        if self.error <= EXACTLY:
            return "exact"
        return f"to {self.error:.1g}" if self.error <= ROUNDED else f"false: {self.error:.1g}"

    @property
    def holds(self) -> bool:
        """Whether the loss keeps the field, to rounding at 50 digits."""
        return self.error <= ROUNDED

    @property
    def laws(self) -> list[str]:
        """The exact laws of a heavy ball that speak of it (theory.md section 3)."""
        return [k for k, law in EXACT.items() if law.about_symmetry and law.suits(HEAVY_BALL, self.symmetry)]

    @property
    def formula(self) -> str:
        """The generator as a list of moves: q0 += 1, q2 += q3."""
        rows = [
            (i, joined([(x, f"q{j}") for j, x in enumerate(row[:-1])] + [(row[-1], "")]))
            for i, row in enumerate(self.field)
        ]
        return shortened([f"dq{i} = {text}" for i, text in rows if text])

    @property
    def charge(self) -> str:
        """J = <v, xi> over the mass, of the Euclidean metric."""
        terms = [
            (x, f"v{i} q{j}" if j < len(row) - 1 else f"v{i}")
            for i, row in enumerate(self.field)
            for j, x in enumerate(row)
        ]
        return joined(terms)

    @property
    def conserved(self) -> str:
        """What gradient flow conserves: <a, q>, or <q, A q>/2 + <a, q>; '' for a field that is no
        gradient."""
        A, a = self.field[:, :-1], self.field[:, -1]
        if not np.array_equal(A, A.T):
            return ""
        squares = [
            (A[i, i] / 2 if i == j else A[i, j], f"q{i}^2" if i == j else f"q{i} q{j}")
            for i in range(len(A))
            for j in range(i, len(A))
        ]
        return joined([*squares, *((x, f"q{i}") for i, x in enumerate(a))])

    def as_dict(self) -> dict:
        """The generator as plain data for --json."""
        told = {"name": self.name, "A": self.field[:, :-1].tolist(), "a": self.field[:, -1].tolist()}
        told |= {"charge": self.charge, "conserved_by_gradient_flow": self.conserved}
        told |= {"killing": bool(self.is_killing), "laws": self.laws}
        return {**told, "error": self.error, "exact": self.error <= EXACTLY}


def joined(terms: list) -> str:
    """A sum of (coefficient, name); '' when nothing is left."""
    parts = []
    for coefficient, name in terms:
        if coefficient:
            size = abs(coefficient)
            number = "" if size == 1 and name else f"{size:.6g} " if name else f"{size:.6g}"
            parts.append(f"{'-' if coefficient < 0 else '+'} {number}{name}")
    parts = parts if len(parts) <= TERMS + 2 else [*parts[:TERMS], f"+ ... ({len(parts)} terms)"]
    text = " ".join(parts)
    if text.startswith("+ "):
        return text[2:]
    return text.replace("- ", "-", 1) if text.startswith("- ") else text


def shortened(parts: list[str]) -> str:
    """Moves of a generator joined by commas, at most TERMS of them."""
    return ", ".join(parts if len(parts) <= TERMS else [*parts[: TERMS - 1], f"... ({len(parts)} moves)"])


def exact_gradients(loss: Loss, seed: int) -> list[tuple[list, list]]:
    """Pairs (q, grad f(q)) in DIGITS digits, at random points that the null space never saw. Raises
    UsageError."""
    rng, out = np.random.default_rng([seed, 1]), []
    with mpmath.workdps(DIGITS):
        for _ in range(POINTS):
            q = [
                mpmath.mpf(float(low)) + mpmath.mpf(float(high - low)) * int(rng.integers(1, 1009)) / 1009
                for low, high in loss.box
            ]
            duals = [Dual(x, [mpmath.mpf(int(i == j)) for j in range(loss.dim)]) for i, x in enumerate(q)]
            try:
                out.append((q, [mpmath.mpf(g) for g in loss.guarded(duals, Functions(mpmath)).partials]))
            except Exception as error:
                raise UsageError(
                    f"{loss.origin.label}: {loss.name} {told(error, loss.origin)} in 50-digit arithmetic"
                ) from None
    return out


def proven(field: np.ndarray, points: list) -> Generator:
    """The field with its worst relative <grad f, xi>."""
    entries = [(int(i), int(j), float(field[i, j])) for i, j in np.argwhere(field)]
    with mpmath.workdps(DIGITS):
        worst = mpmath.mpf(0)
        for q, g in points:
            xi, one = {}, [*q, mpmath.mpf(1)]
            for i, j, x in entries:
                xi[i] = xi.get(i, 0) + x * one[j]
            value = abs(sum(g[i] * x for i, x in xi.items()))
            size = mpmath.sqrt(sum(x * x for x in g) * sum(x * x for x in xi.values()))
            worst = max(worst, value / size if size else mpmath.mpf(0))
        return Generator(field, float(worst))
