"""What a rule keeps beside its covector is accumulated apart from the kernel, and bounded as it forgets."""

import numpy as np
import pytest

from noether.cases import CORE
from noether.cases.rules.adadelta import ADADELTA
from noether.cases.rules.adagrad import ADAGRAD
from noether.cases.rules.adam import ADAM
from noether.cases.rules.amsgrad import AMSGRAD
from noether.cases.rules.nadam import NADAM
from noether.cases.rules.rmsprop_centred import RMSPROP_CENTRED
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory

RAYLEIGH = next(c for c in CORE if c.name == "rayleigh")
MORE = (ADAGRAD, RMSPROP_CENTRED, ADAM, AMSGRAD, NADAM, ADADELTA)
each_rule = pytest.mark.parametrize("rule", MORE, ids=lambda rule: rule.name)


def followed(rule, label, steps):
    p = parse(label)
    job = sweep.draw(RAYLEIGH, rule, p, lanes=9, steps=steps, seed=7)
    return Trajectory(RAYLEIGH, rule, p, *launch.run(job, "numpy").wide(), job.params)


def off(t) -> np.ndarray:
    """How far the kernel's buffers beside the covector are, in bounds; (steps + 1, rows, lanes)."""
    rest = np.ones(t.v.shape[1], bool)
    rest[t.charged] = False
    a = t.apart_from_kernel
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.abs(t.v - a.v)[:, rest] / a.error[:, rest], posinf=np.inf)


@each_rule
def test_a_right_kernel_is_within_the_bound_and_one_that_forgets_nothing_is_not(rule):
    """What is beside the covector begins at 0: a kernel that leaves it there has a frozen second moment."""
    t = followed(rule, "float32", 12)
    assert off(t).max() <= 1
    frozen = t.with_buffers(
        np.where(np.arange(t.v.shape[1])[:, None] // t.dim == t.charged.start // t.dim, t.v, 0)
    )
    assert off(frozen).max() > 2.0**10


@pytest.mark.parametrize("label", ["float64", "float32"])
def test_the_bound_of_an_average_forgets_as_the_average_does(label):
    """m + w (f - m) keeps 1 - w of an error. A running error would pass on 1 + w of it: 10^5 times as much
    after 60 steps with w = 1/4."""
    t = followed(RMSPROP_CENTRED, label, 72)
    m = slice(2 * t.dim, 3 * t.dim)
    error = t.apart_from_kernel.error[:, m].max(axis=1)
    with np.errstate(all="ignore"):
        growth = np.nan_to_num(error[-1] / error[10:20].max(axis=0))
    assert 0 < growth.max() < 2.0**12
