"""Quasi-hyperbolic momentum: the step is an average of the momentum and of the plain gradient.

    v' = beta v - eta (1 - beta) (g + k q)
    q' = q + (nu v' - (1 - nu) eta (g + k q))

The paper has the buffer d = -v / eta. nu = 0 is gradient descent, nu = 1 heavy ball with the step size
eta (1 - beta), and nu = beta is Nesterov's momentum with that step size.
Source: Ma, Yarats (2019), equations (3) and (4).
"""

from noether.cases.rule import Covector, Parameter, Rule, with_decay

NU = Parameter("nu", "share of the momentum in the step", choices=(0.25, 0.7, 1.0))


def update(q, buffers, g, p, xp):
    (v,) = buffers
    pull = [p.eta * x for x in with_decay(q, g, p, xp)]
    w = [xp.store_buffer(p.beta * vi - (1 - p.beta) * x) for vi, x in zip(v, pull, strict=True)]
    move = [p.nu * wi - (1 - p.nu) * x for wi, x in zip(w, pull, strict=True)]
    return [xp.store(qi + x) for qi, x in zip(q, move, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    slow = p.eta - p.eta * p.beta
    force = [(p.eta * p.nu - p.eta) * (gi + p.k * qi) for qi, gi in zip(q, g, strict=True)]
    return {"q": q, "nu v'": [p.nu * x for x in new[0]], "the force": force}, [
        {
            "the momentum term": [p.beta * x for x in buffers[0]],
            "the gradient": [-slow * x for x in g],
            "the decay": [-slow * p.k * x for x in q],
        }
    ]


QHM = Rule(
    name="qhm",
    step=(
        "v' = beta v - eta (1 - beta) (g + k q)",
        "q' = q + (nu v' - (1 - nu) eta (g + k q))",
    ),
    source="Ma, Yarats (2019), equations (3) and (4)",
    update=update,
    terms=terms,
    extra=(NU,),
    covector=Covector("v", kept=lambda p: p.beta, pull=lambda p: p.eta * (1 - p.beta), force=with_decay),
)
