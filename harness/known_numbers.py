"""Known numbers for the instruments: roundings, shares of a step, units, exp and log, which kernel and law have in common.

What both take from one place cannot differ between them: a tie rounded wrongly, a schedule, a unit roundoff, a
logarithm. Each is read here where its value follows from a definition (harness/instruments.py runs them).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def expect(what: str, read, known) -> list[str]:
    return [] if read == known else [f"{what} reads {read}, must be {known}"]


def roundings() -> list[str]:
    """Ties and their neighbours in the plain step's stores; the other backends' stand in their B1."""
    from harness.roundings import KNOWN, misread
    from kernels.precision import MODES

    found = [misread("numpy", kind, mode) for kind in KNOWN for mode in MODES]
    return [f"{wrong[0]}, one of {len(wrong)} known ties in this mode" for wrong in found if wrong]


def shares() -> list[str]:
    """c of dampening and of the schedule: with eta = 1 and beta = 0 a step on a slope of 1 moves by -c."""
    from kernels.launch import Job, run
    from kernels.precision import Precision
    from kernels.program import Op, Program
    from kernels.rules import RULES

    slope, params = Program(1, (Op("const", value=1.0),), (0,)), np.array([[1.0], [0.0], [0.0], [0.0]])
    rates = {1: 0.125, 2: 0.25, 7: 0.875, 8: 1.0, 32: 1.0, 33: 0.5, 64: 0.5, 65: 0.25, 96: 0.25}
    rest, out = np.zeros((1, 1)), []
    for name, known in {"heavy-ball-dampened": {1: 1.0, 2: 0.75}, "heavy-ball-scheduled": rates}.items():
        job = Job(slope, RULES[name], Precision("float64"), rest, rest, params, max(known))
        moved = -np.diff(run(job, "numpy").q[:, 0, 0])
        out += expect(f"the share of each step of {name}", {n: float(moved[n - 1]) for n in known}, known)
    return out


def units() -> list[str]:
    """The unit roundoff u and the smallest number of each type, of which every bound is made: 1 + u is a tie."""
    from kernels.precision import SUBNORMAL, UNIT, representable

    out = []
    for kind, u in UNIT.items():
        tiny, near = SUBNORMAL[kind], 1 + u * (1 + 2.0**-20)
        values = np.array([1 + u, near, 1 + 2 * u, tiny, tiny * 0.375])
        *read, last = (float(x) for x in representable(values, kind))
        after = 1.0 if near == 1 else 1 + 2 * u
        known = [1.0, after, 1 + 2 * u, tiny]
        out += expect(f"1 + u, a little more, 1 + 2u, the smallest number in {kind}", read, known)
        out += expect(f"3/8 of the smallest number and whether 1 + 2u is 1 in {kind}", (last, read[2] == 1), (0.0, False))
    return out


def functions() -> list[str]:
    """exp and log of the plain step against 40 digits: within 3 unit roundoffs, which is what the bounds take."""
    import mpmath

    from kernels import elementary
    from kernels.precision import UNIT

    def error(y, want) -> float:
        return float(abs(mpmath.mpf(float(y)) - want) / abs(want))

    out = expect("the stated units of exp and log", (elementary.EXP_UNITS, elementary.LOG_UNITS), (3.0, 3.0))
    x = np.concatenate([np.linspace(-80, 80, 24), (np.arange(-8, 8) + 0.5) * 0.693147, np.linspace(-0.34, 0.34, 8)])
    with mpmath.workdps(40):
        for kind in ("float64", "float32"):
            for name, at in (("exp", x.astype(kind)), ("log", np.exp(x).astype(kind))):
                want = [getattr(mpmath, name)(mpmath.mpf(float(a))) for a in at]
                got = getattr(elementary, name)(at)
                worst = max(error(*pair) for pair in zip(got, want, strict=True)) / UNIT[kind]
                out += [] if worst <= 3 else [f"{name} in {kind} errs by {worst:.3g} unit roundoffs, at most 3 are stated"]
    return out


INSTRUMENTS: tuple[Callable[[], list[str]], ...] = (roundings, shares, units, functions)
