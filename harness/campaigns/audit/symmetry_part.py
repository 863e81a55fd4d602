"""Which symmetries an optimizer keeps: does it commute with turns of its parameters?

    run(T q_0, L^-T g_n) = T run(q_0, g_n)                                                        (1)

Gradients are scripted on both sides, so that no loss and no autograd is between. Compared is what the
operations mean without rounding. Its error is what they would round in float64, whatever type they really
work in: coefficients are numbers of Python, and a bias correction in float64 is none of the rule's. Where a
number left the tensors, or an operation has no meaning in the tables, the meaning holds what was really
rounded: then (1) is measured in two types, and what falls with their units is rounding.

    kept        |left - right| <= error, and the error is far below a step
    broken      beyond CLEAR errors. The size is that of the kinetic breaking: the largest over the steps of
                |left step - turned right step| over the longer one, from 0 to 2
    undecided   neither
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, Finding
from noether.campaigns.audit.scripted import Script
from noether.campaigns.audit.subject import Subject, TargetError, Trial
from noether.campaigns.audit.turned import SHAPES, SIDES_OF, Turn, script, turns
from noether.optimizers.running import UNITS, WIDE, Running, product, rounding_as

KEPT, BROKEN, UNDECIDED, REFUSED = "kept", "broken", "undecided", "refused"
CLEAR = 2.0**10
"""Errors that a run must be off, or it is not told to be another."""
SHARP = 2.0**-10
"""Of a step: an error above it proves little."""
FALL = (UNITS["float64"] / UNITS["float32"]) ** 0.5
"""What shrinks by more from float32 to float64 is rounding: halfway, on a logarithm, between that and what
stays."""
DECAY = 2.0**-4
SECONDS = 15.0
"""For one tensor, of three: an audit has 120."""


@dataclass(frozen=True)
class Seen:
    """What was found of one symmetry.

    found   kept, broken, undecided or refused
    size    the kinetic breaking, from 0 to 2; None where nothing was measured
    spent   the largest |left - right| in errors, None where no error is known
    reason  why, where it is not plain
    """

    found: str
    size: float | None = None
    spent: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Course:
    """A run: `meant` has (steps + 1, d) positions with the errors of their meaning.

    sure  whether nothing but known operations on tensors made them
    unit  the relative rounding of the narrowest type that they went through
    """

    meant: Running
    sure: bool
    unit: float


def course(subject: Subject, given: Script, dtype: str = "float64") -> Course:
    """A subject under a script, and what its operations mean."""
    with rounding_as("float64"):
        trial = Trial(subject, [given.q0], dtype)
        found = [trial.meant()]
        for g in given.gradients:
            trial.step([g])
            found.append(trial.meant())
    told = trial.shadow.told
    meant = Running(np.stack([x.value for x in found]), np.stack([x.error for x in found]))
    unit = max([UNITS[kind] for kind in told.kinds], default=UNITS[dtype])
    return Course(meant, not told.unknown and not told.left, unit)


@dataclass(frozen=True)
class Plain:
    """The run that is not turned."""

    subject: Subject
    script: Script

    @cached_property
    def fine(self) -> Course:
        """In float64. Raises TargetError."""
        return course(self.subject, self.script)

    @cached_property
    def rough(self) -> Course:
        """In float32. Raises TargetError."""
        return course(self.subject, self.script, "float32")


def turned(turn: Turn, meant: Running) -> Running:
    """T of positions (steps + 1, d)."""
    return product(meant, Running(turn.matrix.T, WIDE(0))) + turn.shift


def breaking(there: np.ndarray, here: np.ndarray) -> float:
    """The largest over steps of the difference of two steps over the longer one."""
    steps, others = np.diff(there, axis=0), np.diff(here, axis=0)
    longer = np.maximum(np.linalg.norm(steps, axis=1), np.linalg.norm(others, axis=1))
    apart = np.linalg.norm(steps - others, axis=1)
    return float(np.max(apart[longer > 0] / longer[longer > 0], initial=0))


def compared(turn: Turn, own: Course, other: Course) -> Seen:
    """What two runs say of a symmetry, by their errors."""
    here, there = turned(turn, own.meant), other.meant
    apart, error = abs(there.value - here.value), there.error + here.error
    if not (np.isfinite(here.value).all() and np.isfinite(there.value).all()):
        return Seen(UNDECIDED, reason="it leaves the finite numbers")
    size = breaking(there.value, here.value)
    with np.errstate(all="ignore"):
        spent = float(np.where((apart == 0) | np.isinf(error), 0, apart / error).max())
    if spent > CLEAR:
        return Seen(BROKEN, size, spent)
    step = np.sqrt((np.diff(here.value, axis=0) ** 2).mean())
    if spent <= 1 and error.max() <= SHARP * step:
        return Seen(KEPT, size, spent)
    reason = f"known to {float(error.max() / step):.1g} of a step alone, off by {size:.1g}"
    return Seen(UNDECIDED, size, spent, reason)


def scaling(turn: Turn, plain: Plain, other: Course, found: Seen) -> Seen:
    """What two types say of a symmetry that is off by more than the errors, where they are not all known."""
    rough = course(plain.subject, turn.of(plain.script), "float32")
    wide = breaking(rough.meant.value, turned(turn, plain.rough.meant).value)
    fine = breaking(other.meant.value, turned(turn, plain.fine.meant).value)
    told = f"off by {fine:.2g} of a step in float64, by {wide:.2g} in float32"
    if not np.isfinite(fine) or not np.isfinite(wide):
        return Seen(UNDECIDED, reason="it leaves the finite numbers")
    if fine <= FALL * wide:
        return Seen(KEPT, fine, reason=told)
    # What a narrower type rounds in both does not fall: halfway, on a logarithm, between that and a step.
    narrow = max(plain.fine.unit, other.unit)
    large = 0 if narrow <= UNITS["float64"] else narrow**0.5
    if found.found == BROKEN and fine >= max(wide / 2, large):
        return Seen(BROKEN, fine, reason=told)
    told += f", and it works in a type of {-np.log2(narrow):.0f} bits in both" if large else ""
    return Seen(UNDECIDED, fine, reason=told)


def seen(turn: Turn, plain: Plain) -> Seen:
    """What is found of one symmetry."""
    try:
        other = course(plain.subject, turn.of(plain.script))
        found = compared(turn, plain.fine, other)
        if found.found == KEPT or plain.fine.sure and other.sure:
            return found
        return scaling(turn, plain, other, found)
    except TargetError as error:
        return Seen(REFUSED, reason=str(error))


def row(subject: Subject, shape: tuple[int, ...], seed: int = 0, seconds: float = SECONDS) -> dict[str, Seen]:
    """All symmetries of one tensor. Raises TargetError for what is raised without any turn.

    seconds  after which the symmetries that are left are not asked for
    """
    end = time.monotonic() + seconds
    plain = Plain(subject, script(shape, seed))
    moves = (np.diff(plain.fine.meant.value, axis=0) != 0).any()
    found = {}
    for turn in turns(shape, seed):
        if not moves:
            found[turn.name] = Seen(UNDECIDED, reason="it does not move")
        elif time.monotonic() > end:
            found[turn.name] = Seen(UNDECIDED, reason=f"left out, the others took {seconds:g} s")
        else:
            found[turn.name] = seen(turn, plain)
    return found


def symmetries(subject: Subject, seed: int = 0) -> Iterator[Finding]:
    """Yield a finding for a matrix, for a vector, and for a matrix with decay off, or on where it is off."""
    matrix, vector = (fingerprint(subject, name, shape, seed) for name, shape in SHAPES.items())
    yield matrix
    yield otherwise(matrix, vector)
    if (other := decay(subject)) is not None:
        yield fingerprint(subject.having(**other), f"matrix, {named(other)}", SHAPES["matrix"], seed)


def otherwise(matrix: Finding, vector: Finding) -> Finding:
    """What was found of a vector, with a remark where a matrix of as many numbers is treated otherwise."""
    rows = [x.data.get("row") or {} for x in (matrix, vector)]
    both = [name for name in rows[1] if name in rows[0]]
    told = [
        f"a matrix {verb(rows[0][name])} {name}, a vector {verb(rows[1][name])} it"
        for name in both
        if {rows[0][name]["found"], rows[1][name]["found"]} == {KEPT, BROKEN}
    ]
    return replace(vector, data={**vector.data, "remarks": told}) if told else vector


def verb(found: dict) -> str:
    """What a tensor does to a symmetry."""
    return "keeps" if found["found"] == KEPT else "breaks"


def fingerprint(subject: Subject, name: str, shape: tuple[int, ...], seed: int) -> Finding:
    """The row of one tensor."""
    data = {"shape": list(shape)}
    try:
        found = row(subject, shape, seed)
    except TargetError as error:  # a shape or an option may be refused
        return Finding("symmetries", name, OUTSIDE, f"refused, {error}", data=data)
    data["row"] = {key: asdict(x) for key, x in found.items()}
    of = lambda word: [key for key, x in found.items() if x.found == word]
    verdict = INCONCLUSIVE if of(UNDECIDED) else OUTSIDE if len(of(REFUSED)) == len(found) else HOLDS
    return Finding("symmetries", name, verdict, told(found), data=data)


def told(found: dict[str, Seen]) -> str:
    """A row in words: what is found of rows and columns alike is told of the whole alone."""
    alike = {side for whole, sides in SIDES_OF.items() if same([whole, *sides], found) for side in sides}
    of = lambda word: [(key, x) for key, x in found.items() if x.found == word and key not in alike]
    parts = [f"keeps {', '.join(key for key, _ in of(KEPT))}"] if of(KEPT) else []
    broken = ", ".join(f"{key} ({x.size:.2g})" for key, x in of(BROKEN))
    parts += [f"breaks {broken}"] if broken else []
    for word in (UNDECIDED, REFUSED):
        why = dict.fromkeys(x.reason for _, x in of(word))
        parts += [f"{word}: {', '.join(key for key, _ in of(word))} ({'; '.join(why)})"] if why else []
    return "; ".join(parts)


def same(names: list[str], found: dict[str, Seen]) -> bool:
    """Whether all of these were found to be the same."""
    return all(name in found for name in names) and len({found[name].found for name in names}) == 1


def decay(subject: Subject) -> dict | None:
    """weight_decay off where it is on, on where it is off; None where there is no such option."""
    try:
        optimizer = Trial(subject, [script(SHAPES["matrix"]).q0], "float64").optimizer
    except TargetError:
        return None
    groups = getattr(optimizer, "param_groups", None) or [{}]
    before = groups[0].get("weight_decay") if isinstance(groups[0], dict) else None
    if isinstance(before, bool) or not isinstance(before, int | float):
        return None
    return {"weight_decay": 0.0 if before else DECAY}


def named(options: dict) -> str:
    """Options in words."""
    return ", ".join(f"{key} {x:g}" for key, x in options.items())
