"""Numbers halfway between two others (ties) and their neighbours, with the rounding that IEEE 754 prescribes
for each.

A kernel and the plain step round by the same few lines, so that a wrong tie in both is no difference between
them, and a bound of half a unit in the last place holds of ties in either direction. These points are known
beforehand. The step that shows how a backend rounds is heavy ball's on a level loss: from v_0 = 1 and
q_0 = 0 it gives v_1 = q_1 = beta, each as its store holds it.
"""

from __future__ import annotations

import numpy as np

from noether.cases.rules import HEAVY_BALL
from noether.kernels.loops.launch import Job, run
from noether.kernels.loops.outcome import bits
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op, Program

LEVEL = Program(1, (Op("const", value=0.0),), (0,))

KNOWN = {
    # float32 bits -> the bits of the nearest number, of two as near the one whose last bit is 0
    "float16": {
        0x3F801000: 0x3C00, 0x3F800FFF: 0x3C00, 0x3F801001: 0x3C01, 0x3F803000: 0x3C02, 0x3F802FFF: 0x3C01,
        0x3F803001: 0x3C02, 0xBF801000: 0xBC00, 0xBF803000: 0xBC02, 0x3FFFF000: 0x4000, 0x3FFFEFFF: 0x3FFF,
        0x33000000: 0x0000, 0x33000001: 0x0001, 0x33C00000: 0x0002, 0x34200000: 0x0002, 0x387FE000: 0x0400,
        0x387FDFFF: 0x03FF, 0x38802000: 0x0401, 0x477FEFFF: 0x7BFF, 0x477FF000: 0x7C00, 0xC77FF000: 0xFC00,
        0x7F7FFFFF: 0x7C00, 0x7F800000: 0x7C00, 0xFF800000: 0xFC00, 0x00000001: 0x0000,
    },
    "bfloat16": {
        0x3F808000: 0x3F80, 0x3F807FFF: 0x3F80, 0x3F808001: 0x3F81, 0x3F818000: 0x3F82, 0x3F817FFF: 0x3F81,
        0x3F818001: 0x3F82, 0xBF808000: 0xBF80, 0xBF818000: 0xBF82, 0x3FFF8000: 0x4000, 0x3FFF7FFF: 0x3FFF,
        0x00008000: 0x0000, 0x00008001: 0x0001, 0x00018000: 0x0002, 0x00028000: 0x0002, 0x007F8000: 0x0080,
        0x007F7FFF: 0x007F, 0x00808000: 0x0080, 0x7F7F7FFF: 0x7F7F, 0x7F7F8000: 0x7F80, 0xFF7F8000: 0xFF80,
        0x7F7FFFFF: 0x7F80, 0x7F800000: 0x7F80, 0xFF800000: 0xFF80, 0x00000001: 0x0000,
    },
}  # fmt: skip


def points(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The known points: float32 values, and the bits of each in `kind`."""
    table = KNOWN[kind]
    return np.array(list(table), np.uint32).view(np.float32), np.array(list(table.values()), np.uint16)


def job(x: np.ndarray, precision: Precision) -> Job:
    """A launch of one step whose q_1 and v_1 are the numbers x, float32, in their stores; x = -0 gives q_1 =
    +0."""
    lanes = len(x)
    params = np.stack([np.ones(lanes), x.astype(np.float64), np.zeros(lanes), np.zeros(lanes)])
    return Job(LEVEL, HEAVY_BALL, precision, np.zeros((1, lanes)), np.ones((1, lanes)), params, 1)


def stored(x: np.ndarray, precision: Precision, backend: str) -> tuple[np.ndarray, np.ndarray]:
    """The bits of q_1 and of v_1, as the backend stores x."""
    with np.errstate(all="ignore"):
        outcome = run(job(x, precision), backend)
    return bits(outcome.q)[1, 0], bits(outcome.v)[1, 0]


def misread(backend: str, kind: str, mode: str = "stored") -> list[str]:
    """One line for each known point that a backend stores as another number."""
    x, want = points(kind)
    precision = Precision(kind, mode)
    stores = [name for name, store in (("q", precision.q_store), ("v", precision.v_store)) if store == kind]
    read = dict(zip("qv", stored(x, precision, backend), strict=True))
    return [
        f"{backend} stores {float(value)!r} in {name} as {kind} {int(got):#06x}, must be {int(known):#06x}"
        for name in stores
        for value, got, known in zip(x, read[name], want, strict=True)
        if got != known
    ]
