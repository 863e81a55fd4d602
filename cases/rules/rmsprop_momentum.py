"""RMSprop with momentum as PyTorch has it: what is carried over is the step, after the division.

    s' = beta2 s + (1 - beta2) f^2,      f = g + k q
    b' = beta b + f / (sqrt(s') + stability)
    q' = q - eta b'

b is a velocity and no momentum: each step has divided by another metric, so it is no sum of forces, and the
rule has no charge that a theorem speaks of.
PyTorch: torch.optim.RMSprop(lr=eta, alpha=beta2, eps=stability, weight_decay=k, momentum=beta).
Source: Graves (2013), equations (38) to (41), without its centre; torch.optim.RMSprop.
"""

from noether.cases.rule import Rule, with_decay
from noether.cases.rules.adam import BETA2, STABILITY, geometric, second_moment, squared
from noether.cases.rules.rmsprop import options
from noether.cases.step_sizes import Bounded


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    s = second_moment(buffers[1], f, p, xp)
    new = [fi / (xp.sqrt(si) + p.stability) for fi, si in zip(f, s, strict=True)]
    b = [xp.store_buffer(p.beta * bi + x) for bi, x in zip(buffers[0], new, strict=True)]
    return [xp.store(qi - p.eta * bi) for qi, bi in zip(q, b, strict=True)], [b, s]


def terms(q, buffers, new, g, p, xp):
    f = with_decay(q, g, p, xp)
    metric = [p.stability + xp.sqrt(x) for x in new[1]]
    velocity = {
        "the momentum term": [p.beta * x for x in buffers[0]],
        "the gradient": [x / Gi for x, Gi in zip(g, metric, strict=True)],
        "the decay": [p.k * x / Gi for x, Gi in zip(q, metric, strict=True)],
    }
    return {"q": q, "the step": [-p.eta * x for x in new[0]]}, [velocity, squared(buffers[1], f, p)]


RMSPROP_MOMENTUM = Rule(
    name="rmsprop-momentum",
    step=(
        "s' = beta2 s + (1 - beta2) f^2,  f = g + k q",
        "b' = beta b + f / (sqrt(s') + stability)",
        "q' = q - eta b'",
    ),
    source="Graves (2013), equations (38) to (41); torch.optim.RMSprop with momentum",
    update=update,
    terms=terms,
    buffers=("b", "s"),
    extra=(BETA2, STABILITY),
    metric="adaptive",
    bounded=Bounded(by=lambda n, p: geometric(p.beta, n) * (1 - p.beta2) ** -0.5, cold=True),
    torch=lambda p: ("RMSprop", dict(**options(p), momentum=p.beta)),
)
