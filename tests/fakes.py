"""A plan whose cells are made of nothing: for tests of what stands around the cells.

`python -c "import fakes; fakes.main()" verify ...` is the command line over this plan; FAKE names what goes
wrong.
"""

import os
import sys
import time
import types
from dataclasses import dataclass

from noether.kernels.loops.launch import BackendMissing
from noether.system.seeds import derive
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record

INFINITE = float("inf")
RESPONSE = {
    "plot": "response",
    "x": [1e-3, 1e-2],
    "series": {"measured": [1e-3, 2e-2], "predicted": [1e-3, 2e-2]},
    "xlabel": "eps",
    "ylabel": "R",
}


@dataclass(frozen=True)
class Law:
    key: str
    title: str = "a fake law"
    equation: str = r"0 < \eta"
    adds: str = ""
    primes: str = ""
    statement: str = "0 < 1 & 1 = 1"
    anchor: str = "theory.md#D2"
    kind: str = "rounding"
    blind: tuple = ("everything else",)
    must_kill: tuple = ("no-op kernel",)
    applies: str = "heavy ball"
    promised: tuple = ()
    everywhere: tuple = ()


@dataclass(frozen=True)
class Cell:
    """wrong: violated | inconclusive | outside | survivor | raises | slow | stuck | interrupted | nan, or
    nothing."""

    name: str
    law: str
    about: str
    rule: str
    precision: str
    seed: int
    wrong: str = ""
    backend: str = "numpy"

    @property
    def laws(self):
        return (self.law,)

    @property
    def case(self):
        return types.SimpleNamespace(name=self.about)

    def run(self):
        if self.wrong == "raises":
            raise ZeroDivisionError("planted in a cell")
        if self.wrong == "interrupted":
            raise KeyboardInterrupt
        if self.wrong == "slow":
            time.sleep(0.25)
        if self.wrong == "stuck":
            time.sleep(300)
        return [self.right(derive(self.seed, self.name) / 2**63), self.planted()]

    def record(self, **found):
        about = dict(law=self.law, case=self.about, rule=self.rule, backend=self.backend)
        about |= dict(precision=self.precision, lanes=4, steps=8, symmetry="scale")
        return Record(**about, parameters={"eta": [0.125, 0.25]}, predicted=1.0, **found)

    def right(self, value):
        """What the law says of its right trajectory; value: from 0 to 1, of the seed."""
        found = {
            "violated": (7.5, VIOLATED),
            "nan": (float("nan"), VIOLATED),
            "inconclusive": (value, INCONCLUSIVE),
            "outside": (None, OUTSIDE),
        }
        spent, verdict = found.get(self.wrong, (value, HOLDS))
        worst = {"lane": 0, "step": 1, "component": None, "start": [value.hex()]}
        replay, reason = f"noether replay RUN --cell {self.name}", "lane 0 <moves> & more"
        told = dict(reason=reason, worst=worst, replay=replay, data=RESPONSE)
        return self.record(measured=1.0 + value, bound=1.0, spent=spent, verdict=verdict, **told)

    def planted(self):
        """What it says of the fault that was planted."""
        spent, verdict = (0.5, HOLDS) if self.wrong == "survivor" else (INFINITE, VIOLATED)
        found = dict(spent=spent, verdict=verdict, reason="killed", fault="no-op kernel")
        return self.record(measured=INFINITE, bound=0.0, **found)


class Plan(types.ModuleType):
    """Three laws on the chosen cases, rules and precisions; `wrong` maps a law, or a cell, to what goes
    wrong there."""

    LAWS = {k: Law(k) for k in ("D0", "D2", "O3")}
    RULES = ("gradient-descent", "heavy-ball", "heavy-ball-decoupled", "mirror-descent")
    PRECISIONS = ("float64", "float32", "float16", "bfloat16")
    MODULES = ()

    def __init__(self, name):
        super().__init__(name)
        self.wrong = {}
        self.made = []

    def backend_of(self, name):
        if name == "triton-gpu":
            raise BackendMissing("backend triton-gpu is not here: torch sees no GPU")
        return "numpy" if name == "auto" else name

    def not_here(self, law):
        return ""

    def slower(self, name):
        return ""

    def cells(self, selection):
        self.made.append(selection)
        return [
            self.cell(law, case.name, precision, selection.seed)
            for law in selection.laws
            for case in selection.cases
            for precision in selection.precisions
            if law != "O3" or precision == "float64"
        ]

    def cell(self, law, case, precision, seed):
        name = f"{law}/{case}/{precision}"
        return Cell(
            name, law, case, "heavy-ball", precision, seed, self.wrong.get(name, self.wrong.get(law, ""))
        )


def main():
    import noether.plan
    from noether.__main__ import main as command

    plan = Plan("noether.plan.design")
    plan.wrong = dict(x.split("=") for x in os.environ.get("FAKE", "").split(",") if x)
    sys.modules["noether.plan.design"] = noether.plan.design = plan
    command()
