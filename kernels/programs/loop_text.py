"""Printing a program with loops as a Triton function that works in a memory, a loop for a loop.

What an operand reads is its number in the loop where its addresses are in order, and else stands in a table
of whole numbers, as constants stand in an array: neither is part of the text, so it does not grow with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from noether.kernels.programs.loop_program import ADDRESS, SUM, Loop, LoopProgram
from noether.kernels.programs.operations import OPERATIONS, STORES
from noether.kernels.programs.precision import Precision, narrow

HEADER = '''"""A program with loops, printed by kernels/programs/loop_text.py. {what}"""

import triton
import triton.language as tl

from noether.kernels.loops.triton_rounding import exp, log, narrow


@triton.jit
def gradient(memory, table, constants, stride, live):
'''


@dataclass
class Printed:
    """The text of a function, and the whole numbers that it reads."""

    text: str = ""
    table: list[np.ndarray] = field(default_factory=list)
    length: int = 0

    def place(self, addresses: np.ndarray) -> int:
        """Where some addresses begin in the table."""
        self.table.append(np.ascontiguousarray(addresses, ADDRESS).reshape(-1))
        self.length += self.table[-1].size
        return self.length - self.table[-1].size


def printed(program: LoopProgram, precision: Precision) -> Printed:
    """The function `gradient` of a module, which executes a program in a memory.

    memory (of the lane), table, constants are pointers; a slot of the memory is `stride` numbers long. What
    the outputs are stands at the beginning of the table.
    """
    out = Printed()
    out.place(slots_of(program))
    lines = []
    for loop in program.loops:
        lines += body(loop, out, precision)
    fixed = program.outputs[program.outputs < 0]
    if len(fixed):
        lines += copied(Loop("const", program.size, (fixed,)), out, precision)
    head = HEADER.format(what=f"Program {program.digest}, {precision.label}.")
    out.text = head + "\n".join(f"    {line}" for line in lines) + "\n    return 0\n"
    return out


def slots_of(program: LoopProgram) -> np.ndarray:
    """The slots where the outputs are in the end: those that are constants stand after all others."""
    fixed = np.flatnonzero(program.outputs < 0)
    out = program.outputs.copy()
    out[fixed] = program.size + np.arange(len(fixed))
    return out


def memory_size(program: LoopProgram) -> int:
    """How many slots the printed function needs."""
    return program.size + int((program.outputs < 0).sum())


def copied(loop: Loop, out: Printed, precision: Precision) -> list[str]:
    """The lines of a loop that gives back its operand."""
    x = operand(loop.args[0], "i", out, f"tl.{precision.arith}")
    return [f"for i in range({loop.count}):", f"    x = {x}", f"    {stored(loop)}"]


def stored(loop: Loop) -> str:
    """The line that puts the number x of a loop where it belongs."""
    return f"tl.store(memory + stride * ({loop.first} + i), x, mask=live)"


def operand(addresses: np.ndarray, i: str, out: Printed, arith: str) -> str:
    """The number that operand `i` of a loop is, as text."""
    flat = addresses.reshape(-1)
    constant = bool(flat[0] < 0)
    index = ~flat if constant else flat
    if (index == index[0]).all():
        at = str(int(index[0]))
    elif (index == index[0] + np.arange(len(index))).all():
        at = f"({int(index[0])} + {i})"
    else:
        at = f"tl.load(table + ({out.place(index)} + {i}))"
    if constant:
        return f"tl.full(live.shape, tl.load(constants + {at}).to({arith}), {arith})"
    return f"tl.load(memory + stride * {at}, mask=live, other=1)"


def body(loop: Loop, out: Printed, precision: Precision) -> list[str]:
    """The lines of one loop."""
    arith, store = f"tl.{precision.arith}", stored(loop)
    head = f"for i in range({loop.count}):"
    if loop.name != SUM:
        operands = [operand(a, "i", out, arith) for a in loop.args]
        lines = [f"a{k} = {text}" for k, text in enumerate(operands)]
        lines.append(f"x = {operation(loop.name, [f'a{k}' for k in range(len(operands))], precision)}")
        return [head, *(f"    {line}" for line in (*lines, store))]
    at = f"i * {loop.terms}"
    first = [operand(a, f"({at} + 0)", out, arith) for a in loop.args]
    # The same tables again: what was placed for the first term serves all of them.
    later = [text.replace(f"({at} + 0)", f"({at} + k)") for text in first]

    def term(texts, name):
        lines = [f"{name}{j} = {text}" for j, text in enumerate(texts)]
        if len(texts) == 1:
            return [*lines, f"{name} = {name}0"]
        return [*lines, f"{name} = {operation('mul', [f'{name}0', f'{name}1'], precision)}"]

    inner = [*term(later, "y"), f"x = {operation('add', ['x', 'y'], precision)}"]
    lines = [
        *term(first, "x"),
        f"for k in range(1, {loop.terms}):",
        *(f"    {line}" for line in inner),
        store,
    ]
    return [head, *(f"    {line}" for line in lines)]


def operation(name: str, operands: list[str], precision: Precision) -> str:
    """One operation of Triton on named operands, rounded as a precision says."""
    arith = f"tl.{precision.arith}"
    full = lambda value: f"tl.full(live.shape, {value!r}, {arith})"
    text = OPERATIONS[name].in_triton(precision.arith == "float32")
    stores = dict(q_store=precision.q_store, v_store=precision.v_store)
    text = text.format(*operands, arith=arith, one=full(1.0), zero=full(0.0), **stores)
    return f'narrow({text}, "{precision.name}")' if precision.eager and name not in STORES else text


def constants_of(program: LoopProgram, precision: Precision) -> np.ndarray:
    """The constants as a kernel reads them, float64: rounded to what the arithmetic has."""
    known = program.constants.astype(precision.arith)
    known = narrow(known, precision.name) if precision.eager else known
    return known.astype(np.float64) if known.size else np.zeros(1)
