"""A kernel bound to its buffers: every PTX instruction becomes one numpy call without arguments.

Each register has a fixed buffer, and before the first step every instruction becomes calls bound to those
buffers; running is then calling them in order. Uniform registers are 0-d, and uniform control flow is
followed once for a whole batch. A register that lives in one block gives its buffer back at its last use, so
that the working set stays in the cache.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from noether.kernels.ptx.memory import access
from noether.kernels.ptx.parse import Address, Immediate, Instruction, Parameter, Register
from noether.kernels.ptx.semantics import DTYPE, MEANING, build, low
from noether.kernels.ptx.table import Op, halved, width


class Endless(RuntimeError):
    """Raised when more basic blocks were run than were allowed: the kernel may never end."""


class Frame:
    """The buffers for one number of CTAs, and every basic block as a list of calls bound to them."""

    def __init__(self, kernel, flow, local, values, memory, ctas, blocks, watch=None):
        self.watch = watch
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
        self.calls = [self.bound(b) for b in flow.blocks]
        self.opening = {head: self._edges(head, None, r) for head, r in flow.regions.items()}
        self.inner = {b: self._edges(b, self.masks[b], r) for r in flow.regions.values() for b in r.order}
        self.sizes = [len(b.instructions) + (b.branch is not None) for b in flow.blocks]

    def run(self, first: int, visits: int | None) -> int:
        """Run CTAs first, first + 1, ... from the entry to the exit; returns how many instructions ran."""
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
            taken = self.condition(guard, mask, calls)
            calls.append(
                partial(
                    np.logical_or, self.masks[target], True if taken is None else taken, self.masks[target]
                )
            )
        return calls

    def condition(self, guard, mask, calls) -> np.ndarray | None:
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
        """The buffer of a register, read as `kind`: its low part where it is wider."""
        shape = (self.lanes,) if register in self.flow.varying else ()
        size = width(self.kernel.registers[register])
        if register not in self.buffers:
            dtype = bool if size == 1 else f"u{size // 8}"
            pool = self.free.get(size, []) if shape and register in self.local else []
            # All ones: a half that is packed but defined nowhere shows as NaN if anything reads it.
            self.buffers[register] = pool.pop() if pool else np.full(shape, -1).astype(dtype)
        return low(self.buffers[register], kind)

    def temp(self, kind: str, k: int, shape: tuple) -> np.ndarray:
        """A buffer that lasts as long as one instruction."""
        key = kind, k, shape
        if key not in self.temps:
            self.temps[key] = np.zeros(shape, DTYPE[kind])
        return self.temps[key]

    def bound(self, block) -> list:
        calls: list = []
        last: dict[str, int] = {}
        everything = [*block.instructions, *([block.branch] if block.branch else [])]
        for k, i in enumerate(everything):
            for name in (*i.reads(), *i.results):
                last[name] = k
        mask = self.masks.get(block.index)
        for k, i in enumerate(everything):
            if i is not block.branch:
                self.bind(i, mask, calls)
            for name in {*i.reads(), *i.results}:
                if last[name] == k and self.local.get(name) == block.index and name in self.flow.varying:
                    # Its storage goes to the next register of that width. The branch's own predicate stays.
                    if k < len(everything) - 1 and name in self.buffers:
                        self.free.setdefault(width(self.kernel.registers[name]), []).append(
                            self.buffers[name]
                        )
        return calls

    def _source(self, source, kind: str) -> np.ndarray:
        if isinstance(source, Register):
            return self.view(source.name, kind)
        if isinstance(source, Address):
            return self.view(source.base, "s64")
        if isinstance(source, Parameter):
            return low(self.values[source.index], kind)
        if isinstance(source, Immediate):
            bits = np.array([source.bits], "?" if kind == "pred" else f"u{width(kind) // 8}")
            value = low(bits, kind)[0] if kind.endswith("x2") else bits.view(DTYPE[kind])[0]
            value = np.asarray(value)
            value.flags.writeable = False
            return value
        return self.special[source.name].view(DTYPE[kind])

    def bind(self, i: Instruction, mask, calls: list):
        op = i.op
        condition = self.condition(i.guard, mask, calls)
        if op.meaning == "store":
            values = [
                self._source(s, f"u{width(t)}") for s, t in zip(i.sources[1:], op.sources[1:], strict=True)
            ]
            calls.append(
                access(self.memory, i, self._source(i.sources[0], "s64"), values, condition, self.lanes)
            )
        elif op.meaning == "load":
            self._bind_load(i, self._source(i.sources[0], "s64"), condition, calls)
        elif op.meaning == "unpack":
            whole = self._source(i.sources[0], op.sources[0])
            cells = whole.reshape(-1).view(DTYPE[op.result[0]]).reshape(*whole.shape, len(i.results))
            for k, name in enumerate(i.results):
                if name != "_":
                    where = True if condition is None else condition
                    calls.append(
                        partial(np.copyto, self.view(name, op.result[k]), cells[..., k], where=where)
                    )
        elif op.result == ("pred", "pred"):
            whole = [self._source(s, t) for s, t in zip(i.sources, op.sources, strict=True)]
            for k, name in enumerate(i.results):
                self._bind_result(i, halved(op), name, [s[..., k] for s in whole], condition, calls)
        else:
            self._bind_value(i, condition, calls)

    def _bind_value(self, i: Instruction, condition, calls: list):
        op = i.op
        if op.meaning == "param":
            sources = [low(self.values[i.sources[0].index], op.result[0])]
        else:
            sources = [self._source(s, t) for s, t in zip(i.sources, op.sources, strict=True)]
        self._bind_result(i, op, i.results[0], sources, condition, calls)
        if (
            self.watch and op.meaning in ("add", "sub") and i.results[0] not in i.reads()
        ):  # else a source is overwritten
            calls.append(partial(self.watch, op.meaning, *sources, self.view(i.results[0], op.result[0])))

    def _bind_result(self, i: Instruction, op: Op, name: str, sources: list, condition, calls: list):
        """One result: computed in place, or aside and then copied for the lanes under condition."""
        whole, kind = width(self.kernel.registers[name]), op.result[0]
        if op.meaning == "param":
            kind = kind if width(kind) == whole else kind[0].replace("b", "u") + str(whole)  # extends
        raw = "pred" if whole == 1 else f"u{whole}"
        out = self.view(name, raw)
        aside = condition is not None or (op.meaning in MEANING and name in i.reads())
        target = self.temp(raw, 8, out.shape) if aside else out
        scratch = lambda kind, k: self.temp(kind, k, out.shape)
        if op.meaning == "param":
            calls.append(partial(np.copyto, low(target, kind), sources[0], casting="unsafe"))
        else:
            calls += build(op, low(target, kind), sources, scratch)
        if aside:
            calls.append(partial(np.copyto, out, target, where=True if condition is None else condition))

    def _bind_load(self, i: Instruction, address, condition, calls: list):
        values, widen = [], []
        for name, kind in zip(i.results, i.op.result, strict=True):
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
            widen.append(
                partial(
                    np.copyto, out, part, where=True if condition is None else condition, casting="unsafe"
                )
            )
        calls.append(access(self.memory, i, address, values, condition, self.lanes))
        calls += widen
