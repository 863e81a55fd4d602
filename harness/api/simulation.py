"""Trajectories as arrays, with the charge of every symmetry and what the exact law predicts of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from noether import __version__
from noether.api.extras import needed
from noether.api.plots import DOTS, axes
from noether.system.outside import plural
from noether.system.usage import UsageError, brief, unknown
from noether.verdicts.judgement import spent_of

DRAWN = 6  # lanes of a plot: more would cover one another
TOLD = {
    "q": "parameters",
    "v": "buffer that is the covector of the charge, of most rules the displacement of the momentum buffer; "
    "of a solution in continuous time, velocity",
    "J": "charge <v, xi(q)>; of a solution in continuous time, J/m",
    "predicted": "charge that the law predicts from the start on",
    "bound": "largest |J - predicted| that rounding can cause if the law holds",
    "time": "time of a solution",
}


@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """Trajectories of one case under one rule: what `noether.simulate` returns.

    All arrays are float64. The first row of every array over steps is the start.

    q           (steps + 1, d, lanes), the parameters
    v           (steps + 1, d, lanes), the displacement of the momentum buffer, in units of q; the momentum
                p = G qdot under a rule on a metric, the first moment under Adam: whatever buffer is the
                covector of the charge; of a solution in continuous time the velocity qdot
    J           (steps + 1, symmetries, lanes), the charge <v, xi(q)> of each symmetry; of a solution in
                continuous time J/m. Where law D7 predicts, <log q_n - log q_{n-1}, xi(q_{n-1})>, 0 at the
                start
    predicted   (steps + 1, symmetries, lanes), what the law in `laws` predicts of J: from J at the start, the
                right side of the law put into itself step after step. NaN where no law predicts it
    bound       (steps + 1, symmetries, lanes), how far rounding alone can take J from it; inf where the law
                says nothing: where the state or the rounding of a step has no finite bound, or a charge is
                beyond float64. `notes` name lanes and steps. NaN where no law predicts the charge
    parameters  name -> (lanes,): eta, beta, k (decay), eps (breaking magnitude), kappa (deformation of the
                metric); of a solution in continuous time m (mass), mu (friction), eps, kappa, k
    symmetries  the names of the symmetries, in the order of J;  laws  the law that predicts each, '' for none
    time        (steps + 1, lanes) of a solution in continuous time, else None
    case, rule, precision, backend, seed   what was run
    notes       what should be known beside the numbers, a sentence each
    """

    case: str
    rule: str
    precision: str
    backend: str
    seed: int
    symmetries: tuple[str, ...]
    laws: tuple[str, ...]
    q: np.ndarray
    v: np.ndarray
    J: np.ndarray
    predicted: np.ndarray
    bound: np.ndarray
    parameters: dict[str, np.ndarray]
    time: np.ndarray | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def steps(self) -> int:
        """How many steps were taken; of a solution, how many intervals there are between its rows."""
        return len(self.q) - 1

    @property
    def lanes(self) -> int:
        """How many trajectories there are."""
        return self.q.shape[2]

    @property
    def spent(self) -> np.ndarray:
        """|J - predicted| in units of its bound, (steps + 1, symmetries, lanes): at most 1 where the law
        holds, infinite where a charge is not finite although its bound is, NaN where the law says nothing
        (an infinite bound) or no law predicts the charge: np.nanmax leaves these places out."""
        spent = spent_of(self.J, self.predicted, self.bound)
        return np.where(np.isfinite(self.bound), spent, np.nan)

    def most(self, i: int) -> str:
        """What the law of charge i spends at most, and of how many lanes it does not speak throughout."""
        spent, law = self.spent[:, i], self.laws[i]
        if not law:
            return "no law predicts it"
        silent = ~np.isfinite(self.bound[:, i])
        if silent[1:].all():  # of the start it says that it is itself
            return f"{law} says nothing of it"
        told, lanes = f"{law} spends {np.nanmax(spent):.3g}", int(silent.any(axis=0).sum())
        return told + (f", and says nothing of some steps of {lanes} of {self.lanes} lanes" if lanes else "")

    def __repr__(self) -> str:
        """What was run, how large the arrays are, and how near the charges are to their predictions."""
        told = [f"<Simulation of {self.case} under {self.rule}, {self.precision} on {self.backend}: "]
        told.append(
            ", ".join(
                (plural(self.steps, "step"), plural(self.q.shape[1], "parameter"), plural(self.lanes, "lane"))
            )
        )
        for i, name in enumerate(self.symmetries):
            told.append(f"\n  charge of {name}: {self.most(i)}")
        return "".join(told) + ">"

    def _repr_pretty_(self, printer, cycle) -> None:
        """What IPython prints."""
        printer.text(repr(self))

    def to_xarray(self):
        """A Dataset with the dimensions step, parameter, symmetry and lane.

        q and v are (step, parameter, lane); J, predicted, bound and spent (step, symmetry, lane). The
        parameters of the rule, and time where there is one, are coordinates; what was run, and the notes, are
        attributes. Raises ExtraMissing without xarray.
        """
        xarray = needed("xarray", "a Dataset")
        state, charge = ("step", "parameter", "lane"), ("step", "symmetry", "lane")
        data = {name: (state, getattr(self, name), about(name)) for name in ("q", "v")}
        data |= {name: (charge, getattr(self, name), about(name)) for name in ("J", "predicted", "bound")}
        data["spent"] = (charge, self.spent, {"long_name": "|J - predicted| / bound"})
        where = {"step": np.arange(self.steps + 1), "lane": np.arange(self.lanes)}
        where |= {"parameter": np.arange(self.q.shape[1]), "symmetry": list(self.symmetries)}
        where |= {name: ("lane", values) for name, values in self.parameters.items()}
        where["law"] = ("symmetry", list(self.laws))
        if self.time is not None:
            where["time"] = (("step", "lane"), self.time, about("time"))
        facts = {name: getattr(self, name) for name in ("case", "rule", "precision", "backend", "seed")}
        facts["notes"] = "\n".join(self.notes)
        return xarray.Dataset(data, coords=where, attrs={**facts, "noether": __version__})

    def to_frame(self):
        """A pandas DataFrame, one row for each step of each lane.

        Columns: lane, step, time of a solution, the parameters of the rule, q[0] .., v[0] .., and for each
        symmetry J[name], predicted[name], bound[name]. Raises ExtraMissing without pandas.
        """
        pandas = needed("pandas", "a frame")
        rows, flat = self.steps + 1, lambda x: x.T.reshape(-1)  # (rows, lanes), lane by lane
        found = {"lane": np.repeat(np.arange(self.lanes), rows), "step": np.tile(np.arange(rows), self.lanes)}
        found |= {"time": flat(self.time)} if self.time is not None else {}
        found |= {name: np.repeat(values, rows) for name, values in self.parameters.items()}
        for name in ("q", "v"):
            x = getattr(self, name)
            found |= {f"{name}[{i}]": flat(x[:, i]) for i in range(x.shape[1])}
        for i, symmetry in enumerate(self.symmetries):
            found |= {f"{n}[{symmetry}]": flat(getattr(self, n)[:, i]) for n in ("J", "predicted", "bound")}
        return pandas.DataFrame(found)

    def plot(self, symmetry: str | None = None, *, lanes=None, ax=None):
        """The charge of a symmetry as dots on the line of its prediction, in the band of its bound, as
        matplotlib Axes.

        symmetry  its name, the first when left out
        lanes     indices of the lanes to draw, the first six when left out
        ax        Axes to draw on; new ones when left out

        Raises UsageError for another symmetry or lane, or for what are no Axes; ExtraMissing without
        matplotlib.
        """
        name = self.symmetries[0] if symmetry is None else symmetry
        if not isinstance(name, str) or name not in self.symmetries:
            raise unknown("symmetry", name, self.symmetries)
        i, ax = self.symmetries.index(name), axes(ax)
        for lane in self.chosen(lanes):
            x = np.arange(self.steps + 1) if self.time is None else self.time[:, lane]
            J, P, B = (a[:, i, lane] for a in (self.J, self.predicted, self.bound))
            (line,) = ax.plot(x, P, "-", linewidth=1)
            ax.fill_between(x, P - B, P + B, alpha=0.3, color=line.get_color())
            ax.plot(x, J, **DOTS, color=line.get_color(), label=f"lane {lane}")
        told = "dots: measured" + (f"; line and band: {self.laws[i]} and its bound" if self.laws[i] else "")
        ax.set_title(f"{self.case} under {self.rule}", loc="left", fontsize="medium")
        ax.set(xlabel="step" if self.time is None else "time", ylabel=f"charge of {name}")
        ax.legend(fontsize="small", title=told, title_fontsize="small")
        return ax

    def chosen(self, lanes) -> list[int]:
        """The lanes that a plot draws. Raises UsageError."""
        if lanes is None:
            return list(range(min(self.lanes, DRAWN)))
        must = f"must be whole numbers from 0 to {self.lanes - 1}, the indices of lanes"
        try:
            found = np.atleast_1d(np.asarray(lanes))
        except ValueError:  # rows of different lengths
            raise UsageError(f"lanes is {brief(lanes)}, {must}") from None
        if found.ndim != 1 or not found.size or found.dtype.kind not in "iu":
            raise UsageError(f"lanes is {brief(lanes)}, {must}")
        if found.min() < 0 or found.max() >= self.lanes:
            raise UsageError(f"lanes is {brief(lanes)}, {must}")
        return [int(x) for x in found]


def about(name: str) -> dict:
    """What a Dataset says of a variable."""
    return {"long_name": TOLD[name]}
