"""A cell of the normalisation laws, and the one subject that is no loss: a tangential force."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.cases import CORE
from noether.cases.case import EUCLIDEAN
from noether.laws.cell import LawCell, Subject
from noether.verdicts import judgement, orders
from noether.verdicts.claims import facts, order_record
from noether.verdicts.figures import Loglog
from noether.verdicts.orders import Order
from noether.verdicts.powers import powers_of
from noether.verdicts.record import Record

U = 2.0**-53
K, G, MILD, BETA = 0.14, 1.3, 0.61, 0.9
"""k, |ghat| and two beta of the cells under a tangential force; the published figures are read at .9."""
SETTINGS = {"quick": ((0.43, 9), (MILD, 10)), "full": ((0.43, 10), (MILD, 11), (BETA, 14))}
"""beta of white noise and the exponent of eta k = 2^-exponent: what the orders after the first may add is
below .2 %.

Two at least, of which each has its own lanes: of one mean nobody can say whether its bar is too wide.
"""


def own(exponent: int, many: int) -> np.ndarray:
    """Numbers of `many` lanes of a setting: no two settings draw the same noise."""
    return (exponent << 20) + np.arange(many)


TANGENTIAL = Subject("tangential-force")
REACHED_BY = next(c for c in CORE if c.scale_free and c.metric.kind == EUCLIDEAN)
"""The case whose cells carry those of the tangential force."""


@dataclass(frozen=True)
class Cell(LawCell):
    """One part of one law. case: of the catalogue, or TANGENTIAL; asked: the case by which it is reached."""

    law: str
    case: object
    part: str
    profile: str
    seed: int
    backend: str
    rule: str = "heavy-ball"
    asked: str = REACHED_BY.name
    tag: str = ""
    precision = "float64"

    @property
    def name(self) -> str:
        return "/".join(x for x in (self.law, self.case.name, self.part, self.tag) if x)

    @property
    def words(self) -> str:
        return self.asked

    @property
    def quick(self) -> bool:
        return self.profile in ("glance", "quick")

    def of(self, table: dict):
        """What a table {"quick": ..., "full": ...} says of this cell."""
        return table["quick" if self.quick else "full"]


def order(
    cell: Cell,
    errors,
    noise,
    stated: int,
    about: dict,
    note: str,
    *,
    x,
    steps: int,
    fault=None,
    xlabel="eta k",
) -> Record:
    """errors over halved x, judged against the stated order (theory.md section 5)."""
    found: Order = orders.decide(errors, noise)
    figure = Loglog(
        x=x,
        series={"measured": np.abs(errors)},
        xlabel=xlabel,
        ylabel="relative deviation",
        xscale="log",
        yscale="log",
        caption=f"{note}: the deviation is of order {stated}.",
        window=(min(x), max(x)),
    )
    more = {"fault": fault, "steps": steps, "backend": cell.backend, "note": note}
    return order_record(cell, None, found, stated, {**about, "p": list(found.orders)}, figure, **more)


def within(
    cell: Cell, measured, predicted, bound, responses: dict, about: dict, note: str, *, steps: int, fault=None
) -> Record:
    """A deterministic value against its prediction, bounded by what the orders left out may add; any shape,
    the worst speaks."""
    worst = judgement.worst(measured, predicted, bound)
    everywhere, moved = np.broadcast_to(bound, np.shape(measured)), {"prediction": predicted, **responses}
    return judgement.order(
        worst,
        f"{note}: {worst.measured:.8g}, predicted {worst.predicted:.8g} within {worst.bound:.2g}",
        enough=True,  # nothing here is random, and a bound that is too wide would show in the powers
        **facts(cell, backend=cell.backend, fault=fault),
        lanes=np.size(measured),
        steps=steps,
        parameters=about,
        powers=powers_of(measured - predicted, everywhere, moved),
    )


def rms(deviations: np.ndarray) -> np.ndarray:
    """Over the first axis, so that a change of sign at one time decides nothing."""
    return np.sqrt(np.mean(np.asarray(deviations) ** 2, axis=0))


def limit(
    cell: Cell, deviations, floor, responses: dict, about: dict, note: str, *, steps: int, fault=None
) -> Record:
    """deviations (times, J) over halved x, signed: they vanish in the limit of small x. The worst time
    speaks.

    One term of order x and one of order x^2 are eliminated: t_j = 2 d_{j+1} - d_j, limit = (4 t_J -
    t_{J-1})/3. Its bound is the largest of |t_J - t_{J-1}|, of a quarter of the difference before and of a
    sixteenth of the one before that: three times the error of t_J, while the limit is better than t_J by a
    factor x. At a time where the last difference is larger than the one before it is the largest of the
    three; where that is so at most times nothing is decided. The floor of d_J comes in 11/3 times at most.
    responses: what a relative change 1 adds to 1 + d at each time.
    """
    d = np.asarray(deviations)
    t = 2 * d[:, 1:] - d[:, :-1]
    apart, rounded = abs(np.diff(t, axis=1))[:, -3:], 11 / 3 * np.max(floor)
    shrinks = apart[:, -1] <= apart[:, -2] + rounded
    at = (4 * t[:, -1] - t[:, -2]) / 3
    bound = (apart / np.where(shrinks[:, None], [16, 4, 1], 1)).max(axis=1) + rounded
    worst = judgement.worst(1 + at, 1.0, bound, spent=judgement.spent_of(at, 0.0, bound))
    shifts = {
        name: np.asarray(x)[:, -1] if np.ndim(x) == 2 else np.broadcast_to(x, at.shape)
        for name, x in responses.items()
    }
    return judgement.order(
        worst,
        f"{note}: in the limit of small steps {worst.measured:.8g}, must be 1 within {worst.bound:.2g}",
        enough=2 * shrinks.sum() > len(shrinks),
        **facts(cell, backend=cell.backend, fault=fault),
        lanes=d.shape[1],
        steps=steps,
        parameters=about,
        powers=powers_of(at, bound, {"prediction": np.ones_like(at), **shifts}),
    )
