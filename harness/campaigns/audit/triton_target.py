"""A user's Triton kernel under audit: its steps on this CPU, from the PTX that a GPU would run.

The kernel is compiled ahead of time, as a launch would specialise it: for pointers and sizes that are
multiples of 16 or not, for a single element. Its steps are evaluated beside wide arithmetic
(ptx_running.py), in arrays with guard zones around them, so that a store beyond the mask is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from noether.campaigns.audit.ptx_memory import Array
from noether.campaigns.audit.ptx_numbers import SLACK
from noether.campaigns.audit.ptx_running import Executed, run
from noether.campaigns.audit.triton_adapter import TritonAdapter
from noether.kernels.programs.precision import PRECISIONS, encode, representable
from noether.kernels.ptx.evaluate import prepared
from noether.kernels.ptx.table import Refused
from noether.optimizers.running import Running, running
from noether.system.usage import CannotRun, UsageError, unknown

POINTER = {"float64": "*fp64", "float32": "*fp32", "float16": "*fp16", "bfloat16": "*bf16"}
POINTER |= {"int32": "*i32", "int64": "*i64"}
ALIGNMENT = 16  # bytes, and what a launch tells Triton of numbers too
GUARD = 2048  # elements on either side


@dataclass
class TritonTarget:
    """A kernel with its arrays, one step after the other.

    adapter     which argument is what
    start       the parameters to begin with, (d,) float64; they are rounded to their type
    kind        the type of the parameters
    fresh       whether each step begins with exact numbers, so that errors are those of a single step
    misaligned  whether no pointer is a multiple of 16 bytes, as of a view that begins at an odd element
    meaning     whether meaning_error is asked for: it takes as long as the steps
    arch        of the GPU that it is compiled for: 80 or 90
    general     why not the text of an aligned launch was evaluated but the general one; '' where it was

    Raises UsageError for what cannot be, CannotRun where triton is missing.
    """

    adapter: TritonAdapter
    start: np.ndarray
    kind: str = "float32"
    fresh: bool = False
    misaligned: bool = False
    meaning: bool = True
    arch: int = 90
    steps: int = field(default=0, init=False)
    executed: list[Executed] = field(default_factory=list, init=False)
    general: str = field(default="", init=False)

    def __post_init__(self):
        if self.kind not in PRECISIONS:
            raise unknown("kind", self.kind, PRECISIONS)
        self.start = np.asarray(self.start, float)
        if self.start.ndim != 1:
            raise UsageError(f"start is {list(self.start.shape)}, must be a vector: (d,)")
        self.restart()

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return len(self.start)

    def restart(self, start: np.ndarray | None = None) -> None:
        """Begin again: parameters and buffers as they were at first, or other parameters of the same size."""
        if start is not None:
            if np.shape(start) != self.start.shape:
                raise UsageError(f"start is {list(np.shape(start))}, must be [{self.size}]")
            self.start = np.asarray(start, float)
        self.steps, self.executed = 0, []
        begin = {self.adapter.parameters: self.start, self.adapter.gradient: np.zeros(self.size)}
        begin |= {name: np.full(self.size, x) for name, x in self.adapter.state.items()}
        self.arrays = {name: self.array(name, x) for name, x in begin.items()}
        self.meant = {name: self.array(name, x) for name, x in begin.items()} if self.meaning else {}

    def array(self, pointer: str, x: np.ndarray) -> Array:
        """An array of the pointer's type with guards of NaN around its elements."""
        kind = self.adapter.kind_of(pointer, self.kind)
        before = GUARD + (1 if self.misaligned else 0)
        values = np.full(before + len(x) + GUARD, np.nan)
        values[before : before + len(x)] = representable(x, kind)
        return Array.of(encode(values, kind), kind, start=before)

    def step(self, gradient: np.ndarray) -> None:
        """Take one step with this gradient, (d,) float64, rounded to the type of its array.

        Raises UsageError; CannotRun where the kernel does what cannot be evaluated, OutOfBounds where it
        reaches beyond the guards.
        """
        if np.shape(gradient) != (self.size,):
            raise UsageError(f"gradient is {list(np.shape(gradient))}, must be [{self.size}]")
        for arrays in (self.arrays, self.meant) if self.meaning else (self.arrays,):
            arrays[self.adapter.gradient] = self.array(self.adapter.gradient, np.asarray(gradient, float))
            for x in arrays.values():
                x.written[:] = False
                if self.fresh:
                    x.number = running(x.real)
        self.steps += 1
        if self.size:
            compiled, args = self.launch()
            blocks = self.adapter.blocks(self.size)
            self.executed.append(run(compiled, args, blocks))
            if self.meaning:
                run(compiled, self.specialised(self.meant)[3], blocks, rounds=False)

    def launch(self) -> tuple:
        """The compiled kernel and the arguments that it takes: specialised as a launch would; where that
        exchanges data between threads, as of arrays of two types, the general one, which does the same with
        each element. Raises CannotRun where neither can be evaluated."""
        signature, constants, aligned, args = self.specialised(self.arrays)
        compiled = self.compiled(signature, constants, aligned)
        try:
            prepared(compiled.ptx)
            return compiled, args
        except Refused as refused:
            self.general = str(refused)
        compiled = self.compiled(signature, constants, ())
        try:
            prepared(compiled.ptx)
        except Refused as refused:
            raise CannotRun(
                f"kernel {self.adapter.name} cannot be evaluated on this CPU: {refused}"
            ) from None
        return compiled, args

    def specialised(self, arrays: dict[str, Array]) -> tuple[dict, dict, tuple, list]:
        """Types of the arguments, compile-time values, the arguments that are multiples of 16, and all that
        are passed."""
        small = self.adapter.sent(self.steps)
        values = {self.adapter.count: self.size, **self.adapter.values(self.steps)}
        plain = set(unspecialised(self.adapter.kernel))
        signature, constants, aligned, args = {}, dict(self.adapter.constexpr), [], []
        for name in self.adapter.kernel.arg_names:
            if name in constants:
                continue
            x = arrays.get(name, values.get(name))
            if name in small:
                kind = small[name].dtype.name
                x = Array.of(small[name], kind) if kind in PRECISIONS else small[name]
                signature[name], divisible = POINTER[kind], not self.misaligned
            elif isinstance(x, Array):
                raw = self.adapter.raw_bfloat16 and x.kind == "bfloat16"
                signature[name] = "*u16" if raw else POINTER[x.kind]
                divisible = x.start * x.bits.itemsize % ALIGNMENT == 0
            else:
                signature[name] = type_of(x)
                if x == 1 and isinstance(x, int) and name not in plain:
                    constants[name] = 1
                    del signature[name]
                    continue
                divisible = isinstance(x, int) and x % ALIGNMENT == 0
            args.append(x)
            if divisible and name not in plain:
                aligned.append(name)
        return signature, constants, tuple(aligned), args

    def compiled(self, signature: dict, constants: dict, aligned: tuple):
        """The kernel as PTX. Raises CannotRun without triton, UsageError where it does not compile."""
        try:
            from noether.kernels.loops.compiled import compile_ptx
        except ImportError as error:
            raise CannotRun(
                f"a Triton kernel needs triton: pip install 'noether-harness[triton]' ({error})"
            ) from None
        options = dict(num_warps=self.adapter.num_warps, enable_fp_fusion=self.adapter.enable_fp_fusion)
        try:
            return compile_ptx(
                self.adapter.kernel, signature, constants, arch=self.arch, aligned=aligned, **options
            )
        except Exception as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise UsageError(
                f"kernel {self.adapter.name} does not compile for {signature}: {said[-1]}"
            ) from error

    # ---- what there is after a step

    def triple(self, pointer: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(real, value, error) of an array without its guards: float64, longdouble, longdouble."""
        x = self.arrays[pointer]
        inner = slice(x.start, x.start + self.size)
        return x.real[inner].astype(float), x.number.value[inner].copy(), x.number.error[inner] * SLACK

    def parameters(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The parameters that are stored, what they mean without rounding, and how far rounding may go."""
        return self.triple(self.adapter.parameters)

    def meaning_error(self) -> np.ndarray:
        """How far the wide values of the parameters may be from what is meant, (d,) longdouble: by wide
        arithmetic, and by the digits of a literal that was computed."""
        x = self.meant[self.adapter.parameters]
        return self.inner(x).error * SLACK

    def state(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The same of each buffer."""
        return {name: self.triple(name) for name in self.adapter.state}

    @property
    def undecided(self) -> str:
        """Why the steps so far cannot be judged; '' where they can. Over many steps a bound may also become
        infinite by itself, where a divisor may be 0."""
        return next((why for found in self.executed if (why := found.undecided(*self.own()))), "")

    @property
    def unknown(self) -> list[str]:
        """The instructions that are not understood, or on which it depends what is stored."""
        return list(dict.fromkeys(x for found in self.executed for x in found.named(*self.own())))

    def own(self) -> list[Array]:
        """Parameters and buffers without their guards."""
        own = [self.arrays[p] for p in (self.adapter.parameters, *self.adapter.state)]
        return [Array(x.bits, x.kind, self.inner(x), x.written) for x in own]

    def inner(self, x: Array) -> Running:
        """The numbers of an array without its guards."""
        inner = slice(x.start, x.start + self.size)
        return Running(x.number.value[inner], x.number.error[inner])

    @property
    def kinds(self) -> dict[str, str]:
        """Every type to which the steps rounded a number, with the instruction that did it first."""
        found: dict[str, str] = {}
        for executed in self.executed:
            found = {**executed.notes.kinds, **found}
        return found

    @property
    def outside(self) -> str:
        """What the last step stored beyond the arrays; '' where nothing was."""
        for name, x in self.arrays.items():
            places = np.flatnonzero(x.written) - x.start
            beyond = places[(places < 0) | (places >= self.size)]
            if beyond.size:
                return (
                    f"step {self.steps} stores {beyond.size} elements outside {name}, first at {beyond[0]}: "
                    f"must store within its {self.size} elements"
                )
        return ""

    @property
    def writes_gradient(self) -> bool:
        """Whether the last step stored into the gradient, as to zero it."""
        return bool(self.arrays[self.adapter.gradient].written.any())

    @property
    def stored(self) -> float:
        """The share of the parameters that the last step stored."""
        x = self.arrays[self.adapter.parameters]
        return float(x.written[x.start : x.start + self.size].mean()) if self.size else 1.0


def type_of(x) -> str:
    """The type in which a launch passes a number: a float arrives as float32."""
    if isinstance(x, int) and not isinstance(x, bool):
        return "i32" if -(2**31) <= x < 2**31 else "i64"
    return "fp32"


def unspecialised(kernel) -> list[str]:
    """The arguments that @triton.jit was told not to specialise."""
    return [p.name for p in getattr(kernel, "params", ()) if p.do_not_specialize]


def on_gpu(adapter: TritonAdapter, start: np.ndarray, gradients, kind: str) -> dict[str, np.ndarray]:
    """The same steps launched by Triton on a GPU: pointer -> values after the last one, (d,) float64.

    gradients  (steps, d) float64. Raises CannotRun where torch sees no GPU.
    """
    try:
        import torch
    except ImportError as error:
        raise CannotRun(
            f"a launch on a GPU needs torch: pip install 'noether-harness[torch]' ({error})"
        ) from None
    if not torch.cuda.is_available():
        raise CannotRun("torch sees no GPU: the kernel is audited from its PTX on this CPU")

    def make(pointer: str, x):
        name = adapter.kind_of(pointer, kind)
        # Rounded here: torch goes through float32, and so rounds a float64 twice.
        return torch.tensor(representable(x, name), dtype=getattr(torch, name), device="cuda")

    sent = {adapter.parameters: make(adapter.parameters, start)}
    sent |= {p: make(p, np.full(len(start), x)) for p, x in adapter.state.items()}
    options = dict(num_warps=adapter.num_warps, enable_fp_fusion=adapter.enable_fp_fusion)
    for n, gradient in enumerate(gradients, 1):
        now = {**sent, adapter.gradient: make(adapter.gradient, gradient), adapter.count: len(start)}
        now |= {**adapter.values(n), **adapter.constexpr}
        adapter.kernel[(adapter.blocks(len(start)),)](**now, **options)
    return {p: x.double().cpu().numpy() for p, x in sent.items()}
