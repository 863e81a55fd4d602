"""What imports what in a tree of ours, read from the text: in functions and by import_module("...") too."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGES = {"cases": "noether.cases", "kernels": "noether.kernels", "harness": "noether"}
BY_STRING = ("import_module", "__import__")


def modules(root: Path, folder: str) -> list[Path]:
    """Python files of one folder; an empty folder would make every check pass."""
    files = sorted((root / folder).rglob("*.py"))
    assert files, f"{folder}/ has no python files: nothing was checked"
    return files


def name_of(root: Path, path: Path) -> str:
    """The dotted name of one of our files: harness/x.py is noether.x, cases/x.py is noether.cases.x."""
    folder, *rest = path.relative_to(root).with_suffix("").parts
    return ".".join([PACKAGES[folder], *rest]).removesuffix(".__init__")


def imported(path: Path) -> list[tuple[str, int]]:
    """(dotted name, line) of all that a file imports; a.b of `from a import b`, whatever b is."""
    return import_statements(path, path.read_text(encoding="utf-8"))[0]


def computed(path: Path) -> list[int]:
    """The lines on which a file imports a module whose name is not written there."""
    return import_statements(path, path.read_text(encoding="utf-8"))[1]


@cache
def import_statements(path: Path, text: str) -> tuple[list[tuple[str, int]], list[int]]:
    """What `imported` and `computed` say of a file with this text: many tests ask, and parsing takes long."""
    by_name, by_computing = [], []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            by_name += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by dots: it must name the package"
            by_name += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
        elif name := named_by(node):
            by_name.append((name, node.lineno))
        elif is_by_string(node):
            by_computing.append(node.lineno)
    return by_name, by_computing


def named_by(node: ast.AST) -> str:
    """The module that a call imports by a string which stands there; '' for any other node."""
    written = is_by_string(node) and node.args and isinstance(node.args[0], ast.Constant)
    return node.args[0].value if written else ""


def is_by_string(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in BY_STRING
    )


def graph(root: Path) -> dict[str, dict[str, int]]:
    """Every module of ours -> {a module of ours that it imports, or of which it takes a name: the line}."""
    files = {name_of(root, path): path for folder in PACKAGES for path in modules(root, folder)}
    found: dict[str, dict[str, int]] = {name: {} for name in files}
    for name, path in files.items():
        for target, line in imported(path):
            owner = target if target in files else target.rpartition(".")[0]
            if owner in files and target != "noether.__version__" and owner != name:
                found[name].setdefault(owner, line)
    return found


def circle(found: dict[str, dict[str, int]]) -> str:
    """A circle of modules that import each other; '' where there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return " <- ".join(error.args[1])
    return ""
