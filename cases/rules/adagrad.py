"""Adagrad: each component is divided by the root of the sum of all its squared gradients.

    v' = -eta f,      s' = s + f^2,      f = g + k q
    q' = q + v' / (sqrt(s') + stability)

It is gradient descent on a diagonal metric that the gradients so far have made. v is not read again: it is
stored so that the rule has a charge <v, xi(q)>, as gradient descent has.
PyTorch: torch.optim.Adagrad(lr=eta, eps=stability, weight_decay=k), with lr_decay 0.
Source: Duchi, Hazan, Singer (2011), figure 1, with a diagonal matrix.
"""

from noether.cases.rule import LIGHT, Rule, with_decay
from noether.cases.rules.adam import STABILITY
from noether.cases.step_sizes import Bounded


def pulled(q, g, p):
    """The terms of v' = -eta (g + k q)."""
    return {"the gradient": [-p.eta * x for x in g], "the decay": [-p.eta * p.k * x for x in q]}


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    w = [xp.store_buffer(-(p.eta * x)) for x in f]
    s = [xp.store_buffer(si + fi * fi) for si, fi in zip(buffers[1], f, strict=True)]
    return [xp.store(qi + wi / (xp.sqrt(si) + p.stability)) for qi, wi, si in zip(q, w, s, strict=True)], [
        w,
        s,
    ]


def terms(q, buffers, new, g, p, xp):
    f = with_decay(q, g, p, xp)
    metric = [p.stability + xp.sqrt(x) for x in new[1]]
    move = [wi / Gi for wi, Gi in zip(new[0], metric, strict=True)]
    return {"q": q, "v' / G": move}, [
        pulled(q, g, p),
        {"the sum": buffers[1], "the square": [x**2 for x in f]},
    ]


ADAGRAD = Rule(
    name="adagrad",
    step=(
        "v' = -eta f,  s' = s + f^2,  f = g + k q",
        "q' = q + v' / (sqrt(s') + stability)",
    ),
    source="Duchi, Hazan, Singer (2011), figure 1; torch.optim.Adagrad",
    update=update,
    terms=terms,
    buffers=("v", "s"),
    extra=(STABILITY,),
    covector=LIGHT,
    metric="adaptive",
    bounded=Bounded(by=lambda n, p: 1),
    torch=lambda p: ("Adagrad", dict(lr=p.eta, eps=p.stability, weight_decay=p.k)),
)
