"""Trying out a learning rule that is not in the catalogue: whatever is wrong with it is told in one line.

That its terms add up to its update is proven when the file is loaded (cases/rule.py). Here its lines run on
numbers, from rest, at several numbers of parameters; then they are read, and traced to a kernel.
"""

from __future__ import annotations

from collections.abc import Callable

from noether.cases.rule import Rule
from noether.cases.rules import RULES
from noether.kernels.programs.trace_rule import place_program, update_program
from noether.laws.map.table import COLUMNS
from noether.plan.casefiles.complaint import Origin, told
from noether.plan.casefiles.rule_walk import KICK, Walk
from noether.plan.casefiles.rule_words import MODELS
from noether.plan.casefiles.stages import Stages, in_stages, silent, tracing
from noether.system.timelimit import allowed, limited
from noether.system.usage import UsageError

DIMS, LARGEST, NUMBERS = (1, 2, 3, 5), 64, range(1, 257)


def try_rule(rule: Rule) -> None:
    """Try out a rule that was handed over as an object, here and within its time. Raises UsageError."""
    with limited(allowed()):
        try_rule_out(rule, Origin.of_object(rule))


def try_rule_out(rule: Rule, origin: Origin, doing: Callable[[str], None] = silent) -> None:
    """Run, read and trace a rule before any work, as in_stages; raises UsageError with what is wrong."""
    in_stages(stages(rule, origin), origin, doing)


def stages(rule: Rule, origin: Origin) -> Stages:
    """What the trial of a rule does."""
    yield "comparing its name with those of the catalogue", lambda: check_name(rule, origin)
    yield "proving it", lambda: check_proven(rule, origin)
    yield "reading its lines", lambda: check_read(rule, origin)
    found: list[int] = []
    yield "asking which d it takes", lambda: found.extend(dims(rule, origin))
    yield "asking what steps know of their number", lambda: [Walk(rule, origin, 1).known(n) for n in NUMBERS]
    for dim in found:
        yield f"evaluating update at d = {dim}", lambda dim=dim: Walk(rule, origin, dim).check()
        yield f"evaluating update from a kick at d = {dim}", lambda dim=dim: kicked(rule, origin, dim)
    for dim in found:
        yield f"tracing update at d = {dim}", lambda dim=dim: check_traced(rule, origin, dim)


def check_name(rule: Rule, origin: Origin) -> None:
    """Refuse a name that means something else in records. Raises UsageError."""
    has = "a rule of the catalogue" if rule.name in RULES else "a model in continuous time"
    if rule.name in (*RULES, *MODELS, *COLUMNS, "all"):
        raise UsageError(f"{origin.label}: name is {rule.name!r}, which {has} has: must be another one")


def check_proven(rule: Rule, origin: Origin) -> None:
    """Refuse a rule that was not proven when it was made: one of a class of its own. Raises UsageError."""
    if type(rule) is not Rule:
        raise UsageError(f"{origin.label}: {rule.name} is a {type(rule).__name__}, must be a Rule itself")
    try:
        Rule.__post_init__(rule)
    except Exception as error:
        raise UsageError(f"{origin.label} {told(error, origin)}") from None


def check_read(rule: Rule, origin: Origin) -> None:
    """Refuse a rule of which cannot be read what it depends on. Raises UsageError."""
    try:
        rule.reads, rule.on_metric  # noqa: B018  (what they are is of no interest here)
    except Exception as error:
        raise UsageError(f"{origin.label} cannot be read: {told(error, origin)}") from None
    if rule.on_metric and rule.metric != "diagonal":
        raise UsageError(
            f"{origin.label}: update reads p.G, the metric of a case, and metric is {rule.metric!r}: must be "
            "'diagonal'"
        )
    if rule.metric == "diagonal" and not rule.on_metric:
        raise UsageError(f"{origin.label}: metric is 'diagonal', and update does not read p.G: it must")
    if (rule.place is not None) != (rule.metric == "bregman"):
        raise UsageError(
            f"{origin.label}: metric is {rule.metric!r} {'with' if rule.place else 'without'} a place: must "
            "be 'bregman' with one, or something else without"
        )


def dims(rule: Rule, origin: Origin) -> list[int]:
    """Those of DIMS that a rule takes, else the smallest that it does. Raises UsageError."""
    try:
        takes = [dim for dim in range(1, LARGEST + 1) if rule.fits(dim)]
    except Exception as error:
        raise UsageError(f"{origin.label}: fits {told(error, origin)}") from None
    if not takes:
        raise UsageError(f"{origin.label}: fits is False for every d from 1 to {LARGEST}: must take some")
    return [dim for dim in takes if dim in DIMS] or takes[:1]


def check_traced(rule: Rule, origin: Origin, dim: int) -> None:
    """Refuse a rule that cannot be traced to a kernel. Raises UsageError."""
    with tracing(origin, "the functions of xp"):
        update_program(rule, dim)
        place_program(rule, dim)


def kicked(rule: Rule, origin: Origin, dim: int) -> None:
    """Refuse a rule that does not bear the kick from which launches start (harness/mechanics/sweep.py).
    Raises UsageError."""
    if rule.momentum and not rule.log_state:
        Walk(rule, origin, dim, KICK).states(slice(None))
