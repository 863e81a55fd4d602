"""Every operation that the tracer knows goes through the laws of recovery: a new one cannot escape."""

from dataclasses import replace

import numpy as np
import plainest
import pytest

from noether.cases.case import DIAGONAL, Case, Metric
from noether.kernels.programs import trace
from noether.kernels.programs.operations import IN_A_LOSS
from noether.kernels.programs.precision import parse
from noether.laws.averages import minibatch
from noether.laws.exact.cell import LaunchCell
from noether.laws.response import rounding
from noether.laws.response.cells import cells, run_cell
from noether.verdicts.record import VIOLATED

LOSSES = {
    "neg": lambda w, xp: (-w) * (-w),
    "add": lambda w, xp: (w + w) * w,
    "sub": lambda w, xp: (w - 2) * w,
    "mul": lambda w, xp: w * w * w,
    "div": lambda w, xp: w + 1 / w,
    "exp": lambda w, xp: xp.exp(-w),
    "log": lambda w, xp: xp.log(w) * xp.log(w),
    "sqrt": lambda w, xp: (xp.sqrt(w) - 1) * (xp.sqrt(w) - 1),
    "step": lambda w, xp: (w * xp.step(w) - 1) * (w * xp.step(w) - 1),
}
"""By operation: a function of w = u v that has it in its derivative."""
INPUTS = ("input", "const")


def operation(name: str) -> Case:
    """A loss of u v on a metric, both with this operation, and the losses of three samples."""
    of = LOSSES[name]

    def samples(q, xp):
        return [of(c * q[0] * q[1], xp) for c in (1, 1.25, 0.75)]

    def entries(q, kappa, xp):
        return [1 + kappa * q[0] * q[0] * (2 + of(q[0] * q[1], xp)), 1 + 0 * q[1]]

    return plainest.case(
        f"operation-{name}",
        loss=lambda q, xp: sum(samples(q, xp)) / 3,
        breaking=lambda q, xp: q[0] + q[1] * q[1] / 4,
        samples=samples,
        box=((0.75, 1.25), (0.75, 1.25)),
        pace=1 / 16,
        kinks=(lambda q, xp: [q[0] * q[1]]) if name == "step" else None,
        metric=Metric(DIAGONAL, entries=entries),
    )


def test_each_operation_of_the_case_language_has_a_loss_a_bound_and_a_variance():
    assert set(LOSSES) == set(IN_A_LOSS)
    for name in LOSSES:
        assert name in {op.name for op in trace.gradient(operation(name)).ops}, name


@pytest.mark.parametrize("name", LOSSES)
def test_an_operation_goes_through_every_law_of_recovery(name):
    case, asked = operation(name), {}
    found = [c for c in cells((case,), "quick", 0, "numpy") if c.law in ("E2", "E3")]
    found += [LaunchCell(case, "heavy-ball", "float64", "numpy", "response", ("E1",), 31, 0)]
    records = [r for c in found for r in (run_cell(c) if hasattr(c, "part") else c.run())]
    records += [r for c in minibatch.cells((case,)) for r in minibatch.run_cell(c)]
    for r in records:
        if r.fault is None:
            assert r.verdict != VIOLATED, r.reason
            asked.setdefault(r.law, set()).add(r.verdict)
    assert set(asked) == {"E1", "E2", "E3", "D9"} and all(
        "holds" in verdicts for verdicts in asked.values()
    ), asked


def test_a_step_function_scatters_nothing_and_passes_nothing_on():
    kinked = replace(operation("step"), samples=None, metric=Metric())
    q = np.array([[0.9, -0.9], [1.1, 1.1]])
    program = trace.gradient(kinked)
    found = rounding.gradient_scatter(program, parse("float64"), q, np.zeros(2), np.ones_like(q))
    assert found.variance[0] > 0 and found.variance[1] == 0  # beyond the kink the loss is flat


def test_a_response_is_resolved_over_as_many_decades_less_as_its_steps_are_smaller():
    """A loss a hundred times as stiff has steps 1/64 as large, and its responses are: not undecided for
    that."""
    from noether.laws.exact.breaking import judge_response

    stiff = plainest.case(
        "stiff",
        loss=lambda q, xp: 50 * (q[0] * q[1] - 1) * (q[0] * q[1] - 1),
        breaking=lambda q, xp: q[0] + q[1] * q[1] / 4,
    )
    for seed in (6, 10):
        cell = LaunchCell(stiff, "heavy-ball", "float64", "numpy", "response", ("E1",), 61, seed)
        assert [r.verdict for r in judge_response(cell) if r.fault is None] == ["holds"]
