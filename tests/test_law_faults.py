"""A fault of a law is one object, which its statement and its measurement share: its name stands once."""

import ast
import importlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from noether.laws.exact import planted
from noether.laws.law import WrongStatement

LAWS_FOLDER = Path(__file__).resolve().parent.parent / "harness" / "laws"
FAMILIES = sorted(path.parent.name for path in LAWS_FOLDER.glob("*/faults.py"))


def spelled(folder: Path) -> Counter:
    """How often each text stands in the code of a folder."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return Counter(node.value for node in nodes if isinstance(node.value, str))


def statements(value) -> list[WrongStatement]:
    """The faults in a value of a module: one, a tuple, or a table of them."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
    return [x for x in values if isinstance(x, WrongStatement)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_name_of_a_fault_stands_once_in_its_family(family):
    """Or not at all, where it is made of another word."""
    module = importlib.import_module(f"noether.laws.{family}.faults")
    names = {fault.name for value in vars(module).values() for fault in statements(value)}
    found = spelled(LAWS_FOLDER / family)
    assert names and {name: found[name] for name in names if found[name] > 1} == {}


def test_the_name_of_a_wrong_statement_about_launches_stands_once_in_all_families():
    names = {fault.name for value in vars(planted).values() for fault in statements(value)}
    found = sum((spelled(folder) for folder in LAWS_FOLDER.iterdir() if folder.is_dir()), Counter())
    assert len(names) == 4 and {found[name] for name in names} == {1}


def test_a_name_that_stands_twice_is_counted(tmp_path):
    (tmp_path / "one.py").write_text('x = wrong("mass off")\n')
    (tmp_path / "two.py").write_text('if fault == "mass off":\n    pass\n')
    assert spelled(tmp_path) == {"mass off": 2}


ASKED = "from noether.plan import choices; asked = choices.Request(law='D0', backend='numpy')"
PLANNED = f"{ASKED}; from noether.plan import design; design.cells(choices.select(asked))"


@pytest.mark.parametrize("does", ["import noether.laws.registry", PLANNED, "import noether.report.law_table"])
def test_a_list_of_laws_a_plan_of_one_and_a_table_load_without_what_measures_others(does):
    code = f"import sys; {does}; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert "noether.laws.law" in modules and not modules & {"sympy", "scipy", "triton", "torch"}
