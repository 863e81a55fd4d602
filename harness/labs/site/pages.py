"""The pages of the site that are no files of docs/."""

from __future__ import annotations

from pathlib import Path

from noether.labs.site import (
    api_page,
    case_pages,
    command_page,
    law_pages,
    notebook_pages,
    record_page,
    reference_page,
    rule_page,
)
from noether.labs.site.links import ADOPTED

WIDE = "---\nhide:\n  - navigation\n---\n\n"
"""Before the first page: there is nothing beside it, and its tables are wide."""


def made(root: Path) -> dict[str, str]:
    """What stands in each page or picture, by its place from docs/."""
    taken = {
        place: (root / name).read_text(encoding="utf-8")
        for name, place in ADOPTED.items()
        if (root / name).exists()
    }
    taken["index.md"] = WIDE + taken["index.md"]
    single = {
        reference_page.PLACE: reference_page.page(),
        rule_page.PLACE: rule_page.page(root),
        command_page.PLACE: command_page.page(),
        command_page.CODES: command_page.codes(),
        record_page.PLACE: record_page.page(root),
        api_page.PLACE: api_page.page(),
    }
    several = (law_pages, case_pages, notebook_pages)
    return {**taken, **single, **{k: v for made_of in several for k, v in made_of.pages(root).items()}}
