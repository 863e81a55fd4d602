"""Small elementwise optimizers in Triton, whose PTX the tests of the audit evaluate in wide arithmetic: a
file of their own, because triton.jit reads its source.

They are written as people write them, in any order and with any cast, and are none of the harness's own.
"""

import triton
import triton.language as tl

from noether.kernels.loops.triton_rounding import narrow


@triton.jit
def adamw(
    q_ptr, g_ptr, m_ptr, s_ptr, lr, beta1, beta2, eps, decay, c1, c2, n,
    CAST: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """AdamW in float32, its first moment taken through bfloat16 where CAST."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    q = tl.load(q_ptr + at, mask=live).to(tl.float32)
    g = tl.load(g_ptr + at, mask=live).to(tl.float32)
    m = tl.load(m_ptr + at, mask=live).to(tl.float32)
    s = tl.load(s_ptr + at, mask=live).to(tl.float32)
    q = q - lr * decay * q
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g * g
    if CAST:
        m = m.to(tl.bfloat16).to(tl.float32)
    q = q - lr * (m / c1) / (tl.sqrt(s / c2) + eps)
    tl.store(q_ptr + at, q, mask=live)
    tl.store(m_ptr + at, m, mask=live)
    tl.store(s_ptr + at, s, mask=live)


@triton.jit
def momentum(q_ptr, g_ptr, v_ptr, lr_ptr, n, BLOCK: tl.constexpr):
    """Heavy ball in the type of its parameters, its step size from memory."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    lr = tl.load(lr_ptr)
    v = tl.load(v_ptr + at, mask=live) * 0.875 - lr * tl.load(g_ptr + at, mask=live)
    tl.store(v_ptr + at, v, mask=live)
    tl.store(q_ptr + at, tl.load(q_ptr + at, mask=live) + v, mask=live)


@triton.jit
def sign_step(q_ptr, g_ptr, m_ptr, lr, beta, n, BLOCK: tl.constexpr):
    """Lion without decay: it moves by the sign of what may be rounded to either side of 0."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    g = tl.load(g_ptr + at, mask=live)
    m = tl.load(m_ptr + at, mask=live)
    c = beta * m + (1 - beta) * g
    q = tl.load(q_ptr + at, mask=live) - lr * tl.where(c > 0, 1.0, tl.where(c < 0, -1.0, 0.0))
    tl.store(q_ptr + at, q, mask=live)


@triton.jit
def descent_in_integers(q_ptr, g_ptr, lr, n, HOW: tl.constexpr, BLOCK: tl.constexpr):
    """Gradient descent whose result is rounded to bfloat16 in integers: to nearest, cut, or otherwise."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    q = (tl.load(q_ptr + at, mask=live).to(tl.uint32) << 16).to(tl.float32, bitcast=True)
    q = q - lr * tl.load(g_ptr + at, mask=live)
    if HOW == "nearest":
        bits = narrow(q, "bfloat16").to(tl.uint32, bitcast=True) >> 16
    elif HOW == "cut":
        bits = q.to(tl.uint32, bitcast=True) >> 16
    else:
        bits = (q.to(tl.uint32, bitcast=True) >> 16) ^ 5
    tl.store(q_ptr + at, bits.to(tl.uint16), mask=live)


@triton.jit
def roots(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    """The approximate functions of the hardware, one after the other in rows of n."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    x = tl.load(x_ptr + at, mask=live, other=1.0)
    tl.store(y_ptr + at, tl.sqrt(x), mask=live)
    tl.store(y_ptr + n + at, 1 / x, mask=live)
    tl.store(y_ptr + 2 * n + at, tl.rsqrt(x), mask=live)
    tl.store(y_ptr + 3 * n + at, tl.exp2(x), mask=live)
    tl.store(y_ptr + 4 * n + at, tl.maximum(tl.minimum(tl.abs(x - 3.0), x), 0.7), mask=live)


@triton.jit
def gated(q_ptr, g_ptr, n, BLOCK: tl.constexpr):
    """A step that is taken only where a product, which rounding may move, is above a level."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    g = tl.load(g_ptr + at, mask=at < n, other=0.0)
    tl.store(q_ptr + at, g, mask=(at < n) & (g * 3.0 > 1.0))


@triton.jit
def without_mask(q_ptr, g_ptr, lr, n, BLOCK: tl.constexpr):
    """Gradient descent that writes whole blocks, past the end too."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    q = tl.load(q_ptr + at) - lr * tl.load(g_ptr + at)
    tl.store(q_ptr + at, q)


@triton.jit
def clipped(q_ptr, g_ptr, lr, n, BLOCK: tl.constexpr):
    """Descent along a gradient over its largest component: its threads exchange data."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    g = tl.load(g_ptr + at, mask=live, other=0.0)
    q = tl.load(q_ptr + at, mask=live) - lr * g / tl.max(tl.abs(g))
    tl.store(q_ptr + at, q, mask=live)


@triton.jit
def lion(q_ptr, g_ptr, m_ptr, lr, beta1, beta2, decay, n, BLOCK: tl.constexpr):
    """Lion in the type of its arrays, bfloat16 too: its sums are rounded to that type."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    q = tl.load(q_ptr + at, mask=live)
    g = tl.load(g_ptr + at, mask=live)
    m = tl.load(m_ptr + at, mask=live)
    q = q * (1 - lr * decay)
    apart = m - g
    ahead = apart * beta1 + g
    q = q - tl.where(ahead > 0, lr, tl.where(ahead < 0, -lr, 0.0))
    tl.store(q_ptr + at, q, mask=live)
    tl.store(m_ptr + at, apart * beta2 + g, mask=live)
