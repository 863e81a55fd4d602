"""Sign descent: steepest descent in the largest component.

    v' = -eta sign(g)
    q' = q + v'

The sign of 0 is 0. Lion and Signum are built on it, and Adam where its eps and its memory are short.
Source: Bernstein et al. (2018), algorithm 1.
"""

from noether.cases.rule import Rule
from noether.cases.step_sizes import Bounded


def update(q, buffers, g, p, xp):
    w = [xp.store_buffer(-(p.eta * xp.sign(x))) for x in g]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    return {"q": q, "v'": new[0]}, [{"the sign of the gradient": [-p.eta * xp.sign(x) for x in g]}]


SIGN_DESCENT = Rule(
    name="sign-descent",
    step=("v' = -eta sign(g)", "q' = q + v'"),
    source="Bernstein et al. (2018), algorithm 1",
    update=update,
    terms=terms,
    metric="maximum",
    bounded=Bounded(by=lambda n, p: 1),
)
