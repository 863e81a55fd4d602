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

OF_ROOTS = {
    "qhm": (-0.4725821204483509, -1.5168401971459389, -0.29839321970939636, 0.2877498269081116),
    "nesterov-increasing": (
        -0.8520240783691406, -1.1854324340820312, -0.4175567626953125, 0.429779052734375
    ),
    "adagrad": (
        0.541439382557867, -2.2914213790733524, -0.9996487822194012, 0.7279913671515627, 138.61545240935985,
        72.59102312392088
    ),
    "rmsprop": (
        0.3302789001562142, -2.0801789620894975, -0.9204506008908265, 0.6795269905571947,
        27.554494012126725, 14.639270562300233
    ),
    "rmsprop-centred": (
        0.23985727054335265, -1.9892455464631031, -0.8961915049673326, 0.6647081392114671,
        26.849372490451987, 14.320550233312288, 3.412500197434665, -2.495431903422934
    ),
    "rmsprop-momentum": (
        0.11503506375816222, -1.896607912559036, 2.7957399890434367, -2.710295566522785, 26.88871776034893,
        14.41863665191535
    ),
    "adam": (
        0.48562160254169523, -2.2413924479912124, 5.197500994993474, -3.7278596245028783,
        29.754876865219586, 15.643257592825814
    ),
    "adamw": (
        0.45391901964272174, -2.1281419074518655, 5.072549411410505, -3.400468134522653, 28.344226300053517,
        12.995011737032318
    ),
    "amsgrad": (
        0.48562160254169523, -2.2413924479912124, 5.197500994993474, -3.7278596245028783,
        29.754876865219586, 15.643257592825814, 29.754876865219586, 15.643257592825814
    ),
    "adamax": (
        0.48068082681367585, -2.2373769580121605, 5.197500994993474, -3.7278596245028783, 8.001278694982597,
        5.8563235820076756
    ),
    "nadam": (
        0.49220570536780683, -2.2430923249040493, 5.18521153092187, -3.718447559567866, 29.625060917253116,
        15.570705955731492
    ),
    "radam": (
        0.6136742521504431, -2.366733496233197, 5.347947043561316, -3.8190378623487145, 31.387592291647497,
        16.36239792972271
    ),
    "adadelta": (
        0.6220169599140893, -2.372057613532031, -1.0396305469414093, 0.7525094256747035, 31.29213185938129,
        16.311486639637103, 0.11554591456751301, 0.11551887656808507
    ),
}  # fmt: skip
"""The same of rules with roots or further parameters, all their buffers: in 60 digits from the equations of
their papers, as PyTorch has them.

With beta2 = 3/4, stability = 1/16, nu = 3/8, other buffers from 0. RAdam's are the steps 8 and 9: the second
moment divides from step 8 on.
"""
LATE = {"radam": 7}
GIVEN = {"eta": 0.125, "beta": 0.625, "k": 0.1875, "beta2": 0.75, "stability": 0.0625, "nu": 0.375}


def steps() -> list[str]:
    """Two steps of each rule with known results: what kernel and law misread alike is seen here."""
    from noether.cases.rules import RULES
    from noether.kernels.loops.launch import Job, run
    from noether.kernels.programs.precision import Precision
    from noether.kernels.programs.program import Op, Program
    from noether.mechanics.sweep import started

    values = (("input", (), 0), ("input", (), 1), ("const", (), 4.0), ("mul", (2, 0), 0), ("sub", (3, 1), 0))
    values += (("const", (), 3.0), ("add", (4, 5), 0), ("add", (1, 1), 0), ("sub", (7, 0), 0))
    slope = Program(2, tuple(Op(name, args, value) for name, args, value in values), (6, 8))
    metric = Program(2, (Op("const", value=2.0), Op("const", value=0.5)), (0, 1))
    q0, v0 = (np.array([x]).T for x in ([0.75, -2.5], [0.5, -0.25]))
    out = []
    both = {**AFTER_TWO, **OF_ROOTS}
    if set(both) - set(RULES):
        out.append(f"known steps are of {sorted(both)}, rules {sorted(RULES)}")
    for name, known in both.items():
        rule = RULES[name]
        given = np.array([[GIVEN.get(x, 0.0)] for x in rule.parameters])
        own = dict(metric=metric if rule.on_metric else None, begun=LATE.get(name, 0))
        job = Job(slope, rule, Precision("float64"), q0, started(rule, v0), given, 2, **own)
        q, v = run(job, "numpy").wide()
        read = np.concatenate([q[2], v[2]])[:, 0]
        # exp and log of 3 units each in two steps, of numbers below 8; 64 roundings with slopes below 2.
        room = 2.0**-48 if rule.log_state else 2.0**-46 * np.maximum(1, np.abs(known)) * (name in OF_ROOTS)
        near = (np.abs(read - known) <= room).all()
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
