"""Probes of gradients: none, zero, sparse, infinite, not a number, and the gradient itself after a step."""

from __future__ import annotations

import torch

from noether.campaigns.audit.course import Beginning, Course, Place, same
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED
from noether.campaigns.audit.ground import sparse
from noether.campaigns.audit.probes.groups import tensors
from noether.campaigns.audit.probes.probe import Outcome, Probe, Stand, agree, crashed, untold
from noether.campaigns.audit.subject import TargetError, needs_closure


def without(stand: Stand, missing: range, steps: int = 8) -> Outcome:
    """A tensor has no gradient in some steps: it stands still meanwhile, the other goes on."""
    starts, pulls = tensors(stand, steps=steps)
    rows = [[row[0], None if n in missing else row[1]] for n, row in enumerate(pulls)]
    try:
        course = Course(stand.subject, starts)
        for n, row in enumerate(rows):
            before = course.place(1).real
            course.step(row)
            if n in missing and not same(before, course.place(1).real):
                reason = f"a tensor without a gradient moves in step {n + 1}"
                return Outcome(VIOLATED if stand.anatomy else INCONCLUSIVE, reason)
    except TargetError as error:
        if crashed(error):
            return Outcome(VIOLATED, f"a gradient that is None crashes it: {error}")
        raise
    when = "at first" if missing.start == 0 else "in between"
    still = f"a tensor stands still while it has no gradient {when}"
    if not stand.alone:
        return Outcome(HOLDS, still)

    def experiment(begin: Beginning, i: int) -> list:
        both, alone = begin(starts), begin(starts[i : i + 1])
        pairs = []
        for row in rows:
            both.step(row)
            alone.step(row[i : i + 1]) if row[i] is not None else None
            pairs.append((both.place(i), alone.place()))
        return pairs

    other = agree(stand.subject, lambda begin: experiment(begin, 0), still, "", stand.wrong)
    if other.verdict != HOLDS:
        reason = f"a tensor moves otherwise while another one has no gradient {when}"
        return Outcome(other.verdict, other.reason or reason, other.spent)
    gone = f"{still}; afterwards it does not move as if those steps had not been: its count of them goes on"
    held = f"{still}; afterwards it moves as if those steps had not been"
    return agree(stand.subject, lambda begin: experiment(begin, 1), held, gone, INCONCLUSIVE)


def nothing_at_all(stand: Stand) -> Outcome:
    """Steps before there is any gradient do nothing."""
    course = Course(stand.subject, [stand.ground.start()]).step([None])
    if same(course.place().real, stand.ground.start()):
        return Outcome(HOLDS, "a step before there is any gradient does nothing")
    reason = "a step without any gradient moves the parameters"
    return Outcome(VIOLATED if stand.anatomy else INCONCLUSIVE, reason)


def zero(stand: Stand) -> Outcome:
    """Gradients of zero keep all numbers finite."""
    undefined = stand.anatomy is not None and stand.anatomy.features["form"] == "normalised"
    if step := spoiling(stand, "float32"):
        reason = f"a gradient of zero makes parameters that are no numbers, in step {step}"
        return Outcome(OUTSIDE if undefined else VIOLATED, reason)
    try:
        step = spoiling(stand, "float16")
    except TargetError:  # this type is refused
        step = None
    if step:
        reason = f"in float16 a gradient of zero makes parameters that are no numbers, in step {step}"
        return Outcome(OUTSIDE, f"{reason}: what keeps a division from zero, as eps, is zero there")
    return Outcome(HOLDS, "gradients of zero keep all parameters finite")


def spoiling(stand: Stand, dtype: str) -> int | None:
    """The step of four without and two with a gradient after which a number is not finite, None for none."""
    pulls = stand.ground.pulls(steps=2, dtype=dtype)
    nought = [torch.zeros(stand.ground.shape, dtype=pulls[0].dtype) for _ in range(4)]
    nought = [sparse(g) for g in nought] if stand.ground.sparse else nought
    course = Course(stand.subject, [stand.ground.start(dtype=dtype)])
    for n, g in enumerate([*nought, *pulls], start=1):
        if not bool(course.step([g]).place().real.isfinite().all()):
            return n
    return None


def sparsely(stand: Stand) -> Outcome:
    """Sparse gradients that name every place act as dense ones, or are refused."""
    if stand.ground.sparse:
        return untold("it takes sparse gradients only")

    def experiment(begin: Beginning) -> list:
        dense, thin = begin([stand.ground.start()]), begin([stand.ground.start()], bare=True)
        pairs = []
        for g in stand.ground.pulls():
            there = dense.step([g]).place()
            pairs.append((there, Place(thin.step([sparse(g)]).place().real, there.error)))
        return pairs  # a shadow has no sparse tensors: both are given the error of the dense one

    return agree(
        stand.subject,
        experiment,
        "sparse gradients act as dense ones",
        "a sparse gradient that names every place acts otherwise than the dense one",
        stand.wrong,
    )


