"""What is printed of audits: nothing that is wrong is lost, however much it is, and a page stands alone."""

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from noether.campaigns.audit.finding import (
    HOLDS,
    INCONCLUSIVE,
    OUTSIDE,
    PARTS,
    VIOLATED,
    Audit,
    Finding,
)
from noether.campaigns.audit.turned import SYMMETRIES
from noether.report.audit import fingerprint, page, table, terminal
from noether.report.audit.facts import names_of, spent_of
from noether.report.terminal import say

SCRIPT = "import torch\nraise SystemExit(3 if 1 < 2 & 3 else 0)\n"
KEPT = {"found": "kept", "size": 1e-17, "spent": 0.25, "reason": ""}
BROKEN = {"found": "broken", "size": 0.75, "spent": 1e17, "reason": ""}
ROW = {name: BROKEN if name in ("scale", "rotation") else KEPT for name in SYMMETRIES}
ODD = {"found": "undecided", "size": 0.1, "spent": 3.0, "reason": "known to 0.5 of a step alone"}


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


def found(part, name, verdict=HOLDS, reason="it is so", **more):
    return Finding(part, name, verdict, reason, **more)


RULE = found("rule", "AdamW", spent=0.05, data={"numbers": {"lr": [1e-3, 2e-16]}, "described": ["b decays"]})
GOOD = Audit(
    "torch.optim:AdamW",
    (RULE, found("arithmetic", "float64", spent=0.7), found("arithmetic", "float16", OUTSIDE, "refused"),
     found("implementations", "foreach float64", spent=0.9),
     found("symmetries", "matrix", data={"row": ROW})),
    None, 3.25,
)  # fmt: skip
BAD = Audit(
    "torch.optim:Odd",
    (found("rule", "AdamW", VIOLATED, "decay is <coupled>", spent=9e9, script=SCRIPT),
     found("arithmetic", "float64", VIOLATED, "state is narrow", spent=0.4),
     found("options", "nesterov", INCONCLUSIVE, "rounding hides it"),
     found("symmetries", "matrix", INCONCLUSIVE, data={"row": {**ROW, "scale": ODD}})),
)  # fmt: skip
CRASHED = Audit("other.place:Odd", (), "it ends its process before the audit is done", 0.5)
SOME = [GOOD, BAD, CRASHED]


