"""Arrays of numbers in a loss: what `xp.array` gives, so that a loss of many parameters can say what it
repeats.

    U = xp.array(q[:512], (32, 16));  R = U @ V.T - xp.constant(Y);  xp.sum(R * R) / 2

An array has a shape and the operations + - * / @ ** with arrays and numbers, by numpy's rules of
broadcasting; indices and slices, `.T`, `.reshape`; and xp.exp, xp.log, xp.sqrt, xp.step, xp.sum take it.
Numbers of a data set are xp.constant(...): an array of numpy beside a parameter may be one number on many
lanes. Sums, those of a matrix product too, are added from the first term to the last one: every backend must
add in one order.

`Array` is what all kinds share; `Grid` is an array of whatever numbers a loss is given. The traced kind,
which becomes loops of a kernel, is kernels/programs/array_trace.py, the one of wide gradients
harness/mechanics/reverse.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.kernels.programs.operations import OPERATIONS
from noether.kernels.programs.tape import HIGHEST_POWER


def both(name: str) -> tuple[Callable, Callable]:
    """An operator of arrays, and the one that Python asks where the array stands on the right."""
    return (
        lambda self, other: self.paired(name, other),
        lambda self, other: self.paired(name, other, reflected=True),
    )


class Array:
    """What arrays of every kind share: shapes, operators and sums, made of a few functions of a kind.

    A kind has: shape; viewed(change), where change takes an array of numpy with the axes of `shape` first and
    gives another one; lifted(x), an array of the kind from a number or an array of numbers; and
    entered(name, *operands), an operation on arrays of one shape.
    """

    __slots__ = ()
    __array_ufunc__ = None  # an array of numpy's on the left leaves the operation to ours
    shape: tuple[int, ...]

    # ---- shapes

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return int(np.prod(self.shape, dtype=int))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("an array without axes has no length")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, which):
        return self.viewed(lambda x: x[which])

    @property
    def T(self):
        """The array with its axes reversed."""
        return self.viewed(lambda x: x.transpose(*range(self.ndim)[::-1], *range(self.ndim, x.ndim)))

    def reshape(self, *shape):
        """The same numbers, row by row, in another shape."""
        to = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        if -1 not in to and int(np.prod(to, dtype=int)) != self.size:
            raise ValueError(
                f"{self.size} numbers have shape {self.shape}: must be as many as {tuple(to)} has"
            )
        known = int(np.prod([n for n in to if n != -1], dtype=int))
        whole = tuple(self.size // known if n == -1 else n for n in to)
        return self.viewed(lambda x: x.reshape((*whole, *x.shape[self.ndim :])))

    def spread(self, shape: tuple[int, ...]):
        """The array repeated to a shape, as numpy broadcasts."""
        more = len(shape) - self.ndim

        def change(x):
            rest = x.shape[self.ndim :]
            return np.broadcast_to(x.reshape((1,) * more + x.shape), (*shape, *rest))

        return self if shape == self.shape else self.viewed(change)

    # ---- operators

    def paired(self, name: str, other, reflected: bool = False):
        """An operation with another array or number, both repeated to one shape."""
        other = self.lifted(other)
        if other is None:
            return NotImplemented
        a, b = (other, self) if reflected else (self, other)
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise ValueError(
                f"arrays of shapes {a.shape} and {b.shape} in a {OPERATIONS[name].infix} b: must be "
                "equal, or 1 where they differ"
            ) from None
        return a.entered(name, a.spread(shape), b.spread(shape))

    __add__, __radd__ = both("add")
    __sub__, __rsub__ = both("sub")
    __mul__, __rmul__ = both("mul")
    __truediv__, __rtruediv__ = both("div")

    def __neg__(self):
        return self.entered("neg", self)

    def __pos__(self):
        return self

    def __pow__(self, power):
        if not isinstance(power, int | np.integer) or not 1 <= power <= HIGHEST_POWER:
            raise ValueError(f"power is {power!r}: must be a whole number from 1 to {HIGHEST_POWER}")
        out = self
        for _ in range(power - 1):
            out = out * self
        return out

    # ---- sums

    def sum(self, axis: int | None = None):
        """The sum of all numbers, or along an axis, from the first to the last."""
        flat = self.reshape(self.size) if axis is None else self.along(axis)
        return flat.folded()

    def mean(self, axis: int | None = None):
        """The sum over its number of terms."""
        return self.sum(axis) / (self.size if axis is None else self.shape[axis])

    def along(self, axis: int):
        """The array with an axis made its first one."""
        if not -self.ndim <= axis < self.ndim:
            raise ValueError(f"axis is {axis} of an array of shape {self.shape}: must be one of its axes")
        axis %= self.ndim
        return self if not axis else self.viewed(lambda x: np.moveaxis(x, axis, 0))

    def folded(self):
        """The sum along the first axis, term after term. Raises ValueError where it has none."""
        if not len(self):
            raise ValueError(f"a sum of an array of shape {self.shape}: must have a term at least")
        out = self[0]
        for i in range(1, len(self)):
            out = out + self[i]
        return out

    def __matmul__(self, other):
        return self.multiplied(other)

    def __rmatmul__(self, other):
        other = self.lifted(other)
        return NotImplemented if other is None else other.multiplied(self)

    def multiplied(self, other):
        """The matrix product, of vectors the inner product."""
        other = self.lifted(other)
        if other is None:
            return NotImplemented
        if not 1 <= self.ndim <= 2 or not 1 <= other.ndim <= 2 or self.shape[-1] != other.shape[0]:
            raise ValueError(
                f"matrices of shapes {self.shape} and {other.shape} in a @ b: must have one or two axes "
                "each, the last of a as long as the first of b"
            )
        n, k = (1, *self.shape)[-2:]
        m = other.shape[1] if other.ndim == 2 else 1
        product = self.reshape(n, k).contracted(other.reshape(k, m))
        return product.reshape((*self.shape[:-1], *other.shape[1:]))

    def contracted(self, other):
        """The product of matrices n x k and k x m, by its definition."""
        (n, k), m = self.shape, other.shape[1]
        out = None
        for i in range(k):
            term = self[:, i].reshape(n, 1) * other[i].reshape(1, m)
            out = term if out is None else out + term
        return out


class Grid(Array):
    """An array of the numbers that a loss is given, whatever they are.

    numbers    those that are arrays of numpy, as the lanes of a launch, are stacked: axes beyond `shape` are
               theirs; others stand in an array of objects
    functions  name -> a function of such numbers
    """

    __slots__ = ("functions", "numbers", "shape")

    def __init__(self, numbers: np.ndarray, shape: tuple[int, ...], functions: dict[str, Callable]):
        self.numbers, self.shape, self.functions = numbers, tuple(shape), functions

    @classmethod
    def of(cls, values, functions: dict[str, Callable]):
        """The array of one axis of some numbers."""
        values = list(values)
        if all(isinstance(x, np.ndarray | np.generic | float | int) for x in values):
            whole = np.stack(np.broadcast_arrays(*values))
            return cls(whole, (len(values),), functions)
        numbers = np.empty(len(values), object)
        numbers[:] = values
        return cls(numbers, numbers.shape, functions)

    @property
    def rest(self) -> int:
        """How many axes the numbers themselves have."""
        return self.numbers.ndim - self.ndim

    def viewed(self, change):
        numbers = change(self.numbers)
        if not isinstance(numbers, np.ndarray):  # one number of an array of objects
            return numbers
        shape = numbers.shape[: numbers.ndim - self.rest]
        return Grid(numbers, shape, self.functions) if shape else numbers[()]

    def lifted(self, other):
        if isinstance(other, Grid):
            return other
        if isinstance(other, Array):
            return None
        if isinstance(other, list | tuple):
            return constants(other, self.functions)
        if isinstance(other, np.ndarray) and other.ndim and self.numbers.dtype != object:
            self.check(other)
            return Grid(other, (), self.functions)
        if isinstance(other, np.generic | float | int):
            return Grid(np.asarray(other), (), self.functions)
        one = np.empty((), object)
        one[()] = other
        return Grid(one, (), self.functions)

    def check(self, other: np.ndarray) -> None:
        """Refuse an array of numpy that is no number of as many lanes as those here. Raises TypeError."""
        lanes = self.numbers.shape[self.ndim :]
        if lanes and other.shape != lanes:
            raise TypeError(
                f"an array of numpy of shape {other.shape} beside an array of parameters: must be "
                "xp.constant(...) of it"
            )

    def spread(self, shape):
        if self.shape == shape:
            return self
        numbers = self.numbers.reshape((1,) * (len(shape) - self.ndim) + self.numbers.shape)
        whole = np.broadcast_to(numbers, (*shape, *numbers.shape[len(shape) :]))
        return Grid(whole, shape, self.functions)

    def entered(self, name, *operands):
        rest = max(x.rest for x in operands)
        pad = lambda x: x.numbers.reshape(*x.shape, *(1,) * (rest - x.rest), *x.numbers.shape[x.ndim :])
        found = OPERATIONS[name].plain(*map(pad, operands))
        return Grid(np.asarray(found), operands[0].shape, self.functions)

    def applied(self, name: str):
        """A function of the namespace of each number; of constants as of a plain number."""
        function, numbers = self.functions[name], self.numbers
        if numbers.dtype == object or (not self.rest and numbers.dtype == np.float64):
            found = np.asarray(np.frompyfunc(function, 1, 1)(numbers))
            plain = all(isinstance(x, float) for x in found.flat)
            return Grid(found.astype(float) if plain else found, self.shape, self.functions)
        return Grid(function(numbers), self.shape, self.functions)


def constants(values, functions: dict[str, Callable]) -> Grid:
    """What xp.constant gives: an array of numbers that are no parameters. Raises ValueError."""
    try:
        numbers = np.asarray(values, float)
    except (TypeError, ValueError):
        raise ValueError(
            f"xp.constant of {type(values).__name__}: must be an array of numbers with rows of one length"
        ) from None
    return Grid(numbers, numbers.shape, functions)


def made(values, shape, functions: dict[str, Callable]):
    """What xp.array of parameters, or of numbers made of them, gives. Raises ValueError where the shape does
    not fit."""
    flat = values if isinstance(values, Array) else Grid.of(values, functions)
    return flat if shape is None else flat.reshape(shape)


def total(values, axis: int | None = None):
    """What xp.sum gives: of an array, or of numbers one after the other."""
    if isinstance(values, Array):
        return values.sum(axis)
    first, *rest = values
    for x in rest:
        first = first + x
    return first
