"""How a Triton kernel is launched: at sizes and alignments at which masks and vector loads go wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Finding
from noether.campaigns.audit.triton_adapter import TritonAdapter
from noether.campaigns.audit.triton_target import TritonTarget
from noether.kernels.programs.precision import PRECISIONS
from noether.kernels.ptx import Endless, OutOfBounds, Refused
from noether.system.usage import CannotRun, UsageError

SIZES = (2064, 1, 3, 16, 1021, 1024, 1025)
"""Elements, the most first: multiples of 16 and not, a block, one more and fewer, and a single one."""
STEPS = 2


def launches(adapter: TritonAdapter, seed: int, part: str = "implementations") -> Iterator[Finding]:
    """Yield a finding for each type of parameters: whether every launch steps each of its elements as every
    other launch does, and stores nothing else."""
    for kind in PRECISIONS:
        if kind not in adapter.types:
            continue
        name = f"launches {kind}"
        try:
            wrong = differs(adapter, kind, seed)
        except OutOfBounds as error:
            yield Finding(part, name, VIOLATED, f"it reaches far beyond its arrays: {error}")
        except (CannotRun, Refused, Endless) as error:
            yield Finding(part, name, INCONCLUSIVE, str(error))
        except (UsageError, TypeError) as error:
            yield Finding(part, name, OUTSIDE, f"refused, {error}")
        else:
            sizes = ", ".join(map(str, sorted(SIZES)))
            holds = f"{sizes} elements, aligned and not, are stepped alike, and nothing else is stored"
            yield Finding(part, name, VIOLATED if wrong else HOLDS, wrong or holds)


def differs(adapter: TritonAdapter, kind: str, seed: int) -> str:
    """What the first launch does that is not as the largest aligned one; '' where none does."""
    rng = np.random.default_rng([seed, 14])
    start, slopes = rng.normal(size=SIZES[0]), rng.normal(size=(STEPS, SIZES[0]))
    most: dict[str, np.ndarray] = {}
    for size in SIZES:
        for misaligned in (False, True):
            target = TritonTarget(adapter, start[:size], kind, misaligned=misaligned, meaning=False)
            how = f"{size} elements, {'not ' if misaligned else ''}aligned"
            for g in slopes[:, :size]:
                target.step(g)
                if target.outside:
                    return f"{how}: {target.outside}"
                if target.stored < 1:
                    left = round((1 - target.stored) * size)
                    return f"{how}: step {target.steps} leaves out {left} parameters, must store all of them"
            found = {name: target.triple(name)[0] for name in (adapter.parameters, *adapter.state)}
            most = most or found
            for name, x in found.items():
                other = most[name][:size]
                apart = np.flatnonzero((x != other) & ~(np.isnan(x) & np.isnan(other)))
                if apart.size:
                    return (
                        f"{how}: {apart.size} numbers of {name} are others than in a launch of {SIZES[0]}, "
                        f"first number {apart[0]}: an element must not depend on how many there are"
                    )
    return ""
