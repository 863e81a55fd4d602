"""Running a translated kernel on arrays, with the addresses and errors of kernels/ptx/evaluate.py."""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from noether.kernels.ptx.binding import Endless
from noether.kernels.ptx.evaluate import passed
from noether.kernels.ptx.memory import Memory, OutOfBounds
from noether.kernels.ptx.native import compiler_search
from noether.kernels.ptx.native.emission import Translation, translate
from noether.kernels.ptx.native.library_cache import load
from noether.kernels.ptx.semantics import DTYPE
from noether.kernels.ptx.table import width

FOREVER = 2**62
ALONE = 16  # blocks for which one thread is enough while it is not known how long they take
SHORT = (
    40e-6  # seconds of work for which one thread is enough: waking and awaiting a second takes about 10 us
)


@dataclass
class Report:
    """What an execution ran.

    unpinned   mnemonic -> instructions of the text whose bits PTX does not fix
    lanes      threads, those beyond the kernel's own mask among them
    workers    threads of the machine
    notes      in words: no OpenMP, hot loops that did not vectorise
    """

    unpinned: Counter
    lanes: int
    workers: int
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LaneLoop:
    """One loop over lanes in a compiled kernel.

    line   of the PTX where it begins
    hot    whether it is inside a cycle
    bytes  of its vectors, 0 where it is scalar
    """

    line: int
    hot: bool
    bytes: int


class _Array(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("bytes", ctypes.c_int64), ("there", ctypes.c_int64)]


class _Fault(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("code", "place", "block")]
    _fields_ += [(name, ctypes.c_uint64) for name in ("first", "last")]


@dataclass(frozen=True)
class Entry:
    """What a launch reads of a parsed kernel (parse.Kernel), whose instructions hold 0.6 MB."""

    name: str
    threads: int
    params: tuple[tuple[str, bool], ...]
    unpinned: Counter


