"""AMSGrad: Adam that divides by the largest second moment so far, so that no step size grows again.

    m' = m + (1 - beta) (f - m),      s' = beta2 s + (1 - beta2) f^2,      f = g + k q
    h' = max(h, s')
    q' = q - eta / (1 - beta^n) m' / (sqrt(h') / sqrt(1 - beta2^n) + stability)

PyTorch takes the maximum of second moments that are not corrected yet, and corrects it afterwards; the paper
corrects nothing. The other letters are those of adam.py.
PyTorch: torch.optim.Adam(lr=eta, betas=(beta, beta2), eps=stability, weight_decay=k, amsgrad=True).
Source: Reddi, Kale, Kumar (2018), algorithm 2.
"""

from noether.cases.rule import Rule, with_decay
from noether.cases.rules.adam import (
    ADAPTED,
    BETA2,
    MOMENT,
    STABILITY,
    adapted,
    averaged,
    corrections,
    first_moment,
    options,
    second_moment,
    squared,
)


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    m, s = first_moment(buffers[0], f, p, xp), second_moment(buffers[1], f, p, xp)
    h = [xp.store_buffer(xp.maximum(x, y)) for x, y in zip(buffers[2], s, strict=True)]
    below = [xp.sqrt(x) / p.root + p.stability for x in h]
    return [xp.store(qi - p.eta / p.correction * mi / bi) for qi, mi, bi in zip(q, m, below, strict=True)], [
        m,
        s,
        h,
    ]


def terms(q, buffers, new, g, p, xp):
    m, s, h = buffers
    largest = [xp.maximum(x, y) for x, y in zip(new[1], h, strict=True)]
    return {"q": q, "the step": adapted(new[0], new[2], p, xp)}, [
        averaged(q, m, g, p),
        squared(s, with_decay(q, g, p, xp), p),
        {"the maximum": largest},
    ]


AMSGRAD = Rule(
    name="amsgrad",
    step=(
        "m' = m + (1 - beta) (f - m),  f = g + k q",
        "s' = beta2 s + (1 - beta2) f^2,  h' = max(h, s')",
        "q' = q - eta/(1 - beta^n) m' / (sqrt(h'/(1 - beta2^n)) + stability)",
    ),
    source="Reddi, Kale, Kumar (2018), algorithm 2; torch.optim.Adam with amsgrad",
    update=update,
    terms=terms,
    buffers=("m", "s", "h"),
    extra=(BETA2, STABILITY),
    known=corrections,
    covector=MOMENT,
    metric="adaptive",
    bounded=ADAPTED,
    torch=lambda p: ("Adam", dict(**options(p), amsgrad=True)),
)
