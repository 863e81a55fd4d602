"""Facts about the compiled kernel on sm_80, sm_90 and sm_100: registers, spills, instructions of a step, and
the speed that they allow.

Nothing here ran on a GPU. Triton's ptxas assembles the PTX and nvdisasm's twin cuobjdump prints the machine
code; the loop over steps is the longest backward branch. One trajectory is one thread, so a streaming
multiprocessor takes at most

    rate = min(issue / instructions, fp64 / double-precision instructions, fp32 / ..., special /
    ...)   trajectory-steps/cycle  (1)

and a device that times its multiprocessors and its clock. That is an upper bound: it knows no latency, no
memory, no divergence, and counts the slow path of a division as if it were never taken. Sources: CUDA C++
Programming Guide, "Arithmetic Instructions", throughput per multiprocessor and cycle for compute capability
8.0, 9.0 and 10.0; NVIDIA A100 and H100 architecture whitepapers and the B200 datasheet, multiprocessors and
boost clocks of the SXM boards. Pairs of float32 of sm_100 (f32x2) count for issue alone.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from noether.kernels.loops.assembler import assembled
from noether.kernels.loops.backends import compiled
from noether.labs.bench.work import Work


@dataclass(frozen=True)
class Device:
    """Public figures. Per cycle and multiprocessor: instructions issued, and results of each kind, in
    threads."""

    name: str
    multiprocessors: int
    gigahertz: float
    issue: int
    pipes: dict[str, int]


DEVICES = {
    80: Device("A100 SXM", 108, 1.41, 128, {"fp64": 32, "fp32": 64, "special": 16, "convert": 16}),
    90: Device("H100 SXM", 132, 1.98, 128, {"fp64": 64, "fp32": 128, "special": 16, "convert": 16}),
    100: Device("B200", 148, 1.965, 128, {"fp64": 64, "fp32": 128, "special": 16, "convert": 16}),
}
PIPES = (
    ("fp64", re.compile(r"D(ADD|MUL|FMA|SETP|MNMX)\b")),
    ("fp32", re.compile(r"F(ADD|MUL|FMA|FMA32I|SETP|MNMX|SEL|SET|CHK)\b")),
    ("special", re.compile(r"MUFU\b")),
    ("convert", re.compile(r"(F2F|I2F|F2I|FRND)\b")),
)


@dataclass(frozen=True)
class Shape:
    """One kernel on one architecture.

    instructions  of one step
    pipes         how many of them each pipe takes
    rate          trajectory-steps per second that (1) allows
    limit         what limits it
    """

    case: str
    precision: str
    kind: str
    arch: int
    registers: int
    stack: int
    spills: int
    instructions: int
    pipes: dict[str, int]
    rate: float
    limit: str


def listing(sass: str) -> list[tuple[int, str]]:
    """The instructions in order, as (address, instruction without its guard)."""
    found = re.findall(r"^\s*/\*([0-9a-f]{4,})\*/\s+(?:@!?U?P\w+\s+)?([^;]+);", sass, re.M)
    return [(int(at, 16), text.strip()) for at, text in found]


def loop(code: list[tuple[int, str]]) -> list[str]:
    """The instructions between the target of the longest backward branch and that branch. Raises
    ValueError."""
    spans = [
        (int(to, 16), at)
        for at, text in code
        for to in re.findall(r"^BRA(?:\.\w+)* (?:\w+, )?(?:`\(\.?\w+\)|)?\s*0x([0-9a-f]+)", text)
        if int(to, 16) < at
    ]
    if not spans:
        raise ValueError("the machine code has no backward branch: no loop over steps was found")
    first, last = max(spans, key=lambda s: s[1] - s[0])
    return [text for at, text in code if first <= at <= last]


def piped(body: list[str]) -> Counter:
    """How many of these instructions each pipe takes."""
    return Counter(next((name for name, of in PIPES if of.match(text)), "other") for text in body)


def implied(pipes: Counter, instructions: int, device: Device) -> tuple[float, str]:
    """The rate (1), trajectory-steps per second of a whole device, and what limits it."""
    costs = {"issue": instructions / device.issue}
    costs |= {name: pipes[name] / device.pipes[name] for name in device.pipes}
    limit = max(costs, key=costs.get)
    return device.multiprocessors * device.gigahertz * 1e9 / costs[limit], limit


def kernel(work: Work, arch: int) -> str:
    """The PTX of a work's kernel."""
    return compiled(work.job if work.residual is None else work.screen, arch).ptx


def shape(work: Work, arch: int) -> Shape:
    """Compile and count. Raises FileNotFoundError, RuntimeError, ValueError."""
    found = assembled(kernel(work, arch))
    body = loop(listing(found.sass))
    pipes = piped(body)
    rate, limit = implied(pipes, len(body), DEVICES[arch])
    counted = (found.registers, found.stack, found.spills, len(body), dict(pipes))
    return Shape(work.case, work.precision, work.kind, arch, *counted, rate, limit)