class Parts(HTMLParser):
    """The identities, links, tags and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded, self.text, self.open = [], [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        got = dict(attrs)
        self.ids += [got["id"]] if "id" in got else []
        self.links += [got["href"]] if tag == "a" else []
        self.loaded += [x for name in ("src", "data") if (x := got.get(name))] + [tag] * (tag == "link")
        self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.text += data if not {"style", "script"} & {*self.open} else ""


def printed(capsys, contents):
    say(*contents)
    return capsys.readouterr().out


def joined(text):
    """A text without what lines and tables put between its words."""
    return re.sub(r"[\s─]+", "", text)


def test_one_audit_says_its_verdict_first_and_what_to_do_last(capsys):
    lines = printed(capsys, terminal.ending(GOOD)).splitlines()
    assert lines[0].startswith("✓ torch.optim:AdamW obeys")
    assert lines[-2].startswith("next, guard it in a test") and "5 findings of 4 parts, 3.2 s" in lines[-1]
    lines = printed(capsys, terminal.ending(BAD)).splitlines()
    assert lines[0].startswith("✗ torch.optim:Odd deviates: decay is <coupled>, and 1 more deviation")
    assert lines[-2].startswith("next, run a script above")
    lines = printed(capsys, terminal.ending(CRASHED)).splitlines()
    assert lines[0].startswith("? other.place:Odd is not decided: it ends its process")


def test_a_script_is_printed_as_it_is_to_be_copied(capsys):
    long = "x = '" + "a" * 300 + "'\n"
    odd = Audit("a:B", (found("rule", "B", VIOLATED, "wrong", script=SCRIPT + long),))
    for contents in (terminal.ending(odd), table.table([odd])):
        assert SCRIPT + long in printed(capsys, contents)


FINDINGS = st.lists(
    st.builds(
        Finding,
        part=st.sampled_from(PARTS),
        name=st.text("abcdef", min_size=1, max_size=6),
        verdict=st.sampled_from([HOLDS, VIOLATED, INCONCLUSIVE, OUTSIDE]),
        reason=st.integers(0, 10**9).map(lambda n: f"reason{n}"),
        spent=st.none() | st.floats(0, allow_nan=False),
    ),
    max_size=30,
).map(tuple)


@given(FINDINGS)
def test_folding_counts_everything_and_hides_nothing_that_is_wrong_or_open(some):
    for part in PARTS:
        mine = [x for x in some if x.part == part]
        shown = list(terminal.folded(mine))
        open_ones = [x for x in mine if x.verdict in (VIOLATED, INCONCLUSIVE)]
        assert [x for x in shown if x.verdict in (VIOLATED, INCONCLUSIVE)] == open_ones
        for verdict in (HOLDS, OUTSIDE):
            quiet = [x for x in mine if x.verdict == verdict]
            line = [x for x in shown if x.verdict == verdict]
            assert len(line) == min(len(quiet), 1)
            if len(quiet) > 1:
                assert line[0].name.startswith(f"{len(quiet)} ")
                spent = [x.spent for x in quiet if x.spent is not None]
                assert line[0].spent == max(spent, default=None)


@settings(max_examples=25)
@given(FINDINGS)
def test_a_page_has_every_finding_and_every_violation_twice(some):
    text = Parts(page.page([Audit("some.where:Thing", some), GOOD])).text
    for x in some:
        assert text.lower().count(x.reason) >= (2 if x.verdict == VIOLATED else 1)


def test_a_table_has_a_row_for_each_and_a_crash_is_one(capsys):
    out = printed(capsys, table.table(SOME))
    rows = out.split("spent: the largest")[0]
    assert re.search(r"^AdamW\s+✓\s+AdamW\s+0.900\s+-\s+-\s+-\s+3\.2$", rows, re.M)
    assert re.search(r"^optim:Odd\s+✗\s+not AdamW\s+0.400\s+-\s+-\s+-\s+2\s+0\.0\s+decay is", rows, re.M)
    assert re.search(r"^place:Odd\s+\?\s+-\s+-\s+-\s+-\s+-\s+0\.5\s+it ends its", rows, re.M)
    assert "3 optimizers: 1 obeys a rule, 1 deviates, 1 is not decided" in out
    assert "no optimizer was audited" in printed(capsys, table.table([]))


def test_two_of_one_name_are_told_apart():
    assert names_of(SOME) == ["AdamW", "optim:Odd", "place:Odd"]
    words = ["a.b:C", "a.d.b:C", "a:C", "a.b:D"]
    assert names_of([Audit(x, ()) for x in words]) == ["a.b:C", "d.b:C", "a:C", "D"]
    made = Parts(page.page([GOOD, GOOD, BAD]))
    assert len(set(made.ids)) == len(made.ids)


def test_the_worst_of_a_type_is_over_all_implementations():
    assert {kind: x.spent for kind, x in spent_of(GOOD).items()} == {"float64": 0.9, "float16": None}
    assert spent_of(BAD)["float64"].verdict == VIOLATED


def test_an_exit_code_is_that_of_the_worst_and_a_refusal_is_a_row():
    assert [table.exit_code(x) for x in (SOME, [GOOD, CRASHED], [CRASHED], [GOOD], [])] == [1, 0, 3, 0, 3]


def test_plain_data_are_json_and_can_be_read_back():
    plain = json.loads(json.dumps(table.summary(SOME)))
    assert plain["exit_code"] == 1 and plain["verdicts"] == {"obeys": 1, "deviates": 1, "not decided": 1}
    assert [x["rule"] for x in plain["audits"]] == ["AdamW", "not AdamW", "-"]
    again = [Audit.of({k: x[k] for k in GOOD.plain()}) for x in plain["audits"]]
    assert page.page(again) == page.page(SOME)
    assert fingerprint.plain([GOOD])["torch.optim:AdamW"]["scale"] == BROKEN


@given(st.floats(0, 2, exclude_min=True))
def test_a_mark_is_short_and_says_the_size(size):
    text = fingerprint.mark({**BROKEN, "size": size})
    assert len(text) <= 7 and 15 <= fingerprint.heat(size) <= 100
    assert abs(float(text) - size) <= max(0.0051, 0.051 * (size >= 0.995)) if size >= 0.01 else True
    assert size >= 0.01 or 0.4 * size <= float(text) <= 1.6 * size


def test_a_row_of_symmetries_is_told_by_marks(capsys):
    out = printed(capsys, [fingerprint.table(SOME)])
    assert re.search(r"^AdamW\s+=\s+\.75(\s+=){8}\s+\.75(\s+=){3}$", out, re.M), out
    assert re.search(r"^optim:Odd\s+=\s+\.75(\s+=){8}\s+\?(\s+=){3}$", out, re.M)
    assert fingerprint.line({"scale": BROKEN, "rotation": KEPT, "rescale": ODD}) == (
        "scale .75, rotation =, rescale ?"
    )


@pytest.mark.parametrize("some", [SOME, [GOOD], [BAD], [CRASHED], []])
def test_a_page_stands_alone_and_its_links_lead_somewhere(some):
    made = Parts(text := page.page(some, [("package", "three 3.0")]))
    assert not made.loaded and not re.search("https?:", text) and "url(" not in text
    assert {x.removeprefix("#") for x in made.links} <= {*made.ids}
    assert text.count("<html") == 1 and "three 3.0" in made.text


def test_what_comes_from_outside_is_no_markup_on_a_page_and_no_order_on_a_terminal(capsys):
    wild = "<script>alert(1)</script>\x1b[31m\n::error::"
    odd = Audit(f"{wild}:{wild}", (found("rule", wild, VIOLATED, wild, script=wild),), wild)
    text = page.page([odd, GOOD])
    assert "<script>alert" not in text and "alert(1)" in text and "\x1b" not in text
    for contents in (terminal.ending(odd), table.table([odd])):
        out = printed(capsys, contents)
        assert "\x1b" not in out and not re.search(r"^\s*::error", out, re.M)


def test_a_page_shows_each_deviation_with_its_script_and_each_symmetry():
    made = Parts(page.page(SOME))
    assert SCRIPT.strip() in made.text and "State is narrow." in made.text
    assert "must be at most 1" in made.text and "spent 0.400, must" not in made.text
    assert joined(made.text).count("=.75========.75===") == 1  # a row of 14
    assert "1 of 3 optimizers deviates" in made.text
