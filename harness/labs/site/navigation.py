"""The navigation of mkdocs.yml, completed: `folder/*` becomes the pages of that folder."""

from __future__ import annotations

import re

DATED = re.compile(r"/\d{4}-\d\d-\d\d")


def named(nav: list) -> list[str]:
    """Every path that a navigation names, patterns included."""
    out: list[str] = []
    for entry in nav:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        out += named(value) if isinstance(value, list) else [value]
    return out


def matching(pattern: str, there: list[str], taken: set[str]) -> list[str]:
    """The pages of a folder that have no line of their own; dated ones newest first, others as they are."""
    folder = pattern.removesuffix("*")
    found = [p for p in there if p.startswith(folder) and "/" not in p[len(folder) :] and p not in taken]
    return sorted(found, reverse=True) if any(map(DATED.search, found)) else found


def complete(nav: list, there: list[str]) -> tuple[list, list[str]]:
    """The navigation with its patterns replaced by pages, and the paths in it that are no page.

    there   every page of the site, in the order in which a pattern lists them where they have no date
    """
    taken, missing = {p for p in named(nav) if not p.endswith("*")}, []

    def walk(entries: list) -> list:
        out: list = []
        for entry in entries:
            title, value = next(iter(entry.items())) if isinstance(entry, dict) else (None, entry)
            if isinstance(value, list):
                inner = walk(value)
                out += [{title: inner}] if inner else []
            elif value.endswith("*"):
                out += matching(value, there, taken)
            elif value in there:
                out.append(entry)
            else:
                missing.append(value)
        return out

    return walk(nav), missing
