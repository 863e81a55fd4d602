"""Rolling: a straight-line program as loops, where it repeats itself.

Operations of one name that do not read each other stand in one loop; a sum that was added term after term is
one number of a loop of sums. What is computed, and in which order it is added, stays: the bits are those of
the program.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from noether.kernels.programs.loop_program import ADDRESS, SUM, Loop, LoopProgram
from noether.kernels.programs.program import Program

FEWEST = 3
"""Terms of a sum that becomes a sum of a loop; two are one addition."""


def rolled(program: Program) -> LoopProgram:
    """A program with loops that has the bits of a straight-line one."""
    sums, inner = chains(program)
    inputs = len(program.inputs)
    constants = [op.value for op in program.ops if op.name == "const"]
    number = {value: ~i for i, value in enumerate(dict.fromkeys(constants))}
    place: dict[int, int] = {}
    depth: dict[int, int] = {}
    groups: dict[tuple, list[tuple[int, list]]] = {}
    for at, op in enumerate(program.ops):
        if op.name == "input":
            place[at], depth[at] = op.value, 0
        elif op.name == "const":
            place[at], depth[at] = number[op.value], 0
        elif at not in inner:
            columns = sums.get(at) or [[a] for a in op.args]
            depth[at] = 1 + max(depth[a] for column in columns for a in column)
            kinds = tuple(constant(program, column) for column in columns)
            key = (depth[at], SUM if at in sums else op.name, len(columns[0]), kinds)
            groups.setdefault(key, []).append((at, columns))
    loops, first = [], inputs
    for (_, name, _, _), members in sorted(groups.items(), key=lambda x: x[0]):
        args = []
        for i in range(len(members[0][1])):
            found = np.array([[place[a] for a in columns[i]] for _, columns in members], ADDRESS)
            args.append(found if name == SUM else found[:, 0])
        loops.append(Loop(name, first, tuple(args)))
        for at, _ in members:
            place[at] = first
            first += 1
    outputs = np.array([place[o] for o in program.outputs], ADDRESS)
    of_constants = np.array(list(number), float)
    return LoopProgram(program.dim, tuple(loops), outputs, of_constants, program.inputs)


def constant(program: Program, column: list[int]) -> str:
    """Whether the operands of a column are constants, or none is: "all", "none"; of a mixture which they
    are."""
    found = [program.ops[a].name == "const" for a in column]
    return "all" if all(found) else "none" if not any(found) else "".join("01"[x] for x in found)


def chains(program: Program) -> tuple[dict[int, list[list[int]]], set[int]]:
    """The sums that were added from the left, by their last addition: their terms, or the two factors of each
    term; and the operations that are part of one."""
    ops = program.ops
    reads = Counter(program.outputs) + Counter(a for op in ops for a in op.args)
    once = lambda at, name: reads[at] == 1 and ops[at].name == name
    sums: dict[int, list[list[int]]] = {}
    inner: set[int] = set()
    for root in reversed(range(len(ops))):
        if ops[root].name != "add" or root in inner:
            continue
        chain, terms = root, []
        part = set()
        while True:
            left, right = ops[chain].args
            terms.append(right)
            if not once(left, "add"):
                terms.append(left)
                break
            part.add(left)
            chain = left
        terms.reverse()
        if len(terms) < FEWEST or mixed(program, terms):
            continue
        inner |= part
        if all(once(t, "mul") for t in terms) and len(set(terms)) == len(terms):
            columns = [[ops[t].args[i] for t in terms] for i in (0, 1)]
            if not any(mixed(program, column) for column in columns):
                inner |= set(terms)
                sums[root] = columns
                continue
        sums[root] = [terms]
    return sums, inner


def mixed(program: Program, column: list[int]) -> bool:
    """Whether some of these operations are constants and some are none."""
    return len({program.ops[a].name == "const" for a in column}) > 1
