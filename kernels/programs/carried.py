"""What a rule carries over from step to step, as programs that are cut where a step reads the one before.

A second moment is a recursion: each step needs the one before, but most of the arithmetic of a step does not.
`cut` divides a program into what can be evaluated for all steps at once and what is left for one after the
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from noether.cases.rule import Rule
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.tape import TraceError, pruned
from noether.kernels.programs.trace_rule import TRACED, Inputs, reading_stores, rows_of


def apart(rule: Rule, taken: tuple[int, ...]) -> list[int]:
    """The positions of the buffers that are not taken from elsewhere."""
    return [i for i in range(len(rule.buffers)) if i not in taken]


@cache
def by_terms(rule: Rule, d: int, taken: tuple[int, ...]) -> Program:
    """The new buffers but some, by the terms of the rule.

    taken  the positions of those whose new numbers are w, as they are stored; the outputs are the others, one
           after the other. Raises TraceError where one of them needs itself.
    """
    here = Inputs(rule, d, "qvgwp")
    q, old, g, p = here.vector("q"), here.buffers(), here.vector("g"), here.parameters()
    new = here.buffers("w")
    for _ in rule.buffers:  # a buffer may read another new one, as a maximum does
        of_v = rule.terms(q, old, new, g, p, TRACED)[1]
        summed = [[sum(x) for x in zip(*terms.values(), strict=True)] for terms in of_v]
        new = [new[i] if i in taken else x for i, x in enumerate(summed)]
    program = here.program([x for i in apart(rule, taken) for x in new[i]])
    read = {here.names[op.value] for op in program.ops if op.name == "input"}
    circular = sorted(read & {f"w[{i}]" for i in rows_of(apart(rule, taken), d)})
    if circular:
        raise TraceError(f"rule {rule.name}: new buffers need themselves, {', '.join(circular)}")
    return program


@cache
def by_lines(rule: Rule, d: int, taken: tuple[int, ...]) -> Program:
    """The same numbers by the lines of the rule, as a kernel computes them."""
    outputs = [d + i for i in rows_of(apart(rule, taken), d)]
    return reading_stores(rule, d, tuple(rows_of(taken, d)), tuple(outputs))


@cache
def cut(program: Program, carried: tuple[str, ...]) -> tuple[Program, Program]:
    """A program as two: what does not depend on some of its inputs, and the rest.

    carried  the names of those inputs
    The inputs of the second program are these, then the outputs of the first one, in order: x[i], or an input
    of the program by its own name.
    """
    names = program.inputs
    depends: list[bool] = []
    for op in program.ops:
        own = op.name == "input" and names[op.value] in carried
        depends.append(own or any(depends[a] for a in op.args))
    given = [a for at, op in enumerate(program.ops) if depends[at] for a in op.args]
    given = [a for a in (*given, *program.outputs) if not depends[a] and program.ops[a].name != "const"]
    given = list(dict.fromkeys(given))
    first = pruned(program.dim, program, given, names)
    of_given = [program.ops[a] for a in given]
    named = (names[op.value] if op.name == "input" else f"x[{i}]" for i, op in enumerate(of_given))
    of_rest = (*carried, *named)
    at = {name: i for i, name in enumerate(of_rest)}
    ops: list[Op] = []
    place: dict[int, int] = {}

    def enter(old: int, op: Op) -> None:
        place[old] = len(ops)
        ops.append(op)

    for i, a in enumerate(given):
        enter(a, Op("input", value=len(carried) + i))
    for old, op in enumerate(program.ops):
        if op.name == "const":
            enter(old, op)
        elif depends[old] and op.name == "input":
            enter(old, Op("input", value=at[names[op.value]]))
        elif depends[old]:
            enter(old, Op(op.name, tuple(place[a] for a in op.args)))
    return first, Program(program.dim, tuple(ops), tuple(place[o] for o in program.outputs), of_rest)


@dataclass(frozen=True)
class Layer:
    """Operations of one name, none of which reads another of them: they are evaluated together.

    at    their positions in the program;  args  of each operand the positions, (operands, operations)
    sign  whether an operand of each is a sign;  unrounded  Program.unrounded of each
    """

    name: str
    at: np.ndarray
    args: np.ndarray
    sign: bool
    unrounded: tuple[str, ...]


@cache
def layers(program: Program) -> tuple[Layer, ...]:
    """The operations of a program in layers, in an order in which they can be evaluated; its inputs and
    constants are in none."""
    depth: list[int] = []
    found: dict[tuple, list[int]] = {}
    for at, op in enumerate(program.ops):
        depth.append(1 + max((depth[a] for a in op.args), default=-1))
        if op.args:
            sign = any(program.ops[a].name == "sign" for a in op.args)
            found.setdefault((depth[-1], op.name, sign, program.unrounded(op)), []).append(at)
    return tuple(
        Layer(name, np.array(at), np.array([program.ops[i].args for i in at]).T, *how)
        for (_, name, *how), at in sorted(found.items())
    )
