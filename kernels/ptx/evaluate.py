"""Running a parsed kernel in numpy, many blocks at once: it shows on a CPU what Triton compiled.

PTX fixes the bits of all but the approximate and the contractible instructions; those are counted as
unpinned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from noether.kernels.ptx.binding import Frame
from noether.kernels.ptx.control import Flow, analyse, local_registers
from noether.kernels.ptx.memory import Memory
from noether.kernels.ptx.parse import Kernel, parse
from noether.kernels.ptx.semantics import DTYPE
from noether.kernels.ptx.table import width

BATCH = 4096  # lanes: a few hundred registers of them stay in the second-level cache


@dataclass
class Report:
    """What an evaluation ran.

    unpinned   mnemonic -> instructions of the text whose bits PTX does not fix
    executed   instructions, each counted for every thread that was active
    lanes      threads, those beyond the kernel's own mask among them
    """

    unpinned: Counter
    executed: int
    lanes: int


@lru_cache(maxsize=64)
def prepared(ptx: str) -> tuple[Kernel, Flow, dict[str, int]]:
    """A PTX text parsed and analysed, once a text. Raises Refused."""
    kernel = parse(ptx)
    flow = analyse(kernel)
    return kernel, flow, local_registers(flow)


def evaluate(
    kernel, args: list, blocks: int, *, threads: int | None = None, batch=BATCH, visits=None, watch=None
) -> Report:
    """Run `blocks` CTAs of a kernel (PTX text, or anything with a .ptx) and write its arrays in place.

    args     one for each parameter: contiguous arrays for pointers, numbers for the rest; Triton's two
             trailing scratch pointers are left out
    threads  per CTA; checked against the text, which fixes it
    batch    lanes evaluated together
    visits   at most so many basic blocks in each batch
    watch    called as watch("add" or "sub", a, b, result) after each floating one, with buffers that do not
             last

    Raises Refused (outside the table), OutOfBounds, TypeError (arguments), Endless.
    """
    parsed, flow, local = prepared(getattr(kernel, "ptx", kernel))
    if threads not in (None, parsed.threads):
        raise ValueError(f"threads is {threads}, but the text fixes {parsed.threads}")
    if blocks < 1:
        raise ValueError(f"blocks is {blocks}, must be at least 1")
    values, memory = arguments(parsed, list(args))
    most = min(blocks, max(1, batch // parsed.threads))
    executed, frame = 0, None
    with np.errstate(all="ignore"):
        for first in range(0, blocks, most):
            ctas = min(most, blocks - first)
            if frame is None or frame.ctas != ctas:
                frame = Frame(parsed, flow, local, values, memory, ctas, blocks, watch)
            executed += frame.run(first, visits)
    return Report(parsed.unpinned, executed, blocks * parsed.threads)


def arguments(kernel: Kernel, args: list) -> tuple[list[np.ndarray], Memory]:
    """Parameter values as 0-d arrays, and the memory behind the pointers. Raises TypeError."""
    numbers, arrays = passed(kernel, args)
    kinds = (kind for kind, _ in kernel.params)
    types = (DTYPE[kind] if kind[0] == "f" else f"u{width(kind) // 8}" for kind in kinds)
    values = [np.array(number, dtype) for number, dtype in zip(numbers, types, strict=True)]
    return values, Memory(arrays)


def passed(kernel: Kernel, args: list) -> tuple[list[int | float], list[np.ndarray | None]]:
    """The number that each parameter is given, an address for a pointer, and the arrays behind the pointers.
    Raises TypeError."""
    n = len(kernel.params)
    if not n - 2 <= len(args) <= n:
        raise TypeError(
            f"{kernel.name} has {n} parameters (the last two are Triton's own), got {len(args)} arguments"
        )
    args = [*args, *[None] * (n - len(args))]
    numbers, arrays = [], [None] * n
    for k, ((kind, is_pointer), arg) in enumerate(zip(kernel.params, args, strict=True)):
        if arg is None:
            numbers.append(0)
        elif is_pointer:
            if not isinstance(arg, np.ndarray) or not arg.flags.c_contiguous:
                raise TypeError(
                    f"argument {k} of {kernel.name} is {type(arg).__name__}, must be a contiguous numpy array"
                )
            numbers.append(Memory.base(k))
            arrays[k] = arg
        elif isinstance(arg, np.ndarray):
            raise TypeError(f"argument {k} of {kernel.name} is an array, must be a number (.{kind})")
        elif kind[0] == "f":
            numbers.append(arg)
        else:
            bits = width(kind)
            if not -(2 ** (bits - 1)) <= int(arg) < 2**bits or int(arg) != arg:
                raise TypeError(f"argument {k} of {kernel.name} is {arg}, must fit .{kind}")
            numbers.append(int(arg) % 2**bits)
    return numbers, arrays
