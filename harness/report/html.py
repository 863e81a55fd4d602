"""The one environment of jinja in which every HTML page is filled in; what it is given is escaped."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from noether.report.terminal import number
from noether.system.outside import on_page
from noether.verdicts.power import percent
from noether.verdicts.record import where

TEMPLATES = Path(__file__).resolve().parent / "templates"


@cache
def environment():
    """The environment with every filter that a page uses. Kept, for a page takes a tenth of what compiling
    its templates takes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    blanks = dict(trim_blocks=True, lstrip_blocks=True)
    safe = dict(autoescape=True, finalize=on_page, undefined=StrictUndefined)
    made = Environment(loader=FileSystemLoader(TEMPLATES), **safe, **blanks)
    made.filters.update(number=number, where=where, percent=percent)
    made.globals["inf"] = math.inf
    return made
