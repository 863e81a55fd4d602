"""How an optimizer of a given anatomy moves: the one step of which most optimizers are options.

    f  = g (+ k q)                                 coupled decay
    m' = beta m + c f                              momentum, as the options say
    s' = beta2 s + (1 - beta2) f^2                 second moment, as the options say
    u  = m^ / (sqrt(s^) + eps)                     ^: corrected for the start at 0, where it is
    q' = (1 - eta k) q - eta u                     decoupled decay

Numbers are anything with arithmetic: longdouble arrays, with an axis of alternatives for a fit, or Running
numbers, whose errors then bound what a target's own computation of its coefficients may differ by. tests hold
this step against the learning rules of the catalogue.
Source: the rules of cases/rules/, which cite theirs; AdaBelief: Zhuang et al. (2020), algorithm 2.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from noether.optimizers import running
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.families import FAMILIES, resilient
from noether.optimizers.functions import BOUNDED, PLAIN, PYTHON
from noether.optimizers.running import WIDE, Running


def moved(anatomy: Anatomy, q0: np.ndarray, gradients: np.ndarray, values=None, shape=None) -> np.ndarray:
    """Where the parameters are after each step, (steps, ..., d) longdouble.

    q0  (d,); gradients  (steps, d); values  {number: array (alternatives, 1)}, of the anatomy by default
    shape  of the tensor of which they are the entries, (d,) by default
    """
    values = anatomy.values if values is None else values
    numbers = {name: np.asarray(x, WIDE) for name, x in values.items()}
    with np.errstate(all="ignore"):
        return np.stack(
            list(steps(anatomy, np.asarray(q0, WIDE), np.asarray(gradients, WIDE), numbers, PLAIN, shape))
        )


def bounded(anatomy: Anatomy, q0: np.ndarray, gradients: np.ndarray, shape=None) -> Running:
    """Where the parameters are after each step, with the error that a target's coefficients may have."""
    numbers = inexact(anatomy.values)
    start = Running(np.asarray(q0, WIDE), WIDE(0))
    with np.errstate(all="ignore"):
        pulls = [running.running(g) for g in gradients]
        found = list(steps(anatomy, start, pulls, numbers, BOUNDED, shape))
    return Running(np.stack([x.value for x in found]), np.stack([x.error for x in found]))


def inexact(values: dict[str, float], off: float = 0.0) -> dict[str, Running]:
    """Numbers with the error that a target's coefficients may have.

    off  by what share of it a number may have been off where a tensor handed it to Python
    """
    unit = PYTHON * (WIDE(2.0**-53) + WIDE(off))
    return {name: Running(WIDE(x), unit * abs(WIDE(x))) for name, x in values.items()}


def steps(anatomy: Anatomy, q, gradients, numbers: dict, xp, shape=None):
    """Yield q after each step."""
    x, F = SimpleNamespace(**numbers), anatomy.features
    state: dict = {}
    shape = shape or q.shape[-1:]
    for n, g in enumerate(gradients, start=1):
        q = advanced(F, x, state, q, g, n, xp, shape)
        yield q


def advanced(F: dict, x, state: dict, q, g, n: int, xp, shape):
    """q after step n of any family; `state` changes."""
    if F["family"] in FAMILIES:
        return FAMILIES[F["family"]](F, x, state, q, g, n, xp, shape)
    return step(F, x, state, q, g, n, n + {"1": 0, "0": -1, "2": 1}[F["count"]], xp)


def step(F: dict, x, state: dict, q, g, n: int, count: int, xp):
    """q after step n; `state` changes."""
    f = force(F, x, q, g)
    if F["form"] == "resilient":
        return resilient(x, state, q, f, xp)
    eta = rate(F, x, count, xp)
    if F["carried"] == "update":
        u = momentum(F, x, state, divided(F, x, state, f, f, f, count, xp), n, count, xp)
    else:
        m = momentum(F, x, state, f, n, count, xp)
        m = m + x.k * q if F["decay"] == "of the momentum" else m
        u = divided(F, x, state, m, f, state.get("m", f), count, xp)
    if F["decay"] == "late":
        u = u + x.k * q
    if F["form"] == "trust":
        ratio = xp.norm(q) / xp.norm(u)
        u = u * ratio
    elif F["form"] == "sign":
        u = xp.sign(u)
    elif F["form"] == "normalised":
        u = u / xp.norm(u)
    elif F["form"] == "normalised with eps":
        u = u / (xp.norm(u) + x.stability)
    return shrunk(F, x, eta, q, u, xp)


