"""docs/data.md does what it says: its code is run from top to bottom, and its ways into databases find the
same numbers."""

import json
import math
import re
from pathlib import Path

import pytest

from noether.verdicts.record import Record

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python ?(\w*)\n(.*?)^```$", PAGE, re.M | re.S)
NUMBERS = ("predicted", "measured", "bound", "spent")


SIZE = 'backend="numpy", lanes=24, steps=16, rules="gradient-descent,heavy-ball"'
SMALLER = ('precisions="float64"', f'precisions="float64", {SIZE}')


def run_blocks(*kinds: str) -> dict:
    """Run the blocks of these kinds, in order, with a smaller run where they verify; what they leave."""
    names: dict = {"json": json}
    for kind, code in BLOCKS:
        if kind in kinds:
            exec(compile(code.replace(*SMALLER), "docs/data.md", "exec"), names)
    return names


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder in which the page is followed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_code_of_each_kind():
    kinds = [kind for kind, _ in BLOCKS]
    assert (
        PAGE.count(SMALLER[0]) == 1
        and kinds.count("") > 10
        and kinds.count("duckdb") == 2
        and kinds.count("polars") == 2
    )


def test_the_code_of_the_page_runs(folder):
    for package in ("matplotlib", "pandas", "pyarrow", "xarray"):
        pytest.importorskip(package, reason=f"{package} is in the extra data")
    pytest.importorskip("jsonschema", reason="jsonschema is in the extra dev")
    import matplotlib

    matplotlib.use("Agg")
    names = run_blocks("")
    made = {"d2.pdf", "o1.pdf", "charge.pdf", "laws.tex", "runs"}
    assert {p.name for p in folder.iterdir()} == made and names["result"].exit_code == 0
    assert names["run"].lanes == 3 and names["flow"].lanes == 2
    matplotlib.pyplot.close("all")


@pytest.fixture
def paper(folder, run):
    """The run of the page, here the small run of all tests."""
    pytest.importorskip("pyarrow", reason="pyarrow is in the extra data")
    (folder / "runs").mkdir()
    (folder / "runs" / "paper").symlink_to(run.folder)
    run.to_parquet()
    return run


def worst(records: list[Record]) -> dict[str, float]:
    """Law -> what it spends most, by hand."""
    out: dict[str, float] = {}
    for r in records:
        if r.fault is None and r.spent is not None:
            out[r.law] = max(out.get(r.law, 0.0), r.spent)
    return out


def test_duckdb_reads_both_files(paper, capsys):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    run_blocks("duckdb")
    assert "O3" in capsys.readouterr().out
    for query in re.findall(r'"""(select law.*?)"""', PAGE, re.S):
        rows = duckdb.sql(query).fetchall()
        assert {row[0]: row[-1] for row in rows} == worst(paper.records), query
    assert sum(r.spent == math.inf for r in paper.records) > 3, "no infinity: nothing was to be misread"
    for name in NUMBERS:
        found = duckdb.sql(f"select {name}::double from 'runs/paper/records.jsonl'").fetchall()
        assert sorted(str(x) for (x,) in found) == sorted(str(getattr(r, name)) for r in paper.records)


def test_polars_reads_both_files(paper):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    records = run_blocks("polars")["records"]
    parquet = polars.read_parquet("runs/paper/records.parquet")
    for table in (records, parquet):
        real = table.filter(polars.col("fault").is_null())
        assert dict(real.group_by("law").agg(polars.col("spent").max()).rows()) == worst(paper.records)
        for name in NUMBERS:
            mine = sorted(str(getattr(r, name)).lower() for r in paper.records)
            assert sorted(str(x).lower() for x in table[name]) == mine
    texts = [sorted(json.dumps(json.loads(x)) for x in t["parameters"]) for t in (records, parquet)]
    assert [json.loads(x) for x in texts[0]] == [json.loads(x) for x in texts[1]]
