"""The bytes of a case file that are digested are the bytes that run, whatever lies beside or comes later."""

import importlib.util
import marshal
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from test_cli import GOOD_CASE

from noether.plan.casefiles import load, reads, trial_process
from noether.plan.casefiles.source import sha256
from noether.plan.choices import Request, select
from noether.system import processstate
from noether.system.machine import importable
from noether.system.usage import UsageError

LOW = GOOD_CASE.replace("0.5", "LOW")
EVIL = "open('ran', 'w').write('evil')\nLOW = 0.25\n"


def case(text: str, imports: str, name: str = "own") -> str:
    return f"{imports}\n{text}".replace('name="own"', f'name="{name}"')


def lazy(statement: str) -> str:
    """A case whose loss imports when it is called."""
    return GOOD_CASE.replace(
        "def loss(q, xp):\n    return (", f"def loss(q, xp):\n    {statement}\n    return LOW * ("
    )


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in list(sys.modules):
        if "helper" in name or name.startswith("noether_case_"):
            del sys.modules[name]


def plant(source: Path, text: str, kind: str) -> None:
    """A compiled file in place of the source's, of other code: as python takes it for the source's own."""
    cached = Path(importlib.util.cache_from_source(str(source)))
    cached.parent.mkdir(exist_ok=True)
    about = source.stat()
    if kind == "same size and time":
        rest = (
            (0).to_bytes(4, "little")
            + int(about.st_mtime).to_bytes(4, "little")
            + (about.st_size & 0xFFFFFFFF).to_bytes(4, "little")
        )
    else:  # the hash of the source, which is not checked
        rest = (1).to_bytes(4, "little") + importlib.util.source_hash(source.read_bytes())
    cached.write_bytes(importlib.util.MAGIC_NUMBER + rest + marshal.dumps(compile(text, str(source), "exec")))


BY_ITS_FILE = """
import importlib.util as u, pathlib
p = pathlib.Path(__file__).parent / 'helper.py'
s = u.spec_from_file_location('helper', p)
m = u.module_from_spec(s)
s.loader.exec_module(m)
LOW = m.LOW
"""
WAYS = {
    "beside": "from helper import LOW",
    "in the loss": "",
    "in a package": "from package.helper import LOW",
    "search path": "import sys; sys.path.insert(0, 'elsewhere'); from helper import LOW",
    "by its file": BY_ITS_FILE,
    "by runpy": "import runpy; LOW = runpy.run_path('helper.py')['LOW']",
}


@pytest.mark.parametrize("kind", ["same size and time", "unchecked"])
@pytest.mark.parametrize("way", WAYS)
def test_a_planted_pyc_never_runs_and_the_text_is_in_the_digest(here, way, kind):
    at = {"in a package": "package/helper.py", "search path": "elsewhere/helper.py"}.get(way, "helper.py")
    Path(at).parent.mkdir(exist_ok=True)
    Path(at).write_text("LOW = 0.5\n")
    Path("case.py").write_text(
        lazy("from helper import LOW") if way == "in the loss" else case(LOW, WAYS[way])
    )
    for source in (Path(at), Path("case.py")):
        plant(source, EVIL, kind)
    (chosen,) = select(Request(cases=("case.py",))).cases
    assert chosen.box[0][0] == 0.5 and not Path("ran").exists()
    assert load.files(["case.py"]) == {w: sha256(Path(w).read_bytes()) for w in ("case.py", at)}


@pytest.mark.parametrize("folder", [".", "modules"])
def test_a_module_on_the_search_path_of_whoever_asks_runs_from_its_text(here, monkeypatch, folder):
    """As under `python -m noether`, which puts the working directory there, and with PYTHONPATH."""
    Path("there").mkdir()
    Path(folder).mkdir(exist_ok=True)
    Path(folder, "helper_of_path.py").write_text("LOW = 0.5\n")
    plant(Path(folder, "helper_of_path.py"), EVIL, "same size and time")
    monkeypatch.syspath_prepend(str(Path(folder).resolve()))
    Path("there/case.py").write_text(case(LOW, "from helper_of_path import LOW"))
    (chosen,) = select(Request(cases=("there/case.py",))).cases
    assert chosen.box[0][0] == 0.5 and not Path("ran").exists()
    assert str(Path(folder, "helper_of_path.py").resolve()) in load.files(["there/case.py"])