def spoiled(stand: Stand, bad: float) -> Outcome:
    """One entry of a gradient is infinite or no number in one step: nothing else may be lost by it."""
    if stand.ground.sparse:
        return untold("it takes sparse gradients only")
    starts, pulls = tensors(stand)
    wrong = [[g.clone() for g in row] for row in pulls]
    wrong[2][0].view(-1)[3] = bad
    right, hurt = Course(stand.subject, starts), Course(stand.subject, starts)
    right.through(pulls)
    hurt.through(wrong[:2])
    before = [x.real for x in hurt.places()]
    hurt.step(wrong[2])
    skipped = all(same(x, y.real) for x, y in zip(before, hurt.places(), strict=True))
    hurt.through(wrong[3:])
    rest = torch.ones(starts[0].numel(), dtype=bool)
    rest[3] = False
    within, beside = hurt.place(0).real.view(-1)[rest], hurt.place(1).real
    if skipped and bool(within.isfinite().all()) and bool(beside.isfinite().all()):
        return Outcome(HOLDS, f"a gradient with {bad} in one place makes it skip the step")
    if not bool(beside.isfinite().all()):
        reason = f"{bad} in the gradient of one tensor spoils another tensor"
        return Outcome(stand.wrong if stand.alone else OUTSIDE, reason)
    if not bool(within.isfinite().all()):
        reason = f"{bad} in one place of a gradient spoils other places of the tensor"
        return Outcome(stand.wrong if stand.elementwise else OUTSIDE, reason)
    same_there = same(within, right.place(0).real.view(-1)[rest]) and same(beside, right.place(1).real)
    kept = "all else moves as without it" if same_there else "all else stays finite, and moves otherwise"
    expected = same_there or not stand.elementwise
    return Outcome(HOLDS if expected else INCONCLUSIVE, f"{bad} in one place of a gradient: {kept}")


def left_alone(stand: Stand) -> Outcome:
    """step() leaves the gradient as it was, and a second step without zero_grad uses it again."""
    starts, pulls = tensors(stand, count=1, steps=4)
    once, again = Course(stand.subject, starts), Course(stand.subject, starts)
    if needs_closure(once.optimizer):
        return untold("its step() needs a closure that gives the gradient")
    for row in pulls:
        for _ in range(2):
            once.step(row)
        again.step(row)
        g = again.parameters[0].grad
        if g is None:
            return Outcome(OUTSIDE, "step() drops the gradient")
        kept, given = (x.coalesce().to_dense() if x.is_sparse else x for x in (g.detach(), row[0]))
        if not same(kept, given):
            reason = (
                f"step() changes the gradient that it is given, in step {again.number}: whoever reads it "
                "afterwards, or steps twice with it, has another one (PyTorch's own leave it alone)"
            )
            return Outcome(INCONCLUSIVE, reason)
        again.stepped()
        if not same(once.place().real, again.place().real):
            reason = "a second step without a new gradient moves otherwise than one from an equal gradient"
            return Outcome(VIOLATED, reason)
    return Outcome(HOLDS, "step() leaves the gradient as it was, and uses it again without zero_grad")


PROBES = (
    Probe(
        "no gradient at first",
        "decay or momentum that moves a parameter that is frozen, and crashes over None",
        "requires_grad switched off and on",
        lambda stand: without(stand, range(0, 3)),
    ),
    Probe(
        "no gradient in between",
        "momentum that goes on without a gradient, and crashes over None",
        "requires_grad switched off and on",
        lambda stand: without(stand, range(3, 5)),
    ),
    Probe("no gradient at all", "steps before the first gradient", "steps between others", nothing_at_all),
    Probe("zero gradients", "0 / 0", "gradients that are almost zero", zero),
    Probe(
        "sparse gradients",
        "sparse gradients that are taken and used wrongly",
        "gradients that name only some places, where a lazy rule may differ",
        sparsely,
    ),
    Probe(
        "an infinite gradient",
        "what spreads from one place",
        "what a scaler skips",
        lambda stand: spoiled(stand, float("inf")),
    ),
    Probe(
        "a gradient that is no number",
        "what spreads from one place",
        "what a scaler skips",
        lambda stand: spoiled(stand, float("nan")),
    ),
    Probe(
        "the gradient after a step",
        "gradients that step() changes or keeps a hold of",
        "gradients that are views of one buffer",
        left_alone,
    ),
)
"""In the order in which they are told."""
