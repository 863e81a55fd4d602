"""A fault strikes where it changes something: at a step that moves, at a number that a factor changes."""

import numpy as np
import pytest

from noether import faults
from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.programs.precision import parse
from noether.mechanics import sweep


def drawn(steps: int, seed: int):
    return sweep.draw(CORE[0], RULES["heavy-ball"], parse("float64"), lanes=9, steps=steps, seed=seed)


@pytest.mark.parametrize("seed", range(8))
def test_the_step_that_is_skipped_is_one_in_which_the_lane_moves(seed):
    """The lanes come to rest after four steps: what begins later would change nothing."""
    job = drawn(64, seed)
    q = 1 + np.minimum(np.arange(65.0), 4)[:, None, None] * np.ones((65, CORE[0].dim, 9))
    right = q.copy()
    faults.placed.step_skipped(job, q, np.zeros_like(q))
    assert (q != right).any(axis=1).sum() == 1


@pytest.mark.parametrize("other", [0.0, np.nan, np.inf])
def test_the_lane_that_is_off_has_a_number_that_a_factor_changes(other):
    job, q = drawn(1, 0), np.ones((2, CORE[0].dim, 9))
    q[-1, -1, 3:] = other
    faults.places.one_lane_wrong(job, q, np.ones_like(q))
    assert q[-1, -1, 0] == 1 + 64 * job.precision.u_q and (q[:, :, 1:3] == 1).all()
