"""Control flow of a parsed kernel: which branches are the same for all lanes, and where lanes part and meet
again.

A register is uniform when no definition of it depends on the lane. A branch on a lane-dependent predicate
opens a region that ends at its immediate post-dominator; its blocks run in topological order under masks. A
loop whose exit depends on the lane is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from noether.kernels.ptx.parse import Instruction, Kernel, Label, Special
from noether.kernels.ptx.table import Refused


@dataclass
class Block:
    """One basic block.

    index  in the list of blocks
    edges  (guard or None, target index): the first whose guard holds is taken
    """

    index: int
    instructions: list[Instruction] = field(default_factory=list)
    branch: Instruction | None = None
    edges: list[tuple[tuple[str, bool] | None, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Region:
    """The blocks in topological order from a branch at which lanes part to the block where all meet
    again."""

    order: tuple[int, ...]
    join: int


@dataclass
class Flow:
    """The control flow of a kernel.

    blocks   the last one is the empty exit
    varying  registers that differ between lanes
    regions  by the index of their first block
    """

    blocks: list[Block]
    varying: set[str]
    regions: dict[int, Region]

    @property
    def exit(self) -> int:
        """The index of the empty last block."""
        return len(self.blocks) - 1

    @property
    def masked(self) -> set[int]:
        """The blocks that not every lane enters."""
        return {b for region in self.regions.values() for b in region.order}


def analyse(kernel: Kernel) -> Flow:
    """The control flow of a kernel. Raises Refused for a lane-dependent loop, a region entered from outside,
    an undefined register."""
    flow = Flow(_blocks(kernel), set(), {})
    _check_defined(flow)
    after = _post_dominators(flow.blocks)
    masked: set[int] = set()
    while True:
        size = len(flow.varying), len(flow.regions)
        for block in flow.blocks:
            for i in block.instructions:
                if block.index in masked or _depends_on_lane(i, flow.varying):
                    flow.varying.update(r for r in i.results if r != "_")
            splits = len(block.edges) == 2 and block.edges[0][0][0] in flow.varying
            if splits and block.index not in masked and block.index not in flow.regions:
                flow.regions[block.index] = region = _region(flow, block, after)
                masked.update(region.order)
        if (len(flow.varying), len(flow.regions)) == size:
            break
    # A head found before the region around it was: the outer masks already cover it.
    flow.regions = {head: r for head, r in flow.regions.items() if head not in masked}
    return flow


def local_registers(flow: Flow) -> dict[str, int]:
    """Registers that live inside one block, name -> block; they are first touched by a definition."""
    home: dict[str, int] = {}
    shared: set[str] = set()
    for block in flow.blocks:
        seen: set[str] = set()
        for i in [*block.instructions, *([block.branch] if block.branch else [])]:
            whole = i.guard is None and block.index not in flow.masked
            for name in i.reads():
                if name not in seen:
                    shared.add(name)
            for name in i.results:
                if home.setdefault(name, block.index) != block.index or (name not in seen and not whole):
                    shared.add(name)
                seen.add(name)
    return {name: b for name, b in home.items() if name not in shared}


def _blocks(kernel: Kernel) -> list[Block]:
    targets = {i.sources[0].name for i in kernel.instructions if i.op.meaning == "bra"}
    blocks = [Block(0)]
    at: dict[str, int] = {}
    ends: list[tuple[str, object]] = []  # how each block goes on: (kind, instruction)

    def close(kind, instruction=None):
        ends.append((kind, instruction))
        blocks.append(Block(len(blocks)))

    for item in kernel.body:
        if isinstance(item, Label):
            if item.name in at:
                raise Refused(item.name, 0, "the label stands twice")
            if item.name in targets:
                close("fall")
                at[item.name] = blocks[-1].index
        elif item.op.meaning in ("bra", "ret"):
            blocks[-1].branch = item
            close(item.op.meaning, item)
        else:
            blocks[-1].instructions.append(item)
    if blocks[-1].instructions or len(blocks) == 1:
        raise Refused(
            "}", kernel.instructions[-1].line if kernel.instructions else 1, "the entry ends without ret"
        )
    exit_ = len(blocks) - 1
    for block, (kind, i) in zip(blocks, ends, strict=False):
        if kind == "fall":
            block.edges = [(None, block.index + 1)]
            continue
        if kind == "bra" and i.sources[0].name not in at:
            raise Refused(i.op.mnemonic, i.line, f"there is no label {i.sources[0].name}", i.text)
        target = at[i.sources[0].name] if kind == "bra" else exit_
        block.edges = [(i.guard, target)]
        if i.guard:
            block.edges.append(((i.guard[0], not i.guard[1]), block.index + 1))
    return _reachable(blocks)


def _reachable(blocks: list[Block]) -> list[Block]:
    """Without the blocks that no path enters; the exit stays last even if no path does."""
    seen, todo = {len(blocks) - 1}, [0]
    while todo:
        b = todo.pop()
        if b not in seen:
            seen.add(b)
            todo += [t for _, t in blocks[b].edges]
    kept = sorted(seen)
    new = {old: k for k, old in enumerate(kept)}
    return [
        Block(new[o], blocks[o].instructions, blocks[o].branch, [(g, new[t]) for g, t in blocks[o].edges])
        for o in kept
    ]


def _check_defined(flow: Flow):
    """Every read is preceded by a definition on every path; otherwise its bits are nobody's.

    But LLVM packs a half that nobody will read, {%rs1, %rs5} with %rs5 defined nowhere (Triton 3.7.1, f16x2),
    and adds NaN to a sum that is defined nowhere, in every step, which only this addition reads: what nothing
    needs is left out then.
    """
    everything = {r for b in flow.blocks for i in b.instructions for r in i.results}
    needed: set[int] = set()
    for i, name in _undefined(flow, everything):
        if i.op.meaning == "pack" and name not in everything:
            continue
        needed = needed or _needed(flow)
        if id(i) in needed:
            raise Refused(i.op.mnemonic, i.line, f"{name} is read before it is defined on every path", i.text)
    for b in flow.blocks if needed else ():
        b.instructions = [i for i in b.instructions if id(i) in needed]


def _undefined(flow: Flow, everything: set[str]) -> Iterator[tuple[Instruction, str]]:
    """Each read of a register that some path has not defined."""
    before = [set(everything) for _ in flow.blocks]
    before[0] = set()
    changed = True
    while changed:
        changed = False
        for b in flow.blocks:
            after = before[b.index] | {r for i in b.instructions for r in i.results}
            for _, t in b.edges:
                if not before[t] <= after:
                    before[t] &= after
                    changed = True
    for b in flow.blocks:
        known = set(before[b.index])
        for i in [*b.instructions, *([b.branch] if b.branch else [])]:
            yield from ((i, name) for name in i.reads() if name not in known)
            known.update(i.results)


def _needed(flow: Flow) -> set[int]:
    """The instructions, by id, that an access or a branch needs; an access is checked, and always needed."""
    all_ = [i for b in flow.blocks for i in [*b.instructions, *([b.branch] if b.branch else [])]]
    found = {id(i) for i in all_ if not i.results or i.op.meaning in ("load", "store", "bra", "ret")}
    read: set[str] = set()
    while True:
        more = {r for i in all_ if id(i) in found for r in i.reads()} - read
        if not more:
            return found
        read |= more
        found |= {id(i) for i in all_ if read.intersection(i.results)}


def _depends_on_lane(i: Instruction, varying: set[str]) -> bool:
    special = any(isinstance(s, Special) and s.name in ("%tid.x", "%ctaid.x") for s in i.sources)
    return special or any(name in varying for name in i.reads())


def _post_dominators(blocks: list[Block]) -> list[set[int]]:
    everything = set(range(len(blocks)))
    after = [set(everything) for _ in blocks]
    after[-1] = {len(blocks) - 1}
    changed = True
    while changed:
        changed = False
        for b in reversed(blocks[:-1]):
            new = set.intersection(*(after[t] for _, t in b.edges)) | {b.index}
            if new != after[b.index]:
                after[b.index] = new
                changed = True
    return after


def _region(flow: Flow, head: Block, after: list[set[int]]) -> Region:
    branch = head.branch

    def fail(why):
        raise Refused(branch.op.mnemonic, branch.line, why, branch.text)

    later = after[head.index] - {head.index}
    join = next((p for p in later if later <= after[p]), None)
    if join is None:
        fail("a lane-dependent branch after which the lanes never meet")
    inside: set[int] = set()
    todo = [t for _, t in head.edges if t != join]
    while todo:
        b = todo.pop()
        if b == head.index:
            fail("a lane-dependent loop: whether it goes on differs between lanes")
        if b not in inside:
            inside.add(b)
            todo += [t for _, t in flow.blocks[b].edges if t != join]
    sources = {t: {b.index for b in flow.blocks if any(u == t for _, u in b.edges)} for t in inside}
    order: list[int] = []
    while len(order) < len(inside):
        ready = [b for b in sorted(inside - set(order)) if sources[b] <= {head.index, *order}]
        if not ready:
            fail("the branches of lanes contain a loop or are entered from elsewhere")
        order.append(ready[0])
    return Region(tuple(order), join)
