"""What runs where little is: without torch and Triton, without POSIX, and where longdouble is no wider than
float64."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from noether.kernels.loops import launch
from noether.mechanics import wide
from noether.plan.choices import Request, select
from noether.runs.planning import plan
from noether.system import resources
from noether.system.machine import EXTRAS, importable, remedy

ROOT = Path(__file__).resolve().parent.parent


def outcome(program: str, *words: str, cwd=None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", program, *words], env=importable(), cwd=cwd, capture_output=True, text=True
    )


# ---- without torch and Triton

BARE = "import sys; sys.modules.update(torch=None, triton=None, hypothesis=None)\n"
COMMAND = BARE + "from noether.__main__ import main; main()"


def test_a_run_without_torch_and_triton_decides_what_it_can(tmp_path):
    words = "verify mexican-hat-2 --law D0,D2 --rule heavy-ball --precision bfloat16 --out r --jobs 1".split()
    done = outcome(COMMAND, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "everything holds" in done.stdout and (tmp_path / "r" / "report.html").exists()


def test_where_triton_is_not_installed_b1_is_not_here_and_not_blind(monkeypatch):
    monkeypatch.setattr(launch, "installed", lambda package: False)
    planned = plan(select(Request()))
    assert "B1" in planned.left_out and "B1" not in planned.laws and planned.backend == "numpy"
    assert [n for n in planned.notes if n.startswith("law B1 is not here") and "noether-harness[triton]" in n]
    with pytest.raises(launch.BackendMissing, match=r"law B1 is not here.*noether-harness\[triton\]"):
        plan(select(Request(law="B1")))


def test_where_triton_is_and_cannot_run_b1_is_blind(monkeypatch):
    monkeypatch.setattr(launch, "installed", lambda package: True)
    monkeypatch.setattr(launch, "missing", lambda backend: "" if backend == "numpy" else "it fails")
    planned = plan(select(Request()))
    assert "B1" in planned.laws and not planned.left_out


def test_a_bare_folder_named_triton_is_not_triton(tmp_path):
    (tmp_path / "no_such_package").mkdir()
    program = "import sys; sys.path.insert(0, '.'); from noether.kernels.loops.launch import installed\n"
    done = outcome(program + "print(installed('no_such_package'), installed('numpy'))", cwd=tmp_path)
    assert done.stdout.split() == ["False", "True"], done.stderr


def test_doctor_names_the_extra_of_everything_that_is_missing(tmp_path):
    program = (
        "from importlib import metadata\nimport noether.system.machine as m\nm.version_of = lambda name: "
        "None\n"
    )
    done = outcome(
        BARE
        + program
        + "from noether.cli.doctor import software\nprint(*(f.remedy for f in software()), sep='\\n')"
    )
    for package in ("torch", "triton", "heyoka"):
        assert remedy(package) in done.stdout.splitlines()
    assert "pip install noether-harness" in done.stdout.splitlines()  # numpy and the rest


def test_every_extra_that_is_named_is_one_of_the_project():
    import tomllib

    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = about["optional-dependencies"]
    for package, extra in EXTRAS.items():
        assert any(word.startswith(package) for word in extras[extra]), f"{extra} does not have {package}"
    assert {"triton", "torch", "fuzz", "loky", "dask", "mpi", "all", "dev", "reference", "bench"} <= set(
        extras
    )
    heavy = ("torch", "triton", "hypothesis", "pytest", "jax", "numba", "heyoka", "loky", "dask", "mpi4py")
    assert not [word for word in about["dependencies"] if word.startswith(heavy)]
    assert "noether-harness[all]" in extras["dev"]  # make installs what it tests


# ---- without POSIX

NO_POSIX = """
import asyncio, multiprocessing, os, signal, subprocess, sys, tempfile  # python's own, which has other ways
import concurrent.futures.process, importlib.metadata, select
import hypothesis, jinja2, mpmath, numpy, rich.progress, scipy.integrate, scipy.linalg, scipy.stats
import sympy, threadpoolctl, typer
sys.modules.update(torch=None, triton=None)
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"):
    sys.modules[name] = None
for name in ("fork", "getuid", "geteuid", "getgid", "kill" + "pg", "setpgid", "setsid", "waitid",
             "O_CLOEXEC", "O_NOFOLLOW", "O_DIRECTORY", "sched_getaffinity",
             "getpgid", "fchmod", "sysconf", "uname"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGALRM", "SIGKILL", "SIGHUP", "SIGUSR1", "setitimer", "getitimer", "alarm", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)
"""


def test_without_posix_every_module_imports_and_what_decides_nothing_runs(tmp_path):
    names = [
        ".".join(["noether", *p.relative_to(ROOT / top).with_suffix("").parts])
        if top == "harness"
        else ".".join(["noether", top, *p.relative_to(ROOT / top).with_suffix("").parts])
        for top in ("harness", "kernels", "cases")
        for p in sorted((ROOT / top).rglob("*.py"))
    ]
    names = [n.removesuffix(".__init__") for n in names if not n.endswith(("__main__", ".loop_numba"))]
    program = (
        "import importlib\ncount = 0\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        importlib.import_module(name)\n        count += 1\n"
        "    except ModuleNotFoundError as error:\n"
        # kernels, the site of the documentation, and audits of PyTorch's optimizers
        "        known = 'triton', 'mkdocs', 'griffe', 'torch'\n"
        "        if error.name.split('.')[0] not in known: raise\n"
        "from noether.cli.main import call\n"
        "for words in ['laws'], ['explain', 'D2'], ['doctor']:\n"
        "    if call(words): raise SystemExit(words[0])\n"
        "print(count)"
    )
    done = outcome(NO_POSIX + program, *names, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 0.8 * len(names) < int(done.stdout.split()[-1]) <= len(names) and len(names) > 400


# ---- a longdouble of 53 bits


def test_longdouble_is_wide_enough_here_and_measured():
    assert wide.mantissa_bits() == np.finfo(np.longdouble).nmant >= wide.EXTENDED


def test_a_run_says_at_its_start_that_longdouble_is_too_narrow(monkeypatch, tmp_path, capsys):
    from noether.cli.main import call

    monkeypatch.setattr(wide, "WIDE", np.float64)
    assert wide.mantissa_bits() == 52
    monkeypatch.chdir(tmp_path)
    for words in ("verify mexican-hat-2", "faults", "fuzz --for 1s", "map", "discover softmax"):
        assert call(words.split()) == 3
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and "longdouble has 52 mantissa bits" in said.err
    assert not list(tmp_path.iterdir())
    assert call(["doctor"]) == 3
    assert "cannot verify here: longdouble" in capsys.readouterr().out


def test_a_worker_whose_longdouble_is_too_narrow_gives_no_verdict(monkeypatch):
    from noether.runs.execute import run_cell

    monkeypatch.setattr(wide, "WIDE", np.float64)
    done = run_cell(import_module("fakes").Cell("c", "D0", "case", "heavy-ball", "float64", 0))
    assert done.records == [] and "TooNarrow" in done.error


# ---- what goes with the package


def test_the_files_of_the_package_are_those_of_the_working_tree():
    assert resources.tree() == ROOT
    assert {resources.path(name) for name in resources.IN_TREE} == {
        ROOT / "docs" / "theory.md",
        ROOT / "baseline.json",
        ROOT / "docs" / "schema" / "record.schema.json",
        ROOT / "docs" / "schema" / "run.schema.json",
    }
    assert all(resources.path(name).is_file() for name in resources.IN_TREE)
