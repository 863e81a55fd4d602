"""Sensitivity: the smallest relative error in each term that each law still sees, in each precision.

A graded fault is one term times 1 + 2^-j. For each law the largest j is found that it still kills, so that a
bound which becomes wider, or evidence that becomes poorer, is seen as a number that falls, before any fault
survives. The error enters in the arithmetic type: beyond its last bit there is nothing to see.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from noether.campaigns.kill_matrix.matrix import exact
from noether.campaigns.kill_matrix.points import graded_points
from noether.cases.case import Case
from noether.faults.fault import Fault, always, given, on, pulled, storing
from noether.faults.reading import counts
from noether.kernels.loops import launch
from noether.kernels.programs.precision import UNIT, narrow
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell
from noether.laws.exact.judge import spent_of
from noether.laws.exact.law_faults import turning
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.judgement import noticed
from noether.verdicts.record import Record

LANES, STEPS = 31, 8


def stored_times(which: int, c: float):
    """The step in which what goes into the store of q (0) or of the buffers (1) is times c, rounded once."""
    mine = lambda into: (into.word == "q") == (which == 0)
    return storing(lambda x, kind, into: narrow(x * x.dtype.type(c) if mine(into) else x, kind))


def gradient_times(c: float):
    """The step with each component of the gradient times c."""
    return pulled(lambda g, at, eps, params, n: [x.dtype.type(c) * x for x in g(at, eps)])


def parameter_times(row: int, c: float):
    """The step with one parameter times c: row 0 is eta, 1 is beta, 2 is k, 3 is eps."""
    return given(row, lambda p, n: p.dtype.type(c) * p)


def extra(name: str):
    """A parameter that only some rules have: where it is, and the step with it times c."""

    def made(c: float):
        def advance(n, q, v, params, gradient, rule, precision):
            at = rule.parameters.index(name)
            return parameter_times(at, c)(n, q, v, params, gradient, rule, precision)

        return advance

    return lambda job: name in job.rule.parameters and counts(job.rule, len(job.q0), name), made


TERMS = {
    "gradient": (always, gradient_times),
    "eta": (always, lambda c: parameter_times(0, c)),
    "beta": (on(reads_beta=True), lambda c: parameter_times(1, c)),
    "k": (on(decays=True), lambda c: parameter_times(2, c)),
    "eps": (on(breaks=True), lambda c: parameter_times(3, c)),
    **{name: extra(name) for name in ("beta2", "stability", "nu", "trust")},
    "q store": (always, lambda c: stored_times(0, c)),
    "v store": (always, lambda c: stored_times(1, c)),
}
"""Name of a term -> where it is, and the step with this term times c."""
# A term of the law, not of the kernel: D2 and D4 alone have one.
KINETIC = "kinetic term"

PROMISED = {"float64": 43, "float32": 14, "float16": 7, "bfloat16": 5}
"""The least j that every law must see in its best term, and D0 in each of gradient, eta, q store and v store.

