"""Models with named coefficients and no fast rate, many in one batch, and the claims about them.

A kind of model says how its coefficients make rates; a model is a kind with its coefficients. Each of them is
a symbol of the statement, and is perturbed in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from noether.laws.orders.claims import NUDGE, Claim, Solution, ended, judged
from noether.laws.orders.runs import Cell, Fan, U
from noether.mechanics.collocation import march, settled
from noether.verdicts.record import Record

PIECES, MOST, ENOUGH, GRADED = 8, 64, 2.0**-42, 2
"""Steps of a reference, at the squares of even times, for memories begin at the start; and how many they may
be doubled to while the distance of its two orders, which is part of its error, exceeds ENOUGH of q."""


def shaped(x: np.ndarray, *coefficients: np.ndarray) -> list[np.ndarray]:
    """Coefficients (d, lanes) beside the rows of a state x (n, ..., lanes): (d, 1, ..., lanes) each."""
    return [c.reshape(len(c), *(1,) * (x.ndim - 2), -1) for c in coefficients]


@dataclass(frozen=True)
class Kind:
    """A family of models of q (d, lanes), with coefficients c by name, (lanes,) or (d, lanes) each.

    start   start(g, c, q0) -> x (n, lanes), whose first d rows are q
    rates   rates(g, c) -> the rates of x
    final   final(c) -> the time (lanes,) at which q is looked at; x starts at 0
    """

    start: Callable
    rates: Callable
    final: Callable


@dataclass(frozen=True, eq=False)
class Model:
    """A kind with its coefficients, numbers or arrays that broadcast to (d, starts, sizes).

    asked  the coefficients whose power is asked for
    """

    kind: Kind
    coefficients: dict[str, Any]
    asked: tuple[str, ...] = ()

    def changed(self, **by) -> Model:
        """With these coefficients for its own, and none asked for."""
        return Model(self.kind, self.coefficients | by)

    def nudged(self, name: str) -> Model:
        """With one coefficient NUDGE larger."""
        return self.changed(**{name: self.coefficients[name] * (1 + NUDGE)})


@dataclass(frozen=True, eq=False)
class Grid:
    """Where models are solved: the gradient g(q), q0 (d, starts) and the step sizes (sizes,)."""

    g: Callable
    q0: np.ndarray
    sizes: np.ndarray
    shape: tuple = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "shape", (*self.q0.shape, len(self.sizes)))

    def side_by_side(self, models: list[Model]) -> tuple[Fan, SimpleNamespace]:
        """Models of one kind as lanes, and their coefficients there."""
        fan = Fan(self.q0, self.sizes, len(models))
        lanes = lambda name: np.stack([np.broadcast_to(m.coefficients[name], self.shape) for m in models], 1)
        return fan, SimpleNamespace(**{n: lanes(n).reshape(len(self.q0), -1) for n in models[0].coefficients})

    def ends(self, models: list[Model], stages: int = 8, pieces: int = PIECES) -> np.ndarray:
        """q at the final time of models of one kind, (models, d, starts, sizes)."""
        fan, c = self.side_by_side(models)
        kind = models[0].kind
        x0, none = kind.start(self.g, c, fan.q), np.zeros((0, fan.q.shape[1]))
        times = np.linspace(0, 1, pieces + 1)[:, None] ** GRADED * kind.final(c)
        rates = kind.rates(self.g, c)
        x = march(rates, lambda X: X[:0], x0, none, none, times, stages, settle=settled)[0][-1]
        return fan.apart(x[: len(self.q0)])

    def solutions(self, models: list[Model]) -> list[Solution]:
        """Of models of any kinds; the error is the distance of orders 15 and 13, and the rounding of the
        steps."""
        out = {}
        for kind in dict.fromkeys(m.kind for m in models):
            mine = [m for m in models if m.kind is kind]
            solved = self.refined(mine)
            out |= {id(m): Solution(x, e) for m, x, e in zip(mine, *solved, strict=True)}
        return [out[id(m)] for m in models]

    def refined(self, models: list[Model]) -> tuple[np.ndarray, np.ndarray]:
        """`ends` and their errors, (models, starts, sizes)."""
        pieces = PIECES
        while True:
            fine, coarse = (self.ends(models, stages, pieces) for stages in (8, 7))
            size, apart = (np.linalg.norm(x, axis=1) for x in (fine, fine - coarse))
            if pieces >= MOST or np.all(apart <= ENOUGH * size):
                return fine, apart + U * (pieces + 1) * size
            pieces *= 2

    def responses(self, model: Model) -> dict[str, np.ndarray]:
        """{coefficient: d (run - model) / d ln coefficient}, by differences of rough solutions."""
        if not model.asked:
            return {}
        plain, *moved = self.ends([model, *map(model.nudged, model.asked)], 3)
        return {name: (plain - x) / NUDGE for name, x in zip(model.asked, moved, strict=True)}


def judge_models(
    cell: Cell, grid: Grid, claims: list[Claim], at: str = "", *, counts: np.ndarray, **how
) -> list[Record]:
    """The records of a table against Models, in which a run is where it ended, (d, starts, sizes).

    counts  (sizes,) of steps;  how: as of `judged`
    """
    distinct = list({id(c.model): c.model for c in claims}.values())
    found = dict(zip(map(id, distinct), grid.solutions(distinct), strict=True))
    out = []
    for claim in claims:
        felt = grid.responses(claim.model) if claim.order else {}
        out.append(replace(claim, run=ended(claim.run), model=found[id(claim.model)], responses=felt))
    how |= dict(sequence="order limit fault constant", rounded=counts, steps=int(counts[-1]))
    return judged(cell, out, at, graded=True, **how)
