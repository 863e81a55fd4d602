"""Aggregated momentum: three displacements with three memories, whose mean moves q.

    u' = -eta (g + k q)
    v' = beta v - eta (g + k q)
    w' = b w - eta (g + k q),  b = 1 - (1 - beta)^2
    q' = q + (u' + v' + w') / 3

The memories are 1 - a^i with a = 1 - beta and i = 0, 1, 2: of beta = .9 they are 0, .9 and .99. The slow one
runs far, the quick ones damp what it would overshoot.
Source: Lucas, Sun, Zemel, Grosse (2019), section 3, in its exponential form.
"""

from noether.cases.rule import HEAVY, Rule


def known(n, p):
    return {"b": 1 - (1 - p.beta) ** 2}


def update(q, buffers, g, p, xp):
    pull = [p.eta * (gi + p.k * qi) for qi, gi in zip(q, g, strict=True)]
    u, v, w = buffers
    u = [xp.store_buffer(-x) for x in pull]
    v = [xp.store_buffer(p.beta * vi - x) for vi, x in zip(v, pull, strict=True)]
    w = [xp.store_buffer(p.b * wi - x) for wi, x in zip(w, pull, strict=True)]
    move = [(ui + vi + wi) / 3 for ui, vi, wi in zip(u, v, w, strict=True)]
    return [xp.store(qi + mi) for qi, mi in zip(q, move, strict=True)], [u, v, w]


def terms(q, buffers, new, g, p, xp):
    def of(memory, old):
        return {
            "the momentum term": [memory * x for x in old],
            "the gradient": [-p.eta * x for x in g],
            "the decay": [-p.eta * p.k * x for x in q],
        }

    thirds = {f"{name}' / 3": [x / 3 for x in b] for name, b in zip("uvw", new, strict=True)}
    memories = (0, p.beta, p.b)
    return {"q": q, **thirds}, [of(m, old) for m, old in zip(memories, buffers, strict=True)]


AGGMO = Rule(
    name="aggmo",
    step=(
        "u' = -eta (g + k q)",
        "v' = beta v - eta (g + k q)",
        "w' = b w - eta (g + k q),  b = 1 - (1 - beta)^2",
        "q' = q + (u' + v' + w') / 3",
    ),
    source="Lucas, Sun, Zemel, Grosse (2019), section 3",
    update=update,
    terms=terms,
    buffers=("u", "v", "w"),
    known=known,
    covector=HEAVY,
)
