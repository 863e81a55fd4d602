"""One flow at its output times, with what the theorem predicts for each charge."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from noether.mechanics.flow_rounding import strayed_charges, strayed_energy
from noether.mechanics.symbolic_mechanics import TOTAL, Mechanics


@dataclass(frozen=True)
class Parameters:
    """What a solution depends on besides its start, each a float or (lanes,).

    m mass, mu friction, eps breaking, kappa deformation, k decay (none where it is not said)
    """

    m: np.ndarray
    mu: np.ndarray
    eps: np.ndarray
    kappa: np.ndarray
    k: np.ndarray | None = None

    def __post_init__(self):
        if self.k is None:
            object.__setattr__(self, "k", 0 * self.m)

    @property
    def values(self) -> tuple:
        return self.m, self.mu, self.eps, self.kappa, self.k

    def of(self, lanes) -> Parameters:
        """The parameters of some lanes, by index or mask; floats for one lane."""
        return Parameters(*(p[lanes] for p in self.values))

    def about(self, lane: int) -> dict:
        """What a record says of a lane."""
        return dict(zip(("m", "mu", "eps", "kappa", "k"), (float(p[lane]) for p in self.values), strict=True))


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A solution at its output times.

    times    (n, lanes)
    x        (n, 2d, lanes)
    z        (n, k, lanes)
    j, size  (n, symmetries, lanes), the charge and sum |p_i xi_i|
    """

    mechanics: Mechanics
    parameters: Parameters
    times: np.ndarray
    x: np.ndarray
    z: np.ndarray
    j: np.ndarray = field(init=False)
    size: np.ndarray = field(init=False)

    def __post_init__(self):
        read = self.mechanics.charges
        both = read(*np.moveaxis(self.x, 1, 0), *self.parameters.values).swapaxes(0, 1)
        object.__setattr__(self, "j", both[:, : both.shape[1] // 2])
        object.__setattr__(self, "size", both[:, both.shape[1] // 2 :])

    def part(self, symmetry: int, name: str) -> np.ndarray:
        """The damped integral of one part, (n, lanes); zeros where the part is identically zero."""
        where = self.mechanics.parts[symmetry].get(name)
        return np.zeros_like(self.times) if where is None else self.z[:, where]

    def detuned(self, symmetry: int) -> np.ndarray:
        return self.z[:, self.mechanics.sources + symmetry]

    def memory(self, symmetry: int) -> np.ndarray:
        """What is left of the start, j(0) e^{-mu t / m}."""
        return self.j[0, symmetry] * np.exp(-self.parameters.mu / self.parameters.m * self.times)

    def predicted(self, symmetry: int) -> np.ndarray:
        """The prediction S of (1)."""
        return self.memory(symmetry) + sum(self.part(symmetry, name) for name in TOTAL)

    @cached_property
    def energies(self) -> np.ndarray:
        """T, f and T without its metric, (3, n, lanes), formed in longdouble so that only the state's
        rounding counts."""
        return self.mechanics.energy(
            *np.moveaxis(self.x, 1, 0).astype(np.longdouble), *self.parameters.values
        )

    @property
    def dissipated(self) -> np.ndarray:
        """The dissipated energy mu int <qdot, G qdot> dt from 0, (n, lanes)."""
        return self.parameters.mu * self.z[:, -1]

    @cached_property
    def strayed(self) -> np.ndarray:
        """How far the rounding of the rates may have driven each charge from its prediction, (symmetries, n,
        lanes)."""
        return strayed_charges(self)

    @cached_property
    def energy_strayed(self) -> np.ndarray:
        """The same of the energy and of what friction took, (n, lanes)."""
        return strayed_energy(self)

    @cached_property
    def sources(self) -> np.ndarray:
        """The source of every part at the output times, (n, k, lanes)."""
        call, d = self.mechanics.field, 2 * self.mechanics.dim
        return call(*np.moveaxis(self.x, 1, 0), *self.parameters.values)[
            d : d + self.mechanics.sources
        ].swapaxes(0, 1)

    @cached_property
    def weights(self) -> list:
        return [self.weight(i) for i in range(len(self.mechanics.parts))]

    def weight(self, symmetry: int) -> np.ndarray:
        """The weight W, (n, lanes): the damped integral of |generator| + |metric| + |potential|,
        from |j(0)|."""
        where = self.mechanics.parts[symmetry]
        names = [where[n] for n in TOTAL if n in where]
        size = np.sum(np.abs(self.sources[:, names]), axis=1)
        rate = self.parameters.mu / self.parameters.m
        out = [np.abs(self.j[0, symmetry])]
        for h, a, b in zip(np.diff(self.times, axis=0), size[:-1], size[1:], strict=True):
            kept = np.exp(-rate * h)
            out.append(kept * out[-1] + (1 - kept) / rate * (a + b) / 2)
        return np.array(out)
