"""An audit from its first part to its last, in this process."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import torch

from noether.campaigns.audit.arithmetic_part import arithmetic
from noether.campaigns.audit.finding import INCONCLUSIVE, PARTS, Finding
from noether.campaigns.audit.ground import Ground, ground
from noether.campaigns.audit.implementations_part import implementations
from noether.campaigns.audit.options_part import options
from noether.campaigns.audit.probes_part import probes
from noether.campaigns.audit.rule_part import Ruled, default_type, of_matrices, rule
from noether.campaigns.audit.subject import Subject, TargetError
from noether.campaigns.audit.symmetry_part import symmetries
from noether.campaigns.audit.triton_motion import TritonSubject


def examined(
    subject: Subject | TritonSubject, like: str | None = None, seed: int = 0, parts: Iterable[str] = PARTS
) -> Iterator[Finding]:
    """Yield what is found of a subject, each as it is found. Raises UsageError, TargetError.

    like   the rule that it is claimed to obey, a name of claims.LIKE
    parts  which of the parts; the rule is always looked for, since the others are judged by it
    """
    parts = set(parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        there = None if isinstance(subject, TritonSubject) else standing(subject)
        if there is not None and there.sparse:
            reason = "its rule is not looked for: it takes sparse gradients only"
            yield Finding("rule", "none known", INCONCLUSIVE, reason)
            yield from behaviour(there, None, parts)
            return
        ruled = rule(subject, like, seed)
        yield ruled.finding
        if (found := of_matrices(subject, ruled, seed, like)) is not None:
            yield found
        if "arithmetic" in parts:
            with default_type(torch.float64 if ruled.coarse else torch.get_default_dtype()):
                yield from arithmetic(subject, ruled.anatomy, ruled.script)
        if isinstance(subject, TritonSubject):  # the parts below are about tensors
            if "implementations" in parts:
                yield from subject.launches(seed)
            return
        if there is not None:
            yield from behaviour(there, ruled, parts)
        if "symmetries" in parts:
            yield from symmetries(subject, seed)


def behaviour(there: Ground, ruled: Ruled | None, parts: set[str]) -> Iterator[Finding]:
    """Yield what is found beside the rule: implementations, options, probes."""
    if "implementations" in parts:
        yield from implementations(there, ruled)
    if "options" in parts:
        yield from options(there, ruled)
    if "probes" in parts:
        yield from probes(there, None if ruled is None else ruled.anatomy)


def standing(subject: Subject) -> Ground | None:
    """The ground of a subject, None where it has none: what it refuses is told by the rule's part."""
    try:
        return ground(subject)
    except TargetError:
        return None
