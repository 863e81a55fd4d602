"""A cell of the normalisation laws, and the one subject that is no loss: a tangential force."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness import orders
from harness.continuous_records import order_record
from harness.orders import Order
from harness.verdicts import Record

U = 2.0**-53


@dataclass(frozen=True)
class Subject:
    """What a record calls its case where the force is of no loss in the catalogue."""

    name: str


TANGENTIAL = Subject("tangential-force")


@dataclass(frozen=True)
class Cell:
    """One part of one law. case: of the catalogue, or TANGENTIAL; asked: the case by which it is reached."""

    law: str
    case: object
    part: str
    profile: str
    seed: int
    backend: str
    rule: str = "heavy-ball"
    asked: str = "rayleigh"

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.part}"

    @property
    def replay(self) -> str:
        return f"noether verify {self.asked} --law {self.law} --profile {'quick' if self.profile == 'glance' else self.profile} --seed {self.seed}"

    @property
    def quick(self) -> bool:
        return self.profile in ("glance", "quick")


def order(cell: Cell, errors, noise, stated: int, about: dict, note: str, *, x, steps: int, control: str | None = None, xlabel: str = "eta k") -> Record:
    """errors over halved x, judged against the stated order (theory.md section 5)."""
    found: Order = orders.decide(errors, noise)
    data = {"plot": "loglog", "x": [float(v) for v in x], "series": {"measured": [float(abs(v)) for v in errors]}, "xlabel": xlabel,
            "ylabel": "relative deviation", "xscale": "log", "yscale": "log", "caption": f"{note}: the deviation is of order {stated}.",
            "window": [float(min(x)), float(max(x))]}  # fmt: skip
    return order_record(cell, None, found, stated, {**about, "p": list(found.orders)}, data, control=control, steps=steps, backend=cell.backend, note=note)


def rms(deviations: np.ndarray) -> np.ndarray:
    """Over the first axis, so that a change of sign at one time decides nothing."""
    return np.sqrt(np.mean(np.asarray(deviations) ** 2, axis=0))
