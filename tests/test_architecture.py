"""The house keeps its shape: imports point one way, every citation leads somewhere.

Each check is a function of a folder that returns what is wrong in it, so that it can be shown a planted
fault.
"""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from imports import circle, computed, graph, imported, modules

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("cases", "kernels", "harness")
ROOMS = (
    "cases.case cases.covector cases.declared cases.exact_numbers cases.iteration cases.matrices "
    "cases.residues cases.rule cases.rule_declared cases.rule_shapes cases.step_sizes",
    "cases.losses",
    "cases.rules",
    "cases",
    "kernels.cache_folders kernels.evaluation_order kernels.signals",
    "kernels.programs",
    "kernels.ptx",
    "kernels.loops",
    "kernels.fused",
    "kernels",
    *"system mechanics verdicts faults optimizers networks laws".split(),
    *"plan runs campaigns report api cli labs".split(),
)
"""Each imports those before it and itself, lazily too; noether itself stands above all rooms."""
EXCEPTIONS = {("noether.cli.commands.bench", "labs")}
"""(module, room): `noether bench` is a command, and what it runs is a lab."""
COMPUTED = {
    "harness/api/extras.py": "packages of the extra data",
    "harness/__init__.py": "the public names, each imported when it is asked for",
    "harness/labs/bench/peers/__init__.py": "tools that are extras",
    "harness/system/named.py": "what a word names that is audited or asked for: the user's own",
    "harness/runs/executors.py": "executors that are extras, or the user's own",
    "harness/campaigns/audit/package.py": "packages under audit",
    "harness/campaigns/audit/plants.py": "modules of torch.optim, of which copies are made",
    "harness/plan/casefiles/load.py": "the user's case files",
    "harness/plan/casefiles/package.py": "the user's case files",
}
"""Where a module may be imported by a name that is not written there, and why."""
HEAVY = {"torch", "triton"}


def forbidden_imports(root: Path, folder: str, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(root)} imports {name}"
        for path in modules(root, folder)
        for name in sorted({target.split(".")[0] for target, _ in imported(path)} & forbidden)
    ]


def room(module: str) -> int:
    """The place of a module's room in ROOMS, by the longest name that fits; noether itself is above all."""
    inside = module.removeprefix("noether").removeprefix(".")
    places = {name: n for n, names in enumerate(ROOMS) for name in names.split()}
    fits = [name for name in places if f"{inside}.".startswith(f"{name}.")]
    if not fits:
        assert inside in ("", "__main__"), f"{module} is in no room: the test does not know where it stands"
        return len(ROOMS)
    return places[max(fits, key=len)]


def upward(found: dict[str, dict[str, int]]) -> list[str]:
    """Imports of a room that comes later."""
    return [
        f"{module}:{line} imports {target}, of a later room"
        for module, targets in found.items()
        for target, line in targets.items()
        if room(target) > room(module)
        and not any(
            module == one and f"{target}.".startswith(f"noether.{other}.") for one, other in EXCEPTIONS
        )
    ]


def computed_imports(root: Path) -> dict[str, list[int]]:
    """File -> lines on which it imports by a computed name."""
    found = {p.relative_to(root).as_posix(): computed(p) for f in FOLDERS for p in modules(root, f)}
    return {path: lines for path, lines in found.items() if lines}


def strangers(root: Path) -> list[str]:
    """What lies at the top of harness/ and is no room."""
    known = {name for name in ROOMS if "." not in name} | {"__init__.py", "__main__.py", "py.typed"}
    return sorted(p.name for p in (root / "harness").iterdir() if p.name not in known | {"__pycache__"})


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, int]]:
    return graph(ROOT)


def test_imports_point_one_way(found):
    assert sum(map(len, found.values())) > 1000, "few imports were found: nothing was checked"
    assert not upward(found), "\n".join(upward(found))


def test_no_modules_import_each_other_in_a_circle(found):
    assert not circle(found)


def test_the_page_of_the_rooms_has_them_in_this_order():
    from noether.labs.house import FOLDERS as shown

    dotted = [folder.removeprefix("harness/").replace("/", ".") for folder in shown.values()]
    places = [room(f"noether.{name}") for name in dotted]
    assert len(places) > 10 and places == sorted(places)


def test_every_exception_is_needed(found):
    for module, other in EXCEPTIONS:
        assert any(target.startswith(f"noether.{other}.") for target in found[module]), module


def test_only_what_is_optional_is_imported_by_a_computed_name():
    where = set(computed_imports(ROOT))
    assert where == set(COMPUTED)


def test_the_top_of_the_harness_is_rooms():
    assert not strangers(ROOT)


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_imports_the_tests(folder):
    wrong = forbidden_imports(ROOT, folder, {"tests"})
    assert not wrong, "\n".join(wrong)


