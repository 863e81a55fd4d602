"""The time loop in Triton: one lane is one trajectory, its state in registers, the loop inside the kernel.

The step is that of a rule of cases/rules/: UPDATE is its lines, traced and printed by
kernels/programs/triton_text.py, as GRAD is the gradient of a loss and METRIC the entries of G(q, kappa). Its
plain twin is kernels/programs/numpy_step.py: the two agree bit for bit.

Buffers, lane fastest: q_ptr (rows, D, lanes) and v_ptr (rows, V, lanes), row 0 the start; rows = steps + 1
with TRACE, else 2; V is D for each buffer of the rule. params_ptr (ROWS, lanes) float64, as Rule.parameters;
known_ptr (steps, KNOWN, lanes or 1) float64, what each step knows of its number. They come through memory
because Triton passes a Python float as float32, a relative error of 6e-8 in every float64 step.
"""

import triton
import triton.language as tl

from noether.kernels.loops.triton_rounding import load, store


@triton.jit
def advance(
    q, v, eps, p,
    GRAD: tl.constexpr, METRIC: tl.constexpr, UPDATE: tl.constexpr, PLACE: tl.constexpr,
    KAPPA: tl.constexpr, LOG: tl.constexpr,
):  # fmt: skip
    """One step: q' and v' as one tuple. All kernels take their steps here, whatever loop they are.

    p  parameters and what is known of the step, in the order of Rule.inputs;  KAPPA  the place of kappa
       among them, -1 where the rule has no metric
    """
    if LOG:
        g = GRAD(PLACE(q), eps)
    else:
        g = GRAD(q, eps)
    if KAPPA >= 0:
        p = p + METRIC(q, p[KAPPA])
    return UPDATE(q, v, g, p)


@triton.jit
def parameter(params_ptr, row, lane, stride, live, ARITH: tl.constexpr):
    """One row of the parameters, rounded to the type of the arithmetic."""
    return tl.load(params_ptr + row * stride + lane, mask=live, other=0).to(ARITH)


@triton.jit
def parameters(params_ptr, lane, stride, live, ROWS: tl.constexpr, ARITH: tl.constexpr):
    """All rows of the parameters, as one tuple."""
    p = ()
    for row in tl.static_range(ROWS):
        p = p + (parameter(params_ptr, row, lane, stride, live, ARITH),)
    return p


@triton.jit
def known(known_ptr, n, lane, stride, live, KNOWN: tl.constexpr, SPREAD: tl.constexpr, ARITH: tl.constexpr):
    """What step n, from 0, knows of its number, as one tuple; where SPREAD, each lane has its own."""
    c = ()
    for i in tl.static_range(KNOWN):
        if SPREAD:
            at = (n * KNOWN + i) * stride + lane
        else:
            at = (n * KNOWN + i) + 0 * lane
        c = c + (tl.load(known_ptr + at, mask=live, other=0).to(ARITH),)
    return c


@triton.jit
def loaded(
    q_ptr, v_ptr, at_q, at_v, stride, live,
    D: tl.constexpr, V: tl.constexpr, Q_KIND: tl.constexpr, V_KIND: tl.constexpr, ARITH: tl.constexpr,
):  # fmt: skip
    """The rows of the buffers that begin at `at_q` and `at_v`: q and v as one tuple of D + V."""
    q = ()
    v = ()
    for i in tl.static_range(D):
        q = q + (load(q_ptr + i * stride + at_q, live, Q_KIND, ARITH),)
    for i in tl.static_range(V):
        v = v + (load(v_ptr + i * stride + at_v, live, V_KIND, ARITH),)
    return q + v


@triton.jit
def stored(
    q_ptr, v_ptr, q, v, at_q, at_v, stride, live,
    D: tl.constexpr, V: tl.constexpr, Q_KIND: tl.constexpr, V_KIND: tl.constexpr,
):  # fmt: skip
    """Store q and v, already narrowed, in the rows of the buffers that begin at `at_q` and `at_v`."""
    for i in tl.static_range(D):
        store(q_ptr + i * stride + at_q, q[i], live, Q_KIND)
    for i in tl.static_range(V):
        store(v_ptr + i * stride + at_v, v[i], live, V_KIND)


# A launch of one lane would otherwise make `lanes` a constant of the kernel: another kernel, without .to().
@triton.jit(do_not_specialize=["lanes", "steps"])
def trajectory(
    q_ptr, v_ptr, params_ptr, known_ptr, lanes, steps,
    GRAD: tl.constexpr, METRIC: tl.constexpr, UPDATE: tl.constexpr, PLACE: tl.constexpr,
    KAPPA: tl.constexpr, LOG: tl.constexpr, ROWS: tl.constexpr, KNOWN: tl.constexpr, SPREAD: tl.constexpr,
    D: tl.constexpr, V: tl.constexpr, ARITH: tl.constexpr, Q_KIND: tl.constexpr, V_KIND: tl.constexpr,
    TRACE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    # int64: rows * D * lanes passes 2^31 long before memory runs out.
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < lanes
    stride = lanes.to(tl.int64)

    p = parameters(params_ptr, lane, stride, live, ROWS, ARITH)
    state = loaded(q_ptr, v_ptr, lane, lane, stride, live, D, V, Q_KIND, V_KIND, ARITH)
    q = state[:D]
    v = state[D:]

    at_q = lane + D * stride
    at_v = lane + V * stride
    for n in range(steps):
        c = known(known_ptr, n, lane, stride, live, KNOWN, SPREAD, ARITH)
        state = advance(q, v, p[3], p + c, GRAD, METRIC, UPDATE, PLACE, KAPPA, LOG)
        q = state[:D]
        v = state[D:]
        if TRACE:
            stored(q_ptr, v_ptr, q, v, at_q, at_v, stride, live, D, V, Q_KIND, V_KIND)
            at_q += D * stride
            at_v += V * stride
    if not TRACE:
        stored(q_ptr, v_ptr, q, v, at_q, at_v, stride, live, D, V, Q_KIND, V_KIND)
