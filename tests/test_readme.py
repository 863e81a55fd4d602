"""The README is short, its case is a case, its table is one that a run prints, and its picture is what the
code draws."""

import re
from pathlib import Path

import numpy as np
import pytest

from noether import verify
from noether.labs import charge_picture
from noether.laws.continuous.comparison import bounds
from noether.plan.design import LAWS
from noether.report.law_table import COLUMNS

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = re.compile(r"^    (\w+) +(.+?) {2,}\d+ +(?:equal|[\d.]+(?: of \d)?) {2,}", re.MULTILINE)


def titles_that_no_run_prints(text: str) -> list[str]:
    """The laws of the table whose title is not that of the law, or the beginning of it before a '…'."""
    wrong = []
    for law, title in TABLE.findall(text):
        ours = LAWS[law].title if law in LAWS else ""
        whole = ours.startswith(title[:-1]) if title.endswith("…") else ours == title
        wrong += [] if ours and whole else [law]
    return wrong


def test_the_readme_has_at_most_150_lines_and_both_commands():
    assert len(TEXT.splitlines()) <= 150
    assert all(f"    make {target} " in TEXT for target in ("verify", "test"))


def test_the_table_has_the_columns_and_titles_of_a_run():
    header = next(line for line in TEXT.splitlines() if line.startswith("    law  "))
    assert re.split(r"  +", header.strip()) == list(COLUMNS)
    assert len(TABLE.findall(TEXT)) == 8 and titles_that_no_run_prints(TEXT) == []
    told = re.findall(r"^\| ([a-z ]+?) \| [A-Z`]", TEXT, re.MULTILINE)
    assert told == list(COLUMNS), "each column is explained, in the order of the table"


def test_a_title_that_is_no_title_is_seen():
    assert titles_that_no_run_prints("    D2   another title      129   0.968  x\n") == ["D2"]


def test_the_case_of_the_readme_holds(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 10
    (tmp_path / "ring.py").write_text(code, encoding="utf-8")
    result = verify(tmp_path / "ring.py", laws="D2,D3", precisions="float64", backend="numpy")
    assert result.exit_code == 0 and {row.law for row in result.rows} == {"D2", "D3"}


def test_the_picture_of_a_charge_is_what_the_code_draws():
    solution = charge_picture.solved()
    assert charge_picture.picture(solution) == (ROOT / charge_picture.PICTURE).read_text(encoding="utf-8")
    run, whole = solution.run, np.ones(charge_picture.POINTS, dtype=bool)
    measured, friction = (lambda t: t.j[:, 0]), (lambda t: t.memory(0))
    off = np.max(np.abs(measured(run) - friction(run)), axis=0)
    symmetric, asymmetric = off / bounds(solution, 0, whole, friction, measured)
    assert symmetric <= 1 < 1e9 < asymmetric, "friction alone, to its rounding; and far more"
    assert run.j[-1, 0, 1] * run.j[0, 0, 1] < 0, "a change of sign"


def test_a_prediction_without_its_kinetic_source_is_not_drawn(monkeypatch):
    solution = charge_picture.solved()
    monkeypatch.setattr(type(solution.run), "predicted", type(solution.run).memory)
    with pytest.raises(ValueError, match="bounds from predicted, must be at most 1"):
        charge_picture.picture(solution)
