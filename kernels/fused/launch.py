"""One step of one array: a launch that every backend can execute, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from noether.cases.rule import Rule
from noether.kernels.loops.launch import BACKENDS
from noether.kernels.programs.numpy_step import step as plain_step
from noether.kernels.programs.precision import BUFFER, Precision, encode, widen
from noether.kernels.programs.trace_rule import update_program

LONGEST = 2**31 - 1
"""Elements of one array: their number is passed as a 32-bit one."""


@dataclass(frozen=True)
class Undecayed:
    """A rule whose decay k is the number 0: no line of its kernel has it.

    As a number of a lane 0 would still be multiplied by q, and 0 times infinity is NaN.
    """

    rule: Rule

    def __getattr__(self, name: str):
        if name == "rule" or name.startswith("__"):  # asked for before there is a rule, as by pickle
            raise AttributeError(name)
        return getattr(self.rule, name)

    def named(self, values):
        """The numbers of a step by their names, k being 0."""
        here = self.rule.named(values)
        here.k = 0.0
        return here


@dataclass
class Stepped:
    """An array after one step: q and the rule's buffers in their buffer types, and the backend that ran."""

    q: np.ndarray
    buffers: list[np.ndarray]
    backend: str
    seconds: float = 0.0
    notes: dict = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Step:
    """One step of a rule on n elements, as noether.kernels.loops.launch.run takes it.

    q, g      (n,) in the buffer type of the parameters
    kept      the rule's buffers, (n,) each in their buffer type; none where they are 0 and need no storing
    numbers   (rows,) float64, as Rule.inputs: parameters, then what the step knows of its number
    maximize  whether the gradient enters with the other sign
    stream    seed, its upper half, step and place of the array, int32, by which parameters are rounded to
              bfloat16 at random; None: to nearest
    """

    rule: Rule | Undecayed
    precision: Precision
    q: np.ndarray
    g: np.ndarray
    kept: tuple[np.ndarray, ...]
    numbers: np.ndarray
    maximize: bool = False
    stream: np.ndarray | None = None
    backends = BACKENDS

    def __post_init__(self):
        n = self.lanes
        if not 1 <= n <= LONGEST:
            raise ValueError(f"an array has {n} elements: must have 1 to {LONGEST}")
        wanted = [("q", self.q, self.precision.q_store), ("g", self.g, self.precision.q_store)]
        wanted += [("a buffer", x, self.precision.v_store) for x in self.kept]
        for name, x, kind in wanted:
            if x.shape != (n,) or x.dtype != np.dtype(BUFFER[kind]):
                raise ValueError(f"{name} is {x.dtype}{list(x.shape)}: must be {np.dtype(BUFFER[kind])}[{n}]")
        if self.kept and len(self.kept) != len(self.rule.buffers):
            raise ValueError(
                f"{len(self.kept)} buffers are given: rule {self.rule.name} has {self.rule.buffers}"
            )
        if self.numbers.shape != (len(self.rule.inputs),):
            raise ValueError(f"numbers are {self.numbers.shape}: must be ({len(self.rule.inputs)},)")
        if self.stream is not None and self.precision.q_store != "bfloat16":
            raise ValueError(f"parameters are {self.precision.q_store}: only bfloat16 is rounded at random")

    def __repr__(self) -> str:
        return f"<Step {self.rule.name} {self.precision.label}, {self.lanes} elements>"

    @property
    def lanes(self) -> int:
        """How many elements there are."""
        return len(self.q)

    @property
    def pointers(self) -> dict[str, str]:
        """The arrays of the kernel, by name, with the kind of their buffers."""
        kinds = {"q_ptr": self.precision.q_store, "g_ptr": self.precision.q_store}
        kinds |= dict.fromkeys(("first_ptr", "second_ptr"), self.precision.v_store)
        return {**kinds, "numbers_ptr": "float64", "stream_ptr": "int32"}

    @property
    def scalars(self) -> dict[str, int]:
        """The whole numbers that the kernel is given, by name."""
        return {"n": self.lanes}

    def kernel(self):
        """The @triton.jit function."""
        from noether.kernels.fused.elementwise import elementwise

        return elementwise

    def constexprs(self, block: int) -> dict:
        """The compile-time parameters of the kernel, by name."""
        return options(
            self.rule, self.precision, bool(self.kept), self.maximize, self.stream is not None, block
        )

    def buffers(self) -> list[np.ndarray]:
        """Fresh arrays, one a pointer; where a buffer is not kept, one number that nobody reads."""
        unread = np.zeros(1, BUFFER[self.precision.v_store])
        kept = [*(x.copy() for x in self.kept), unread, unread.copy()][:2]
        stream = np.zeros(4, np.int32) if self.stream is None else self.stream
        return [self.q.copy(), self.g.copy(), *kept, self.numbers.copy(), stream.copy()]

    def plain(self, advance: Callable | None = None) -> Stepped:
        """The step in numpy: the lines of the rule as they stand.  advance  not used: there is one step"""
        if self.stream is not None:
            raise ValueError("numpy rounds to nearest: at random a kernel does")
        kinds = self.precision.q_store, self.precision.v_store
        arith = np.dtype(self.precision.arith)
        wide = lambda x, kind: widen(x, kind).astype(arith)
        q, g = wide(self.q, kinds[0]), wide(self.g, kinds[0])
        v = [wide(x, kinds[1]) for x in self.kept] or [np.zeros_like(q) for _ in self.rule.buffers]
        numbers = [np.full(self.lanes, x).astype(arith) for x in self.numbers]
        slope = arith.type(0) - g if self.maximize else g
        with np.errstate(all="ignore"):
            new_q, new = plain_step([q], v, numbers, lambda at, eps: [slope], self.rule, self.precision)
        stored = [encode(x, kinds[1]) for x in new] if self.kept else []
        return Stepped(encode(new_q[0], kinds[0]), stored, "numpy")

    def collected(self, buffers: list[np.ndarray], backend: str, notes: dict) -> Stepped:
        """What a launch gives, made of its buffers."""
        return Stepped(buffers[0], buffers[2 : 2 + len(self.kept)], backend, 0.0, notes)


def options(
    rule: Rule | Undecayed, precision: Precision, stored: bool, maximize: bool, random: bool, block: int
) -> dict:
    """The compile-time parameters of the kernel `elementwise`, by name.

    Where parameters are rounded at random the printed update leaves them in float32: only the last rounding
    is another one.
    """
    import triton.language as tl

    from noether.kernels.programs.triton_text import function

    unrounded = Precision(precision.arith) if random else precision
    return {
        "UPDATE": function(update_program(rule, 1), unrounded),
        "ROWS": len(rule.inputs),
        "BUFFERS": len(rule.buffers),
        "STORED": stored,
        "MAXIMIZE": maximize,
        "RANDOM": random,
        "ARITH": getattr(tl, precision.arith),
        "Q_KIND": precision.q_store,
        "V_KIND": precision.v_store,
        "BLOCK": block,
    }


def precision_of(kind: str) -> Precision:
    """Parameters in a type, with buffers and arithmetic in float32, or float64 for it."""
    return Precision(kind) if kind in ("float64", "float32") else Precision(kind, "mixed")
