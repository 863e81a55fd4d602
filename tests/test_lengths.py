"""How long modules and functions may be: a module has one subject, a function one step."""

import ast
from pathlib import Path

import pytest
from test_architecture import house, modules  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("cases", "kernels", "harness", "tests")
LONGEST = 300  # lines; beyond it a module has more than one subject
WHOLE = "a Triton kernel is one program, written in registers: what the loops share is in helpers already"
LONG_FUNCTIONS = {
    "kernels/loops/noise_loop.py: noisy": WHOLE,
    "kernels/loops/screen_loop.py: screen": WHOLE,
}
"""Functions that may be longer, each with its reason: a list that only shrinks."""
FUNCTION = 40  # code lines


def overlong(root: Path, folder: str) -> list[str]:
    wrong = []
    for path in modules(root, folder):
        name, lines = path.relative_to(root).as_posix(), len(path.read_text(encoding="utf-8").splitlines())
        wrong += [f"{name} has {lines} lines, at most {LONGEST}"] if lines > LONGEST else []
    return wrong


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its `def`, without its docstring."""
    first = function.body[0]
    told = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) is not None else 0
    return function.end_lineno - function.lineno + 1 - told


def overlong_functions(root: Path, folder: str) -> list[str]:
    return [
        f"{path.relative_to(root)}: {node.name} has {code_lines(node)} code lines, at most {FUNCTION}"
        for path in modules(root, folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node) > FUNCTION
        if f"{path.relative_to(root).as_posix()}: {node.name}" not in LONG_FUNCTIONS
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_longer_than_a_subject(folder):
    wrong = overlong(ROOT, folder)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_is_longer_than_the_house_allows(folder):
    wrong = overlong_functions(ROOT, folder)
    assert not wrong, "\n".join(wrong)


def test_every_function_that_may_be_longer_is_there_and_needs_to_be():
    for name in LONG_FUNCTIONS:
        path, _, function = name.partition(": ")
        found = [
            code_lines(node)
            for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef) and node.name == function
        ]
        assert len(found) == 1 and found[0] > FUNCTION, name


def test_a_module_one_line_too_long_is_seen(house):
    assert overlong(house("x = 1\n" * LONGEST), "cases") == []
    assert overlong(house("x = 1\n" * (LONGEST + 1)), "cases") == [
        f"cases/planted.py has {LONGEST + 1} lines, at most {LONGEST}"
    ]


def test_a_function_one_line_too_long_is_seen_and_its_docstring_is_not_counted(house):
    text = 'def f():\n    """A."""\n' + "    x = 1\n" * (FUNCTION - 1)
    assert overlong_functions(house(text), "cases") == []
    assert overlong_functions(house(text + "    x = 1\n"), "cases") == [
        f"cases/planted.py: f has {FUNCTION + 1} code lines, at most {FUNCTION}"
    ]
