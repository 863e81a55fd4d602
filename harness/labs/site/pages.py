"""The pages of the site that are no files of docs/."""

from __future__ import annotations

from pathlib import Path

from noether.labs.site import (
    api_page,
    case_pages,
    command_page,
    law_pages,
    record_page,
    reference_page,
    rule_page,
)
from noether.labs.site.links import ADOPTED


def made(root: Path) -> dict[str, str]:
    """What stands in each page or picture, by its place from docs/."""
    taken = {
        place: (root / name).read_text(encoding="utf-8")
        for name, place in ADOPTED.items()
        if (root / name).exists()
    }
    single = {
        reference_page.PLACE: reference_page.page(),
        rule_page.PLACE: rule_page.page(root),
        command_page.PLACE: command_page.page(),
        command_page.CODES: command_page.codes(),
        record_page.PLACE: record_page.page(root),
        api_page.PLACE: api_page.page(),
    }
    return {**taken, **single, **law_pages.pages(root), **case_pages.pages(root)}
