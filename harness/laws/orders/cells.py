"""The orders of discrete updates against their continuous models: O1 to O15 (theory.md section 5).

Each at one fixed time past the layer, eta = 2^-j one lane each; the updates are
kernels/programs/numpy_step.py in float64 where it has the rule, else a plain loop. References are Radau IIA
collocations of order 15, known to within their distance from order 13. A quick run looks at the case with the
shortest gradient, a full one at all core cases for the models that others are variants of. Beside the core,
where a full run is as deep as a quick one, two metrics are looked at.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases import CORE
from noether.cases.case import BREGMAN, DIAGONAL, EUCLIDEAN
from noether.kernels.programs.trace import gradient
from noether.laws.law import Law
from noether.laws.orders import (
    accelerated,
    adagrad,
    adam,
    bregman,
    charges,
    crossover,
    curved,
    curved_momentum,
    decay,
    descent,
    momentum,
    options,
    overdamped,
    quasi_hyperbolic,
    schedule,
    sign,
    units,
)
from noether.laws.orders.runs import SHORT, WIDE, Cell
from noether.laws.orders.smooth import loses_derivatives
from noether.mechanics.symbolic_metric import bends, is_entropy
from noether.mechanics.symmetry_proof import proven
from noether.verdicts.claims import beyond, undecided
from noether.verdicts.record import INCONCLUSIVE, VIOLATED, Record

SUBJECTS = {
    ("O1", "gradient-descent", ""): descent.flow_orders,
    ("O2", "gradient-descent", ""): descent.second_order_model,
    ("O3", "heavy-ball", ""): momentum.heavy_ball_orders,
    ("O3", "heavy-ball", "layer"): momentum.layer_orders,
    ("O3", "heavy-ball", "flow"): momentum.flow_limits,
    ("O4", "heavy-ball", ""): decay.charge_decay,
    ("O5", "heavy-ball", ""): charges.charge_orders,
    ("O5", "gradient-descent", "drift"): descent.charge_drift,
    ("O6", "heavy-ball-decoupled", ""): options.decoupled_orders,
    ("O7", "nesterov", ""): options.nesterov_orders,
    ("O7", "heavy-ball-dampened", ""): options.dampened_orders,
    ("O7", "heavy-ball-scheduled", ""): schedule.schedule_orders,
    ("O8", "curved", "pairs"): curved.pairs,
    ("O8", "bregman-lagrangian", "conserved"): bregman.conserved,
    ("O8", "heavy-ball-metric", ""): curved_momentum.heavy_ball_on_metric,
    ("O8", "exponentiated-gradient", ""): bregman.simplex,
    ("O8", "sign-descent", ""): sign.until_a_sign_changes,
    ("O9", "lagrangian", ""): overdamped.overdamped,
    ("O10", "adam", ""): adam.horizon_orders,
    ("O10", "adamw", ""): adam.horizon_orders,
    ("O11", "adam", ""): adam.step_orders,
    ("O12", "adagrad", ""): adagrad.squares_orders,
    ("O12", "rmsprop", ""): adagrad.squares_orders,
    ("O13", "nesterov-increasing", ""): accelerated.increasing_orders,
    ("O14", "qhm", ""): quasi_hyperbolic.quasi_hyperbolic_orders,
    ("O15", "adam", ""): crossover.crossover_orders,
}
"""What is measured: (law, rule, part) -> records of a cell."""


def covers(law: str, rule: str, part: str, case) -> bool:
    """The metric of a diagonal case plays no part in gradient descent, which is Euclidean."""
    if law == "O9":
        return True
    if law == "O8" and rule != "sign-descent":
        return curved_covers(rule, case)
    descent = law == "O1" or part == "drift"
    kinds = (EUCLIDEAN, DIAGONAL) if descent else (EUCLIDEAN,)
    if law == "O4" and not decay.killing(case):
        return False
    if part == "drift" and not any(s.is_symmetric for s in case.symmetries):
        return False
    if (law == "O1" or part == "flow") and gradient(case).length > SHORT:
        return False
    return case.metric.kind in kinds


FULL = {"conserved"}
"""Parts that a quick run leaves out: exponentials of a metric over those of a loss."""


def curved_covers(rule: str, case) -> bool:
    """The simplex needs an entropy; what the Bregman Lagrangian keeps a translation, of any loss: its metric
    is replaced."""
    if rule == "bregman-lagrangian":
        return case.metric.kind == EUCLIDEAN and any(s.is_translation for s in case.symmetries)
    return is_entropy(case) if rule == "exponentiated-gradient" else bends(case)


def why_not(law: Law, case) -> str:
    """Why a law of orders has no cell on a case, "" where it has one."""
    mine = [(rule, part) for of, rule, part in SUBJECTS if of == law.key]
    if any(covers(law.key, rule, part, case) for rule, part in mine):
        return ""
    count = gradient(case).length
    if law.key == "O1" and count > SHORT:
        return f"its gradient has {count} operations, and third derivatives are taken up to {SHORT}"
    return f"it has none of {law.applies}"


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    """Every subject on the cases that it covers, on how many `breadth` says; Bregman metrics first, then
    short gradients."""
    out = []
    for law, rule, part in SUBJECTS if profile != "glance" else ():
        if profile == "quick" and part in FULL:
            continue
        mine = [c for c in cases if covers(law, rule, part, c)]
        if profile == "quick" or (law, part) not in WIDE:
            shortest = lambda c, law=law: (law == "O8" and c.metric.kind != BREGMAN, gradient(c).length)
            mine = sorted(mine, key=shortest)[: breadth(rule, cases, profile)]
        out += [Cell(law, case, rule, profile, seed, part) for case in mine]
    return out


def breadth(rule: str, cases, profile: str) -> int:
    """On how many cases a subject is looked at that is not looked at on all: metrics differ most."""
    return 2 if rule == "curved" and (profile != "quick" or not any(c in CORE for c in cases)) else 1


DERIVATIVES = "an order is a statement about derivatives"
PAST_THE_EDGE = "the loss has no finite curvature on its box: every step size is past the stability edge"
NOTHING = (
    "what the statement speaks of is zero or the same everywhere on this case: there is no order to measure"
)


def run_cell(cell: Cell) -> list[Record]:
    proven(cell.case)
    outside = lambda told: [beyond(cell, told, backend="numpy")]
    if cell.case.kinks:
        return outside(f"the loss has kinks: {DERIVATIVES}")
    if not np.isfinite(units.largest(cell.case)):
        return outside(PAST_THE_EDGE)
    out = measured(cell)
    if any(r.verdict in (INCONCLUSIVE, VIOLATED) for r in out if not r.fault) and loses_derivatives(cell):
        return outside(f"the flow of the loss comes to a point where it has no derivative: {DERIVATIVES}")
    for shift in SHIFTS:
        if open_in(out):
            other = measured(replace(cell, shift=shift))
            out = other if not violated(other) and open_in(other) < open_in(out) else out
    return out or outside(NOTHING)


SHIFTS = (-2, 2)
"""Of step sizes, where the usual ones leave something undecided: smaller ones, where an order is not reached
yet, and larger ones, where rounding hides it."""


def measured(cell: Cell) -> list[Record]:
    """The records of a cell at its step sizes."""
    try:
        return SUBJECTS[cell.law, cell.rule, cell.part](cell)
    except FloatingPointError as error:
        return [undecided(cell, str(error), backend="numpy")]


def violated(records: list[Record]) -> bool:
    """Whether something of what is right is violated. At the usual step sizes that stands; at others it
    decides nothing, for whoever asks often enough is told so of a right case."""
    return any(r.verdict == VIOLATED for r in records if not r.fault)


def open_in(records: list[Record]) -> int:
    """How much of what is right is undecided; nothing where something is violated."""
    return 0 if violated(records) else sum(r.verdict == INCONCLUSIVE for r in records if not r.fault)
