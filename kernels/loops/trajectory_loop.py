"""The time loop in Triton: one lane is one trajectory, its state in registers, the loop inside the kernel.

Equations (1)-(12) of cases/rules, in the order of operations of kernels/programs/numpy_step.py, its plain
twin: the two agree bit for bit. GRAD is a traced gradient printed by kernels/programs/triton_text.py, METRIC
the entries of G(q, kappa); a rule without a metric never calls it.

A negation is written 0.0 - x: +0 stays +0. Unary minus is that up to Triton 3.7 and gives -0 from 3.8.0 on.

Buffers, lane fastest: q_ptr, v_ptr (rows, D, lanes), row 0 the start; rows = steps + 1 with TRACE, else 2.
params_ptr (rows, lanes) float64: eta, beta, k, eps, under a metric kappa. They come through memory because
Triton passes a Python float as float32, a relative error of 6e-8 in every float64 step.
"""

import triton
import triton.language as tl

from noether.kernels.loops.triton_rounding import exp, load, log, narrow, quotient, store


@triton.jit
def share_of(n, RULE: tl.constexpr):
    """c of step n, from 0: the share of the force in (6), whose 1 - tau is .75, and of the buffer in (11).

    Exact in every type.
    """
    if RULE == 6:
        return tl.where(n == 0, 1.0, 0.75)
    elif RULE == 11:
        c = tl.where(n < 32, 1.0, tl.where(n < 64, 0.5, 0.25))
        for i in tl.static_range(7):
            c = tl.where(n < 7 - i, 0.875 - 0.125 * i, c)
        return c
    else:
        return 1.0


@triton.jit
def log_sum_exp(y, D: tl.constexpr, ARITH: tl.constexpr, EAGER: tl.constexpr):
    """log sum exp(y) as m + log sum exp(y - m) with m the largest of y, so that nothing overflows."""
    top = y[0]
    for i in tl.static_range(1, D):
        top = tl.where(top > y[i], top, y[i])
    total = narrow(exp(narrow(y[0] - top, EAGER), ARITH), EAGER)
    for i in tl.static_range(1, D):
        total = narrow(total + narrow(exp(narrow(y[i] - top, EAGER), ARITH), EAGER), EAGER)
    return narrow(top + narrow(log(total, ARITH), EAGER), EAGER)


@triton.jit
def place(q, D: tl.constexpr, RULE: tl.constexpr, ARITH: tl.constexpr, EAGER: tl.constexpr):
    """The parameters at which the gradient is taken: exp q where a rule stores log q, else q."""
    if RULE == 4 or RULE == 12:
        x = ()
        for i in tl.static_range(D):
            x = x + (narrow(exp(q[i], ARITH), EAGER),)
        return x
    else:
        return q


@triton.jit
def pulled(force, q, eta, k, share, RULE: tl.constexpr, EAGER: tl.constexpr):
    """What the force adds to the buffer of one component, with its decay: eta (g + k q) for most rules."""
    if RULE == 7:
        force = 0.0 - force  # (7)
    if RULE != 3 and RULE != 4 and RULE != 10 and RULE != 12:
        force = narrow(force + narrow(k * q, EAGER), EAGER)
    if RULE == 10:
        pull = narrow(tl.where(force > 0, eta, tl.where(force < 0, 0.0 - eta, force)), EAGER)  # (10)
    else:
        pull = narrow(eta * force, EAGER)
    if RULE == 6:
        pull = narrow(share * pull, EAGER)  # (6)
    return pull


