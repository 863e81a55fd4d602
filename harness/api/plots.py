"""What was measured against what was predicted, on the axes of matplotlib."""

from __future__ import annotations

import numpy as np

from noether.api.extras import needed
from noether.report.figures.panel import BOUND, MEASURED, PREDICTED
from noether.report.law_table import titled
from noether.report.page.plots import ranked
from noether.system.usage import UsageError, brief
from noether.verdicts.record import Record, where

INSIDE = 4  # names of curves that leave room for the curves
FEW_DECADES = 2  # of a logarithm: matplotlib names every digit there, one over the other
DOTS = dict(linestyle="none", marker="o", markersize=4, zorder=3)


def axes(ax=None):
    """The given axes, or new ones. Raises UsageError for what are none, ExtraMissing."""
    plt = needed("matplotlib.pyplot", "a plot")
    if ax is None:
        return plt.subplots(layout="constrained")[1]
    if not isinstance(ax, plt.Axes):
        raise UsageError(f"ax is {brief(ax)}, must be Axes of matplotlib, or left out for new ones")
    return ax


def of_law(records: list[Record], law: str, ax=None):
    """The figure of the records of one law: the first that the report shows, or how far each verdict is from
    its prediction."""
    ax, found = axes(ax), ranked(records)
    if found:
        curves(ax, *found[0])
    else:
        distances(ax, records)
    title = f"{law}: {titled(law)}" if titled(law) else law
    ax.set_title(title, loc="left", fontsize="medium")
    return ax


def curves(ax, r: Record, plot: dict) -> None:
    """The figure that a record holds: predicted as a line with its bound as a band, measured as dots."""
    both = plot["plot"] in ("loglog", "response")
    scales = [plot.get(name, "log" if both else "linear") for name in ("xscale", "yscale")]
    x, series = numbers(plot["x"]), {n: numbers(y) for n, y in plot["series"].items()}
    order = np.argsort(x)
    x, series = x[order], {n: y[order] for n, y in series.items()}
    predicted = next((series[n] for n in PREDICTED if n in series), None)
    for name, y in series.items():
        if name in BOUND and predicted is not None and scales[1] == "linear":
            ax.fill_between(x, predicted - y, predicted + y, alpha=0.3, label=f"{name} around predicted")
        elif name in BOUND:
            ax.plot(x, y, "--", label=name)
        elif name.endswith(MEASURED):
            ax.plot(x, y, **DOTS, label=name)
        elif name in PREDICTED:
            ax.plot(x, y, "-", label=name)
        else:
            ax.plot(x, y, ".-", label=named(name, plot))
    if predicted is not None and not set(BOUND) & set(series) and scales[1] == "linear" and r.bound:
        ax.fill_between(
            x, predicted - r.bound, predicted + r.bound, alpha=0.3, label="bound around predicted"
        )
    if plot.get("window"):
        ax.axvspan(*sorted(plot["window"]), alpha=0.08, label="judged")
    ax.set(xscale=scales[0], yscale=scales[1], xlabel=plot.get("xlabel", ""), ylabel=plot.get("ylabel", ""))
    for axis, values in ((ax.xaxis, x), (ax.yaxis, np.concatenate(list(series.values())))):
        if axis.get_scale() == "log" and np.ptp(np.log10(values[values > 0], dtype=float)) < FEW_DECADES:
            axis.set_minor_formatter(needed("matplotlib.ticker", "a plot").NullFormatter())
    legend(ax, where(r), len(series))


def legend(ax, title: str, rows: int) -> None:
    """The names of the curves: inside where they are few, else below in a taller figure, on axes of our
    own."""
    words = dict(fontsize="small", title=title, title_fontsize="small")
    if rows <= INSIDE or len(ax.figure.axes) > 1 or ax.figure.get_layout_engine() is None:
        ax.legend(**words)
    else:
        ax.figure.set_figheight(ax.figure.get_figheight() + 0.2 * rows)
        ax.figure.legend(**words, loc="outside lower left")


def named(name: str, plot: dict) -> str:
    """A series of orders in the legend, with its measured and its stated slope."""
    stated, slope = ((plot.get(word) or {}).get(name) for word in ("orders", "slopes"))
    if stated is None:
        return name
    return f"{name}: slope {stated:g} stated" + (f", {slope:.3f} measured" if slope is not None else "")


def distances(ax, records: list[Record]) -> None:
    """What every verdict spent, with the sign of its error, against |predicted|: what holds lies in the
    band."""
    judged = [r for r in records if None not in (r.measured, r.predicted, r.spent)]
    measured, predicted, spent = (numbers(getattr(r, n) for r in judged) for n in NAMES)
    with np.errstate(all="ignore"):  # wide numbers were compared: here only their sign is to be had
        y = np.where(measured < predicted, -spent, spent)
    ax.axhspan(-1, 1, alpha=0.12, color="gray", label="within its bound: the law holds")
    x = places(ax, np.abs(predicted))
    for precision in dict.fromkeys(r.precision for r in judged):
        mine = np.array([r.precision == precision for r in judged])
        ax.plot(x[mine], y[mine], **DOTS, label=precision)
    sizes = np.abs(y[np.isfinite(y)])
    if sizes.size and sizes.max() > 1:
        ax.set_yscale("symlog", linthresh=1.5)
    else:
        ax.set_ylim(-1.3, 1.3)
    lost = len(records) - int(np.isfinite(y).sum())
    note = f"\n{lost} without a finite number are not shown" if lost else ""
    ax.set_xlabel(f"{ax.get_xlabel()}{note}")
    ax.set_ylabel("measured - predicted, in units of its bound")
    ax.legend(fontsize="small")


def places(ax, sizes: np.ndarray) -> np.ndarray:
    """Where verdicts stand on the x axis: at the size of their prediction, or in their order where each is
    zero."""
    there = sizes[np.isfinite(sizes) & (sizes > 0)]
    if not len(there):
        ax.set_xlabel("verdicts, in the order of the run (each prediction is zero)")
        return np.arange(len(sizes))
    ax.set(xscale="log", xlabel="size of the prediction at the worst place of each verdict")
    least = there.min() / 10
    if (sizes == 0).any():
        ax.set_xlabel(f"{ax.get_xlabel()}; of zero at the left")
    return np.where(sizes > 0, sizes, least)


NAMES = ("measured", "predicted", "spent")


def numbers(values) -> np.ndarray:
    """Values as float64, NaN where there is none."""
    return np.array([np.nan if x is None or isinstance(x, str) else float(x) for x in values], float)
