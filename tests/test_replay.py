"""Every record of a run has a line that picks it and only it, and gives its numbers again, whatever the
law."""

import shlex
import shutil
from pathlib import Path

import plainest
import pytest
from test_plan import quick

from noether.cli import main
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell
from noether.laws.networks import cells as networks
from noether.plan.choices import Request, select
from noether.runs import execute as executing
from noether.runs import run
from noether.runs.execute import run_cell
from noether.runs.folder import Folder
from noether.runs.replaying import Replays, line, pick
from noether.runs.saved_run import read_run
from noether.system.usage import UsageError

ROOT = Path(__file__).resolve().parent.parent
NUMPY = Request(backend="numpy")


def kept(path, request, done):
    """A run folder of these (cell name, records), as noether.runs.run writes it."""
    folder = Folder.create(
        path,
        {
            "arguments": run.arguments(request),
            "seed": request.seed,
            "backend": request.backend,
            "laws": [],
            "left_out": [],
        },
    )
    for name, records in done:
        for r in records:
            r.cell = name
        for r in records:
            r.replay = line(r, records, path)
        folder.record(name, records, 0.0)
    folder.finish(0)
    folder.close()
    return read_run(path)


def chosen(found, replay):
    """What the command line makes of a replay line."""
    words = shlex.split(replay)
    assert words[:3] == ["noether", "replay", str(found.path.absolute())]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    nth = options.pop("--nth", None)
    return pick(found, None, {name[2:]: word for name, word in options.items()}, nth and int(nth))


def made_up(cell):
    """For each law of a cell two records that nothing tells apart, one of a symmetry, one of a planted
    fault."""
    about = dict(case=cell.case.name, rule=cell.rule, backend=cell.backend, precision=cell.precision)
    about |= dict(spent=0.0, worst={"lane": 0})
    more = ({}, {}, {"symmetry": "scale"}, {"symmetry": "scale", "fault": "no-op kernel"})
    return [plainest.record(law, **about, **m) for law in cell.laws for m in more]


def test_every_line_of_a_whole_quick_run_picks_its_record_and_finds_its_cell(tmp_path):
    found = kept(tmp_path / "r", NUMPY, [(cell.name, made_up(cell)) for cell in quick()])
    replays, lanes = Replays(found), 0
    assert len(found.records) > 700 and all(r.replay for r in found.records)
    for record in found.records:
        cell = replays.cell(record)
        lanes += cell is None
        assert chosen(found, record.replay) is record, record.replay
        assert cell is None and record.law in EXACT and not record.fault or cell.name == record.cell
    assert 100 < lanes < len(found.records)


LAUNCHES = ("exact", "faults", "covariance", "response")
MODULES = """normalisation.cell orders.runs continuous.comparison response.cell map.cells published.cells
    averages.minibatch averages.stationary covariance.cells networks.trained_cells"""
NETWORKS = "networks.trained_cells"


def kind_of(cell) -> str:
    """The kind of launch of a cell, or the module of its family."""
    return cell.kind if isinstance(cell, LaunchCell) else type(cell).__module__.removeprefix("noether.laws.")


def test_the_kinds_of_cells_are_those_of_a_quick_run():
    without_torch = {NETWORKS} if networks.not_here() else set()
    assert {kind_of(cell) for cell in quick()} == {*LAUNCHES, *MODULES.split()} - without_torch


@pytest.mark.parametrize("kind", [*LAUNCHES, *MODULES.split()])
def test_a_record_of_every_kind_of_cell_gives_its_numbers_again(kind, tmp_path, monkeypatch):
    if kind == NETWORKS and (missing := networks.not_here()):
        pytest.skip(missing)
    small = ("free-particle", "mexican-hat", "rayleigh", "product")
    some = [cell for cell in quick() if kind_of(cell) == kind]
    cell = min(some, key=lambda c: (c.case.name not in small, len(c.name)))
    done = run_cell(cell)
    assert done.records and done.error is None
    found = kept(tmp_path / "r", NUMPY, [(cell.name, done.records)])
    replays = Replays(found)
    replays.cells = {cell.name: cell}  # as the test above finds it
    again = list(executing.execute([cell]))  # once for both of its records
    monkeypatch.setattr(executing, "execute", lambda cells, own: again)
    for record in {bool(r.fault): r for r in found.records}.values():
        equal, text = replays.again(record)
        assert equal and "equal to the bit" in text, text


