"""records.jsonl and the run folder: strict JSON, readable whatever happened to them, refused when damaged."""

import json
import math
from pathlib import Path

import pytest
from fakes import Cell
from hypothesis import given
from hypothesis import strategies as st

from noether.cli.main import call
from noether.labs.stress.forging import rewrite
from noether.runs.folder import Folder
from noether.runs.records_file import line, parse, read_records
from noether.runs.run import check_same
from noether.runs.saved_run import read_run
from noether.system.usage import UsageError
from noether.verdicts.record import SCHEMA

SMALL = ["verify", "rayleigh", "--precision", "float64", "--law", "D0,D2", "--jobs", "1"]
FINITE = Cell("D2/rayleigh", "D2", "rayleigh", "heavy-ball", "float64", 0).run()[0]
number = st.floats(allow_nan=True, allow_infinity=True)


@pytest.fixture
def small(plan):
    """A finished run of two cells, four records, in the folder r."""
    assert call([*SMALL, "--out", "r"]) == 0
    return Path("r")


@given(measured=number, bound=number, xs=st.lists(number, max_size=3), reason=st.text())
def test_a_record_comes_back_as_it_was(measured, bound, xs, reason):
    record = Cell("D2/rayleigh", "D2", "rayleigh", "heavy-ball", "float64", 0, "violated").run()[0]
    record.measured, record.bound, record.reason, record.data = (
        measured,
        bound,
        reason,
        {"x": xs, "plot": "nan"},
    )
    text = line(record.as_dict())
    assert text.count("\n") == 1 and text.endswith("\n")
    json.loads(text, parse_constant=lambda x: pytest.fail(f"{x} is no JSON"))
    back = parse(text)
    assert same(back.measured, measured) and same(back.bound, bound) and back.reason == reason
    assert len(back.data["x"]) == len(xs) and all(map(same, back.data["x"], xs))


@pytest.mark.parametrize("schema", [1, 2])
def test_a_record_on_a_planted_fault_is_one_in_the_words_of_an_older_schema(schema):
    """What was planted must never be read as found."""
    planted = Cell("D2/rayleigh", "D2", "rayleigh", "heavy-ball", "float64", 0).run()[1].as_dict()
    assert planted["fault"]
    old = {
        **{k: v for k, v in planted.items() if k != "fault"},
        "control": planted["fault"],
        "schema": schema,
    }
    assert parse(line(old)).fault == planted["fault"]


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or a == b


def test_numpy_numbers_are_plain_in_the_file():
    import numpy as np

    record = Cell("D2/rayleigh", "D2", "rayleigh", "heavy-ball", "float64", 0, "violated").run()[0]
    record.measured, record.lanes, record.data = (
        np.float64(0.5),
        np.int64(7),
        {"x": np.array([1.0, np.nan]), "b": np.bool_(True), "l": np.longdouble(2)},
    )
    assert parse(line(record.as_dict())).as_dict()["data"]["b"] is True
    assert '"lanes":7' in line(record.as_dict()) and '[1.0,"nan"]' in line(record.as_dict())


def changed(**fields) -> str:
    return line({**FINITE.as_dict(), **fields})


DAMAGE = [
    ("[]", "must be an object"),
    ("{}", "has no schema"),
    ('{"a":NaN}', "NaN is no JSON"),
    ("{", "Expecting"),
    ("[" * 100000, "nested too deeply"),
    (changed(schema=SCHEMA + 1), f"schema is {SCHEMA + 1}, this noether reads up to {SCHEMA}"),
    (changed(spent="much"), "spent is 'much'"),
    (changed(verdict="fine"), "verdict is 'fine'"),
    (changed(worst=3), "worst is 3"),
    (changed(law=3), "law is 3"),
    (changed(spent=3), "verdict is holds but spent is 3"),
]


