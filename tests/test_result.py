"""A Result shows itself as text, as a table, as a frame and as a plot, read from a run folder as well."""

import math
import re
from html.parser import HTMLParser

import pytest
from plainest import record

import noether
from noether.api import frame, tables
from noether.runs import result as plain
from noether.runs import run_json
from noether.runs.saved_result import ended
from noether.runs.saved_run import Run
from noether.system.usage import UsageError
from noether.verdicts.record import VIOLATED, summarise


def made(*records, code=0) -> noether.Result:
    laws = list(dict.fromkeys(r.law for r in records))
    return noether.Result.of(plain.Result(list(records), summarise(list(records), laws), code, tuple(laws)))


WRONG = dict(verdict=VIOLATED, measured=3.0, spent=math.inf, bound=0.0)
STRANGE = "<script>alert(1)</script> & 100 %_{x}^~\\"


@pytest.fixture
def strange(monkeypatch) -> noether.Result:
    """A result whose words must be escaped, of a law that holds nowhere in the book."""
    monkeypatch.setattr(tables, "titled", lambda law: STRANGE)
    return made(record("D2", case=STRANGE, spent=math.inf, verdict=VIOLATED), code=1)


# ---- read again


def test_a_result_is_read_from_its_folder_as_it_was(run):
    again = noether.Result.load(run.folder)
    assert repr(again.records) == repr(run.records) and len(run.records) > 20  # a NaN is unlike itself
    same = ("rows", "exit_code", "laws", "left_out", "unjudged", "cells", "folder", "blind")
    assert [getattr(again, name) for name in same] == [getattr(run, name) for name in same]
    assert repr(again) == repr(run) and again.about["id"] == run.about["id"]
    tables_of = [x._repr_html_().partition("<small>")[0] for x in (again, run)]
    assert tables_of[0] == tables_of[1]


@pytest.mark.parametrize(
    "arguments, code, unjudged",
    [
        ({"cases": ["product"]}, 0, ["O2"]),
        ({"law": "O2"}, 0, []),
        ({"cases": ["product"], "law": "O2", "steps": None}, 3, ["O2"]),
        ({}, 70, ["O2"]),
    ],
)
def test_what_decided_a_run_is_told_again(arguments, code, unjudged):
    """Of a narrowed choice a law that no fault was shown to has judged nothing; so in a run that lost a
    cell."""
    found = made(record("O2", cell="c"), code=code)
    errors = {"x": "lost"} if code in (3, 70) else {}
    ended(found, Run(None, {"arguments": {"cases": [], **arguments}}, found.records, errors=errors))
    assert found.unjudged == unjudged
    assert (found.errors, found.lost) == ((errors, {}) if code == 70 else ({}, errors))


def changed(run, folder, *, without=(), **about):
    """A copy of a run whose run.json says something else."""
    folder.mkdir()
    for name in ("records.jsonl", "cells.jsonl"):
        (folder / name).write_bytes((run.folder / name).read_bytes())
    said = {**run_json.read(run.folder / "run.json"), **about}
    kept = {name: x for name, x in said.items() if name not in without}
    (folder / "run.json").write_text(run_json.text(kept), encoding="utf-8")
    return folder


def test_a_run_of_fuzzing_has_verdicts_and_no_row_a_law(run, tmp_path):
    arguments = {"cases": ["product"], "seconds": 3.0}
    again = noether.Result.load(changed(run, tmp_path / "f", command="fuzz", arguments=arguments))
    assert not again.rows and len(again.records) == len(run.records) and not again.unjudged
    assert "no row a law" in again.notes[-1] and "0 laws; 39 verdicts: 39 hold" in repr(again)


def test_a_run_without_an_end_is_interrupted(run, tmp_path):
    cut = changed(run, tmp_path / "cut", without=("last", "records"), exit_code=None, end=None)
    again = noether.Result.load(cut)
    assert again.exit_code == 130 and again.interrupted and len(again.records) == len(run.records)


@pytest.mark.parametrize("folder", [5, None, "no/such/run"])
def test_what_is_no_run_folder_is_refused(folder):
    with pytest.raises(UsageError, match="folder|not there"):
        noether.Result.load(folder)


# ---- text and HTML


def test_a_result_is_told_in_a_few_lines(run):
    told = repr(run)
    assert len(told.splitlines()) == 3 and str(run.folder) in told
    assert "3 laws: 3 hold" in told and f"{sum(r.fault is None for r in run.records)} verdicts" in told


def test_a_result_that_holds_nothing_is_told_too():
    assert "0 laws; 0 verdicts; 0 of 0 planted faults found" in repr(made(code=3))
    assert "<tbody></tbody>" in made(code=3)._repr_html_()


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.names, self.words, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} closes another one"

    def handle_data(self, data):
        self.words.append(data)


def test_the_table_of_a_notebook_has_every_law_with_its_title_and_verdict(run):
    page = Tags(run._repr_html_())
    assert not page.open and page.names.count("tr") == 1 + len(run.rows)
    text = " ".join(page.words)
    for law in run.laws:
        assert law in page.words and frame.titled(law) in page.words
    assert text.count("holds") >= len(run.rows) and str(run.folder) in text


def test_the_table_of_a_notebook_runs_nothing_and_leaves_the_colours_of_the_page(strange):
    page = strange._repr_html_()
    assert not {"script", "img", "style", "link"} & set(Tags(page).names)
    assert STRANGE in Tags(page).words and "<strong>violated</strong>" in page
    colours = set(re.findall(r"(?<![-\w])color:([^;'\"]+)", page))
    assert colours == {"inherit", tables.DOT[VIOLATED]}  # of a dot alone, 3:1 on light and on dark


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_dots_stand_out_from_a_light_and_from_a_dark_page(ground):
    """WCAG 2.2, 1.4.11: 3:1 for what is no text."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for colour in tables.DOT.values():
        light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, colour


# ---- LaTeX


def test_the_latex_table_has_one_line_a_law_between_the_rules_of_booktabs(run):
    lines = run.to_latex().splitlines()
    (begin,) = re.findall(r"^\\begin\{tabular\}\{([lr]+)\}$", lines[1])
    assert [lines[i] for i in (2, 4, -2, -1)] == ["\\toprule", "\\midrule", "\\bottomrule", "\\end{tabular}"]
    body = lines[5:-2]
    assert len(body) == len(run.rows)
    for line, row in zip(body, run.rows, strict=True):
        assert (
            line.endswith(r" \\")
            and line.startswith(f"{row.law} & ")
            and line.endswith(f"{row.verdict} \\\\")
        )
        assert len(re.findall(r"(?<!\\)&", line)) == len(begin) - 1
        assert line.count("$") % 2 == 0 and line.count("{") == line.count("}")


def test_latex_prints_every_character_as_it_is(strange):
    (line,) = [x for x in strange.to_latex().splitlines() if "script" in x]
    wanted = r"\textless{}script\textgreater{}alert(1)\textless{}/script\textgreater{} \& 100 \%\_\{x\}"
    assert wanted + r"\textasciicircum{}\textasciitilde{}\textbackslash{}" in line
    assert tables.tex("5.2e-12 %") == r"$5.2\times 10^{-12}$ \%" and tables.tex("x1e5") == "x1e5"
