"""Known-answer tests of numbers: roundings, steps and their shares, units, exp and log.

What kernel and law take from one place cannot differ between them: a tie rounded wrongly, a schedule, a unit
roundoff, a logarithm. Each is read where its value follows from a definition (harness/runs/known_answers.py
runs them).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def expect(what: str, read, known) -> list[str]:
    """What is wrong where something that is read is not what is known; nothing where it is."""
    return [] if read == known else [f"{what} reads {read}, must be {known}"]


def roundings() -> list[str]:
    """Ties and their neighbours in the stores of the numpy step; those of other backends are in B1."""
    from noether.kernels.programs.precision import MODES
    from noether.mechanics.roundings import KNOWN, misread

    found = [misread("numpy", kind, mode) for kind in KNOWN for mode in MODES]
    return [f"{wrong[0]}, one of {len(wrong)} known ties in this mode" for wrong in found if wrong]


def shares() -> list[str]:
    """The shares c of dampening and of the schedule: with eta = 1 and beta = 0 a step on a slope of 1 moves
    by -c."""
    from noether.cases.rules import RULES
    from noether.kernels.loops.launch import Job, run
    from noether.kernels.programs.precision import Precision
    from noether.kernels.programs.program import Op, Program

    slope, params = Program(1, (Op("const", value=1.0),), (0,)), np.array([[1.0], [0.0], [0.0], [0.0]])
    rates = {1: 0.125, 2: 0.25, 7: 0.875, 8: 1.0, 32: 1.0, 33: 0.5, 64: 0.5, 65: 0.25, 96: 0.25}
    rest, out = np.zeros((1, 1)), []
    for name, known in {"heavy-ball-dampened": {1: 1.0, 2: 0.75}, "heavy-ball-scheduled": rates}.items():
        job = Job(slope, RULES[name], Precision("float64"), rest, rest, params, max(known))
        moved = -np.diff(run(job, "numpy").q[:, 0, 0])
        out += expect(f"the share of each step of {name}", {n: float(moved[n - 1]) for n in known}, known)
    return out


AFTER_TWO = {
    "gradient-descent": (-0.7476348876953125, -1.292877197265625, -0.4175567626953125, 0.429779052734375),
    "heavy-ball": (-1.0979766845703125, -0.979156494140625, -1.0803985595703125, 0.899749755859375),
    "heavy-ball-decoupled": (-1.0869903564453125, -1.015777587890625, -1.06982421875, 0.819091796875),
    "nesterov": (-1.3012726306915283, -0.6633973121643066, -0.5976581573486328, 0.6518516540527344),
    "heavy-ball-dampened": (
        -0.9478111267089844,
        -1.1070480346679688,
        -0.9302330017089844,
        0.7718582153320312,
    ),
    "heavy-ball-maximize": (4.7496795654296875, -4.841461181640625, 2.6422576904296875, -1.525054931640625),
    "natural-gradient": (-0.09157180786132812, -0.3758544921875, -0.6030654907226562, 0.28472900390625),
    "heavy-ball-metric": (-0.23561477661132812, 0.2979736328125, -1.2036514282226562, 0.77789306640625),
    "sign-descent": (0.5, -2.25, -0.125, 0.125),
    "heavy-ball-scheduled": (0.279080867767334, -2.139286994934082, -1.499887466430664, 1.1323051452636719),
    "mirror-descent": (-1.2901687540358755, -2.2183344409490826, -0.6169293705575254, 0.037561806630307545),
    "exponentiated-gradient": (
        *(-0.38588506269581385, -1.1389614611184102, -0.7684877910490274, 0.06109267462941646),
    ),
}
"""q_2 and v_2 of each rule, of the last two log q, on 2 x^2 + y^2 - x y + 3 x from q = (3/4, -5/2), v = (1/2,
-1/4).

