"""Nesterov's momentum that increases to 1, the rule whose rate on convex losses is 1/n^2.

    v' = c_{n-1} v - eta (g + k q)
    q' = q + (c_n v' - eta (g + k q)),      c_n = (n - 1) / (n + 2) in step n from 1

The paper has x_n = y_{n-1} - eta g(y_{n-1}) and y_n = x_n + c_n (x_n - x_{n-1}) from y_0 = x_0. Here q is y,
at which the gradient is taken, and v = x_n - x_{n-1}. With n from 0, c is n / (n + 3). Nothing is carried
into the first step, so c_0 = 0. PyTorch has no such rule: its momentum is the same in both places.
Source: Su, Boyd, Candes (2014), equation (1); Nesterov (1983).
"""

from noether.cases.rule import Covector, Rule, with_decay


def momentum(n: int) -> float:
    """c_n; the momentum before the first step is 0, since y_0 = x_0."""
    return max(n - 1, 0) / (n + 2)


def known(n, p):
    return {"before": momentum(n - 1), "c": momentum(n)}


def update(q, buffers, g, p, xp):
    (v,) = buffers
    pull = [p.eta * x for x in with_decay(q, g, p, xp)]
    w = [xp.store_buffer(p.before * vi - x) for vi, x in zip(v, pull, strict=True)]
    return [xp.store(qi + (p.c * wi - x)) for qi, wi, x in zip(q, w, pull, strict=True)], [w]


def terms(q, buffers, new, g, p, xp):
    gradient, decay = [-p.eta * x for x in g], [-p.eta * p.k * x for x in q]
    ahead, push = [p.c * x for x in new[0]], [p.before * x for x in buffers[0]]
    return (
        {"q": q, "c v'": ahead, "the gradient": gradient, "the decay": decay},
        [{"the momentum term": push, "the gradient": gradient, "the decay": decay}],
    )


NESTEROV_INCREASING = Rule(
    name="nesterov-increasing",
    step=(
        "v' = c_{n-1} v - eta (g + k q)",
        "q' = q + (c_n v' - eta (g + k q)),  c_n = (n - 1)/(n + 2)",
    ),
    source="Su, Boyd, Candes (2014), equation (1)",
    update=update,
    terms=terms,
    known=known,
    covector=Covector("v", kept=lambda p: p.before, pull=lambda p: p.eta, force=with_decay),
)
