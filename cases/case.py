"""What a case is: a loss, a breaking potential, a metric and the symmetries they are claimed to have.

A case is written once, as arithmetic over a namespace: `loss(q, xp)` takes a sequence of d scalars (or of
arrays, one entry per lane) and a namespace with `exp`, `log`, `sqrt` and `step` (1 where x > 0, else 0). The
same lines run under numpy, torch, mpmath and sympy, and under the tracer that makes kernels of them. Nobody
writes a gradient by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from noether.cases.declared import LONGEST, CaseError, brief, check_dim, check_line, is_finite, rows_of

EUCLIDEAN, DIAGONAL, BREGMAN = "euclidean", "diagonal", "bregman"


@dataclass(frozen=True)
class Symmetry:
    """An affine generator xi(q) = A q + a, dQ/ds at s = 0.

    name   one word of the catalogue: translation, scale, rotation, rescale, general-linear
    A      (d, d) numbers;  a  (d,) numbers

    Raises CaseError where A is not (d, d), or where both are zero. `translation`, `linear`, `scale` and
    `rotation` of this module write the usual ones.
    """

    name: str
    A: tuple[tuple[float, ...], ...]
    a: tuple[float, ...]

    def __post_init__(self):
        check_line("symmetry: name", self.name, LONGEST)
        where = f"symmetry {self.name}"
        if not isinstance(self.a, Sequence | np.ndarray) or not all(map(is_finite, self.a)):
            raise CaseError(f"{where}: a is {brief(self.a)}, must be a tuple of finite numbers")
        rows = rows_of(f"{where}: A", self.A)
        if len(rows) != len(self.a):
            raise CaseError(
                f"{where}: A is {len(rows)}x{len(rows)} but a has {len(self.a)} entries: A must be "
                f"{len(self.a)}x{len(self.a)}"
            )
        object.__setattr__(self, "A", rows)
        object.__setattr__(self, "a", tuple(self.a))
        if not np.any(self.matrix) and not np.any(self.shift):
            raise CaseError(f"symmetry {self.name}: A and a are zero: a generator must move something")

    def __hash__(self) -> int:
        """Of A and a, once: of many parameters A is large, and every cache asks. Names would differ from
        process to process."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.A, self.a))

    @cached_property
    def matrix(self) -> np.ndarray:
        """A as an array (d, d) of float64, read only."""
        found = np.array(self.A, dtype=float)
        found.flags.writeable = False
        return found

    @cached_property
    def sizes(self) -> np.ndarray:
        """|A| as an array (d, d) of float64, read only."""
        found = np.abs(self.matrix)
        found.flags.writeable = False
        return found

    def __getstate__(self) -> dict:
        """What travels: not what follows from it."""
        return {name: getattr(self, name) for name in ("name", "A", "a")}

    @property
    def shift(self) -> np.ndarray:
        """a as an array (d,) of float64."""
        return np.array(self.a, dtype=float)

    @property
    def is_translation(self) -> bool:
        """Whether A is zero: the generator moves all points alike."""
        return not np.any(self.matrix)

    @property
    def is_rotation(self) -> bool:
        """Whether A is antisymmetric and a zero: then xi is a Killing field of the Euclidean metric."""
        A = self.matrix
        return bool(np.any(A)) and not np.any(self.shift) and np.array_equal(A, -A.T)

    @property
    def is_symmetric(self) -> bool:
        """Whether A is symmetric and a zero: then gradient flow has the charge <q, Aq>/2."""
        A = self.matrix
        return bool(np.any(A)) and not np.any(self.shift) and np.array_equal(A, A.T)

    def generator(self, q: Sequence) -> list:
        """The d entries of xi(q), of the type of those of q."""
        out = []
        for row, shift in zip(self.A, self.a, strict=True):
            terms = [x if c == 1 else -x if c == -1 else c * x for c, x in zip(row, q, strict=True) if c]
            value = sum(terms[1:], terms[0]) if terms else 0 * q[0]
            out.append(value + shift if shift else value)
        return out


def translation(direction: Sequence[float], name: str = "translation") -> Symmetry:
    """The symmetry xi(q) = direction: the loss does not change along it."""
    d = len(direction)
    return Symmetry(name, tuple((0,) * d for _ in range(d)), tuple(direction))


