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
    nothing,
    overlooking,
    own_gradient,
    renamed,
    whole,
    wider,
    widest,
    without_last_component,
    without_worst,
)
from noether.cases.rules import heavy_ball_scheduled
from noether.kernels.programs import precision
from noether.laws.exact import breaking, judge, shown_faults
from noether.laws.exact import cell as discrete
from noether.laws.exact.certified import Domain
from noether.mechanics import wide
from noether.mechanics.trajectory import Trajectory
from noether.runs import folder
from noether.verdicts import exit_codes, judgement, orders

OWN = "the harness itself"


@dataclass(frozen=True)
class OwnFault:
    """A fault of the harness itself.

    what    one line that says what is wrong
    plant   plant() puts it in place for as long as a `with` lasts
    guards  the checks of production that notice it, by their names in harness_guards.REMOVED
    probe   the run that must notice it, one of harness_probes.PROBES
    """

    name: str
    what: str
    plant: Callable
    guards: tuple[str, ...]
    probe: str = "update"


# ---- what is put in the place of what


def spending(make: Callable) -> Callable:
    """The judge's `spent_of`, made wrong by make(right)."""
    return instead(judge, "spent_of", make)


def kernel_faults(change: Callable) -> Callable:
    """Other planted faults in `verify`: change(faults)."""
    return instead(shown_faults, "KERNEL_FAULTS", lambda right: tuple(change(right)))


def without_d3(right):
    """A judge of launches that says nothing of D3."""
    return lambda t, keys, **how: right(t, [key for key in keys if key != "D3"], **how)


def first_symmetry_alone(right):
    """A judge that says nothing of any symmetry but the first of a case."""

    def judged(t, law, symmetry, **how):
        return right(t, law, symmetry, **how) if symmetry in (None, t.case.symmetries[0]) else None

    return judged


def underflowing(right):
    """A domain of covariance in which no step counts as normal."""
    return lambda case, job: np.zeros((job.steps + 1, job.lanes), bool)


def predicting_itself(right):
    """A response that is predicted from what is measured."""

    def response(t, symmetry, eps, **flaws):
        measured, predicted, bound = right(t, symmetry, eps, **flaws)
        return predicted, predicted, bound

    return response


# ---- the faults

KNOWN = ("instruments",)
SEEN = ("survivors", "promises", "instruments")
BOUNDS = ("promises", "idle", "instruments")
SIZES = ("survivors", "promises", "idle", "instruments")
SILENT = ("exit code", "survivors", "promises", "silent")
DECIDED = ("exit code", "survivors", "promises")