def force(F: dict, x, q, g):
    """What the step takes for the gradient: its sign, and the decay that is added to it."""
    f = -g if F["direction"] == "ascent" else g
    if F["decay"] in ("coupled", "both"):
        return f + x.k * q
    return f - x.k * q if F["decay"] == "coupled growing" else f


def rate(F: dict, x, count: int, xp):
    """The step size of a step."""
    if F["rate"] == "falling":
        return xp.coefficient(x.eta / (1 + (count - 1) * x.rate_decay))
    if F["rate"] == "averaged":
        return xp.coefficient(x.eta / (1 + x.lambd * x.eta * (count - 1)) ** x.power)
    return xp.coefficient(x.eta)


def shrunk(F: dict, x, eta, q, u, xp):
    """q after the update u and the decay beside it."""
    where = F["decay"]
    if F["rate"] == "averaged":
        q = q * xp.coefficient(1 - x.lambd * eta)
    if where in ("decoupled", "both", "after"):
        shrink = xp.coefficient(1 - eta * x.k)
        return (q - eta * u) * shrink if where == "after" else q * shrink - eta * u
    if where == "shift":
        return q - eta * u - eta * x.k
    if where == "growing":
        return q * xp.coefficient(1 + eta * x.k) - eta * u
    if where == "unscaled":
        return q * xp.coefficient(1 - x.k) - eta * u
    return q - eta * u


def momentum(F: dict, x, state: dict, f, n: int, count: int, xp):
    """What the step follows before the division; the momentum itself is kept in the state."""
    if F["momentum"] == "none":
        return f
    old = state["m"] if "m" in state else 0 * f
    kept = x.beta2 if F["ahead"] == "lion" else x.beta
    dampened = F["momentum"].startswith("dampened")
    share = 1 if F["momentum"] == "sum" else xp.coefficient(1 - x.tau if dampened else 1 - kept)
    begins = n == 1 and F["momentum"] in ("dampened", "average from the first")
    new = state["m"] = f if begins else kept * old + share * f
    if F["ahead"] == "lion":
        return x.beta * old + xp.coefficient(1 - x.beta) * f
    if F["ahead"] == "scheduled":
        return scheduled(x, state, f, new, count, xp)
    if F["ahead"] == "nesterov":
        follows = x.beta * new + f * (1 if dampened else share)
    else:
        follows = old if F["ahead"] == "old" else new
    for correction in corrections(F["first correction"], x.beta, x, count, xp):
        follows = follows / correction
    return follows


def corrections(option: str, own, x, n: int, xp) -> list:
    """What an average is divided by for its start at 0, once or twice."""
    if option == "no":
        return []
    memory = x.beta_c if option == "by another" else own
    return [xp.coefficient(1 - memory**n)] * (2 if option == "twice" else 1)


def scheduled(x, state: dict, f, m, n: int, xp):
    """NAdam's look ahead, whose momentum grows (Dozat 2016)."""
    base = WIDE(0.96)
    mu, following = (xp.coefficient(x.beta * (1 - base ** (i * x.psi) / 2)) for i in (n, n + 1))
    M = state["M"] = xp.kept(state.get("M", 1) * mu)
    of_f, of_m = xp.coefficient((1 - mu) / (1 - M)), xp.coefficient(following / (1 - M * following))
    return f * of_f + m * of_m


