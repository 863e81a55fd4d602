"""In which arithmetic a subject works: what rounds, in which types, and whether it moves the same in each."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import torch

from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Finding
from noether.campaigns.audit.fitting import worst
from noether.campaigns.audit.naming import deviation
from noether.campaigns.audit.reproduction import rounding_shown
from noether.campaigns.audit.scripted import Script
from noether.campaigns.audit.subject import DTYPES, Motion, Subject, TargetError, observed
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.motion import bounded
from noether.optimizers.running import UNITS

SLACK = 2.0**10  # of a bound in units of one rounding: past that a wrong digit in the middle is not seen
HALF = 0.25  # the share of comparisons that must see something in 16 bits, where eps and small squares vanish


def arithmetic(subject: Subject, anatomy: Anatomy | None, script: Script, part="arithmetic", name=""):
    """Yield a finding for each type: `name` says of which implementation."""
    for dtype in getattr(subject, "types", DTYPES):  # a kernel says for which it is written
        label = f"{name} {dtype}".strip()
        try:
            motion = observed(subject, script, dtype)
        except TargetError as error:  # a type may be refused
            yield Finding(part, label, OUTSIDE, f"refused, {error}")
            continue
        found = judged(part, label, dtype, motion, anatomy)
        if found.verdict == VIOLATED and motion.spent > 1:
            found = replace(found, script=rounding_shown(subject, script, dtype, motion))
        yield found


def judged(part: str, label: str, dtype: str, motion: Motion, anatomy: Anatomy | None) -> Finding:
    """The finding of a motion in one type."""
    data = {"types": dict(motion.told.kinds), "state": motion.states, "unknown": dict(motion.told.unknown)}
    data |= {"slack": motion.slack, "unbound": motion.unbound}
    narrow = [f"{name} ({kind})" for name, kind in motion.states.items() if narrower(name, kind, dtype)]
    if motion.told.outside:
        return Finding(part, label, INCONCLUSIVE, elsewhere(motion), None, data)
    if motion.spent > 1:
        data["step"] = motion.step
        reason = (
            f"from step {motion.step} on it lies up to {motion.spent:.3g} times as far from what its "
            "operations mean as rounding can take it"
        )
        return Finding(part, label, VIOLATED, reason, motion.spent, data)
    wrong = None if anatomy is None else differs(anatomy, motion, dtype)
    if wrong is not None and wrong.reason is None and dtype != "float64":
        # Between two that a type makes equal, code may choose either: no option tells that from a defect.
        reason = f"in {dtype} it takes another step, which no change of an option explains"
        return Finding(part, label, INCONCLUSIVE, reason, wrong.spent, data)
    if wrong is not None and not motion.told.unknown:
        reason = f"in {dtype} {wrong.reason or 'it takes another step'}"
        return Finding(part, label, VIOLATED, reason, wrong.spent, data)
    if passed := passages(motion, dtype, anatomy):
        reason = f"numbers pass through {passed}, narrower than the parameters"
        return Finding(part, label, VIOLATED, reason, motion.spent, data)
    if narrow:
        reason = f"state is kept in a narrower type than the parameters: {', '.join(narrow)}"
        return Finding(part, label, VIOLATED, reason, motion.spent, data)
    if motion.told.unknown:
        reason = f"operations without a meaning here: {', '.join(sorted(motion.told.unknown))}"
        return Finding(part, label, INCONCLUSIVE, reason, motion.spent, data)
    if motion.slack > SLACK:
        reason = "its operations amplify rounding so far that a bound of their order says nothing"
        return Finding(part, label, INCONCLUSIVE, reason, motion.spent, data)
    state = ", ".join(f"{name} {kind}" for name, kind in motion.states.items() if name != "step")
    of_all = f" of all numbers but {motion.unbound:.0%}, which have no bound" if motion.unbound else ""
    reason = f"within the rounding of its own operations{of_all}; state: {state or 'none'}"
    return Finding(part, label, HOLDS, reason, motion.spent, data)


def elsewhere(motion: Motion) -> str:
    """The reason where numbers were computed outside of PyTorch."""
    ways = ", ".join(sorted(motion.told.outside))
    return f"it computes outside of PyTorch ({ways}): what that means is not seen"


def differs(anatomy: Anatomy, motion: Motion, dtype: str):
    """The deviation from an anatomy in this type, None where there is none or the type shows too little."""
    seen = motion.seen
    model = bounded(anatomy, seen.q0, seen.gradients, seen.shape)
    if motion.told.left or seen.sharp(model) < HALF or worst(anatomy, seen, HALF) <= 1:
        return None
    if rounded_numbers(anatomy, seen, dtype):
        return None
    return deviation(anatomy, seen, deep=False)


def rounded_numbers(anatomy: Anatomy, seen, dtype: str) -> bool:
    """Whether some numbers of an anatomy, rounded to this type, explain a motion: a coefficient that is put
    into a tensor as it is made is rounded out of sight."""
    stored = {name: float(torch.tensor(x, dtype=DTYPES[dtype]).double()) for name, x in anatomy.numbers}
    moved = [name for name, x in anatomy.numbers if stored[name] != x]
    for count in range(1, len(moved) + 1):
        for names in combinations(moved, count):
            if worst(anatomy.with_numbers(**{name: stored[name] for name in names}), seen, HALF) <= 1:
                return True
    return False


def passages(motion: Motion, dtype: str, anatomy: Anatomy | None) -> str:
    """The narrower types in which results of the parameters' size were stored, but where the rule says so."""
    if anatomy is not None and anatomy.features["family"] == "muon":
        return ""
    return ", ".join(kind for kind in motion.told.kinds if UNITS[kind] > UNITS[dtype])


def narrower(name: str, kind: str, dtype: str) -> bool:
    """Whether state is kept in fewer bits than the parameters; a count of steps may be."""
    return name != "step" and kind in UNITS and UNITS[kind] > UNITS[dtype]
