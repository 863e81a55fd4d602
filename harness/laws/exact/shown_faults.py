"""The planted faults that every run of `verify` shows to its laws: each must be killed.

A kernel fault runs a wrong trajectory, in numpy, and hands it to the laws as if it were the declared one. A
law fault judges a right trajectory by a wrong law. None of them touches the kernels that are under test.
The faults themselves are those of harness/faults; `noether faults` shows all of them, these are the nearest.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from noether import faults
from noether.cases.case import Case
from noether.cases.rules import RULES, Rule
from noether.faults.fault import Fault, LawFault
from noether.kernels.loops.launch import Job
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, law_faults, planted
from noether.laws.exact.judge import Look, look
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory

SHOWN: tuple[Fault, ...] = (
    *(planted.STILL, planted.DOUBLED, planted.GRADIENT_OFF, planted.ASCENT, planted.ANOTHER_LOSS),
    *(planted.UNBROKEN, planted.STEP_OFF, planted.BETA_OFF, planted.K_OFF),
    *(planted.DECAY_COUPLED, planted.DECAY_DECOUPLED, planted.DECAY_AFTER),
    *(planted.STATE_OFF, planted.BUFFER_OFF, planted.NARROW_ETA, *planted.NARROW_STORES),
    *(*planted.OPTIONS, *planted.METRICS, planted.VELOCITY_KEPT, *planted.SCHEDULES),
    *(planted.SIGN_IGNORED, planted.NOT_NORMALISED, *planted.MOMENTS, planted.METRIC_BEFORE),
    *planted.LINES,
    *(planted.NO_TAIL, planted.ONE_LANE, planted.NAN_IN_A_LANE, planted.OTHER_START),
)
KERNEL_FAULTS: tuple[Fault, ...] = SHOWN + faults.placed.FAULTS
OWN = {f.name for f in (*faults.curved.FAULTS, *faults.rules.FAULTS, *faults.LINES)}
BESIDE_OWN = (planted.STILL, planted.ASCENT, planted.GRADIENT_OFF, planted.STEP_OFF)
BESIDE_OWN += (planted.STATE_OFF, planted.NAN_IN_A_LANE)
"""What a rule is shown beside the planted faults of its own, where it has some: the others are shown under
other rules, and by `noether faults`."""
PLACED = (planted.OTHER_START, *faults.placed.FAULTS)
"""What a launch of the whole horizon is for."""
NEAR = (planted.GRADIENT_OFF, planted.STEP_OFF, planted.BETA_OFF, planted.KAPPA_OFF, planted.K_OFF)
NEAR += (planted.STATE_OFF, planted.BUFFER_OFF, planted.TRUNCATED, planted.NARROW_ETA, planted.FORGETTING)
"""What vanishes in the rounding where every operation is rounded to 16 bits."""
LANEWISE = (planted.NO_TAIL, planted.ONE_LANE, planted.NAN_IN_A_LANE, *faults.named(*faults.placed.LANEWISE))
"""What a wide launch is for; the other faults are as visible on 61 lanes."""

LAW_FAULTS: tuple[LawFault, ...] = tuple(
    fault for fault in law_faults.FAULTS if fault.name in EXACT[fault.law].must_kill
)
"""The wrong laws that their right ones must kill."""


LANES, STEPS = 61, 12  # of a launch that shows faults


def shown(fault: Fault, job: Job, tag: str = "") -> bool:
    """Whether a launch shows a fault: one that is tagged, what it is for; the others what is seen in a few
    steps, and beside the rounding of every operation."""
    if not fault.applies(job):
        return False
    if tag:
        return fault in {"wide": LANEWISE, "placed": PLACED, "late": planted.LATE}[tag]
    common = job.rule.screened or fault.name in OWN or fault in BESIDE_OWN
    return fault not in PLACED and common and not (job.precision.eager and fault in NEAR)


@cache
def visible(case: Case, rule: Rule, precision: str) -> frozenset[str]:
    """The faults that a launch of few steps shows for a case, a rule and a precision."""
    job = sweep.draw(case, rule, parse(precision), lanes=LANES, steps=STEPS, seed=0)
    return frozenset(c.name for c in KERNEL_FAULTS if shown(c, job))


def pairs(
    case: Case, rule: str, precision: str, laws: tuple[str, ...], widest: str, every: bool = False
) -> set[tuple[str, str, str]]:
    """What a launch shows, as `pairs_under` has it, of the rule of this name."""
    return pairs_under(case, RULES[rule], precision, laws, widest, every)


@cache
def pairs_under(
    case: Case, rule: Rule, precision: str, laws: tuple[str, ...], widest: str, every: bool = False
) -> set[tuple[str, str, str]]:
    """What a launch shows: (law, fault, "" or the precision in which it is promised).

    every  whether also those that the law need not kill
    """
    about = [k for k, law in EXACT.items() if k in laws and law.concerns(case, rule, precision)]
    here = visible(case, rule, precision)
    promised = {(k, c, p) for k in about for c, p in EXACT[k].promised if p == precision and c in here}
    if precision != widest:  # what a narrow store or a mode alone can show
        return promised | {
            (k, c, "") for k in about for c in (here - visible(case, rule, widest)) & {*EXACT[k].must_kill}
        }
    of_laws = {
        (f.law, f.name, "")
        for f in LAW_FAULTS
        if f.law in about and any(f.applies(rule, s) for s in case.symmetries)
    }
    wanted = {k: here if every else here & {*EXACT[k].must_kill, *OWN} for k in about}
    return promised | of_laws | {(k, c, "") for k in about for c in wanted[k]}


def wrong_trajectory(case: Case, job: Job, fault: Fault) -> Trajectory:
    """The trajectory of a planted fault, presented as the declared one."""
    return Trajectory.launched(case, job, *fault.outcome(case, job))


UNCHANGED = 2.0**-50
"""Of a residual's own terms: its sums of some hundred products round in 64 bits to 2^-56 of them at most."""


def changes(fault: LawFault, t: Trajectory, symmetry) -> bool:
    """Whether the wrong law differs from the right one on a right trajectory, as `differs` has it."""
    right = EXACT[fault.law]
    return differs(look(t, right, symmetry), look(t, replace(right, residual=fault.residual), symmetry))


def differs(right: Look | None, wrong: Look | None, lanes: np.ndarray | None = None) -> bool:
    """Whether a wrong law differs from the right one, by more than both are rounded, by their looks at a
    right trajectory.

    A term may vanish for a reason that only the case has: <A w/G, w> is zero of a rotation that a metric
    keeps. Half a longest step is no wrong statement where every step is shorter still, since a loss draws all
    lanes inwards. No bound enters, so that one which is too wide excuses nothing. False where the law says
    nothing of the trajectory.

    lanes  (lanes,) bool, those that are asked about; None: all
    """
    if right is None or wrong is None:
        return False
    with np.errstate(all="ignore"):
        off, apart = (x.residual.counted - x.residual.predicted for x in (right, wrong))
        rounded = UNCHANGED * np.nan_to_num(np.abs(right.residual.signal), nan=0.0, posinf=np.inf)
        other = np.isfinite(off) & ~(np.abs(apart - off) <= rounded)
        return bool((other if lanes is None else other[..., lanes]).any())
