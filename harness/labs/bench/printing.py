"""A step printed as source text for another tool, from the same traced programs.

    v'_i = beta v_i - eta (g_i + k q_i)        q'_i = q_i + v'_i                  heavy-ball
    worst' = max(worst, residual(q, v, q', v'))                                   harness/labs/bench/work.py

Every tool is given the same operations on the same operands in the same order; what its compiler makes of
them (contraction into fma, another exp) is the tool's own. Each value has a name, and is a scalar, an array
over lanes, or whatever the tool traces. q, v are the state, p, w the state after the step; r_eta, r_beta,
r_k, r_eps the parameters that the residual reads, which come from an array of their own.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from noether.kernels.programs.operations import ARITHMETIC, OPERATIONS
from noether.kernels.programs.program import Program
from noether.labs.bench.work import Work

PARAMETERS = ("eta", "beta", "k", "eps")


@dataclass(frozen=True)
class Dialect:
    """How one tool writes what is not + - * /.

    constant  (value, type) -> text, typed where a bare literal would widen
    call      "exp", "log", "sqrt", "abs", "max" -> the name of the tool's function
    cast      (text, type) -> text
    """

    constant: Callable[[float, str], str]
    call: dict[str, str]
    cast: Callable[[str, str], str]


def statements(
    program: Program, inputs: dict[str, str], kind: str, prefix: str, dialect: Dialect
) -> tuple[list[str], list[str]]:
    """Lines, and the names of the outputs, of a program whose input called x is the name inputs[x].

    Raises ValueError for an operation that the dialect has no word for.
    """
    lines: list[str] = []
    values: list[str] = []
    for at, op in enumerate(program.ops):
        a = [values[i] for i in op.args]
        if op.name in ("input", "const"):
            values.append(
                inputs[program.inputs[op.value]]
                if op.name == "input"
                else dialect.constant(float(op.value), kind)
            )
            continue
        if op.name in ARITHMETIC:
            text = f" {OPERATIONS[op.name].infix} ".join(a)
        elif op.name == "neg":
            text = f"{dialect.constant(0.0, kind)} - {a[0]}"
        elif op.name in dialect.call:
            text = f"{dialect.call[op.name]}({', '.join(a)})"
        else:
            known = sorted({*ARITHMETIC, "neg", *dialect.call})
            raise ValueError(f"operation {at} is {op.name!r}: this tool has only {known}")
        values.append(f"{prefix}{at}")
        lines.append(f"{prefix}{at} = {text}")
    return lines, [values[i] for i in program.outputs]


def names(letter: str, d: int) -> list[str]:
    """The names of d variables."""
    return [f"{letter}{i}" for i in range(d)]


def update(work: Work, dialect: Dialect) -> list[str]:
    """The lines of one step of heavy ball with coupled decay."""
    d = work.dim
    inputs = {f"q[{i}]": f"q{i}" for i in range(d)} | {"eps": "eps"}
    lines, g = statements(work.gradient, inputs, work.arith, "x", dialect)
    for i in range(d):
        lines += [f"w{i} = beta * v{i} - eta * ({g[i]} + k * q{i})", f"p{i} = q{i} + w{i}"]
    return lines


def watch(work: Work, dialect: Dialect) -> list[str]:
    """The residual of each law, and the largest so far."""
    if work.residual is None:
        return []
    kind, lines = work.residual_arith, []
    inputs = {f"p[{i}]": f"r_{x}" for i, x in enumerate(PARAMETERS)}
    used = {work.residual.inputs[op.value] for op in work.residual.ops if op.name == "input"}
    for theirs, ours in zip("qvrw", "qvpw", strict=True):
        for i in range(work.dim):
            name = f"{ours}{i}"
            if f"{theirs}[{i}]" in used and kind != work.arith:
                lines.append(f"{name}_ = {dialect.cast(name, kind)}")
                name += "_"
            inputs[f"{theirs}[{i}]"] = name
    more, spent = statements(work.residual, inputs, kind, "y", dialect)
    return lines + more + [f"worst = {dialect.call['max']}(worst, {s})" for s in spent]


def step(work: Work, dialect: Dialect) -> list[str]:
    """One step: from q, v, worst and the parameters to p, w, worst."""
    return update(work, dialect) + watch(work, dialect)


def state(d: int) -> str:
    """Names of a state, as a tuple: what array tools carry from step to step."""
    return ", ".join([*names("q", d), *names("v", d), "worst"])


def function(work: Work, dialect: Dialect, header: str) -> str:
    """A module with step(state, params, again) -> state, for tools whose values are arrays over lanes."""
    d = work.dim
    lines = [
        f"{state(d)} = state",
        f"{', '.join(PARAMETERS)} = params",
        f"{', '.join(f'r_{x}' for x in PARAMETERS)} = again",
    ]
    after = ", ".join([*names("p", d), *names("w", d), "worst"])
    return f"{header}\n\ndef step(state, params, again):\n" + indented(
        [*lines, *step(work, dialect), f"return {after}"], 4
    )


def indented(lines: list[str], by: int) -> str:
    """Lines as text, moved to the right."""
    return "".join(" " * by + line + "\n" for line in lines)


def load(text: str, tool: str) -> ModuleType:
    """Printed source as a module. It is entered where tools look for it: sys.modules, and the lines for
    tracebacks."""
    name = f"printed_for_{tool}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    if name in sys.modules:  # compiled before, perhaps for another number of lanes
        return sys.modules[name]
    sys.modules[name] = module
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    return module
