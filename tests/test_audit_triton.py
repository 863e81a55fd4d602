"""A user's kernel steps on this CPU as a launch would step it: at any size and alignment, with its running
error; what its adapter leaves open is refused."""

import os

import numpy as np
import pytest

if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
    pytest.skip("TRITON_INTERPRET is set: this process cannot compile", allow_module_level=True)
pytest.importorskip("triton")

import ptx_audit_kernels as kernels
from adamw_adapter import KINDS, NUMBERS, adamw

import noether
from noether.campaigns.audit import triton_adapter as adapters
from noether.campaigns.audit.triton_target import TritonTarget, on_gpu
from noether.system.usage import CannotRun, UsageError

SIZES = (1, 3, 128, 1000, 1024, 1025)


def descent(**changes):
    given = dict(
        parameters="q_ptr", gradient="g_ptr", count="n", numbers={"lr": 0.5}, constexpr={"BLOCK": 128}
    )
    return noether.triton_adapter(kernels.without_mask, **{**given, **changes})


def gradients(steps, n, seed=0):
    return np.random.default_rng(seed).normal(size=(steps, n))


def formula(q, steps):
    """AdamW as it is defined, in float64."""
    p = NUMBERS
    m, s = 0 * q, 0 * q
    for n, g in enumerate(steps, 1):
        m, s = p["beta1"] * m + (1 - p["beta1"]) * g, p["beta2"] * s + (1 - p["beta2"]) * g * g
        below = np.sqrt(s / (1 - p["beta2"] ** n)) + p["eps"]
        q = q - p["lr"] * p["decay"] * q - p["lr"] * m / (1 - p["beta1"] ** n) / below
    return q


def spent(triple):
    real, value, error = triple
    return float(np.max(np.abs(real - value) / error))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_steps_mean_the_formula_and_are_stored_within_their_running_error(kind, size):
    steps = gradients(4, size)
    if kind != "float64":  # what a narrow gradient array can hold
        steps = np.round(steps * 16) / 16
    start = np.round(gradients(1, size, 1)[0] * 16) / 16
    target = TritonTarget(adamw(), start, kind)
    for g in steps:
        target.step(g)
        assert target.stored == 1 and not target.outside and not target.writes_gradient
    real, value, error = target.parameters()
    assert not target.undecided and real.dtype == np.float64 and real.shape == (size,)
    for found in (target.parameters(), *target.state().values()):
        assert 0 < spent(found) <= 1
    # Parameters are stored in their type after every step: the wide value is not, so it is the formula's.
    assert np.abs(value - formula(start, steps)).max() < 2.0**-44


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", (1000, 1024))
def test_bits_do_not_depend_on_where_arrays_begin(kind, size):
    found, texts = [], set()
    for misaligned in (False, True):
        target = TritonTarget(adamw(block=1024), gradients(1, size, 1)[0], kind, misaligned=misaligned)
        for g in gradients(3, size):
            target.step(g)
        found.append(target.parameters()[0])
        texts.add(target.launch()[0].ptx)
        # An aligned launch of arrays of two types changes its layout on the way, through shared memory.
        assert bool(target.general) == (kind != "float32" and not misaligned)
        assert not target.outside and not target.undecided and target.stored == 1
    assert (found[0] == found[1]).all() and len(texts) == (2 if kind == "float32" else 1)


def test_fresh_steps_have_the_error_of_a_single_step():
    errors = {}
    for fresh in (False, True):
        target = TritonTarget(adamw(), gradients(1, 500, 1)[0], "bfloat16", fresh=fresh)
        for g in gradients(20, 500):
            target.step(g)
        errors[fresh] = np.median(target.parameters()[2])
        assert 0.5 < spent(target.parameters()) <= 1
    assert errors[False] > 10 * errors[True]


def test_a_target_that_begins_again_repeats_itself():
    target, found = TritonTarget(adamw(), gradients(1, 100, 1)[0]), []
    for _ in range(2):
        for g in gradients(3, 100):
            target.step(g)
        found.append(np.concatenate([target.parameters()[0], *(x[0] for x in target.state().values())]))
        target.restart()
    assert (found[0] == found[1]).all() and target.steps == 0
    target.restart(np.ones(100))
    assert (target.parameters()[0] == 1).all()


@pytest.mark.parametrize("misaligned", (False, True))
def test_a_store_past_the_end_is_seen(misaligned):
    target = TritonTarget(descent(), np.ones(200), misaligned=misaligned)
    target.step(np.ones(200))
    assert (
        target.outside
        == "step 1 stores 56 elements outside q_ptr, first at 200: must store within its 200 elements"
    )
    assert (target.parameters()[0] == 0.5).all()
    target = TritonTarget(descent(), np.ones(256), misaligned=misaligned)
    target.step(np.ones(256))
    assert not target.outside and target.stored == 1


