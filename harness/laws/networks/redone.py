"""One step of a training done again elsewhere: at other filters, by another rate, where it must come out.

A loss without scale has g(c w) = g(w)/c. So a step from (w, b) can be done from (c w, b_theta), and must come
out at a known multiple of w'. How far it may be off: that multiple of the roundings of the first step, the
roundings of the second, of c w and of its buffer, and eta times what both gradients may be off
(known_gradient.py), in which the rounding of c w counts as an error of the filters. Along the gradient of the
first step, divided by c, the errors of gradients do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from noether.laws.networks.digits import Networks, wide
from noether.laws.networks.evidence import rounded
from noether.laws.networks.known_gradient import Near, filter_gradient, parameters
from noether.laws.networks.rounding import SLACK, U, Update
from noether.verdicts.record import Record


@dataclass(frozen=True)
class There:
    """Where a step is done again: theta = c w with its buffer, rate and decay; it must come out at
    `multiple` w'. Longdouble; (1, hidden, 64) where arrays."""

    c: np.longdouble
    buffer: np.ndarray
    eta: np.longdouble
    k: np.longdouble
    multiple: np.longdouble


@dataclass(frozen=True)
class Redone:
    """Where a step came, where it must, and how far off it may be; (hidden, 64) each.

    given  the same along the gradient of the first step
    size   how far the step went
    """

    came: np.ndarray
    must: np.ndarray
    bound: np.ndarray
    given: np.ndarray
    given_bound: np.ndarray
    size: np.ndarray


def redone(x: Update, there: There, net: Networks, batch) -> Redone:
    """The step x again. net: networks whose filters are overwritten, its other parameters those before x."""
    u, beta = U["float64"], x.beta
    eta, k, theta = float(there.eta), float(there.k), there.c * x.w
    with torch.no_grad():
        net.filters.copy_(torch.from_numpy(theta.astype(float)))
    net.zero_grad()
    net.loss(*batch).backward()
    own, given = wide(net.filters.grad), x.g / there.c
    must = there.multiple * x.w_after
    came, after = stepped(net, own, there, beta)
    came_given, after_given = stepped(net, given, there, beta)
    largest = np.maximum(np.abs(own), np.abs(given))
    force = largest + (2 * np.abs(k * theta) + largest if k else 0)
    # The rates are rounded to float64 too, once each.
    moved = 3 * np.maximum(np.abs(after), np.abs(after_given)) + 2 * np.abs(beta * there.buffer) + force
    rounds = u * ((1 + eta * k) * np.abs(theta) + np.abs(must) + eta * moved + eta * np.abs(k * theta))
    rounds = rounds + there.multiple * (x.e_w + x.eta * x.e_b if x.beta else x.e_w)
    gradients = eta * known(net, x, there, batch, theta)
    return Redone(
        came[0], must[0], SLACK * (rounds[0] + gradients), came_given[0], SLACK * rounds[0], (must - theta)[0]
    )


def known(net: Networks, x: Update, there: There, batch, theta: np.ndarray) -> np.ndarray:
    """How far both gradients may be off, in the scale of the second: (hidden, 64)."""
    u, (pictures, digits) = U["float64"], (y[0].numpy() for y in batch)
    flat = (pictures, digits, net.how.eps, u)
    second = filter_gradient(parameters(net, Near(theta[0], u * np.abs(theta[0]))), *flat)
    first = filter_gradient(parameters(net, Near(x.w[0], 0 * x.w[0])), *flat)
    return second.e + first.e / there.c


def stepped(net: Networks, g: np.ndarray, there: There, beta: float) -> tuple[np.ndarray, np.ndarray]:
    """The filters and the buffer after one step of torch's SGD along g."""
    p = torch.nn.Parameter(net.filters.detach().clone())
    optimizer = torch.optim.SGD(
        [p], lr=float(there.eta), momentum=beta, weight_decay=float(there.k), foreach=False
    )
    optimizer.state[p]["momentum_buffer"] = torch.from_numpy(there.buffer.astype(float))
    p.grad = torch.from_numpy(g.astype(float))
    optimizer.step()
    return wide(p), wide(optimizer.state[p]["momentum_buffer"])


def judged(
    cell, steps: list[Redone], about: dict, note: str, *, many: int, fault=None, figure=None
) -> list[Record]:
    """Of a right law the step along the given gradient and the whole step; of a fault the whole step."""
    of = lambda name: np.array([getattr(x, name) for x in steps])
    size = of("size")
    how = dict(steps=many, motion=size, fault=fault, responses={"step": size})
    whole = rounded(
        cell,
        of("came"),
        of("must"),
        of("bound"),
        {**about, "statement": "step"},
        note,
        figure=None if fault else figure,
        **how,
    )
    if fault:
        return [whole]
    along = f"{note}, along the gradient of the first step"
    return [
        rounded(
            cell, of("given"), of("must"), of("given_bound"), {**about, "statement": "update"}, along, **how
        ),
        whole,
    ]
