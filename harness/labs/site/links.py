"""Links of the pages, which are written for the repository, led to where they stand on the site.

A link to a file of docs/ stays a link within the site, one to a page of the root that the site has, as
README.md, leads there, and any other file of the repository is a link to the repository, or its name alone
where mkdocs.yml names none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

ADOPTED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Pages of the root, and where the site has them."""

HEADING = re.compile(r"^#+ +(.+?)(?: *\{.*\})?$", re.MULTILINE)
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
ATTRIBUTE = re.compile(r'\b(src|srcset|href)="([^"]+)"')
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#|/|$", re.IGNORECASE)


def title(markdown: str) -> str:
    """What a page is called: its first heading, '' where it has none."""
    found = HEADING.search(prose(markdown, lambda block: block))
    return found[1].strip() if found else ""


def led(markdown: str, page: str, known: Mapping[str, str], root: Path, repository: str) -> str:
    """The text of a page with its links led anew; the words of a link become a title where they are a path.

    page         where the page is on the site, from docs/
    known        every file of the site, from docs/, with its title; '' for what is no page
    root         the repository
    repository   its address, '' where it has none
    """
    source = next((name for name, place in ADOPTED.items() if place == page), f"docs/{page}")

    def standing(link: str) -> tuple[str, str | None]:
        """Where a link leads, from the root, and from docs/ where the site has that."""
        there = normpath(f"{PurePosixPath(source).parent}/{link.partition('#')[0]}")
        place = ADOPTED.get(there, there.removeprefix("docs/") if there.startswith("docs/") else None)
        as_page = place.replace(".ipynb", ".md") if place else None  # but from this page to its own notebook
        place = as_page if as_page in known and as_page != page else place
        return there, place if place in known else None

    def target(link: str) -> str | None:
        _, mark, anchor = link.partition("#")
        there, place = standing(link)
        if place is not None:
            return relpath(place, PurePosixPath(page).parent) + mark + anchor
        if (root / there).exists():
            return f"{repository.rstrip('/')}/blob/main/{there}{mark}{anchor}" if repository else None
        return link  # mkdocs says that it is not there

    def link(found: re.Match) -> str:
        picture, words, where = found.groups()
        if ELSEWHERE.match(where):
            return found[0]
        to = target(where)
        if not to:
            return words if "`" in words else f"`{words}`"
        there, place = standing(where)
        if words in (there, where, PurePosixPath(there).name):
            words = known.get(place, "") or words
        return f"{picture}[{words}]({to})"

    def attribute(found: re.Match) -> str:
        name, where = found.groups()
        return found[0] if ELSEWHERE.match(where) else f'{name}="{target(where) or where}"'

    return prose(markdown, lambda line: ATTRIBUTE.sub(attribute, LINK.sub(link, line)))


def prose(markdown: str, change) -> str:
    """A page with each paragraph changed; code, in fences or indented after an empty line, stays as it is."""
    out, block, fence, is_code = [], [], "", False

    def flush():
        if block:
            out.append(change("\n".join(block)))
            block.clear()

    for line in markdown.split("\n"):
        opened = FENCE.match(line)
        if fence or opened:
            flush()
            out.append(line)
            fence = ("" if fence and line.strip() == fence else fence) if fence else opened[1]
        elif line.startswith("    ") and (is_code or not block):
            is_code = True
            out.append(line)
        else:
            is_code = False
            if line.strip():
                block.append(line)
            else:
                flush()
                out.append(line)
    flush()
    return "\n".join(out)