def test_a_number_that_does_not_come_back_is_told(tmp_path):
    cell = next(c for c in quick() if c.laws == ("P4",))
    found = kept(tmp_path / "r", NUMPY, [(cell.name, run_cell(cell).records)])
    replays, record = Replays(found), found.records[-1]
    record.measured *= 1 + 1e-15
    equal, text = replays.again(record)
    assert not equal and "NOT EQUAL: measured" in text and repr(record.measured) in text
    record.fault = "of another name"
    assert not replays.again(record)[0]


def test_a_run_of_ones_own_file_with_overrides_replays_from_another_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "a/cases").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    shutil.copy(ROOT / "docs/examples/my_case.py", tmp_path / "a/cases/own.py")
    monkeypatch.chdir(tmp_path / "a")
    words = "verify cases/own.py --law D0,O2 --rule gradient-descent --precision float64 --eta 0.0625"
    words += " --steps 12 --backend numpy --jobs 1 --out r --seed 3"
    assert main.call(words.split()) in (0, 3)
    found = read_run(Path("r"))
    monkeypatch.chdir(tmp_path / "b")
    some = {(r.law, bool(r.fault)): r for r in found.records}
    assert {law for law, _ in some} == {"D0", "O2"}
    for r in some.values():
        assert main.call(shlex.split(r.replay)[1:]) == 0, capsys.readouterr()
    (tmp_path / "a/cases/own.py").write_text((tmp_path / "a/cases/own.py").read_text() + "\n")
    assert main.call(shlex.split(some["D0", False].replay)[1:]) == 2
    assert "has changed since" in capsys.readouterr().err
    (tmp_path / "a/cases/own.py").unlink()
    assert main.call(shlex.split(some["D0", False].replay)[1:]) == 2
    assert "own.py" in (err := capsys.readouterr().err) and "is gone" in err


def test_a_cell_that_is_not_in_the_plan_says_so(tmp_path):
    cell = next(c for c in quick() if "T1" in c.laws)
    found = kept(tmp_path / "r", NUMPY, [("T1/unheard-of", made_up(cell)[:1])])
    with pytest.raises(UsageError, match="its plan here and now has not"):
        Replays(found).cell(found.records[0])


@pytest.mark.parametrize(
    ("options", "said"),
    [({"nth": 3}, "--nth is 3, must be from 1 to 2"), ({"wanted": {"fault": "none"}}, "fault is 'none'")],
)
def test_a_choice_that_fits_nothing_is_refused(tmp_path, options, said):
    cell = next(c for c in quick() if "D2" in c.laws)
    found = kept(
        tmp_path / "r",
        NUMPY,
        [
            (
                cell.name,
                [r for r in made_up(cell) if r.law == "D2"][:2] + [r for r in made_up(cell) if r.fault][:1],
            )
        ],
    )
    with pytest.raises(UsageError, match=said):
        pick(found, None, options.get("wanted", {"law": "d2"}), options.get("nth"))


def test_the_plan_of_a_run_is_planned_again_from_what_run_json_keeps(tmp_path):
    request = Request(
        cases=("mexican-hat",), law="O3,D0", rule="heavy-ball", seed=7, eta=0.125, lanes=5, backend="numpy"
    )
    there = {c.name for c in run.plan(select(request)).cells}
    assert there and set(Replays(kept(tmp_path / "r", request, [])).cells) == there