def linear(A, name: str) -> Symmetry:
    """The symmetry xi(q) = A q of a (d, d) matrix, under a name."""
    whole = lambda x: int(x) if x == int(x) else float(x)
    rows = tuple(tuple(whole(x) if x else 0 for x in row) for row in rows_of(f"symmetry {brief(name)}: A", A))
    return Symmetry(name, rows, (0,) * len(rows))


def scale(d: int) -> Symmetry:
    """The symmetry xi(q) = q of d parameters: the loss does not change with the length of q."""
    check_dim(f"scale({brief(d)})", d)
    return linear(np.eye(d), "scale")


def rotation(d: int, i: int, j: int) -> Symmetry:
    """The symmetry that turns e_i into e_j, of d parameters. Raises CaseError where i and j do not fit."""
    check_dim(f"rotation({brief(d)}, {brief(i)}, {brief(j)})", d, i, j)
    if not (0 <= i < d and 0 <= j < d and i != j):
        raise CaseError(f"rotation({d}, {i}, {j}): i and j must differ and lie in 0 .. {d - 1}")
    A = np.zeros((d, d))
    A[j, i], A[i, j] = 1, -1
    return linear(A, f"rotation-{i}{j}" if d > 2 else "rotation")


@dataclass(frozen=True)
class Metric:
    """The kinetic energy of the learning rule: Metric() is Euclidean, Metric(DIAGONAL, entries=f),
    Metric(BREGMAN, potential=h).

    euclidean   T = (m/2) |qdot|^2
    diagonal    T = (m/2) sum_i G_i(q) qdot_i^2,  entries(q, kappa, xp) -> d entries of G
    bregman     T = the Bregman divergence of potential(q, xp), theory.md#T2

    simplex     the parameters are positive and sum to 1: starts are normalised, and of a Bregman rule's
                charges only
                those with <1, xi> = 0 are kept (theory.md#D7)

    Raises CaseError for another kind, or where the function of the kind is missing.
    """

    kind: str = EUCLIDEAN
    entries: Callable | None = None
    potential: Callable | None = None
    simplex: bool = False

    def __post_init__(self):
        needs = {EUCLIDEAN: None, DIAGONAL: "entries", BREGMAN: "potential"}
        if not isinstance(self.kind, str) or self.kind not in needs:
            raise CaseError(f"metric kind is {brief(self.kind)}, must be one of {list(needs)}")
        if needs[self.kind] and getattr(self, needs[self.kind]) is None:
            raise CaseError(f"metric kind is {self.kind!r} but {needs[self.kind]} is missing")
        for name in ("entries", "potential"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise CaseError(f"metric {name} is {brief(getattr(self, name))}, must be a function")
        if not isinstance(self.simplex, bool):
            raise CaseError(f"metric simplex is {brief(self.simplex)}, must be True or False")
        if self.simplex and self.kind != BREGMAN:
            raise CaseError(
                f"metric kind is {self.kind!r} on the simplex: must be {BREGMAN!r}, its rule alone stays "
                "there"
            )


@dataclass(frozen=True)
class Case:
    """One claim: `loss` keeps `symmetries`, `breaking` breaks at least one of them.

    name        lower case, words joined by hyphens; unique in CATALOG
    title       one line;  source  author, year, equation, or how it was derived
    loss        loss(q, xp) -> scalar, q a sequence of d scalars
    breaking    b(q, xp) -> scalar; the loss under test is loss + eps * breaking
    box         ((low, high), ...) of length d: where starts are drawn, inside the domain of the loss
    kick        the size of the start displacement v_0, relative to the box (per entry, normal)
    pace        a power of two: step sizes are multiplied by it, so that a stiffer loss stays in range; None
                has the harness
                derive it from the largest curvature on the box
    scale_free  True when loss(a q) = loss(q): the covariance theory.md#D13 applies
    symmetries  at least one Symmetry of d parameters that the loss keeps, with different names
    metric      the kinetic energy of the learning rule; Euclidean unless said
    kinks       kinks(q, xp) -> the arguments of every `step` in the loss: where one is 0 the loss has a kink,
                and what is
                said of solutions that meet it ends (theory.md section 8)
    samples     samples(q, xp) -> the losses of single samples, whose mean is the loss: minibatches,
                theory.md#D9

    Raises CaseError where the fields contradict each other; what the functions do is tried out by `noether
    verify`.
    """

    name: str
    title: str
    source: str
    loss: Callable
    breaking: Callable
    box: tuple[tuple[float, float], ...]
    symmetries: tuple[Symmetry, ...]
    metric: Metric = field(default_factory=Metric)
    kick: float = 0.02
    pace: float | None = None
    scale_free: bool = False
    kinks: Callable | None = None
    samples: Callable | None = None

    def __post_init__(self):
        check_line("case: name", self.name, LONGEST)
        for name in ("title", "source"):
            check_line(f"case {self.name}: {name}", getattr(self, name), 10 * LONGEST, least=0)
        self.check_fields()
        if not self.symmetries:
            raise CaseError(f"case {self.name}: no symmetry is declared: there is no charge to test")
        if not self.box:
            raise CaseError(
                f"case {self.name}: box is empty: it must have an interval (low, high) for each parameter"
            )
        for low, high in self.box:
            if (
                not is_finite(low)
                or not is_finite(high)
                or not low < high
                or not is_finite(float(high) - float(low))
            ):
                raise CaseError(
                    f"case {self.name}: box has ({brief(low)}, {brief(high)}), must be two finite numbers "
                    "with low < high"
                )
        for symmetry in self.symmetries:
            if len(symmetry.a) != self.dim:
                raise CaseError(
                    f"case {self.name}: symmetry {symmetry.name} acts on {len(symmetry.a)} parameters but "
                    f"box has {self.dim}"
                )
        names = [s.name for s in self.symmetries]
        if len(set(names)) != len(names):
            raise CaseError(f"case {self.name}: symmetries are named {names}: names must differ")
        if self.metric.simplex and not all(low > 0 for low, _ in self.box):
            raise CaseError(f"case {self.name}: box is {self.box}: on the simplex every low must be above 0")

    def check_fields(self) -> None:
        """Refuse a field that is not of its kind. Raises CaseError."""

        def refuse(name, must):
            raise CaseError(f"case {self.name}: {name} is {brief(getattr(self, name))}, must be {must}")

        for name in ("loss", "breaking", "kinks", "samples"):
            value = getattr(self, name)
            if not callable(value) and not (value is None and name in ("kinks", "samples")):
                refuse(name, f"a function {name}(q, xp)")
        if not isinstance(self.metric, Metric):
            refuse("metric", "a Metric(...)")
        if not isinstance(self.symmetries, tuple | list) or not all(
            isinstance(s, Symmetry) for s in self.symmetries
        ):
            refuse("symmetries", "a tuple of Symmetry")
        if not isinstance(self.box, tuple | list) or not all(
            isinstance(b, tuple | list) and len(b) == 2 for b in self.box
        ):
            refuse("box", "a tuple of (low, high)")
        object.__setattr__(self, "symmetries", tuple(self.symmetries))
        object.__setattr__(self, "box", tuple(tuple(b) for b in self.box))
        if not is_finite(self.kick) or not self.kick > 0:
            refuse("kick", "a finite number above 0")
        if self.pace is not None and not (
            is_finite(self.pace) and self.pace > 0 and np.frexp(float(self.pace))[0] == 0.5
        ):
            refuse("pace", "a power of two, as in 0.25")
        if not isinstance(self.scale_free, bool):
            refuse("scale_free", "True or False")

    @property
    def dim(self) -> int:
        """How many parameters the loss has."""
        return len(self.box)

    def total(self, q, eps, xp):
        """The potential of every equation here, loss + eps * breaking."""
        return self.loss(q, xp) + eps * self.breaking(q, xp)

    def draw(self, rng: np.random.Generator, lanes: int) -> np.ndarray:
        """Random starts (d, lanes) float64, uniform in the box; on the simplex divided by their sum."""
        low, high = np.array(self.box, dtype=float).T
        q = low[:, None] + (high - low)[:, None] * rng.random((self.dim, lanes))
        return q / q.sum(axis=0) if self.metric.simplex else q
