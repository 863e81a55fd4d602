"""Adadelta: RMSprop whose step is measured by the steps before, so that it has the unit of q.

    v' = -eta f,      s' = beta2 s + (1 - beta2) f^2,      f = g + k q
    delta = sqrt(a + stability) / sqrt(s' + stability) f
    a' = beta2 a + (1 - beta2) delta^2
    q' = q - eta delta

Stability stands inside both roots, and is what the first step starts from. v is not read again: it is stored
so that the rule has a charge <v, xi(q)>, as gradient descent has.
PyTorch: torch.optim.Adadelta(lr=eta, rho=beta2, eps=stability, weight_decay=k).
Source: Zeiler (2012), algorithm 1.
"""

from noether.cases.rule import LIGHT, Rule, with_decay
from noether.cases.rules.adagrad import pulled
from noether.cases.rules.adam import BETA2, STABILITY, second_moment, squared


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    w, s = [xp.store_buffer(-(p.eta * x)) for x in f], second_moment(buffers[1], f, p, xp)
    ratio = [
        xp.sqrt(ai + p.stability) / xp.sqrt(si + p.stability) for ai, si in zip(buffers[2], s, strict=True)
    ]
    delta = [x * fi for x, fi in zip(ratio, f, strict=True)]
    a = second_moment(buffers[2], delta, p, xp)
    return [xp.store(qi - p.eta * x) for qi, x in zip(q, delta, strict=True)], [w, s, a]


def terms(q, buffers, new, g, p, xp):
    f = with_decay(q, g, p, xp)
    typical = [xp.sqrt(p.stability + x) for x in buffers[2]]
    metric = [xp.sqrt(p.stability + x) / y for x, y in zip(new[1], typical, strict=True)]
    delta = [x / Gi for x, Gi in zip(f, metric, strict=True)]
    move = [-p.eta * x for x in delta]
    return {"q": q, "the step": move}, [
        pulled(q, g, p),
        squared(buffers[1], f, p),
        squared(buffers[2], delta, p),
    ]


ADADELTA = Rule(
    name="adadelta",
    step=(
        "v' = -eta f,  s' = beta2 s + (1 - beta2) f^2,  f = g + k q",
        "delta = sqrt(a + stability) / sqrt(s' + stability) f",
        "a' = beta2 a + (1 - beta2) delta^2",
        "q' = q - eta delta",
    ),
    source="Zeiler (2012), algorithm 1; torch.optim.Adadelta",
    update=update,
    terms=terms,
    buffers=("v", "s", "a"),
    extra=(BETA2, STABILITY),
    covector=LIGHT,
    metric="adaptive",
    torch=lambda p: ("Adadelta", dict(lr=p.eta, rho=p.beta2, eps=p.stability, weight_decay=p.k)),
)
