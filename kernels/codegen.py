"""A program printed as a Triton function, in a real file: triton.jit reads its function's source.

Files are content-addressed and renamed into place, so concurrent runs agree and nothing half-written is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

from noether.kernels.precision import Precision
from noether.kernels.program import Program

HEADER = '''"""A traced program, printed by kernels/codegen.py. {what}"""

import triton
import triton.language as tl

from noether.kernels.rounding import exp, log, narrow


@triton.jit
def gradient({parameters}):
'''


def source(program: Program, precision: Precision) -> str:
    """The text of the module. Every constant is typed; fp32 division and root are the correctly rounded ones."""
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
            text = f"tl.where(({a[0]} > {a[1]}) | ({a[0]} != {a[0]}), {a[0]}, {a[1]})"  # the hardware's max drops a NaN
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


def folder() -> Path:
    """Where generated modules lie: the user's cache, or a temporary folder when that cannot be written."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = base / "noether" / "programs"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return Path(tempfile.gettempdir()) / f"noether-programs-{os.getuid()}"


@cache
def function(program: Program, precision: Precision):
    """The @triton.jit function of a program."""
    text = source(program, precision)
    name = "gradient_" + hashlib.sha256(text.encode()).hexdigest()[:20]
    path = folder() / f"{name}.py"
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".py")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(draft, path)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.gradient
