"""Whoever meets a word of a table, a verdict or a folder finds it in docs/glossary.md."""

import re
from pathlib import Path

import pytest

from noether.kernels.loops.launch import BACKENDS
from noether.kernels.programs.precision import MODES
from noether.labs.house import FOLDERS
from noether.plan.choices import PROFILES
from noether.report.law_table import COLUMNS
from noether.verdicts.record import VERDICTS

ROOT = Path(__file__).resolve().parent.parent
MUST = {
    "verdicts": VERDICTS,
    "columns of noether verify": COLUMNS,
    "rooms": FOLDERS,
    "profiles, modes and backends": (*PROFILES, *MODES, *BACKENDS),
}


ENTRY = re.compile(r'^<a id="([\w-]+)"></a>\*\*(.+?)\*\*: ', re.MULTILINE)
IN_ITALICS = (
    "README.md",
    "docs/tutorial.md",
    "docs/failure.md",
    "docs/precision.md",
    "docs/discover.md",
    "docs/networks/symmetries.md",
)
"""Pages that say of words in italics that they are in the glossary."""


def text() -> str:
    return (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def out_of_order(glossary: str) -> list[str]:
    """The entries that stand behind one that the alphabet puts after them."""
    words = [word.lower().replace("ξ", "x") for _, word in ENTRY.findall(glossary)]
    return [b for a, b in zip(words, words[1:], strict=False) if a > b]


def leading_nowhere(glossary: str) -> set[str]:
    """The links within the glossary that have no entry."""
    return set(re.findall(r"\]\(#([\w-]+)\)", glossary)) - {anchor for anchor, _ in ENTRY.findall(glossary)}


def unknown_italics(page: str, glossary: str) -> list[str]:
    """The words in italics of a page that no entry explains, in the singular or as they stand."""
    prose = re.sub(r"```.*?```|^    .*?$|`[^`\n]*`", "", page, flags=re.DOTALL | re.MULTILINE)
    known = {word.lower() for _, word in ENTRY.findall(glossary)}
    words = [w.lower() for w in re.findall(r"(?<!\*)\*([A-Za-z][\w -]*)\*(?!\*)", prose) if w != "italics"]
    return [w for w in words if not {w, w.removesuffix("s")} & known]


def unexplained(words, glossary: str) -> list[str]:
    """The words that the glossary neither has as an entry nor names in one as a word of the command line."""
    there = {w.lower() for w in re.findall(r"\*\*(.+?)\*\*", glossary)} | set(
        re.findall(r"`([\w-]+)`", glossary)
    )
    return [word for word in words if word not in there]


@pytest.mark.parametrize("kind", MUST)
def test_the_glossary_has_every_word(kind):
    assert MUST[kind] and unexplained(MUST[kind], text()) == []


def test_the_glossary_is_in_the_order_of_the_alphabet_and_its_links_lead_to_entries():
    assert len(ENTRY.findall(text())) > 100
    assert out_of_order(text()) == [] and leading_nowhere(text()) == set()


@pytest.mark.parametrize("page", IN_ITALICS)
def test_words_in_italics_are_in_the_glossary(page):
    assert unknown_italics((ROOT / page).read_text(encoding="utf-8"), text()) == []


def test_a_word_that_is_missing_is_seen():
    assert unexplained(["lane", "cell"], "**lane**: one trajectory of a cell") == ["cell"]


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/commands.md", "docs/report.md"])
def test_pages_that_use_the_words_link_the_glossary(page):
    assert "glossary.md)" in (ROOT / page).read_text(encoding="utf-8")


def test_what_is_wrong_in_a_glossary_is_seen():
    a, b = '<a id="lane"></a>**lane**: [cell](#cell)\n', '<a id="bound"></a>**bound**: most\n'
    assert out_of_order(a + b) == ["bound"] and leading_nowhere(a + b) == {"cell"}
    assert unknown_italics("two *lanes* and a *cell*, `*not*` this", a + b) == ["cell"]
