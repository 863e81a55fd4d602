"""Faults of the harness itself: each is patched into the running harness, which must then refuse to say
"holds".

A fault is planted by replacing one function of the harness for the time of a probe: a small run that ends
with exit
code 0 as long as nothing is planted. It is noticed when the probe raises or ends otherwise. `guards` are the
checks
of production that notice it; with all of them taken out (REMOVED) the fault passes, so none of them is idle.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from noether.cases import rules
from noether.kernels.programs import precision
from noether.laws.exact import breaking, controls, judge
from noether.laws.exact import cell as discrete
from noether.mechanics import wide
from noether.mechanics.trajectory import Trajectory
from noether.runs import completeness, folder, known_answers, run
from noether.verdicts import orders, record
from noether.verdicts.record import HOLDS

OWN = "the harness itself"


@contextmanager
def replaced(target, name: str, value) -> Iterator[None]:
    before = vars(target)[name] if isinstance(target, type) else getattr(target, name)
    setattr(target, name, value)
    try:
        yield
    finally:
        setattr(target, name, before)


@dataclass(frozen=True)
class OwnFault:
    """plant() puts it in place for as long as a `with` lasts; probe is one of
    noether.campaigns.kill_matrix.harness_probes.PROBES."""

    name: str
    what: str
    plant: Callable
    guards: tuple[str, ...]
    probe: str = "update"


def instead(target, name: str, make: Callable) -> Callable:
    """A planting: `target.name` replaced by make(the right one)."""
    return lambda: replaced(target, name, make(getattr(target, name)))


def wider(name: str, factor: float = 1000.0, rule: str = ""):
    """A bound of the trajectory, `factor` times too wide: under every rule, or under one."""

    def plant():
        honest = vars(Trajectory)[name].func
        wrong = cached_property(lambda t: (factor if rule in ("", t.rule.name) else 1) * honest(t))
        wrong.__set_name__(Trajectory, name)
        return replaced(Trajectory, name, wrong)

    return plant


def widest(rule: str):
    """All of what a step of one rule may round."""

    @contextmanager
    def plant():
        with wider("delta", rule=rule)(), wider("apart", rule=rule)():
            yield

    return plant


def deaf(right):
    """NaN and infinity spend nothing."""

    def spent_of(r):
        spent = right(r)
        return np.where(np.isfinite(spent), spent, 0.0)

    return spent_of


def without_worst(right):
    """The lane that is worst is left out."""

    def spent_of(r):
        spent = right(r).copy()
        spent[..., np.unravel_index(np.argmax(spent), spent.shape)[-1]] = 0.0
        return spent

    return spent_of


def inverted(right):
    def spent_of(r):
        with np.errstate(all="ignore"):
            return 1 / right(r)

    return spent_of


def overlooking(*place):
    """A judge that does not look there: place is an index of steps, and of lanes behind an Ellipsis."""

    def make(right):
        def spent_of(r):
            spent = right(r).copy()
            spent[place if len(place) > 1 or place[0] is Ellipsis else place[0]] = 0.0
            return spent

        return spent_of

    return make


def without_last_component(right):
    def spent_of(r):
        spent = right(r).copy()
        if spent.ndim == 3:
            spent[:, -1] = 0.0
        return spent

    return spent_of


class Other:
    """A module with some names of its own in place of the right ones."""

    def __init__(self, module, **names):
        self.__dict__.update({"module": module, **names})

    def __getattr__(self, name):
        return getattr(self.module, name)


def absolute(right):
    """The order of |log|: what diverges looks convergent."""

    def decide(errors, noise):
        errors = np.abs(errors)
        order = right(errors, noise)
        return replace(order, value=abs(order.value)) if order.is_decided else order

    return decide


def whole(right):
    """p* rounded to an integer before it is judged."""
    rounded = lambda order: replace(order, value=float(round(order.value))) if order.is_decided else order  # noqa: E731
    return lambda errors, noise: rounded(right(errors, noise))


def by_output(right):
    """Lanes that came back infinite are called outside."""
    return lambda cell, job, t, about, domain: judge.judge_all(
        t, cell.laws, about=about, outside=~t.finite.all(axis=0)
    )


def renamed(right):
    return lambda cell, job, backend: {**right(cell, job, backend), "backend": "triton-ptx"}


def own_gradient(right):
    """The gradient of the evidence from float64 arithmetic, no wider than the kernel's."""
    return lambda loss, q: (
        right(loss, np.asarray(q, np.float64).astype(wide.WIDE)).astype(np.float64).astype(wide.WIDE)
    )


