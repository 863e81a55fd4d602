"""Heavy ball under a schedule of learning rates, as PyTorch has it.

    v' = beta v - eta (g + k q)
    q' = q + c v',  c = rate of the step

The buffer has the base learning rate, and c is the ratio of the step's to it: a linear warm-up over 8 steps,
halved after 32 and after 64.
PyTorch: torch.optim.SGD under torch.optim.lr_scheduler.
Source: Goyal et al. (2017), section 2.2, for the warm-up.
"""

from noether.cases.rule import HEAVY, Rule
from noether.cases.rules.heavy_ball import pushed

WARMUP, MILESTONES = 8, (32, 64)


def rate(n: int) -> float:
    """c in step n, from 1: torch's learning rate over its base. Exact in every binary type."""
    return min(n, WARMUP) / WARMUP * 0.5 ** sum(n > m for m in MILESTONES)


def known(n, p):
    return {"c": rate(n)}


def update(q, buffers, g, p, xp):
    (v,) = buffers
    w = [xp.store_buffer(p.beta * vi - p.eta * (gi + p.k * qi)) for qi, vi, gi in zip(q, v, g, strict=True)]
    return [xp.store(qi + p.c * wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    return {"q": q, "c v'": [p.c * x for x in new[0]]}, [pushed(q, buffers[0], g, p)]


HEAVY_BALL_SCHEDULED = Rule(
    name="heavy-ball-scheduled",
    step=("v' = beta v - eta (g + k q)", "q' = q + c v',  c = rate of the step"),
    source="Goyal et al. (2017), section 2.2; torch.optim.SGD under a schedule",
    update=update,
    terms=terms,
    known=known,
    covector=HEAVY,
)
