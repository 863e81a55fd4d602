"""The figure of each statement as data: which record of a run is drawn, and which curves of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from noether.report.page.plots import plot_of
from noether.verdicts.record import ORDER, Record

DIGITS = 6  # of a number that is drawn: a tenth of a pixel
LARGEST = 4.0  # of a charge in units of its start, beside which the rest can still be seen
# Not the window that was judged: of these figures it is all that is drawn.
KEPT = ("plot", "x", "series", "xlabel", "ylabel", "xscale", "yscale", "orders", "slopes")
NAMED = {"eta": "step size eta", "beta": "momentum beta", "eta (1 - tau)": "step size eta (1 - tau)"}
"""Symbols on an axis, for who does not know them."""
THEOREM = (
    "Dots are the charge of a solution of the equations of motion, the line is what the theorem predicts."
)
MASS = "Along a symmetry the charge over the mass falls with the mass, along another direction it stays."
ENERGY = "Dots are the energy that was lost, the line is what friction took."
BEGIN = "From the right velocity the error falls with the square of the step size, from rest in proportion."


def rounded(x):
    """A number with the digits that can be seen."""
    return float(f"{x:.{DIGITS}g}") if isinstance(x, float) else x


def kept(plot: dict, caption: str) -> dict:
    """The parts of a plot that are drawn, with a caption."""
    told = {name: plot[name] for name in KEPT if plot.get(name) is not None}
    told["xlabel"] = NAMED.get(plot["xlabel"], plot["xlabel"])
    told["x"] = [rounded(x) for x in plot["x"]]
    told["series"] = {name: [rounded(x) for x in ys] for name, ys in plot["series"].items()}
    return {**told, "caption": caption}


def own(mine: Sequence[Record]) -> dict | None:
    """The figure that a claim brings."""
    plot = plot_of(mine[0])
    return kept(plot, plot.get("caption", "")) if plot else None


def moving(mine: Sequence[Record]) -> dict | None:
    """The charge that moves most, of those at the largest mass that stay within LARGEST of their start."""

    def size(r: Record) -> float:
        start = r.data["y"][0]
        return max(abs(y / start) for y in r.data["y"]) if start else float("inf")

    is_traced = lambda r: str(r.data.get("label", "")).endswith("against t") and r.data.get("y")
    shown = [r for r in mine if is_traced(r) and r.parameters.get("window") == "layer"]
    heaviest = max((r.parameters.get("m", 0.0) for r in shown), default=0.0)
    shown = [r for r in shown if r.parameters.get("m") == heaviest and size(r) <= LARGEST]
    most = lambda r: (size(r), r.case, r.symmetry or "")
    return kept(plot_of(max(shown, key=most)), THEOREM) if shown else None


def massless(mine: Sequence[Record]) -> dict | None:
    """Of one case the charge of a symmetry and that of no symmetry, against the mass."""
    orders = [r for r in mine if r.kind == ORDER and r.data.get("x")]
    for control in sorted((r for r in orders if r.symmetry == "no-symmetry"), key=lambda r: r.case):
        beside = [r for r in orders if r.case == control.case and r is not control]
        if beside:
            named = {"along a symmetry": beside[0], "along another direction": control}
            return together(named, "mass", "charge over mass", MASS)
    return None


def lost(mine: Sequence[Record]) -> dict | None:
    """The energy of one trajectory over time."""
    drawn = [r for r in mine if plot_of(r)]
    heavy = max(drawn, key=lambda r: (r.parameters.get("m") or 0.0, r.spent or 0.0, r.case), default=None)
    return kept(plot_of(heavy), ENERGY) if heavy else None


def begun(mine: Sequence[Record]) -> dict | None:
    """Of one case the error of the equation from two start velocities, against the step size."""
    right, rest = "cold, qdot(0) = -(g + k q)/(1 + beta)", "cold, qdot(0) = 0"
    said = lambda r: str(r.parameters.get("statement", ""))
    orders = sorted((r for r in mine if r.kind == ORDER), key=lambda r: (r.case, said(r)))
    for r in orders:
        beside = [o for o in orders if o.case == r.case and said(o) == said(r).replace(right, rest)]
        if said(r).endswith(right) and beside:
            named = {"from the right velocity": r, "from rest": beside[0]}
            return together(named, "step size", "error", BEGIN)
    return None


def together(named: dict[str, Record], xlabel: str, ylabel: str, caption: str) -> dict:
    """Records of orders over the same sizes as curves of one figure."""
    first = plot_of(next(iter(named.values())))
    plot = {**first, "xlabel": xlabel, "ylabel": ylabel}
    plot["series"] = {name: list(r.data["y"]) for name, r in named.items()}
    plot["orders"] = {name: r.predicted for name, r in named.items()}
    plot["slopes"] = {name: rounded(r.measured) for name, r in named.items()}
    return kept(plot, caption)


DRAWN: dict[str, Callable[[Sequence[Record]], dict | None]] = {
    "T1": moving,
    "T2": moving,
    "T3": massless,
    "T4": lost,
    "O3": begun,
}
"""Law of another family -> how its figure is chosen; where only bits are compared there is none."""


def figure_of(law: str, mine: Sequence[Record]) -> dict | None:
    """The figure of a statement, None where its records have none."""
    return DRAWN.get(law, own)(mine)