def away_from_zero(right):
    """bfloat16 with ties away from zero, in kernel and oracle alike."""

    def bfloat16_bits(x):
        bits = np.asarray(x, dtype=np.float32, order="C").view(np.uint32)
        return np.where(np.isnan(x), right(x), (bits + np.uint32(0x8000)) >> np.uint32(16)).astype(np.uint16)

    return bfloat16_bits


def dropping(right):
    """A resumed run forgets its last record, not the cell that it belongs to."""

    def reopen(path, *how):
        opened, found = right(path, *how)
        found.records = found.records[:-1]
        return opened, found

    return reopen


def forgiving(right):
    return lambda records, names: [
        replace(row, survivors=(), verdict=HOLDS if row.counts[HOLDS] else row.verdict)
        for row in right(records, names)
    ]


FAULTS = (
    OwnFault("verdict ignores NaN", "a residual that is not finite spends nothing", instead(judge, "spent_of",
    deaf), ("survivors", "promises", "instruments")),
    OwnFault("worst lane dropped", "the lane that spends most is left out", instead(judge, "spent_of",
    without_worst), ("survivors", "promises", "instruments")),
    OwnFault("spent compared with the wrong side", "1/spent for spent", instead(judge, "spent_of", inverted),
    ("exit code", "survivors", "promises", "idle", "instruments")),
    OwnFault("smallest spent for the largest", "argmin for argmax", instead(judge, "np",
    lambda right: Other(right, argmax=np.argmin)), ("survivors", "promises", "idle", "instruments")),
    OwnFault("one step is never judged", "the fifth", instead(judge, "spent_of", overlooking(slice(4, 5))),
    ("instruments",)),
    OwnFault("late steps are never judged", "from the 13th on", instead(judge, "spent_of",
    overlooking(slice(12, None))), ("instruments",)),
    OwnFault("the last step is never judged", "rows[:-1]", instead(judge, "spent_of", overlooking(slice(-1,
    None))), ("instruments",)),
    OwnFault("one lane is never judged", "the first", instead(judge, "spent_of", overlooking(Ellipsis, 0)),
    ("instruments",)),
    OwnFault("the last component is never judged", "rows[:, :-1]", instead(judge, "spent_of",
    without_last_component), ("instruments",)),
    OwnFault("lanes beyond a block are never judged", "the first 4096 alone", instead(judge, "spent_of",
    overlooking(Ellipsis, slice(4096, None))),
             ("survivors", "promises", "spared"), probe="placed"),
    OwnFault("bounds of one rule too wide by 10^3", "1000 delta and 1000 sigma for Nesterov",
    widest("nesterov"), ("promises", "idle"), probe="options"),
    OwnFault("order takes abs", "|p| for p, |e| for e", instead(orders, "decide", absolute), ("instruments",
    )),
    OwnFault("order is a whole number", "eta^1.5 is of order 2", instead(orders, "decide", whole),
    ("instruments",)),
    OwnFault("empty sweep passes", "a cell without a verdict", instead(judge, "judge_all",
    lambda right: lambda *a, **k: []), ("exit code", "survivors", "promises", "silent")),
    OwnFault("one law is never judged", "cells planned for D3 say nothing of it",
             instead(judge, "judge_all", lambda right: lambda t, keys, **k: right(t,
             [x for x in keys if x != "D3"], **k)), ("exit code", "survivors", "promises", "silent")),
    OwnFault("the second symmetry is never judged", "symmetries[:1]", instead(judge, "judge",
    lambda right: lambda t, law, symmetry, **k: (
             None if symmetry is not None and symmetry != t.case.symmetries[0] else right(t, law, symmetry,
             **k))), ("silent",), probe="symmetries"),
    OwnFault("bound of the update too wide by 10^3", "1000 delta", wider("delta"), ("promises", "idle",
    "instruments")),
    OwnFault("bound of the store too wide by 10^3", "1000 sigma", wider("sigma"), ("survivors", "promises",
    "idle", "instruments")),
    OwnFault("bound of the gradient too wide by 10^3", "1000 g_error", wider("g_error"), ("promises", "idle",
    "instruments")),
    OwnFault("bound of the residual's own rounding too wide by 10^3",
    "1000 of what forming a residual rounds",
             instead(Trajectory, "unit", lambda right: 1000 * right), ("promises", "idle", "instruments")),
    OwnFault("control silently skipped", "one near miss is not shown",
             instead(controls, "KERNEL_CONTROLS",
             lambda right: tuple(c for c in right if c.name != "k off by 1 %")), ("promises",)),
    OwnFault("controls never apply", "every near miss is said not to apply",
             instead(controls, "KERNEL_CONTROLS", lambda right: tuple(replace(c,
             applies=lambda job: False) for c in right)), ("exit code", "survivors", "promises", "silent")),
    OwnFault("records of another backend", "verdicts of numpy under a compiled kernel's name",
    instead(discrete.DiscreteCell, "about", renamed), ("foreign",)),
    OwnFault("outside decided from the output", "a launch that came back infinite excuses itself",
    instead(discrete, "judged", by_output), ("survivors", "promises")),
    OwnFault("the evidence's gradient is no wider than the kernel's", "float64 for 64 bits", instead(wide,
    "gradient", own_gradient), ("witness",)),
    OwnFault("seeds ignored", "every cell draws the same lanes", instead(discrete, "derive",
    lambda right: lambda seed, name: 1), ("instruments",)),
    OwnFault("inconclusive counted as holds", "what stands still is evidence", instead(judge, "evidence",
    lambda right: lambda law, r, t: np.ones(t.lanes, bool)), ("instruments",)),
    OwnFault("survivors forgiven", "a control that no law kills is no reason", instead(run, "exit_code",
    lambda right: lambda records, names, **how: 0), ("instruments",)),
    OwnFault("ties away from zero in kernel and oracle", "what bfloat16 holds of a number half way between "
                                                         "two",
             instead(precision, "bfloat16_bits", away_from_zero), ("instruments",)),
    OwnFault("another schedule in kernel and law", "the rate is halved after 33 steps for 32", instead(rules,
    "MILESTONES", lambda right: (33, 64)), ("instruments",)),
    OwnFault("resume drops records", "a cell is done, its last record is gone", instead(folder.Folder,
    "reopen", dropping), ("resumed",), probe="resume"),
    OwnFault("parity compares nothing", "no bit ever differs", instead(discrete.launch, "differing_bits",
    lambda right: lambda a, b: 0), ("exit code", "survivors", "promises"), probe="parity"),
    OwnFault("covariance judged on nothing", "every step is called an underflow",
             instead(discrete, "normal_steps", lambda right: lambda case, job: np.zeros((job.steps + 1,
             job.lanes), bool)), ("exit code", "survivors", "promises"), probe="covariance"),
    OwnFault("response predicted from what is measured", "measured = predicted",
             instead(breaking, "response", lambda right: lambda t, s, eps, **flaws: (lambda m, p, b: (p, p,
             b))(*right(t, s, eps, **flaws))), ("exit code", "survivors", "promises", "idle"),
             probe="response"),
)  # fmt: skip


