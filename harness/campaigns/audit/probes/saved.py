"""Probes of what an optimizer keeps: saved and loaded, copied, pickled, and moved to another type."""

from __future__ import annotations

import copy
import io
import pickle

import torch

from noether.campaigns.audit.course import Beginning, Course, compared, target
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED
from noether.campaigns.audit.implementations_part import kept
from noether.campaigns.audit.probes.probe import Outcome, Probe, Stand, crashed, untold
from noether.campaigns.audit.subject import TargetError

MIDWAY = 4  # steps before, and as many after
SMALL = 2.0**-8
"""The size of parameters at the start: what a step changes must be seen beside them in 8 bits."""


def goes_on(begin: Beginning, stand: Stand, dtype: str, successor) -> list:
    """One course to the end, and one that a successor takes over midway."""
    starts = [SMALL * stand.ground.start(i, dtype=dtype) for i in (0, 1)]
    pulls = list(zip(*(stand.ground.pulls(i, steps=2 * MIDWAY, dtype=dtype) for i in (0, 1)), strict=True))
    whole, first = (begin(starts).through(pulls[:MIDWAY]) for _ in range(2))
    second = successor(begin, first)
    pairs = []
    for row in pulls[MIDWAY:]:
        whole.step(row)
        second.step(row)
        pairs += zip(whole.places(), second.places(), strict=True)
    return pairs


def loaded(begin: Beginning, course: Course) -> Course:
    """A new optimizer on the same parameters that is given the saved state."""
    with target("its state is saved"):
        file = io.BytesIO()
        torch.save(course.optimizer.state_dict(), file)
    file.seek(0)
    new = begin([p.detach() for p in course.parameters])
    with target("its state is loaded"):
        new.optimizer.load_state_dict(torch.load(file, weights_only=False))
    return new


def copied(begin: Beginning, course: Course) -> Course:
    """A deep copy of parameters and optimizer."""
    with target("it is deep-copied"):
        parameters, optimizer = copy.deepcopy((course.parameters, course.optimizer))
    return begin.going_on(parameters, optimizer)


def pickled(begin: Beginning, course: Course) -> Course:
    """Parameters and optimizer, pickled and made again."""
    with target("it is pickled"):
        parameters, optimizer = pickle.loads(pickle.dumps((course.parameters, course.optimizer)))
    return begin.going_on(parameters, optimizer)


def going_on(successor, words: str, dtypes=("float32",)):
    """run(stand) of a probe whose successor must go on as if nothing had been."""

    def run(stand: Stand) -> Outcome:
        if successor is loaded and not hasattr(begun(stand).optimizer, "state_dict"):
            return untold("it has no state_dict()")
        for dtype in dtypes:
            found = handed_over(stand, dtype, successor, words)
            if found.verdict != HOLDS:
                return found
        return found

    return run


def handed_over(stand: Stand, dtype: str, successor, words: str) -> Outcome:
    """The outcome in one type. The same operations on the same numbers must have the same bits."""
    handed: list[str] = []

    def experiment(begin: Beginning) -> list:
        def watched(begin: Beginning, course: Course) -> Course:
            new = successor(begin, course)
            handed[:] = changed_types(course, new)
            return new

        return goes_on(begin, stand, dtype, watched)

    try:
        found = compared(stand.subject, experiment)
    except TargetError as error:
        if crashed(error) and error.stage.startswith("step"):
            return Outcome(OUTSIDE, f"{words} cannot go on: {error}")
        raise
    if found.in_bits:
        return Outcome(HOLDS, f"{words} goes on as if nothing had been, bit for bit", 0.0)
    if handed:
        reason = f"in {dtype} {words} goes on in other bits: state has changed its type ({', '.join(handed)})"
        return Outcome(VIOLATED, reason, None if found.lost else found.spent)
    if found.lost:
        return Outcome(
            INCONCLUSIVE, f"in {dtype} {words} goes on in other bits; no bound is known: {found.lost}"
        )
    if found.agrees:
        return Outcome(
            INCONCLUSIVE, f"in {dtype} {words} goes on in other bits, within rounding", found.spent
        )
    reason = f"in {dtype} {words} does not go on as the one that was never stopped"
    return Outcome(VIOLATED, reason, found.spent)


def changed_types(course: Course, new: Course) -> list[str]:
    """Which state has another type in the successor than it had."""
    found = []
    for p, q in zip(course.parameters, new.parameters, strict=True):
        one, two = kept(course.optimizer, p), kept(new.optimizer, q)
        for name in set(one) & set(two):
            if one[name].dtype != two[name].dtype:
                found.append(f"{name} from {word(one[name].dtype)} to {word(two[name].dtype)}")
    return sorted(set(found))


def word(dtype: torch.dtype) -> str:
    """The name of a type."""
    return str(dtype).removeprefix("torch.")


def begun(stand: Stand) -> Course:
    """A course of one tensor."""
    return Course(stand.subject, [stand.ground.start()])


def moved_to_double(stand: Stand) -> Outcome:
    """Parameters become float64 after some steps: state must follow, or it must be told."""
    if stand.ground.sparse:
        return untold("sparse gradients only")

    def experiment(begin: Beginning) -> list:
        pulls = [[g] for g in stand.ground.pulls(steps=2 * MIDWAY)]
        moved, other = (begin([stand.ground.start()]).through(pulls[:MIDWAY]) for _ in range(2))
        for p in moved.parameters:
            p.data, p.grad = p.data.double(), None
        new = begin([p.detach().double() for p in other.parameters])
        with target("its state is loaded"):
            new.optimizer.load_state_dict(copy.deepcopy(other.optimizer.state_dict()))
        pairs = []
        for row in pulls[MIDWAY:]:
            row = [g.double() for g in row]
            pairs.append((moved.step(row).place(), new.step(row).place()))
        return pairs

    if not hasattr(begun(stand).optimizer, "state_dict"):
        return untold("it has no state_dict() to compare with")
    found = compared(stand.subject, experiment)
    if found.in_bits:
        return Outcome(HOLDS, "its state goes with parameters that become float64", 0.0)
    if found.lost:
        return Outcome(INCONCLUSIVE, f"state may not follow parameters that become float64; {found.lost}")
    if found.agrees:
        reason = "parameters that become float64 go on with a state in float32, and nothing is told"
        return Outcome(OUTSIDE, reason, found.spent)
    reason = "parameters that become float64 after some steps go on otherwise than with their state"
    return Outcome(VIOLATED, reason, found.spent)


PROBES = (
    Probe(
        "state_dict midway",
        "state that is not saved, saved as a reference, or loaded in another type",
        "what lies outside the state of an optimizer, as a schedule",
        going_on(loaded, "an optimizer that loads a saved state", ("float32", "bfloat16")),
    ),
    Probe(
        "deep copy midway",
        "state that a copy shares or loses",
        "copies of half an optimizer",
        going_on(copied, "a deep copy"),
    ),
    Probe(
        "pickled midway",
        "state that pickling loses",
        "other versions of the package",
        going_on(pickled, "an optimizer that was pickled"),
    ),
    Probe(
        "parameters moved to another type",
        "state that is left behind, or begins anew, when parameters become float64",
        "other devices",
        moved_to_double,
    ),
)
"""In the order in which they are told."""
