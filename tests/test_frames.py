"""The records of a Result as frames, plots and Parquet, and what is said where a package is not installed."""

import json
import math

import pytest
from plainest import record, silent
from test_result import WRONG, made

from noether.api import frame
from noether.api.extras import ExtraMissing
from noether.cli.main import call
from noether.system.usage import UsageError
from noether.verdicts.record import VERDICTS, VIOLATED

# ---- frames


def test_a_frame_has_one_row_a_verdict_and_loses_nothing(run):
    pandas = pytest.importorskip("pandas", reason="pandas is in the extra data")
    table = run.to_frame()
    assert isinstance(table, pandas.DataFrame) and list(table) == list(frame.COLUMNS)
    assert len(table) == len(run.records) > 20
    assert list(table.fault.isna()) == [r.fault is None for r in run.records]
    for name in ("spent", "measured", "predicted", "bound"):
        mine = [math.nan if getattr(r, name) is None else getattr(r, name) for r in run.records]
        assert str(list(map(float, table[name]))) == str(list(map(float, mine))), name
    assert [json.loads(x) for x in table.parameters] == [frame.plain(r.parameters) for r in run.records]
    held = table[table.fault.isna()].groupby("law").spent.max()
    assert held.to_dict() == {row.law: row.worst_spent for row in run.rows}
    assert set(table.verdict) <= set(VERDICTS)
    assert list(table.title) == [frame.titled(r.law) for r in run.records]


AWKWARD = (
    record("D2", parameters={"eta": [0.1, 0.2], "statement": "x", "W": math.inf}, **WRONG, fault="f"),
    silent(law="D3", reason="é", worst=None),
    record("O3", measured=math.nan, verdict=VIOLATED, spent=math.inf, powers={"a": 0.5, "b": 2.0}),
    record("O3", worst={"lane": 3, "step": 1, "component": None, "q": ["0x1p+0"]}, lanes=2**31),
)


def test_a_frame_takes_nulls_infinities_and_whatever_parameters_hold():
    pytest.importorskip("pandas", reason="pandas is in the extra data")
    table = made(*AWKWARD).to_frame()
    assert list(table.spent)[::2] == [math.inf, math.inf] and math.isnan(table.spent[1])
    assert json.loads(table.parameters[0]) == {"eta": [0.1, 0.2], "statement": "x", "W": "inf"}
    assert table.power[2] == 2.0 and table.lane[3] == 3 and table.lanes[3] == 2**31
    assert table.component.isna().all() and table.fault.isna().sum() == 3


def test_a_frame_of_polars_tells_a_null_from_a_nan():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table = made(*AWKWARD).to_frame(backend="polars")
    assert isinstance(table, polars.DataFrame) and table.columns == list(frame.COLUMNS)
    assert table["measured"].is_null().to_list() == [False, True, False, False]
    assert table["measured"].is_nan().to_list()[2] and table["spent"].max() == math.inf


def test_an_unknown_backend_of_a_frame_is_refused(run):
    with pytest.raises(UsageError, match="did you mean polars"):
        run.to_frame(backend="polar")
    for wrong in (None, 3, ["pandas"]):
        with pytest.raises(UsageError, match="backend of a frame is .*, must be one of pandas, polars"):
            run.to_frame(wrong)


