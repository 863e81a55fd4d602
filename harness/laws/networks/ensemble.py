"""Many networks trained at once, and what is summed over a window of their training, lane by lane.

The momentum that gradients alone would build up, m' = beta m + g, tells how they agree from step to step:

    F = 1 + 2 sum <g, beta m> / sum |g|^2 = 1 + 2 sum_j beta^j rho_j                                      (1)

with rho_j the correlation of gradients j steps apart; the remainder of the buffer, K = v + eta m, is what the
decay has put there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.laws.networks.digits import Training, training

PICTURES = 1797
"""Of the data: the correlation of gradients is followed for as many steps as go through them."""


def dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The inner products of filters, summed over those of a lane: (lanes,)."""
    return np.einsum("lhd,lhd->l", x, y)


@dataclass
class Window:
    """Sums over the steps of a window and over the filters of a lane, (lanes,) each.

    R |w|^2;  G |g|^2;  gw <g, w>;  C <v, w>;  gm <g, m>;  gK <g, K>;  P |v'|^2;  dz the difference of
    |w + beta v/(1 - beta)|^2 between its ends, dR that of |w|^2, dC that of <v, w>
    rho    (lags + 1, lanes) the correlation of unit-norm gradients |w| g of the first filter
    norm4, size2   (steps, lanes) the mean of |w|^4 and of |w|^2 |g|^2 over filters, from the start on
    loss   of the last steps of the window, (lanes,)
    """

    how: Training
    many: int
    R: np.ndarray
    G: np.ndarray
    gw: np.ndarray
    C: np.ndarray
    gm: np.ndarray
    gK: np.ndarray
    P: np.ndarray
    dz: np.ndarray
    dR: np.ndarray
    dC: np.ndarray
    rho: np.ndarray
    norm4: np.ndarray
    size2: np.ndarray
    loss: float

    @property
    def F(self) -> np.ndarray:
        """(1) of each lane."""
        return 1 + 2 * self.how.filters["momentum"] * self.gm / self.G


def window(how: Training, seed: int, burn: int, many: int) -> Window:
    """`burn` steps, then a window of `many`. float64: nothing here is judged by its roundings."""
    eta, beta = how.filters["lr"], how.filters["momentum"]
    net, optimizer, drawn = training(how, seed)
    sums = {name: np.zeros(how.lanes) for name in ("R", "G", "gw", "C", "gm", "gK", "P")}
    m, v = np.zeros(net.filters.shape), np.zeros(net.filters.shape)
    past, norm4, size2, losses, ends = [], [], [], [], {}
    for n in range(burn + many):
        x, digits = next(drawn)
        optimizer.zero_grad()
        loss = net.loss(x, digits)
        loss.backward()
        w, g = net.filters.detach().numpy().copy(), net.filters.grad.numpy().copy()
        optimizer.step()
        after = net.filters.detach().numpy()
        sizes, squares = np.sum(w * w, axis=-1), np.sum(g * g, axis=-1)
        norm4.append(np.mean(sizes**2, axis=-1)), size2.append(np.mean(sizes * squares, axis=-1))
        if n == burn:
            ends = ends_of(w, v, beta)
        new = after - w
        if n >= burn:
            terms = {"R": (w, w), "G": (g, g), "gw": (g, w), "C": (v, w), "gm": (g, m)}
            terms |= {"gK": (g, v + eta * m), "P": (new, new)}
            for name, (a, b) in terms.items():
                sums[name] += dot(a, b)
            past.append(g[:, 0] * np.sqrt(sizes[:, 0])[..., None])
            losses.append(float(loss.detach()) / how.lanes)
        m, v = beta * m + g, new
    last = ends_of(after, v, beta)
    ends = {name: last[name] - ends[name] for name in last}
    rho = correlation(np.array(past), min(PICTURES // how.batch, many // 4))
    return Window(
        how,
        many,
        **sums,
        **ends,
        rho=rho,
        norm4=np.array(norm4),
        size2=np.array(size2),
        loss=float(np.mean(losses)),
    )


def correlation(x: np.ndarray, lags: int) -> np.ndarray:
    """The correlations of vectors (steps, lanes, d) up to `lags` steps apart, (lags + 1, lanes), 1 first."""
    found = [np.einsum("nld,nld->l", x[: len(x) - j], x[j:]) / (len(x) - j) for j in range(lags + 1)]
    return np.array(found) / found[0]


def ends_of(w: np.ndarray, v: np.ndarray, beta: float) -> dict[str, np.ndarray]:
    """What the law of a window takes at its two ends."""
    z = w + beta / (1 - beta) * v
    return {"dz": dot(z, z), "dR": dot(w, w), "dC": dot(v, w)}
