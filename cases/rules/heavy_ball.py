"""Heavy ball: gradient descent with momentum.

    v' = beta v - eta (g + k q)
    q' = q + v'

v is the displacement of the momentum buffer, v = -eta buffer, so that PyTorch's first step, whose buffer is
the gradient, starts from v = 0. It is exactly a variational integrator with the mass eta (1+beta)/2 and the
friction 1 - beta (theory.md#D1).
PyTorch: torch.optim.SGD(lr=eta, momentum=beta, weight_decay=k).
Source: Polyak (1964), equation (9).
"""

from noether.cases.rule import HEAVY, Rule


def update(q, buffers, g, p, xp):
    (v,) = buffers
    w = [xp.store_buffer(p.beta * vi - p.eta * (gi + p.k * qi)) for qi, vi, gi in zip(q, v, g, strict=True)]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    return {"q": q, "v'": new[0]}, [pushed(q, buffers[0], g, p)]


def pushed(q, v, g, p):
    """The terms of v' that most rules with momentum have."""
    return {
        "the momentum term": [p.beta * x for x in v],
        "the gradient": [-p.eta * x for x in g],
        "the decay": [-p.eta * p.k * x for x in q],
    }


HEAVY_BALL = Rule(
    name="heavy-ball",
    step=("v' = beta v - eta (g + k q)", "q' = q + v'"),
    source="Polyak (1964), equation (9); torch.optim.SGD with momentum",
    update=update,
    terms=terms,
    covector=HEAVY,
    torch=lambda p: ("SGD", dict(lr=p.eta, momentum=p.beta, weight_decay=p.k)),
)
