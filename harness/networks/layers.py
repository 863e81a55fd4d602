"""What products with weights and normalisations demand of exponents.

product        y_c = sum_i W_ci x_i + b_c: one exponent for every i, a(W_ci) + a(x_i) = a(y_c) = a(b_c)
normalisation  what is divided by its own size has one exponent over all of that, and none afterwards
"""

from __future__ import annotations

import numpy as np
import torch

from noether.networks.demands import PRODUCTS, alike, by_channel


def multiplied_out(walk, name: str, given: dict) -> np.ndarray:
    """mm, bmm, addmm, baddbmm."""
    a, b = (given[key] for key in PRODUCTS[name])
    left, right = walk.ids(a), walk.ids(b)
    if name in ("mm", "addmm") and walk.is_weight(left) and not walk.is_weight(right):
        found = matrix(walk, right.T, left.T).T  # W x instead of x W
    elif left.ndim == 2:
        found = matrix(walk, left, right)
    else:
        found = walk.product(left, right)
        walk.shifted_keys(b, -2)
    bias = given.get("self") if name in ("addmm", "baddbmm") else None
    if isinstance(bias, torch.Tensor):
        walk.equations.equate(found, walk.number(bias))
        walk.shifts_begin(bias, found.shape)
    walk.made_by(right if walk.made_of_weights(right) else None)
    return found


