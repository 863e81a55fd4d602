"""Our elementwise kernels take the step of their rule, bit for bit, wherever they run; rounding at random has
the mean that was computed."""

import math
import os

import numpy as np
import pytest

if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
    pytest.skip("TRITON_INTERPRET is set: this process cannot compile", allow_module_level=True)
pytest.importorskip("triton")

from noether.campaigns.audit.ptx_memory import Array
from noether.campaigns.audit.ptx_running import run as run_wide
from noether.campaigns.audit.ptx_running import spent
from noether.cases.rules import RULES
from noether.kernels.fused.launch import Step, Undecayed, precision_of
from noether.kernels.fused.sgd_rule import SGD, SGD_AHEAD
from noether.kernels.loops import backends, launch
from noether.kernels.programs.precision import PRECISIONS, Precision, encode, representable, widen

ALL = (SGD, SGD_AHEAD, RULES["adamw"], RULES["adam"], RULES["lion"])
OWN = dict(eta=0.01, beta=0.9, k=0.1, eps=0.0, tau=0.25, beta2=0.99, stability=1e-8)
SIZES = (1, 31, 128, 1025)
TURNS = [(rule, PRECISIONS[(i + turn) % 4]) for turn in (0, 2) for i, rule in enumerate(ALL)]
"""Each rule in two types, each type under two rules or more."""


def numbers(rule, n, **changes):
    values = np.array([(OWN | changes)[name] for name in rule.parameters])
    return np.concatenate([values, rule.known_numbers(values[:, None], 1, begun=n - 1)[0, :, 0]])


def made(rule, kind, size, seed=0, n=2, **options):
    rng, precision = np.random.default_rng(seed), precision_of(kind)
    drawn = lambda kind: encode(representable(rng.normal(size=size), kind), kind)
    q, g, kept = drawn(kind), drawn(kind), [drawn(precision.v_store) for _ in rule.buffers]
    if len(kept) == 2:
        kept[1] = abs(kept[1])  # a second moment
    return Step(rule, precision, q, g, tuple(kept), numbers(rule, n), **options)


def agree(job, backend):
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    assert mine.backend == backend
    assert job.lanes < 99 or (plain.q != job.q).mean() > 0.5, "little moved: little was compared"
    for x, y in zip((mine.q, *mine.buffers), (plain.q, *plain.buffers), strict=True):
        assert x.dtype == y.dtype and (x.view("u1") == y.view("u1")).all()


@pytest.mark.parametrize("kind", PRECISIONS)
@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_the_ptx_is_the_step_of_the_rule(rule, kind):
    for i, size in enumerate(SIZES):
        agree(made(rule, kind, size, seed=size, n=1 + 3 * i, maximize=bool(i % 2)), "triton-ptx")


@pytest.mark.parametrize("backend", ("triton-interpreted", "triton-cpu"))
@pytest.mark.parametrize(("rule", "kind"), TURNS, ids=lambda x: getattr(x, "name", x))
def test_every_backend_on_the_cpu_is_the_step_of_the_rule(rule, kind, backend):
    agree(made(rule, kind, 1025, maximize=True), backend)


@pytest.mark.parametrize("kind", PRECISIONS)
def test_without_momentum_nothing_is_kept(kind):
    job = made(SGD, kind, 130)
    bare = Step(SGD, job.precision, job.q, job.g, (), numbers(SGD, 1, beta=0.0))
    agree(bare, "triton-ptx")
    assert launch.run(bare, "triton-ptx").buffers == []


@pytest.mark.parametrize("kind", PRECISIONS)
@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_the_running_error_of_the_ptx_holds_what_is_stored(rule, kind):
    job, size = made(rule, kind, 1025), 1025
    q, g, first, second, numbers, stream = job.buffers()
    kinds = job.pointers
    pointers = dict(zip(kinds, (q, g, first, second, numbers, stream), strict=True))
    args = [Array.of(x, kinds[name]) if kinds[name] != "int32" else x for name, x in pointers.items()]
    found = run_wide(backends.compiled(job), [*args, size], 9)
    stored = [args[0], *args[2 : 2 + len(rule.buffers)]]
    assert not found.undecided(*stored) and not found.notes.directed
    for x in stored:
        assert x.written.all() and 0.5 < spent(x).max() <= 1


# ---- rounding at random

BELOW, ABOVE = 2.0**-8, 2.0**-7  # from 1 to the next bfloat16 of smaller, of larger magnitude
DRAWS = 2**15


def at_random(share, seed=1, step=2, place=3, size=DRAWS, backend="triton-ptx", start=1.0):
    """1 less a share of 2^-8, stored at random: (size,) float64."""
    q = encode(np.full(size, start), "bfloat16")
    g = encode(np.full(size, 1.0), "bfloat16")
    values = numbers(SGD, 1, eta=BELOW * share, beta=0.0, k=0.0)
    stream = np.array([seed % 2**32, seed >> 32, step, place], np.uint32).view(np.int32)
    job = Step(Undecayed(SGD), precision_of("bfloat16"), q, g, (), values, stream=stream)
    return widen(launch.run(job, backend).q, "bfloat16")


