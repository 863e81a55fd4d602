"""Heavy ball on a diagonal metric G(q), that of the case: natural gradient with momentum.

    v' = beta v - eta (g + k q)
    q' = q + v' / G(q)

v is the momentum p = G qdot, a covector as the force is, and k q is a force as the gradient is.
Source: Tanaka, Kunin (2021), section 3, with a discrete step.
"""

from noether.cases.rule import HEAVY, Rule
from noether.cases.rules.heavy_ball import pushed


def update(q, buffers, g, p, xp):
    (v,) = buffers
    w = [xp.store_buffer(p.beta * vi - p.eta * (gi + p.k * qi)) for qi, vi, gi in zip(q, v, g, strict=True)]
    return [xp.store(qi + wi / Gi) for qi, wi, Gi in zip(q, w, p.G, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    move = [wi / Gi for wi, Gi in zip(new[0], p.G, strict=True)]
    return {"q": q, "v' / G": move}, [pushed(q, buffers[0], g, p)]


HEAVY_BALL_METRIC = Rule(
    name="heavy-ball-metric",
    step=("v' = beta v - eta (g + k q)", "q' = q + v' / G(q)"),
    source="Tanaka, Kunin (2021), section 3",
    update=update,
    terms=terms,
    covector=HEAVY,
    metric="diagonal",
)
