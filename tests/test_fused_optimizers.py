"""Our fused optimizers stand in for PyTorch's: the same steps, the same interface, clear refusals."""

import copy
import io
import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
    pytest.skip("TRITON_INTERPRET is set: this process cannot compile", allow_module_level=True)
pytest.importorskip("triton")
pytest.importorskip("torch")

import torch

from noether.kernels import fused
from noether.kernels.loops import launch
from noether.system.machine import importable

OPTIONS = (
    {},
    {"momentum": 0.5},
    {"momentum": 0.5, "dampening": 0.25, "weight_decay": 0.25},
    {"momentum": 0.5, "weight_decay": 0.5, "nesterov": True},
    {"weight_decay": 0.25, "maximize": True, "dampening": 0.5},
    {"momentum": 0.75, "maximize": True, "nesterov": True},
)
EVERY = (fused.SGD, fused.AdamW, fused.Lion)


def parameter(x, dtype=torch.float32):
    return torch.nn.Parameter(torch.as_tensor(np.asarray(x), dtype=dtype).clone())


def dyadic(seed, size=40):
    """Small whole numbers over 8, of which few steps with dyadic options are exact in float64."""
    return np.random.default_rng(seed).integers(-64, 64, size) / 8


def walk(optimizer, p, steps, seed=9, lr=None):
    for n in range(steps):
        p.grad = torch.as_tensor(dyadic(seed + n, p.numel())).to(p.dtype).reshape(p.shape)
        if lr:
            optimizer.param_groups[0]["lr"] = lr[n]
        optimizer.step()
    return p.detach().clone()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_sgd_is_that_of_pytorch_where_nothing_rounds(options):
    lr = (0.5, 0.25, 0.25, 0.5)  # it changes: the buffer must be free of it
    found = []
    for kind in (fused.SGD, torch.optim.SGD):
        p = parameter(dyadic(0), torch.float64)
        found.append(walk(kind([p], lr=0.5, **options), p, 4, lr=lr))
    assert torch.equal(*found) and not torch.equal(found[0], torch.as_tensor(dyadic(0)))


def test_a_momentum_that_begins_later_begins_as_in_pytorch():
    found = []
    for kind in (fused.SGD, torch.optim.SGD):
        p = parameter(dyadic(0), torch.float64)
        optimizer = kind([p], lr=0.5)
        walk(optimizer, p, 2)
        optimizer.param_groups[0].update(momentum=0.5, dampening=0.5)
        found.append(walk(optimizer, p, 2, seed=20))
    assert torch.equal(*found)


@pytest.mark.parametrize("decoupled", (True, False))
def test_adam_is_that_of_pytorch_up_to_its_roundings(decoupled):
    steps, rng = 4, np.random.default_rng(0)
    start, slopes = rng.uniform(1, 2, 50), rng.uniform(0.5, 2, (steps, 50))
    theirs = torch.optim.AdamW if decoupled else torch.optim.Adam
    found = []
    for make in (lambda p: fused.AdamW(p, decoupled=decoupled, **given), lambda p: theirs(p, **given)):
        given = dict(lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1)
        p = parameter(start, torch.float64)
        optimizer = make([p])
        for g in slopes:
            p.grad = torch.as_tensor(g)
            optimizer.step()
        found.append(p.detach().numpy())
    # Everything is positive, so that no rounding grows: 24 at most a step and side, of numbers below 2.
    assert np.abs(found[0] - found[1]).max() <= 2 * 24 * steps * 2.0**-53 * 2
    assert np.abs(found[0] - start).min() > 0.01


@pytest.mark.parametrize("kind", EVERY)
def test_a_state_that_is_saved_and_loaded_goes_on_with_the_same_bits(kind):
    for dtype in (torch.float64, torch.bfloat16):
        p = parameter(dyadic(0), dtype)
        optimizer = kind([p], lr=0.01, **({"momentum": 0.9} if kind is fused.SGD else {}))
        walk(optimizer, p, 3)
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        file.seek(0)
        q = torch.nn.Parameter(p.detach().clone())
        other = kind([q], lr=0.5)
        other.load_state_dict(torch.load(file))
        for name in other.names:
            # PyTorch casts what it loads to bfloat16, where the parameter is.
            assert other.state[q][name].dtype == (torch.float32 if dtype == torch.bfloat16 else dtype)
            assert torch.equal(other.state[q][name], optimizer.state[p][name])
            assert other.state[q][name].data_ptr() != optimizer.state[p][name].data_ptr()
        assert torch.equal(walk(other, q, 2, seed=20), walk(optimizer, p, 2, seed=20))