def reach(gap, size, alarms=1e-9):
    """How far the mean of that many draws between two numbers may be from its own: Hoeffding (1963)."""
    return gap * math.sqrt(math.log(2 / alarms) / (2 * size))


@pytest.mark.parametrize("share", (0.125, 0.3, 0.5, 0.9, 0.999))
@pytest.mark.parametrize("start", (1.0, -1.0))
def test_the_mean_of_what_is_stored_is_what_was_computed(share, start):
    found = at_random(share, start=start)
    gap = BELOW if start > 0 else ABOVE
    q = np.float32(start) - np.float32(BELOW * share)
    low = start - gap
    assert set(np.unique(found)) <= {low, start} and len(np.unique(found)) == 2
    assert abs(found.mean() - float(q)) < reach(gap, DRAWS)
    nearest = widen(encode(np.array([q], float), "bfloat16"), "bfloat16")
    to_nearest = abs(nearest[0] - float(q))
    if 2 * to_nearest > gap * 0.1:  # else the number is a bfloat16, but for little: both are right
        assert to_nearest > reach(gap, DRAWS)


def test_the_smallest_bias_that_the_test_of_the_mean_sees_is_two_percent_of_an_ulp():
    assert 0.015 < reach(1.0, DRAWS) < 0.02


@pytest.mark.parametrize("backend", ("triton-interpreted", "triton-cpu"))
def test_roundings_at_random_are_the_same_everywhere(backend):
    if launch.missing(backend):
        pytest.skip(launch.missing(backend))
    assert (at_random(0.5, backend=backend, size=1025) == at_random(0.5, size=1025)).all()


def test_seed_step_array_and_element_each_change_the_roundings():
    one = at_random(0.5)
    assert (at_random(0.5) == one).all()
    for changed in (dict(seed=2), dict(seed=1 + 2**32), dict(step=3), dict(place=4)):
        alike = np.mean(at_random(0.5, **changed) == one)
        assert abs(alike - 0.5) < reach(1.0, DRAWS), changed
    neighbours = np.mean(one[1:] == one[:-1])
    assert abs(neighbours - 0.5) < 2 * reach(1.0, DRAWS // 2)  # two sets of pairs that share no draw


def test_what_bfloat16_can_hold_is_stored_as_it_is():
    for start in (1.0, -3.0, 0.0, np.inf, -np.inf, np.nan):
        found = at_random(0.0, start=start, size=200)
        assert np.array_equal(found, np.full(200, start), equal_nan=True)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_decay_of_0_is_no_line_of_the_kernel(rule):
    for kind in PRECISIONS:
        job = made(rule, kind, 131)
        q = job.q.copy()
        q[:3] = encode(np.array([np.inf, -np.inf, 1.0]), kind)
        values = numbers(rule, 2, k=0.0)
        bare = Step(Undecayed(rule), job.precision, q, job.g, job.kept, values)
        agree(bare, "triton-ptx")
        found = launch.run(bare, "triton-ptx")
        assert (found.q[:2] == q[:2]).all()  # infinite numbers stay, as 0 times infinity would not
        finite = Step(rule, job.precision, job.q, job.g, job.kept, values)
        assert (launch.run(finite, "numpy").q[3:] == found.q[3:]).all()


def test_a_step_that_cannot_be_is_refused():
    job = made(SGD, "float32", 3)
    same = dict(rule=SGD, precision=job.precision, q=job.q, g=job.g, kept=job.kept, numbers=job.numbers)
    for changes, message in (
        ({"g": job.g[:2]}, r"g is float32\[2\]: must be float32\[3\]"),
        ({"g": job.g.astype(float)}, r"g is float64\[3\]: must be float32\[3\]"),
        ({"kept": ()}, None),
        ({"kept": job.kept * 2}, r"2 buffers are given: rule sgd has \('b',\)"),
        ({"numbers": job.numbers[:2]}, r"numbers are \(2,\): must be \(6,\)"),
        ({"stream": np.zeros(4, np.int32)}, "parameters are float32: only bfloat16 is rounded at random"),
        ({"q": job.q[:0], "g": job.g[:0]}, "an array has 0 elements: must have 1 to"),
    ):
        if message:
            with pytest.raises(ValueError, match=message):
                Step(**{**same, **changes})
        else:
            Step(**{**same, **changes})
    low = made(SGD, "bfloat16", 3)
    random = Step(SGD, low.precision, low.q, low.g, low.kept, low.numbers, stream=np.zeros(4, np.int32))
    with pytest.raises(ValueError, match="numpy rounds to nearest: at random a kernel does"):
        launch.run(random, "numpy")
    assert precision_of("float64") == Precision("float64") and precision_of("float16").v_store == "float32"
