"""The one environment of jinja in which every HTML page is filled in; what it is given is escaped."""

from __future__ import annotations

import math
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

from noether.report.terminal import number
from noether.system.outside import on_page, plural
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
    made.globals |= {"inf": math.inf, "plural": plural}
    made.globals |= {"script": Markup(script()), "policy": policy(script())}
    return made


def script() -> str:
    """The one script of every page, which needs nothing else: sorting, filter, tooltips, CSV."""
    return (TEMPLATES / "report.js").read_text(encoding="utf-8")


def policy(text: str) -> Markup:
    """What a browser lets a page do: run this script alone, by its hash, and load nothing from anywhere."""
    digest = b64encode(sha256(text.encode()).digest()).decode()
    return Markup(f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'")
