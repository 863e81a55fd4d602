"""What a planted fault must know of a rule that it is planted in: read off the rule's own lines."""

from __future__ import annotations

import random
from functools import cache

import numpy as np

from noether.cases.rule import Rule
from noether.faults.same_formula import drawn, values
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import Precision, narrow
from noether.kernels.programs.trace_rule import position_program, update_program


@cache
def names_read(rule: Rule, d: int) -> frozenset[str]:
    """What the lines of a step of d parameters read: "q", "v" of any buffer, "g", and numbers by their
    names."""
    program, found = update_program(rule, d), set()
    for op in program.ops:
        if op.name == "input":
            letter, _, at = program.inputs[op.value].rstrip("]").partition("[")
            known = letter == "p" and int(at) < len(rule.inputs)
            found.add(rule.inputs[int(at)] if known else letter)
    return frozenset(found)


@cache
def counts(rule: Rule, d: int, name: str) -> bool:
    """Whether a parameter is read by anything but a maximum, which it decides in few lanes or in none."""
    program = update_program(rule, d)
    letter = f"p[{rule.index(name)}]"
    mine = {
        at for at, op in enumerate(program.ops) if op.name == "input" and program.inputs[op.value] == letter
    }
    return any(mine & {*op.args} and op.name != "max" for op in program.ops)


@cache
def moved_by_buffers(rule: Rule, d: int) -> bool:
    """Whether q' depends on the new buffers as they are stored."""
    program = position_program(rule, d)
    return any(op.name == "input" and program.inputs[op.value][0] == "w" for op in program.ops)


@cache
def places_of_stores(rule: Rule, d: int) -> tuple[tuple[str, int], ...]:
    """Where each store of a step goes, in the order in which its lines store: ("q" or a buffer, component).

    Told by running the step once: what it returns are the arrays that its stores gave.
    """
    made: list[np.ndarray] = []

    def store(x, kind):
        made.append(np.array(narrow(x, kind)))
        return made[-1]

    ones = lambda count: [np.ones(1) for _ in range(count)]
    numbers = ones(len(rule.inputs) + (d if rule.on_metric else 0))
    with np.errstate(all="ignore"):
        state = ones(d), ones(d * len(rule.buffers)), numbers, lambda q, eps: ones(d)
        q, v = step(*state, rule, Precision("float64"), store=store)
    words = [(word, i) for word in ("q", *rule.buffers) for i in range(d)]
    of = {id(x): word for x, word in zip([*q, *v], words, strict=True)}
    return tuple(of[id(x)] for x in made)


@cache
def turns_with_its_force(rule: Rule, d: int) -> bool:
    """Whether a step stays as it is, bit for bit, when eta, k and the gradient change their signs.

    So it is where each number that it computes stays or changes its sign alone, for rounding is odd, and what
    it returns stays: told at a random point of exact arithmetic (noether.cases.exact_numbers).
    """
    program = update_program(rule, d)
    here = drawn(program, random.Random(20261127))
    signs = {"g": -1, **{f"p[{rule.index(name)}]": -1 for name in ("eta", "k")}}
    turned = [
        x * signs.get(name, signs.get(name[0], 1)) for name, x in zip(program.inputs, here, strict=True)
    ]
    pairs = list(zip(values(program, here), values(program, turned), strict=True))
    stays = all(x == y or x == -y for x, y in pairs)
    return stays and all(pairs[o][0] == pairs[o][1] for o in program.outputs)