JUDGED = (
    OwnFault("verdict ignores NaN", "a residual that is not finite spends nothing", spending(deaf), SEEN),
    OwnFault("worst lane dropped", "the lane that spends most is left out", spending(without_worst), SEEN),
    OwnFault(
        "spent compared with the wrong side", "1/spent for spent", spending(inverted), ("exit code", *SIZES)
    ),
    OwnFault(
        "smallest spent for the largest",
        "argmin for argmax",
        instead(judgement, "np", lambda right: Other(right, argmax=np.argmin)),
        SIZES,
    ),
    OwnFault("one step is never judged", "the fifth", spending(overlooking(slice(4, 5))), KNOWN),
    OwnFault(
        "late steps are never judged", "from the 13th on", spending(overlooking(slice(12, None))), KNOWN
    ),
    OwnFault("the last step is never judged", "rows[:-1]", spending(overlooking(slice(-1, None))), KNOWN),
    OwnFault("one lane is never judged", "the first", spending(overlooking(Ellipsis, 0)), KNOWN),
    OwnFault("the last component is never judged", "rows[:, :-1]", spending(without_last_component), KNOWN),
    OwnFault(
        "lanes beyond a block are never judged",
        "the first 4096 alone",
        spending(overlooking(Ellipsis, slice(4096, None))),
        ("survivors", "promises", "spared"),
        probe="placed",
    ),
)
"""Residuals that are looked at wrongly, or not at all."""
COUNTED = (
    OwnFault(
        "bounds of one rule too wide by 10^3",
        "1000 delta and 1000 sigma for Nesterov",
        widest("nesterov"),
        ("promises", "idle"),
        probe="options",
    ),
    OwnFault("order takes abs", "|p| for p, |e| for e", instead(orders, "decide", absolute), KNOWN),
    OwnFault("order is a whole number", "eta^1.5 is of order 2", instead(orders, "decide", whole), KNOWN),
    OwnFault("empty sweep passes", "a cell without a verdict", instead(judge, "judge_all", nothing), SILENT),
    OwnFault(
        "one law is never judged",
        "cells planned for D3 say nothing of it",
        instead(judge, "judge_all", without_d3),
        SILENT,
    ),
    OwnFault(
        "the second symmetry is never judged",
        "symmetries[:1]",
        instead(judge, "judge", first_symmetry_alone),
        ("silent",),
        probe="symmetries",
    ),
    OwnFault("bound of the update too wide by 10^3", "1000 delta", wider("delta"), BOUNDS),
    OwnFault("bound of the store too wide by 10^3", "1000 sigma", wider("sigma"), SIZES),
    OwnFault("bound of the gradient too wide by 10^3", "1000 g_error", wider("g_error"), BOUNDS),
    OwnFault(
        "bound of the residual's own rounding too wide by 10^3",
        "1000 of what forming a residual rounds",
        instead(Trajectory, "unit", lambda right: 1000 * right),
        BOUNDS,
    ),
)
"""Bounds that are too wide, and verdicts that are missing."""
SHOWN = (
    OwnFault(
        "fault silently skipped",
        "one planted fault is not shown",
        kernel_faults(lambda right: (f for f in right if f.name != "k off by 1 %")),
        ("promises",),
    ),
    OwnFault(
        "faults never apply",
        "every planted fault is said not to apply",
        kernel_faults(lambda right: (replace(f, applies=lambda job: False) for f in right)),
        SILENT,
    ),
    OwnFault(
        "records of another backend",
        "verdicts of numpy under a compiled kernel's name",
        instead(discrete.LaunchCell, "about", renamed),
        ("foreign",),
    ),
    OwnFault(
        "outside decided from the output",
        "a launch that came back infinite excuses itself",
        instead(Domain, "outside", by_output),
        ("survivors", "promises"),
    ),
    OwnFault(
        "the evidence's gradient is no wider than the kernel's",
        "float64 for 64 bits",
        instead(wide, "gradient", own_gradient),
        ("witness",),
    ),
    OwnFault(
        "seeds ignored",
        "every cell draws the same lanes",
        instead(discrete, "derive", lambda right: lambda seed, name: 1),
        KNOWN,
    ),
    OwnFault(
        "inconclusive counted as holds",
        "what stands still is evidence",
        instead(judge, "evidence", lambda right: lambda law, r, t: np.ones(t.lanes, bool)),
        KNOWN,
    ),
    OwnFault(
        "survivors forgiven",
        "a fault that no law kills is no reason",
        instead(exit_codes, "of_records", lambda right: lambda records, names, **how: 0),
        KNOWN,
    ),
    OwnFault(
        "ties away from zero in kernel and oracle",
        "what bfloat16 holds of a number half way between two",
        instead(precision, "nearest_bfloat16", away_from_zero),
        KNOWN,
    ),
    OwnFault(
        "another schedule in kernel and law",
        "the rate is halved after 33 steps for 32",
        instead(heavy_ball_scheduled, "MILESTONES", lambda right: (33, 64)),
        KNOWN,
    ),
)
"""Evidence that is not what it is called: faults, backends, starts, arithmetic that kernel and law share."""
OTHER_KINDS = (
    OwnFault(
        "resume drops records",
        "a cell is done, its last record is gone",
        instead(folder.Folder, "reopen", dropping),
        ("resumed",),
        probe="resume",
    ),
    OwnFault(
        "parity compares nothing",
        "no bit ever differs",
        instead(discrete.launch, "differing_bits", lambda right: lambda a, b: 0),
        DECIDED,
        probe="parity",
    ),
    OwnFault(
        "covariance judged on nothing",
        "every step is called an underflow",
        instead(discrete, "normal_steps", underflowing),
        DECIDED,
        probe="covariance",
    ),
    OwnFault(
        "response predicted from what is measured",
        "measured = predicted",
        instead(breaking, "response", predicting_itself),
        (*DECIDED, "idle"),
        probe="response",
    ),
)
"""Kinds of cells of their own, and a run that is resumed."""
FAULTS = (*JUDGED, *COUNTED, *SHOWN, *OTHER_KINDS)
