"""The public names: what `from noether import ...` gives, what a type checker reads, what became of the old
names."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import noether
from noether.plan.casefiles.complaint import MOVED, Origin, told
from noether.system.machine import importable

ROOT = Path(__file__).resolve().parent.parent


def promised_to_type_checkers() -> dict[str, str]:
    """Name -> module, of the imports under `if TYPE_CHECKING` in harness/__init__.py."""
    tree = ast.parse((ROOT / "harness" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [
        x for x in tree.body if isinstance(x, ast.If) and getattr(x.test, "id", "") == "TYPE_CHECKING"
    ]
    assert all(name.asname == name.name for line in block.body for name in line.names), (
        "only `import X as X` is public"
    )
    return {name.name: line.module for line in block.body for name in line.names}


def test_a_type_checker_reads_the_names_that_python_gives():
    modules = noether.PUBLIC
    assert promised_to_type_checkers() == modules
    for name, module in modules.items():
        found = getattr(noether, name)
        assert found is getattr(import_module(module), name)


@pytest.mark.parametrize("name", noether.__all__)
def test_every_public_name_says_what_it_is_for(name):
    found = getattr(noether, name)
    if name == "__version__":
        assert found.count(".") == 2
        return
    text = inspect.getdoc(found)
    said = (
        inspect.signature(found).parameters
        if name != "Result"
        else {"records": 0, "rows": 0, "exit_code": 0, "folder": 0}
    )
    unsaid = [word for word in said if word not in ("self", "overrides") and word not in text]
    assert not unsaid, f"{name} does not say what {unsaid} is"


def test_no_public_name_is_another_one():
    with pytest.raises(AttributeError, match="no attribute 'verfiy'"):
        noether.verfiy  # noqa: B018


def test_every_name_is_there_without_hypothesis_but_strategies_which_names_its_extra():
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from noether import *\n"
        "import noether\n"
        "assert all(hasattr(noether, name) for name in dir(noether)), dir(noether)\n"
        "try:\n    from noether.campaigns.fuzz import strategies\n"
        "except ModuleNotFoundError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=importable(), capture_output=True, text=True, check=True
    )
    assert "pip install 'noether-harness[fuzz]'" in done.stdout


# ---- discover, from Python


def ring(q, xp):
    r = q[0] * q[0] + q[1] * q[1] - 1
    return r * r


def test_discover_takes_a_function_a_case_and_a_word():
    for what, options in ((ring, {"dim": 2}), (ring, {"dim": 2, "box": (0.5, 2)}), ("mexican-hat-2", {})):
        assert [g.name for g in noether.discover(what, **options).generators] == ["rotation"]
    hat = next(c for c in import_module("noether.cases").CATALOG if c.name == "mexican-hat-2")
    assert noether.discover(hat).generators[0].name == "rotation"


@pytest.mark.parametrize(
    ("what", "said"),
    [(3, "loss is int 3, must be a function"), (ring, "--dim is missing"), ("no-such", "no-such")],
)
def test_discover_refuses_what_is_no_loss(what, said):
    with pytest.raises(import_module("noether.system.usage").UsageError, match=said):
        noether.discover(what)


# ---- the names of 0.1


@pytest.mark.parametrize(
    ("line", "now"),
    [
        ("from cases.case import Case, scale", "from noether.cases.case import"),
        ("from cases import Case", "from noether.cases import"),
        ("import kernels.launch", "from noether import"),
        ("from harness.run import verify", "from noether import"),
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_a_case_file_with_an_old_import_is_told_the_new_one(tmp_path, monkeypatch, line, now, own):
    """own: the project has a package of that name, which lacks what is asked for."""
    from noether.plan.casefiles import load
    from noether.system.usage import UsageError

    top = line.split()[1].partition(".")[0]
    for name in [n for n in sys.modules if n.partition(".")[0] == top]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(
        sys, "path", [x for x in sys.path if Path(x).resolve() != ROOT]
    )  # where all three are folders
    (tmp_path / "mine.py").write_text(f"'''A case.'''\n{line}\n", encoding="utf-8")
    if own:
        (tmp_path / top).mkdir()
        (tmp_path / top / "__init__.py").touch()
    with pytest.raises(UsageError) as refused:
        load.load_module(tmp_path / "mine.py")
    assert "at line 2" in str(refused.value) and now in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_import_of_something_else_is_no_old_name():
    error = ModuleNotFoundError("No module named 'nothing_of_ours'", name="nothing_of_ours")
    assert "0.1" not in told(error, Origin("case file c.py", None))
    assert MOVED == ("cases", "kernels", "harness")


def test_citation_and_changelog_speak_of_this_version():
    said = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {noether.__version__}" in said and "cff-version: 1.2.0" in said
    assert f"## [Unreleased], {noether.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "cases, options",
    [
        ((5,), {}),
        ((None,), {}),
        ((["product"],), {}),
        (("product",), {"laws": 3}),
        (("product",), {"rules": [5]}),
        (("product",), {"precisions": {}}),
        (("product",), {"backend": None}),
        (("product",), {"profile": 3}),
        (("product",), {"seed": "x"}),
        (("product",), {"jobs": 0}),
        (("product",), {"executor": 5}),
        (("product",), {"cell_seconds": -1}),
        (("product",), {"cell_seconds": "x"}),
        (("product",), {"cell_seconds": True}),
        (("product",), {"strict": "no"}),
        (("product",), {"out": 5}),
        (("product",), {"out": ""}),
        (("product",), {"out": "a\0b"}),
        (("product",), {"lanes": 1.5}),
        (("product",), {"nothing": 1}),
    ],
)
def test_wrong_arguments_from_python_are_refused_in_one_line(cases, options):
    from noether import verify
    from noether.system.usage import UsageError

    with pytest.raises(UsageError) as caught:
        verify(*cases, **options)
    assert "\n" not in str(caught.value)
