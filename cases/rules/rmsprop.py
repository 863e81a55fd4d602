"""RMSprop: each component is divided by the root of the average of its squared gradients.

    v' = -eta f,      s' = beta2 s + (1 - beta2) f^2,      f = g + k q
    q' = q + v' / (sqrt(s') + stability)

It is Adagrad with an average in place of the sum; v is stored so that the rule has a charge. Nothing corrects
the start of s at zero, so that the first steps are longer.
PyTorch: torch.optim.RMSprop(lr=eta, alpha=beta2, eps=stability, weight_decay=k).
Source: Tieleman, Hinton (2012), lecture 6.5.
"""

from noether.cases.rule import LIGHT, Rule, with_decay
from noether.cases.rules.adagrad import pulled
from noether.cases.rules.adam import BETA2, STABILITY, second_moment, squared
from noether.cases.step_sizes import Bounded


def update(q, buffers, g, p, xp):
    f = with_decay(q, g, p, xp)
    w, s = [xp.store_buffer(-(p.eta * x)) for x in f], second_moment(buffers[1], f, p, xp)
    return [xp.store(qi + wi / (xp.sqrt(si) + p.stability)) for qi, wi, si in zip(q, w, s, strict=True)], [
        w,
        s,
    ]


def terms(q, buffers, new, g, p, xp):
    metric = [p.stability + xp.sqrt(x) for x in new[1]]
    move = [wi / Gi for wi, Gi in zip(new[0], metric, strict=True)]
    return {"q": q, "v' / G": move}, [pulled(q, g, p), squared(buffers[1], with_decay(q, g, p, xp), p)]


def options(p) -> dict:
    """What torch.optim calls the parameters of RMSprop."""
    return dict(lr=p.eta, alpha=p.beta2, eps=p.stability, weight_decay=p.k)


RMSPROP = Rule(
    name="rmsprop",
    step=(
        "v' = -eta f,  s' = beta2 s + (1 - beta2) f^2,  f = g + k q",
        "q' = q + v' / (sqrt(s') + stability)",
    ),
    source="Tieleman, Hinton (2012), lecture 6.5; torch.optim.RMSprop",
    update=update,
    terms=terms,
    buffers=("v", "s"),
    extra=(BETA2, STABILITY),
    covector=LIGHT,
    metric="adaptive",
    bounded=Bounded(by=lambda n, p: (1 - p.beta2) ** -0.5),
    torch=lambda p: ("RMSprop", options(p)),
)
