"""Several wrong trajectories of one launch, judged lane by lane at once, side by side as the lanes of a wider
one.

Every step of a residual and of its bound treats each lane by itself, so that what is found of a lane is the
same to the bit as where its trajectory is judged alone; but numpy is called once, and not once for each of
them. What is said of one trajectory (its worst place, its evidence) is said of its own lanes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import numpy as np

from noether.cases.case import Case
from noether.kernels.loops.launch import Job
from noether.laws.exact import judge
from noether.laws.exact.certified import Domain, certified_steps, judge_inside
from noether.laws.exact.coefficients import part
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import Record

# Numbers of a state over all steps, of all that are judged at once: what is worked on stays in a cache.
NUMBERS = 2**15


def judged_together(
    case: Case, job: Job, found: Sequence[Trajectory], laws, *, about: dict, leaves: Callable
) -> Iterator[list[Record]]:
    """The records of every law on each of these trajectories of a job, as `judge_inside` gives them.

    leaves  as that of Domain
    """
    few = max(1, NUMBERS // max(1, job.q0.size * job.steps))
    for first in range(0, len(found), few):
        some = found[first : first + few]
        wide = side_by_side(some)
        seen = judge.looks(wide, laws)
        update = seen.get(("D0", None))
        certified = cache(partial(certified_steps, wide, update and update.spent))
        for i, t in enumerate(some):
            mine = slice(i * t.lanes, (i + 1) * t.lanes)
            here = {key: look and look.of(mine) for key, look in seen.items()}
            here = {key: look if look and look.covered.any() else None for key, look in here.items()}
            t = part(wide, mine)
            until = lambda mine=mine, certified=certified: certified()[mine]
            domain = Domain(case, job, t, leaves, until)
            yield judge_inside(case, job, t, laws, about=about, domain=domain, seen=here)


def side_by_side(found: Sequence[Trajectory]) -> Trajectory:
    """Trajectories of one rule and as many steps as one, the lanes of the first before those of the
    second."""
    first = found[0]
    if len(found) == 1:
        return first
    beside = lambda name: np.concatenate([getattr(t, name) for t in found], axis=-1)
    state = beside("z"), beside("v"), beside("params")
    return Trajectory(first.case, first.rule, first.precision, *state, first.begun)
