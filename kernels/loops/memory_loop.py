"""The time loop in Triton for many parameters: the state of a lane in memory, not in registers.

STEP is a whole step, gradient and update, printed by kernels/programs/loop_text.py; its memory holds q, v and
the numbers of Rule.inputs first, then what it computes. A lane is one thread and reads only what it wrote
itself, so nothing waits for others. Its plain twin is kernels/programs/numpy_step.py: the two agree bit for
bit.

Buffers are those of kernels/loops/trajectory_loop.py, and mem_ptr (SLOTS, lanes) in the type of the
arithmetic, table_ptr int32, the first D + V entries of which say where q' and v' are, and constants_ptr
float64.
"""

import triton
import triton.language as tl

from noether.kernels.loops.triton_rounding import load, store


@triton.jit
def copied(ptr, at, first, mem, stride, live, COUNT: tl.constexpr, KIND: tl.constexpr, ARITH: tl.constexpr):
    """Load COUNT rows of a buffer that begin at `at` into the memory, from slot `first` on."""
    for i in range(COUNT):
        tl.store(mem + stride * (first + i), load(ptr + stride * i + at, live, KIND, ARITH), mask=live)


@triton.jit
def kept(ptr, at, first, mem, stride, live, COUNT: tl.constexpr, KIND: tl.constexpr):
    """Store COUNT slots of the memory, already narrowed, in the rows of a buffer that begin at `at`."""
    for i in range(COUNT):
        store(ptr + stride * i + at, tl.load(mem + stride * (first + i), mask=live, other=1), live, KIND)


@triton.jit(do_not_specialize=["lanes", "steps"])
def trajectory(
    q_ptr, v_ptr, params_ptr, known_ptr, mem_ptr, table_ptr, constants_ptr, lanes, steps,
    STEP: tl.constexpr, ROWS: tl.constexpr, KNOWN: tl.constexpr, SPREAD: tl.constexpr,
    D: tl.constexpr, V: tl.constexpr, ARITH: tl.constexpr, Q_KIND: tl.constexpr, V_KIND: tl.constexpr,
    TRACE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    # int64: rows * D * lanes passes 2^31 long before memory runs out.
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < lanes
    stride = lanes.to(tl.int64)
    mem = mem_ptr + lane
    P = D + V

    copied(q_ptr, lane, 0, mem, stride, live, D, Q_KIND, ARITH)
    copied(v_ptr, lane, D, mem, stride, live, V, V_KIND, ARITH)
    for i in range(ROWS):
        x = tl.load(params_ptr + stride * i + lane, mask=live, other=0).to(ARITH)
        tl.store(mem + stride * (P + i), x, mask=live)

    at_q = lane + D * stride
    at_v = lane + V * stride
    for n in range(steps):
        for i in range(KNOWN):
            at = stride * (n * KNOWN + i) + lane if SPREAD else (n * KNOWN + i) + 0 * lane
            c = tl.load(known_ptr + at, mask=live, other=0).to(ARITH)
            tl.store(mem + stride * (P + ROWS + i), c, mask=live)
        STEP(mem, table_ptr, constants_ptr, stride, live)
        for i in range(D + V):
            x = tl.load(mem + stride * tl.load(table_ptr + i), mask=live, other=1)
            tl.store(mem + stride * i, x, mask=live)
        if TRACE:
            kept(q_ptr, at_q, 0, mem, stride, live, D, Q_KIND)
            kept(v_ptr, at_v, D, mem, stride, live, V, V_KIND)
            at_q += D * stride
            at_v += V * stride
    if not TRACE:
        kept(q_ptr, at_q, 0, mem, stride, live, D, Q_KIND)
        kept(v_ptr, at_v, D, mem, stride, live, V, V_KIND)
