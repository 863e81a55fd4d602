"""Printing a program as a Triton function whose operations stay in the order in which they stand.

LLVM orders the operations of a block of straight code anew, and keeps up to twice as many numbers alive as
the program needs (checked in Triton 3.7.1, sm_90, with the residuals of rayleigh). So the function is cut
into blocks, each behind a branch that is always taken: its condition is about a number of the launch, which
no compiler knows. Neither LLVM nor ptxas moves arithmetic across it. The bits are those of the text without
fences.
"""

from __future__ import annotations

from functools import cache

from noether.kernels.programs.operations import OPERATIONS, STORES
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.pressure import last_uses
from noether.kernels.programs.program import SOURCES, Program
from noether.kernels.programs.triton_text import HEADER, compiled_text

BLOCK = 48
"""Operations between two fences. Of 24, 32 and 48, ptxas spills least with 48, and it costs the fewest
instructions."""


def source(program: Program, precision: Precision) -> str:
    """The text of a module with the function; its last parameter `fence` is a whole number that is not
    negative."""
    if precision.eager or any(op.name in STORES for op in program.ops):
        raise ValueError(f"a program that rounds to {precision.label} is not printed with fences")
    arith, last = f"tl.{precision.arith}", last_uses(program)
    full = lambda value: f"tl.full({program.inputs[-1]}.shape, {value!r}, {arith})"
    computed = [at for at, op in enumerate(program.ops) if op.name not in SOURCES]
    lines = [f"    zero = {full(0.0)}"]
    for number, first in enumerate(range(0, len(computed), BLOCK), 1):
        block = computed[first : first + BLOCK]
        lines += [f"    x{at} = zero" for at in block if last[at] > block[-1]]
        lines.append(f"    if fence != -{number}:")
        lines += [f"        {line}" for at in block for line in said(program, at, precision, full)]
    names = [operand(program, at) for at in program.outputs]
    parameters = ", ".join(dict.fromkeys(name.partition("[")[0] for name in program.inputs))
    about = f"Program {program.digest}, {precision.label}, with fences."
    head = HEADER.format(what=about, parameters=f"{parameters}, fence")
    return head + "\n".join(lines) + f"\n    return ({', '.join(names)},)\n"


def said(program: Program, at: int, precision: Precision, full) -> list[str]:
    """The lines of one operation: its constants, which live no longer than it, and itself."""
    op = program.ops[at]
    constants = [a for a in dict.fromkeys(op.args) if program.ops[a].name == "const"]
    template = OPERATIONS[op.name].in_triton(precision.arith == "float32")
    words = dict(arith=f"tl.{precision.arith}", one=full(1.0), zero=full(0.0))
    text = template.format(*(operand(program, a) for a in op.args), **words)
    return [*(f"c{a} = {full(program.ops[a].value)}" for a in constants), f"x{at} = {text}"]


def operand(program: Program, at: int) -> str:
    """The name of what an operation reads."""
    op = program.ops[at]
    if op.name == "input":
        return program.inputs[op.value]
    return f"c{at}" if op.name == "const" else f"x{at}"


@cache
def fenced_function(program: Program, precision: Precision):
    """The @triton.jit function of a program, with fences."""
    return compiled_text(source(program, precision))
