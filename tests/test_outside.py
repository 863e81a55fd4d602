"""Nothing that came from outside reaches a terminal or the log of a CI as it was: it moves no cursor and
gives no order."""

import io
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.text import Text

from noether.cases import Case, Symmetry
from noether.cases.case import CaseError, linear
from noether.cli.commands import complain
from noether.cli.main import call
from noether.plan.casefiles import load
from noether.report.github import Annotation, cell
from noether.report.terminal import listing, say
from noether.system import outside
from noether.system.outside import Guarded, guarded, lines, on_page, orders, printable

NASTY = ["::stop-commands::x", "  ::error::y", "\t::add-mask::z", "a\n::warning::b", "a\r::error::b"]
NASTY += ["\u2028::error::b", "\x85::error::x"]  # the ends of lines that only some programs know
NASTY += ["##[add-mask]x", "###[group]x", "##vso[task.x]", "##teamcity[x]"]
NASTY += ["\x1b[2J", "\x1b]0;title\x07", "\x9b2J", "\x00", "\x7f"]  # what a terminal obeys
NASTY += ["\u202eexe.txt", "\u2066hidden\u2069", "\ud800", "\U000e0041", "\ufeff"]  # hides text
anything = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(NASTY)
outsiders = st.lists(anything, max_size=4).map("".join)


def ordered(line: str) -> bool:
    """Whether a CI takes a line as an order (actions/runner, ActionCommand.TryParseV2 and TryParse; the
    others' manuals)."""
    return line.lstrip().startswith("::") or any(mark in line for mark in ("##[", "##vso[", "##teamcity["))


def harmless(text: str) -> bool:
    rows = text.split("\n")
    return not any(map(ordered, rows)) and all(c.isprintable() or c in "\n\t" for c in text)


def test_the_checker_sees_every_nasty_text():
    assert not any(map(harmless, NASTY)) and harmless("a::b, ## [x]\nc")


@given(outsiders)
def test_what_is_printable_is_one_harmless_line(text):
    assert (
        harmless(printable(text))
        and "\n" not in printable(text)
        and printable(printable(text)) == printable(text)
    )
    assert harmless(lines(text)) and lines(text).count("\n") == text.count("\n")


