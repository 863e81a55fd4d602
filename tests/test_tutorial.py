"""What the pages of docs/ tell a reader to type gives what they show: tutorial, audit, own_rule and others.

A block of Python is saved under the name that stands before it, or run where none does; a block `console` is
a command after `$`, what it prints with `...` for what is left out, and `[exit code N]` where it is not 0.
"""

import re
import shlex
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from processes import python

from noether.cli.main import call

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCK = re.compile(r"([^\n]*)\n\n?```(python|console|output)\n(.*?)```", re.DOTALL)
SAVED = re.compile(r"[Ss]ave this as `([\w.]+)`")
ENDED = re.compile(r"^\[exit code (\d+)\]\n", re.MULTILINE)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """The line before each block of a page, the kind of the block, and its text."""
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


def unlike(shown: str, printed: str) -> str:
    """What is shown beside what is printed, '' where they agree."""
    agree = OutputChecker().check_output(shown, printed, ELLIPSIS | NORMALIZE_WHITESPACE)
    return "" if agree else f"shown:\n{shown}\nprinted:\n{printed}"


def ended(block: str) -> tuple[str, str, int]:
    """The command of a console block, what it is said to print, and its exit code."""
    command, _, shown = block.removeprefix("$ ").partition("\n")
    code = ENDED.search(shown)
    return command, ENDED.sub("", shown), int(code[1]) if code else 0


def follow(page: str, capsys) -> int:
    """Do what a page says, in this folder; how many outputs were compared."""
    compared, printed = 0, ""
    for before, kind, text in blocks(page):
        name = SAVED.search(before)
        if kind == "python" and name:
            Path(name[1]).write_text(text, encoding="utf-8")
        elif kind == "python":
            capsys.readouterr()
            exec(compile(text, page, "exec"), {"__name__": "__main__"})
            printed = capsys.readouterr().out
        elif kind == "output":
            assert unlike(text, printed) == ""
            compared += 1
        else:
            command, shown, code = ended(text)
            program, *words = shlex.split(command)
            assert program == "noether", command
            capsys.readouterr()
            assert call(words) == code, command
            out, err = capsys.readouterr()
            assert unlike(shown, out or err) == "", command
            compared += 1
    return compared


def test_the_tutorial_and_the_page_on_number_formats_print_what_they_show(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assert follow("tutorial.md", capsys) == 8
    assert follow("precision.md", capsys) == 1, "which goes on with the case of the tutorial"


def test_the_page_about_rules_of_ones_own_prints_what_it_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assert follow("own_rule.md", capsys) == 3
    example = (DOCS / "examples" / "aggmo.py").read_text(encoding="utf-8")
    assert Path("aggmo.py").read_text(encoding="utf-8") == example, "the page shows another file"


def test_the_page_about_audits_prints_what_it_shows(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch", reason="an optimizer of PyTorch is audited")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assert follow("audit.md", capsys) == 2


def test_the_page_about_watching_prints_what_it_shows(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch", reason="a training of PyTorch is watched")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert follow("networks/watch.md", capsys) == 2


def test_the_failure_is_the_one_that_its_page_reads(tmp_path, monkeypatch, capsys):
    pytest.importorskip("triton", reason="the kernel of the example is compiled by Triton")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    wrong, replayed = (ended(text) for _, kind, text in blocks("failure.md") if kind == "console")
    assert wrong[0] == "python docs/examples/wrong_kernel.py"
    ran = python(str(DOCS / "examples" / "wrong_kernel.py"), cwd=tmp_path)
    assert unlike(wrong[1], ran.stdout) == "" and ran.returncode == wrong[2] == 1
    assert call(shlex.split(replayed[0])[1:]) == replayed[2] == 3
    assert unlike(replayed[1], capsys.readouterr().out) == ""


# ---- the comparison can fail


def test_another_number_is_seen_and_what_is_left_out_is_not():
    printed = "D2   balance   0.455  holds\nD4   balance   0.693  holds\n"
    assert unlike("...\nD4 balance 0.693 holds\n", printed) == ""
    assert "shown" in unlike("...\nD4 balance 0.694 holds\n", printed)


def test_an_exit_code_is_read_off_the_last_line():
    assert ended("$ noether x\nwrong\n[exit code 2]\n") == ("noether x", "wrong\n", 2)
    assert ended("$ noether x\nright\n") == ("noether x", "right\n", 0)
