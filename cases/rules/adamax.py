"""Adamax: Adam with the largest gradient in place of the second moment, a maximum that fades.

    m' = m + (1 - beta) (f - m),      h' = max(beta2 h, |f| + stability),      f = g + k q
    q' = q - eta / (1 - beta^n) m' / h'

PyTorch adds stability inside the maximum, so that h' is never 0; the paper adds none.
PyTorch: torch.optim.Adamax(lr=eta, betas=(beta, beta2), eps=stability, weight_decay=k).
Source: Kingma, Ba (2015), algorithm 2.
"""

from noether.cases.rule import Rule, with_decay
from noether.cases.rules.adam import (
    BETA2,
    MOMENT,
    STABILITY,
    averaged,
    first_moment,
    geometric,
    options,
    power,
)
from noether.cases.step_sizes import Bounded


def known(n, p):
    return {"correction": 1 - power(p.beta, n)}


def largest_average(n, p):
    """The largest |m'| / h': h' >= beta2^j |f_j|, so that |m'| is at most (1 - beta) h' times the sum of
    (beta/beta2)^j over j < n."""
    return (1 - p.beta) * geometric(p.beta / p.beta2, n)


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    m = first_moment(buffers[0], f, p, xp)
    now = [xp.absolute(x) + p.stability for x in f]
    h = [xp.store_buffer(xp.maximum(p.beta2 * x, y)) for x, y in zip(buffers[1], now, strict=True)]
    return [xp.store(qi - p.eta / p.correction * mi / hi) for qi, mi, hi in zip(q, m, h, strict=True)], [m, h]


def terms(q, buffers, new, g, p, xp):
    f = with_decay(q, g, p, xp)
    largest = [
        xp.maximum(p.stability + xp.absolute(x), p.beta2 * y) for x, y in zip(f, buffers[1], strict=True)
    ]
    move = [-p.eta * (mi / hi) / p.correction for mi, hi in zip(*new, strict=True)]
    return {"q": q, "the step": move}, [averaged(q, buffers[0], g, p), {"the maximum": largest}]


ADAMAX = Rule(
    name="adamax",
    step=(
        "m' = m + (1 - beta) (f - m),  f = g + k q",
        "h' = max(beta2 h, |f| + stability)",
        "q' = q - eta/(1 - beta^n) m' / h'",
    ),
    source="Kingma, Ba (2015), algorithm 2; torch.optim.Adamax",
    update=update,
    terms=terms,
    buffers=("m", "h"),
    extra=(BETA2, STABILITY),
    known=known,
    covector=MOMENT,
    metric="adaptive",
    bounded=Bounded(by=lambda n, p: largest_average(n, p) / p.correction, cold=True),
    torch=lambda p: ("Adamax", options(p)),
)
