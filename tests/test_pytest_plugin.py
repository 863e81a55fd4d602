"""The fixture `noether`, as a user's test meets it: in a pytest of its own."""

import doctest
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from noether.system.machine import importable

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "docs" / "examples"
# Plugins of other people may import numpy early; an installed noether would bring its plugin a second time.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
PLUGIN = ["-p", "noether.cli.pytest_plugin"]


def pytest_of_a_user(folder: Path, *arguments) -> tuple[int, str]:
    environment = {**importable(ROOT / "tests"), **ALONE}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *PLUGIN, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


FAKE = """
import sys
import fakes, noether.plan
sys.modules["noether.plan.design"] = noether.plan.design = fakes.Plan("noether.plan.design")
noether.plan.design.wrong = {"D2": "violated"}
"""
TESTS = """
import sys
import pytest

EARLY = set(sys.modules)

def test_nothing_heavy_comes_with_the_plugin():
    assert not EARLY & {"numpy", "scipy", "sympy", "torch", "triton", "typer", "rich"}

def test_one_law(noether):
    assert noether.holds("my_case.py", law="D0").exit_code == 0

def test_all(noether):
    noether.verify("my_case.py", precisions="float64")

def test_an_assertion_can_be_expected(noether):
    with pytest.raises(AssertionError, match="a law is violated: D2"):
        noether.holds("my_case.py:RATIO", law="D2")

def test_false(noether):
    noether.verify("false_symmetry.py")
"""


def test_a_failing_test_shows_what_is_violated_and_how_to_replay_it(tmp_path):
    for name in ("my_case.py", "false_symmetry.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    (tmp_path / "test_own.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture(autouse=True)\ndef fake():\n"
        + "\n".join(f"    {x}" for x in FAKE.strip().splitlines())
    )
    code, out = pytest_of_a_user(tmp_path, "--basetemp", tmp_path / "base", "test_own.py")
    assert code == 1 and "2 failed, 3 passed" in out, out
    assert "AssertionError: noether: a law is violated: D2" in out
    assert "my-ratio scale heavy-ball float64 numpy: lane 0 <moves> & more" in out
    assert (
        f"noether replay {tmp_path}/base/test_all0/run1 --law D2 --cell D2/my-ratio/float64 --symmetry scale"
        in out
    )
    assert (tmp_path / "base/test_all0/run1/records.jsonl").exists(), "the run that is to be replayed is kept"
    assert (
        f"UsageError: case file {tmp_path}/false_symmetry.py: symmetry rotation is false: <grad f, xi> is"
        in out
    )
    assert "harness/runs/run.py" not in out, "a traceback through the harness helps nobody who wrote a test"


def test_an_installed_noether_brings_its_plugin():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert PLUGIN[1] in told["project"]["entry-points"]["pytest11"].values()


def test_the_example_of_the_documentation_passes():
    code, out = pytest_of_a_user(ROOT, EXAMPLES / "test_my_case.py")
    assert code == 0 and "2 passed" in out, out


def test_the_session_that_the_documentation_shows_is_what_comes(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testfile(
        str(ROOT / "docs" / "own_case.md"),
        module_relative=False,
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert found.attempted > 5 and not found.failed


def test_the_documentation_shows_the_files_that_are_run():
    text = (ROOT / "docs" / "own_case.md").read_text()
    for name in ("my_case.py", "test_my_case.py"):
        assert (EXAMPLES / name).read_text().strip() in text, f"docs/own_case.md shows another {name}"


@pytest.mark.parametrize("word", ["rayleigh", "./there.py", "there.py:NAME", "elsewhere.py"])
def test_a_file_is_looked_for_beside_the_test_then_where_one_is(tmp_path, monkeypatch, word):
    from noether.cli.pytest_plugin import Noether

    beside, here = tmp_path / "tests", tmp_path / "here"
    for folder in (beside, here):
        folder.mkdir()
    (beside / "there.py").touch()
    monkeypatch.chdir(here)
    expected = {
        "rayleigh": "rayleigh",
        "./there.py": f"{beside}/there.py",
        "there.py:NAME": f"{beside}/there.py:NAME",
        "elsewhere.py": f"{here}/elsewhere.py",
    }
    assert Noether(tmp_path, beside).found(word) == expected[word]
