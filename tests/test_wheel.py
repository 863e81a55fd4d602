"""The wheel and the sdist: whole, and at peace with whoever has folders named as ours.

The wheel is built from the sdist, without the network, and unpacked where nothing else of ours is. A stand-in
is installed beside it for the package `kernels`, which is much used beside Triton.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from processes import python

from noether.system import resources

ROOT = Path(__file__).resolve().parent.parent
ABOUT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAPPED = ABOUT["tool"]["setuptools"]["package-dir"]
BUILD = (
    "import os, sys; from setuptools import build_meta as b; os.chdir(sys.argv[1]); print(getattr(b, "
    "'build_' + sys.argv[2])(sys.argv[3]))"
)


def packages(root: Path) -> set[str]:
    """What has an __init__.py below a mapped folder, by the name that it is imported as."""
    found = set()
    for name, folder in MAPPED.items():
        for init in (root / folder).rglob("__init__.py"):
            found.add(".".join([name, *init.parent.relative_to(root / folder).parts]))
    return found


def unlisted(root: Path, listed: list[str]) -> list[str]:
    return sorted(packages(root) ^ set(listed))


def test_every_package_is_listed_or_it_is_not_in_the_wheel():
    assert len(packages(ROOT)) > 15
    assert unlisted(ROOT, ABOUT["tool"]["setuptools"]["packages"]) == []


def test_a_package_that_was_forgotten_is_seen(tmp_path):
    for folder in MAPPED.values():
        (tmp_path / folder / "new").mkdir(parents=True)
        (tmp_path / folder / "new" / "__init__.py").touch()
    assert unlisted(tmp_path, []) == ["noether.cases.new", "noether.kernels.new", "noether.new"]


def test_no_python_file_lies_in_a_folder_that_is_no_package():
    """It would be importable from the working tree and missing in the wheel."""
    for folder in MAPPED.values():
        for file in (ROOT / folder).rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), f"{file.parent} has no __init__.py"


# ---- built


def built(kind: str, source: Path, into: Path) -> Path:
    into.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(source), kind, str(into)], capture_output=True, text=True, cwd=into
    )
    assert done.returncode == 0, done.stderr
    return into / done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    """Of a copy of what git knows: a build writes into the tree."""
    found = importlib.util.find_spec("setuptools")
    if found is None:
        pytest.skip("setuptools is not installed: nothing can be built")
    import setuptools

    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip(f"setuptools is {setuptools.__version__}, must be 77 or later to build")
    tree = tmp_path_factory.mktemp("tree") / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    tree.mkdir()
    for entry in ROOT.iterdir():
        if entry.is_dir() and entry.name in ("harness", "kernels", "cases", "tests", "docs", "corpus", ".ci"):
            shutil.copytree(entry, tree / entry.name, ignore=ignored)
        elif entry.is_file() and entry.name != ".git":
            shutil.copy2(entry, tree)
    return built("sdist", tree, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    (top,) = place.iterdir()
    return top


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory) -> Path:
    """Built from the sdist."""
    return built("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory) -> Path:
    """A folder of installed packages: ours, and the stand-in."""
    place = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    (place / "kernels").mkdir()
    (place / "kernels" / "__init__.py").write_text("WHOSE = 'the index'\n", encoding="utf-8")
    return place


def installed(site: Path, words: list[str], cwd: Path) -> subprocess.CompletedProcess:
    """Python with `site` first, and no other trace of this project."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "COV"))}
    return python(*words, cwd=cwd, env={**environment, "PYTHONPATH": str(site)})


