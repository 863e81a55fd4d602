"""Tracing a loss of many parameters: arrays of it become loops, and the gradient is made of loops too.

A traced array is an array of addresses (loop_program.py): what changes its shape changes addresses and
computes nothing. The gradient follows by reverse accumulation, a loop at a time, from the `adjoint` of the
table of operations as that of trace.py does; what is given to one number by many is one sum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.kernels.programs.arrays import Array
from noether.kernels.programs.loop_program import ADDRESS, SUM, Loop, LoopProgram, needed
from noether.kernels.programs.namespaces import Namespace, is_number, plain
from noether.kernels.programs.operations import FUNCTIONS, NUMPY, OPERATIONS
from noether.kernels.programs.tape import BRANCH_OF_A_LOSS, NO_NUMBER, NoOperation, TraceError

NOTHING = np.iinfo(ADDRESS).min
"""The address of an adjoint that nothing was given to."""


class Memory:
    """The loops of a trace in order, each once, and its constants."""

    def __init__(self, inputs: int):
        self.loops: list[Loop] = []
        self.known: dict[tuple, int] = {}
        self.constants: dict[float, int] = {}
        self.inputs = self.size = inputs

    def numbers(self, values) -> np.ndarray:
        """The addresses of some constants, of the shape of `values`."""
        values = np.asarray(values, float)
        some, where = np.unique(values, return_inverse=True)
        # -0.0 equals 0.0: a constant 0 has no sign here, as in Node.number
        at = np.array(
            [~self.constants.setdefault(float(x) + 0.0, len(self.constants)) for x in some], ADDRESS
        )
        return at[where].reshape(values.shape)

    def values(self, addresses: np.ndarray) -> np.ndarray:
        """The constants at some addresses."""
        return np.array(list(self.constants))[~addresses]

    def enter(self, name: str, *args: np.ndarray) -> np.ndarray:
        """The addresses of what a loop gives, (count,); it is new where none is like it."""
        args = tuple(self.of_one_kind(np.ascontiguousarray(a, ADDRESS)) for a in args)
        key = (name, *(a.shape for a in args), *(a.tobytes() for a in args))
        if key not in self.known:
            loop = Loop(name, self.size, args)
            self.known[key] = self.size
            self.size = loop.last
            self.loops.append(loop)
        first = self.known[key]
        return np.arange(first, first + len(args[0]), dtype=ADDRESS)

    def of_one_kind(self, addresses: np.ndarray) -> np.ndarray:
        """Addresses of slots alone or of constants alone: constants among slots are copied to slots of their
        own."""
        constant = addresses < 0
        if not constant.any() or constant.all():
            return addresses
        some, where = np.unique(addresses[constant], return_inverse=True)
        out = addresses.copy()
        out[constant] = self.enter(SUM, some[:, None])[where]
        return out


class Block(Array):
    """A traced array: the addresses of its numbers."""

    __slots__ = ("at", "memory")

    def __init__(self, memory: Memory, at: np.ndarray):
        self.memory, self.at = memory, np.asarray(at, ADDRESS)

    @property
    def shape(self):
        return self.at.shape

    def viewed(self, change):
        return Block(self.memory, change(self.at))

    def lifted(self, other):
        if isinstance(other, Block):
            return other
        if is_number(other) or isinstance(other, list | tuple):
            return Block(self.memory, self.memory.numbers(other))
        if isinstance(other, Array):
            return None
        what = f"an array of shape {other.shape}" if isinstance(other, np.ndarray) else type(other).__name__
        raise TraceError(
            f"{what} in the arithmetic of a loss: only numbers, parameters and xp.constant(...) are allowed"
        )

    def constant(self) -> float | None:
        """The number that all of it is; None where it is not one constant."""
        at = self.at.reshape(-1)
        return float(self.memory.values(at[:1])[0]) if len(at) and at[0] < 0 and (at == at[0]).all() else None

    def entered(self, name, *operands):
        """An operation; of constants a constant, and x * 1, x + 0 and the like are x, as in trace.py."""
        flat, shape = [x.at.reshape(-1) for x in operands], operands[0].shape
        if all((x < 0).all() for x in flat):
            known = folded(name, *map(self.memory.values, flat))
            return Block(self.memory, self.memory.numbers(known)).reshape(shape)
        if (same := simpler(name, operands)) is not None:
            return same
        return Block(self.memory, self.memory.enter(name, *flat)).reshape(shape)

    def applied(self, name: str):
        """A function of the namespace of each number."""
        return self.entered(name, self)

    def folded(self):
        if len(self) == 1 or (self.at < 0).all():
            return super().folded()
        found = self.memory.enter(SUM, self.at.reshape(len(self), -1).T)
        return Block(self.memory, found).reshape(self.shape[1:])

    def contracted(self, other):
        (n, k), m = self.shape, other.shape[1]
        a = np.broadcast_to(self.at[:, None, :], (n, m, k)).reshape(n * m, k)
        b = np.broadcast_to(other.at.T[None], (n, m, k)).reshape(n * m, k)
        return Block(self.memory, self.memory.enter(SUM, a, b)).reshape(n, m)

    def __pow__(self, power):
        try:
            return super().__pow__(power)
        except ValueError as error:
            raise NoOperation(f"{error}; write 1 / x ** 2, xp.sqrt(x)") from None

    def _branch(self, *other):
        raise NoOperation(BRANCH_OF_A_LOSS)

    def _number(self, *other):
        raise NoOperation(NO_NUMBER)

    __lt__ = __gt__ = __le__ = __ge__ = __bool__ = __eq__ = __ne__ = __abs__ = _branch
    __float__ = __int__ = __index__ = __complex__ = __round__ = __floor__ = __ceil__ = __trunc__ = _number
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __rpow__ = _number
    __hash__ = object.__hash__


def folded(name: str, *values: np.ndarray) -> np.ndarray:
    """An operation on constants, with the float that every namespace gives."""
    if name in FUNCTIONS:
        return np.frompyfunc(lambda x: plain(name, x), 1, 1)(values[0]).astype(float)
    with np.errstate(all="ignore"):
        return NUMPY[name](*values)


def simpler(name: str, operands: tuple[Block, ...]) -> Block | None:
    """The operand that an operation gives back, or the constant 0, as Node of trace.py has it; else None."""
    if len(operands) != 2:
        return None
    x, y = operands
    a, b = x.constant(), y.constant()
    if (
        (name in ("add", "sub") and b == 0)
        or (name in ("mul", "div") and b == 1)
        or (name == "mul" and a == 0)
    ):
        return x
    if (name == "add" and a == 0) or (name == "mul" and a == 1) or (name == "mul" and b == 0):
        return y
    return None


class ArrayNamespace(Namespace):
    """The namespace xp under which a loss of many parameters is traced."""

    def __init__(self, memory: Memory):
        super().__init__({name: lambda x, name=name: x.applied(name) for name in FUNCTIONS})
        self.memory = memory

    def array(self, values, shape=None):
        if not isinstance(values, Block):
            flat = [x.at if isinstance(x, Block) else self.memory.numbers(x) for x in values]
            values = Block(self.memory, np.stack(np.broadcast_arrays(*flat)))
        return values if shape is None else values.reshape(shape)

    def constant(self, values):
        return Block(self.memory, self.memory.numbers(super().constant(values).numbers))


def gradient_loops(dim: int, total: Callable) -> LoopProgram:
    """The gradient of total(q, eps, xp) with respect to q, as a program with loops. Raises TraceError."""
    memory = Memory(dim + 1)
    q, eps = Block(memory, np.arange(dim)), Block(memory, np.array(dim))
    value = total(q, eps, ArrayNamespace(memory))
    if not isinstance(value, Block) or value.size != 1:
        raise TraceError(
            f"the loss returned {type(value).__name__}: must be one number made of its parameters"
        )
    given = Adjoints(memory, value)
    for loop in reversed(list(memory.loops)):
        given.pass_on(loop)
    missing = memory.numbers(0.0)
    outputs = np.where(given.at[:dim] == NOTHING, missing, given.at[:dim])
    names = (*(f"q[{i}]" for i in range(dim)), "eps")
    return needed(LoopProgram(dim, tuple(memory.loops), outputs, np.array(list(memory.constants)), names))


class Adjoints:
    """What was given to each number of a trace, by address.

    moving  whether a number depends on a parameter: nothing is given to others
    """

    def __init__(self, memory: Memory, value: Block):
        self.memory = memory
        self.at = np.full(memory.size, NOTHING, ADDRESS)
        self.moving = np.zeros(memory.size + 1, bool)
        self.moving[: memory.inputs - 1] = True
        for loop in memory.loops:
            found = [self.moving[np.maximum(a, -1)].reshape(loop.count, -1).any(axis=1) for a in loop.args]
            self.moving[loop.first : loop.last] = np.any(found, axis=0)
        one = value.at.reshape(-1)
        if one[0] >= 0:
            self.at[one] = memory.numbers(1.0)

    def pass_on(self, loop: Loop) -> None:
        """Give the operands of a loop their shares of what its numbers were given."""
        g = self.at[loop.first : loop.last]
        some = (g != NOTHING) & self.moving[loop.first : loop.last]
        if not some.any():
            return
        g, args = g[some], [a[some] for a in loop.args]
        if loop.name == SUM:
            g = np.broadcast_to(g[:, None], args[0].shape)
            shares = [(g,)] if len(args) == 1 else [(g, args[1]), (g, args[0])]
        else:
            shares = self.shares(loop, g, args, np.arange(loop.first, loop.last)[some])
        for a, share in zip(args, shares, strict=False):
            self.give(a.reshape(-1), [x.reshape(-1) for x in share])

    def shares(self, loop: Loop, g, args, y):
        """Of an operation, for each operand one share, or the factors of one."""
        if loop.name == "mul":  # left as factors, so that what goes to one number is a sum of products
            yield (g, args[1])
            yield (g, args[0])
            return
        blocks = [Block(self.memory, x) for x in (g, y, *args)]
        for share in OPERATIONS[loop.name].adjoint:
            yield (share(*blocks).at,)

    def give(self, targets: np.ndarray, share: list[np.ndarray]) -> None:
        """Add shares to what was given to the numbers at `targets`, of which one may stand there often."""
        takes = (targets >= 0) & self.moving[np.maximum(targets, -1)]
        targets, share = targets[takes], [x[takes] for x in share]
        order = np.argsort(targets, kind="stable")
        some, start, counts = np.unique(targets[order], return_index=True, return_counts=True)
        for count in np.unique(counts):
            mine = counts == count
            rows = order[start[mine][:, None] + np.arange(count)]
            self.add(some[mine], [x[rows] for x in share])

    def add(self, targets: np.ndarray, terms: list[np.ndarray]) -> None:
        """Give (n,) numbers the sums of (n, count) terms or products."""
        blocks = [Block(self.memory, x) for x in terms]
        if terms[0].shape[1] == 1:
            new = (blocks[0] * blocks[1] if len(blocks) == 2 else blocks[0]).reshape(-1)
        else:
            new = Block(self.memory, self.memory.enter(SUM, *terms))
        before = self.at[targets]
        fresh = before == NOTHING
        self.at[targets[fresh]] = new.at[fresh]
        if not fresh.all():
            old = ~fresh
            self.at[targets[old]] = (Block(self.memory, before[old]) + Block(self.memory, new.at[old])).at