@pytest.mark.parametrize(
    "package, ask",
    [
        ("pandas", lambda r: r.to_frame()),
        ("polars", lambda r: r.to_frame("polars")),
        ("pyarrow", lambda r: r.to_parquet("never.parquet")),
        ("matplotlib", lambda r: r.plot("D2")),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(package, ask, monkeypatch):
    monkeypatch.setattr("noether.api.extras.import_module", absent)
    how = "pip install polars" if package == "polars" else r"pip install 'noether-harness\[data\]'"
    with pytest.raises(ExtraMissing, match=f"needs {package}, which is not installed: {how}") as error:
        ask(made(record("D2")))
    assert isinstance(error.value, ImportError) and isinstance(error.value, UsageError)


def absent(name):
    raise ModuleNotFoundError(f"No module named {name}", name=name.partition(".")[0])


# ---- plots


@pytest.fixture
def drawn():
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is in the extra data")
    matplotlib.use("Agg")
    yield matplotlib
    matplotlib.pyplot.close("all")


def test_verdicts_stand_inside_their_bounds_where_a_law_holds(run, drawn):
    ax = run.plot("d2")
    mine = [r for r in run.records if r.law == "D2" and r.fault is None]
    (dots,) = ax.lines
    assert sorted(abs(dots.get_ydata())) == sorted(r.spent for r in mine)
    assert ax.get_ylim()[1] > 1 and len(ax.patches) == 1  # the band from -1 to 1
    assert ax.get_title(loc="left").startswith("D2: ")


def test_a_violation_stands_outside_the_band_and_what_is_not_finite_is_counted(drawn):
    far = record("D2", verdict=VIOLATED, spent=400.0, measured=-4.0, predicted=0.0)
    ax = made(record("D2"), far, record("D2", **WRONG), silent(law="D2"), code=1).plot("D2")
    (dots,) = ax.lines
    assert -400.0 in dots.get_ydata() and ax.get_yscale() == "symlog"
    assert "2 without a finite number are not shown" in ax.get_xlabel()


def test_the_figure_of_a_law_is_drawn_from_its_record(run, drawn):
    ax = run.plot("O3", case="product")
    r, plot = tables_first(run, "O3")
    drawn_lines = {tuple(sorted(map(float, line.get_ydata()))) for line in ax.lines}
    for values in plot["series"].values():
        assert tuple(sorted(values)) in drawn_lines
    assert ax.get_xscale() == "log" and ax.get_xlabel() == plot["xlabel"]


def tables_first(run, law):
    from noether.report.page.plots import ranked

    return ranked(r for r in run.records if r.law == law and r.fault is None)[0]


def test_a_measured_course_is_dots_in_the_band_of_its_bound(drawn):
    data = {"x": [0.0, 1.0], "y": [1.0, 2.0], "predicted": [1.0, 2.5], "label": "charge against t"}
    ax = made(record("T1", data=data)).plot("T1")
    (band,) = ax.collections
    low, high = band.get_paths()[0].vertices[:, 1].min(), band.get_paths()[0].vertices[:, 1].max()
    assert (low, high) == (0.0, 3.5)  # predicted with the bound of the record, 1
    styles = {line.get_label(): (line.get_linestyle(), line.get_marker()) for line in ax.lines}
    assert styles["measured"] == ("None", "o") and styles["predicted"] == ("-", "None")


def test_a_law_or_case_that_was_not_judged_is_refused(run, drawn):
    with pytest.raises(UsageError, match="law is 'T1', must be one of D2, D4, O3"):
        run.plot("T1")
    with pytest.raises(UsageError, match="case of law D2 is 'rayleigh', must be one of product"):
        run.plot("D2", case="rayleigh")
    with pytest.raises(UsageError, match="case of law D2 is 3, must be one of product"):
        run.plot("D2", case=3)
    with pytest.raises(UsageError, match="ax is 3, must be Axes of matplotlib, or left out for new ones"):
        run.plot("D2", ax=3)


@pytest.mark.parametrize("empty", [[], [record("T1", fault="doubled")]])
def test_of_a_run_without_verdicts_nothing_can_be_plotted(empty, drawn):
    with pytest.raises(UsageError, match="^this run has no verdict: a plot needs one at least$"):
        made(*empty).plot("T1")


# ---- Parquet


def test_parquet_has_the_columns_of_the_frame_and_every_number(run, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is in the extra data")
    path = run.to_parquet()
    assert path == run.folder / "records.parquet"
    table = parquet.read_table(path).to_pydict()
    assert str(table) == str(frame.columns(run.records))  # text of floats is exact, and a NaN is equal to one
    other = made(*AWKWARD).to_parquet(tmp_path / "a.parquet")
    assert str(parquet.read_table(other).to_pydict()) == str(frame.columns(AWKWARD))


def test_parquet_needs_a_place(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is in the extra data")
    with pytest.raises(UsageError, match="path is missing"):
        made(record()).to_parquet()
    with pytest.raises(UsageError, match="cannot be written"):
        made(record()).to_parquet(tmp_path / "no" / "such" / "folder.parquet")
    for wrong in (3, "", True, b"a"):
        with pytest.raises(UsageError, match="path is .*, must be the name of a file"):
            made(record()).to_parquet(wrong)
    with pytest.raises(UsageError, match="cannot be written: embedded null"):
        made(record()).to_parquet("a\0b")


def test_the_command_writes_parquet_beside_the_records(run, capsys, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is in the extra data")
    (run.folder / "records.parquet").unlink(missing_ok=True)
    assert call(["report", str(run.folder), "--json"]) == 0
    assert not [x for x in json.loads(capsys.readouterr().out)["pages"] if "parquet" in x]
    assert call(["report", str(run.folder), "--parquet", "--json"]) == 0
    assert str(run.folder / "records.parquet") in json.loads(capsys.readouterr().out)["pages"]
    assert call(["report", "a", "b", "--parquet"]) == 2
    assert "--parquet goes with one run" in capsys.readouterr().err
    monkeypatch.setattr("noether.api.extras.import_module", absent)
    assert call(["report", str(run.folder), "--parquet"]) == 2
    assert "pip install 'noether-harness[data]'" in capsys.readouterr().err
