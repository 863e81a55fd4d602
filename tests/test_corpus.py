"""The corpus is replayed first; a file says exactly what it is, and whatever else it may be is refused in one
line."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.campaigns.fuzz import corpus
from noether.campaigns.fuzz.batch import run_batch
from noether.campaigns.fuzz.corpus import Entry
from noether.campaigns.fuzz.minimise import minimise
from noether.campaigns.fuzz.next_batch import Batch, GridPoint
from noether.campaigns.fuzz.probe import Probe
from noether.cases import CATALOG
from noether.cli import main
from noether.system.usage import UsageError

ROOT = Path(__file__).resolve().parent.parent
KEPT = sorted((ROOT / "corpus").glob("*.json"))
HAT = next(c for c in CATALOG if c.name == "mexican-hat")


@pytest.mark.parametrize("path", KEPT, ids=lambda p: p.stem)
def test_what_was_once_violated_holds_now(path):
    found = corpus.replay(corpus.read(path))
    assert not found.again, found.line


def test_the_corpus_is_not_empty():
    assert KEPT, "corpus/ has no file: nothing was replayed"


@pytest.fixture(scope="module")
def planted() -> Entry:
    """A violation of D0 by eta as float32."""
    probe = Probe("numpy", "eta as float32")
    found = run_batch(
        Batch(0, GridPoint("mexican-hat", "heavy-ball", "float64", "ordinary"), 40, 8, 5), probe
    )
    subject, worst, _ = next(v for v in found.violations if v[0].law == "D0")
    return Entry(subject, minimise(subject, worst, probe), worst, {"numpy": "x"}, {"seed": 0, "batch": 3})


@pytest.fixture
def kept(planted, tmp_path) -> Path:
    return corpus.write(tmp_path / "corpus", planted)


def test_a_file_gives_back_every_bit(planted, kept):
    back = corpus.read(kept)
    assert back.subject == planted.subject and back.origin == planted.origin
    for mine, theirs in ((back.minimal, planted.minimal), (back.worst, planted.worst)):
        assert np.array_equal(mine.numbers, theirs.numbers) and (mine.lanes, mine.steps) == (
            theirs.lanes,
            theirs.steps,
        )
    assert kept.name.startswith("D0-mexican-hat-heavy-ball-float64-")


def by_hand(kept) -> dict:
    """What stands in an entry, but for its check, which whoever changes it takes out."""
    return {name: value for name, value in json.loads(kept.read_text()).items() if name != "check"}


def test_a_violation_comes_back_and_a_fixed_one_is_told(kept):
    entry = corpus.read(kept)
    again = corpus.replay(entry)
    assert again.again == "minimal" and again.spent > 1 and "violated again" in again.line
    honest = corpus.replay(replace(entry, subject=replace(entry.subject, plant="")))
    assert not honest.again and "fixed" in honest.line


def test_a_violated_corpus_ends_a_run_before_it_starts(kept, capsys, monkeypatch):
    monkeypatch.chdir(kept.parent.parent)
    assert main.call(["fuzz", "mexican-hat", "--batches", "3", "--jobs", "1", "--backend", "numpy"]) == 1
    out = capsys.readouterr().out
    assert kept.name in out and "violated again" in out and "0 batches" in out


def test_a_fixed_corpus_is_told_and_the_run_goes_on(kept, capsys, monkeypatch):
    monkeypatch.chdir(kept.parent.parent)
    value = by_hand(kept)
    kept.write_text(json.dumps({**value, "plant": ""}))
    assert main.call(["fuzz", "mexican-hat", "--batches", "3", "--jobs", "1", "--backend", "numpy"]) == 0
    assert "fixed" in capsys.readouterr().out and kept.exists()


BROKEN = {
    "no object": lambda v: [v],
    "another schema": lambda v: {**v, "schema": 99},
    "no law": lambda v: {k: x for k, x in v.items() if k != "law"},
    "unknown law": lambda v: {**v, "law": "D99"},
    "unknown rule": lambda v: {**v, "rule": "adam"},
    "unknown case": lambda v: {**v, "case": "atlantis"},
    "a number for a case": lambda v: {**v, "case": 7},
    "unknown precision": lambda v: {**v, "precision": "float8"},
    "unknown backend": lambda v: {**v, "backend": "abacus"},
    "unknown symmetry": lambda v: {**v, "law": "D2", "symmetry": "boost"},
    "no minimal": lambda v: {k: x for k, x in v.items() if k != "minimal"},
    "no lanes": lambda v: {**v, "minimal": {**v["minimal"], "lanes": 0}},
    "too many steps": lambda v: {**v, "minimal": {**v["minimal"], "steps": 10**9}},
    "no hex": lambda v: {**v, "minimal": {**v["minimal"], "eta": ["a tenth"]}},
    "not finite": lambda v: {**v, "worst": {**v["worst"], "eps": ["inf"]}},
    "too short a start": lambda v: {**v, "minimal": {**v["minimal"], "start": [["0x1p0"]]}},
    "no number of the store": lambda v: {
        **v,
        "precision": "bfloat16",
        "minimal": {**v["minimal"], "start": [["0x1.000001p0"] * 3]},
    },
    "text for a step": lambda v: {**v, "minimal": {**v["minimal"], "steps": "2"}},
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_corrupt_file_is_refused_in_one_line(kept, what, capsys, monkeypatch):
    kept.write_text(json.dumps(BROKEN[what](by_hand(kept))))
    monkeypatch.chdir(kept.parent.parent)
    assert main.call(["fuzz", "mexican-hat", "--batches", "1", "--jobs", "1"]) == 2
    told = capsys.readouterr().err
    assert kept.name in told and len(told.splitlines()) == 1
    assert not (kept.parent.parent / "runs").exists()


@given(st.data())
@settings(max_examples=60)
def test_damaged_bytes_are_refused_or_harmless(planted, tmp_path_factory, data):
    path = corpus.write(tmp_path_factory.mktemp("c"), planted)
    raw = bytearray(path.read_bytes())
    how = data.draw(st.sampled_from(["cut", "byte", "noise"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    if how == "cut":
        raw = raw[:at]
    elif how == "byte":
        raw[at] = data.draw(st.integers(0, 255))
    else:
        raw = bytearray(data.draw(st.binary(max_size=200)))
    path.write_bytes(bytes(raw))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            corpus.read(path)
        except UsageError as error:
            assert path.name in str(error) and "\n" not in str(error)


def test_a_corpus_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "corpus").write_text("")
    assert main.call(["fuzz", "--batches", "1", "--corpus", str(tmp_path / "corpus")]) == 2
    assert "is a file, must be a folder" in capsys.readouterr().err
