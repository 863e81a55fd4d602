"""Signum: the sign of the momentum, with decoupled decay.

    m' = beta m + (1 - beta) g
    q' = (q - eta k q) - eta sign(m')

The sign is that of the momentum as it is stored, and the sign of 0 is 0. As under Lion, q enters
|q|_inf <= 1/k at the rate 1 - eta k and stays. Without momentum and decay this is sign descent.
Source: Bernstein et al. (2018), algorithm 2; the decay is that of mxnet.optimizer.Signum, its wd_lh.
"""

from noether.cases.rule import Rule
from noether.cases.rules.adam import MOMENT_WITHOUT_DECAY
from noether.cases.rules.lion import averaged
from noether.cases.step_sizes import BY_SIGNS


def update(q, buffers, g, p, xp):
    (m,) = buffers
    kept = [xp.store_buffer(p.beta * mi + (1 - p.beta) * gi) for mi, gi in zip(m, g, strict=True)]
    moved = [(qi - p.eta * p.k * qi) - xp.sign(mi) * p.eta for qi, mi in zip(q, kept, strict=True)]
    return [xp.store(x) for x in moved], [kept]


def terms(q, buffers, new, g, p, xp):
    shrink = 1 - p.eta * p.k
    of_q = {"q": [shrink * x for x in q], "the sign": [-p.eta * xp.sign(x) for x in new[0]]}
    return of_q, [averaged(buffers[0], g, p.beta)]


SIGNUM = Rule(
    name="signum",
    step=("m' = beta m + (1 - beta) g", "q' = (q - eta k q) - eta sign(m')"),
    source="Bernstein et al. (2018), algorithm 2; mxnet.optimizer.Signum for the decay",
    update=update,
    terms=terms,
    buffers=("m",),
    covector=MOMENT_WITHOUT_DECAY,
    metric="maximum",
    bounded=BY_SIGNS,
)
