"""Twins that must agree: a switch that only chooses how a step is computed changes it by rounding at most.

Each switch is held against the plain for-loop in each type: single steps from the same state, and whole
motions, each within both running errors, and within the running error of its own operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from noether.campaigns.audit.arithmetic_part import judged
from noether.campaigns.audit.course import Course, apart, same
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Finding
from noether.campaigns.audit.ground import Ground
from noether.campaigns.audit.rule_part import Ruled, default_type
from noether.campaigns.audit.scripted import script
from noether.campaigns.audit.subject import DTYPES, Subject, TargetError, observed

PLAIN = ("foreach", "fused", "differentiable", "capturable")
OTHERS = ("use_triton", "triton", "use_foreach", "use_fused", "set_grad_to_none", "zero_grad_after_step")
COMPILED = ("compile", "compile_step", "use_compile", "jit", "torch_compile")
IMPLEMENTATIONS = (*PLAIN, *OTHERS, *COMPILED)
"""Options that choose how a step is computed, not which."""
STEPS = 8
"""RAdam changes its mind in step 6."""


def implementations(ground: Ground, ruled: Ruled | None) -> Iterator[Finding]:
    """Yield a finding for each switch and type."""
    off = {x: False for x in ("foreach", "fused") if x in ground.accepts}
    switches = [x for x in IMPLEMENTATIONS if x in ground.accepts]
    if switches and not repeats(ground):
        reason = "the motion depends on chance: two implementations need not draw the same numbers"
        yield Finding("implementations", ", ".join(switches), OUTSIDE, reason)
        return
    for name in switches:
        if name in COMPILED:
            yield Finding("implementations", name, OUTSIDE, "compiling takes longer than this audit")
            continue
        base = ground.subject.having(**{**off, name: False})
        changed = ground.subject.having(**{**off, name: True})
        if name == "differentiable":
            changed = replace(changed, make=of_copies(changed.make))
        found = [twin(ground, name, dtype, base, changed, ruled) for dtype in DTYPES]
        if len({x.reason for x in found}) == 1 and found[0].verdict == OUTSIDE:
            yield replace(found[0], name=name)  # once for all types
        else:
            yield from found


def repeats(ground: Ground) -> bool:
    """Whether the motion is the same again, after another seed of torch's too."""
    first, *others = (
        Course(ground.subject, [ground.start()], seed=seed)
        .through([[g] for g in ground.pulls()])
        .place()
        .real
        for seed in (0, 0, 1)
    )
    return all(same(first, x) for x in others)


def of_copies(make):
    """A maker whose optimizer moves copies that have a history, as a differentiable step needs them."""

    def made(parameters: list, **options):
        parameters[:] = [x.clone() for x in parameters]  # the caller goes on with the copies
        return make(parameters, **options)

    return made


def twin(
    ground: Ground, name: str, dtype: str, base: Subject, changed: Subject, ruled: Ruled | None
) -> Finding:
    """The finding of one switch in one type."""
    label = f"{name} {dtype}"
    shapes = [ground.shape, (4, 6), (37,)] if len(ground.shape) == 1 else [ground.shape, (6, 4), (5, 3)]
    try:
        if in_bits(ground, base, changed, shapes, dtype):
            return Finding("implementations", label, HOLDS, "as the plain loop, bit for bit", 0.0)
    except TargetError as error:
        return Finding("implementations", label, OUTSIDE, f"refused: {error}")
    found = None
    if ruled is not None:
        with default_type(torch.float64 if ruled.coarse else torch.get_default_dtype()):
            motion = observed(changed, ruled.script, dtype)
            found = judged("implementations", label, dtype, motion, ruled.anatomy)
        if found.verdict == VIOLATED and found.spent is not None and found.spent > 1:
            return found
    single, whole, step, lost, spoiled = distances(ground, base, changed, shapes, dtype)
    spent = max(single, whole)
    data = {"single": single, "whole": whole, **({} if found is None else found.data)}
    if lost and spent > 1:
        reason = f"it differs from the plain loop, and no bound is known: {lost}"
        return Finding("implementations", label, INCONCLUSIVE, reason, None, data)
    if spent > 1:
        reason = f"step {step} is {spent:.3g} times as far from the plain loop's as both may round"
        return Finding("implementations", label, VIOLATED, reason, spent, data)
    if spoiled:
        reason = f"step {spoiled} makes parameters that are no numbers where one of both has finite ones"
        return Finding("implementations", label, INCONCLUSIVE, f"{reason}, and no bound", spent, data)
    reason = "as the plain loop, within the rounding of both"
    return Finding("implementations", label, HOLDS, reason, spent, data)


