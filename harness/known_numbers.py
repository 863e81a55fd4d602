"""Known numbers for the instruments: roundings, shares of a step, units and functions that kernel and law have in common.

What both take from one place cannot differ between them: a tie rounded wrongly, a schedule, a unit roundoff, a
logarithm. Each is read here at points where its value follows from a definition (harness/instruments.py runs them).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def expect(what: str, read, known) -> list[str]:
    return [] if read == known else [f"{what} reads {read}, must be {known}"]


def roundings() -> list[str]:
    """Ties and their neighbours in the plain step's stores; the other backends' stand in their B1 (discrete.py)."""
    from harness.roundings import KNOWN, misread
    from kernels.precision import MODES

    found = [misread("numpy", kind, mode) for kind in KNOWN for mode in MODES]
    return [f"{wrong[0]}, one of {len(wrong)} known ties in this mode" for wrong in found if wrong]


def shares() -> list[str]:
    """c of dampening and of the schedule, which kernel and law share: a step on a slope of 1 moves by -c (eta 1, beta 0)."""
    from kernels.launch import Job, run
    from kernels.precision import Precision
    from kernels.program import Op, Program
    from kernels.rules import RULES

    slope, params = Program(1, (Op("const", value=1.0),), (0,)), np.array([[1.0], [0.0], [0.0], [0.0]])
    rest, known = np.zeros((1, 1)), {"heavy-ball-dampened": [(1, 1.0), (2, 0.75)]}
    rates = {1: 0.125, 2: 0.25, 7: 0.875, 8: 1.0, 32: 1.0, 33: 0.5, 64: 0.5, 65: 0.25, 96: 0.25}
    known["heavy-ball-scheduled"] = list(rates.items())
    out = []
    for name, at in known.items():
        job = Job(slope, RULES[name], Precision("float64"), rest, rest, params, at[-1][0])
        moved = -np.diff(run(job, "numpy").q[:, 0, 0])
        out += expect(f"c of {name} in steps {[n for n, _ in at]}", [float(moved[n - 1]) for n, _ in at], [c for _, c in at])
    return out


def units() -> list[str]:
    """The unit roundoff u and the smallest number of each type, which every bound is made of: 1 + u is a tie, 1 + 2u is not."""
    from kernels.precision import SUBNORMAL, UNIT, representable

    out = []
    for kind, u in UNIT.items():
        tiny, near = SUBNORMAL[kind], 1 + u * (1 + 2.0**-20)
        read = [float(x) for x in representable(np.array([1 + u, near, tiny, tiny * 0.375]), kind)]
        after = 1.0 if near == 1 else 1 + 2 * u
        out += expect(f"1 + u, a little more, the smallest number and 3/8 of it in {kind}", read, [1.0, after, tiny, 0.0])
        out += expect(f"whether 1 + 2u is more than 1 in {kind}", bool(representable(np.array([1 + 2 * u]), kind)[0] > 1), True)
    return out


def functions() -> list[str]:
    """exp and log of the plain step against 40 digits: within 3 unit roundoffs, which is what the bounds take."""
    import mpmath

    from kernels import elementary
    from kernels.precision import UNIT

    out = expect("the stated units of exp and log", (elementary.EXP_UNITS, elementary.LOG_UNITS), (3.0, 3.0))
    x = np.concatenate([np.linspace(-80, 80, 24), (np.arange(-8, 8) + 0.5) * 0.693147, np.linspace(-0.34, 0.34, 8)])
    with mpmath.workdps(40):
        for kind in ("float64", "float32"):
            for name, at in (("exp", x), ("log", np.exp(x))):
                at = at.astype(kind)
                want = [getattr(mpmath, name)(mpmath.mpf(float(a))) for a in at]
                got = getattr(elementary, name)(at)
                worst = max(float(abs(mpmath.mpf(float(y)) - w) / abs(w)) for y, w in zip(got, want, strict=True)) / UNIT[kind]
                out += [] if worst <= 3 else [f"{name} in {kind} errs by {worst:.3g} unit roundoffs, must be at most 3"]
    return out


INSTRUMENTS: tuple[Callable[[], list[str]], ...] = (roundings, shares, units, functions)
