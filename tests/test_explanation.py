"""Examples in docs/explanation print what the pages say that they print."""

import contextlib
import io
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "explanation"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = {path.stem: BLOCK.findall(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.md"))}


def differing(blocks: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What each example of a page prints and what the page says, where they are not the same."""
    names: dict = {}
    wrong = []
    for (kind, code), (said_kind, said) in zip(blocks[::2], blocks[1::2], strict=True):
        assert (kind, said_kind) == ("python", "text"), "an example must stand before what it prints"
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            exec(compile(code, "example", "exec"), names)
        wrong += [(told.getvalue(), said)] if told.getvalue() != said else []
    return wrong


@pytest.mark.parametrize("page", [name for name, blocks in RUN.items() if blocks])
def test_an_example_prints_what_its_page_says(page):
    assert differing(RUN[page]) == []


def test_the_pages_have_examples():
    assert {"bounds", "why"} <= {name for name, blocks in RUN.items() if blocks}


def test_an_example_that_prints_something_else_is_seen():
    assert differing([("python", "x = 1\nprint(x + 1)\n"), ("text", "3\n")]) == [("2\n", "3\n")]