@pytest.mark.parametrize("text, told", DAMAGE, ids=[d[1][:25] for d in DAMAGE])
def test_a_damaged_line_is_refused_and_named(tmp_path, text, told):
    path = tmp_path / "records.jsonl"
    path.write_text(line(FINITE.as_dict()) + text.strip() + "\n")
    with pytest.raises(UsageError, match="line 2 is corrupt") as caught:
        read_records(path, sealed=False)
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_whole_cells_that_were_moved_among_the_records_are_refused(small):
    lines = (small / "records.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    for order in ([2, 3, 0, 1], [0, 2, 1, 3], [0, 2, 3, 1]):
        (small / "records.jsonl").write_bytes(b"".join(lines[k] for k in order))
        with pytest.raises(UsageError, match="lines were"):
            read_run(small)


def test_records_cut_at_every_byte_are_resumed_or_refused(small):
    """An unfinished run, cut anywhere: what is whole is kept, the rest is dropped with a note, never a
    traceback."""
    whole = (small / "records.jsonl").read_bytes()
    rewrite(small, end=None, records=None, last=...)
    cells = (small / "cells.jsonl").read_bytes()
    first = len(b"".join(whole.splitlines(keepends=True)[:2]))
    for size in range(first - 2, len(whole) + 1):
        (small / "records.jsonl").write_bytes(whole[:size])
        run = read_run(small)
        assert len(run.records) == (4 if size == len(whole) else 2 if size >= first else 0), (
            "of cells that are whole"
        )
        assert bool(run.notes) == (size not in (first, len(whole)))
    for size in (0, 1, first - 1, first, first + 1, len(whole) - 1, len(whole)):
        (small / "records.jsonl").write_bytes(whole[:size])
        (small / "cells.jsonl").write_bytes(cells)
        folder, run = Folder.reopen(small)
        folder.close()
        kept = 4 if size == len(whole) else 2 if size >= first else 0
        assert len(run.records) == kept and len(run.cells) == kept // 2
        assert (small / "records.jsonl").read_bytes() == whole[: {0: 0, 2: first, 4: len(whole)}[kept]]
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 0
    assert sorted((small / "records.jsonl").read_bytes().splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize("name", ["run.json", "cells.jsonl"])
def test_the_other_files_cut_at_every_byte_are_never_a_traceback(small, name):
    whole = (small / name).read_bytes()
    for size in range(len(whole)):
        (small / name).write_bytes(whole[:size])
        try:
            read_run(small)
        except UsageError as error:
            assert "\n" not in str(error)
            continue
        assert name == "cells.jsonl" or size == len(whole) - 1


DAMAGED_RUNS = [
    (lambda r: (r / "run.json").unlink(), "has no run.json"),
    (lambda r: (r / "run.json").write_text("{"), "run.json is corrupt"),
    (lambda r: (r / "run.json").write_text("[1]"), "run.json is corrupt"),
    (lambda r: (r / "run.json").write_bytes(b"\xff\xfe"), "run.json is corrupt"),
    (lambda r: rewrite(r, schema=SCHEMA + 1), f"schema is {SCHEMA + 1}"),
    (lambda r: rewrite(r, arguments=None), "arguments is None"),
    (lambda r: (r / "records.jsonl").unlink(), "records.jsonl does not exist"),
    (lambda r: (r / "records.jsonl").write_text("no json\n"), "line 1 is corrupt"),
    (lambda r: (r / "records.jsonl").write_bytes(b"\x00\xff\n"), "line 1 is corrupt"),
]


@pytest.mark.parametrize("command", [["report", "r"], ["replay", "r"], ["verify", "--resume", "r"]])
@pytest.mark.parametrize("damage, told", DAMAGED_RUNS)
def test_a_damaged_run_is_one_line_and_exit_2(small, capsys, command, damage, told):
    capsys.readouterr()
    damage(small)
    assert call(command) == 2
    out, err = capsys.readouterr()
    assert told in err and err.count("\n") == 1 and out == ""


def test_a_finished_run_that_lost_records_is_refused_and_repaired_by_resume(small, capsys):
    lines = (small / "records.jsonl").read_text().splitlines(keepends=True)
    (small / "records.jsonl").write_text("".join(lines[:3]))
    assert call(["report", "r"]) == 2
    assert "has 3 records, run.json counted 4" in capsys.readouterr().err
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 0
    assert "1 cells were cut off and are run again" in capsys.readouterr().err
    assert call(["report", "r"]) == 0


# ---- resuming only what is the same


OTHERWISE = {
    "--seed 1": "argument seed was 0, is 1",
    "--law D2": "argument law was 'D0,D2', is 'D2'",
    "--eta 0.5": "argument eta was None, is 0.5",
    "--profile full": "argument profile",
    "softmax": "argument cases",
}


@pytest.mark.parametrize("words, told", OTHERWISE.items())
def test_other_arguments_are_not_resumed(small, capsys, words, told):
    before = (small / "run.json").read_text(), (small / "records.jsonl").read_text()
    assert call(["verify", *words.split(), "--resume", "r"]) == 2
    assert told in capsys.readouterr().err
    assert ((small / "run.json").read_text(), (small / "records.jsonl").read_text()) == before


def test_the_same_arguments_said_again_are_resumed_without_work(small, plan, capsys):
    before = (small / "records.jsonl").read_text()
    plan.wrong = {"D0": "raises", "D2": "raises"}
    assert call([*SMALL, "--resume", "r"]) == 0
    assert (small / "records.jsonl").read_text() == before


def test_other_versions_are_not_resumed(small, capsys):
    versions = json.loads((small / "run.json").read_text())["versions"]
    rewrite(small, versions={**versions, "numpy": "1.0"})
    assert call(["verify", "--resume", "r"]) == 2
    assert "version of numpy was '1.0'" in capsys.readouterr().err


def test_a_changed_case_file_is_not_resumed(plan, capsys):
    from test_cli import GOOD_CASE

    Path("case.py").write_text(GOOD_CASE)
    assert call(["verify", "case.py", "--precision", "float64", "--jobs", "1", "--out", "r"]) == 0
    Path("case.py").write_text(GOOD_CASE.replace("2 * q[1]", "3 * q[1]"))
    assert call(["verify", "case.py", "--resume", "r"]) == 2
    assert "argument files" in capsys.readouterr().err
    for words in (["verify", "--resume", "r"], ["replay", "r"]):
        assert call(words) == 2
        assert "case.py has changed since run r" in capsys.readouterr().err


def test_a_run_of_another_instruction_set_is_not_resumed(small, capsys):
    machine = json.loads((small / "run.json").read_text())["machine"]
    rewrite(
        small,
        machine={
            **machine,
            "instructions": {**machine["instructions"], "numpy": "X86_V2", "compiler": "sse2"},
        },
    )
    assert call(["verify", "--resume", "r"]) == 2
    assert (
        "instruction set was {'architecture'" in (err := capsys.readouterr().err)
        and "'compiler': 'sse2'" in err
    )


def test_check_same_passes_what_is_the_same(small):
    from noether.plan.choices import Request

    about = json.loads((small / "run.json").read_text())
    request = Request(
        **{
            **{k: v for k, v in about["arguments"].items() if k != "files"},
            "cases": tuple(about["arguments"]["cases"]),
        }
    )
    check_same(about, request, "numpy")
    with pytest.raises(UsageError, match="backend was 'numpy', is 'triton-ptx'"):
        check_same(about, request, "triton-ptx")
