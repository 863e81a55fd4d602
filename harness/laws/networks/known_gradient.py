"""The gradient of the filters of one network in wide arithmetic, and how far torch's may be off it.

Written out by hand for the networks of digits.py, it knows nothing of autograd: with D = Z - mean Z,
s = 1/sqrt(var + eps), the sums over a batch of B pictures, and dY what is sent back to the normalisation,

    Z = X W^T,  Y = gain s D + shift,  A = relu(Y),  C = relu(A M^T + m),  P = softmax(C H^T + h)
    dL = (P - onehot)/B,  dC = dL H,  dA = dC M,  (the last two where C and Y are above 0)
    dZ = gain s (dY - mean dY - D k),  k = s^2 mean(D dY),  dW = dZ^T X

Beside each number goes the largest error that the operations of a float of unit roundoff u may leave in it,
to first order in u: a sum of n products, in any order and with or without fused operations, has n u sum |x y|
(theory.md#R0). exp and log are taken as 2 u (Sleef promises one last place). torch's forward normalisation is
Z (gain s) + (shift - mean gain s), which rounds each of the two; that counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ELEMENTARY = 2.0
"""Roundings that an exp or a log counts for."""


@dataclass(frozen=True)
class Near:
    """Numbers, and how far what was computed may be off them, elementwise."""

    x: np.ndarray
    e: np.ndarray


def product(a: Near, b: Near, u: float) -> Near:
    """a @ b, whatever the order of its sums."""
    n, size = a.x.shape[-1], np.abs(a.x) @ np.abs(b.x)
    return Near(a.x @ b.x, a.e @ np.abs(b.x) + np.abs(a.x) @ b.e + n * u * size)


def exact(x: np.ndarray) -> Near:
    return Near(x, 0 * x)


def above(a: Near) -> tuple[Near, np.ndarray]:
    """relu, and where it lets through. Raises FloatingPointError where rounding could change a sign."""
    if np.any(np.abs(a.x) <= a.e):
        raise FloatingPointError("an activation is within its rounding of 0: no gradient is known there")
    on = a.x > 0
    return Near(a.x * on, a.e * on), on


@dataclass(frozen=True)
class Parameters:
    """Those of one network, longdouble; W may be known to within W.e only."""

    W: Near
    gain: np.ndarray
    shift: np.ndarray
    M: np.ndarray
    m: np.ndarray
    H: np.ndarray
    h: np.ndarray


def parameters(net, W: Near | None = None) -> Parameters:
    """The parameters of the first lane of networks, with other filters where they are given."""
    wide = lambda p: p.detach().numpy()[0].astype(np.longdouble)
    found = [wide(p) for p in (net.gain, net.shift, net.middle, net.middle_bias, net.head, net.head_bias)]
    return Parameters(W or exact(wide(net.filters)), *found)


def filter_gradient(p: Parameters, X: np.ndarray, digits: np.ndarray, eps: float, u: float) -> Near:
    """dW (hidden, 64) of pictures X (B, 64). Raises FloatingPointError as `above` does."""
    x = exact(X.astype(np.longdouble))
    Z = product(x, Near(p.W.x.T, p.W.e.T), u)
    D, s, mean = normalised(Z, eps, u)
    scale = np.abs(p.gain) * s.x
    scale_e = np.abs(p.gain) * s.e + u * scale
    Y = p.gain * s.x * D.x + p.shift
    apart = np.abs(Z.x) * scale + 2 * np.abs(mean) * scale + np.abs(p.shift) + np.abs(Y)
    A, on_y = above(Near(Y, D.e * scale + np.abs(D.x) * scale_e + 2 * u * apart))
    C, on_c = above(layer(A, p.M, p.m, u))
    L = layer(C, p.H, p.h, u)
    dL = sent_back(L, digits, u)
    dC = product(dL, exact(p.H), u)
    dA = product(Near(dC.x * on_c, dC.e * on_c), exact(p.M), u)
    dY = Near(dA.x * on_y, dA.e * on_y)
    dZ = through_normalisation(dY, D, s, p.gain, u)
    return product(Near(dZ.x.T, dZ.e.T), x, u)


def layer(A: Near, M: np.ndarray, m: np.ndarray, u: float) -> Near:
    """A M^T + m."""
    found = product(A, exact(M.T), u)
    return Near(found.x + m, found.e + u * (np.abs(found.x + m) + np.abs(m)))


def normalised(Z: Near, eps: float, u: float) -> tuple[Near, Near, np.ndarray]:
    """Z less its mean over the batch, 1/sqrt(var + eps), and the mean."""
    B, mean = len(Z.x), Z.x.mean(axis=0)
    mean_e = Z.e.mean(axis=0) + (B + 1) * u * np.abs(Z.x).mean(axis=0)
    D = Near(Z.x - mean, Z.e + mean_e + u * np.abs(Z.x - mean))
    var = np.mean(D.x**2, axis=0)
    # An error of the mean moves the variance by its square alone: what counts is that of the numbers.
    var_e = 2 * np.mean(np.abs(D.x) * D.e, axis=0) + (B + 3) * u * (var + eps)
    s = 1 / np.sqrt(var + eps)
    return D, Near(s, s * (var_e / (2 * (var + eps)) + 3 * u)), mean


def sent_back(L: Near, digits: np.ndarray, u: float) -> Near:
    """(P - onehot)/B, by way of the logarithm of the softmax."""
    B, many = L.x.shape
    top = L.x.max(axis=1, keepdims=True)
    total = np.sum(np.exp(L.x - top), axis=1, keepdims=True)
    logs = L.x - top - np.log(total)
    error = L.e + np.max(L.e, axis=1, keepdims=True)
    error = error + u * (np.abs(L.x - top) + 2 * np.abs(logs) + many + 3 * ELEMENTARY + np.abs(np.log(total)))
    P = np.exp(logs)
    onehot = np.eye(many)[digits]
    return Near((P - onehot) / B, (P * (error + ELEMENTARY * u) + 3 * u * np.abs(P - onehot)) / B)


def through_normalisation(dY: Near, D: Near, s: Near, gain: np.ndarray, u: float) -> Near:
    """dZ of dY."""
    B, size = len(D.x), np.abs(D.x) * np.abs(dY.x)
    mean, mean_e = dY.x.mean(axis=0), dY.e.mean(axis=0) + (B + 1) * u * np.abs(dY.x).mean(axis=0)
    k = s.x**2 * np.mean(D.x * dY.x, axis=0)
    k_e = s.x**2 * np.mean(np.abs(D.x) * dY.e + D.e * np.abs(dY.x) + (B + 3) * u * size, axis=0)
    k_e = k_e + np.abs(k) * 2 * s.e / s.x
    t = dY.x - mean - D.x * k
    t_e = dY.e + mean_e + np.abs(D.x) * k_e + D.e * np.abs(k)
    t_e = t_e + u * (2 * np.abs(D.x * k) + np.abs(dY.x - mean) + np.abs(t))
    scale = np.abs(gain) * s.x
    return Near(gain * s.x * t, scale * t_e + np.abs(t) * np.abs(gain) * s.e + 3 * u * scale * np.abs(t))
