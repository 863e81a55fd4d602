"""RAdam: Adam that divides by its second moment only once that is an average of enough gradients.

    m' = m + (1 - beta) (f - m),      s' = beta2 s + (1 - beta2) f^2,      f = g + k q
    rho_n = rho - 2 n beta2^n / (1 - beta2^n),      rho = 2 / (1 - beta2) - 1
    q' = q - eta r_n m' / (1 - beta^n) * sqrt(1 - beta2^n) / (sqrt(s') + stability)     where rho_n > 5
    q' = q - eta m' / (1 - beta^n)                                                      where it is not
    r_n = sqrt((rho_n - 4) (rho_n - 2) rho / ((rho - 4) (rho - 2) rho_n))

Which of the two it is, is known of the step: w is 1 in the first and 0 in the second. Then the same lines say
both, since 0 times a number, and a number over 1, are exact:

    q' = q - eta m' / (1 - beta^n) * (1 / (w (sqrt(s') + stability) + (1 - w)) root) r

with root and r equal to 1 where w = 0. A number over a tensor is in PyTorch a reciprocal times the number.
PyTorch: torch.optim.RAdam(lr=eta, betas=(beta, beta2), eps=stability, weight_decay=k). Its threshold is 5,
as in the code of the paper; the paper has 4.
Source: Liu et al. (2020), algorithm 2.
"""

import numpy as np

from noether.cases.rule import Rule, with_decay
from noether.cases.rules.adam import (
    BETA2,
    MOMENT,
    STABILITY,
    averaged,
    first_moment,
    options,
    power,
    second_moment,
    squared,
)

ENOUGH = 5.0


def known(n, p):
    kept = power(p.beta2, n)
    longest = 2 / (1 - np.asarray(p.beta2, np.float64)) - 1
    length = longest - 2 * n * kept / (1 - kept)
    enough = length > ENOUGH
    rho, r = np.where(enough, longest, 6.0), np.where(enough, length, 6.0)  # 6: any at which r_n is a number
    rectification = power((r - 4) * (r - 2) * rho / ((rho - 4) * (rho - 2) * r), 0.5)
    return {
        "correction": 1 - power(p.beta, n),
        "w": np.where(enough, 1.0, 0.0),
        "root": np.where(enough, power(1 - kept, 0.5), 1.0),
        "r": np.where(enough, rectification, 1.0),
    }


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    m, s = first_moment(buffers[0], f, p, xp), second_moment(buffers[1], f, p, xp)
    scale = [1 / (p.w * (xp.sqrt(x) + p.stability) + (1 - p.w)) * p.root for x in s]
    move = [mi / p.correction * p.eta * x * p.r for mi, x in zip(m, scale, strict=True)]
    return [xp.store(qi - x) for qi, x in zip(q, move, strict=True)], [m, s]


def terms(q, buffers, new, g, p, xp):
    size = p.eta * p.r * p.root / p.correction
    below = [p.w * xp.sqrt(x) + p.w * p.stability + (1 - p.w) for x in new[1]]
    move = [-size * mi / bi for mi, bi in zip(new[0], below, strict=True)]
    return {"q": q, "the step": move}, [
        averaged(q, buffers[0], g, p),
        squared(buffers[1], with_decay(q, g, p, xp), p),
    ]


RADAM = Rule(
    name="radam",
    step=(
        "m' = m + (1 - beta) (f - m),  s' = beta2 s + (1 - beta2) f^2,  f = g + k q",
        "rho_n = rho - 2 n beta2^n/(1 - beta2^n),  rho = 2/(1 - beta2) - 1",
        "r = sqrt((rho_n - 4) (rho_n - 2) rho / ((rho - 4) (rho - 2) rho_n))",
        "q' = q - eta r m'/(1 - beta^n) sqrt(1 - beta2^n)/(sqrt(s') + stability)  if rho_n > 5",
        "q' = q - eta m'/(1 - beta^n)  if not",
    ),
    source="Liu et al. (2020), algorithm 2; torch.optim.RAdam",
    update=update,
    terms=terms,
    buffers=("m", "s"),
    extra=(BETA2, STABILITY),
    known=known,
    covector=MOMENT,
    metric="adaptive",
    torch=lambda p: ("RAdam", options(p)),
)
