"""What is solved: the equations of motion of a case and the integrals of its charges, from t = 0 to `time`.

The state y (n, lanes) is that of harness/mechanics/flow.py: 2d coordinates, then the damped integrals of the
sources, their copies with detuned friction, and the undamped power. Every tool gets the same expressions
(symbolic_mechanics.Mechanics.integrals) and must give y at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from noether.cases import CATALOG, Case
from noether.laws.continuous import starts
from noether.laws.continuous.settings import HEAVY
from noether.mechanics import flow
from noether.mechanics.flow_trajectory import Parameters
from noether.mechanics.symbolic_mechanics import Mechanics, mechanics

ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")}
"""Of tools that call numpy's linear algebra, as workers of the harness have it: two threads on one processor
wait for each other by spinning, and DOP853 of 1024 lanes took twelve times as long."""
CASES = ("rayleigh", "softmax", "mexican-hat", "linear-network")


@dataclass(frozen=True)
class Problem:
    """One work; small, so that every tool's process draws the same lanes from it.

    time  the end, in units of the equations
    flaw  what the mass is too large by, relatively: 0 except where a wrong tool is planted
    """

    case: str
    lanes: int
    time: float = flow.FINAL
    seed: int = 0
    flaw: float = 0.0

    def __getstate__(self) -> dict:
        """What is sent to another process: the fields, not what is compiled from them."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def label(self) -> str:
        """The work in a line."""
        return f"{self.case} ode {self.lanes} to {self.time:g}"

    @cached_property
    def subject(self) -> Case:
        """The case."""
        return next(c for c in CATALOG if c.name == self.case)

    @cached_property
    def mechanics(self) -> Mechanics:
        """The equations, compiled."""
        return mechanics(self.subject)

    @cached_property
    def drawn(self) -> tuple[np.ndarray, Parameters]:
        """The starts x_0 (2d, lanes) and the parameters, each (lanes,); every lane has its own.

        Lanes that a rough solution brings near a point without a derivative are drawn again.
        """
        rng, kept = np.random.default_rng(self.seed), 0
        parts: list[tuple[np.ndarray, Parameters]] = []
        while kept < self.lanes:
            q, velocity = starts.drawn(rng, self.mechanics, self.lanes)
            low_high = ((HEAVY, 1.5), (0.8, 1.3), (0.0, 0.2), (0.0, 0.0), (0.0, 0.07))
            parameters = Parameters(*(rng.uniform(*ends, self.lanes) for ends in low_high))
            x0 = flow.start(self.mechanics, q, velocity, parameters)
            good = ~starts.lost(self.mechanics, x0, parameters, self.time)
            if not good.any():
                raise ValueError(f"case {self.case}: every lane comes near a point without a derivative")
            parts.append((x0[:, good], parameters.of(good)))
            kept += int(good.sum())
        x0 = np.concatenate([x for x, _ in parts], axis=1)[:, : self.lanes]
        columns = zip(*(p.values for _, p in parts), strict=True)
        m, *others = (np.concatenate(c)[: self.lanes] for c in columns)
        return x0, Parameters(m, *others)

    @property
    def x0(self) -> np.ndarray:
        """The starts of the coordinates, (2d, lanes)."""
        return self.drawn[0]

    @property
    def parameters(self) -> Parameters:
        """The parameters; with a flaw the mass is wrong, which the start does not know."""
        p = self.drawn[1]
        return Parameters(p.m * (1 + self.flaw), *p.values[1:])

    @property
    def y0(self) -> np.ndarray:
        """The starts of the whole state, (n, lanes)."""
        return np.concatenate([self.x0, flow.initial_integrals(self.mechanics, self.x0, self.drawn[1])])

    @property
    def size(self) -> int:
        """How many equations a lane has."""
        return len(self.mechanics.integrals[1])

    @property
    def expressions(self) -> tuple[tuple, tuple, tuple]:
        """Symbols of the state, their rates, and symbols of the parameters m, mu, eps, kappa, k."""
        arguments, rates = self.mechanics.integrals
        return tuple(arguments[: self.size]), tuple(rates), tuple(arguments[self.size :])
