"""Adam: the step is the first moment over the root of the second, both corrected for their start at zero.

    f  = g + k q
    m' = m + (1 - beta) (f - m),      s' = beta2 s + (1 - beta2) f^2
    q' = q - eta / (1 - beta^n) m' / (sqrt(s') / sqrt(1 - beta2^n) + stability)

beta2 is the memory of the second moment s, and stability the epsilon of the paper. The corrections are
known of the step n, and PyTorch makes them of Python's own floats; so does `corrections`.
m is the covector of the charge: m' = beta m + (1 - beta) f.
PyTorch: torch.optim.Adam(lr=eta, betas=(beta, beta2), eps=stability, weight_decay=k). For beta <= 1/2 its
lerp rounds m' in another order, f - beta (f - m).
Source: Kingma, Ba (2015), algorithm 1; its last form, which `terms` has, at the end of section 2.
"""

import numpy as np

from noether.cases.rule import Covector, Parameter, Rule, plain_force, with_decay
from noether.cases.step_sizes import Bounded

BETA2 = Parameter(
    "beta2",
    "memory of the second moment",
    high=1 - 2.0**-24,  # the largest below 1 in float32
    choices=(0.75, 0.9, 0.99, 0.999),
)
STABILITY = Parameter(
    "stability",
    "what is added to the root of the second moment",
    high=2.0**32,
    choices=(2.0**-24, 2.0**-13, 2.0**-7),
)
MOMENT = Covector("m", kept=lambda p: p.beta, pull=lambda p: p.beta - 1, force=with_decay)
"""m' = beta m + (1 - beta) (g + k q)."""
MOMENT_WITHOUT_DECAY = Covector("m", kept=lambda p: p.beta, pull=lambda p: p.beta - 1, force=plain_force)
"""m' = beta m + (1 - beta) g."""


def power(base, exponent: float):
    """base ** exponent by Python's own floats, in the shape of base: numpy's power differs in last bits."""
    each, at = np.unique(np.asarray(base, np.float64), return_inverse=True)
    return np.array([x**exponent for x in each.tolist()])[at].reshape(np.shape(base))


def corrections(n, p):
    """What Adam knows of step n: 1 - beta^n, and the root of 1 - beta2^n."""
    return {"correction": 1 - power(p.beta, n), "root": power(1 - power(p.beta2, n), 0.5)}


def geometric(x, n):
    """1 + x + ... + x^(n - 1), also near x = 1; arrays."""
    y = np.asarray(x - 1)
    with np.errstate(divide="ignore"):
        return np.where(y == 0, n, np.expm1(n * np.log1p(y)) / np.where(y == 0, 1, y))


def largest_average(n, p):
    """The largest |m'| / sqrt(s') of moments that start at 0, whatever the forces were.

    m' = sum of (1 - beta) beta^j f_j and s' = sum of (1 - beta2) beta2^j f_j^2 over j < n, so that by Cauchy
    and Schwarz |m'|^2 <= s' (1 - beta)^2 / (1 - beta2) times the sum of (beta^2 / beta2)^j. It is bounded
    for all n where beta^2 < beta2.
    """
    return (1 - p.beta) * (geometric(p.beta * p.beta / p.beta2, n) / (1 - p.beta2)) ** 0.5


ADAPTED = Bounded(by=lambda n, p: p.root / p.correction * largest_average(n, p), cold=True)
"""|m^| / sqrt(s^) <= c, both corrected; c = 1 in the first step, and the stability makes it less."""


def first_moment(m, f, p, xp):
    return [xp.store_buffer(mi + (1 - p.beta) * (fi - mi)) for mi, fi in zip(m, f, strict=True)]


def second_moment(s, f, p, xp):
    return [xp.store_buffer(p.beta2 * si + (1 - p.beta2) * fi * fi) for si, fi in zip(s, f, strict=True)]


def averaged(q, m, g, p):
    """The terms of the first moment of g + k q."""
    return {
        "the first moment": [p.beta * x for x in m],
        "the gradient": [(1 - p.beta) * x for x in g],
        "the decay": [(1 - p.beta) * p.k * x for x in q],
    }


def squared(s, f, p):
    """The terms of the second moment of f."""
    return {"the second moment": [p.beta2 * x for x in s], "the square": [(1 - p.beta2) * x**2 for x in f]}


def adapted(m, s, p, xp):
    """The step in the last form of the paper: eta_n m' / (sqrt(s') + stability_n)."""
    size, stability = p.eta * p.root / p.correction, p.stability * p.root
    return [-size * mi / (xp.sqrt(si) + stability) for mi, si in zip(m, s, strict=True)]


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    m, s = first_moment(buffers[0], f, p, xp), second_moment(buffers[1], f, p, xp)
    below = [xp.sqrt(x) / p.root + p.stability for x in s]
    return [xp.store(qi - p.eta / p.correction * mi / bi) for qi, mi, bi in zip(q, m, below, strict=True)], [
        m,
        s,
    ]


def terms(q, buffers, new, g, p, xp):
    f = with_decay(q, g, p, xp)
    return {"q": q, "the step": adapted(*new, p, xp)}, [
        averaged(q, buffers[0], g, p),
        squared(buffers[1], f, p),
    ]


def options(p) -> dict:
    """What torch.optim calls the parameters of Adam."""
    return dict(lr=p.eta, betas=(p.beta, p.beta2), eps=p.stability, weight_decay=p.k)


ADAM = Rule(
    name="adam",
    step=(
        "m' = m + (1 - beta) (f - m),  f = g + k q",
        "s' = beta2 s + (1 - beta2) f^2",
        "q' = q - eta/(1 - beta^n) m' / (sqrt(s'/(1 - beta2^n)) + stability)",
    ),
    source="Kingma, Ba (2015), algorithm 1; torch.optim.Adam",
    update=update,
    terms=terms,
    buffers=("m", "s"),
    extra=(BETA2, STABILITY),
    known=corrections,
    covector=MOMENT,
    metric="adaptive",
    bounded=ADAPTED,
    torch=lambda p: ("Adam", options(p)),
)
