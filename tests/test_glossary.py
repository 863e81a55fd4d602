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


def unexplained(words, glossary: str) -> list[str]:
    """The words that the glossary neither has as an entry nor names in one as a word of the command line."""
    there = {w.lower() for w in re.findall(r"\*\*(.+?)\*\*", glossary)} | set(
        re.findall(r"`([\w-]+)`", glossary)
    )
    return [word for word in words if word not in there]


@pytest.mark.parametrize("kind", MUST)
def test_the_glossary_has_every_word(kind):
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert MUST[kind] and unexplained(MUST[kind], glossary) == []


def test_a_word_that_is_missing_is_seen():
    assert unexplained(["lane", "cell"], "**lane**: one trajectory of a cell") == ["cell"]


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/commands.md", "docs/report.md"])
def test_pages_that_use_the_words_link_the_glossary(page):
    assert "glossary.md)" in (ROOT / page).read_text(encoding="utf-8")