def test_a_grid_that_leaves_parameters_out_is_seen():
    target = TritonTarget(descent(grid=lambda n: 1), np.ones(256))
    target.step(np.ones(256))
    assert target.stored == 0.5


def test_no_parameters_at_all_take_no_launch():
    target = TritonTarget(adamw(), np.zeros(0))
    target.step(np.zeros(0))
    assert target.parameters()[0].size == 0 and not target.executed


def test_a_float_argument_arrives_as_float32_and_its_rounding_is_in_the_bound():
    target = TritonTarget(descent(numbers={"lr": 0.1}), np.zeros(128), "float64")
    target.step(np.ones(128))
    real, value, error = target.parameters()
    assert (real == -float(np.float32(0.1))).all() and np.abs(value + 0.1).max() < 2.0**-55
    assert (error >= abs(np.float32(0.1) - 0.1)).all() and (error < 2e-9).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"numbers": {}}, "nothing is said of lr: must be among"),
        ({"numbers": {"lr": "much"}}, "numbers lr is 'much', must be a number"),
        ({"numbers": {"lr": 0.5, "n": 3}}, "n is named twice"),
        ({"gradient": "grad_ptr"}, "argument is 'grad_ptr', must be one of q_ptr, g_ptr, lr, n, BLOCK"),
        ({"numbers": {}, "known": {"lr": 0.5}}, r"known lr is 0.5, must be a function\(step, numbers\)"),
        ({"kinds": {"q_ptr": "int8"}}, "kind of q_ptr is 'int8', must be one of parameters, float64"),
        ({"kinds": {"lr": "float32"}}, "kinds of is 'lr', must be one of q_ptr, g_ptr"),
    ],
)
def test_an_adapter_that_leaves_something_open_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        descent(**changes)


def test_what_is_no_kernel_is_refused():
    given = dict(parameters="q", gradient="g", count="n")
    with pytest.raises(UsageError, match="must be a function decorated with @triton.jit"):
        noether.triton_adapter(print, **given)
    import triton

    tuned = triton.autotune(configs=[triton.Config({"BLOCK": 64})], key=["n"])(kernels.without_mask)
    with pytest.raises(
        UsageError, match="Autotuner, as of @triton.autotune: must be the @triton.jit function"
    ):
        noether.triton_adapter(tuned, **given)


def test_a_target_that_cannot_be_is_refused():
    with pytest.raises(UsageError, match="kind is 'int8', must be one of"):
        TritonTarget(descent(), np.ones(3), "int8")
    with pytest.raises(UsageError, match=r"start is \[2, 2\], must be a vector"):
        TritonTarget(descent(), np.ones((2, 2)))
    with pytest.raises(UsageError, match=r"gradient is \[2\], must be \[3\]"):
        TritonTarget(descent(), np.ones(3)).step(np.ones(2))
    with pytest.raises(UsageError, match="grid gives 0 for 3 elements"):
        TritonTarget(descent(grid=lambda n: 0), np.ones(3)).step(np.ones(3))


def test_the_adapter_of_a_file_is_found_by_its_name_or_its_kernel():
    mine, other = descent(), adamw()
    there = {"audit_descent": mine, "audit_adamw": other, "lr": 3}
    assert adapters.found(there, "audit_descent") is mine and adapters.found(there, "adamw") is other
    with pytest.raises(UsageError, match="adapter is 'lion', must be one of"):
        adapters.found(there, "lion")
    with pytest.raises(UsageError, match="the file has no adapter for lion"):
        adapters.found({"lion": kernels.adamw}, "lion")
    with pytest.raises(UsageError, match="is the kernel of 2 adapters"):
        adapters.found({"a": mine, "b": descent()}, "without_mask")


def test_a_launch_on_a_gpu_has_the_bits_of_this_cpu():
    steps, start = gradients(3, 1000), gradients(1, 1000, 1)[0]
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        with pytest.raises(CannotRun, match="torch sees no GPU"):
            on_gpu(descent(), start, steps, "float32")
        pytest.skip("there is no GPU: that it is refused was tested")
    adapter = adamw(fusion=False)
    target = TritonTarget(adapter, start, "float32")
    for g in steps:
        target.step(g)
    found = on_gpu(adapter, start, steps, "float32")
    real, value, error = target.parameters()
    assert np.all(np.abs(found["q_ptr"] - value) <= error)


def test_a_kernel_whose_threads_exchange_data_cannot_be_evaluated():
    given = dict(
        parameters="q_ptr", gradient="g_ptr", count="n", numbers={"lr": 0.5}, constexpr={"BLOCK": 128}
    )
    target = TritonTarget(noether.triton_adapter(kernels.clipped, **given), np.ones(100))
    with pytest.raises(CannotRun, match="kernel clipped cannot be evaluated on this CPU: PTX line"):
        target.step(np.ones(100))