def matrix(walk, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The exponents of x W, (rows, outputs), for x (rows, inputs) and W (inputs, outputs).

    The rows of x are samples or places, to which one weight is applied: they have one exponent an input
    """
    one = alike(walk, x, 0)[0]
    walk.read_together(one[None])
    if walk.equations.is_untouched(weight):
        outputs = walk.equations.fresh(weight.shape[1])
        walk.equations.define(weight, outputs[None, :], one[:, None])
        walk.produced(outputs)
    else:
        outputs = demanded(walk, one, weight)
    return np.broadcast_to(outputs, (x.shape[0], weight.shape[1]))


def demanded(walk, one: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """New outputs with an equation for each weight, for weights of which something is known already."""
    columns, where = np.unique(weight, axis=1, return_inverse=True)
    outputs = walk.equations.fresh(columns.shape[1])
    walk.produced(outputs)
    for c, y in enumerate(outputs.tolist()):
        pairs = np.unique(np.stack([one, columns[:, c]]), axis=1)
        for x, w in pairs.T.tolist():
            walk.equations.row((1, w), (1, x), (-1, y))
    return outputs[where.ravel()]


def convolved(walk, given: dict) -> np.ndarray:
    """A convolution, of any dimension and with groups; one exponent a channel."""
    channels = by_channel(walk, walk.ids(given["input"]))
    weight, groups = walk.ids(given["weight"]), given["groups"]
    if given["transposed"]:  # (inputs, outputs/groups, places)
        weight = np.concatenate([np.swapaxes(w, 0, 1) for w in np.split(weight, groups)])
    outputs = []
    for w, x in zip(np.split(weight, groups), np.split(channels, groups), strict=True):
        flat = w.reshape(len(w), w.shape[1], -1)
        x = np.repeat(x[:, None], flat.shape[2], axis=1).ravel()
        outputs.append(matrix(walk, x[None], flat.reshape(len(w), -1).T)[0])
    found = np.concatenate(outputs).reshape(1, -1, *[1] * (given["input"].ndim - 2))
    walk.made_by(weight.reshape(len(weight), -1).T if groups == 1 and walk.made_of_weights(weight) else None)
    if isinstance(given.get("bias"), torch.Tensor):
        walk.equations.equate(found.ravel(), walk.number(given["bias"]))
        walk.shifts_begin(given["bias"].reshape(1, -1, *[1] * (given["input"].ndim - 2)), found.shape)
    return found


def affine(walk, given: dict, shape: tuple[int, ...]) -> np.ndarray:
    """The exponents after the factors and biases of a normalisation."""
    weight, bias = given.get("weight"), given.get("bias")
    gamma = walk.ids(weight) if isinstance(weight, torch.Tensor) else np.zeros(shape, np.int64)
    if isinstance(bias, torch.Tensor):
        walk.equations.equate(walk.number(bias), gamma)
    walk.produced(gamma.ravel())
    walk.bend(gamma)
    return gamma.reshape(shape)


def batch_norm(walk, given: dict) -> np.ndarray:
    """In training a channel is divided by its size over the batch; in eval mode by a constant."""
    x = given["input"]
    channels = by_channel(walk, walk.ids(x))
    shape = (1, -1, *[1] * (x.ndim - 2))
    if given.get("training", True):
        walk.normalised(channels, given["eps"], 2)
        walk.shifts_end(x, list(np.arange(len(channels))[:, None]), by="channel")
    else:
        walk.equations.vanish(channels)
    return affine(walk, given, (len(channels),)).reshape(shape)


def layer_norm(walk, given: dict) -> np.ndarray:
    """Every sample is divided by its size over the last axes."""
    x, inner = walk.ids(given["input"]), len(given["normalized_shape"])
    flat = x.reshape(-1, int(np.prod(x.shape[x.ndim - inner :])))
    walk.normalised(np.unique(alike(walk, flat, 1)), given["eps"], 2)
    walk.shifts_end(given["input"], None, by="sample")
    return affine(walk, given, tuple(x.shape[x.ndim - inner :]))


def rms_norm(walk, given: dict) -> np.ndarray:
    """As layer_norm, without a mean."""
    x, inner = walk.ids(given["input"]), len(given["normalized_shape"])
    flat = x.reshape(-1, int(np.prod(x.shape[x.ndim - inner :])))
    eps = given.get("eps") or float(torch.finfo(given["input"].dtype).eps)
    walk.normalised(np.unique(alike(walk, flat, 1)), eps, 2)
    return affine(walk, given, tuple(x.shape[x.ndim - inner :]))


def group_norm(walk, given: dict) -> np.ndarray:
    """Every sample and group of channels is divided by its size."""
    x, groups = by_channel(walk, walk.ids(given["input"])), given["group"]
    one = alike(walk, x.reshape(groups, -1), 1)[:, 0]
    walk.normalised(one, given["eps"], 2)
    walk.shifts_end(given["input"], list(np.arange(len(x)).reshape(groups, -1)), by="channel")
    return affine(walk, given, (len(x),)).reshape(1, -1, *[1] * (given["input"].ndim - 2))


def weight_norm(walk, given: dict) -> np.ndarray:
    """w = g v/|v|, the size over all axes but one (Salimans, Kingma 2016)."""
    v, axis = walk.ids(given["v"]), given.get("dim", 0)
    flat = np.moveaxis(v, axis, 0).reshape(v.shape[axis], -1)
    walk.normalised(alike(walk, flat, 1)[:, 0], 0.0, 2)
    return np.broadcast_to(walk.ids(given["g"]), v.shape)


def embedded(walk, given: dict) -> np.ndarray:
    """Rows of a table, all with one exponent for each column: which are read depends on the minibatch."""
    one = alike(walk, walk.ids(given["weight"]), 0)[0]
    walk.produced(one)
    return np.broadcast_to(one, (*given["indices"].shape, len(one)))


LAYERS = {
    "convolution": convolved, "native_batch_norm": batch_norm, "cudnn_batch_norm": batch_norm,
    "_native_batch_norm_legit": batch_norm, "_batch_norm_with_update": batch_norm,
    "native_layer_norm": layer_norm, "native_group_norm": group_norm, "_fused_rms_norm": rms_norm,
    "rms_norm": rms_norm, "_weight_norm_interface": weight_norm, "_weight_norm": weight_norm,
    "embedding": embedded,
}  # fmt: skip
LAYERS |= {name: lambda walk, given, name=name: multiplied_out(walk, name, given) for name in PRODUCTS}
