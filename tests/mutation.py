"""Mutation testing: each change of one node of a module, and whether the tests that stand for the module see
it.

    python tests/mutation.py laws.norm orders --sample 80 --jobs 2
    python tests/mutation.py orders --only 17,42

A mutant is compiled in memory in a process of its own, forked from one that has already imported what is slow
and none of this project; nothing is written to disk. Survivors are printed with their line. What survives
today, and why, stands in docs/mutation.md, with what the tools of others cannot do here.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import math
import multiprocessing
import os
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 240  # seconds for the tests of one mutant; a mutant that hangs is killed
# the quick ones that stand for a module; the rest of the suite may see more: shares are lower bounds
TESTS = {
    **{
        f"laws.{name}": ("test_formulas.py", "test_laws_covered.py")
        for name in "balance curved norm positions quadratic signs step terms translation".split()
    },
    "trajectory": ("test_formulas.py",),
    "bounds": ("test_trace.py", "test_domain.py"),
    "orders": ("test_order_rule.py",),
    "verdicts": ("test_verdicts.py",),
    "judge": ("test_judging.py",),
    "domain": ("test_domain.py", "test_regimes.py"),
    "kernels.precision": ("test_precision.py", "test_roundings.py"),
    "kernels.rules": ("test_rules_words.py", "test_rules_rare.py", "test_plan.py"),
    "kernels.elementary": ("test_elementary.py", "test_logarithm.py"),
    "kernels.step": ("test_rules_words.py", "test_roundings.py"),
    "roundings": ("test_roundings.py",),
    "known_numbers": ("test_roundings.py", "test_rules_words.py"),
}
SWAPPED = [(ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.BitAnd, ast.BitOr), (ast.And, ast.Or)]
SWAPPED += [(ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq)]
SWAPPED += [(ast.Is, ast.IsNot), (ast.In, ast.NotIn)]
OPERATORS = {x: y for pair in SWAPPED for x, y in (pair, pair[::-1])}
OPERATORS |= {ast.Pow: ast.Mult, ast.FloorDiv: ast.Mult}
NAMES = {"max": "min", "min": "max", "any": "all", "all": "any", "maximum": "minimum", "minimum": "maximum"}
NAMES |= {"argmax": "argmin", "zeros_like": "ones_like", "ones_like": "zeros_like", "isfinite": "isnan"}


def alternatives(node: ast.AST):
    """What may stand in the place of a node: (what it is called, the node)."""
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OPERATORS:
        yield from changed(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield from changed(node, ops=[OPERATORS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        yield from changed(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.UnaryOp):
        yield f"{ast.unparse(node)} -> {ast.unparse(node.operand)}", node.operand
    if isinstance(node, ast.IfExp):
        yield from changed(node, body=node.orelse, orelse=node.body)
    if isinstance(node, (ast.If, ast.While)):
        yield from changed(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
        value = node.value
        for other in (
            (not value,)
            if isinstance(value, bool)
            else (value + 1, value - 1)
            if isinstance(value, int)
            else (2 * value, value / 2)
        ):
            if other != value:
                yield from changed(node, value=other)
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield from changed(node, attr=NAMES[node.attr])
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield from changed(node, id=NAMES[node.id])
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("abs", "known")
        and len(node.args) == 1
    ):
        yield f"{ast.unparse(node)} -> {ast.unparse(node.args[0])}", node.args[0]


def changed(node: ast.AST, **fields):
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    one = lambda x: ast.unparse(ast.fix_missing_locations(x)).splitlines()[0]
    yield f"{one(copy.deepcopy(node))} -> {one(copy.deepcopy(other))}", other


def places(tree: ast.AST) -> list[ast.AST]:
    """Nodes that may change: no message, annotation or docstring."""
    found, stack = [], [tree]
    while stack:
        node = stack.pop()
        found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list") or isinstance(node, ast.JoinedStr):
                continue
            stack += [x for x in (value if isinstance(value, list) else [value]) if isinstance(x, ast.AST)]
    return found


def mutants(text: str) -> list[tuple[int, str, ast.Module]]:
    """(line, what changes, the module), each differing from the source in one node."""
    out, tree = [], ast.parse(text)
    for at, node in enumerate(places(tree)):
        for number, (what, _) in enumerate(alternatives(node)):
            twin = ast.parse(text)
            old = places(twin)[at]
            new = ast.copy_location(list(alternatives(old))[number][1], old)
            out.append(
                (getattr(node, "lineno", 0), what, ast.fix_missing_locations(Replaced(old, new).visit(twin)))
            )
    return out


class Replaced(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else super().generic_visit(node)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from its mutated tree."""

    def __init__(self, name: str, code):
        self.name, self.code = name, code

    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module):
        exec(self.code, module.__dict__)


