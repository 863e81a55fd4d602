"""Exit codes are compared and made by their names, which harness/verdicts/exit_codes.py has."""

import ast
from pathlib import Path

import pytest
from imports import modules

ROOT = Path(__file__).resolve().parent.parent
CODES = {1, 2, 3, 70, 130, 143}
"""What harness/verdicts/exit_codes.py names."""
ABOUT_CODES = {"code", "exit_code", "returncode"}
EQUAL = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


def numbers(value: ast.AST) -> list[int]:
    """The numbers that an expression may be: those that it calls something with it is not."""
    if isinstance(value, ast.IfExp):
        return numbers(value.body) + numbers(value.orelse)
    if isinstance(value, ast.Tuple | ast.Set | ast.List):
        return [x for part in value.elts for x in numbers(part)]
    return [value.value] if isinstance(value, ast.Constant) and type(value.value) is int else []


def written_codes(root: Path) -> list[str]:
    """Places that compare an exit code with a number, or make one of a number, and do not use its name."""
    wrong = []
    for path in modules(root, "harness"):
        text = path.read_text(encoding="utf-8")
        if not any(name in text for name in ABOUT_CODES):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], EQUAL):
                names, value = [node.left], node.comparators[0]
            elif isinstance(node, ast.Assign):
                names, value = node.targets, node.value
            else:
                continue
            about = {getattr(x, "attr", getattr(x, "id", "")) for x in names} & ABOUT_CODES
            if about and CODES.intersection(numbers(value)):
                wrong.append(f"{path.relative_to(root)}:{node.lineno} writes a number for an exit code")
    return wrong


def test_exit_codes_are_named():
    assert not written_codes(ROOT)


@pytest.mark.parametrize(
    "text", ["r.exit_code = 2\n", "x = 0 if code == 70 else 1\n", "if code not in (0, 3):\n    pass\n"]
)
def test_a_number_for_an_exit_code_is_seen(tmp_path, text):
    module = tmp_path / "harness" / "run.py"
    module.parent.mkdir()
    module.write_text("from noether.verdicts import exit_codes\nr.exit_code = exit_codes.WRONG\n")
    assert written_codes(tmp_path) == []
    module.write_text(text)
    assert len(written_codes(tmp_path)) == 1