With eta = 1/8, beta = 5/8, k = 3/16, G = (2, 1/2), as cases/rules has it, in rational arithmetic.
"""


def steps() -> list[str]:
    """Two steps of each rule with known results: what kernel and law misread alike is seen here."""
    from noether.cases.rules import RULES
    from noether.kernels.loops.launch import Job, run
    from noether.kernels.programs.precision import Precision
    from noether.kernels.programs.program import Op, Program

    values = (("input", (), 0), ("input", (), 1), ("const", (), 4.0), ("mul", (2, 0), 0), ("sub", (3, 1), 0))
    values += (("const", (), 3.0), ("add", (4, 5), 0), ("add", (1, 1), 0), ("sub", (7, 0), 0))
    slope = Program(2, tuple(Op(name, args, value) for name, args, value in values), (6, 8))
    metric = Program(2, (Op("const", value=2.0), Op("const", value=0.5)), (0, 1))
    q0, v0, params = (np.array([x]).T for x in ([0.75, -2.5], [0.5, -0.25], [0.125, 0.625, 0.1875, 0.0, 0.0]))
    out = []
    if set(AFTER_TWO) - set(RULES):
        out.append(f"known steps are of {sorted(AFTER_TWO)}, rules {sorted(RULES)}")
    for name, known in AFTER_TWO.items():
        rule = RULES[name]
        given = params[: len(rule.parameters)]
        own = metric if rule.on_metric else None
        job = Job(slope, rule, Precision("float64"), q0, v0, given, 2, metric=own)
        q, v = run(job, "numpy").wide()
        read = np.concatenate([q[2], v[2]])[:, 0]
        # exp and log of 3 units each in two steps, of numbers below 8.
        room = 2.0**-48 if rule.log_state else 0.0
        near = np.abs(read - known).max() <= room
        out += [] if near else [f"two steps of {name} read {read.tolist()}, must be {list(known)}"]
    return out


def units() -> list[str]:
    """The unit roundoff u and the smallest number of each type, which make every bound: 1 + u is a tie."""
    from noether.kernels.programs.precision import SUBNORMAL, UNIT, representable

    out = []
    for kind, u in UNIT.items():
        tiny, near = SUBNORMAL[kind], 1 + u * (1 + 2.0**-20)
        values = np.array([1 + u, near, 1 + 2 * u, tiny, tiny * 0.375])
        *read, last = (float(x) for x in representable(values, kind))
        after = 1.0 if near == 1 else 1 + 2 * u
        known = [1.0, after, 1 + 2 * u, tiny]
        out += expect(f"1 + u, a little more, 1 + 2u, the smallest number in {kind}", read, known)
        what = f"3/8 of the smallest number and whether 1 + 2u is 1 in {kind}"
        out += expect(what, (last, read[2] == 1), (0.0, False))
    return out


def functions() -> list[str]:
    """The exp and log of the plain step against 40 digits: within 3 unit roundoffs, as the bounds take
    them."""
    import mpmath

    from noether.kernels.programs import elementary
    from noether.kernels.programs.precision import UNIT

    def error(y, want) -> float:
        return float(abs(mpmath.mpf(float(y)) - want) / abs(want))

    out = expect("the stated units of exp and log", (elementary.EXP_UNITS, elementary.LOG_UNITS), (3.0, 3.0))
    ties = (np.arange(-8, 8) + 0.5) * 0.693147
    x = np.concatenate([np.linspace(-80, 80, 24), ties, np.linspace(-0.34, 0.34, 8)])
    with mpmath.workdps(40):
        for kind in ("float64", "float32"):
            for name, at in (("exp", x.astype(kind)), ("log", np.exp(x).astype(kind))):
                want = [getattr(mpmath, name)(mpmath.mpf(float(a))) for a in at]
                got = getattr(elementary, name)(at)
                worst = max(error(*pair) for pair in zip(got, want, strict=True)) / UNIT[kind]
                if not worst <= 3:
                    out.append(f"{name} in {kind} errs by {worst:.3g} unit roundoffs, at most 3 are stated")
    return out


INSTRUMENTS: tuple[Callable[[], list[str]], ...] = (roundings, shares, steps, units, functions)