def test_what_lies_in_memory_is_of_users_and_other_devices_are_of_the_system():
    assert not reads.installed("/dev/shm/helper.py") and not reads.installed("/tmp/helper.py")
    assert reads.installed("/dev/urandom") and reads.installed(os.path.realpath(os.__file__))


def test_what_has_no_text_is_refused(here):
    for name in ("helper.pyc", "other.so"):
        Path(name).write_bytes(b"")
    for name in ("helper", "other"):
        Path("case.py").write_text(case(LOW, f"from {name} import LOW"))
        with pytest.raises(UsageError, match="is compiled: a case file must be made of text alone"):
            select(Request(cases=("case.py",)))
    Path("third.py").write_text("LOW = 0.5\n")
    Path("case.py").write_text(case(LOW, "import importlib; LOW = importlib.import_module('third').LOW"))
    with pytest.raises(UsageError, match="must be imported by import third, or importlib.import_module"):
        select(Request(cases=("case.py",)))
    Path("case.py").write_text(
        case(LOW, "import importlib; LOW = importlib.import_module('.third', __package__).LOW")
    )
    assert select(Request(cases=("case.py",))).cases and "third.py" in load.files(["case.py"])


def test_packages_folders_and_relative_imports_are_found_beside_the_file(here):
    for at, text in {
        "package/__init__.py": "from .inner import A\nfrom package.deeper import B",
        "package/inner.py": "A = 0.25",
        "package/deeper/__init__.py": "B = 0.125",
        "folder/part.py": "C = 0.125",
        "plain.py": "from folder import part\nC = part.C",
    }.items():
        Path(at).parent.mkdir(exist_ok=True)
        Path(at).write_text(text)
    imports = (
        "import package, package.inner as i, folder.part\nfrom . import plain\nfrom package import deeper"
    )
    imports += "\nLOW = package.A + deeper.B + plain.C"
    Path("case.py").write_text(case(LOW, imports))
    (chosen,) = select(Request(cases=("case.py",))).cases
    assert chosen.box[0][0] == 0.5 and len(load.files(["case.py"])) == 6
    assert not any(name.partition(".")[0] in ("package", "folder", "plain") for name in sys.modules)


def test_helpers_of_one_name_in_two_folders_do_not_meet_even_in_a_loss(here):
    for folder, low in (("a", 0.5), ("b", 0.75)):
        Path(folder).mkdir()
        Path(folder, "helper.py").write_text(f"LOW = {low}\n")
        Path(folder, "case.py").write_text(case(lazy("from helper import LOW"), "", name=folder))
    a, b = select(Request(cases=("a/case.py", "b/case.py"))).cases
    assert [c.loss((1.0, 0.0), None) for c in (a, b, a)] == [0.5, 0.75, 0.5]


def test_data_that_a_case_reads_are_in_the_digest(here):
    Path("data.csv").write_text("0.5\n")
    Path("late.csv").write_text("0.5\n")
    read = "import numpy as np; LOW = float(np.loadtxt('late.csv'))"
    Path("case.py").write_text(
        case(
            lazy(read),
            "import numpy as np, pathlib; X = np.loadtxt(pathlib.Path(__file__).parent / 'data.csv')",
        )
    )
    (chosen,) = select(Request(cases=("case.py",))).cases
    assert sorted(load.files(["case.py"])) == ["case.py", "data.csv", "late.csv"]
    Path("late.csv").write_text("0.7\n")
    with pytest.raises(
        UsageError, match=r"late.csv, which has changed: its sha256 is \w{64}, must be \w{64}"
    ):
        chosen.loss((1.0, 0.0), None)


CHANGED = {"case.py": "# more\n", "helper.py": "LOW = 0.25\n", "late.py": "A = 2\n", "data.csv": "0.75\n"}


@pytest.mark.parametrize("which", CHANGED)
def test_what_changes_between_the_trial_and_the_run_never_runs(here, which):
    Path("helper.py").write_text("LOW = 0.5\n")
    Path("late.py").write_text("A = 1\n")
    Path("data.csv").write_text("0.5\n")
    text = lazy("import late").replace("0.5", "LOW")
    Path("case.py").write_text(case(text, "from helper import LOW\nX = open('data.csv').read()"))
    report = trial_process.tried("case.py")
    Path(which).write_text(Path(which).read_text() + CHANGED[which])
    if which == "case.py":
        assert load.load("case.py", report) and load.files(["case.py"])["case.py"] == sha256(report.text)
        return
    with pytest.raises(UsageError, match=f"case file case.py reads .*{which}, which has changed"):
        load.load("case.py", report)


