"""The discrete rows of the map: does a rule commute with a symmetry of the loss that has no generator?

    run(P q_0) = P run(q_0)                                                                      (1)

each run along the gradients that it meets itself. Where each parameter goes its own way every bit must agree,
in all steps: P only moves numbers and changes signs, and so it does in the gradient of these losses, whose
sums have two terms that change places. Elsewhere, as under a norm, one step must agree within the running
errors of both sides. A rule that needs q > 0 has no changes of sign.

    permutation   the two hidden units of U V^T change places
    sign flip     all weights of one hidden unit change their signs
    exchange      two parameters of a function of |q| change places
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.turns import Turn, by_components, made
from noether.kernels.programs import trace
from noether.laws.covariance.turned import Given, absolute, step_bound, turned
from noether.laws.map import measuring, stepping
from noether.laws.map.charges import U
from noether.laws.map.measuring import Finding
from noether.laws.map.scenes import STARTS, Scene, start
from noether.laws.map.stepping import FLOAT64, Run
from noether.laws.map.table import EXACT, NO_CHARGE, Entry
from noether.mechanics.bounds import program_error

STEPS = 8
CLEAR = 2.0**10
"""Bounds that a run must be off, or it is not told to be another."""
MOVED = CLEAR * STEPS * 2 * U
"""Of |q_0|, how far a run must move that is compared number by number: clear of what its steps round, each of
which stores q' and a move no longer than q'."""


def exchanged(*pairs: tuple[int, int]) -> dict:
    return {k: {other: 1} for i, j in pairs for k, other in ((i, j), (j, i))}


TURNS = {
    "permutation": made("two hidden units exchanged", 8, exchanged((0, 1), (2, 3), (4, 5), (6, 7))),
    "sign flip": made("signs of a hidden unit", 8, {i: {i: -1} for i in (0, 2, 4, 6)}),
    "exchange": made("two parameters exchanged", 4, exchanged((0, 1))),
}
HALF = made("hidden units exchanged in U alone", 8, exchanged((0, 1), (2, 3)))
"""No symmetry of U V^T: a near miss."""


def runs_of(scene: Scene, turn: Turn, seed: int) -> tuple[dict[str, Run], dict[str, Run]]:
    """Every column from some starts, and from the same starts turned; the second without those that need q
    > 0 where that is lost."""
    q0, w = start(scene, seed)
    h, counts = np.full(STARTS, scene.final / STEPS), np.full(STARTS, STEPS)
    there = turned(turn, q0)
    columns = list(stepping.STEPPED.values())
    kept = [c for c in columns if (there > 0).all() or not positive(c)]
    own = stepping.run(scene.case, columns, q0, w, h, counts)
    return own, stepping.run(scene.case, kept, there, turned(turn, w), h, counts)


def positive(column: stepping.Column) -> bool:
    """Whether a column needs positive parameters: it stores log q, or its metric is 1/q."""
    return column.rule is not None and (column.rule.log_state or column.rule.on_metric)


def found(scene: Scene, turn: Turn, column: str, runs: tuple[dict, dict]) -> Finding:
    """Whether (1) holds for a column of these runs."""
    own, other = (x.get("gradient descent" if column == "gradient flow" else column) for x in runs)
    moved = float(own.path.min())
    if column == "gradient flow":
        return judged(*flows(scene, turn, own.q[0]), moved, "at the end of the flow")
    if other is None:
        least = float(turned(turn, own.q[0]).min())
        text = f"the least parameter would be {least:.3g}, and must be positive"
        return Finding(NO_CHARGE, least, least, 0.0, -least, 0.0, text, moved)
    if by_components(own.column.rule, len(own.q[0])):
        return in_bits(turn, own, other, moved)
    return judged(*one_step(turn, own, other), moved, "after one step")


def against(found: Finding, claim: Entry) -> Finding:
    """What was found, with what it spends of a claim: that a run does not commute holds where it is CLEAR of
    its bounds off, and that no run is possible where none was."""
    if NO_CHARGE in (found.label, claim.label):
        return found if found.label == claim.label else replace(found, spent=np.inf)
    return (
        found
        if claim.label == EXACT
        else replace(found, spent=CLEAR / found.spent if found.spent else np.inf)
    )


def in_bits(turn: Turn, own: Run, other: Run, moved: float) -> Finding:
    """Every number of every step."""
    right = np.stack([turned(turn, z) for z in own.z])
    wrong = int((other.z != right).sum())
    text = f"{wrong} of {right.size} values differ in any bit, over {STEPS} steps"
    value = float(np.abs(other.q[-1] - np.stack(turn.of(list(own.q[-1])))).max())
    spent = np.inf if wrong else 0.0
    label = EXACT if not wrong else "order 0"
    return Finding(label, value, float(wrong), 0.0, 0.0, spent, text, moved, needed=MOVED)


def judged(measured, predicted, bound, moved: float, when: str) -> Finding:
    """Numbers (d, lanes) within their bounds, or far outside."""
    worst = measuring.worst(measured, predicted, bound)
    off = float(np.abs(measured - predicted).max())
    label = EXACT if worst.spent <= 1 else "order 0" if worst.spent > CLEAR else "undecided"
    text = f"off by {off:.2g} {when}, {worst.spent:.2g} of its rounding bound"
    numbers = worst.measured, worst.predicted, worst.bound, worst.spent
    return Finding(label, off, *numbers, text, moved, needed=MOVED)


def one_step(turn: Turn, own: Run, other: Run) -> tuple:
    """q' of the turned run, T q', and how far they may be apart."""
    bounds = [bound_of(x) for x in (other, own)]
    after = turned(turn, own.z[1])
    return other.z[1], after, bounds[0] + turned(absolute(turn), bounds[1]) + 2 * U * np.abs(after)


def bound_of(run: Run) -> np.ndarray:
    """What the first step of a run rounds, its gradient included; (d, lanes)."""
    rule, q, d = run.column.rule, run.q[0], len(run.q[0])
    eps = 0 * run.eta
    error = program_error(trace.gradient(run.case), q, 0 * q, eps, FLOAT64)[1]
    known = rule.known_numbers(run.params[:, :1], 1)[0]
    params = np.concatenate([run.params, np.broadcast_to(known, (len(known), q.shape[1]))])
    v = np.concatenate([run.v[0], np.zeros(((len(rule.buffers) - 1) * d, q.shape[1]))])
    return step_bound(rule, Given(q, v, run.g[0], params, q[:0], 0 * q, error), FLOAT64)


def flows(scene: Scene, turn: Turn, q0: np.ndarray) -> tuple:
    """The ends of two flows, one turned before and one after, and their errors."""
    both = np.concatenate([q0, turned(turn, q0)], axis=1)
    q, error = (x[: len(q0)] for x in measuring.flowed(scene, both))
    (here, there), (of_here, of_there) = np.split(q, 2, axis=1), np.split(error, 2, axis=1)
    return there, turned(turn, here), of_there + turned(absolute(turn), of_here)
