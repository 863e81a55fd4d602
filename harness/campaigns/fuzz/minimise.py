"""Making a violating launch small: one lane, few steps, plain numbers, and still a violation of the same law.

Greedy: of all simpler neighbours the first that still fails is taken, until none does. So the result is
minimal in this sense: with any one of its simplifications the law holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from noether.campaigns.fuzz.example import Example, Subject, found_in
from noether.campaigns.fuzz.probe import Probe
from noether.kernels.programs.precision import parse
from noether.plan.choices import case_named

# Significant bits that a number is cut to, fewest first.
BITS = (1, 2, 3, 4, 6, 8, 11, 16, 24, 32)
# Lanes whose numbers change together; so few that each is tried alone too.
ALL, FEW = None, 4
# Launches of a search: some seconds.
MOST = 4000


def minimise(subject: Subject, worst: Example, probe: Probe, *, most: int = MOST) -> Example:
    """The smallest violating launch, found neighbour by neighbour. Raises ValueError where `worst` does not
    violate."""
    budget = [most]

    def failing(example: Example) -> Example | None:
        if budget[0] <= 0:
            return None
        budget[0] -= 1
        return fails(subject, example, probe)

    best = fails(subject, worst, probe)
    if best is None:
        raise ValueError(f"{subject.place}: this launch violates nothing: there is nothing to make smaller")
    while True:
        smaller = next((found for found in map(failing, neighbours(subject, best, probe)) if found), None)
        if smaller is None:
            return best
        best = smaller


def fails(subject: Subject, example: Example, probe: Probe) -> Example | None:
    """The example with where it is violated, or None where it is not."""
    record = probe.violation(case_named(subject.case), example.job(subject), subject.law, subject.symmetry)
    if record is None:
        return None
    return replace(example, found=found_in(record))


def neighbours(subject: Subject, example: Example, probe: Probe) -> Iterator[Example]:
    """Every simpler launch one change away, the greatest simplifications first."""
    yield from fewer_lanes(example)
    yield from fewer_steps(example)
    yield from later_start(subject, example, probe)
    yield from simpler_numbers(subject, example)


def fewer_lanes(example: Example) -> Iterator[Example]:
    """The worst lane alone; else copies of it, as many as before, a power of two, or one less."""
    if example.q0.shape[1] > 1:
        lane = example.found.get("lane", 0)
        alone = columns(example, [lane], 1)
        yield alone
        yield replace(alone, lanes=example.lanes)
        for lanes in halves(example.lanes):
            yield columns(example, slice(lanes), lanes)
    else:
        for lanes in halves(example.lanes):
            yield replace(example, lanes=lanes)


def columns(example: Example, which, lanes: int) -> Example:
    """The example with some of its columns alone, as a launch of so many lanes."""
    q0, v0, params = (x[:, which] for x in (example.q0, example.v0, example.params))
    return replace(example, q0=q0, v0=v0, params=params, lanes=lanes)


def halves(n: int) -> list[int]:
    """The powers of two below n, and n - 1."""
    return sorted({*(2**j for j in range(n.bit_length()) if 2**j < n), *([n - 1] if n > 1 else [])})


def fewer_steps(example: Example) -> Iterator[Example]:
    """Shorter launches: to where it is violated, to one step more, to a power of two, or one step less."""
    until = example.found.get("step", example.steps - 1) + 1
    for steps in sorted({*halves(example.steps), *(s for s in (until, until + 1) if 0 < s < example.steps)}):
        yield replace(example, steps=steps)


def later_start(subject: Subject, example: Example, probe: Probe) -> Iterator[Example]:
    """The launch begun at a later state of its own, for a single lane: what is stored can be a start."""
    if example.steps < 2 or example.q0.shape[1] > 1 or example.lanes > 1:
        return
    t = probe.trajectory(case_named(subject.case), example.job(subject))
    for n in sorted({example.steps - s for s in halves(example.steps)}, reverse=True):
        q, v = t.z[n].astype(float), t.v[n].astype(float)
        if np.isfinite(q).all() and np.isfinite(v).all():
            kick = v if t.rule.momentum else np.zeros_like(v)
            yield replace(example, q0=q, v0=kick, steps=example.steps - n)


def simpler_numbers(subject: Subject, example: Example) -> Iterator[Example]:
    """One number (or all of one kind) to 0, to 1, to a power of two, to fewer bits; parameters before
    states."""
    d, numbers = len(example.q0), example.numbers
    rows = [*range(2 * d, 2 * d + 4), *range(d, 2 * d), *range(d)]
    groups = [([*range(d, 2 * d)], ALL), ([*range(d)], ALL), *(([r], ALL) for r in rows)]
    if 1 < numbers.shape[1] <= FEW:
        groups += [([r], [lane]) for r in rows for lane in range(numbers.shape[1])]
    for group, lanes in groups:
        place = np.ix_(group, range(numbers.shape[1]) if lanes is ALL else lanes)
        for change in changes(group, d):
            other = numbers.copy()
            other[place] = change(numbers[place])
            if (other[2 * d] > 0).all() and (other[2 * d + 1] < 1).all():
                candidate = example.with_numbers(other, subject)
                if complexity(candidate) < complexity(example):
                    yield candidate


def changes(group: list[int], d: int) -> list[Callable]:
    """What is tried on a group of rows, the greatest simplification first; eta, row 2 d, is never 0."""
    zero = [] if group == [2 * d] else [np.zeros_like]
    return [*zero, np.sign, lambda x: cut(x, 1), *((lambda x, b=b: cut(x, b)) for b in BITS)]


def cut(x: np.ndarray, bits: int) -> np.ndarray:
    """The numbers of x rounded to so many significant bits."""
    fraction, exponent = np.frexp(x)
    return np.ldexp(np.rint(np.ldexp(fraction, bits)), exponent - bits)


def complexity(example: Example) -> tuple[int, int, float]:
    """Lanes, steps, then the bits of the numbers: their significands, and how far their exponents are from
    0."""
    total = 0.0
    for x in example.numbers.ravel():
        if x:
            numerator, denominator = abs(float(x)).as_integer_ratio()
            odd = numerator >> ((numerator & -numerator).bit_length() - 1)
            total += 1 + odd.bit_length() + abs(np.frexp(x)[1] - 1) / 2048 + (0.25 if x < 0 else 0)
    return example.lanes, example.steps, total


def size(subject: Subject, example: Example) -> str:
    """One line that says how small a launch is."""
    nonzero = int((example.numbers != 0).sum())
    lanes, steps, bits = complexity(example)
    stored = parse(subject.precision).label
    launch = f"{lanes} lane{'s' * (lanes > 1)}, {steps} step{'s' * (steps > 1)}"
    numbers = f"{nonzero} of {example.numbers.size} numbers not 0"
    return f"{launch}, {numbers}, {bits:.0f} bits in all ({stored})"