def test_a_case_cannot_catch_that_it_was_refused(here):
    Path("data.csv").write_text("0.5\n")
    Path("case.py").write_text(
        case(LOW, "try:\n    LOW = float(open('data.csv').read())\nexcept Exception:\n    LOW = 0.25")
    )
    report = trial_process.tried("case.py")
    Path("data.csv").write_text("0.7\n")
    with pytest.raises(UsageError, match="data.csv, which has changed"):
        load.load("case.py", report)


WORKER = """
import pickle, sys
from noether.plan.casefiles import load as casefile
sources, function = pickle.load(sys.stdin.buffer)
print(casefile.install(sources), casefile.install(sources))
print(pickle.loads(function)((1.0, 0.0), None))
"""


def worker(*words: str) -> subprocess.CompletedProcess:
    """A new process that is sent the texts and a loss, and calls it."""
    select(Request(cases=words))
    sent = pickle.dumps((load.sources(words), pickle.dumps(load.LOADED["own"].loss)))
    return lambda: subprocess.run(
        [sys.executable, "-c", WORKER], input=sent, capture_output=True, env=importable()
    )


def test_a_worker_runs_the_text_that_it_was_sent_and_not_the_file(here):
    Path("helper.py").write_text("LOW = 0.5\n")
    Path("case.py").write_text(lazy("from helper import LOW"))
    ask = worker("case.py")
    for name in ("helper.py", "case.py"):
        Path(name).write_text(EVIL)
    assert ask().stdout.split(b"\n")[:2] == [b"[] []", b"0.5"] and not Path("ran").exists()
    for name in ("helper.py", "case.py"):
        Path(name).unlink()
    assert ask().stdout.split(b"\n")[:2] == [b"[] []", b"0.5"]


@pytest.mark.parametrize("gone", [False, True])
def test_a_worker_with_other_data_fails_by_name_when_a_function_is_called(here, gone):
    Path("data.csv").write_text("0.5\n")
    Path("case.py").write_text(case(lazy("LOW = X"), "X = float(open('data.csv').read())"))
    ask = worker("case.py")
    Path("data.csv").unlink() if gone else Path("data.csv").write_text("0.75\n")
    done = ask()
    told = b"which cannot be read here: No such file" if gone else b"which is another one here: its sha256 is"
    assert told in done.stdout.split(b"\n")[0] and done.returncode == 1
    assert b"UsageError: case file case.py reads" in done.stderr and told in done.stderr


def test_a_traceback_shows_the_lines_that_ran(here):
    Path("case.py").write_text(case(lazy("LOW = 1.0 if q is not None else 1 / 0"), ""))
    (chosen,) = select(Request(cases=("case.py",))).cases
    Path("case.py").write_text("# nothing\n" * 9)
    try:
        chosen.loss(None, None)
    except ZeroDivisionError as error:
        assert traceback.extract_tb(error.__traceback__)[-1].line == "LOW = 1.0 if q is not None else 1 / 0"
    else:
        pytest.fail("nothing was raised")


MEDDLING = """
import decimal, os, signal, sys, warnings
import mpmath, numpy as np
np.seterr(all='raise'); mpmath.mp.dps = 5; os.chdir('/'); os.environ['OMP_NUM_THREADS'] = '1'
sys.setrecursionlimit(5000); decimal.getcontext().prec = 3; warnings.simplefilter('error'); np.random.seed(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN); np.exp = np.sin; os.umask(0)
from noether.laws.exact import judge
judge.spent_of = lambda residual: residual * 0
"""


def test_what_a_case_does_to_the_process_is_taken_back_when_it_is_loaded(here):
    Path("case.py").write_text(case(GOOD_CASE, MEDDLING))
    import mpmath  # noqa: F401
    import numpy as np

    from noether.laws.exact import judge

    before, exp, spent = processstate.capture(deep=True), np.exp, judge.spent_of
    assert select(Request(cases=("case.py",))).cases
    assert (
        before.differences() == [] and np.exp is exp and judge.spent_of is spent and os.getcwd() == str(here)
    )
