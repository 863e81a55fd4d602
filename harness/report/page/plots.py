"""The figures of a law, chosen from the many that its records hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from noether.report import figures
from noether.report.table import number
from noether.verdicts.record import ORDER, ROUNDING, Record, where

LOGLOG = "Each curve must fall with its stated slope (dots) where it was judged (bar on the axis)."
RESPONSE = (
    "Measured must lie on predicted, or within the bar that the bound allows about it; below the shaded "
    "floor rounding hides it."
)
LINES = "Measured must lie on predicted, to within the band of the bound."
PLOT_CLAIM = {"loglog": LOGLOG, "response": RESPONSE, "lines": LINES}
TOGETHER = 8  # series on one picture
SHOWN = ("m", "mu", "eps", "kappa", "beta", "eta", "k", "rho", "tau")


def statement(r: Record) -> str:
    """What a record is about, as its name on a picture."""
    return str(r.parameters.get("statement") or r.data.get("label") or f"{r.case} {r.symmetry or ''}".strip())


def plot_of(r: Record) -> dict:
    """The figure of a record as data, {} where it holds none. Laws of flows and orders store x, y, label."""
    data = r.data
    if data.get("plot") in PLOT_CLAIM:
        return own_plot(r)
    if "y" not in data or "x" not in data:
        return {}
    label = str(data.get("label", r.law))
    if r.kind == ORDER:
        small, size = ("m", "size") if r.law.startswith("T") else ("step size η", "error")
        plot = {"plot": "loglog", "x": data["x"], "series": {label: data["y"]}}
        plot |= {"xlabel": small, "ylabel": size}
        return {**plot, **orders_of(r, label), **{k: data[k] for k in ("window", "caption") if k in data}}
    series = {"measured": data["y"], **{k: data[k] for k in ("predicted", "bound") if k in data}}
    if label.endswith("against t"):
        series = bounded(series, r)
        axes = {"xlabel": "time", "ylabel": label.removesuffix(" against t")}
        return {"plot": "lines", "x": data["x"], "series": series, **axes}
    size = lambda y: abs(y) if isinstance(y, int | float) else y
    sizes = {name: [size(y) for y in values] for name, values in series.items()}
    axes = {"xlabel": label.rpartition(" to ")[2] if " to " in label else "m", "ylabel": label}
    return {"plot": "response", "x": data["x"], "series": sizes, **axes}


def bounded(series: dict, r: Record) -> dict:
    """A course in time beside its prediction, with the bound of its record: one number for all times."""
    has_both = "predicted" in series and "bound" not in series and r.kind == ROUNDING
    if not has_both or not isinstance(r.bound, int | float):
        return series
    return {**series, "bound": [r.bound] * len(series["predicted"])}


def own_plot(r: Record) -> dict:
    """The figure that a record brings, without a window that is none."""
    plot = dict(r.data)
    window = plot.get("window")
    is_pair = isinstance(window, list) and len(window) == 2
    if not (is_pair and all(isinstance(x, int | float) for x in window)):
        plot.pop("window", None)
    if plot["plot"] == "lines" and isinstance(plot.get("series"), dict) and "measured" in plot["series"]:
        plot["series"] = bounded(plot["series"], r)
    if r.kind == ORDER and plot["plot"] == "loglog" and len(plot.get("series") or {}) == 1:
        plot.update(orders_of(r, next(iter(plot["series"]))))
    return plot


def orders_of(r: Record, name: str) -> dict:
    """The stated order of a series, and the measured one."""
    out: dict = {"orders": {name: r.predicted}} if isinstance(r.predicted, int | float) else {}
    return out | ({"slopes": {name: r.measured}} if isinstance(r.measured, int | float) else {})


def merged(records: Iterable[Record]) -> list[tuple[Record, dict]]:
    """One plot a case and symmetry; plots of orders share their axes, of the others the worst of each label
    is taken."""
    found: dict[tuple, tuple[Record, dict]] = {}
    records = list(records)
    of_case = Counter(r.case for r in records if r.kind == ORDER)
    for r in sorted(records, key=lambda r: r.severity, reverse=True):
        plot = plot_of(r)
        if not plot:
            continue
        if plot["plot"] == "loglog" and r.kind == ORDER:
            rule = r.rule if of_case[r.case] > TOGETHER else ""
            shared(found, r, plot, (r.case, rule, tuple(plot.get("x") or ())))
        else:
            found.setdefault((r.case, r.symmetry, plot.get("ylabel")), (r, plot))
    return [(r, in_order(plot)) for r, plot in found.values()]


def shared(found: dict, r: Record, plot: dict, key: tuple) -> None:
    """A series of its own on the axes of its case, named by its symmetry too; at most TOGETHER on one
    picture."""
    named = {n: f"{n}, {r.symmetry}" if r.symmetry else n for n in plot.get("series") or {}}
    words = ("series", "orders", "slopes")
    mine = {word: {named.get(n, n): v for n, v in (plot.get(word) or {}).items()} for word in words}
    while key in found and len(found[key][1]["series"]) >= TOGETHER:
        key = (*key, "more")
    first = found.setdefault(key, (r, {**plot, "series": {}, "orders": {}, "slopes": {}}))[1]
    for word, values in mine.items():
        first[word].update(values)
    if first.get("window") and plot.get("window"):
        first["window"] = [min(*first["window"], *plot["window"]), max(*first["window"], *plot["window"])]


def in_order(plot: dict) -> dict:
    """Series of orders from the highest order down; words common to all names go to the axis."""
    series, orders = plot.get("series") or {}, plot.get("orders") or {}
    if plot["plot"] != "loglog" or not orders:
        return plot
    names = sorted(series, key=lambda n: (-(orders.get(n) or 0), n))
    split = [pieces(n) for n in names]
    fewest = min(map(len, split))
    differ = lambda i: len({words[i] for words in split}) > 1
    head = next((i for i in range(fewest) if differ(i)), fewest - 1)
    tail = next((i for i in range(fewest - head) if differ(-1 - i)), fewest - head - 1)
    new = {n: ", ".join(words[head : len(words) - tail]) for n, words in zip(names, split, strict=True)}
    told = {"series": {new[n]: series[n] for n in names}}
    for word in ("orders", "slopes"):
        told[word] = {new[n]: v for n, v in (plot.get(word) or {}).items() if n in new}
    return {**plot, **told, "ylabel": ", ".join([str(plot.get("ylabel", "")), *split[0][:head]]).strip(", ")}


def pieces(name: str) -> list[str]:
    """A name at its commas, but for those inside brackets."""
    out: list[str] = []
    for word in name.split(", "):
        if out and any(out[-1].count(a) > out[-1].count(b) for a, b in ("()", "<>")):
            out[-1] += f", {word}"
        else:
            out.append(word)
    return out


def ranked(records: Iterable[Record]) -> list[tuple[Record, dict]]:
    """The plots of `merged`, the worst of each kind first, cases taking turns: three pictures of one case
    would tell one story thrice."""
    chosen, kinds, cases = [], set(), {}
    for r, plot in merged(records):
        kind = (plot["plot"], plot.get("ylabel"))
        cases[r.case] = cases.get(r.case, 0) + 1
        chosen.append((kind in kinds, cases[r.case], r, plot))
        kinds.add(kind)
    return [(r, plot) for _, _, r, plot in sorted(chosen, key=lambda c: c[:2])]


def figure(r: Record, plot: dict, law: str = "") -> dict | None:
    """One plot as {"svg", "caption"}, None where nothing of it can be drawn.

    law  what the caption calls the law; '' where the figure stands in its section
    """
    label = f"{r.law} on {r.case}: {plot.get('ylabel', '')} against {plot.get('xlabel', '')}"
    picture, lost = figures.panel(plot, label, r.precision)
    if not picture:
        return None
    values = f"{lost} value{'s' if lost > 1 else ''}"
    zero = f" {values} zero or not finite, with no place on a logarithm." if lost else ""
    told = f"{plot.get('caption') or PLOT_CLAIM[plot['plot']]} {f'{law}: ' if law else ''}{place(r)}.{zero}"
    return {"svg": picture, "caption": told}


def place(r: Record, *, short: bool = False) -> str:
    """Where, and at which parameters. short: without spent, which the sentence around it names."""
    numbers = {k: v for k, v in r.parameters.items() if isinstance(v, float) and k in SHOWN}
    parameters = ", ".join(f"{k} {v:.4g}" for k, v in numbers.items())
    told = f"{where(r)}{', ' + parameters if parameters else ''}".removeprefix(f"{r.law} ")
    return told if short else f"{told}; spent {number(r.spent)}"