def child(module: str, tree: ast.Module | None) -> None:
    """In a forked process: the tests of a module, on a mutant of it. Exit code 0 is a survivor."""
    os.setsid()
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1), os.dup2(quiet, 2)
    if tree is not None:
        name = dotted(module)
        sys.meta_path.insert(0, Finder(name, compile(tree, source(module), "exec")))
    import pytest

    files = [str(ROOT / "tests" / name) for name in TESTS[module]]
    only = (
        ["-k", "not triton"] if module.startswith("kernels.") else []
    )  # numpy's: a compiled kernel is not made of them
    os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", *only, *files])))


def dotted(module: str) -> str:
    return f"noether.{module}"


def source(module: str) -> str:
    folder = ROOT if module.startswith("kernels.") else ROOT / "harness"
    return str(folder / (module.replace(".", "/") + ".py"))


def run(module: str, tree) -> str:
    process = multiprocessing.get_context("fork").Process(target=child, args=(module, tree))
    process.start()
    process.join(LONGEST)
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return "timeout"
    return {0: "survived", 1: "killed", 2: "killed", 3: "killed", 4: "killed"}.get(
        process.exitcode, "killed"
    )  # 2: it cannot be imported


def preload() -> None:
    """What is slow to import, and nothing of this project."""
    sys.path.insert(0, str(ROOT / "tests"))
    slow = "numpy scipy.integrate mpmath sympy hypothesis pytest torch triton rich.table typer jinja2"
    for name in slow.split():
        importlib.import_module(name)
    assert not any(name.split(".")[0] == "noether" for name in sys.modules)


def wilson(killed: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    if not total:
        return 0.0, 1.0
    p, n = killed / total, total
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=list(TESTS), metavar="MODULE", help=", ".join(TESTS))
    parser.add_argument(
        "--sample", type=int, default=0, help="so many mutants of each module, at random; 0 is all"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="comma list of mutant numbers")
    words = parser.parse_args()
    preload()
    for module in words.modules:
        every = list(enumerate(mutants(Path(source(module)).read_text(encoding="utf-8"))))
        wanted = [int(x) for x in words.only.split(",") if x]
        chosen = [m for m in every if m[0] in wanted] if wanted else every
        if words.sample and words.sample < len(chosen):
            chosen = sorted(random.Random(words.seed).sample(chosen, words.sample), key=lambda m: m[0])
        begin = time.monotonic()
        if run(module, None) != "survived":
            print(f"{module}: its tests fail without a mutation: nothing can be said")
            return 3
        dead = 0
        with ThreadPoolExecutor(words.jobs) as pool:
            for (number, (line, what, _)), end in zip(
                chosen, pool.map(lambda m: run(module, m[1][2]), chosen), strict=True
            ):
                dead += end != "survived"
                if end == "survived":
                    print(f"    {number}  {module}.py:{line}  {what}", flush=True)
        low, high = wilson(dead, len(chosen))
        spent = time.monotonic() - begin
        print(
            f"{module}: {dead} of {len(chosen)} killed, of {len(every)} mutants; 95 % interval {low:.2f} to "
            f"{high:.2f}; {spent:.0f} s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
