"""Every number in the files of the catalogue changed, one at a time: which changes do no words notice?

`python tests/case_mutants.py [NAME ...]`. Numbers of which a case states nothing are left out: where starts
are drawn (box, kick, pace and what makes them) is a choice.
"""

import ast
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
CHOICES = ("box", "kick", "pace", "near", "far")


def numbers(tree: ast.AST, skip: bool = False):
    """The numeric constants of a module outside docstrings and choices."""
    if isinstance(tree, ast.keyword) and tree.arg in CHOICES:
        return
    if isinstance(tree, ast.Assign) and ast.unparse(tree.targets[0]).strip("()").split(",")[0] in CHOICES:
        return
    if isinstance(tree, ast.Constant) and type(tree.value) in (int, float):
        yield tree
    for child in ast.iter_child_nodes(tree):
        yield from numbers(child)


def mutants(path: Path):
    """(line, old, new, source) of each change: by one, by an eighth, of sign."""
    text = path.read_text()
    for i, node in enumerate(numbers(ast.parse(text))):
        old = node.value
        for new in dict.fromkeys(
            (old + 1, old * 1.125 if isinstance(old, float) else old - 1, -old if old else 2)
        ):
            tree = ast.parse(text)
            at = [n for n in numbers(tree)][i]
            at.value = new
            yield node.lineno, old, new, ast.unparse(tree)


def fresh(name: str, source: str):
    """The package cases with one module's source replaced."""
    for module in [m for m in sys.modules if m == "noether.cases" or m.startswith("noether.cases.")]:
        if module not in ("noether.cases.case",):
            del sys.modules[module]
    if name:
        import types

        module = types.ModuleType(f"noether.cases.losses.{name}")
        module.__file__ = str(HERE.parent / "cases" / "losses" / f"{name}.py")
        package = types.ModuleType("noether.cases")
        package.__path__ = [str(HERE.parent / "cases")]
        within = types.ModuleType("noether.cases.losses")
        within.__path__ = [str(HERE.parent / "cases" / "losses")]
        sys.modules.update({"noether.cases": package, "noether.cases.losses": within})
        sys.modules[f"noether.cases.losses.{name}"] = module
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        del sys.modules["noether.cases"], sys.modules["noether.cases.losses"]
    return importlib.import_module("noether.cases")


def noticed(name: str, source: str, words) -> bool:
    """Whether some case of the catalogue is not as its words say, or cannot be made at all."""
    from test_cases_words import irises_told, told

    try:
        cases = fresh(name, source)
        if sorted(c.name for c in cases.CATALOG) != sorted(words.WORDS):
            return True
        return bool(irises_told(sys.modules["noether.cases.losses.irises"])) or any(
            told(case, words.WORDS[case.name]) for case in cases.CATALOG
        )
    except Exception:
        return True


def main(names) -> int:
    import warnings

    import numpy as np
    import words

    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    from test_cases_words import told  # noqa: F401

    files = {
        p.stem: p for p in sorted((HERE.parent / "cases" / "losses").glob("*.py")) if p.stem != "__init__"
    }
    for name in names:
        if name not in files:
            print(f"there is no cases/losses/{name}.py: a module's name is needed, as in complex_phase")
            return 2
    count, survivors = 0, []
    for path in (files[name] for name in names or files):
        for line, old, new, source in mutants(path):
            count += 1
            if not noticed(path.stem, source, words):
                survivors.append(f"{path.stem}.py:{line}: {old} -> {new}")
    print(f"{count} changed numbers, {count - len(survivors)} noticed", *survivors, sep="\n")
    return min(len(survivors), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
