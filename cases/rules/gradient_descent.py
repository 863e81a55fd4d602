"""Gradient descent, the plainest rule.

    v' = -eta (g + k q)
    q' = q + v'

v is not read again: it is stored so that every rule has a charge <v, xi(q)>.
PyTorch: torch.optim.SGD(lr=eta, weight_decay=k).
Source: Cauchy (1847); the mechanics of its charge, Tanaka, Kunin (2021), section 2.
"""

from noether.cases.rule import LIGHT, Rule


def update(q, buffers, g, p, xp):
    w = [xp.store_buffer(-(p.eta * (gi + p.k * qi))) for qi, gi in zip(q, g, strict=True)]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    gradient, decay = [-p.eta * x for x in g], [-p.eta * p.k * x for x in q]
    return {"q": q, "v'": new[0]}, [{"the gradient": gradient, "the decay": decay}]


GRADIENT_DESCENT = Rule(
    name="gradient-descent",
    step=("v' = -eta (g + k q)", "q' = q + v'"),
    source="Cauchy (1847); torch.optim.SGD",
    update=update,
    terms=terms,
    covector=LIGHT,
    torch=lambda p: ("SGD", dict(lr=p.eta, weight_decay=p.k)),
)
