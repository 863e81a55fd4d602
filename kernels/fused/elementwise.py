"""One step of a learning rule on every element of an array, in Triton.

The arithmetic is that of a rule of cases/rules/ or sgd_rule.py: UPDATE is its lines for one component, traced
and printed by kernels/programs/triton_text.py. Its plain twin is kernels/programs/numpy_step.py: the two
agree bit for bit.

Buffers, n elements each: q_ptr and g_ptr in the type of the parameters, bfloat16 as its 16 bits; first_ptr
and second_ptr the rule's buffers, second_ptr unread where it has one; numbers_ptr (ROWS,) float64, as
Rule.inputs, for Triton passes a Python float as float32; stream_ptr (4,) int32: seed, its upper half, step,
place of the array.
"""

import triton
import triton.language as tl

from noether.kernels.loops.trajectory_loop import parameters
from noether.kernels.loops.triton_rounding import load, store


@triton.jit
def at_random(x, random):
    """A float32 rounded to bfloat16, up or down so that its mean is x: up with the probability of the share
    of the way.

    The neighbours of x differ in the upper 16 bits, and the lower ones are the share of the way between them
    (Gupta et al., 2015, equation 2, for floating numbers). Infinity stays, and NaN stays quiet.
    """
    bits = x.to(tl.uint32, bitcast=True)
    either = (bits + (random & 0xFFFF)) & 0xFFFF0000
    quiet = (bits | 0x00400000) & 0xFFFF0000
    return tl.where(x == x, either, quiet).to(tl.float32, bitcast=True)


@triton.jit
def draws(stream_ptr, at):
    """A uint32 for each element, of seed, step, array and element alone: Philox (Salmon et al., 2011)."""
    low = tl.load(stream_ptr).to(tl.uint32, bitcast=True).to(tl.uint64)
    high = tl.load(stream_ptr + 1).to(tl.uint32, bitcast=True).to(tl.uint64)
    here = at.to(tl.uint32)
    above = (at >> 32).to(tl.uint32)
    step = tl.load(stream_ptr + 2).to(tl.uint32, bitcast=True) + 0 * here
    place = tl.load(stream_ptr + 3).to(tl.uint32, bitcast=True) + 0 * here
    first, second, third, fourth = tl.philox(low | (high << 32), here, above, step, place)
    return first


@triton.jit(do_not_specialize=["n"])
def elementwise(
    q_ptr, g_ptr, first_ptr, second_ptr, numbers_ptr, stream_ptr, n,
    UPDATE: tl.constexpr, ROWS: tl.constexpr, BUFFERS: tl.constexpr, STORED: tl.constexpr,
    MAXIMIZE: tl.constexpr, RANDOM: tl.constexpr, ARITH: tl.constexpr,
    Q_KIND: tl.constexpr, V_KIND: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    q = load(q_ptr + at, live, Q_KIND, ARITH)
    g = load(g_ptr + at, live, Q_KIND, ARITH)
    if MAXIMIZE:
        g = 0.0 - g
    v = ()
    for i in tl.static_range(BUFFERS):
        if not STORED:
            v = v + (tl.zeros_like(q),)
        elif i == 0:
            v = v + (load(first_ptr + at, live, V_KIND, ARITH),)
        else:
            v = v + (load(second_ptr + at, live, V_KIND, ARITH),)
    p = parameters(numbers_ptr, 0 * at, 1, live, ROWS, ARITH)
    state = UPDATE((q,), v, (g,), p)
    moved = state[0]
    if RANDOM:
        moved = at_random(moved, draws(stream_ptr, at))
    store(q_ptr + at, moved, live, Q_KIND)
    if STORED:
        store(first_ptr + at, state[1], live, V_KIND)
        if BUFFERS == 2:
            store(second_ptr + at, state[2], live, V_KIND)
