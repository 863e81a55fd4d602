"""The house keeps its shape: imports point one way, every citation leads somewhere.

Each check is a function of a folder that returns what is wrong in it, so that it can be shown a planted
fault.
"""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "cases": {"cases"},
    "kernels": {"kernels", "cases"},
    "harness": {"harness", "cases", "kernels"},
}
HEAVY = {"torch", "triton"}
LAWS = [
    *(f"T{i}" for i in range(1, 6)),
    *(f"D{i}" for i in range(14)),
    *(f"O{i}" for i in range(1, 10)),
    *(f"S{i}" for i in range(1, 5)),
    "R0",
    "B1",
    *(f"E{i}" for i in range(1, 5)),
    "M1",
    *(f"P{i}" for i in range(1, 7)),
    "V1",
]


def modules(root: Path, folder: str) -> list[Path]:
    """Python files of one folder; an empty folder would make every check pass."""
    files = sorted((root / folder).rglob("*.py"))
    assert files, f"{folder}/ has no python files: nothing was checked"
    return files


def imported(path: Path) -> set[str]:
    """What a file imports anywhere, also inside functions and by import_module("..."): top-level names, and
    of our own package the folder: noether.cases is cases/, noether.kernels is kernels/, the rest of noether
    is harness/."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(place(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            within = (
                [f"noether.{alias.name}" for alias in node.names]
                if node.module == "noether"
                else [node.module]
            )
            names.update(place(name) for name in within)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                names.add(place(node.args[0].value))
    return names


def place(module: str) -> str:
    """The folder of one of our modules, the top-level name of another."""
    top, *within = module.split(".")
    return (
        top if top != "noether" else within[0] if within and within[0] in ("cases", "kernels") else "harness"
    )


def forbidden_imports(root: Path, folder: str, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(root)} imports {name}"
        for path in modules(root, folder)
        for name in sorted(imported(path) & forbidden)
    ]


def anchors(theory: str) -> list[str]:
    return re.findall(r'<a id="(\w+)"></a>', theory)


def sections(theory: str) -> list[str]:
    return re.findall(r"^## (\d)\. ", theory, re.MULTILINE)


def dangling(root: Path, folder: str, theory: str) -> tuple[int, list[str]]:
    """How many citations of the theory a folder has, and those that lead nowhere."""
    known, found, wrong = set(anchors(theory)), 0, []
    for path in modules(root, folder):
        text = path.read_text(encoding="utf-8")
        for kind, target in re.findall(r"theory\.md(#| section )(\w+)", text):
            found += 1
            is_there = target in known if kind == "#" else target in sections(theory)
            if not is_there:
                wrong.append(f"{path.relative_to(root)} cites theory.md{kind}{target}, which is not there")
    return found, wrong


@pytest.fixture(scope="module")
def theory() -> str:
    return (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_point_one_way(folder):
    wrong = forbidden_imports(ROOT, folder, {*MAY_IMPORT, "tests"} - MAY_IMPORT[folder])
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


def test_theory_has_each_law_once_and_each_section(theory):
    assert sorted(anchors(theory)) == sorted(LAWS)
    assert sections(theory) == list("123456789")


def test_theory_links_lead_to_its_own_anchors_and_headings(theory):
    headings = re.findall(r"^## (.+)$", theory, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    targets = set(re.findall(r"\]\(#([^)]+)\)", theory))
    assert targets, "theory.md links nothing: nothing was checked"
    assert not targets - slugs - set(anchors(theory))


@pytest.mark.parametrize("folder", [*MAY_IMPORT, "tests"])
def test_every_citation_of_the_theory_leads_to_an_anchor(folder, theory):
    _, wrong = dangling(ROOT, folder, theory)
    assert not wrong, "\n".join(wrong)


def test_the_harness_cites_the_theory(theory):
    found, _ = dangling(ROOT, "harness", theory)
    assert found, "harness/ cites no law: the citation check is vacuous"


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


@pytest.mark.parametrize(
    "text",
    [
        "from noether import kernels\n",
        "import noether.kernels.programs.numpy_step\n",
        "from noether.kernels.programs.numpy_step import step\n",
    ],
)
def test_our_own_folders_are_told_apart(house, text):
    assert forbidden_imports(house(text), "cases", {"kernels", "harness"}) == [
        "cases/planted.py imports kernels"
    ]
    assert forbidden_imports(house("from noether import verify\n"), "cases", {"kernels", "harness"}) == [
        "cases/planted.py imports harness"
    ]


def test_an_empty_folder_fails(tmp_path):
    (tmp_path / "cases").mkdir()
    with pytest.raises(AssertionError, match="nothing was checked"):
        forbidden_imports(tmp_path, "cases", HEAVY)


@pytest.mark.parametrize("target", ["#D99", " section 0"])
def test_a_citation_that_leads_nowhere_is_seen(house, theory, target):
    found, wrong = dangling(house(f"# theory.md{target}\n"), "cases", theory)
    assert found == 1 and len(wrong) == 1 and target in wrong[0]


@pytest.mark.parametrize("target", ["#D2", " section 4"])
def test_a_citation_that_leads_somewhere_is_let_pass(house, theory, target):
    assert dangling(house(f"# theory.md{target}\n"), "cases", theory) == (1, [])
