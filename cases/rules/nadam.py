"""NAdam: Adam that looks ahead as Nesterov does, with a momentum that grows towards beta.

    m' = m + (1 - beta) (f - m),      s' = beta2 s + (1 - beta2) f^2,      f = g + k q
    mu_n = beta (1 - .96^{n psi} / 2),      M_n = mu_1 mu_2 ... mu_n,      psi = .004
    q' = q - (eta (1 - mu_n) / (1 - M_n) f + eta mu_{n+1} / (1 - M_{n+1}) m')
             / (sqrt(s' / (1 - beta2^n)) + stability)

PyTorch has M_n in a tensor of torch's default type: under float32 it is rounded to that type even where
parameters are float64 (torch 2.13). Here it is float64, as under torch.set_default_dtype(torch.float64).
PyTorch: torch.optim.NAdam(lr=eta, betas=(beta, beta2), eps=stability, weight_decay=k, momentum_decay=.004).
Source: Dozat (2016), algorithm 2, and the schedule of its section 3.
"""

import numpy as np

from noether.cases.rule import Rule, with_decay
from noether.cases.rules.adam import (
    BETA2,
    MOMENT,
    STABILITY,
    averaged,
    first_moment,
    largest_average,
    options,
    power,
    second_moment,
    squared,
)
from noether.cases.step_sizes import Bounded

MOMENTUM_DECAY = 0.004
LATEST: dict[tuple, tuple] = {}
"""Shape and bytes of the momenta of some lanes -> their last step, and M there: the next takes one product
more."""
KEPT = 8


def momentum(n, beta):
    """mu_n."""
    return beta * (1.0 - 0.5 * (0.96 ** (n * MOMENTUM_DECAY)))


def product(n, beta):
    """M_n, multiplied in the order of the steps."""
    beta = np.asarray(beta, np.float64)
    key = (*beta.shape, beta.tobytes())
    begun, value = LATEST.pop(key, (0, 1.0))
    if begun > n:
        begun, value = 0, 1.0
    for i in range(begun + 1, n + 1):
        value = value * momentum(i, beta)
    LATEST[key] = n, value
    if len(LATEST) > KEPT:
        del LATEST[next(iter(LATEST))]  # the oldest
    return value


def known(n, p):
    now, M, next_mu = momentum(n, p.beta), product(n, p.beta), momentum(n + 1, p.beta)
    return {
        "rest": 1.0 - now,
        "left": 1.0 - M,
        "next_mu": next_mu,
        "next_left": 1.0 - M * next_mu,
        "correction": 1 - power(p.beta2, n),
    }


def largest_step(n, p):
    """The largest |q' - q| / eta: |f| <= sqrt(s' / (1 - beta2)), and m' as under Adam."""
    of_f, of_m = p.rest / p.left * (1 - p.beta2) ** -0.5, p.next_mu / p.next_left * largest_average(n, p)
    return p.correction**0.5 * (of_f + of_m)


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    m, s = first_moment(buffers[0], f, p, xp), second_moment(buffers[1], f, p, xp)
    below = [xp.sqrt(x / p.correction) + p.stability for x in s]
    of_f, of_m = p.eta * p.rest / p.left, p.eta * p.next_mu / p.next_left
    half = [qi - of_f * fi / bi for qi, fi, bi in zip(q, f, below, strict=True)]
    return [xp.store(qi - of_m * mi / bi) for qi, mi, bi in zip(half, m, below, strict=True)], [m, s]


def terms(q, buffers, new, g, p, xp):
    f = with_decay(q, g, p, xp)
    m, s = new
    scale = [p.eta / (p.stability + xp.sqrt(x / p.correction)) for x in s]
    return {
        "q": q,
        "the force": [-p.rest * x * y / p.left for x, y in zip(scale, f, strict=True)],
        "the first moment": [-p.next_mu * x * y / p.next_left for x, y in zip(scale, m, strict=True)],
    }, [averaged(q, buffers[0], g, p), squared(buffers[1], f, p)]


NADAM = Rule(
    name="nadam",
    step=(
        "m' = m + (1 - beta) (f - m),  s' = beta2 s + (1 - beta2) f^2,  f = g + k q",
        "mu_n = beta (1 - .96^{n psi}/2),  M_n = mu_1 ... mu_n,  psi = .004",
        "c = eta (1 - mu_n)/(1 - M_n),  c' = eta mu_{n+1}/(1 - M_{n+1})",
        "q' = q - (c f + c' m') / (sqrt(s'/(1 - beta2^n)) + stability)",
    ),
    source="Dozat (2016), algorithm 2; torch.optim.NAdam",
    update=update,
    terms=terms,
    buffers=("m", "s"),
    extra=(BETA2, STABILITY),
    known=known,
    covector=MOMENT,
    metric="adaptive",
    bounded=Bounded(by=largest_step, cold=True),
    torch=lambda p: ("NAdam", dict(**options(p), momentum_decay=MOMENTUM_DECAY)),
)
