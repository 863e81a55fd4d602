"""What a Triton kernel's arguments are, said beside it in a user's file: then it can be audited.

An elementwise optimizer kernel takes pointers and numbers, and nothing in it says which is the gradient. The
adapter says so, once:

    audit_adamw = noether.triton_adapter(
        adamw_kernel, parameters="q_ptr", gradient="g_ptr", state={"m_ptr": 0.0, "s_ptr": 0.0}, count="n",
        numbers={"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 0.01},
        known={"c1": lambda step, numbers: 1 - numbers["beta1"] ** step}, constexpr={"BLOCK": 1024})
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from noether.kernels.programs.precision import PRECISIONS
from noether.system.usage import UsageError, brief, unknown

SAME = "parameters"
TYPES = ("float32", "bfloat16", "float16")
"""Types of parameters that a kernel is written for, as a rule."""
ARRAYS = ("float64", "float32", "int32", "int64")
"""Types of small arrays that carry numbers."""
BLOCKS = ("BLOCK", "BLOCK_SIZE", "BLOCKSIZE")


@dataclass(frozen=True)
class TritonAdapter:
    """Which argument of a kernel is what: the fields are the arguments of `triton_adapter`."""

    kernel: object
    parameters: str
    gradient: str
    count: str
    state: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    known: dict[str, Callable] = field(default_factory=dict)
    tensors: dict[str, Callable] = field(default_factory=dict)
    step: str = ""
    constexpr: dict[str, object] = field(default_factory=dict)
    grid: Callable | None = None
    num_warps: int = 4
    enable_fp_fusion: bool = True
    raw_bfloat16: bool = False
    types: tuple[str, ...] = TYPES

    @property
    def name(self) -> str:
        """The name of the kernel."""
        return self.kernel.__name__

    @property
    def pointers(self) -> tuple[str, ...]:
        """The pointers, in the order of the adapter."""
        return (self.parameters, self.gradient, *self.state)

    def kind_of(self, pointer: str, kind: str) -> str:
        """The type of an array's elements where the parameters have `kind`."""
        said = self.kinds.get(pointer, SAME)
        return kind if said == SAME else said

    def values(self, step: int) -> dict[str, float]:
        """The numbers that step `step`, from 1, is given, by argument."""
        known = {name: f(step, dict(self.numbers)) for name, f in self.known.items()}
        return {**self.numbers, **known, **({self.step: step} if self.step else {})}

    def having(self, **options) -> TritonAdapter:
        """The same with other numbers or compile-time values. Raises UsageError for a name of neither."""
        for name in options:
            if name not in {**self.numbers, **self.constexpr}:
                raise unknown(f"adapter of {self.name}: option", name, [*self.numbers, *self.constexpr])
        pick = lambda own: {**own, **{name: x for name, x in options.items() if name in own}}
        changed = replace(self, numbers=pick(self.numbers), constexpr=pick(self.constexpr))
        check(changed)
        return changed

    def sent(self, step: int) -> dict[str, np.ndarray]:
        """The small arrays that step `step`, from 1, is given, by pointer. Raises UsageError."""
        made = {name: np.atleast_1d(f(step, dict(self.numbers))) for name, f in self.tensors.items()}
        for name, x in made.items():
            if x.dtype.name not in ARRAYS:
                raise UsageError(
                    f"tensors {name} gives {x.dtype}{list(x.shape)}: must be {', '.join(ARRAYS)}"
                )
        return {name: np.ascontiguousarray(x) for name, x in made.items()}

    def blocks(self, n: int) -> int:
        """How many programs a launch of n elements has. Raises UsageError."""
        if self.grid is not None:
            found = self.grid(n)
            if not isinstance(found, int) or found < 1:
                raise UsageError(f"grid gives {brief(found)} for {n} elements: must be a whole number from 1")
            return found
        size = next(self.constexpr[name] for name in BLOCKS if name in self.constexpr)
        return -(-n // size)


def triton_adapter(
    kernel,
    *,
    parameters: str,
    gradient: str,
    count: str,
    state: dict[str, float] | None = None,
    kinds: dict[str, str] | None = None,
    numbers: dict[str, float] | None = None,
    known: dict[str, Callable] | None = None,
    tensors: dict[str, Callable] | None = None,
    step: str = "",
    constexpr: dict[str, object] | None = None,
    grid: Callable | None = None,
    num_warps: int = 4,
    enable_fp_fusion: bool = True,
    raw_bfloat16: bool = False,
    types: tuple[str, ...] = TYPES,
) -> TritonAdapter:
    """Say which argument of an elementwise Triton kernel is what, so that it can be audited.

    kernel            the @triton.jit function
    parameters        the pointer to what is optimised, read and written in place
    gradient          the pointer to its gradient, of the same type
    count             the number of elements
    state             pointer to each buffer -> the number that it starts with
    kinds             pointer -> "float64", "float32", "float16", "bfloat16" where it is not that of the
                      parameters
    numbers           argument -> number, the same in every step
    known             argument -> function(step, numbers), for what changes from step to step; from step 1
    tensors           pointer -> function(step, numbers) that gives a numpy array, for numbers that travel in
                      memory, as a step size that is a tensor
    step              the argument that is given the number of the step, from 1
    constexpr         argument -> compile-time value
    grid              grid(n) -> how many programs a launch of n elements has; else n over the block, rounded
                      up
    num_warps         as the kernel is launched with
    enable_fp_fusion  as the kernel is launched with: whether a product and a sum may be rounded once
    raw_bfloat16      whether arrays of bfloat16 are passed as their 16 bits, uint16
    types             of parameters that it is written for, of float64, float32, bfloat16, float16

    Raises UsageError where an argument of the kernel is left out, or named twice.
    """
    given = dict(state=dict(state or {}), kinds=dict(kinds or {}), numbers=dict(numbers or {}))
    given |= dict(known=dict(known or {}), constexpr=dict(constexpr or {}), tensors=dict(tensors or {}))
    rest = dict(step=step, grid=grid, num_warps=num_warps, enable_fp_fusion=enable_fp_fusion)
    rest |= dict(raw_bfloat16=raw_bfloat16, types=(types,) if isinstance(types, str) else tuple(types))
    check_kernel(kernel)
    adapter = TritonAdapter(kernel, parameters, gradient, count, **given, **rest)
    check(adapter)
    return adapter


def check_kernel(kernel) -> None:
    """Refuse what is no function of @triton.jit. Raises UsageError."""
    if hasattr(kernel, "fn") and hasattr(kernel.fn, "arg_names"):
        raise UsageError(
            f"kernel is a {type(kernel).__name__}, as of @triton.autotune: must be the @triton.jit function "
            "itself, with the values that would be tuned in constexpr"
        )
    if not hasattr(kernel, "arg_names"):
        raise UsageError(f"kernel is {brief(kernel)}, must be a function decorated with @triton.jit")


def check(adapter: TritonAdapter) -> None:
    """Refuse an adapter that does not name every argument once. Raises UsageError."""
    where = f"adapter of {adapter.name}"
    for word in ("numbers", "state"):
        for name, x in getattr(adapter, word).items():
            if isinstance(x, bool) or not isinstance(x, int | float):
                raise UsageError(f"{where}: {word} {name} is {brief(x)}, must be a number")
    for word in ("known", "tensors"):
        for name, f in getattr(adapter, word).items():
            if not callable(f):
                raise UsageError(f"{where}: {word} {name} is {brief(f)}, must be a function(step, numbers)")
    for name, kind in adapter.kinds.items():
        if name not in adapter.pointers:
            raise unknown(f"{where}: kinds of", name, adapter.pointers)
        if kind not in (SAME, *PRECISIONS):
            raise unknown(f"{where}: kind of {name}", kind, (SAME, *PRECISIONS))
    if not adapter.types or set(adapter.types) - set(PRECISIONS):
        raise UsageError(
            f"{where}: types are {brief(adapter.types)}, must be some of {', '.join(PRECISIONS)}"
        )
    others = (adapter.count, *adapter.numbers, *adapter.known, *adapter.tensors, *adapter.constexpr)
    named = [*adapter.pointers, *others, *([adapter.step] if adapter.step else [])]
    arguments = list(adapter.kernel.arg_names)
    for name in named:
        if name not in arguments:
            raise unknown(f"{where}: argument", name, arguments)
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise UsageError(f"{where}: {', '.join(twice)} is named twice: must be one thing")
    left = [name for name in arguments if name not in named]
    if left:
        raise UsageError(
            f"{where}: nothing is said of {', '.join(left)}: must be among parameters, gradient, state, "
            "count, numbers, known, tensors, step, constexpr"
        )
    if adapter.grid is None and not any(name in adapter.constexpr for name in BLOCKS):
        raise UsageError(
            f"{where}: grid is left out and constexpr has none of {', '.join(BLOCKS)}: must say how many "
            "programs a launch has"
        )


def found(namespace: dict[str, object], name: str) -> TritonAdapter:
    """The adapter of a user's file that has this name, or that is of the kernel of this name.

    namespace  the names of the file after it was run. Raises UsageError.
    """
    adapters = {key: x for key, x in namespace.items() if isinstance(x, TritonAdapter)}
    mine = [x for key, x in adapters.items() if key == name or x.name == name]
    if len(mine) == 1:
        return mine[0]
    if not adapters:
        raise UsageError(
            f"the file has no adapter for {name}: must have noether.triton_adapter({name}, ...) under a "
            "name, which says which argument is what"
        )
    if len(mine) > 1:
        raise UsageError(f"{name} is the kernel of {len(mine)} adapters: name one of {', '.join(adapters)}")
    raise unknown("adapter", name, [*adapters, *(x.name for x in adapters.values())])
