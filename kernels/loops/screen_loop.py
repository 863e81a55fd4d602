"""The screening loop in Triton: the update of kernels/loops/trajectory_loop.py with the residuals of the laws
beside it.

GRAD and the step are those of the trajectory kernel: what is screened is the update under test. RESIDUAL is a
program over two or three successive states, widened to float64, and over wide_ptr (ROWS, lanes) float64, a
copy of the parameters that the update never touches. Its plain twin is kernels/loops/screen_launch.py
`watch`; the two agree bit for bit.

Buffers, lane fastest: q_ptr, v_ptr (2, D, lanes), row 0 the start; spent_ptr (LAWS, lanes) float64; step_ptr
(2 LAWS + 1, lanes) int32: where spent was largest, where it first exceeded 1, and how many steps moved q.
LATE has bit l set where law l looks back two steps; FENCED, RESIDUAL takes the lanes too, a number of the
launch that no compiler knows (kernels/programs/fenced_text.py).
"""

import triton
import triton.language as tl

from noether.kernels.loops.trajectory_loop import advance, known, loaded, parameters, stored


@triton.jit
def wide(x, D: tl.constexpr):
    """The first D of a tuple, in float64."""
    out = ()
    for i in tl.static_range(D):
        out = out + (x[i].to(tl.float64),)
    return out


@triton.jit
def whole(x):
    """A whole number below 2^31 in size as int32; of a float64 the low bits of its sum with 1.5 2^52."""
    if x.dtype == tl.float64:
        return (x + 6755399441055744.0).to(tl.int64, bitcast=True).to(tl.int32)
    else:
        return x


@triton.jit
def worse(found, spent, worst, first, n, LAWS: tl.constexpr, LATE: tl.constexpr, COUNT: tl.constexpr):
    """What is kept of every law after step n, as one tuple of 3 LAWS.

    The most that each spent, the step at which that was, and the first one at which it was above 1.
    """
    now = n.to(COUNT)
    most = ()
    where = ()
    start = ()
    for i in tl.static_range(LAWS):
        s = found[i]
        s = tl.where(s == s, s, float("inf"))
        if (LATE >> i) & 1:
            s = tl.where(n > 0, s, 0.0)
        above = s > spent[i]
        most = most + (tl.where(above, s, spent[i]),)
        where = where + (tl.where(above, now, worst[i]),)
        start = start + (tl.where((s > 1.0) & (first[i] < 0), now, first[i]),)
    return most + where + start


@triton.jit(do_not_specialize=["lanes", "steps"])
def screen(
    q_ptr, v_ptr, params_ptr, known_ptr, wide_ptr, spent_ptr, step_ptr, lanes, steps,
    GRAD: tl.constexpr, METRIC: tl.constexpr, UPDATE: tl.constexpr, PLACE: tl.constexpr,
    KAPPA: tl.constexpr, LOG: tl.constexpr, ROWS: tl.constexpr, KNOWN: tl.constexpr, SPREAD: tl.constexpr,
    D: tl.constexpr, V: tl.constexpr, ARITH: tl.constexpr, Q_KIND: tl.constexpr, V_KIND: tl.constexpr,
    RESIDUAL: tl.constexpr, LAWS: tl.constexpr, LATE: tl.constexpr, FENCED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < lanes
    stride = lanes.to(tl.int64)

    p = parameters(params_ptr, lane, stride, live, ROWS, ARITH)
    wide_p = parameters(wide_ptr, lane, stride, live, ROWS, tl.float64)

    state = loaded(q_ptr, v_ptr, lane, lane, stride, live, D, V, Q_KIND, V_KIND, ARITH)
    q = state[:D]
    v = state[D:]
    wide_q = wide(q, D)
    wide_v = wide(v, D)
    # Not `old_q = wide_q`: two names of one tuple stay one through the loop (Triton 3.7.1).
    old_q = wide(q, D)
    old_v = wide(v, D)

    COUNT: tl.constexpr = tl.int32 if FENCED else tl.float64
    # Steps are counted in float64: one 32-bit number in the loop, and gcc 12 takes 16 lanes at a time, two
    # registers for every float64; 6 to 22 % slower. A GPU counts in int32: half the registers.
    none = tl.full([BLOCK], -1, COUNT)
    spent = ()
    worst = ()
    first = ()
    for _ in tl.static_range(LAWS):
        spent = spent + (tl.zeros([BLOCK], tl.float64),)
        worst = worst + (none,)
        first = first + (none,)
    # From -1: a start of 0 would share its register with the step's, which would then seem to differ between
    # lanes.
    moved = none

    for count in range(steps):
        n = count + 0 * steps  # interpreted, `count` is a plain int, which has no type (Triton 3.7.1)
        if FENCED:
            p = parameters(params_ptr, lane + tl.minimum(n, 0), stride, live, ROWS, ARITH)
        c = known(known_ptr, n, lane, stride, live, KNOWN, SPREAD, ARITH)
        state = advance(q, v, p[3], p + c, GRAD, METRIC, UPDATE, PLACE, KAPPA, LOG)
        q = state[:D]
        v = state[D:]
        new_q = wide(q, D)
        new_v = wide(v, D)
        if FENCED:
            wide_p = parameters(wide_ptr, lane + tl.minimum(n, 0), stride, live, ROWS, tl.float64)
            found = RESIDUAL(old_q, old_v, wide_q, wide_v, new_q, new_v, wide_p, lanes)
        else:
            found = RESIDUAL(old_q, old_v, wide_q, wide_v, new_q, new_v, wide_p)
        change = new_q[0] != wide_q[0]
        for i in tl.static_range(1, D):
            change = change | (new_q[i] != wide_q[i])
        moved = tl.where(change, moved + 1, moved)
        kept = worse(found, spent, worst, first, n, LAWS, LATE, COUNT)
        spent = kept[:LAWS]
        worst = kept[LAWS : 2 * LAWS]
        first = kept[2 * LAWS :]
        if LATE:
            old_q = wide_q
            old_v = wide_v
        wide_q = new_q
        wide_v = new_v

    if FENCED:
        stride += tl.minimum(steps, 0)
    at = lane + D * stride
    stored(q_ptr, v_ptr, q, v, at, at, stride, live, D, V, Q_KIND, V_KIND)
    for i in tl.static_range(LAWS):
        tl.store(spent_ptr + i * stride + lane, spent[i], mask=live)
        tl.store(step_ptr + i * stride + lane, whole(worst[i]), mask=live)
        tl.store(step_ptr + (LAWS + i) * stride + lane, whole(first[i]), mask=live)
    tl.store(step_ptr + 2 * LAWS * stride + lane, whole(moved + 1), mask=live)
