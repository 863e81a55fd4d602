"""Centred RMSprop: the variance of the gradients in place of their mean square.

    v' = -eta f,      s' = beta2 s + (1 - beta2) f^2,      m' = m + (1 - beta2) (f - m),      f = g + k q
    q' = q + v' / (sqrt(s' - m'^2) + stability)

s - m^2 is never negative in exact arithmetic (Jensen), but its rounding may be where the gradients hardly
change: then the root is NaN, in PyTorch as here.
PyTorch: torch.optim.RMSprop(lr=eta, alpha=beta2, eps=stability, weight_decay=k, centered=True).
Source: Graves (2013), equations (38) to (41), without its momentum.
"""

from noether.cases.rule import LIGHT, Rule, with_decay
from noether.cases.rules.adagrad import pulled
from noether.cases.rules.adam import BETA2, STABILITY, second_moment, squared
from noether.cases.rules.rmsprop import options


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    w, s = [xp.store_buffer(-(p.eta * x)) for x in f], second_moment(buffers[1], f, p, xp)
    m = [xp.store_buffer(mi + (1 - p.beta2) * (fi - mi)) for mi, fi in zip(buffers[2], f, strict=True)]
    below = [xp.sqrt(si - mi * mi) + p.stability for si, mi in zip(s, m, strict=True)]
    return [xp.store(qi + wi / bi) for qi, wi, bi in zip(q, w, below, strict=True)], [w, s, m]


def terms(q, buffers, new, g, p, xp):
    f = with_decay(q, g, p, xp)
    metric = [p.stability + xp.sqrt(si - mi**2) for si, mi in zip(new[1], new[2], strict=True)]
    move = [wi / Gi for wi, Gi in zip(new[0], metric, strict=True)]
    mean = {
        "the first moment": [p.beta2 * x for x in buffers[2]],
        "the force": [(1 - p.beta2) * x for x in f],
    }
    return {"q": q, "v' / G": move}, [pulled(q, g, p), squared(buffers[1], f, p), mean]


RMSPROP_CENTRED = Rule(
    name="rmsprop-centred",
    step=(
        "v' = -eta f,  s' = beta2 s + (1 - beta2) f^2,  f = g + k q",
        "m' = m + (1 - beta2) (f - m)",
        "q' = q + v' / (sqrt(s' - m'^2) + stability)",
    ),
    source="Graves (2013), equations (38) to (41); torch.optim.RMSprop with centered",
    update=update,
    terms=terms,
    buffers=("v", "s", "m"),
    extra=(BETA2, STABILITY),
    covector=LIGHT,
    metric="adaptive",
    torch=lambda p: ("RMSprop", dict(**options(p), centered=True)),
)
