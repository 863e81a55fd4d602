"""N5 to N9: laws of normalised filters and of charges, in networks that are trained on real data.

They are about no case: `noether verify networks` asks for them alone. Nothing here loads torch before a cell
runs.

digits      the networks, their data and their training;  ensemble  many at once, and sums over a window
rounding    what a step of torch's SGD may round;  recursions  what a step makes of a charge
norms, equilibrium  N5;  scales, curves  N6;  growing_rate  N7;  charges  N8;  memory  N9
redone      a step done again at another scale;  known_gradient  the gradient in wide arithmetic
evidence    how numbers become records;  faults  what each law must kill
"""

from __future__ import annotations

from dataclasses import dataclass

from noether.kernels.loops import launch
from noether.laws.cell import LawCell, Subject
from noether.laws.networks.trained_cells import TrainedCell, trainings
from noether.system.machine import remedy
from noether.verdicts.record import Record

DIGITS = Subject("digits-network")
PARTS = (
    ("N5", "steps", "heavy-ball", ("float64",)),
    ("N5", "equilibrium", "heavy-ball", ("float64",)),
    ("N6", "bits", "heavy-ball", ("float64", "float32")),
    ("N6", "ten", "heavy-ball", ("float64",)),
    ("N7", "rate", "heavy-ball", ("float64",)),
    ("N8", "steps", "heavy-ball", ("float64",)),
    ("N8", "printed", "gradient-descent", ("float64",)),
    ("N9", "steps", "gradient-descent", ("float64",)),
    ("N9", "twin", "heavy-ball", ("float64",)),
)
"""Law, what is measured of it, rule and precisions; `work_of` has the functions."""


@dataclass(frozen=True)
class Cell(LawCell):
    """One part of one law."""

    law: str
    part: str
    profile: str
    seed: int
    rule: str = "heavy-ball"
    precision: str = "float64"
    case: object = DIGITS
    backend = "torch"
    words = "networks"

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.part}/{self.precision}"

    @property
    def quick(self) -> bool:
        return self.profile == "quick"


def not_here() -> str:
    """Why no network can be trained here, or ''."""
    needed = (("torch", "torch"), ("scikit-learn", "sklearn"))
    lacking = [name for name, package in needed if not launch.installed(package)]
    if not lacking:
        return ""
    return f"{' and '.join(lacking)} not installed: {remedy('scikit-learn')}"


def cells(cases=(), profile: str = "quick", seed: int = 0, backend: str = "torch") -> list:
    """None where torch or scikit-learn is missing. No case leads here: `cases` and `backend` are not read."""
    if not_here():
        return []
    mine = [
        Cell(law, part, profile, seed, rule, precision)
        for law, part, rule, precisions in PARTS
        for precision in precisions
    ]
    return [*trainings(profile, seed), *mine]


def run_cell(cell: Cell | TrainedCell) -> list[Record]:
    """The records of a cell, with one thread: sums in one order, and none that waits for another."""
    from noether.networks.network import one_thread

    with one_thread():
        return cell.records() if isinstance(cell, TrainedCell) else work_of()[cell.law, cell.part](cell)


def work_of() -> dict:
    """(law, part) -> the function that finds its records. Loads torch."""
    from noether.laws.networks import charges, equilibrium, growing_rate, memory, norms, scales

    return {
        ("N5", "steps"): norms.step_by_step,
        ("N5", "equilibrium"): equilibrium.equilibrium,
        ("N6", "bits"): scales.powers_of_two,
        ("N6", "ten"): scales.times_ten,
        ("N7", "rate"): growing_rate.growing_rate,
        ("N8", "steps"): charges.step_by_step,
        ("N8", "printed"): charges.printed_curves,
        ("N9", "steps"): memory.memory,
        ("N9", "twin"): memory.twin,
    }
