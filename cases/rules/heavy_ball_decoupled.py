"""Heavy ball with decoupled decay: q shrinks beside the step, as in AdamW.

    v' = beta v - eta g
    q' = (q - eta k q) + v'

Source: Loshchilov, Hutter (2019), algorithm 1.
"""

from noether.cases.rule import Covector, Rule, plain_force


def update(q, buffers, g, p, xp):
    (v,) = buffers
    w = [xp.store_buffer(p.beta * vi - p.eta * gi) for vi, gi in zip(v, g, strict=True)]
    return [xp.store((qi - p.eta * p.k * qi) + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    shrink = 1 - p.eta * p.k
    push, gradient = [p.beta * x for x in buffers[0]], [-p.eta * x for x in g]
    return (
        {"q": [shrink * x for x in q], "v'": new[0]},
        [{"the momentum term": push, "the gradient": gradient}],
    )


HEAVY_BALL_DECOUPLED = Rule(
    name="heavy-ball-decoupled",
    step=("v' = beta v - eta g", "q' = (q - eta k q) + v'"),
    source="Loshchilov, Hutter (2019), algorithm 1",
    update=update,
    terms=terms,
    covector=Covector("v", kept=lambda p: p.beta, pull=lambda p: p.eta, force=plain_force),
)
