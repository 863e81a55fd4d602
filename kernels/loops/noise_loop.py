"""The time loop under noise: a tangential force with telegraph noise; only sums over windows are kept.

Equations (1)-(3) of kernels/loops/noise.py and (1)-(5) of kernels/loops/noisy_launch.py, in the order of
operations of its `plain`; the two agree bit for bit. The step is `advance` of
kernels/loops/trajectory_loop.py: what enters its slot for eps is the noise of this step, which only the force
reads.

Buffers, lane fastest: q_ptr, v_ptr (2, D, lanes), row 0 the start; params_ptr (6, lanes) float64: eta, beta,
k, drift, noise, swing; counters_ptr (4, lanes) uint32 as int32: lane, seed, threshold, shift; sums_ptr
(windows, 6, lanes) float64.
"""

import triton
import triton.language as tl

from noether.kernels.loops.trajectory_loop import advance, loaded, parameter, stored


@triton.jit
def mix(x):
    """The uint32 hash of a uint32: `mix` of kernels/loops/noise.py."""
    x = x ^ (x >> 16)
    x = x * 0x7FEB352D
    x = x ^ (x >> 15)
    x = x * 0x846CA68B
    return x ^ (x >> 16)


@triton.jit
def key(lane, seed):
    """The key of a lane, from which all its draws derive."""
    return mix(lane + mix(seed + 0x9E3779B9))  # (1)


@triton.jit
def draw(keys, counter):
    """The uint32 that a key gives for a counter."""
    return mix(keys ^ mix(counter + 0x9E3779B9))  # (2)


@triton.jit(do_not_specialize=["lanes", "rows"])
def hashed(counters_ptr, bits_ptr, lanes, rows, BLOCK: tl.constexpr):
    """The first `rows` draws of every lane, as int32; for the tests of the hash itself."""
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < lanes
    stride = lanes.to(tl.int64)
    keys = key(
        tl.load(counters_ptr + lane, mask=live, other=0).to(tl.uint32, bitcast=True),
        tl.load(counters_ptr + stride + lane, mask=live, other=0).to(tl.uint32, bitcast=True),
    )
    at = lane
    n = 0  # counted by hand: the interpreter's own loop variable is a Python number
    for _ in range(rows):
        tl.store(bits_ptr + at, draw(keys, n.to(tl.uint32)).to(tl.int32, bitcast=True), mask=live)
        at += stride
        n += 1


@triton.jit
def ratio(a, b):
    """a / b rounded once: div_rn refuses fp64, where "/" is; "/" in fp32 is div.full."""
    if a.dtype == tl.float32:
        return tl.div_rn(a, b)
    else:
        return a / b


@triton.jit
def root(a):
    """The square root rounded once: sqrt_rn refuses fp64, where sqrt is."""
    if a.dtype == tl.float32:
        return tl.sqrt_rn(a)
    else:
        return tl.sqrt(a)


@triton.jit
def square(q):
    """|q|^2."""
    total = q[0] * q[0]
    for i in tl.static_range(1, len(q)):
        total = total + q[i] * q[i]
    return total


@triton.jit
def turning(q, noise):
    """The force a A q / |q|^2, where A turns each pair of components by a right angle."""  # (1)
    pull = ratio(noise[0], square(q))
    g = ()
    for i in tl.static_range(0, len(q), 2):
        g = g + (0.0 - pull * q[i + 1], pull * q[i])
    return g


@triton.jit
def projected(q, noise):
    """The force (z - q <z, q>/|q|^2) / |q|: noise without its share along q."""  # (2)
    total = square(q)
    along = noise[0] * q[0]
    for i in tl.static_range(1, len(q)):
        along = along + noise[i] * q[i]
    along = ratio(along, total)
    r = root(total)
    g = ()
    for i in tl.static_range(len(q)):
        g = g + (ratio(noise[i] - along * q[i], r),)
    return g


@triton.jit
def measured(q, state, none, D: tl.constexpr):
    """|q|^2, |q'|^2, |v'|^2, <q, q'> and the sum over pairs of components of q x q', in float64.

    state  q' and v' as one tuple;  none  zeros
    """
    before = q[0].to(tl.float64) * q[0].to(tl.float64)
    after = state[0].to(tl.float64) * state[0].to(tl.float64)
    speed = state[D].to(tl.float64) * state[D].to(tl.float64)
    along = q[0].to(tl.float64) * state[0].to(tl.float64)
    for i in tl.static_range(1, D):
        before = before + q[i].to(tl.float64) * q[i].to(tl.float64)
        after = after + state[i].to(tl.float64) * state[i].to(tl.float64)
        speed = speed + state[D + i].to(tl.float64) * state[D + i].to(tl.float64)
        along = along + q[i].to(tl.float64) * state[i].to(tl.float64)
    across = none
    for i in tl.static_range(0, D - 1, 2):
        turned = q[i].to(tl.float64) * state[i + 1].to(tl.float64)
        across = across + (turned - q[i + 1].to(tl.float64) * state[i].to(tl.float64))
    return before, after, speed, along, across


