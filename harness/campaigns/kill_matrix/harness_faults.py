"""Faults of the harness itself: each is patched into the running harness, which must then not say "holds".

A fault is planted by replacing one function of the harness (harness_plantings.py) for the time of a probe
(harness_probes.py): a small run that ends with exit code 0 as long as nothing is planted. It is noticed when
the probe raises or ends otherwise. `guards` are the checks of production that notice it; with all of them
taken out (harness_guards.py) the fault passes, so none of them is idle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from noether.campaigns.kill_matrix.harness_plantings import (
    Other,
    absolute,
    away_from_zero,
    by_output,
    deaf,
    dropping,
    instead,
    inverted,
    overlooking,
    own_gradient,
    renamed,
    whole,
    wider,
    widest,
    without_last_component,
    without_worst,
)
from noether.cases import rules
from noether.kernels.programs import precision
from noether.laws.exact import breaking, judge, shown_faults
from noether.laws.exact import cell as discrete
from noether.mechanics import wide
from noether.mechanics.trajectory import Trajectory
from noether.runs import folder
from noether.verdicts import exit_codes, judgement, orders

OWN = "the harness itself"


@dataclass(frozen=True)
class OwnFault:
    """plant() puts it in place for as long as a `with` lasts; probe is one of
    noether.campaigns.kill_matrix.harness_probes.PROBES."""

    name: str
    what: str
    plant: Callable
    guards: tuple[str, ...]
    probe: str = "update"


FAULTS = (
    OwnFault(
        "verdict ignores NaN",
        "a residual that is not finite spends nothing",
        plant=instead(judge, "spent_of", deaf),
        guards=("survivors", "promises", "instruments"),
    ),
    OwnFault(
        "worst lane dropped",
        "the lane that spends most is left out",
        plant=instead(judge, "spent_of", without_worst),
        guards=("survivors", "promises", "instruments"),
    ),
    OwnFault(
        "spent compared with the wrong side",
        "1/spent for spent",
        plant=instead(judge, "spent_of", inverted),
        guards=("exit code", "survivors", "promises", "idle", "instruments"),
    ),
    OwnFault(
        "smallest spent for the largest",
        "argmin for argmax",
        plant=instead(judgement, "np", lambda right: Other(right, argmax=np.argmin)),
        guards=("survivors", "promises", "idle", "instruments"),
    ),
    OwnFault(
        "one step is never judged",
        "the fifth",
        plant=instead(judge, "spent_of", overlooking(slice(4, 5))),
        guards=("instruments",),
    ),
    OwnFault(
        "late steps are never judged",
        "from the 13th on",
        plant=instead(judge, "spent_of", overlooking(slice(12, None))),
        guards=("instruments",),
    ),
    OwnFault(
        "the last step is never judged",
        "rows[:-1]",
        plant=instead(judge, "spent_of", overlooking(slice(-1, None))),
        guards=("instruments",),
    ),
    OwnFault(
        "one lane is never judged",
        "the first",
        plant=instead(judge, "spent_of", overlooking(Ellipsis, 0)),
        guards=("instruments",),
    ),
    OwnFault(
        "the last component is never judged",
        "rows[:, :-1]",
        plant=instead(judge, "spent_of", without_last_component),
        guards=("instruments",),
    ),
    OwnFault(
        "lanes beyond a block are never judged",
        "the first 4096 alone",
        plant=instead(judge, "spent_of", overlooking(Ellipsis, slice(4096, None))),
        guards=("survivors", "promises", "spared"),
        probe="placed",
    ),
    OwnFault(
        "bounds of one rule too wide by 10^3",
        "1000 delta and 1000 sigma for Nesterov",
        plant=widest("nesterov"),
        guards=("promises", "idle"),
        probe="options",
    ),
    OwnFault(
        "order takes abs",
        "|p| for p, |e| for e",
        plant=instead(orders, "decide", absolute),
        guards=("instruments",),
    ),
    OwnFault(
        "order is a whole number",
        "eta^1.5 is of order 2",
        plant=instead(orders, "decide", whole),
        guards=("instruments",),
    ),
    OwnFault(
        "empty sweep passes",
        "a cell without a verdict",
        plant=instead(judge, "judge_all", lambda right: lambda *a, **k: []),
        guards=("exit code", "survivors", "promises", "silent"),
    ),
    OwnFault(
        "one law is never judged",
        "cells planned for D3 say nothing of it",
        plant=instead(
            judge,
            "judge_all",
            lambda right: lambda t, keys, **k: right(t, [x for x in keys if x != "D3"], **k),
        ),
        guards=("exit code", "survivors", "promises", "silent"),
    ),
    OwnFault(
        "the second symmetry is never judged",
        "symmetries[:1]",
        plant=instead(
            judge,
            "judge",
            lambda right: (
                lambda t, law, symmetry, **k: (
                    None
                    if symmetry is not None and symmetry != t.case.symmetries[0]
                    else right(t, law, symmetry, **k)
                )
            ),
        ),
        guards=("silent",),
        probe="symmetries",
    ),
    OwnFault(
        "bound of the update too wide by 10^3",
        "1000 delta",
        plant=wider("delta"),
        guards=("promises", "idle", "instruments"),
    ),
    OwnFault(
        "bound of the store too wide by 10^3",
        "1000 sigma",
        plant=wider("sigma"),
        guards=("survivors", "promises", "idle", "instruments"),
    ),
    OwnFault(
        "bound of the gradient too wide by 10^3",
        "1000 g_error",
        plant=wider("g_error"),
        guards=("promises", "idle", "instruments"),
    ),
    OwnFault(
        "bound of the residual's own rounding too wide by 10^3",
        "1000 of what forming a residual rounds",
        plant=instead(Trajectory, "unit", lambda right: 1000 * right),
        guards=("promises", "idle", "instruments"),
    ),
    OwnFault(
        "fault silently skipped",
        "one planted fault is not shown",
        plant=instead(
            shown_faults, "KERNEL_FAULTS", lambda right: tuple(c for c in right if c.name != "k off by 1 %")
        ),
        guards=("promises",),
    ),
    OwnFault(
        "faults never apply",
        "every planted fault is said not to apply",
        plant=instead(
            shown_faults,
            "KERNEL_FAULTS",
            lambda right: tuple(replace(c, applies=lambda job: False) for c in right),
        ),
        guards=("exit code", "survivors", "promises", "silent"),
    ),
    OwnFault(
        "records of another backend",
        "verdicts of numpy under a compiled kernel's name",
        plant=instead(discrete.LaunchCell, "about", renamed),
        guards=("foreign",),
    ),
    OwnFault(
        "outside decided from the output",
        "a launch that came back infinite excuses itself",
        plant=instead(discrete, "judged", by_output),
        guards=("survivors", "promises"),
    ),
    OwnFault(
        "the evidence's gradient is no wider than the kernel's",
        "float64 for 64 bits",
        plant=instead(wide, "gradient", own_gradient),
        guards=("witness",),
    ),
    OwnFault(
        "seeds ignored",
        "every cell draws the same lanes",
        plant=instead(discrete, "derive", lambda right: lambda seed, name: 1),
        guards=("instruments",),
    ),
    OwnFault(
        "inconclusive counted as holds",
        "what stands still is evidence",
        plant=instead(judge, "evidence", lambda right: lambda law, r, t: np.ones(t.lanes, bool)),
        guards=("instruments",),
    ),
    OwnFault(
        "survivors forgiven",
        "a fault that no law kills is no reason",
        plant=instead(exit_codes, "of_records", lambda right: lambda records, names, **how: 0),
        guards=("instruments",),
    ),
    OwnFault(
        "ties away from zero in kernel and oracle",
        "what bfloat16 holds of a number half way between two",
        plant=instead(precision, "bfloat16_bits", away_from_zero),
        guards=("instruments",),
    ),
    OwnFault(
        "another schedule in kernel and law",
        "the rate is halved after 33 steps for 32",
        plant=instead(rules, "MILESTONES", lambda right: (33, 64)),
        guards=("instruments",),
    ),
    OwnFault(
        "resume drops records",
        "a cell is done, its last record is gone",
        plant=instead(folder.Folder, "reopen", dropping),
        guards=("resumed",),
        probe="resume",
    ),
    OwnFault(
        "parity compares nothing",
        "no bit ever differs",
        plant=instead(discrete.launch, "differing_bits", lambda right: lambda a, b: 0),
        guards=("exit code", "survivors", "promises"),
        probe="parity",
    ),
    OwnFault(
        "covariance judged on nothing",
        "every step is called an underflow",
        plant=instead(
            discrete,
            "normal_steps",
            lambda right: lambda case, job: np.zeros((job.steps + 1, job.lanes), bool),
        ),
        guards=("exit code", "survivors", "promises"),
        probe="covariance",
    ),
    OwnFault(
        "response predicted from what is measured",
        "measured = predicted",
        plant=instead(
            breaking,
            "response",
            lambda right: lambda t, s, eps, **flaws: (lambda m, p, b: (p, p, b))(*right(t, s, eps, **flaws)),
        ),
        guards=("exit code", "survivors", "promises", "idle"),
        probe="response",
    ),
)
