"""Figures as data: what a record keeps of a picture, `Record.data`, as types that check themselves.

The report draws them (harness/report/figures/panel.py); nothing here knows how. Series called "measured" or
"recovered" are dots, "bound" or "error bar" a floor, "predicted" or "put in" a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar

SCALES = ("log", "linear")


def numbers(values) -> list[float | None]:
    """Plain floats of an array or a list; None stays, and is a gap in a curve."""
    return [None if x is None else float(x) for x in values]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a published figure says and what was measured instead, for the page of findings."""

    statement: str
    published: str | float
    measured: str | float
    ratio: float | None = None
    title: str | None = None
    source: str | None = None
    verdict: str | None = None
    corrected: str | None = None
    setup: str | None = None
    error: float | None = None

    def as_dict(self) -> dict:
        """The claim as plain data."""
        return {f.name: x for f in fields(self) if (x := getattr(self, f.name)) is not None}


class Figure:
    """What every figure has: the name of its plot, and perhaps a claim."""

    claim: Claim | None = None

    def as_dict(self) -> dict:
        """The figure as plain data, as records keep it."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Panel(Figure):
    """Curves over one x.

    window  [low, high] of x: what was judged
    scales  where those of the plot itself will not do
    """

    plot: ClassVar[str] = ""
    x: Sequence
    series: Mapping[str, Sequence]
    xlabel: str
    ylabel: str
    caption: str = ""
    xscale: str | None = None
    yscale: str | None = None
    window: Sequence | None = None
    claim: Claim | None = None

    def __post_init__(self):
        if not self.series:
            raise ValueError(f"a {self.plot} figure has no series, must have one")
        for name, values in self.series.items():
            same_length(f"series {name!r}", values, self.x)
        for scale in (self.xscale, self.yscale):
            if scale not in (None, *SCALES):
                raise ValueError(f"scale is {scale!r}, must be one of {SCALES}")
        check_window(self.window)

    def as_dict(self) -> dict:
        series = {name: numbers(values) for name, values in self.series.items()}
        found = {"plot": self.plot, "x": numbers(self.x), "series": series}
        found |= {"xlabel": self.xlabel, "ylabel": self.ylabel}
        more = {name: getattr(self, name) for name in ("caption", "xscale", "yscale") if getattr(self, name)}
        more |= {"window": numbers(self.window)} if self.window is not None else {}
        return {**found, **more, **({"claim": self.claim.as_dict()} if self.claim else {})}


@dataclass(frozen=True, kw_only=True)
class Lines(Panel):
    """Curves that must coincide to within a bound, on linear axes."""

    plot: ClassVar[str] = "lines"


@dataclass(frozen=True, kw_only=True)
class Response(Panel):
    """What answers a magnitude, measured beside predicted above a floor, on logarithmic axes."""

    plot: ClassVar[str] = "response"


@dataclass(frozen=True, kw_only=True)
class Loglog(Panel):
    """Errors that must fall with a slope, on logarithmic axes; `label` tells the one series as `y` too."""

    plot: ClassVar[str] = "loglog"
    label: str = ""

    def as_dict(self) -> dict:
        found = super().as_dict()
        return found | ({"label": self.label, "y": found["series"][self.label]} if self.label else {})


@dataclass(frozen=True, kw_only=True)
class Course(Figure):
    """One quantity against time or a magnitude, and what was predicted; the page chooses its axes by
    `label`."""

    x: Sequence
    y: Sequence
    label: str
    predicted: Sequence | None = None
    bound: Sequence | None = None
    window: Sequence | None = None

    def __post_init__(self):
        for name in ("y", "predicted", "bound"):
            if getattr(self, name) is not None:
                same_length(name, getattr(self, name), self.x)
        check_window(self.window)

    def as_dict(self) -> dict:
        found = {
            name: numbers(getattr(self, name))
            for name in ("x", "y", "predicted", "bound", "window")
            if getattr(self, name) is not None
        }
        return {**found, "label": self.label}


@dataclass(frozen=True, kw_only=True)
class Heatmap(Figure):
    """A table of cells {"value", "label", "evidence"}, as many as rows and columns."""

    plot: ClassVar[str] = "heatmap"
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[dict]]
    caption: str

    def __post_init__(self):
        same_length("cells", self.cells, self.rows)
        for row, cells in zip(self.rows, self.cells, strict=True):
            same_length(f"row {row!r}", cells, self.columns)
            for cell in cells:
                if set(cell) != {"value", "label", "evidence"}:
                    raise ValueError(
                        f"a cell of {row!r} has {sorted(cell)}, must have value, label and evidence"
                    )

    def as_dict(self) -> dict:
        ends = {"plot": self.plot, "rows": list(self.rows), "columns": list(self.columns)}
        return ends | {"cells": [list(row) for row in self.cells], "caption": self.caption}


PANELS = (Lines, Response, Loglog)


def same_length(name: str, values, beside) -> None:
    """Refuse values that are not as many as what they stand beside. Raises ValueError."""
    if len(values) != len(beside):
        raise ValueError(f"{name} has {len(values)} values beside {len(beside)}: they must be as many")


def check_window(window) -> None:
    """Refuse a window that is not two numbers. Raises ValueError."""
    if window is not None and len(window) != 2:
        raise ValueError(f"window has {len(window)} ends, must have 2")


def with_window(figure, judged: int):
    """A figure over falling step sizes, of which the first `judged` + 1 were above the rounding plateau."""
    if not 0 < judged < len(figure.x) or figure.window is not None:
        return figure
    return replace(figure, window=sorted((figure.x[0], figure.x[judged])))


def redrawn(data: dict, series: Mapping[str, Sequence], caption: str) -> dict:
    """The data of a panel with other series over the same x."""
    for name, values in series.items():
        same_length(f"series {name!r}", values, data["x"])
    return {**data, "series": {name: numbers(values) for name, values in series.items()}, "caption": caption}
