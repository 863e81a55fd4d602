"""Small Triton kernels whose PTX the tests evaluate: a file of their own, because triton.jit reads its
source.

One lane per thread: BLOCK = 128 = 32 * 4 warps. Buffers lane fastest, as in kernels/loops/trajectory_loop.py.
"""

import triton
import triton.language as tl


@triton.jit
def wander64(x_ptr, trace_ptr, n, steps, D: tl.constexpr, BLOCK: tl.constexpr):
    """float64: a tuple of D states, a loop over `steps`, a trace (steps, D, n)."""
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < n
    stride = n.to(tl.int64)
    q = ()
    for i in tl.static_range(D):
        q = q + (tl.load(x_ptr + i * stride + lane, mask=live, other=1.0),)
    at = lane
    for _ in range(steps):
        r = ()
        for i in tl.static_range(D):
            a, b = q[i], q[(i + 1) % D]
            s = (a * b + 0.125) / tl.sqrt(a * a + b * b + 1e-3)
            r = r + (tl.where(s > a, s - a * 0.3, -s),)
        q = r
        for i in tl.static_range(D):
            tl.store(trace_ptr + i * stride + at, q[i], mask=live)
        at += D * stride


@triton.jit
def wander32(x_ptr, trace_ptr, n, steps, KIND: tl.constexpr, BLOCK: tl.constexpr):
    """float32 arithmetic on float64 input, stored as float32, float16 or the 16 bits of a bfloat16."""
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < n
    q = tl.load(x_ptr + lane, mask=live, other=1.0).to(tl.float32)
    for t in range(steps):
        q = tl.where(q > 0.5, tl.div_rn(q - 1.25, q + 0.3), tl.sqrt_rn(tl.abs(q)) * 1.7)
        at = trace_ptr + t.to(tl.int64) * n + lane
        if KIND == "bfloat16":
            bits = q.to(tl.uint32, bitcast=True)
            nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
            tl.store(at, tl.where(q == q, nearest, (bits >> 16) | 0x40).to(tl.uint16), mask=live)
        elif KIND == "float16":
            tl.store(at, q.to(tl.float16), mask=live)
        else:
            tl.store(at, q, mask=live)


@triton.jit
def bits32(x_ptr, e_ptr, i_ptr, m_ptr, n, shift, BLOCK: tl.constexpr):
    """Exponent, a saturating conversion and a shift by a register; 16-bit and 32-bit stores."""
    lane = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = lane < n
    x = tl.load(x_ptr + lane, mask=live, other=0.0)
    raw = x.to(tl.int32, bitcast=True)
    exponent = ((raw >> 23) & 255) - 127
    tl.store(e_ptr + lane, exponent.to(tl.int16), mask=live)
    whole = tl.floor(x).to(tl.int32)
    tl.store(i_ptr + lane, (whole << 3) ^ (raw >> shift), mask=live)
    tl.store(m_ptr + lane, tl.maximum(tl.minimum(x, 2.5), -2.5), mask=live)


@triton.jit
def exponential(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """libdevice's exp: branches on the lane's value."""
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < n
    tl.store(y_ptr + lane, tl.exp(tl.load(x_ptr + lane, mask=live, other=0.0)), mask=live)


@triton.jit
def total(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    lane = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + tl.program_id(0), tl.sum(tl.load(x_ptr + lane, mask=lane < n, other=0.0)))


@triton.jit
def tally(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    lane = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(y_ptr + lane * 0, tl.load(x_ptr + lane, mask=lane < n, other=0.0), mask=lane < n)


@triton.jit
def seek(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """Each block walks until its own element is negative."""
    pid = tl.program_id(0)
    count = 0
    x = tl.load(x_ptr + pid)
    while x > 0.0:
        count += 1
        x = tl.load(x_ptr + pid + count * n)
    tl.store(y_ptr + pid, count)