def divided(F: dict, x, state: dict, m, f, mean, n: int, xp):
    """m over what the second moment makes."""
    if F["second"] == "none":
        return m
    if F["second"] == "maximum":
        state["s"] = xp.maximum(x.beta2 * state.get("s", 0 * f), xp.absolute(f) + x.stability)
        return m / state["s"]
    if F["second"] == "typical":
        return typical(x, state, m, f, xp)
    before = state.get("s")
    s = second(F, x, state, f, mean, xp)
    if F["divides"] == "previous":
        if before is None:
            state["s"] = f * f
            return 0 * f
        s = before
    if F["eps"] == "kept":
        s = state["s"] = s + x.stability
    correction = xp.coefficient(WIDE(1))
    for factor in corrections(F["second correction"], getattr(x, "beta2", None), x, n, xp):
        correction = correction * factor
    if F["scope"] == "tensor":
        s = xp.mean(s, -1)
    if F["rectified"] != "no":
        return rectified(F, x, m, s, n, correction, xp)
    if F["largest"] == "amsgrad corrected":
        s = state["h"] = xp.maximum(state.get("h", 0 * s), s / correction)
        correction = xp.coefficient(WIDE(1))
    elif F["largest"] == "amsgrad":
        s = state["h"] = xp.maximum(state.get("h", 0 * s), s)
    if F["second"] == "centred":
        s = s - state["mean"] * state["mean"]
    return m / below(F, x, s, correction, xp)


def below(F: dict, x, s, correction, xp):
    """What divides: the root of the corrected second moment, with eps at its place."""
    root = xp.sqrt if F["root"] == "yes" else (lambda y: y)
    at = F["eps"]
    if at == "before":
        return (root(s) + x.stability) / root(correction)
    if at == "inside":
        return root(s / correction + x.stability)
    if at == "inside uncorrected":
        return root((s + x.stability) / correction)
    if at == "twice":
        return root(s / correction + x.stability) + x.stability
    if at == "floor":
        return xp.maximum(root(s / correction), x.stability)
    if at == "none":
        return root(s / correction)
    return root(s / correction) + x.stability


def second(F: dict, x, state: dict, f, mean, xp):
    """The second moment after the step, which is kept in the state."""
    what, before = F["second"], state.get("s")
    if before is None:
        before = 0 * f + (x.initial if F["start"] == "given" else 0)
    if what == "sum":
        state["s"] = before + f * f
        return state["s"]
    if what == "belief":
        new = (f - mean) * (f - mean)
    elif what == "of the momentum":
        new = mean * mean
    else:
        new = abs(f) if what == "absolute" else f * f
    begins = what == "from the first" and "s" not in state
    share = xp.coefficient(1 - (x.tau2 if what == "weighted" else x.beta2))
    state["s"] = new if begins else x.beta2 * before + share * new
    if what == "centred":
        mean = state["mean"] if "mean" in state else 0 * f
        state["mean"] = x.beta2 * mean + xp.coefficient(1 - x.beta2) * f
    return state["s"]


def typical(x, state: dict, m, f, xp):
    """Adadelta's update: m times the root of the average squared update over that of squared gradients
    (Zeiler 2012)."""
    s, a = (state["s"], state["a"]) if "s" in state else (0 * f, 0 * f)
    s = state["s"] = x.beta2 * s + xp.coefficient(1 - x.beta2) * (f * f)
    u = m * (xp.sqrt(a + x.stability) / xp.sqrt(s + x.stability))
    state["a"] = x.beta2 * a + xp.coefficient(1 - x.beta2) * (u * u)
    return u


def rectified(F: dict, x, m, s, n: int, correction, xp):
    """RAdam's update: m alone while the second moment averages too few squares (Liu et al. 2020)."""
    kept = x.beta2**n
    longest = 2 / (1 - x.beta2) - 1
    length = longest - 2 * n * kept / (1 - kept)
    number = np.max(length.value if isinstance(length, Running) else length)
    if not number > (4 if F["rectified"] == "from 4" else 5):
        return m
    share = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return m * xp.coefficient(xp.sqrt(share)) / below(F, x, s, correction, xp)
