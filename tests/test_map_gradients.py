"""The gradients that the map steps along are the traced ones, whatever operations they have."""

import weakref

import numpy as np
import pytest
from test_recovery_operations import operation

from noether.cases import CORE
from noether.kernels.programs import trace
from noether.kernels.programs.operations import IN_A_LOSS
from noether.laws.map import cells, sources, stepping


def gradient(case, q):
    """By the program itself, with the kernels' own exp and log."""
    return np.stack(trace.gradient(case).run(list(q), np.zeros(q.shape[1]), stepping.FLOAT64))


SAME = dict(rel=2.0**-48, abs=2.0**-50)
"""One gradient by two orders of its operations; where terms that are of order one cancel, eight roundings of
one are left."""


@pytest.mark.parametrize("name", IN_A_LOSS)
def test_every_column_steps_along_the_traced_gradient_whatever_operation_it_has(name):
    case = operation(name)
    assert name in {op.name for op in trace.gradient(case).ops}
    q0, h = case.draw(np.random.default_rng(0), 3), np.full(3, 2.0**-8)
    columns = [c for c in stepping.STEPPED.values() if c.rule.fits(case.dim)]
    runs = stepping.run(case, columns, q0, 0 * q0, h, np.full(3, 4))
    assert len(runs) == len(columns) >= 17
    for run in runs.values():
        for q, g in zip(run.q[:-1], run.g, strict=True):
            assert g == pytest.approx(gradient(case, q), **SAME) and np.all(g != 0)


def test_the_printed_gradient_of_a_piecewise_loss_is_the_traced_one_on_both_sides_of_its_kink():
    case, q = operation("step"), np.array([[0.9, -0.9, 0.0], [1.1, 1.1, 1.1]])
    g = stepping.gradient_of(case)(q)
    assert np.array_equal(g, gradient(case, q)) and g[:, 0].all() and not g[:, 1].any()
    moved = stepping.gradient_of(case)(q.astype(complex) + 1e-30j)
    assert moved.real == pytest.approx(g, **SAME) and moved.imag[:, 0].all() and not moved.imag[:, 1].any()


def test_of_the_runs_in_64_bits_one_is_held_at_a_time(monkeypatch):
    """With all that is derived from them they would hold 0.6 GB in a full run."""
    (cell,), held, most = cells.cells(CORE, "quick", 3), [], []
    made = sources.wide

    def wide(run):
        found = made(run)
        found.once("planted", list)
        assert "planted" not in run.derived, "what is derived from one run is no other's"
        held.append(weakref.ref(found))
        most.append(sum(x() is not None for x in held))
        return found

    monkeypatch.setattr(sources, "wide", wide)
    assert len(cells.driven(cell, cells.trajectories(3, "quick"), True)) > 50
    assert max(most) <= 2, "the last one, and the one that takes its place"
