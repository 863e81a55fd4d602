"""The map on a terminal, in markdown, and for machines: from the records of M1."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from noether.laws.map.table import COLUMNS, EXACT, NO_CHARGE, ROWS, SHORT, entry
from noether.system.usage import UsageError
from noether.verdicts.record import Record

STYLE = {EXACT: "green", NO_CHARGE: "dim", "order 0": "red"}
BLOCKS = (COLUMNS[:11], COLUMNS[11:])
"""Columns that stand beside each other on a terminal."""
LEGEND = """exact: kept to rounding at any step size; p: left by O(eta^p), 0 broken; -: none
permutation, sign flip, exchange: exact where a turned run is the run turned
flow: gradient flow; HB, mass: heavy ball with fixed beta, with fixed mass
decay: decoupled decay; norm.: normalised; mirr.: entropy mirror
nat.: natural gradient, G = 1/q; orth.: orthogonalised descent"""


def maps_of(records: Sequence[Record]) -> list[Record]:
    """The summary records of M1: one, where the whole map was measured."""
    return [r for r in records if r.law == "M1" and r.fault is None and r.data.get("plot") == "heatmap"]


def map_of(records: Sequence[Record]) -> Record:
    """The summary record of M1. Raises UsageError where a run has none."""
    found = maps_of(records)
    if len(found) != 1:
        raise UsageError(
            f"the run has {len(found)} maps, must have one: run noether verify without a choice of cases, "
            "or with --law M1"
        )
    return found[0]


def short(label: str) -> str:
    return label.removeprefix("order ").replace("undecided", "?")


def table(record: Record) -> Text:
    """The columns in blocks of 78: no wrapping, whatever the terminal."""
    out = Text(no_wrap=True)
    for block in BLOCKS:
        head = f"{'symmetry':<12}" + "".join(f"{SHORT[name]:<6}" for name in block).rstrip()
        out.append(head + "\n" + "─" * (12 + 6 * len(block) - 1) + "\n", style="bold")
        for row, cells in zip(ROWS, record.data["cells"], strict=True):
            out.append(f"{row:<12}")
            for column, cell in zip(COLUMNS, cells, strict=True):
                if column in block:
                    out.append(*shown(row, column, cell["label"]))
            out.append("\n")
        out.append("\n" * (block != BLOCKS[-1]))
    return out


def shown(row: str, column: str, label: str) -> tuple[str, str]:
    """The text of a cell and its style; one that was predicted otherwise has an exclamation mark."""
    agrees = label == entry(row, column).label
    text = short(label) + ("" if agrees else "!")
    return f"{text:<6}", STYLE.get(label, "") if agrees else "bold red"


def markdown(rows: Sequence[str], columns: Sequence[str], labels: Sequence[Sequence[str]]) -> list[str]:
    """The map as the lines of a table, from the names of its rows and columns and the label of each cell."""
    lines = [f"| | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    return lines + [
        f"| {row} | {' | '.join(short(label) for label in mine)} |"
        for row, mine in zip(rows, labels, strict=True)
    ]


def summary(records: Sequence[Record]) -> dict:
    """What --json prints."""
    found = map_of(records)
    return {
        "agree": found.measured,
        "cells": found.predicted,
        "verdict": found.verdict,
        "map": [
            {
                "symmetry": row,
                "rule": column,
                "label": cell["label"],
                "predicted": entry(row, column).label,
                "drift": cell["value"],
                "evidence": cell["evidence"],
            }
            for row, cells in zip(ROWS, found.data["cells"], strict=True)
            for column, cell in zip(COLUMNS, cells, strict=True)
        ],
        "counts": [
            {"of": r.symmetry, "measured": r.measured, "predicted": r.predicted}
            for r in records
            if r.law == "M1" and r.case == "map" and r.rule != "all" and not r.fault
        ],
        "faults": {r.fault: r.verdict for r in records if r.law == "M1" and r.fault},
    }
