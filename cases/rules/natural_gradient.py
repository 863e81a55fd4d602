"""Natural gradient descent on a diagonal metric G(q), that of the case.

    v' = -eta (g + k q)
    q' = q + v' / G(q)

v is the momentum p = G qdot, a covector as the force is, and k q is a force as the gradient is: decay of the
loss, not of the metric.
Source: Amari (1998), equation (3).
"""

from noether.cases.rule import LIGHT, Rule


def update(q, buffers, g, p, xp):
    w = [xp.store_buffer(-(p.eta * (gi + p.k * qi))) for qi, gi in zip(q, g, strict=True)]
    return [xp.store(qi + wi / Gi) for qi, wi, Gi in zip(q, w, p.G, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    gradient, decay = [-p.eta * x for x in g], [-p.eta * p.k * x for x in q]
    move = [wi / Gi for wi, Gi in zip(new[0], p.G, strict=True)]
    return {"q": q, "v' / G": move}, [{"the gradient": gradient, "the decay": decay}]


NATURAL_GRADIENT = Rule(
    name="natural-gradient",
    step=("v' = -eta (g + k q)", "q' = q + v' / G(q)"),
    source="Amari (1998), equation (3)",
    update=update,
    terms=terms,
    covector=LIGHT,
    metric="diagonal",
)
