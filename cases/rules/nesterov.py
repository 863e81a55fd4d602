"""Nesterov's momentum as PyTorch has it: the step looks ahead along the new buffer.

    v' = beta v - eta (g + k q)
    q' = q + (beta v' - eta (g + k q))

PyTorch: torch.optim.SGD(lr=eta, momentum=beta, weight_decay=k, nesterov=True).
Source: Nesterov (1983); in this form Sutskever et al. (2013), equations (3) and (4).
"""

from noether.cases.rule import HEAVY, Rule
from noether.cases.rules.heavy_ball import pushed


def update(q, buffers, g, p, xp):
    (v,) = buffers
    pull = [p.eta * (gi + p.k * qi) for qi, gi in zip(q, g, strict=True)]
    w = [xp.store_buffer(p.beta * vi - x) for vi, x in zip(v, pull, strict=True)]
    return [xp.store(qi + (p.beta * wi - x)) for qi, wi, x in zip(q, w, pull, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    force = [-p.eta * (gi + p.k * qi) for qi, gi in zip(q, g, strict=True)]
    return {"q": q, "beta v'": [p.beta * x for x in new[0]], "eta": force}, [pushed(q, buffers[0], g, p)]


NESTEROV = Rule(
    name="nesterov",
    step=("v' = beta v - eta (g + k q)", "q' = q + (beta v' - eta (g + k q))"),
    source="Sutskever et al. (2013), equations (3) and (4); torch.optim.SGD with nesterov",
    update=update,
    terms=terms,
    covector=HEAVY,
    torch=lambda p: ("SGD", dict(lr=p.eta, momentum=p.beta, weight_decay=p.k, nesterov=True)),
)
