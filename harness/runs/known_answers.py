"""Known-answer tests that every run gives to its own instruments before its verdict counts.

Each check takes an instrument that every verdict passes through and gives it something whose reading is known
from its definition: a value that is not finite, a launch that stands still, one bad lane of many, a series
whose order is plain, records whose exit code the promises fix; and one value planted anywhere (known_places).
Some ten milliseconds a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from noether.laws.exact import EXACT
from noether.runs import known_numbers, known_places
from noether.runs.known_numbers import expect
from noether.verdicts import exit_codes
from noether.verdicts.judgement import Worst, outside, rounding
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record


def faulty(laws: Iterable[str] = ()) -> list[str]:
    """What an instrument gets wrong, one line each; of the exact laws those among `laws`."""
    out = []
    for instrument in (*INSTRUMENTS, *(partial(known_places.seen, law) for law in laws if law in EXACT)):
        try:
            out += [f"an instrument is wrong: {told}" for told in instrument()]
        except Exception as error:
            what = instrument.args[0] if isinstance(instrument, partial) else instrument.__name__
            out.append(f"an instrument is broken: {what} raised {type(error).__name__}: {error}")
    return out


def spent() -> list[str]:
    """What is spent of a bound, where it or the residual is no ordinary number."""
    from noether.laws.exact import Residual
    from noether.laws.exact.judge import spent_of

    measured = np.array([0.5, -2.0, np.nan, np.inf, 0.0, 1.0])
    bound = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    read = [float(x) for x in spent_of(Residual(measured, 0 * bound, bound, bound))]
    return expect("spent of .5, -2, NaN, inf, 0/0, 1/0", read, [0.5, 2.0, np.inf, np.inf, 0.0, np.inf])


def launch():
    """A small right launch: case, job, q, v."""
    from noether.cases import CATALOG
    from noether.cases.rules import HEAVY_BALL
    from noether.kernels.loops.launch import run
    from noether.kernels.programs.precision import Precision
    from noether.mechanics import sweep

    case = next(c for c in CATALOG if c.name == "mexican-hat")
    size, fixed = dict(lanes=8, steps=3, seed=1), {"eps": 0.25, "k": 0.1, "beta": 0.5}
    job = sweep.draw(case, HEAVY_BALL, Precision("float64"), **size, overrides=fixed)
    return case, job, *run(job, "numpy").wide()


def judgement() -> list[str]:
    """The judge on a right launch, on one with a bad lane, on one that stands still, and with every lane
    outside."""
    from noether.laws.exact import EXACT
    from noether.laws.exact import judge as judging
    from noether.mechanics.trajectory import Trajectory

    case, job, q, v = launch()
    about = dict(case="", rule="", backend="numpy", precision="float64", parameters={})

    def read(q, v, job=job, **how) -> Record:
        return judging.judge(Trajectory.launched(case, job, q, v), EXACT["D0"], None, about=about, **how)

    bad, lost = q.copy(), v.copy()
    bad[-1, 1, 5] *= 1 + 2.0**-44
    lost[2, 0, 3] = np.nan
    still = replace(job, v0=0 * job.v0, params=job.params * np.array([0.0, 1, 1, 1])[:, None])
    rest = np.repeat(job.q0[None], len(q), axis=0)
    out = expect("a right launch", read(q, v).verdict, HOLDS)
    one = read(bad, v)
    found = (one.verdict, (one.worst or {}).get("lane"))
    out += expect("one value 2^-44 off in lane 5", found, (VIOLATED, 5))
    out += expect("one NaN in lane 3", read(q, lost).verdict, VIOLATED)
    out += expect("a launch that stands still", read(rest, 0 * v, still).verdict, INCONCLUSIVE)
    away = read(q, v, outside=np.ones(8, bool))
    return out + expect("a launch outside in every lane", away.verdict, OUTSIDE)


def orders() -> list[str]:
    """The order estimate on whole orders and others, each to be within its own bound, and the verdicts on
    them."""
    from noether.verdicts import orders as instrument
    from noether.verdicts.claims import verdict_of

    eta, rounded = 2.0 ** -np.arange(4, 12), 2.0**-50
    known = {"eta^2": (eta**2, 2), "eta^-1": (1 / eta, -1), "3 eta + eta^2": (3 * eta + eta**2, 1)}
    known |= {"eta^1.5": (eta**1.5, 1.5), "eta^.7 (1 + eta)": (eta**0.7 * (1 + eta), 0.7)}
    known |= {"eta^1.9": (eta**1.9, 1.9)}
    read = {name: instrument.decide(errors, rounded * np.abs(errors)) for name, (errors, _) in known.items()}
    near = lambda order, value: abs(order.value - value) <= order.bound < 1 / 32
    right = {name for name, order in read.items() if order.is_decided and near(order, known[name][1])}
    wrong = {name: order.value for name, order in read.items() if name not in right}
    out = expect("the orders of " + ", ".join(known) + " that are off", wrong, {})
    alternating = instrument.decide(eta**2 * (-1.0) ** np.arange(8), 0 * eta)
    short = instrument.decide(eta[:3], 0 * eta[:3])
    decided = (alternating.is_decided, short.is_decided)
    out += expect("an order of alternating signs, or from three points", decided, (False, False))
    found = [instrument.decide(eta**p, rounded * eta**p) for p in (2, 1.5, 1.7, 2.5)]
    verdicts = tuple(verdict_of(order, 2) for order in (*found, short))
    known = (HOLDS, VIOLATED, VIOLATED, INCONCLUSIVE, INCONCLUSIVE)
    return out + expect("eta^2, eta^1.5, eta^1.7, eta^2.5, three points for order 2", verdicts, known)


def seeds() -> list[str]:
    """Seeds: other names or runs must give other lanes, the same ones the same lanes."""
    from noether.cases import CATALOG
    from noether.laws.exact.cell import LaunchCell

    def start(seed, tag):
        where = (CATALOG[1], "heavy-ball", "float64", "numpy", "exact", ())
        return LaunchCell(*where, 2, seed, 1, (), tag).job().q0.tobytes()

    starts = {start(seed, tag) for seed in (0, 1) for tag in ("", "a")}
    out = expect("how many of four starts differ", len(starts), 4)
    return out + expect("a start drawn twice", start(5, "a") == start(5, "a"), True)


def codes() -> list[str]:
    """The exit codes that are promised for plain findings."""

    def one(verdict, fault=None, spent=0.5):
        about = dict(law="D0", case="", rule="", backend="", precision="", fault=fault)
        about |= dict(lanes=1, steps=1, parameters={})
        if verdict == OUTSIDE:
            return outside("", **about)
        enough = verdict != INCONCLUSIVE
        return rounding(Worst(spent, 0.0, 0.0, 1.0), "", enough=enough, **about)

    fine, killed = one(HOLDS), one(VIOLATED, "a", 9.0)
    known = {
        exit_codes.HOLDS: [fine, killed],
        exit_codes.VIOLATED: [fine, killed, one(VIOLATED, spent=2.0)],
        exit_codes.UNDECIDED: [fine, killed, one(INCONCLUSIVE, "b")],
    }
    empty = [[], [fine], [killed], [one(INCONCLUSIVE), killed], [one(OUTSIDE, spent=None), killed]]
    out = []
    for code, found in known.items():
        out += expect("an exit code", exit_codes.of_records(found, ["D0"]), code)
    for found in empty:
        code = exit_codes.of_records(found, ["D0"])
        out += expect("the exit code of too little evidence", code, exit_codes.UNDECIDED)
    code = exit_codes.of_records([fine, killed], ["D0", "D2"])
    return out + expect("the exit code of a law without a record", code, exit_codes.UNDECIDED)


PLACED = (known_places.judged, known_places.drawn)
INSTRUMENTS: tuple[Callable[[], list[str]], ...]
INSTRUMENTS = (spent, judgement, *PLACED, orders, seeds, codes, *known_numbers.INSTRUMENTS)
"""Each gives what is wrong, a line each."""
