"""The pages of the site that are no files of docs/."""

from __future__ import annotations

from pathlib import Path

from noether.labs.site.links import ADOPTED


def made(root: Path) -> dict[str, str]:
    """Markdown of each page, by its place from docs/."""
    return {
        place: (root / name).read_text(encoding="utf-8")
        for name, place in ADOPTED.items()
        if (root / name).exists()
    }
