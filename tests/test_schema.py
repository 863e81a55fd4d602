"""docs/schema says what records.jsonl and run.json are: no more and no less than the code that reads and
writes them."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from plainest import record, silent

from noether.runs import run_json
from noether.runs.records_file import KINDS, line, parse
from noether.system import seal
from noether.verdicts import record as records
from noether.verdicts.record import SCHEMA, VERDICTS, VIOLATED, Record

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is in the extra dev")
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"
SCHEMAS = {
    name: json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8")) for name in ("record", "run")
}
WORST = {"lane": 0, "step": 3, "component": None, "start": ["0x1.0p+0"], "eta": "-0x1.8p-3"}
FULL = record(
    "D2",
    parameters={"eta": [0.1, 0.2], "statement": "x", "W": float("inf")},
    worst=WORST,
    replay="noether replay r",
    symmetry="rotation",
    powers={"eta": 0.5},
    cell="c",
)


def read(name):
    return jsonschema.Draft202012Validator(SCHEMAS[name])


def written(r: Record) -> dict:
    """A record as its line of records.jsonl has it."""
    return json.loads(seal.sealed(line(r.as_dict())))


def accepted(value: dict) -> bool:
    """Whether the reader of run folders takes a line."""
    try:
        parse(json.dumps(value))
    except (ValueError, TypeError):
        return False
    return True


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_schema_and_tells_every_field_in_a_sentence(name):
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    for field, says in {"it": schema, **schema["properties"]}.items():
        told = says["description"]
        assert len(told.split()) >= 4 and told.endswith(".") and told[0].isalnum(), field


def test_it_has_the_fields_of_a_record_and_its_check():
    schema, own = SCHEMAS["record"], [f.name for f in fields(Record)]
    assert set(schema["properties"]) == {*own, "check"} == {*KINDS, "check"}
    assert schema["required"] == list(schema["properties"])
    assert schema["properties"]["verdict"]["enum"] == list(VERDICTS)
    assert schema["properties"]["schema"]["const"] == SCHEMA
    kinds = {records.ROUNDING, records.ORDER, records.STATISTICAL, records.BITWISE}
    assert set(schema["properties"]["kind"]["enum"]) == kinds


def test_it_has_the_fields_of_run_json():
    schema = SCHEMAS["run"]
    assert set(schema["properties"]) == {*run_json.FIELDS, "schema", seal.FIELD}
    needed = {name for name, kind in run_json.FIELDS.items() if kind.needed}
    assert needed <= set(schema["required"]) <= needed | {"schema", "id", seal.FIELD}
    assert schema["properties"]["schema"]["const"] == SCHEMA


def test_every_record_of_a_run_is_as_it_says(run):
    lines = (run.folder / "records.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(run.records) > 20 and any(r.fault for r in run.records)
    for text in lines:
        read("record").validate(json.loads(text))
    read("run").validate(json.loads((run.folder / "run.json").read_text("utf-8")))


@pytest.mark.parametrize(
    "r",
    [
        FULL,
        silent(law="D3"),
        record(verdict=VIOLATED, spent=float("inf"), measured=float("nan"), bound=float("-inf"), fault="f"),
        record(worst={"lane": None, "step": 0, "component": 2, "q": ["inf", "nan"]}, kind=records.BITWISE),
    ],
)
def test_records_of_every_kind_are_as_it_says(r):
    read("record").validate(written(r))


@pytest.mark.parametrize("name", SCHEMAS["record"]["properties"])
def test_a_record_that_lacks_a_field_is_none(name):
    value = written(FULL)
    del value[name]
    assert not read("record").is_valid(value)


WRONG = (None, True, 3.5, -1, "", "word", [], ["0x1.0p+0"], {}, {"a": "b"}, {"lane": -1}, {"q": ["x"]}, 2**40)


@pytest.mark.parametrize("name", KINDS)
def test_what_the_reader_refuses_is_no_record(name):
    """Of each field: values of every type, and some that are of the right one and out of range."""
    refused = 0
    for value in WRONG:
        line_of = {**written(FULL), name: value}
        if not accepted(line_of):
            refused += 1
            assert not read("record").is_valid(line_of), f"{name} is {value!r}"
    assert refused >= 3, "the reader takes everything: nothing was compared"


@pytest.mark.parametrize(
    "name, value",
    [
        ("verdict", "maybe"),
        ("kind", "guess"),
        ("schema", 4),
        ("spent", 1.5),
        ("spent", "inf"),
        ("spent", None),
        ("lanes", 1.5),
        ("check", "0" * 15),
        ("predicted", "1.0"),
        ("fault", 0),
    ],
)
def test_a_value_of_another_kind_makes_no_record(name, value):
    right = written(FULL)
    assert read("record").is_valid(right) and not read("record").is_valid({**right, name: value})


def test_a_field_of_a_later_version_is_let_pass():
    value = {**written(FULL), "later": 1}
    assert read("record").is_valid(value) and accepted(value)


@pytest.mark.parametrize(
    "name", ["laws", "versions", "arguments", "seconds", "exit_code", "strict", "command"]
)
def test_a_run_json_with_a_field_of_another_type_is_none(run, name):
    value = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert read("run").is_valid({**value, "command": "faults"})
    assert not read("run").is_valid({**value, name: [3]})
