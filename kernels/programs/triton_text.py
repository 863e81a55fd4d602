"""Printing a program as a Triton function, which is compiled from that text; nothing is written to disk."""

from __future__ import annotations

import hashlib
import linecache
import sys
from functools import cache
from types import ModuleType

from noether.kernels.programs.operations import OPERATIONS, STORES
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Program

HEADER = '''"""A traced program, printed by kernels/programs/triton_text.py. {what}"""

import triton
import triton.language as tl

from noether.kernels.loops.triton_rounding import exp, log, narrow


@triton.jit
def gradient({parameters}):
'''


def source(program: Program, precision: Precision) -> str:
    """The text of a module with the function; constants are typed, division and root rounded correctly."""
    arith = f"tl.{precision.arith}"
    single = precision.arith == "float32"
    stores = dict(q_store=precision.q_store, v_store=precision.v_store)
    full = lambda value: f"tl.full({program.inputs[-1]}.shape, {value!r}, {arith})"
    lines = []
    for at, op in enumerate(program.ops):
        a = [f"x{i}" for i in op.args]
        if op.name == "input":
            text = program.inputs[op.value]
        elif op.name == "const":
            text = full(op.value)
        else:
            text = (
                OPERATIONS[op.name]
                .in_triton(single)
                .format(*a, arith=arith, one=full(1.0), zero=full(0.0), **stores)
            )
        if precision.eager and op.name not in ("input", *STORES):
            text = f'narrow({text}, "{precision.name}")'
        lines.append(f"    x{at} = {text}")
    results = ", ".join(f"x{i}" for i in program.outputs)
    parameters = ", ".join(dict.fromkeys(name.partition("[")[0] for name in program.inputs))
    head = HEADER.format(what=f"Program {program.digest}, {precision.label}.", parameters=parameters)
    return head + "\n".join(lines) + f"\n    return ({results},)\n"


@cache
def function(program: Program, precision: Precision):
    """The @triton.jit function of a program.

    triton.jit reads its function's source, which Python takes from linecache: no file is written, and none
    is read. An entry without a time is never looked for on disk (inspect, linecache, checked up to Python
    3.14).
    """
    return compiled_text(source(program, precision))


def compiled_text(text: str):
    """The @triton.jit function `gradient` of a module of this text."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    place = f"<noether gradient {digest}>"
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
    module = ModuleType(f"gradient_{digest}")
    sys.modules[module.__name__] = module  # the interpreter looks for a function's globals there
    exec(compile(text, place, "exec"), module.__dict__)
    read = getattr(module.gradient, "raw_src", None)
    if read is not None and "".join(read) != text[text.index("@triton.jit") :]:
        raise RuntimeError(f"triton read another source of {place} than was printed")
    return module.gradient
