"""docs/networks/symmetries.md prints what it shows, but for the digits of what machines round differently."""

import re
import shlex
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from test_tutorial import SAVED, blocks, ended, unlike  # noqa: E402

from noether.cli.main import call  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
PAGE = "networks/symmetries.md"


def rough(text: str) -> str:
    """Without the digits of measured numbers, and without the widths of columns."""
    return re.sub("─+", "─", re.sub(r"\d+\.\d+(e[-+]\d+)?|\d+e[-+]\d+", "#", text))


def test_the_page_prints_what_it_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    compared, printed = 0, ""
    for before, kind, text in blocks(PAGE):
        name = SAVED.search(before)
        capsys.readouterr()
        if kind == "python" and name:
            Path(name[1]).write_text(text, encoding="utf-8")
        elif kind == "python":
            exec(compile(text, PAGE, "exec"), {"__name__": "__main__"})
            printed = capsys.readouterr().out
        else:
            shown = text
            if kind == "console":
                command, shown, code = ended(text)
                assert call(shlex.split(command)[1:]) == code, command
                printed = capsys.readouterr().out
            assert unlike(rough(shown), rough(printed)) == ""
            compared += 1
    assert compared == 5


def test_another_verdict_is_seen_and_another_digit_is_not():
    assert rough("kept  1.2e-16  0.926") == rough("kept  7.3e-17  0.4")
    assert rough("kept  8  0.926") != rough("kept  7  0.926") and rough("kept 1e-16") != rough("broken 1e-16")
