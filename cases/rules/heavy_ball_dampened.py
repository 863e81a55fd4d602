"""Heavy ball with dampening as PyTorch has it: a share tau of the force is left out of the buffer.

    v' = beta v - c eta (g + k q),  c = 1, then 1 - tau,  tau = 1/4
    q' = q + v'

PyTorch's first buffer is the force itself, undamped: c = 1 in the step from q_0, also where a kick v_0 stands
in for a buffer from before.
PyTorch: torch.optim.SGD(lr=eta, momentum=beta, weight_decay=k, dampening=.25).
Source: torch.optim.SGD.
"""

from dataclasses import replace

from noether.cases.rule import Covector, Rule, with_decay

TAU = 0.25


def known(n, p):
    return {"c": 1.0 if n == 1 else 1 - TAU}


def update(q, buffers, g, p, xp):
    (v,) = buffers
    pull = [p.eta * (gi + p.k * qi) for qi, gi in zip(q, g, strict=True)]
    w = [xp.store_buffer(p.beta * vi - p.c * x) for vi, x in zip(v, pull, strict=True)]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    eta = p.c * p.eta
    parts = {
        "the momentum term": [p.beta * x for x in buffers[0]],
        "the gradient": [-eta * x for x in g],
        "the decay": [-eta * p.k * x for x in q],
    }
    return {"q": q, "v'": new[0]}, [parts]


def dampened(tau: float) -> Rule:
    """The rule with a share tau left out in every step, the first one too."""
    return replace(HEAVY_BALL_DAMPENED, known=lambda n, p: {"c": 1 - tau})


def from_the_second(tau: float) -> Rule:
    """The rule with another share tau."""
    return replace(HEAVY_BALL_DAMPENED, known=lambda n, p: {"c": 1.0 if n == 1 else 1 - tau})


HEAVY_BALL_DAMPENED = Rule(
    name="heavy-ball-dampened",
    step=("v' = beta v - c eta (g + k q)", "q' = q + v',  c = 1, then 1 - tau"),
    source="torch.optim.SGD with dampening",
    update=update,
    terms=terms,
    known=known,
    covector=Covector("v", kept=lambda p: p.beta, pull=lambda p: p.c * p.eta, force=with_decay),
    torch=lambda p: ("SGD", dict(lr=p.eta, momentum=p.beta, weight_decay=p.k, dampening=TAU)),
)