@pytest.mark.parametrize("kind", EVERY)
def test_a_copy_goes_its_own_way(kind):
    p = parameter(dyadic(0))
    optimizer = kind([p], lr=0.01)
    walk(optimizer, p, 2)
    there = copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))
    found = [walk(x, x.param_groups[0]["params"][0], 2, seed=20) for x in (*there, optimizer)]
    assert torch.equal(found[0], found[1]) and torch.equal(found[1], found[2])


@pytest.mark.parametrize("kind", EVERY)
def test_groups_steps_without_gradient_and_empty_parameters(kind):
    alone = []
    for seed, lr in ((0, 0.25), (1, 0.125)):
        p = parameter(dyadic(seed))
        alone.append(walk(kind([p], lr=lr), p, 2, seed=seed + 5))
    a, b, empty, still = (parameter(x) for x in (dyadic(0), dyadic(1), [], dyadic(2)))
    optimizer = kind([{"params": [a, empty]}], lr=0.25)
    optimizer.add_param_group({"params": [b, still], "lr": 0.125})
    for n in range(2):
        a.grad, b.grad = (torch.as_tensor(dyadic(5 + n + k), dtype=torch.float32) for k in (0, 1))
        empty.grad = torch.zeros(0)
        optimizer.step()
    assert torch.equal(a.detach(), alone[0]) and torch.equal(b.detach(), alone[1])
    assert torch.equal(still.detach(), torch.as_tensor(dyadic(2), dtype=torch.float32))
    assert still not in optimizer.state and int(optimizer.state[empty]["step"]) == 2


def test_a_closure_is_called_with_gradients_and_its_loss_given():
    p = parameter([2.0])
    optimizer = fused.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    assert float(optimizer.step(closure).detach()) == 4 and float(p.detach()) == 1


def test_autograd_sees_that_a_parameter_has_changed():
    p = parameter([2.0])
    loss = (p * p).sum()
    p.grad = torch.ones(1)
    fused.SGD([p], lr=0.25).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


