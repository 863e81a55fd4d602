"""The counter hash and the noisy loop: the same bits on every backend, and bits that look like noise.

Statistics are of fixed seeds, so nothing here flakes; thresholds are those of a false-alarm rate of 1e-9 for
each test over all that it looks at, as if the bits were fair coins.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from noether.cases.rules import RULES
from noether.kernels.loops import backends, launch, noise, noisy_launch
from noether.laws.normalisation.launches import FORCES, drawn

FALSE = 1e-9
each = pytest.mark.parametrize(("rule", "precision", "force", "d"), FORCES, ids=lambda x: str(x))


def sigmas(many: int) -> float:
    """The largest of `many` standard normals exceeds this at the rate FALSE."""
    return float(-ndtri(FALSE / 2 / many))


def job(rule="heavy-ball", precision="float64", force="turning", d=2, windows=3, every=4):
    return drawn(rule, precision, force, d, windows=windows, every=every)


def bits_of(lanes, rows, seed=0) -> np.ndarray:
    """(rows, lanes) uint32"""
    keys = noise.key(np.arange(lanes, dtype=np.uint32), np.full(lanes, seed, np.uint32))
    return np.array([noise.draw(keys, n) for n in range(rows)])


# ---- bits


def scalar_mix(x: int) -> int:
    x ^= x >> 16
    x = x * 0x7FEB352D % 2**32
    x ^= x >> 15
    x = x * 0x846CA68B % 2**32
    return x ^ x >> 16


def test_the_hash_is_its_formula_in_python_integers():
    golden, found = 0x9E3779B9, bits_of(5, 7, seed=2**32 - 3)
    for lane in range(5):
        key = scalar_mix((lane + scalar_mix((2**32 - 3 + golden) % 2**32)) % 2**32)
        for n in range(7):
            assert found[n, lane] == scalar_mix(key ^ scalar_mix((n + golden) % 2**32))


def test_mix_loses_nothing_and_has_known_values():
    """Undone step by step, so that it is a bijection; a slip in a constant or a shift shows in the values."""
    inverse = lambda c: pow(c, -1, 2**32)
    for x in (0, 1, 0xDEADBEEF, 2**32 - 1, 123456789):
        y = int(noise.mix(np.uint32(x)))
        y ^= y >> 16
        y = y * inverse(0x846CA68B) % 2**32
        y ^= y >> 15 ^ y >> 30
        y = y * inverse(0x7FEB352D) % 2**32
        assert y ^ y >> 16 == x


@pytest.mark.parametrize("backend", ["triton-interpreted", "triton-ptx", "triton-cpu"])
def test_every_backend_draws_the_same_bits(backend):
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))
    lanes, rows = 131, 9
    counters = np.array([np.arange(lanes) * 2654435761 % 2**32, np.full(lanes, 2**32 - 1)], dtype=np.uint32)
    want = np.array([noise.draw(noise.key(*counters), n) for n in range(rows)])
    got = (
        backends.interpreter().submit(interpreted_bits, counters, rows).result()
        if backend == "triton-interpreted"
        else compiled_bits(counters, rows, backend)
    )
    assert (got == want).all() and len(np.unique(want)) == want.size


def interpreted_bits(counters, rows):
    import torch

    from noether.kernels.loops.noise_loop import hashed

    out = torch.zeros((rows, counters.shape[1]), dtype=torch.int32)
    with np.errstate(all="ignore"):
        hashed[(1,)](torch.from_numpy(counters.view(np.int32)), out, counters.shape[1], rows, BLOCK=256)
    return out.numpy().view(np.uint32)


def compiled_bits(counters, rows, backend):
    from noether.kernels.loops.compiled import compile_ptx
    from noether.kernels.loops.noise_loop import hashed

    if backend == "triton-ptx":
        from noether.kernels.ptx import evaluate as execute
    else:
        from noether.kernels.ptx.native import execute
    out = np.zeros((rows, counters.shape[1]), np.int32)
    kernel = compile_ptx(
        hashed, {"counters_ptr": "*i32", "bits_ptr": "*i32", "lanes": "i32", "rows": "i32"}, {"BLOCK": 128}
    )
    execute(kernel.ptx, [counters.view(np.int32), out, counters.shape[1], rows], -(-counters.shape[1] // 128))
    return out.view(np.uint32)


# ---- statistics


def test_every_bit_is_fair():
    x = bits_of(4096, 64)
    ones = np.array([np.count_nonzero(x >> np.uint32(b) & np.uint32(1)) for b in range(32)])
    assert abs(ones - x.size / 2).max() < sigmas(32) * np.sqrt(x.size) / 2


@pytest.mark.parametrize("which", ["lane", "seed", "counter"])
def test_every_input_bit_moves_every_output_bit_half_of_the_time(which):
    n, rng = 4096, np.random.default_rng(1)
    lane, seed, counter = (rng.integers(0, 2**32, n, dtype=np.uint32) for _ in range(3))
    hashed = lambda a, b, c: noise.mix(noise.key(a, b) ^ noise.mix(c + np.uint32(noise.GOLDEN)))
    plain = hashed(lane, seed, counter)
    worst = 0.0
    for b in range(32):
        flip = np.uint32(1 << b)
        moved = plain ^ hashed(
            *(
                x ^ flip if name == which else x
                for name, x in (("lane", lane), ("seed", seed), ("counter", counter))
            )
        )
        share = np.array([np.count_nonzero(moved >> np.uint32(i) & np.uint32(1)) for i in range(32)])
        worst = max(worst, abs(share - n / 2).max() / (np.sqrt(n) / 2))
    assert worst < sigmas(32 * 32)


@pytest.mark.parametrize("axis", [0, 1])
def test_successive_steps_and_neighbouring_lanes_are_uncorrelated(axis):
    """Lags 1 to 16 in each direction, of the sign that the noise takes: E = 0, variance 1 of every
    product."""
    s = np.where(bits_of(512, 512, seed=9) < noise.WHITE, 1.0, -1.0)
    worst = 0.0
    for lag in range(1, 17):
        a, b = np.split(s, [lag], axis)[1], np.split(s, [-lag], axis)[0]
        worst = max(worst, abs(np.sum(a * b)) / np.sqrt(a.size))
    assert worst < sigmas(16)


def test_a_plain_counter_would_not_pass():
    """The statistics see a hash that is none: a Weyl sequence is fair in every bit and correlated from step
    to step."""
    s = np.where(np.arange(512 * 512, dtype=np.uint64) * noise.GOLDEN % 2**32 < noise.WHITE, 1.0, -1.0)
    assert abs(np.sum(s[1:] * s[:-1])) / np.sqrt(s.size - 1) > sigmas(16)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.96875])
def test_the_telegraph_has_the_correlation_it_says(rho):
    """Flips are Bernoulli with t/2^32, independent from step to step and lane to lane."""
    t, x = noise.threshold(rho), bits_of(1024, 256, seed=3)
    assert noise.correlation(t) == rho
    p = t / 2**32
    assert abs(np.count_nonzero(x < t) - p * x.size) < sigmas(1) * np.sqrt(x.size * p * (1 - p))


def test_coherent_noise_never_flips_and_correlations_out_of_range_are_refused():
    assert noise.threshold(1.0) == 0 and not (bits_of(64, 64) < noise.threshold(1.0)).any()
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        noise.threshold(1.5)


# ---- the loop


@each
@pytest.mark.parametrize("backend", ["triton-interpreted", "triton-ptx", "triton-cpu"])
def test_the_loop_is_its_plain_twin_bit_for_bit(rule, precision, force, d, backend):
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))
    if backend == "triton-interpreted" and force == "turning" and d > 2:
        pytest.skip("the interpreter takes 100 us an operation: one force in d = 2 or 3 each")
    windows, every = (2, 2) if backend == "triton-interpreted" else (3, 4)
    j = job(rule, precision, force, d, windows=windows, every=every)
    mine, plain = launch.run(j, backend), launch.run(j, "numpy")
    assert (
        mine.backend == backend
        and np.isfinite(plain.sums).all()
        and (plain.q != j.q0).any(axis=0).mean() > 0.9
    )
    for name in ("sums", "q", "v"):
        a, b = getattr(mine, name), getattr(plain, name)
        assert (a.view(np.uint64) == b.view(np.uint64)).all(), f"{name}: {(a != b).sum()} of {a.size} differ"


@each
def test_the_force_is_tangential_and_as_large_as_it_says(rule, precision, force, d):
    j = job(rule, "float64", force, d)
    rng = np.random.default_rng(2)
    q, a = list(j.q0), list(rng.choice([-1.0, 1.0], (j.signs, j.lanes)))
    g = np.array(noisy_launch.forced(j)(q, a))
    r = np.sqrt(np.sum(j.q0**2, axis=0))
    along = np.sum(g * j.q0, axis=0)
    # Products and sums of <z, q>, |q|^2 and <g, q>, two quotients, a root: 4 d + 4 roundings of terms that
    # are at most |z|.
    assert (abs(along) <= (4 * d + 4) * 2.0**-53 * np.linalg.norm(np.array(a), axis=0)).all()
    if force == "turning":
        assert np.allclose(
            np.linalg.norm(g, axis=0) * r, 1, rtol=1e-14
        )  # 90 times 2^-53: two norms in d <= 4, a dozen roundings
    else:
        z = np.array(a)
        flat = z - j.q0 * np.sum(z * j.q0, axis=0) / r**2
        assert np.allclose(g * r, flat, rtol=0, atol=1e-14)  # the same, of |z| <= 2


def test_sums_are_those_of_the_trajectory():
    """Against a loop of its own over the same steps, summed by math.fsum from single-step windows."""
    whole = launch.run(job(windows=2, every=6), "numpy")
    single = launch.run(job(windows=12, every=1), "numpy")
    assert np.allclose(
        whole.sums, single.sums.reshape(2, 6, 6, -1).sum(axis=1), rtol=1e-14, atol=0
    )  # another order of six positive terms: 10 times 2^-53
    assert (whole.q == single.q).all() and np.allclose(
        single.sums[-1, 0], np.sum(single.q**2, axis=0), rtol=1e-15
    )  # d - 1 sums of squares: 9 times 2^-53


def test_lanes_do_not_depend_on_their_neighbours():
    """A lane's noise is its number's, wherever it stands: a half of the lanes alone has the same bits."""
    j = job()
    state = dict(q0=j.q0[:, 20:], v0=j.v0[:, 20:], params=j.params[:, 20:], counters=j.counters[:, 20:])
    half = replace(j, **state)
    assert (launch.run(half, "numpy").sums == launch.run(j, "numpy").sums[..., 20:]).all()


def test_wrong_jobs_are_refused():
    j = job()
    with pytest.raises(ValueError, match="d even"):
        noisy_launch.NoisyJob(j.rule, j.precision, j.q0[:1], j.v0[:1], j.params, j.counters, 1, 1)
    with pytest.raises(ValueError, match="has no noisy loop"):
        noisy_launch.NoisyJob(RULES["mirror-descent"], j.precision, j.q0, j.v0, j.params, j.counters, 1, 1)
    with pytest.raises(ValueError, match="uint32"):
        noisy_launch.NoisyJob(j.rule, j.precision, j.q0, j.v0, j.params, j.counters.astype(np.int64), 1, 1)
    with pytest.raises(ValueError, match="2\\^31"):
        noisy_launch.NoisyJob(j.rule, j.precision, j.q0, j.v0, j.params, j.counters, 1 << 20, 1 << 12)
    with pytest.raises(ValueError, match="must be one of"):
        launch.run(j, "abacus")


def test_the_gpu_job_compares_the_noisy_loop_too():
    """On another backend, for there is a GPU where it matters only: a wrong bit is a row that differs."""
    from noether.labs import gpu

    if launch.missing("triton-cpu"):
        pytest.skip(launch.missing("triton-cpu"))
    rows = gpu.noisy_parity("triton-cpu")
    assert len(rows) == len(FORCES) and {r["backend"] for r in rows} == {"triton-cpu"}
    assert all(r["differ"] == 0 and r["values"] > 1e4 for r in rows)


def test_the_angle_turned_is_the_arctangent_to_its_series():
    """(5) of kernels/loops/noisy_launch.py, |t| < 1/8 and below: what t^9/9 leaves, and a dozen roundings."""
    t = np.linspace(-0.125, 0.125, 101)
    q, p = [np.ones_like(t), 0 * t], [np.ones_like(t), t]
    turn = noisy_launch.observed(q, p, p)[5]
    assert (abs(turn - np.arctan(t)) <= abs(t) ** 9 / 9 + 12 * 2.0**-53 * abs(t)).all()
