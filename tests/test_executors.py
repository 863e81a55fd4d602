"""Cells through other engines, and runs in parts: the records are those of a serial run, nothing is lost or
doubled."""

from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from test_crew import Cell

from noether.api.verify import verify
from noether.plan.choices import Request
from noether.runs import engine, executors, run, shards
from noether.runs.execute import execute
from noether.runs.records_file import line
from noether.runs.result import How
from noether.system.usage import CannotRun, UsageError

REQUEST = Request(
    cases=("product",), law="D0", rule="heavy-ball,sign-descent", precision="float64", backend="numpy"
)


def told(records) -> list[str]:
    return sorted(line({k: v for k, v in r.as_dict().items() if k not in shards.FATE}) for r in records)


@pytest.fixture(scope="module")
def serial():
    found = run.run(REQUEST, record=False, how=How(1))
    assert found.exit_code == 0 and found.records
    return told(found.records)


def test_threads_of_one_process_do_not_meet(serial):
    with ThreadPoolExecutor(2) as pool:
        found = run.run(REQUEST, record=False, how=How(2, executor=executors.given(pool)))
    assert found.exit_code == 0 and told(found.records) == serial


@pytest.mark.parametrize("name", ["loky", "concurrent.futures:ThreadPoolExecutor"])
def test_an_engine_by_name_finds_what_a_serial_run_finds(name, serial):
    if name == "loky":
        pytest.importorskip("loky", reason="the extra loky is not installed")
    found = run.run(REQUEST, record=False, how=How(2, executor=executors.engine(name, 2)))
    assert found.exit_code == 0 and told(found.records) == serial


class Fragile(Executor):
    """Threads; it breaks at the `at`-th submission as the standard library's pool does, and forgets what it
    had."""

    made = 0

    def __init__(self, at: int):
        self.pool, self.at, self.count = ThreadPoolExecutor(2), at, 0
        self.futures: list[Future] = []
        Fragile.made += 1

    def submit(self, function, /, *arguments, **words):
        self.count += 1
        if self.count > self.at:
            for future in self.futures:
                if not future.done():
                    future.cancel()
            raise BrokenExecutor("a process of it died")
        self.futures.append(self.pool.submit(function, *arguments))
        return self.futures[-1]

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.pool.shutdown(wait=False, cancel_futures=True)


def test_an_executor_that_breaks_again_and_again_loses_and_doubles_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(engine.time, "sleep", lambda s: None)
    cells = [Cell(f"c{k}", folder=str(tmp_path)) for k in range(7)]
    sending = engine.Engine(lambda: Fragile(2 + Fragile.made), "fragile")
    done = [d.cell for d in execute(cells, executor=sending)]
    assert sorted(done) == sorted(c.name for c in cells) and Fragile.made > 1


def test_an_executor_that_always_breaks_is_one_line(monkeypatch):
    monkeypatch.setattr(engine, "RESTARTS", 2)
    monkeypatch.setattr(engine.time, "sleep", lambda s: None)
    with pytest.raises(
        CannotRun, match="was lost 3 times, the last time by BrokenExecutor: a process of it died"
    ):
        list(execute([Cell("a")], executor=engine.Engine(lambda: Fragile(0), "fragile")))


def test_a_cell_that_kills_its_process_is_named_and_the_others_go_on(tmp_path):
    cells = [Cell("a"), Cell("bad", "dies", str(tmp_path)), Cell("b")]
    with ThreadPoolExecutor(2) as pool:
        done = {d.cell: d for d in execute(cells, executor=executors.given(pool))}
    assert done["a"].records and done["b"].records and "signal 9" in done["bad"].lost


def test_a_worker_of_other_versions_is_refused(monkeypatch):
    from noether.runs.worker import Setting

    with pytest.raises(
        CannotRun, match="noether is .*, 0.0 where the run was started: they must be the same"
    ):
        engine.remote(
            b"", Setting(), 1.0, tuple((n, "0.0" if n == "noether" else v) for n, v in engine.same())
        )


@pytest.mark.parametrize(
    "word, what",
    [
        ("teh", "must be process, loky, dask, mpi"),
        ("dask", "must be dask:ADDRESS"),
        ("nowhere.at.all:make", "No module named 'nowhere'"),
        ("json:loads_not", "has no attribute"),
        ("json:__name__", "must be a function that gives an executor"),
        (":x", "must be module:factory"),
        ("loky:3", "--jobs says how many"),
    ],
)
def test_a_wrong_engine_is_refused_in_one_line(word, what):
    if word.startswith(("dask", "loky")):
        pytest.importorskip("distributed" if word.startswith("dask") else "loky")
    with pytest.raises(UsageError) as caught:
        executors.engine(word, 2)
    assert what in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_executor_is_refused():
    with pytest.raises(UsageError, match="gives a int, must give an executor"):
        list(execute([Cell("a")], executor=engine.Engine(lambda: executors.checked(0, "x:y"), "x:y")))
    with pytest.raises(UsageError, match="gives a list"):
        verify("mexican-hat", executor=[])


def test_an_entry_point_is_an_engine(monkeypatch):
    class Point:
        name = "mine"

        def load(self):
            return lambda rest: ThreadPoolExecutor(int(rest))

    monkeypatch.setattr(
        executors, "entry_points", lambda group: [Point()] if group == "noether.runs.executors" else []
    )
    done = list(execute([Cell("a"), Cell("b")], executor=executors.engine("mine:2", 1)))
    assert len(done) == 2 and all(d.records for d in done)


def test_a_case_file_travels_as_text_and_is_looked_for_nowhere(tmp_path):
    """The file is gone before the first cell is sent, and with it the module beside it."""
    import shutil

    example = Path(__file__).resolve().parent.parent / "docs" / "examples" / "my_case.py"
    (tmp_path / "beside.py").write_text("TWO = 2\n")
    (tmp_path / "own.py").write_text(
        "from beside import TWO\n" + example.read_text().replace("scale(2)", "scale(TWO)")
    )

    class Late(ThreadPoolExecutor):
        def submit(self, *call):
            shutil.rmtree(tmp_path, ignore_errors=True)
            return super().submit(*call)

    where = dict(cases=(str(tmp_path / "own.py"),), backend="numpy")
    request = Request(**where, law="D0", rule="heavy-ball", precision="float64,float32")
    with Late(1) as pool:
        found = run.run(request, record=False, how=How(1, executor=executors.given(pool)))
    assert not tmp_path.exists() and found.exit_code == 0 and not found.lost, found


def test_a_run_whose_executor_is_lost_says_how_to_go_on(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "RESTARTS", 1)
    monkeypatch.setattr(engine.time, "sleep", lambda s: None)
    with pytest.raises(
        CannotRun, match=f"0 records are kept: go on with noether verify --resume {tmp_path / 'r'}"
    ):
        run.run(
            REQUEST, out=tmp_path / "r", how=How(1, executor=engine.Engine(lambda: Fragile(0), "fragile"))
        )
    again = run.run(REQUEST, resume=tmp_path / "r", how=How(1))
    assert again.exit_code == 0
