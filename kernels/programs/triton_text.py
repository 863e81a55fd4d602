"""Printing a program as a Triton function, which is compiled from that text; nothing is written to disk."""

from __future__ import annotations

import hashlib
import linecache
import sys
from functools import cache
from types import ModuleType

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
    """The text of the module. Every constant is typed; fp32 division and root are the correctly rounded
    ones."""
    arith = f"tl.{precision.arith}"
    single = precision.arith == "float32"
    lines = []
    for at, op in enumerate(program.ops):
        a = [f"x{i}" for i in op.args]
        if op.name == "input":
            text = program.inputs[op.value]
        elif op.name == "const":
            text = f"tl.full({program.inputs[-1]}.shape, {op.value!r}, {arith})"
        elif op.name == "neg":
            text = f"0.0 - {a[0]}"  # unary minus is this up to Triton 3.7 and makes -0 of +0 from 3.8.0 on
        elif op.name in ("exp", "log"):
            text = f"{op.name}({a[0]}, {arith})"
        elif op.name == "step":
            one, nothing = (f"tl.full({program.inputs[-1]}.shape, {value}, {arith})" for value in (1.0, 0.0))
            text = f"tl.where({a[0]} > 0, {one}, {nothing})"
        elif op.name == "abs":
            text = f"tl.abs({a[0]})"
        elif op.name == "max":
            # the hardware's max drops a NaN
            text = f"tl.where(({a[0]} > {a[1]}) | ({a[0]} != {a[0]}), {a[0]}, {a[1]})"
        elif op.name == "sqrt":
            text = f"tl.sqrt_rn({a[0]})" if single else f"tl.sqrt({a[0]})"
        elif op.name == "div":
            # div_rn refuses fp64, where "/" is already correctly rounded; "/" in fp32 is div.full.
            text = f"tl.div_rn({a[0]}, {a[1]})" if single else f"{a[0]} / {a[1]}"
        else:
            text = f"{a[0]} {dict(add='+', sub='-', mul='*')[op.name]} {a[1]}"
        if precision.eager and op.name != "input":
            text = f'narrow({text}, "{precision.name}")'
        lines.append(f"    x{at} = {text}")
    results = ", ".join(f"x{i}" for i in program.outputs)
    parameters = ", ".join(dict.fromkeys(name.partition("[")[0] for name in program.inputs))
    head = HEADER.format(what=f"Program {program.digest}, {precision.label}.", parameters=parameters)
    return head + "\n".join(lines) + f"\n    return ({results},)\n"


@cache
def function(program: Program, precision: Precision):
    """The @triton.jit function of a program.

    triton.jit reads its function's source, which Python takes from linecache: no file is written, and none is
    read.
    An entry without a time is never looked for on disk (inspect, linecache, checked up to Python 3.14).
    """
    text = source(program, precision)
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
