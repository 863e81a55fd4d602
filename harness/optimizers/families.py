"""Steps that are no options of the common one: of whole tensors, and of sizes that are kept.

Each takes and gives what motion.step does. Matrices are read from a flat last axis by their shape.
"""

from __future__ import annotations

from math import prod

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS, TINY_NORM = 5, 1e-7


def adafactor(F: dict, x, state: dict, q, g, n: int, xp, shape: tuple[int, ...]):
    """Adafactor: squares are averaged by rows and columns, a step is relative to the size of the parameters.

    Source: Shazeer, Stern (2018), algorithms 4 and 5; torch.optim.Adafactor.
    """
    f = -g if F["direction"] == "ascent" else g
    share = xp.coefficient(n**x.beta2_power)
    rate = xp.minimum(x.eta, xp.coefficient(1 / xp.sqrt(xp.number(n))))
    size = xp.maximum(x.floor, xp.norm(q) / xp.sqrt(xp.number(prod(shape)))) * rate
    if F["decay"] != "none":
        q = q * xp.coefficient(1 - x.eta * x.k)
    if len(shape) > 1:
        squares = xp.shaped(f, shape)
        squares = squares * squares
        rows, columns = xp.mean(squares, -1), xp.mean(squares, -2)
        for name, new in (("rows", rows), ("columns", columns)):
            old = state.get(name, 0 * new)
            state[name] = old + xp.deep(share) * (new - old)
        below = xp.maximum(xp.mean(state["rows"], -2), xp.deep(x.stability))
        s = xp.flat(state["rows"] * state["columns"] / below, shape)
    else:
        old = state.get("s", 0 * f)
        s = state["s"] = old + share * (f * f - old)
    u = f / xp.sqrt(xp.maximum(s, x.stability * x.stability))
    clipped = xp.maximum(1.0, xp.norm(u) / (xp.sqrt(xp.number(prod(shape))) * x.clip))
    return q - u * (size / clipped)


def muon(F: dict, x, state: dict, q, g, n: int, xp, shape: tuple[int, ...]):
    """Muon: five steps of Newton and Schulz towards the orthogonal factor of the momentum of a matrix.

    Source: Jordan et al. (2024), Muon; torch.optim.Muon, with its sqrt(max(1, rows/columns)).
    """
    m = averaged(x, state, g, xp)
    u = g + x.beta * (m - g) if F["ahead"] == "nesterov" else m
    rows, columns = shape if len(shape) == 2 else (prod(shape), 1)
    u = xp.shaped(u / xp.maximum(xp.norm(u), TINY_NORM), (rows, columns))
    u = xp.turned(u) if rows > columns else u
    a, b, c = NEWTON_SCHULZ
    for _ in range(ITERATIONS):
        gram = xp.matrix(u, xp.turned(u))
        u = a * u + xp.matrix(b * gram + c * xp.matrix(gram, gram), u)
    u = xp.flat(xp.turned(u) if rows > columns else u, (rows, columns))
    q = q * xp.coefficient(1 - x.eta * x.k) if F["decay"] != "none" else q
    return q - xp.coefficient(x.eta * xp.sqrt(xp.number(max(1, rows / columns)))) * u


def averaged(x, state: dict, g, xp):
    """The average of gradients that Muon keeps, from 0."""
    old = state.get("m", 0 * g)
    state["m"] = old + xp.coefficient(1 - x.beta) * (g - old)
    return state["m"]


def resilient(x, state: dict, q, f, xp):
    """Rprop: each parameter has a step size, which grows while the sign of its gradient stays.

    Source: Riedmiller, Braun (1993); torch.optim.Rprop, which forgets a gradient whose sign has changed.
    """
    sign = xp.sign(f * state.get("before", 0 * f))
    same, other = xp.maximum(sign, 0.0), xp.maximum(-sign, 0.0)
    size = state.get("size", 0 * f + x.eta) * (1 + (x.grow - 1) * same + (x.shrink - 1) * other)
    state["size"] = xp.minimum(xp.maximum(size, x.least), x.most)
    state["before"] = f * (1 - other)
    return q - xp.sign(state["before"]) * state["size"]


FAMILIES = {"adafactor": adafactor, "muon": muon}