@dataclass(frozen=True)
class Library:
    """A kernel that is translated, compiled and loaded."""

    ptx: str
    entry: Entry
    run: object
    openmp: bool
    loops: tuple[LaneLoop, ...]
    pace: list[float] = field(default_factory=list)  # seconds of one thread for a block, when it last ran

    @property
    def translation(self) -> Translation:
        """The translation, made once more: who asks where a kernel went wrong needs its instructions."""
        return translate(self.ptx)

    @cached_property
    def notes(self) -> list[str]:
        """What is to be told of every execution."""
        scalar = [x for x in self.loops if x.hot and not x.bytes]
        return ["no OpenMP: one thread"] * (not self.openmp) + [
            f"the loop from PTX line {x.line} did not vectorise" for x in scalar
        ]

    def threads(self, blocks: int) -> int:
        """How many threads are worth it for so many blocks."""
        if blocks > ALONE:
            most = -(-blocks // ALONE)
        else:
            most = blocks if self.pace and self.pace[0] * blocks > SHORT else 1
        return max(1, min(workers(), most))


@lru_cache(maxsize=4096)
def library(ptx: str) -> Library:
    """The compiled library of a kernel. Raises Refused, CompilerMissing, CompileFailed, CacheFailed."""
    translation = translate(ptx)
    tool = compiler_search.find()
    loaded, said = load(tool, translation.text)
    kernel = translation.kernel
    entry = Entry(kernel.name, kernel.threads, kernel.params, kernel.unpinned)
    return Library(ptx, entry, loaded.run, tool.openmp, loops(translation, said))


def loops(translation: Translation, said: str) -> tuple[LaneLoop, ...]:
    """Which lane loops were vectorised, from what the compiler says (gcc: -fopt-info-vec, clang: -Rpass)."""
    found: dict[int, int] = {}
    for line, rest in re.findall(r"^[^\s:]*:(\d+):\d+: (?:optimized|remark): (.*vectorized.*)$", said, re.M):
        size = re.search(r"(\d+) byte vectors|vectorization width: (\d+)", rest)
        found[int(line)] = int(size[1] or 4 * int(size[2])) if size else 1
    starts = [first for first, _, _ in translation.loops]
    out = []
    for k, (first, line, hot) in enumerate(translation.loops):
        end = starts[k + 1] if k + 1 < len(starts) else first + 10**9
        out.append(
            LaneLoop(line, hot, max((b for at, b in found.items() if first - 1 <= at < end - 1), default=0))
        )
    return tuple(out)


def workers() -> int:
    """How many threads to use: OMP_NUM_THREADS, at most the processors that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(usable, int(asked)) if asked.isdigit() and int(asked) else usable


def execute(
    kernel, args: list, blocks: int, *, visits: int | None = None, threads: int | None = None
) -> Report:
    """Run `blocks` CTAs of a kernel (PTX text, or anything with a .ptx) and write its arrays in place.

    args     as noether.kernels.ptx.evaluate takes them
    visits   at most so many basic blocks in each work item
    threads  of the machine; by default as many as may be used and are worth it

    Raises Refused (outside the table), OutOfBounds, TypeError (arguments), Endless, and what `library`
    raises.
    """
    loaded = library(getattr(kernel, "ptx", kernel))
    parsed = loaded.entry
    if blocks < 1:
        raise ValueError(f"blocks is {blocks}, must be at least 1")
    numbers, behind = passed(parsed, args)
    raw = [bits(x, kind) for x, (kind, _) in zip(numbers, parsed.params, strict=True)]
    arrays = (_Array * len(raw))(
        *((0, 0, 0) if a is None else (a.__array_interface__["data"][0], a.nbytes, 1) for a in behind)
    )
    fault = _Fault()
    most = max(1, min(threads, blocks)) if threads else loaded.threads(blocks)
    limits = (len(raw), blocks, FOREVER if visits is None else visits)
    given = ((ctypes.c_uint64 * len(raw))(*raw), arrays, *map(ctypes.c_int64, limits))
    begin = time.perf_counter()
    loaded.run(*given, ctypes.c_int(most), ctypes.byref(fault))
    loaded.pace[:] = [(time.perf_counter() - begin) * most / blocks]
    if fault.code:
        _raise(loaded.translation, fault, visits, Memory(behind))
    used = most if loaded.openmp else 1
    return Report(parsed.unpinned, blocks * parsed.threads, used, list(loaded.notes))


def bits(number: int | float, kind: str) -> int:
    """The bits of the number that a parameter is given."""
    if kind[0] != "f":
        return number
    return int(np.array([number], DTYPE[kind]).view(f"u{width(kind) // 8}")[0])


def _raise(translation: Translation, fault: _Fault, visits: int | None, memory: Memory):
    """The exception of a fault, in the words of the evaluator."""
    if fault.code == 5:
        raise Endless(f"{translation.kernel.name} ran more than {visits} basic blocks")
    i = translation.places[fault.place]
    kinds = i.op.result or i.op.sources[1:]
    where = f"PTX line {i.line}, block {fault.block}"
    first, last = (x - 2**64 if x >= 2**63 else x for x in (fault.first, fault.last))
    index = (first >> 40) - 1
    if fault.code == 1:
        raise OutOfBounds(f"{where}: address {first:#x} is in no array   [{i.text}]")
    if fault.code == 4:
        raise OutOfBounds(f"{where}: the lanes reach into different arrays   [{i.text}]")
    size, base = width(kinds[0]) // 8 * len(kinds), Memory.base(index)
    if fault.code == 3:
        raise OutOfBounds(f"{where}: offset {first - base} is not aligned to {size} bytes   [{i.text}]")
    raise OutOfBounds(
        f"{where}: bytes {first - base} to {last - base + size} of argument {index}, which has "
        f"{memory.arrays[index].nbytes}   [{i.text}]"
    )