@triton.jit
def flipped(s, keys, step, threshold, SIGNS: tl.constexpr):
    """The telegraph signs of the next step."""
    new = ()
    for i in tl.static_range(SIGNS):
        new = new + (tl.where(draw(keys, (step + 1) * SIGNS + i) < threshold, -s[i], s[i]),)  # (3)
    return new


@triton.jit(do_not_specialize=["lanes", "windows", "every"])
def noisy(
    q_ptr, v_ptr, params_ptr, counters_ptr, sums_ptr, lanes, windows, every,
    FORCE: tl.constexpr, UPDATE: tl.constexpr, SIGNS: tl.constexpr, D: tl.constexpr, ARITH: tl.constexpr,
    Q_KIND: tl.constexpr, V_KIND: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    lane = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = lane < lanes
    stride = lanes.to(tl.int64)

    eta = parameter(params_ptr, 0, lane, stride, live, ARITH)
    beta = parameter(params_ptr, 1, lane, stride, live, ARITH)
    k = parameter(params_ptr, 2, lane, stride, live, ARITH)
    drift = parameter(params_ptr, 3, lane, stride, live, ARITH)
    noise = parameter(params_ptr, 4, lane, stride, live, ARITH)
    swing = parameter(params_ptr, 5, lane, stride, live, ARITH)
    number = tl.load(counters_ptr + lane, mask=live, other=0).to(tl.uint32, bitcast=True)
    seed = tl.load(counters_ptr + stride + lane, mask=live, other=0).to(tl.uint32, bitcast=True)
    threshold = tl.load(counters_ptr + 2 * stride + lane, mask=live, other=0).to(tl.uint32, bitcast=True)
    shift = tl.load(counters_ptr + 3 * stride + lane, mask=live, other=0).to(tl.uint32, bitcast=True)
    keys = key(number, seed)

    state = loaded(q_ptr, v_ptr, lane, lane, stride, live, D, D, Q_KIND, V_KIND, ARITH)
    q = state[:D]
    v = state[D:]
    one = tl.full([BLOCK], 1, ARITH)
    none = tl.zeros([BLOCK], tl.float64)
    s = ()
    for i in tl.static_range(SIGNS):
        s = s + (tl.where(draw(keys, tl.full([], i, tl.uint32)) < 0x80000000, one, -one),)  # (3)

    out = sums_ptr + lane
    n = 0
    for _ in range(windows):
        r2 = none
        r4 = none
        inverse = none
        w2 = none
        chord = none
        turn = none
        for _ in range(every):
            step = n.to(tl.uint32)
            swung = one + swing * ((step >> shift) & 1).to(ARITH)
            a = ()
            for i in tl.static_range(SIGNS):
                a = a + ((drift + noise * s[i]) * swung,)
            p = (eta, beta, k, eta)  # no rule reads the fourth, the magnitude of the breaking
            state = advance(q, v, a, p, FORCE, FORCE, UPDATE, UPDATE, -1, False)
            s = flipped(s, keys, step, threshold, SIGNS)
            products = measured(q, state, none, D)
            before = products[0]
            after = products[1]
            speed = products[2]
            along = products[3]
            tangent = products[4] / along
            t2 = tangent * tangent
            r2 = r2 + after  # (4)
            r4 = r4 + after * after
            inverse = inverse + 1.0 / after
            w2 = w2 + speed
            chord = chord + (2.0 - 2.0 * (along / tl.sqrt(before * after)))
            series = 1.0 - t2 * (0.3333333333333333 - t2 * (0.2 - t2 * 0.14285714285714285))
            turn = turn + tangent * series  # (5)
            q = state[:D]
            v = state[D:]
            n += 1
        tl.store(out, r2, mask=live)
        tl.store(out + stride, r4, mask=live)
        tl.store(out + 2 * stride, inverse, mask=live)
        tl.store(out + 3 * stride, w2, mask=live)
        tl.store(out + 4 * stride, chord, mask=live)
        tl.store(out + 5 * stride, turn, mask=live)
        out += 6 * stride

    at = lane + D * stride
    stored(q_ptr, v_ptr, q, v, at, at, stride, live, D, D, Q_KIND, V_KIND)
