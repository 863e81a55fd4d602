"""SGD as PyTorch has it, with every option: the step size stands outside the buffer.

    f  = g + k q
    b' = beta b + c f,  c = 1, then 1 - tau
    q' = q - eta b'                  or, looking ahead,    q' = q - eta (f + beta b')

b = -v / eta, with v the buffer of cases/rules/heavy_ball.py: the two move alike while eta stays, and another
eta scales what v has stored and leaves b. The first b is f itself, undamped. Without momentum beta is 0, and
nothing is stored. PyTorch's maximize is the gradient with the other sign.
PyTorch: torch.optim.SGD(lr=eta, momentum=beta, dampening=tau, weight_decay=k, nesterov=...).
Source: torch.optim.SGD; Sutskever et al. (2013), equations (3) and (4), for the form that looks ahead.
"""

from dataclasses import replace

from noether.cases.rule import Covector, Parameter, Rule, with_decay

TAU = Parameter("tau", "share of the force that is left out of the buffer", choices=(0.0, 0.25, 0.5))


def known(n, p):
    return {"c": 1.0 + 0.0 * p.tau if n == 1 else 1 - p.tau}


def buffered(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    return f, [xp.store_buffer(p.beta * bi + p.c * fi) for bi, fi in zip(buffers[0], f, strict=True)]


def update(q, buffers, g, p, xp):
    _, new = buffered(q, buffers, g, p, xp)
    return [xp.store(qi - p.eta * bi) for qi, bi in zip(q, new, strict=True)], [new]


def update_ahead(q, buffers, g, p, xp):
    f, new = buffered(q, buffers, g, p, xp)
    ahead = [fi + p.beta * bi for fi, bi in zip(f, new, strict=True)]
    return [xp.store(qi - p.eta * x) for qi, x in zip(q, ahead, strict=True)], [new]


def parts(q, b, g, p):
    """The terms of the buffer."""
    return {
        "the momentum term": [p.beta * x for x in b],
        "the gradient": [p.c * x for x in g],
        "the decay": [p.c * p.k * x for x in q],
    }


def terms(q, buffers, new, g, p, xp):
    return {"q": q, "the buffer": [-p.eta * x for x in new[0]]}, [parts(q, buffers[0], g, p)]


def terms_ahead(q, buffers, new, g, p, xp):
    of_q = {
        "q": q,
        "the gradient": [-p.eta * x for x in g],
        "the decay": [-p.eta * p.k * x for x in q],
        "the buffer": [-p.eta * p.beta * x for x in new[0]],
    }
    return of_q, [parts(q, buffers[0], g, p)]


SGD = Rule(
    name="sgd",
    step=("b' = beta b + c (g + k q),  c = 1, then 1 - tau", "q' = q - eta b'"),
    source="torch.optim.SGD",
    update=update,
    terms=terms,
    buffers=("b",),
    extra=(TAU,),
    known=known,
    covector=Covector("b", kept=lambda p: p.beta, pull=lambda p: -p.c, force=with_decay),
)
SGD_AHEAD = replace(
    SGD,
    name="sgd-nesterov",
    step=("b' = beta b + c (g + k q),  c = 1, then 1 - tau", "q' = q - eta (g + k q + beta b')"),
    source="torch.optim.SGD with nesterov; Sutskever et al. (2013), equations (3) and (4)",
    update=update_ahead,
    terms=terms_ahead,
)
