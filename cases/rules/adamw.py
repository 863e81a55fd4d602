"""AdamW: Adam whose decay is decoupled, so that it shrinks q beside the step and enters no moment.

    m' = m + (1 - beta) (g - m),      s' = beta2 s + (1 - beta2) g^2
    q' = (1 - eta k) q - eta / (1 - beta^n) m' / (sqrt(s') / sqrt(1 - beta2^n) + stability)

The letters are those of adam.py.
PyTorch: torch.optim.AdamW(lr=eta, betas=(beta, beta2), eps=stability, weight_decay=k).
Source: Loshchilov, Hutter (2019), algorithm 2.
"""

from noether.cases.rule import Rule
from noether.cases.rules.adam import (
    ADAPTED,
    BETA2,
    MOMENT_WITHOUT_DECAY,
    STABILITY,
    adapted,
    corrections,
    first_moment,
    options,
    second_moment,
    squared,
)


def update(q, buffers, g, p, xp):
    m, s = first_moment(buffers[0], g, p, xp), second_moment(buffers[1], g, p, xp)
    shrunk = [(1 - p.eta * p.k) * x for x in q]
    below = [xp.sqrt(x) / p.root + p.stability for x in s]
    return [
        xp.store(qi - p.eta / p.correction * mi / bi) for qi, mi, bi in zip(shrunk, m, below, strict=True)
    ], [m, s]


def terms(q, buffers, new, g, p, xp):
    m, s = buffers
    kept, gradient = [p.beta * x for x in m], [(1 - p.beta) * x for x in g]
    return (
        {"q": [x - p.eta * p.k * x for x in q], "the step": adapted(*new, p, xp)},
        [{"the first moment": kept, "the gradient": gradient}, squared(s, g, p)],
    )


ADAMW = Rule(
    name="adamw",
    step=(
        "m' = m + (1 - beta) (g - m),  s' = beta2 s + (1 - beta2) g^2",
        "q' = (1 - eta k) q - eta/(1 - beta^n) m' / (sqrt(s'/(1 - beta2^n)) + stability)",
    ),
    source="Loshchilov, Hutter (2019), algorithm 2; torch.optim.AdamW",
    update=update,
    terms=terms,
    buffers=("m", "s"),
    extra=(BETA2, STABILITY),
    known=corrections,
    covector=MOMENT_WITHOUT_DECAY,
    metric="adaptive",
    bounded=ADAPTED,
    torch=lambda p: ("AdamW", options(p)),
)