def test_the_sdist_is_the_whole_working_tree(unpacked):
    for folder in ("harness", "kernels", "cases", "tests", "docs", "corpus", ".ci"):
        wanted = {
            p.relative_to(ROOT)
            for p in (ROOT / folder).rglob("*")
            if p.is_file() and "__pycache__" not in p.parts
        }
        assert wanted and not {p for p in wanted if not (unpacked / p).is_file()}
    files = "Makefile constraints.txt pyproject.toml setup.py baseline.json LICENSE CITATION.cff"
    for name in (*files.split(), "README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        assert (unpacked / name).read_bytes() == (ROOT / name).read_bytes()
    assert not list(unpacked.rglob("__pycache__"))


def test_the_wheel_has_every_module_and_what_they_read(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for package, folder in MAPPED.items():
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert "/".join([*package.split("."), *file.relative_to(ROOT / folder).parts]) in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"noether"}
    for name in resources.IN_TREE:
        assert zipfile.ZipFile(wheel).read(f"noether/data/{name}") == resources.path(name).read_bytes()


WITHIN = """
import sys
from noether.system import resources
from noether.report.github import law_place, fault_place
from noether.system.machine import commit
from noether.runs.regression import SHIPPED
from noether.cli.main import call
assert resources.tree() is None and commit() is None, commit()
assert SHIPPED.is_file() and law_place("T1")[0].is_file() and fault_place("no-op kernel")[0].is_file()
sys.exit(call(["explain", "D2"]) or call(["cases"]) or call(["show", "rayleigh"]))
"""


def test_from_the_wheel_laws_are_explained_and_the_baseline_is_there(site, tmp_path):
    # In a repository of somebody else, whose commit is none of ours.
    (tmp_path / ".git").mkdir()
    done = installed(site, ["-c", WITHIN], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The first moment of Adam is such a p" in " ".join(done.stdout.split())
    assert "rayleigh" in done.stdout


def test_stress_says_that_it_needs_the_working_tree(site, tmp_path):
    done = installed(site, ["-m", "noether.labs.stress.campaign", "kills"], tmp_path)
    assert done.returncode == 2 and "needs the working tree" in done.stderr


PROJECT = {
    "harness/__init__.py": "WHOSE = 'my harness'\n",
    "cases/__init__.py": "WHOSE = 'my cases'\n",
    "tests/__init__.py": "",
    "kernels/__init__.py": "WHOSE = 'my kernels'\n",
    "tests/my_case.py": (ROOT / "docs" / "examples" / "my_case.py").read_text(encoding="utf-8"),
    "tests/test_mine.py": """
import cases, harness, kernels, noether, noether.cases, noether.kernels

def test_my_packages_are_mine():
    assert [x.WHOSE for x in (harness, cases, kernels)] == ['my harness', 'my cases', 'my kernels']
    assert not hasattr(noether.cases, 'WHOSE') and not hasattr(noether.kernels, 'WHOSE')

def test_my_loss_keeps_its_law(noether):
    result = noether.holds('my_case.py', law='D2', rules='heavy-ball', precisions='float64', backend='numpy')
    assert result.exit_code == 0 and result.records

def test_the_api_is_there():
    from noether import Case, verify
    assert callable(verify) and Case.__module__ == 'noether.cases.case'
""",
}


def test_a_project_with_folders_of_our_names_keeps_its_own_and_has_the_fixture(site, tmp_path):
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = installed(site, ["-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    # The package of the index is the one that is imported where the project has none of its own.
    shutil.rmtree(tmp_path / "kernels")
    done = installed(
        site, ["-c", "import kernels, noether.kernels.loops.launch; print(kernels.WHOSE)"], tmp_path
    )
    assert done.stdout.strip() == "the index", done.stderr


def test_another_distribution_that_writes_into_our_package_is_named(site, tmp_path):
    """The one that is named noether on the index: before it overwrites ours doctor tells, afterwards every
    import."""
    both = tmp_path / "both"
    shutil.copytree(site, both)
    theirs = both / "noether-1.1.dist-info"
    theirs.mkdir()
    (theirs / "METADATA").write_text("Metadata-Version: 2.1\nName: noether\nVersion: 1.1\n", encoding="utf-8")
    (theirs / "top_level.txt").write_text("noether\n", encoding="utf-8")
    done = installed(
        both,
        ["-c", "from noether.cli.doctor import package; print(package().value, '|', package().remedy)"],
        tmp_path,
    )
    assert (
        "shared with noether, which overwrites" in done.stdout and "pip uninstall noether," in done.stdout
    ), done.stderr
    (both / "noether" / "__init__.py").write_text("UNITS = {}\n", encoding="utf-8")
    done = installed(both, ["-c", "from noether.__main__ import main; main()", "cases"], tmp_path)
    assert done.returncode == 70 and "pip uninstall noether" in done.stderr


# ---- not installed


def test_make_gpu_installs_nothing_and_imports_through_a_folder_of_links(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    command = ["make", "-n", "gpu", f"NOETHER_PYTHON={sys.executable}"]
    told = subprocess.check_output(command, cwd=ROOT, text=True)
    assert "pip" not in told and "venv" not in told.replace(sys.executable, "")
    assert "build/import" in told and "-m noether.labs.gpu" in told
    for folder in MAPPED.values():
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", tmp_path)
    subprocess.run(["make", "-s", "build/import"], cwd=tmp_path, check=True)
    # -S: no site-packages, where noether may be installed; what it needs comes by name.
    needed = [str(Path(importlib.util.find_spec("numpy").origin).parent.parent)]
    program = (
        "import sys; sys.path += sys.argv[1:]; import noether, noether.kernels.loops.launch, noether.cases; "
        "print(noether.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "build" / "import")}
    done = python("-S", "-c", program, *needed, cwd="/", env=environment)
    assert done.returncode == 0 and done.stdout.startswith(str(tmp_path / "build" / "import")), done.stderr