VIEWS = {
    "misaligned": lambda x: x[1:121].view(10, 12),
    "transposed": lambda x: x[:120].view(12, 10).t(),
    "strided": lambda x: x[: 2 * 120 : 2].view(10, 12),
    "channels last": lambda x: x[:120].view(1, 3, 4, 10).permute(0, 3, 1, 2),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dtype", (torch.float32, torch.bfloat16))
def test_a_view_steps_as_a_parameter_of_its_own_and_nothing_else_moves(dtype, view):
    for kind in EVERY:
        storage = torch.as_tensor(dyadic(0, 300)).to(dtype)
        before, whole = storage.clone(), torch.ones(300, dtype=torch.bool)
        VIEWS[view](whole)[:] = False
        p = torch.nn.Parameter(VIEWS[view](storage))
        q = torch.nn.Parameter(p.detach().clone(memory_format=torch.contiguous_format))
        assert p.data_ptr() != q.data_ptr() and q.is_contiguous()
        found = [walk(kind([x], lr=0.25, weight_decay=0.5), x, 2) for x in (p, q)]
        assert torch.equal(*found) and not torch.equal(found[0], VIEWS[view](before))
        assert torch.equal(storage[whole], before[whole])


@pytest.mark.parametrize("backend", ("interpreted", "cpu"))
def test_a_step_has_the_same_bits_on_every_backend(backend):
    for kind in EVERY:
        if launch.missing(f"triton-{backend}"):
            pytest.skip(launch.missing(f"triton-{backend}"))
        found = []
        for name in ("auto", backend):
            p = parameter(dyadic(0), torch.bfloat16)
            found.append(walk(kind([p], lr=0.0625, backend=name, stochastic=True, seed=3), p, 3))
        assert torch.equal(*found)


def test_steps_below_half_an_ulp_are_lost_to_nearest_and_kept_at_random():
    size, steps, step = 2**14, 16, 2.0**-11  # bfloat16 has 2^-8 below 1
    moved = {}
    for stochastic in (False, True):
        p = parameter(np.ones(size), torch.bfloat16)
        optimizer = fused.SGD([p], lr=step, stochastic=stochastic, seed=5)
        for _ in range(steps):
            p.grad = torch.ones_like(p)
            optimizer.step()
        moved[stochastic] = 1 - float(p.detach().double().mean())
    assert moved[False] == 0
    # Azuma (1967): the mean of size * steps roundings, each within 2^-8; a false alarm in 10^9 runs.
    reach = 2.0**-8 * math.sqrt(steps * math.log(2e9) / (2 * size))
    assert abs(moved[True] - steps * step) < reach < steps * step / 2


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: fused.SGD([p], lr=-1), ValueError, "lr is -1, must be a finite number from 0"),
        (lambda p: fused.SGD([p], momentum=float("nan")), ValueError, "momentum is nan, must be a finite"),
        (lambda p: fused.SGD([p], nesterov=True), ValueError, "nesterov=True, with momentum 0.0 and damp"),
        (lambda p: fused.SGD([p], dampening=float("inf")), ValueError, "dampening is inf, must be"),
        (lambda p: fused.AdamW([p], betas=(0.9, 1.0)), ValueError, r"betas are \(0.9, 1.0\), must be two"),
        (lambda p: fused.AdamW([p], eps=-1.0), ValueError, "eps is -1.0, must be a finite number from 0"),
        (lambda p: fused.Lion([p], backend="tpu"), ValueError, "backend is 'tpu', must be one of auto, gpu"),
        (lambda p: fused.Lion([p], seed=-1), ValueError, "seed is -1, must be a whole number"),
        (lambda p: fused.Lion([p], stochastic=True), TypeError, "only bfloat16 is rounded at random"),
        (
            lambda p: fused.Lion([p.detach().cfloat().requires_grad_()]),
            TypeError,
            "complex64.*must be one of",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(parameter([1.0, 2.0]))


def test_a_group_that_cannot_be_is_not_added():
    optimizer = fused.SGD([parameter([1.0])], lr=0.5)
    with pytest.raises(ValueError, match="lr is -2"):
        optimizer.add_param_group({"params": [parameter([2.0])], "lr": -2})
    assert len(optimizer.param_groups) == 1


def test_a_gradient_that_cannot_be_read_is_refused():
    p = parameter([1.0, 2.0])
    optimizer = fused.SGD([p], lr=0.5)
    p.grad = torch.tensor([1.0, 2.0]).to_sparse()
    with pytest.raises(TypeError, match=r"a gradient is torch.sparse_coo: must be dense; g.to_dense\(\)"):
        optimizer.step()
    p.grad = None
    if hasattr(p, "grad_dtype"):  # torch 2.10 lets a gradient have another type where it is told so
        p.grad_dtype = None
        p.grad = torch.ones(2, dtype=torch.float64)
        with pytest.raises(TypeError, match=r"a gradient is torch.float64\[2\] on cpu, its parameter"):
            optimizer.step()
        p.grad = None
    optimizer.backend = "gpu"
    p.grad = torch.ones(2)
    with pytest.raises(ValueError, match="backend is 'gpu' and a parameter is on cpu: gpu takes tensors of"):
        optimizer.step()
    assert "step" not in optimizer.state[p] and torch.equal(p.detach(), torch.tensor([1.0, 2.0]))


def test_on_a_gpu_a_step_has_the_bits_of_the_rule():
    if not torch.cuda.is_available():
        pytest.skip("torch sees no GPU")
    for kind in EVERY:
        for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
            here, there = parameter(dyadic(0, 1025), dtype), parameter(dyadic(0, 1025), dtype).cuda()
            there = torch.nn.Parameter(there.detach())
            found = [walk(kind([p], lr=0.01), p, 3).cpu() for p in (here, there)]
            assert torch.equal(*found)


def test_the_kernels_are_there_without_torch_and_the_optimizers_ask_for_it():
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from noether.kernels import fused\nfrom noether.kernels.fused import launch, sgd_rule\nfused.SGD"
    )
    done = subprocess.run([sys.executable, "-c", script], env=importable(), capture_output=True, text=True)
    assert done.stderr.endswith("ImportError: SGD needs torch: pip install 'noether-harness[torch]'\n")
    with pytest.raises(AttributeError, match="has no attribute 'Adam'"):
        fused.Adam  # noqa: B018