@triton.jit
def advance(
    q, v, eta, beta, k, eps, kappa, share,
    GRAD: tl.constexpr, METRIC: tl.constexpr, D: tl.constexpr, RULE: tl.constexpr, ARITH: tl.constexpr,
    Q_KIND: tl.constexpr, V_KIND: tl.constexpr, EAGER: tl.constexpr,
):  # fmt: skip
    """One step: q' and v' as one tuple of 2 D. All kernels take their steps here, whatever loop they are."""
    g = GRAD(place(q, D, RULE, ARITH, EAGER), eps)
    if RULE == 8 or RULE == 9:
        G = METRIC(q, kappa)
    w = ()
    move = ()
    for i in tl.static_range(D):
        pull = pulled(g[i], q[i], eta, k, share, RULE, EAGER)
        if RULE == 1 or RULE == 4 or RULE == 8 or RULE == 10 or RULE == 12:
            w = w + (narrow(0.0 - pull, V_KIND),)  # (1), (4), (8), (10), (12)
        else:
            new = narrow(narrow(beta * v[i], EAGER) - pull, EAGER)
            w = w + (narrow(new, V_KIND),)  # (2), (3), (5)-(7), (9), (11)
        if RULE == 5:
            move = move + (narrow(narrow(beta * w[i], EAGER) - pull, EAGER),)  # (5)
        elif RULE == 8 or RULE == 9:
            move = move + (narrow(quotient(w[i], G[i], ARITH), EAGER),)  # (8), (9)
        elif RULE == 11:
            move = move + (narrow(share * w[i], EAGER),)  # (11)
        else:
            move = move + (w[i],)
    y = ()
    for i in tl.static_range(D):
        old = q[i]
        if RULE == 3:
            old = narrow(old - narrow(narrow(eta * k, EAGER) * old, EAGER), EAGER)  # (3)
        y = y + (narrow(old + move[i], EAGER),)
    if RULE == 12:
        total = log_sum_exp(y, D, ARITH, EAGER)
    r = ()
    for i in tl.static_range(D):
        new = y[i]
        if RULE == 12:
            new = narrow(new - total, EAGER)  # (12)
        r = r + (narrow(new, Q_KIND),)
    return r + w


@triton.jit
def parameter(params_ptr, row, lane, stride, live, ARITH: tl.constexpr):
    """One row of the parameters, rounded to the type of the arithmetic."""
    return tl.load(params_ptr + row * stride + lane, mask=live, other=0).to(ARITH)


@triton.jit
def loaded(
    q_ptr, v_ptr, at, stride, live,
    D: tl.constexpr, Q_KIND: tl.constexpr, V_KIND: tl.constexpr, ARITH: tl.constexpr,
):  # fmt: skip
    """The row of the buffers that begins at `at`: q and v as one tuple of 2 D."""
    q = ()
    v = ()
    for i in tl.static_range(D):
        q = q + (load(q_ptr + i * stride + at, live, Q_KIND, ARITH),)
        v = v + (load(v_ptr + i * stride + at, live, V_KIND, ARITH),)
    return q + v


@triton.jit
def stored(q_ptr, v_ptr, q, v, at, stride, live, D: tl.constexpr, Q_KIND: tl.constexpr, V_KIND: tl.constexpr):
    """Store q and v, already narrowed, in the row of the buffers that begins at `at`."""
    for i in tl.static_range(D):
        store(q_ptr + i * stride + at, q[i], live, Q_KIND)
        store(v_ptr + i * stride + at, v[i], live, V_KIND)


# A launch of one lane would otherwise make `lanes` a constant of the kernel: another kernel, without .to().
@triton.jit(do_not_specialize=["lanes", "steps"])
def trajectory(
    q_ptr, v_ptr, params_ptr, lanes, steps,
    GRAD: tl.constexpr, METRIC: tl.constexpr, D: tl.constexpr, RULE: tl.constexpr, ARITH: tl.constexpr,
    Q_KIND: tl.constexpr, V_KIND: tl.constexpr, EAGER: tl.constexpr,
    TRACE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    # int64: rows * D * lanes passes 2^31 long before memory runs out.
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < lanes
    stride = lanes.to(tl.int64)

    eta = parameter(params_ptr, 0, lane, stride, live, ARITH)
    beta = parameter(params_ptr, 1, lane, stride, live, ARITH)
    k = parameter(params_ptr, 2, lane, stride, live, ARITH)
    eps = parameter(params_ptr, 3, lane, stride, live, ARITH)
    kappa = eps  # nobody reads it where there is no metric
    if RULE == 8 or RULE == 9:
        kappa = parameter(params_ptr, 4, lane, stride, live, ARITH)

    state = loaded(q_ptr, v_ptr, lane, stride, live, D, Q_KIND, V_KIND, ARITH)
    q = state[:D]
    v = state[D:]

    at = lane + D * stride
    for n in range(steps):
        share = share_of(n, RULE)
        state = advance(
            q, v, eta, beta, k, eps, kappa, share, GRAD, METRIC, D, RULE, ARITH, Q_KIND, V_KIND, EAGER
        )
        q = state[:D]
        v = state[D:]
        if TRACE:
            stored(q_ptr, v_ptr, q, v, at, stride, live, D, Q_KIND, V_KIND)
            at += D * stride
    if not TRACE:
        stored(q_ptr, v_ptr, q, v, at, stride, live, D, Q_KIND, V_KIND)
