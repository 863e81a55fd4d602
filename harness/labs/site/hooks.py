"""What mkdocs asks of us while it builds the site (mkdocs.yml names this file).

Pages of the root are taken over, pages of the reference are written from the code, the navigation is
completed, links that leave docs/ are led to where they stand, and formulas become MathML.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from mkdocs.plugins import event_priority

from noether.labs.site import api_page, formulas, links, navigation, pages

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parents[3]
TITLES: dict[str, str] = {}
"""Every file of the site, from docs/, with its title; '' for what is no page."""
LOG = logging.getLogger("mkdocs.noether")  # a warning of mkdocs' own loggers ends a strict build


@event_priority(100)  # before mkdocstrings reads its paths
def on_config(config):
    """Tell the reader of docstrings where the package is, whatever way it is imported here."""
    sources = api_page.linked(Path(mkdtemp()), ROOT)
    config.plugins["mkdocstrings"].config["handlers"]["python"]["paths"] = [str(sources)]
    return config


def on_post_build(config) -> None:
    """Take away what on_config made, and what the theme brings for languages and tools of others."""
    shutil.rmtree(config.plugins["mkdocstrings"].config["handlers"]["python"]["paths"][0])
    assets = Path(config.site_dir, "assets", "javascripts")
    shutil.rmtree(assets / "lunr", ignore_errors=True)
    for path in Path(config.site_dir).rglob("*.map"):
        path.unlink()


def on_files(files: Files, config) -> Files:
    """Add the pages that docs/ does not have, and complete the navigation."""
    from mkdocs.structure.files import File

    for place, content in pages.made(ROOT).items():
        files.append(File.generated(config, place, content=content))
    TITLES.clear()
    TITLES.update(
        {f.src_uri: links.title(f.content_string) if f.is_documentation_page() else "" for f in files}
    )
    there = [file.src_uri for file in files.documentation_pages()]
    config.nav, missing = navigation.complete(config.nav, there)
    for place in missing:
        LOG.warning("%s is in the navigation of mkdocs.yml and not there", place)
    return files


def on_page_markdown(markdown: str, page, config, files: Files) -> str:
    """Lead each link to where it stands on the site, or in the repository."""
    return links.led(formulas.dollars(markdown), page.file.src_uri, TITLES, ROOT, config.repo_url or "")


def on_page_content(html: str, page, config, files: Files) -> str:
    """Every formula as MathML."""
    content, wrong = formulas.typeset(html)
    for formula in wrong:
        LOG.warning("%s: no MathML of %s", page.file.src_uri, formula)
    return content


def on_post_page(output: str, page, config) -> str:
    """Name the dialog that the theme leaves without a name."""
    return output.replace('role="dialog">', 'role="dialog" aria-label="Search">')