def blank(*_, **__):
    return []


REMOVED: dict[str, Callable] = {
    "instruments": lambda: replaced(known_answers, "faulty", blank),
    "promises": lambda: replaced(completeness, "unkept", blank),
    "idle": lambda: replaced(completeness, "idle", blank),
    "silent": lambda: replaced(completeness, "silent", blank),
    "spared": lambda: replaced(completeness, "spared", blank),
    "foreign": lambda: replaced(completeness, "foreign", blank),
    "survivors": lambda: replaced(record, "summarise", forgiving(record.summarise)),
    "exit code": lambda: replaced(run, "exit_code", lambda records, names, **how: 0),
    "witness": lambda: replaced(judge, "witness", lambda t, lane, step: 0.0),
    "resumed": lambda: replaced(run, "nothing_lost", lambda records, cells: None),
}
"""How each guard is taken out, for the test that it does the work."""


def noticed(fault: OwnFault, *, without: tuple[str, ...] = ()) -> str:
    """How the harness noticed: 'exit code 3: ...' or 'raised ...'; '' when it did not. `without` names guards
    to take out."""
    from noether.campaigns.kill_matrix.harness_probes import PROBES, honest_book

    honest_book(fault.probe)
    if {"exit code", "survivors"} & {*without}:
        without = (*without, "instruments")  # which watch these two as well
    with ExitStack() as stack:
        stack.enter_context(fault.plant())
        for guard in without:
            stack.enter_context(REMOVED[guard]())
        try:
            code, why = PROBES[fault.probe]()
        except Exception as error:
            return f"raised {type(error).__name__}: {error}"
    return f"exit code {code}: {'; '.join(why[:2])}" if code else ""


def resumed() -> tuple[int, list[str]]:
    """A finished run of two cells, opened again."""
    from noether.plan.choices import Request

    request = Request(
        ("rayleigh",), law="D13", rule="heavy-ball", precision="float64", backend="numpy", lanes=5, steps=3
    )
    with tempfile.TemporaryDirectory() as place:
        run.run(request, out=Path(place) / "r")
        again = run.run(request, resume=Path(place) / "r")
    return again.exit_code, again.blind
