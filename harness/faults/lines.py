"""A rule with one of its lines written wrongly: the wrong words stand beside the right ones, as in a diff.

    misread(rule, {"xp.sqrt(_x) + p.stability": "xp.sqrt(_x + p.stability)"})

is the rule whose file has the second expression wherever it has the first. A name that begins with an
underscore stands for any expression, the same one wherever it occurs. Files that the rule takes lines from
are read alike. Nothing is proven of such a rule, so it can be a wrong one; it differs from the right one in
exact arithmetic, or it is none.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from types import ModuleType

import numpy as np

from noether.cases import exact_numbers
from noether.cases.rule import Rule
from noether.faults.fault import Fault, always
from noether.faults.reading import counts
from noether.kernels.loops.launch import Job
from noether.kernels.programs.precision import representable

OF_RULES = "noether.cases"
"""Where lines stand that a rule may take: its own file, and those of this package."""
APART = ("noether.cases.rule", "noether.cases.exact_numbers", "noether.cases.declared")
"""Of these, what no rule takes lines from: what a rule is."""
STEPS = 12
"""So many steps are compared: a rule may change after some."""

Words = tuple[tuple[str, str], ...]


def misread(rule: Rule, wrong: Mapping[str, str]) -> Rule | None:
    """The rule with other words in its file; None where it has not all of them, or they change nothing.

    wrong  right expression -> wrong expression
    """
    return rewritten(rule, tuple(wrong.items()))


@cache
def rewritten(rule: Rule, words: Words) -> Rule | None:
    """The rule of `misread`."""
    module = inspect.getmodule(rule.update)
    if module is None or any(not stands_in(module, right) for right, _ in words):
        return None
    names = namespace(module, words)
    lines = {part: names.get(function.__name__, function) for part, function in parts(rule).items()}
    other = standing_in(rule, **lines)
    try:
        return other if differs(rule, other) else None
    except (NameError, AttributeError):  # wrong words may use a name that this file or rule has not
        return None


def parts(rule: Rule) -> dict:
    """The functions that make a step: its lines, and what it knows of its number."""
    return {"update": rule.update} | ({"known": rule.known} if rule.known else {})


def standing_in(rule: Rule, **lines) -> Rule:
    """A rule as this one, with other lines, of which nothing is proven."""
    other = object.__new__(Rule)
    other.__dict__.update({f.name: getattr(rule, f.name) for f in fields(Rule)} | lines)
    return other


def differs(rule: Rule, other: Rule) -> bool:
    """Whether a step of the other one is another in exact arithmetic, or knows something else of its
    number."""
    at, halves = exact_numbers.point(rule, 0), np.full((len(rule.parameters), 1), 0.5)
    halves[list(rule.parameters).index("beta2") if "beta2" in rule.parameters else 0] = 0.999
    with np.errstate(all="ignore"):
        known = [x.known_numbers(halves, STEPS) for x in (rule, other)]
    same = exact_numbers.same(*(exact_numbers.updated(x, at) for x in (rule, other)))
    return not same or not np.array_equal(*known, equal_nan=True)


# ---- faults


def first_that_stands(rule, wrong: tuple[dict, ...]):
    """The rule with the first of these words that stand in its file; None where none do."""
    return next((other for words in wrong if (other := misread(rule, words)) is not None), None)


def line(name: str, kind: str, what: str, *wrong: dict[str, str], where: Callable = always, **how) -> Fault:
    """A wrong line: right expression -> wrong expression, all of one of these tables.

    where  where(job), where it must be true beside
    """
    return Fault(
        name,
        kind,
        what,
        applies=lambda job: where(job) and first_that_stands(job.rule, wrong) is not None,
        alter=lambda case, job: replace(job, rule=first_that_stands(job.rule, wrong)),
        **how,
    )


def numbers(name: str, kind: str, what: str, parameters: tuple[str, ...], change, **how) -> Fault:
    """A launch in which parameters of these names, all of which the step reads, are change(their rows)."""

    def rows(job: Job) -> list[int]:
        return [job.rule.parameters.index(x) for x in parameters]

    def alter(case, job: Job) -> Job:
        params = job.params.copy()
        params[rows(job)] = representable(change(params[rows(job)]), job.precision.arith)
        return replace(job, params=params)

    def applies(job: Job) -> bool:
        d, here = len(job.q0), set(parameters) <= {*job.rule.parameters}
        read = here and all(counts(job.rule, d, x) for x in parameters)
        return read and bool((alter(None, job).params != job.params).any())

    return Fault(name, kind, what, applies=applies, alter=alter, **how)


# ---- files


@cache
def text_of(module: ModuleType) -> str:
    """The text of a file; "" where it is not there."""
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        return ""


def definitions(module: ModuleType) -> ast.Module:
    """What a file imports, its functions and its numbers, but not the rules that it makes."""
    tree = ast.parse(text_of(module))
    tree.body = [x for x in tree.body if not makes_a_rule(x)]
    return tree


@cache
def expressions(module: ModuleType) -> dict[type, list[ast.expr]]:
    """Every expression of a file, by its kind."""
    found: dict[type, list[ast.expr]] = {}
    for x in ast.walk(definitions(module)):
        if isinstance(x, ast.expr):
            found.setdefault(type(x), []).append(x)
    return found


def makes_a_rule(statement: ast.stmt) -> bool:
    """Whether a statement is X = Rule(...)."""
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == Rule.__name__


@cache
def lenders(module: ModuleType) -> tuple[tuple[ModuleType, tuple[tuple[str, str], ...]], ...]:
    """The files that a file takes lines from, which it has imported, each with the names: (there, here)."""
    taken = [x for x in definitions(module).body if isinstance(x, ast.ImportFrom) and lends(x.module)]
    names = lambda x: tuple((y.name, y.asname or y.name) for y in x.names)
    return tuple((sys.modules[x.module], names(x)) for x in taken)


def lends(name: str | None) -> bool:
    """Whether a file of this name is one that lines are taken from."""
    return bool(name) and name.startswith(OF_RULES) and name not in APART


@cache
def stands_in(module: ModuleType, right: str) -> bool:
    """Whether an expression stands in a file, or in one that it takes lines from."""
    pattern = parsed(right)
    here = any(alike(pattern, x, {}) for x in expressions(module).get(type(pattern), ()))
    return here or any(stands_in(other, right) for other, _ in lenders(module))


@cache
def namespace(module: ModuleType, words: Words) -> dict:
    """What a file defines when it is read with these words, and those that it takes lines from too."""
    if not any(stands_in(module, right) for right, _ in words):
        return vars(module)
    tree = ast.fix_missing_locations(Misreading(words).visit(definitions(module)))
    names = {"__name__": module.__name__, **WRONG}
    exec(compile(tree, f"<{module.__name__} misread>", "exec"), names)
    for other, taken in lenders(module):
        of = namespace(other, words)
        # A rule that a file lends is none of its lines: it stays what it is.
        names.update({here: of[there] if there in of else getattr(other, there) for there, here in taken})
    return names


# ---- words


class Misreading(ast.NodeTransformer):
    """Puts the wrong expression wherever the right one stands."""

    def __init__(self, words: Words):
        self.words = [(parsed(right), parsed(wrong)) for right, wrong in words]

    def visit(self, node: ast.AST) -> ast.AST:
        node = self.generic_visit(node)
        for pattern, wrong in self.words:
            bound: dict[str, ast.expr] = {}
            if isinstance(node, ast.expr) and alike(pattern, node, bound):
                return Filling(bound).visit(copy.deepcopy(wrong))
        return node


class Filling(ast.NodeTransformer):
    """Puts what was found in the place of the names that stand for anything."""

    def __init__(self, bound: dict[str, ast.expr]):
        self.bound = bound

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.bound.get(node.id, node))


@cache
def parsed(words: str) -> ast.expr:
    """An expression as Python reads it. Raises SyntaxError."""
    return ast.parse(words, mode="eval").body


def alike(pattern, node, bound: dict[str, ast.expr]) -> bool:
    """Whether an expression is the pattern; `bound` gets what its free names stand for."""
    if isinstance(pattern, ast.Name) and pattern.id.startswith("_"):
        return ast.dump(bound.setdefault(pattern.id, node)) == ast.dump(node)
    if isinstance(pattern, list):
        same = isinstance(node, list) and len(pattern) == len(node)
        return same and all(alike(x, y, bound) for x, y in zip(pattern, node, strict=True))
    if not isinstance(pattern, ast.AST):
        return pattern == node
    return type(pattern) is type(node) and all(
        alike(getattr(pattern, name, None), getattr(node, name, None), bound) for name in pattern._fields
    )


# ---- what wrong words may call


def largest(x, xp):
    """max |x_i|, a norm that is not the Euclidean one."""
    out = xp.absolute(x[0])
    for y in x[1:]:
        out = xp.maximum(out, xp.absolute(y))
    return out


WRONG = {"largest": largest}
"""Names that wrong words have beside those of the file."""