Where a term is as large as what it is rounded with, an error in it shows down to u = 2^-53, 2^-24, 2^-11,
2^-8 times what the bound has of them. Least over the catalogue: 46, 17, 10, 7 (D2's best term); 47, 18, 13,
11 (D0, each term). A bound 10^3 times too wide takes ten off; three or four are left to another seed.
"""
PROMISED_TERMS = ("gradient", "eta", "q store", "v store")
# 2^-3: what a law does not see of it, it does not see at all.
LARGE = 3


@dataclass(frozen=True)
class SensitivityCell:
    """Every term of one rule on one case in one precision."""

    case: Case
    rule: str
    precision: str
    seed: int = 0
    backend: str = "numpy"
    laws = tuple(EXACT)

    @property
    def name(self) -> str:
        """The cell in a line."""
        return "/".join(("sensitivity", self.case.name, self.rule, self.precision.replace("/", "-")))

    def run(self) -> list[Record]:
        """The records of the cell."""
        begin = time.perf_counter()
        cell = LaunchCell(self.case, self.rule, self.precision, "numpy", "exact", (), LANES, self.seed, STEPS)
        job = cell.job()
        params = job.params.copy()
        params[2] = np.where(np.arange(LANES) % 3 == 0, 0.0, 0.125)
        # Half without breaking: D3 speaks of those alone.
        params[3] = np.where(np.arange(LANES) % 2 == 0, 0.0, 0.25)
        job = replace(job, params=params)
        table = {term: self.smallest(job, make) for term, (applies, make) in TERMS.items() if applies(job)}
        kinetic = self.kinetic(job)
        table |= {KINETIC: kinetic} if kinetic else {}
        lost, about = self.lost(table), {**cell.about(job, "numpy"), "cell": self.name}
        about |= dict(law="D0", lanes=LANES, steps=STEPS, fault="graded faults")
        about |= dict(seconds=time.perf_counter() - begin, data={"graded": table, "lost": lost})
        return [noticed(not lost, "the smallest relative errors that are killed", **about)]

    def bits(self) -> int:
        """The exponent j of the last bit of the arithmetic, 2^-j."""
        return 52 if self.precision == "float64" else 23

    def smallest(self, job: launch.Job, make) -> dict[str, int]:
        """The largest j that each law kills, for the laws that see 2^-LARGE; tried from the last bit up."""

        def killed(j: int) -> set[str]:
            outcome = Fault("graded", "graded", "", advance=make(1 + 2.0**-j)).outcome(self.case, job)
            return {law for law, x in exact(self.case, job, *outcome).items() if x.spent > 1}

        return largest(killed, self.bits())

    def kinetic(self, job: launch.Job) -> dict[str, int]:
        """The same for the kinetic term of D2 and D4, wrong in the law and not in the launch."""
        t = Trajectory.launched(self.case, job, *launch.run(job, "numpy").wide())

        def killed(j: int) -> set[str]:
            out = set()
            for key in ("D2", "D4"):
                for symmetry in self.case.symmetries:
                    if not turning(symmetry) and EXACT[key].covers(t, symmetry).any():
                        with np.errstate(all="ignore"):
                            spent = spent_of(EXACT[key].residual(t, symmetry, kinetic=1 + 2.0**-j))
                        out |= {key} if (spent > 1).any() else set()
            return out

        return largest(killed, self.bits())

    def lost(self, table: dict) -> list[str]:
        """The promises of PROMISED that are not kept, one line each."""
        least = PROMISED[self.precision.partition("/")[0]]
        where = f"{self.case.name} {self.rule} {self.precision}"
        best: dict[str, int] = {}
        for found in table.values():
            for law, j in found.items():
                if not EXACT[law].at_most:  # a largest value is seen only where a launch comes near to it
                    best[law] = max(best.get(law, 0), j)
        seen = {f"{law} in its best term": j for law, j in best.items()}
        seen |= {f"D0 in the {x}": table.get(x, {}).get("D0", 0) for x in PROMISED_TERMS}
        told = "{} sees an error of 2^-{}, must see 2^-{}: {}"
        return [told.format(what, j, least, where) for what, j in seen.items() if j < least]


def largest(killed, bits: int) -> dict[str, int]:
    """The largest j up to `bits` that each law kills, where killed(j) gives the laws that see 2^-j."""
    laws, found = killed(LARGE), {}
    for j in range(bits, LARGE - 1, -1):
        if set(found) >= laws:
            break
        found |= {law: j for law in sorted(killed(j) & laws) if law not in found}
    return found


def cells(profile: str, seed: int = 0) -> list[SensitivityCell]:
    """Quick: two cases in the four types. Full: each family of charges, and every rule on one case."""
    return [SensitivityCell(case, rule, p, seed) for case, rule in graded_points(profile) for p in UNIT]
