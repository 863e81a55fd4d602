"""Mirror descent with the entropy: gradient descent in z = log q.

    v' = -eta g(exp z)
    z' = z + v',  z = log q

What is stored is z; the gradient is taken at exp z.
Source: Nemirovski, Yudin (1983); Beck, Teboulle (2003), with h = sum q log q.
"""

from noether.cases.rule import Covector, Rule, plain_force

PULLED = Covector("v", kept=lambda p: 0, pull=lambda p: p.eta, force=plain_force)


def place(z, xp):
    return [xp.exp(x) for x in z]


def update(z, buffers, g, p, xp):
    w = [xp.store_buffer(-(p.eta * x)) for x in g]
    return [xp.store(zi + wi) for zi, wi in zip(z, w, strict=True)], [w]


def terms(z, buffers, new, g, p, xp):
    return {"q": z, "v'": new[0]}, [{"the gradient": [-p.eta * x for x in g]}]


MIRROR_DESCENT = Rule(
    name="mirror-descent",
    step=("v' = -eta g(exp z)", "z' = z + v',  z = log q"),
    source="Beck, Teboulle (2003), with the entropy",
    update=update,
    terms=terms,
    place=place,
    covector=PULLED,
    metric="bregman",
)
