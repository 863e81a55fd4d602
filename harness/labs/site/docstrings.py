"""Docstrings of the Python reference, which griffe reads, as Markdown (mkdocs.yml names this file)."""

from __future__ import annotations

import griffe

from noether.labs.site.papers import paper

ROOT = "../"  # from reference/api.md to docs/


class Papers(griffe.Extension):
    """Turns each docstring into the Markdown of a paper."""

    def on_instance(self, *, obj: griffe.Object, **ignored) -> None:
        """A docstring that griffe has just found."""
        if obj.docstring:
            obj.docstring.value = "\n\n".join(paper(obj.docstring.value, ROOT, is_code=True))
