"""The sums in a program: which terms each has, in which order, and the same program with another order.

A sum is a tree of adds and subs, as large as it gets: an operation whose value is read once, by an add or a
sub, belongs to the sum around it. A term has a sign: a - b is a + (-b) to the bit, and 0 - x is -x but
for the sign of a zero.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from noether.kernels.programs.operations import OPERATIONS
from noether.kernels.programs.program import Op, Program

FEWEST = 3  # terms: two have one order
LONGEST = 24  # characters of a term in a message

Tree = "int | tuple[Tree, Tree]"
"""The number of a term, or the two trees whose values are added."""


@dataclass(frozen=True)
class Sum:
    """A sum of several terms within a program.

    root   the operation that holds it
    terms  (operation, sign) of each
    inner  the operations that are part of it alone
    """

    root: int
    terms: tuple[tuple[int, int], ...]
    tree: Tree
    inner: frozenset[int]


def sums(program: Program) -> list[Sum]:
    """The sums of three terms or more in a program, in the order of their roots."""
    ops = program.ops
    reads = Counter(program.outputs) + Counter(a for op in ops for a in op.args)
    taken: set[int] = set()
    out = []
    for root in reversed(range(len(ops))):
        if ops[root].name in ("add", "sub") and root not in taken:
            terms: list[tuple[int, int]] = []
            inner: set[int] = set()
            tree = _expanded(program, reads, root, 1, terms, inner)
            taken |= inner
            if len(terms) >= FEWEST:
                out.append(Sum(root, tuple(terms), tree, frozenset(inner)))
    return out[::-1]


def _expanded(program: Program, reads: Counter, root: int, sign: int, terms: list, inner: set) -> Tree:
    """The tree of a sum from its root; fills terms and inner."""

    def of(at: int, sign: int) -> Tree:
        op = program.ops[at]
        if at == root or (reads[at] == 1 and op.name in ("add", "sub", "neg")):
            if at != root:
                inner.add(at)
            if op.name == "neg":
                return of(op.args[0], -sign)
            left = of(op.args[0], sign)
            return left, of(op.args[1], -sign if op.name == "sub" else sign)
        terms.append((at, sign))
        return len(terms) - 1

    return of(root, sign)


def shape(tree: Tree):
    """A form that is equal for two trees of additions which give the same bits: x + y is y + x."""
    return tree if isinstance(tree, int) else frozenset((shape(tree[0]), shape(tree[1])))


def reordered(program: Program, one: Sum, tree: Tree) -> Program:
    """The program with one of its sums added in the order of `tree`."""
    ops: list[Op] = []
    new: dict[int, int] = {}

    def emit(op: Op) -> int:
        ops.append(op)
        return len(ops) - 1

    def put(tree: Tree) -> tuple[int, int]:
        """The operation that holds a part of the sum, and the sign with which it counts."""
        if isinstance(tree, int):
            at, sign = one.terms[tree]
            return new[at], sign
        (x, plus), (y, too) = put(tree[0]), put(tree[1])
        if plus == too:
            return emit(Op("add", (x, y))), plus
        return emit(Op("sub", (x, y) if plus > 0 else (y, x))), 1

    for at, op in enumerate(program.ops):
        if at == one.root:
            made, sign = put(tree)
            new[at] = made if sign > 0 else emit(Op("neg", (made,)))
        elif at not in one.inner:
            new[at] = emit(replace(op, args=tuple(new[a] for a in op.args)))
    return replace(program, ops=tuple(ops), outputs=tuple(new[o] for o in program.outputs))


def written(program: Program) -> list[str]:
    """Every operation in words, as far as LONGEST allows; x57 is its name in the printed kernel."""
    out: list[str] = []
    for op in program.ops:
        parts = [out[a] if len(out[a]) <= LONGEST else f"x{a}" for a in op.args]
        if op.name == "input":
            out.append(program.inputs[op.value])
        elif op.name == "const":
            out.append(f"{op.value:g}")
        elif sign := OPERATIONS[op.name].infix:
            between = f" {sign} " if sign in "+-" else sign
            out.append(between.join(f"({x})" if " " in x or x.startswith("-") else x for x in parts))
        else:
            out.append(f"-{parts[0]}" if op.name == "neg" else f"{op.name}({', '.join(parts)})")
    return out


def terms(program: Program, one: Sum) -> list[str]:
    """The terms of a sum, from left to right, with their signs."""
    texts = written(program)
    return [
        ("-" if sign < 0 else "") + (texts[at] if len(texts[at]) <= LONGEST else f"x{at}")
        for at, sign in one.terms
    ]