def test_cases_import_neither_torch_nor_triton():
    wrong = forbidden_imports(ROOT, "cases", HEAVY)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "module",
    [
        "noether.cases",
        "noether.cases.rules",
        "noether.kernels.programs.numpy_step",
        "noether",
        "noether.verdicts.record",
    ],
)
def test_what_needs_no_kernel_imports_without_torch_and_triton(module):
    # None in sys.modules makes `import torch` fail as on a machine that does not have it.
    program = f"import sys; sys.modules.update(torch=None, triton=None); import {module}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_catalog_lists_every_case_once():
    from noether.cases import CATALOG, Case

    declared = {
        value.name
        for path in modules(ROOT, "cases")
        for value in vars(
            import_module(
                ".".join(["noether", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")
            )
        ).values()
        if isinstance(value, Case)
    }
    listed = [case.name for case in CATALOG]
    assert declared, "no case is declared anywhere: nothing was checked"
    assert sorted(listed) == sorted(declared)


# ---- each check can fail


@pytest.fixture
def house(tmp_path):
    """A folder in which `plant(text)` writes the one module of cases/."""
    (tmp_path / "cases").mkdir()

    def plant(text: str) -> Path:
        (tmp_path / "cases" / "planted.py").write_text(text, encoding="utf-8")
        return tmp_path

    return plant


@pytest.mark.parametrize(
    "text",
    [
        "import torch\n",
        "from torch.nn import functional\n",
        "def late():\n    import torch.linalg as la\n",
        'import importlib\nimportlib.import_module("torch.nn")\n',
    ],
)
def test_a_forbidden_import_is_seen_wherever_it_stands(house, text):
    assert forbidden_imports(house(text), "cases", HEAVY) == ["cases/planted.py imports torch"]


def test_an_allowed_import_is_let_pass(house):
    assert (
        forbidden_imports(house("import numpy\nfrom noether.cases.case import Case\n"), "cases", HEAVY) == []
    )


@pytest.fixture
def rooms(tmp_path):
    """A tree of three modules, in which `plant(path, text)` writes one and returns what imports what."""
    for path in ("cases/case.py", "kernels/signals.py", "harness/runs/run.py"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("import os\n", encoding="utf-8")

    def plant(path: str, text: str) -> dict[str, dict[str, int]]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
        return graph(tmp_path)

    return plant


@pytest.mark.parametrize(
    "text",
    [
        "from noether.runs import run\n",
        "import noether.runs.run\n",
        "def late():\n    from noether.runs.run import verify\n",
        'from importlib import import_module\nimport_module("noether.runs.run")\n',
    ],
)
@pytest.mark.parametrize("path", ["kernels/signals.py", "harness/laws/exact.py"])
def test_an_import_of_a_later_room_is_seen(rooms, path, text):
    (told,) = upward(rooms(path, text))
    assert told.endswith("imports noether.runs.run, of a later room")


def test_an_import_of_the_root_is_seen_but_for_its_version(rooms):
    rooms("harness/__init__.py", "__version__ = '1'\n")
    assert upward(rooms("harness/system/machine.py", "from noether import __version__\n")) == []
    assert len(upward(rooms("harness/system/machine.py", "from noether import verify\n"))) == 1


def test_an_earlier_room_and_its_own_are_let_pass(rooms):
    text = "from noether.cases.case import Case\nfrom noether.kernels import signals\n"
    assert upward(rooms("harness/runs/worker.py", text + "from noether.runs.run import verify\n")) == []


def test_the_lab_of_a_command_is_let_pass_and_no_other(rooms):
    rooms("harness/labs/bench.py", "")
    assert upward(rooms("harness/cli/commands/bench.py", "from noether.labs import bench\n")) == []
    assert len(upward(rooms("harness/cli/commands/map.py", "from noether.labs import bench\n"))) == 1


def test_a_module_of_no_room_is_seen(rooms):
    with pytest.raises(AssertionError, match=r"noether\.attic is in no room"):
        upward(rooms("harness/attic.py", "from noether.runs import run\n"))


def test_a_circle_is_seen_in_whatever_function_it_closes(rooms):
    assert circle(rooms("harness/runs/other.py", "from noether.runs import run\n")) == ""
    told = circle(rooms("harness/runs/run.py", "def late():\n    import noether.runs.other\n"))
    assert "noether.runs.run" in told and "noether.runs.other" in told


def test_a_computed_import_is_seen(rooms, tmp_path):
    rooms("cases/case.py", 'from importlib import import_module\nimport_module("numpy")\n')
    assert computed_imports(tmp_path) == {}
    rooms("cases/case.py", "import importlib\n\nimportlib.import_module(f'noether.{1}')\n")
    assert computed_imports(tmp_path) == {"cases/case.py": [3]}


def test_an_import_by_dots_is_refused(rooms):
    with pytest.raises(AssertionError, match="imports by dots"):
        rooms("harness/runs/run.py", "from . import other\n")


def test_what_is_no_room_at_the_top_of_the_harness_is_seen(rooms, tmp_path):
    assert strangers(tmp_path) == []
    rooms("harness/attic/__init__.py", "")
    rooms("harness/helpers.py", "")
    assert strangers(tmp_path) == ["attic", "helpers.py"]


def test_an_empty_folder_fails(tmp_path):
    (tmp_path / "cases").mkdir()
    with pytest.raises(AssertionError, match="nothing was checked"):
        forbidden_imports(tmp_path, "cases", HEAVY)
