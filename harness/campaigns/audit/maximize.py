"""Maximizing f is descent on -f: the same motion, bit for bit, whatever else is switched on."""

from __future__ import annotations

from noether.campaigns.audit.course import Beginning, compared
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Finding
from noether.campaigns.audit.ground import Ground
from noether.campaigns.audit.subject import TargetError

NAME = "maximize f against descent on -f"
BESIDE = ({}, {"foreach": True}, {"fused": True})


def descent_of_minus(ground: Ground) -> Finding:
    """The finding: in each implementation, with decay where there is an option of it."""
    decays = [x for x in ("weight_decay", "wd") if x in ground.accepts]
    done, worst, refused = [], 0.0, None
    for implementation in BESIDE:
        if not set(implementation) <= set(ground.accepts):
            continue
        for decay in ({}, *({x: 0.1} for x in decays)):
            beside = {**implementation, **decay}
            said = " and ".join(f"{x}={y}" for x, y in beside.items()) or "its own options"
            try:
                found = compared(ground.subject.having(**beside), lambda begin: both(begin, ground))
            except TargetError as error:
                refused = error
                continue
            done.append(said)
            worst = max(worst, found.spent)
            if not found.agrees and found.lost is None:
                reason = f"maximize on f is not descent on -f with {said}"
                reason += "; without decay it is" if decay and worst == found.spent and len(done) > 1 else ""
                return Finding("options", NAME, VIOLATED, reason, found.spent, {"tried": done})
            if not found.agrees:
                return Finding("options", NAME, INCONCLUSIVE, f"bits differ with {said}; {found.lost}")
    if not done:
        return Finding("options", NAME, OUTSIDE, f"refused: {refused}")
    how = "the same bits" if worst == 0 else "within rounding"
    return Finding("options", NAME, HOLDS, f"{how}, with {'; '.join(done)}", worst, {"tried": done})


def both(begin: Beginning, ground: Ground):
    """Both motions, after each step; one after the other, so that both draw the same random numbers."""
    pulls = ground.pulls(2)
    up = begin([ground.start(2)], maximize=True)
    there = [up.step([g]).place() for g in pulls]
    down = begin([ground.start(2)], maximize=False)
    return [(place, down.step([-g]).place()) for place, g in zip(there, pulls, strict=True)]
