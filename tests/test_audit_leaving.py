"""A step that computes outside of PyTorch is not decided: its motion is no fault, its meaning is not seen."""

import ctypes

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from noether.campaigns.audit.examine import examined
from noether.campaigns.audit.finding import INCONCLUSIVE, OUTSIDE
from noether.campaigns.audit.scripted import script
from noether.campaigns.audit.subject import Subject, observed
from noether.optimizers.leaving import UNSEEN


class InNumpy(torch.optim.Optimizer):
    """Gradient descent, right in every type, whose arithmetic is numpy's."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    q, g = (x.detach().double().numpy() for x in (p, p.grad))
                    p.copy_(torch.from_numpy(q - group["lr"] * g))


class Beside(InNumpy):
    """The same written into the parameter's memory, as an extension does it."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p.dtype not in (torch.float64, torch.float32):
                    raise TypeError(f"{p.dtype} is not taken")
                kind = ctypes.c_double if p.dtype == torch.float64 else ctypes.c_float
                q, g = ((kind * p.numel()).from_address(x.data_ptr()) for x in (p, p.grad))
                for i in range(p.numel()):
                    q[i] = q[i] - group["lr"] * g[i]


@pytest.mark.parametrize(("kind", "way"), [(InNumpy, "Tensor.numpy"), (Beside, UNSEEN)])
@pytest.mark.parametrize("like", ("sgd", None))
def test_what_is_computed_elsewhere_is_not_decided(kind, way, like):
    found = list(examined(Subject("mine:Optimizer", kind), like, parts=("rule", "arithmetic")))
    assert len(found) == 5 and {x.verdict for x in found} <= {INCONCLUSIVE, OUTSIDE}
    assert found[0].verdict == INCONCLUSIVE and way in found[0].reason


def test_the_motion_is_the_real_one_all_the_same():
    text = script()
    for kind in (InNumpy, Beside):
        motion = observed(Subject("mine:Optimizer", kind), text, "float64")
        q = text.q0 - 0.1 * np.cumsum(text.gradients, axis=0)
        assert np.abs(motion.real - q).max() < 1e-13  # 12 steps of numbers below 10


@pytest.mark.parametrize("name", ("SGD", "AdamW", "NAdam", "Adafactor", "Rprop", "ASGD"))
def test_optimizers_of_pytorch_compute_inside(name):
    given = {"momentum": 0.9} if name == "SGD" else {}
    shape = (4, 6) if name == "Adafactor" else None
    subject = Subject(f"torch.optim:{name}", getattr(torch.optim, name), given)
    assert not observed(subject, script(0, shape=shape), "float32").told.outside
