"""Run a parsed kernel in numpy: many CTAs at once, one array element for each lane. The oracle for what Triton compiled.

Each register has a fixed buffer, and before the first step every instruction becomes numpy calls bound to those
buffers; running is then calling them in order. Uniform registers are 0-d and uniform control flow is followed once
for a whole batch.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from kernels.ptx.control import Flow, analyse, local_registers
from kernels.ptx.memory import Memory, access
from kernels.ptx.parse import Address, Immediate, Instruction, Kernel, Parameter, Register, parse
from kernels.ptx.semantics import DTYPE, MEANING, build
from kernels.ptx.table import width

BATCH = 2048  # lanes: a few hundred registers of them stay in the second-level cache


class Endless(RuntimeError):
    """More blocks were run than allowed."""


@dataclass
class Report:
    """What ran.

    unpinned   mnemonic -> instructions of the text whose bits PTX does not fix
    executed   instructions, each counted for every thread that was active
    lanes      threads, those beyond the kernel's own mask among them
    """

    unpinned: Counter
    executed: int
    lanes: int


@lru_cache(maxsize=64)
def prepared(ptx: str) -> tuple[Kernel, Flow, dict[str, int]]:
    """Parse and analyse once per text. Raises Refused."""
    kernel = parse(ptx)
    flow = analyse(kernel)
    return kernel, flow, local_registers(flow)


def evaluate(kernel, args: list, blocks: int, *, threads: int | None = None, batch: int = BATCH, visits: int | None = None) -> Report:
    """Run `blocks` CTAs of a kernel (PTX text, or anything with a .ptx) and write its arrays in place.

    args     one for each parameter: contiguous arrays for pointers, numbers for the rest; Triton's two trailing
             scratch pointers are left out
    threads  per CTA; checked against the text, which fixes it
    batch    lanes evaluated together
    visits   at most so many basic blocks in each batch
    Raises Refused (outside the table), OutOfBounds, TypeError (arguments), Endless.
    """
    parsed, flow, local = prepared(getattr(kernel, "ptx", kernel))
    if threads not in (None, parsed.threads):
        raise ValueError(f"threads is {threads}, but the text fixes {parsed.threads}")
    if blocks < 1:
        raise ValueError(f"blocks is {blocks}, must be at least 1")
    values, memory = _arguments(parsed, list(args))
    most = min(blocks, max(1, batch // parsed.threads))
    executed, frame = 0, None
    with np.errstate(all="ignore"):
        for first in range(0, blocks, most):
            ctas = min(most, blocks - first)
            if frame is None or frame.ctas != ctas:
                frame = _Frame(parsed, flow, local, values, memory, ctas, blocks)
            executed += frame.run(first, visits)
    return Report(parsed.unpinned, executed, blocks * parsed.threads)


def _arguments(kernel: Kernel, args: list) -> tuple[list[np.ndarray], Memory]:
    """Parameter values as 0-d arrays, and the memory behind the pointers."""
    n = len(kernel.params)
    if not n - 2 <= len(args) <= n:
        raise TypeError(f"{kernel.name} has {n} parameters (the last two are Triton's own), got {len(args)} arguments")
    args += [None] * (n - len(args))
    values = []
    for k, ((kind, pointer), arg) in enumerate(zip(kernel.params, args, strict=True)):
        dtype = DTYPE[kind]
        if arg is None:
            values.append(np.zeros((), dtype))
        elif pointer:
            if not isinstance(arg, np.ndarray) or not arg.flags.c_contiguous:
                raise TypeError(f"argument {k} of {kernel.name} is {type(arg).__name__}, must be a contiguous numpy array")
            values.append(np.array(Memory.base(k), dtype))
        elif isinstance(arg, np.ndarray):
            raise TypeError(f"argument {k} of {kernel.name} is an array, must be a number (.{kind})")
        elif kind[0] == "f":
            values.append(np.array(arg, dtype))
        else:
            bits = width(kind)
            if not -(2 ** (bits - 1)) <= int(arg) < 2**bits or int(arg) != arg:
                raise TypeError(f"argument {k} of {kernel.name} is {arg}, must fit .{kind}")
            values.append(np.array(int(arg) % 2**bits, f"u{bits // 8}"))
    return values, Memory([a if isinstance(a, np.ndarray) else None for a in args])


class _Frame:
    """Buffers for one number of CTAs, and every block as a list of bound calls."""

    def __init__(self, kernel, flow, local, values, memory, ctas, blocks):
        self.kernel, self.flow, self.local, self.values, self.memory = kernel, flow, local, values, memory
        self.ctas, self.lanes = ctas, ctas * kernel.threads
        self.buffers: dict[str, np.ndarray] = {}
        self.temps: dict[tuple, np.ndarray] = {}
        self.free: dict[int, list[np.ndarray]] = {}
        self.special = {
            "%tid.x": np.tile(np.arange(kernel.threads, dtype=np.uint32), ctas),
            "%ctaid.x": np.zeros(self.lanes, np.uint32),
            "%ntid.x": np.array(kernel.threads, np.uint32),
            "%nctaid.x": np.array(blocks, np.uint32),
        }
        self.masks = {b: np.zeros(self.lanes, bool) for b in flow.masked}
        self.calls = [self._block(b) for b in flow.blocks]
        self.opening = {head: self._edges(head, None, r) for head, r in flow.regions.items()}
        self.inner = {b: self._edges(b, self.masks[b], r) for r in flow.regions.values() for b in r.order}
        self.sizes = [len(b.instructions) + (b.branch is not None) for b in flow.blocks]

    def run(self, first: int, visits: int | None) -> int:
        """All blocks from the entry to the exit, for CTAs first, first + 1, ...; returns instructions executed."""
        ids = np.arange(first, first + self.ctas, dtype=np.uint32)
        self.special["%ctaid.x"][:] = np.repeat(ids, self.kernel.threads)
        flow, at, count, seen = self.flow, 0, 0, 0
        while at != flow.exit:
            for call in self.calls[at]:
                call()
            count += self.sizes[at] * self.lanes
            seen += 1
            if visits is not None and seen > visits:
                raise Endless(f"{self.kernel.name} ran more than {visits} basic blocks")
            region = flow.regions.get(at)
            if region:
                count += self._region(at, region)
                at = region.join
                continue
            edges = flow.blocks[at].edges
            at = next(t for g, t in edges if g is None or bool(self.buffers[g[0]]) != g[1])
        return count

    def _region(self, head, region) -> int:
        count = 0
        for b in region.order:
            self.masks[b][:] = False
        for call in self.opening[head]:
            call()
        for b in region.order:
            active = int(np.count_nonzero(self.masks[b]))
            if active:
                for call in self.calls[b]:
                    call()
                for call in self.inner[b]:
                    call()
                count += self.sizes[b] * active
        return count

    def _edges(self, b, mask, region) -> list:
        """Calls that add the lanes leaving b to the masks of its successors."""
        calls = []
        for guard, target in self.flow.blocks[b].edges:
            if target == region.join:
                continue
            taken = self._condition(guard, mask, calls)
            calls.append(partial(np.logical_or, self.masks[target], True if taken is None else taken, self.masks[target]))
        return calls

    def _condition(self, guard, mask, calls) -> np.ndarray | None:
        """guard and mask as one array, computed by `calls`; None: always."""
        if guard is None:
            return mask
        value = self.view(guard[0], "pred")
        if guard[1]:
            negated = np.empty_like(value)
            calls.append(partial(np.logical_not, value, negated))
            value = negated
        if mask is None:
            return value
        both = np.empty(self.lanes, bool)
        calls.append(partial(np.logical_and, value, mask, both))
        return both

    def view(self, register: str, kind: str) -> np.ndarray:
        """The buffer of a register, read as `kind`; its low part where it is wider."""
        shape = (self.lanes,) if register in self.flow.varying else ()
        size = width(self.kernel.registers[register])
        if register not in self.buffers:
            dtype = bool if size == 1 else f"u{size // 8}"
            pool = self.free.get(size, []) if shape and register in self.local else []
            self.buffers[register] = pool.pop() if pool else np.zeros(shape, dtype)
        return _low(self.buffers[register], kind)

    def temp(self, kind: str, k: int, shape: tuple) -> np.ndarray:
        key = kind, k, shape
        if key not in self.temps:
            self.temps[key] = np.zeros(shape, DTYPE[kind])
        return self.temps[key]

    def _block(self, block) -> list:
        calls: list = []
        last: dict[str, int] = {}
        everything = [*block.instructions, *([block.branch] if block.branch else [])]
        for k, i in enumerate(everything):
            for name in (*i.reads(), *i.results):
                last[name] = k
        mask = self.masks.get(block.index)
        for k, i in enumerate(everything):
            if i is not block.branch:
                self._bind(i, mask, calls)
            for name in {*i.reads(), *i.results}:
                if last[name] == k and self.local.get(name) == block.index and name in self.flow.varying:
                    # Its storage goes to the next register of that width. The branch's own predicate stays.
                    if k < len(everything) - 1 and name in self.buffers:
                        self.free.setdefault(width(self.kernel.registers[name]), []).append(self.buffers[name])
        return calls

    def _source(self, source, kind: str) -> np.ndarray:
        if isinstance(source, Register):
            return self.view(source.name, kind)
        if isinstance(source, Address):
            return self.view(source.base, "s64")
        if isinstance(source, Parameter):
            return _low(self.values[source.index], kind)
        if isinstance(source, Immediate):
            value = np.array(source.bits, f"u{width(kind) // 8}").view(DTYPE[kind])
            value.flags.writeable = False
            return value
        return self.special[source.name].view(DTYPE[kind])

    def _bind(self, i: Instruction, mask, calls: list):
        op = i.op
        condition = self._condition(i.guard, mask, calls)
        if op.meaning == "store":
            values = [self._source(s, "u" + str(width(t))) for s, t in zip(i.sources[1:], op.sources[1:], strict=True)]
            address = self._source(i.sources[0], "s64")
            calls.append(access(self.memory, i, address, values, condition, self.lanes))
            return
        sources = [self._source(s, t) for s, t in zip(i.sources, op.sources if op.meaning not in ("load", "param") else op.result)]
        if op.meaning == "load":
            self._bind_load(i, sources[0], condition, calls)
            return
        for k, (name, kind) in enumerate(zip(i.results, op.result, strict=True)):
            if name == "_":
                continue
            whole = self.kernel.registers[name]
            kind = kind if width(whole) == width(kind) else kind[0] + str(width(whole))
            out = self.view(name, kind)
            aside = condition is not None or (op.meaning in MEANING and name in i.reads())
            target = self.temp(kind, 8, out.shape) if aside else out
            scratch = partial(_temp_of_shape, self, out.shape)
            if op.meaning == "unpack":
                cells = sources[0].reshape(-1).view(DTYPE[op.result[0]]).reshape(*sources[0].shape, len(i.results))
                calls.append(partial(np.copyto, target, cells[..., k]))
            elif op.meaning == "param":
                calls.append(partial(np.copyto, target, sources[0], casting="unsafe"))
            else:
                calls += build(op, target, sources, scratch)
            if aside and condition is None:
                calls.append(partial(np.copyto, out, target))
            elif aside:
                calls.append(partial(np.copyto, out, target, where=condition))

    def _bind_load(self, i: Instruction, address, condition, calls: list):
        values, widen = [], []
        for k, (name, kind) in enumerate(zip(i.results, i.op.result, strict=True)):
            if name == "_":
                values.append(None)
                continue
            whole = width(self.kernel.registers[name])
            if whole == width(kind):
                values.append(self.view(name, f"u{whole}"))
                continue
            # A wider register takes the value extended by its sign or by zeros.
            out = self.view(name, ("s" if kind[0] == "s" else "u") + str(whole))
            part = np.zeros(out.shape, DTYPE["s" + kind[1:] if kind[0] == "s" else "u" + kind[1:]])
            values.append(part.view(DTYPE["u" + kind[1:]]))
            widen.append(partial(np.copyto, out, part, where=True if condition is None else condition, casting="unsafe"))
        calls.append(access(self.memory, i, address, values, condition, self.lanes))
        calls += widen


def _temp_of_shape(frame: _Frame, shape: tuple, kind: str, k: int) -> np.ndarray:
    return frame.temp(kind, k, shape)


def _low(buffer: np.ndarray, kind: str) -> np.ndarray:
    dtype = DTYPE[kind]
    if buffer.dtype.itemsize == dtype.itemsize:
        return buffer.view(dtype)
    parts = buffer.dtype.itemsize // dtype.itemsize
    return buffer.reshape(-1).view(dtype)[::parts].reshape(buffer.shape)