@given(outsiders)
def test_what_is_escaped_inside_json_stays_json(text):
    value = {"name": text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")}
    assert json.loads(printable(json.dumps(value, ensure_ascii=False).replace("\n", "\\n"))) is not None


@given(st.lists(outsiders, max_size=5))
@example([":", ":error::x"])
@example(["#", "#", "[group]x"])
@example(["  ", ":", ":error::x"])
@example(["a\n", ": :", ":error::x\n", "::", "x"])
def test_a_guarded_stream_gives_no_order_in_whatever_pieces_it_comes(pieces):
    out = io.StringIO()
    stream = Guarded(out)
    for piece in pieces:
        assert stream.write(piece) == len(piece)
    assert harmless(out.getvalue()), out.getvalue()


def test_a_stream_that_is_closed_or_missing_is_guarded_too(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", closed)
    with guarded():
        assert sys.stdout is None and not sys.stderr.terminal
    assert sys.stderr is closed and orders(closed) is closed and orders(Guarded(closed)) is closed


class Terminal(io.StringIO):
    def isatty(self):
        return True


@given(outsiders, st.booleans())
def test_no_table_no_line_and_no_soft_wrap_gives_an_order(text, is_terminal):
    out = Terminal() if is_terminal else io.StringIO()
    before, sys.stdout = sys.stdout, out
    try:
        with guarded():
            table = listing("name", "cells")
            table.add_row(text, text)
            table.add_row("x" * 100 + " ::stop-commands::x", text)
            say(table, Text(text, style="bold"), text, Text("word " * 24 + "::stop-commands::x " + text))
    finally:
        sys.stdout = before
    found = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()) if is_terminal else out.getvalue()
    assert harmless(found), found


@given(outsiders)
def test_a_complaint_is_one_harmless_line(text):
    out = io.StringIO()
    before, sys.stderr = sys.stderr, out
    try:
        complain(text)
    finally:
        sys.stderr = before
    assert harmless(out.getvalue()) and out.getvalue().count("\n") == 1


@given(outsiders, outsiders)
def test_an_annotation_is_one_order_and_a_summary_has_none(title, message):
    line = Annotation("error", title, message).command(Path("/"))
    assert line.startswith("::error title=") and harmless(line[1:].replace("\x1b", "?")) and "\n" not in line
    assert harmless(cell(message)) and "\n" not in cell(message)


def test_a_page_shows_outside_text_escaped_and_its_own_markup_as_it_is():
    from markupsafe import Markup

    assert (
        on_page("\u202e\x1b") == r"\u202e\u001b"
        and on_page(Markup("<b>\u202e</b>")) == Markup("<b>\u202e</b>")
        and on_page(3) == 3
    )


# ---- names are refused at the door


@pytest.mark.parametrize(
    "name",
    [*NASTY, 5, None, "", "  ", "x" * 81, "x" * 10**5, b"bytes", ["list"], float("nan")],
    ids=lambda n: ascii(n)[:20],
)
def test_no_symmetry_and_no_case_has_a_name_that_cannot_be_printed_on_a_line(name):
    if isinstance(name, str) and name.isprintable() and 0 < len(name.strip()) <= 80:
        return  # `::x` alone is printed as it is nowhere
    with pytest.raises(CaseError, match="name is .*must be text of 1 to 80 characters") as caught:
        linear([[0, 1], [-1, 0]], name)
    assert harmless(str(caught.value)) and len(str(caught.value)) < 200
    turn = linear([[0, 1], [-1, 0]], "turn")
    with pytest.raises(CaseError, match="name is ") as caught:
        Case(name, "t", "s", lambda q, xp: q[0], lambda q, xp: q[0], ((0, 1), (0, 1)), (turn,))
    assert harmless(str(caught.value)) and len(str(caught.value)) < 200


OWN = """
from noether.cases.case import Case, Symmetry
OWN = Case(name="own", title="t", source="s",
           loss=lambda q, xp: q[0] * q[0] + q[1] * q[1], breaking=lambda q, xp: q[0],
           box=((0.5, 1.5), (0.5, 1.5)), symmetries=(Symmetry({name!r}, ((0, -1), (1, 0)), (0, 0)),))
"""


@pytest.mark.parametrize("name", ["::stop-commands::x", "##[add-mask]x", "x ::error::y"])
def test_a_symmetry_named_as_an_order_gives_none(plan, capsys, monkeypatch, name):
    load.LOADED.clear()
    Path("own.py").write_text(OWN.format(name=name))
    plan.wrong = {"D2": "violated"}
    for words in (
        ["show", "own.py"],
        ["verify", "own.py", "--law", "D2", "--jobs", "1", "--out", "r"],
        ["report", "r"],
        ["verify", "own.py", "--law", name],
    ):
        call(words)
        out, err = capsys.readouterr()
        assert harmless(out) and harmless(err), (out, err)


SMALL = ["verify", "rayleigh", "--law", "D2", "--precision", "float64", "--jobs", "1", "--out"]


COMMANDS = [[x] for x in "verify report show explain faults".split()]
COMMANDS += [[], SMALL, ["verify", "--law"], ["verify", "--seed"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_word_of_the_command_line_comes_back_raw(plan, capsys, command):
    for word in NASTY:
        may_be = command is SMALL and word.isprintable()  # a folder may have such a name
        assert call([*command, word]) == (0 if may_be else 2)
        out, err = capsys.readouterr()
        assert harmless(out + err) and (may_be or err.count("\n") == 1 and not out)


def test_an_exception_of_a_case_file_gives_no_order(plan, capsys):
    for text in (
        "raise ValueError('a\\n::error::b\\x1b[2J')",
        "raise ValueError('::error::b')",
        "print('::stop-commands::x'); raise SystemExit('\\r::error::x')",
    ):
        Path("own.py").write_text(text)
        assert call(["verify", "own.py"]) == 2
        out, err = capsys.readouterr()
        assert harmless(out + err) and "own.py" in err


def test_an_internal_error_gives_no_order(plan, capsys, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a\n::stop-commands::x\x1b[2J")

    monkeypatch.setattr("noether.runs.run.run", broken)
    assert call(["verify", "rayleigh"]) == 70
    assert harmless(capsys.readouterr().err)


def test_our_own_orders_pass(plan, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    plan.wrong = {"D2": "violated"}
    assert call(["verify", "rayleigh", "--law", "D2", "--precision", "float64", "--jobs", "1"]) == 1
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("::error ")]
    assert outside.LONGEST == 80 and isinstance(linear([[0, 1], [-1, 0]], "x" * 80), Symmetry)
