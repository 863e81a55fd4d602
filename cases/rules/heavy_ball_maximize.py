"""Heavy ball that increases the loss, as PyTorch's maximize: the gradient has the other sign, decay has not.

    v' = beta v - eta (-g + k q)
    q' = q + v'

PyTorch: torch.optim.SGD(lr=eta, momentum=beta, weight_decay=k, maximize=True).
Source: torch.optim.SGD.
"""

from noether.cases.rule import Covector, Rule


def ascending(q, g, p, xp):
    return [-gi + p.k * qi for qi, gi in zip(q, g, strict=True)]


def update(q, buffers, g, p, xp):
    (v,) = buffers
    w = [xp.store_buffer(p.beta * vi - p.eta * (-gi + p.k * qi)) for qi, vi, gi in zip(q, v, g, strict=True)]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    parts = {
        "the momentum term": [p.beta * x for x in buffers[0]],
        "the gradient": [p.eta * x for x in g],
        "the decay": [-p.eta * p.k * x for x in q],
    }
    return {"q": q, "v'": new[0]}, [parts]


HEAVY_BALL_MAXIMIZE = Rule(
    name="heavy-ball-maximize",
    step=("v' = beta v - eta (-g + k q)", "q' = q + v'"),
    source="torch.optim.SGD with maximize",
    update=update,
    terms=terms,
    covector=Covector("v", kept=lambda p: p.beta, pull=lambda p: p.eta, force=ascending),
    torch=lambda p: ("SGD", dict(lr=p.eta, momentum=p.beta, weight_decay=p.k, maximize=True)),
)