def in_bits(ground: Ground, base: Subject, changed: Subject, shapes, dtype: str) -> bool:
    """Whether both move all tensors the same way, bit for bit."""
    begun = starts(ground, shapes, dtype)
    ways = [Course(x, begun) for x in (base, changed)]
    for gradients in pulls(ground, shapes, dtype):
        one, two = [course.step(gradients).places() for course in ways]
        if not all(same(a.real, b.real) for a, b in zip(one, two, strict=True)):
            return False
    return True


def starts(ground: Ground, shapes, dtype: str) -> list[torch.Tensor]:
    """Where the tensors start: the first as in a script of an audit, whose gradients have all sizes."""
    found = [ground.start(i, *shape, dtype=dtype) for i, shape in enumerate(shapes)]
    return [torch.from_numpy(script().q0).to(DTYPES[dtype]), *found[1:]] if ground.plain else found


def pulls(ground: Ground, shapes, dtype: str) -> list[list[torch.Tensor]]:
    """The gradients of all tensors, step by step."""
    each = [ground.pulls(i, *shape, steps=STEPS, dtype=dtype) for i, shape in enumerate(shapes)]
    if ground.plain:
        each[0] = [torch.from_numpy(g).to(DTYPES[dtype]) for g in script().gradients[:STEPS]]
    return [list(row) for row in zip(*each, strict=True)]


def distances(ground: Ground, base: Subject, changed: Subject, shapes, dtype: str):
    """The largest distance of single steps, that of whole motions, the step of it, why no bound holds, and
    the step in which one has numbers that are not finite and the other has finite ones."""
    begun = starts(ground, shapes, dtype)
    wholes = [Course(x, begun, shadow=True) for x in (base, changed)]
    singles = [Course(x, begun, shadow=True) for x in (base, changed)]
    single, whole, spoiled = [], [], []
    comparable = True
    for gradients in pulls(ground, shapes, dtype):
        for course in wholes:
            course.step(gradients)
        there = list(zip(wholes[0].places(), wholes[1].places(), strict=True))
        whole.append(max(apart(a, b) for a, b in there))
        spoiled.append(any(bool((a.real.isfinite() != b.real.isfinite()).any()) for a, b in there))
        comparable = comparable and alike(*singles)
        for course in singles:
            course.shadow.forget()
            course.step(gradients)
        single.append(max(map(apart, singles[0].places(), singles[1].places())) if comparable else 0.0)
    told = [x.shadow.told for x in wholes]
    unknown = sorted({name for x in told for name in x.unknown})
    lost = f"operations without a meaning: {', '.join(unknown)}" if unknown else None
    lost = lost or ("numbers leave the tensors" if any(x.left for x in told) else None)
    first = spoiled.index(True) + 1 if any(spoiled) else None
    return max(single), max(whole), int(np.argmax(np.maximum(single, whole))) + 1, lost, first


def alike(base: Course, changed: Course) -> bool:
    """Put the second course where the first is, state and all; whether that could be done."""
    with torch.no_grad():
        for p, q in zip(base.parameters, changed.parameters, strict=True):
            q.data.copy_(p.data)
            one, two = kept(base.optimizer, p), kept(changed.optimizer, q)
            if set(one) != set(two) or any(one[x].shape != two[x].shape for x in one):
                return False
            for x in one:
                two[x].data.copy_(one[x].data)
    return True


def kept(optimizer, p) -> dict[str, torch.Tensor]:
    """The tensors that an optimizer keeps of a parameter."""
    state = getattr(optimizer, "state", {})
    own = state.get(p, {}) if hasattr(state, "get") else {}
    return {x: y for x, y in own.items() if isinstance(y, torch.Tensor)} if isinstance(own, dict) else {}
