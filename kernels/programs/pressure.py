"""How many numbers of a program are alive at once, and orders and parts of it that need fewer.

A kernel has registers for some hundred numbers of 64 bits; what is alive beyond them is written to memory and
read back, which is called a spill. A tape is in the order in which a formula asks for its numbers: all
components of a bound, then all components of the next. Depth first instead, what is computed is used soon.
Nothing here changes what is computed: each operation stays, with its operands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from noether.kernels import evaluation_order
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.tape import pruned


def last_uses(program: Program) -> list[int]:
    """For each operation the last one that reads it, the length of the program where it is an output, and
    itself where nothing does."""
    last = list(range(program.length))
    for at, op in enumerate(program.ops):
        for a in op.args:
            last[a] = at
    for o in program.outputs:
        last[o] = program.length
    return last


def alive(program: Program) -> int:
    """The most numbers that are alive at once, without constants, which are part of instructions."""
    ends = Counter(end for at, end in enumerate(last_uses(program)) if program.ops[at].name != "const")
    now = most = 0
    for at, op in enumerate(program.ops):
        now += op.name != "const"
        most = max(most, now)
        now -= ends[at]
    return most


def depth_first(program: Program) -> Program:
    """The same operations, each soon before it is needed; a constant needs no register."""
    takes = [int(op.name != "const") for op in program.ops]
    order = evaluation_order.depth_first([op.args for op in program.ops], program.outputs, takes)
    place = {at: n for n, at in enumerate(order)}
    moved = lambda op: Op(op.name, tuple(place[a] for a in op.args), op.value)
    ops = tuple(moved(program.ops[at]) for at in order)
    return Program(program.dim, ops, tuple(place[o] for o in program.outputs), program.names)


def part(program: Program, outputs: Iterable[int]) -> Program:
    """What gives some of the results of a program, by position, depth first."""
    return depth_first(pruned(program.dim, program, list(outputs), program.inputs))


def leaves(program: Program, output: int) -> list[int]:
    """Of an output c max(x, y, ...) + z with a constant c > 0 the positions of x, y, ...; [] of another."""
    scaled, _ = _summands(program, output)
    if scaled is None:
        return []
    found, left = [], [_factors(program, scaled)[0]]
    while left:
        at = left.pop()
        if program.ops[at].name == "max":
            left += reversed(program.ops[at].args)
        else:
            found.append(at)
    return found


def largest_of(program: Program, output: int, chosen: list[int]) -> Program:
    """A program with one more output: that of `leaves`, with the largest of the chosen ones alone.

    The largest of such outputs is the output itself, to the bit: max is exact, a rounded product with c > 0
    and a rounded sum never change an order, and NaN stays NaN.
    """
    scaled, other = _summands(program, output)
    ops = list(program.ops)

    def enter(name: str, *args: int) -> int:
        ops.append(Op(name, args))
        return len(ops) - 1

    most, *rest = chosen
    for at in rest:
        most = enter("max", most, at)
    sum_of = enter("add", enter("mul", most, _factors(program, scaled)[1]), other)
    return Program(program.dim, tuple(ops), (*program.outputs, sum_of), program.names)


def _summands(program: Program, output: int) -> tuple[int | None, int]:
    """Of c max(...) + z the positions of the product and of z; None where it is another formula."""
    op = program.ops[output]
    for scaled, other in (op.args, op.args[::-1]) if op.name == "add" else ():
        if program.ops[scaled].name == "mul" and _factors(program, scaled)[0] is not None:
            return scaled, other
    return None, -1


def _factors(program: Program, product: int) -> tuple[int | None, int]:
    """Of c max(...) the positions of the largest and of c."""
    for most, c in (args := program.ops[product].args, args[::-1]):
        factor = program.ops[c]
        if program.ops[most].name == "max" and factor.name == "const" and factor.value > 0:
            return most, c
    return None, -1
