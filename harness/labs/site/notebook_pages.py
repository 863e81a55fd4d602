"""The notebooks of docs/notebooks as pages: words and code; what they print, a reader sees who runs them."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = "notebooks"
NOTE = (
    "This page is a notebook, [{name}]({name}). It has no outputs here: to see them and the figures, run it, "
    "which takes some seconds. With the extra `data` installed, `pip install jupyterlab` and "
    "`jupyter lab {name}` do."
)


def pages(root: Path) -> dict[str, str]:
    """Each notebook as Markdown, by its place from docs/."""
    files = sorted((root / "docs" / FOLDER).glob("*.ipynb"))
    return {f"{FOLDER}/{path.stem}.md": page(path) for path in files}


def page(path: Path) -> str:
    """One notebook. Raises KeyError where the file is none."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first, *others = [shown(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    return "\n\n".join([first, NOTE.format(name=path.name), *others]) + "\n"


def shown(kind: str, source: str) -> str:
    """The source of a cell in Markdown."""
    return source if kind == "markdown" else f"```python\n{source}\n```"
