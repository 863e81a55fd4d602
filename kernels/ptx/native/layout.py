"""The C text of a translated kernel: declarations, loops, and which line is what."""

from __future__ import annotations

from dataclasses import dataclass

from noether.kernels.ptx.control import Flow
from noether.kernels.ptx.native import prelude
from noether.kernels.ptx.native.expression import parts
from noether.kernels.ptx.native.lanes import Loop
from noether.kernels.ptx.parse import Instruction, Kernel

LANES = 64  # most lanes of a work item: 40 registers of 64 bits of them stay in a first-level cache
STACK = 1 << 20  # bytes that a work item's arrays may take: threads have small stacks

HEAD = """{parts}
#define W {lanes}
#define SPACING {spacing}
{memory}
{limit}{shapes}
int run(const u64 *params, const array *arrays, s64 count, s64 blocks, s64 visits, int threads,
    fault *faults) {{
#pragma omp parallel for schedule(dynamic) num_threads(threads)
for (s64 item = 0; item < blocks * {parts_of_a_block}; item++) {{
const s64 block = item / {parts_of_a_block}, start = item % {parts_of_a_block} * W;
if (__atomic_load_n(&faults->code, __ATOMIC_ACQUIRE) && faults->block < block) continue;
s64 visited = 0;
"""
TAIL = """end:;
}
#ifdef _OPENMP
return _OPENMP;
#else
return 0;
#endif
}"""


@dataclass(frozen=True)
class Translation:
    """The C text of one kernel.

    loops   (first line in the C text, PTX line, whether inside a cycle)
    places  the accesses of the text
    """

    kernel: Kernel
    text: str
    loops: tuple[tuple[int, int, bool], ...]
    places: tuple[Instruction, ...]
    lanes: int


def layout(w) -> Translation:
    """The Translation of what an emission wrote."""
    arrays = w.arrays.union(*(x.exposed for x in w.items if isinstance(x, Loop)))
    declared = [f"u{w.bits(r)} {w.names[r]} = ~(u{w.bits(r)})0;" for r in ordered(w, w.defined - w.lanewise)]
    declared += [f"s64 n_{w.names[p]} = 0;" for p in ordered(w, set(w.limits))]
    declared += [f"u{w.bits(r)} a_{w.names[r]}[W] __attribute__((aligned(64)));" for r in ordered(w, arrays)]
    declared += [f"u{bits} {name}[W] __attribute__((aligned(64)));" for name, bits in sorted(w.pool.items())]
    declared += [f"memset(a_{w.names[r]}, 0xff, sizeof a_{w.names[r]});" for r in ordered(w, arrays & w.kept)]
    bits = sum(map(w.bits, arrays)) + sum(w.pool.values())
    most = max(1, min(LANES, w.kernel.threads, 8 * STACK // max(1, bits)))
    lanes = next(n for n in range(most, 0, -1) if w.kernel.threads % n == 0)
    texts = {"parts": parts([i.op for i in w.kernel.instructions]), "memory": prelude.MEMORY}
    texts["limit"] = prelude.LIMIT if w.limits else ""
    texts["shapes"] = "".join(s.text() for s in w.shapes.values())
    whole = {"lanes": lanes, "spacing": prelude.SPACING, "parts_of_a_block": w.kernel.threads // lanes}
    head = HEAD.format(**texts, **whole)
    lines, marks, hot = head.splitlines() + declared, [], cyclic(w.flow)
    for x in w.items:
        if isinstance(x, Loop) and x.lines:
            marks.append((len(lines) + 2, x.at, x.block in hot))
        lines += lane_loop(w, x, arrays) if isinstance(x, Loop) else [x]
    text = "\n".join([*lines, *TAIL.splitlines()]) + "\n"
    return Translation(w.kernel, text, tuple(marks), tuple(w.places), lanes)


def ordered(w, registers: set[str]) -> list[str]:
    """Registers in the order of their C names: one kernel gives one text, which is the key of the cache."""
    return sorted(registers, key=w.names.__getitem__)


def lane_loop(w, loop: Loop, arrays: set[str]) -> list[str]:
    """The C of a loop over lanes: registers that live beyond it are read from and written to `arrays`."""
    order = ordered(w, loop.exposed | loop.defined)
    opening = [
        f"u{w.bits(r)} {w.names[r]}" + (f" = a_{w.names[r]}[l];" if r in loop.exposed else ";") for r in order
    ]
    closing = [f"a_{w.names[r]}[l] = {w.names[r]};" for r in order if r in loop.defined and r in arrays]
    if not loop.lines:
        return loop.calls
    head = ["#pragma omp simd", "for (int l = 0; l < W; l++) {"]
    return [*head, *opening, *loop.lines, *closing, "}", *loop.calls]


def cyclic(flow: Flow) -> set[int]:
    """The blocks from which a path leads back to them, where most of the time goes."""
    after = {b.index: {t for _, t in b.edges} for b in flow.blocks}
    size = -1
    while size != sum(map(len, after.values())):
        size = sum(map(len, after.values()))
        after = {b: reached.union(*(after[t] for t in reached)) for b, reached in after.items()}
    return {b for b, reached in after.items() if b in reached}
