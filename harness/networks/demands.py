"""What each operation of PyTorch demands of the exponents of its operands, and which its result has.

    gives(walk, given) -> exponents of the result, in its shape or one that broadcasts to it

An operation that is in no table demands that its operands do not scale at all, which is always safe: a
symmetry may be missed by it, and none is invented.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from noether.networks.exponents import CONSTANT, DATA, NOTHING

SMALL = 1e-2
"""A positive constant below it that is added to a square is an eps: it breaks a scale a little."""
BENDING = {"relu", "leaky_relu", "abs", "_prelu_kernel", "threshold"}
"""They keep positive factors of single channels, and no mixture of channels."""
FIXED = {"gelu", "silu", "tanh", "sigmoid", "exp", "log", "erf", "softplus", "hardtanh", "elu", "sin", "cos",
         "hardswish", "hardsigmoid", "mish", "log_softmax", "expm1", "log1p", "tan", "atan", "hardshrink",
         "logsumexp", "log_sigmoid_forward", "cumprod", "prod"}  # fmt: skip
SOFTMAX = {"_softmax", "_safe_softmax", "_log_softmax"}
POWERS = {"sqrt": (1, 2), "rsqrt": (-1, 2), "reciprocal": (-1, 1), "square": (2, 1)}
"""Name -> numerator and denominator of the power."""
SUMS = {"sum", "mean", "amax", "amin", "var", "std", "linalg_vector_norm", "norm", "nansum", "max",
        "min", "std_mean"}  # fmt: skip
PRODUCTS = {"mm": ("self", "mat2"), "bmm": ("self", "mat2"), "addmm": ("mat1", "mat2"),
            "baddbmm": ("batch1", "batch2")}  # fmt: skip
POOLS = {"max_pool2d_with_indices", "avg_pool2d", "_adaptive_avg_pool2d", "adaptive_max_pool2d",
         "max_pool3d_with_indices", "upsample_nearest2d", "upsample_bilinear2d", "avg_pool3d",
         "_adaptive_avg_pool3d"}  # fmt: skip


def added(walk, given: dict) -> np.ndarray:
    """A sum: both terms have one exponent, but where one of them is a constant 0."""
    a, b = given["self"], given.get("other")
    if not isinstance(b, torch.Tensor):
        return added_number(walk, walk.ids(a), 0 if b is None else float(b))
    left, right = np.broadcast_arrays(walk.number(a), walk.number(b))
    walk.equations.equate(left, right)
    walk.shifts_add(a, b)
    return np.where(left == NOTHING, right, left)


def added_number(walk, x: np.ndarray, number: float) -> np.ndarray:
    """x + number: x does not scale unless the number is 0, or so small that it is an eps."""
    if number == 0:
        return x
    if 0 < number < SMALL:
        walk.told_eps(x, number)
        return x
    walk.equations.vanish(x)
    return np.zeros_like(x)


def multiplied(walk, given: dict) -> np.ndarray:
    """A product: exponents add up."""
    return combined(walk, given["self"], given["other"], 1)


def divided(walk, given: dict) -> np.ndarray:
    """A quotient: that of the divisor is taken away."""
    if given.get("rounding_mode") is not None:
        return stands(walk, given)
    return combined(walk, given["self"], given["other"], -1)


def combined(walk, a, b, sign: int) -> np.ndarray:
    """The exponents of a b or a / b."""
    if not isinstance(b, torch.Tensor):
        return walk.ids(a)
    left, right = np.broadcast_arrays(walk.number(a), walk.number(b))
    nothing = (left == NOTHING) | (right == NOTHING)
    if b.numel() > 1 or a.numel() > 1:
        walk.bend(left if b.numel() > 1 else right)
        walk.bend(right if a.numel() > 1 else left)
    if sign > 0 and not (left > DATA).any() or not (right > DATA).any():
        return np.where(nothing, NOTHING, np.maximum(left, right))
    return np.where(nothing, NOTHING, new_for(walk, left, right, sign))


def new_for(walk, left: np.ndarray, right: np.ndarray, sign: int) -> np.ndarray:
    """A new variable for each pair that occurs: left + sign right."""
    pairs, where = np.unique(np.stack([left.ravel(), right.ravel()]), axis=1, return_inverse=True)
    made = walk.equations.fresh(pairs.shape[1])
    for (x, y), c in zip(pairs.T.tolist(), made.tolist(), strict=True):
        walk.equations.row((1, x), (sign, y), (-1, c))
    return made[where.ravel()].reshape(left.shape)


def power(walk, x: np.ndarray, numerator: int, denominator: int) -> np.ndarray:
    """x^(numerator/denominator)."""
    kinds, where = np.unique(x, return_inverse=True)
    made = walk.equations.fresh(len(kinds))
    for a, c in zip(kinds.tolist(), made.tolist(), strict=True):
        walk.equations.row((numerator, a), (-denominator, c))
    walk.bend(x)
    return made[where.ravel()].reshape(x.shape)


def clamped(walk, given: dict) -> np.ndarray:
    """max(x, 0) and min(x, 0) keep positive factors; so does a small floor, where it is not reached."""
    least, most = given.get("min"), given.get("max")
    is_floor = least is None or not isinstance(least, torch.Tensor) and 0 <= least < SMALL
    if is_floor and (most is None or not isinstance(most, torch.Tensor) and most == 0):
        return bent(walk, {"self": given["self"]})
    return stands(walk, given)


def bent(walk, given: dict) -> np.ndarray:
    """The exponents of the first operand: positive factors of single numbers go through."""
    if given.get("threshold", 0) != 0 or given.get("value", 0) != 0:
        return stands(walk, given)
    if isinstance(given.get("weight"), torch.Tensor):  # the slope of PReLU
        walk.equations.vanish(walk.ids(given["weight"]))
    walk.bend(walk.ids(given["self"]))
    return walk.ids(given["self"])


def raised(walk, given: dict) -> np.ndarray:
    """x^p for a whole number p."""
    p = given.get("exponent")
    if not isinstance(given["self"], torch.Tensor) or isinstance(p, torch.Tensor) or float(p) != int(p):
        return stands(walk, given)
    return power(walk, walk.ids(given["self"]), int(p), 1)


def stands(walk, given: dict) -> np.ndarray:
    """Nothing among the operands scales, and so the result does not."""
    for x in walk.tensors(given):
        walk.equations.vanish(walk.ids(x))
    return np.zeros((), dtype=np.int64)


def summed(walk, given: dict) -> np.ndarray:
    """A sum over some axes: one exponent along them, kept where the axis is."""
    x = walk.ids(given["self"])
    axes = given.get("dim")
    axes = range(x.ndim) if axes is None or axes == [] else [axes] if isinstance(axes, int) else list(axes)
    for axis in axes:
        x = alike(walk, x, axis)
    return x if given.get("keepdim") else np.squeeze(x, tuple(axes)) if x.ndim else x


def alike(walk, x: np.ndarray, axis: int) -> np.ndarray:
    """One exponent along an axis, of which the first stands for all; the axis has length 1 then."""
    if not x.ndim:
        return x
    first = np.take(x, [0], axis=axis)
    if (first == NOTHING).any():
        first = np.max(x, axis=axis, keepdims=True)
    walk.equations.equate(x, first)
    return first


def chosen(walk, given: dict) -> np.ndarray:
    """where(condition, a, b), and the larger or smaller of two: a constant 0 or infinity has any exponent."""
    left, right = np.broadcast_arrays(*(numbers(walk, given[name]) for name in ("self", "other")))
    walk.equations.equate(left, right)
    walk.bend(np.where(left == NOTHING, right, left))
    return np.where(left == NOTHING, right, left)


def numbers(walk, x) -> np.ndarray:
    """The exponents of a tensor or a number; NOTHING where a constant is 0 or infinite."""
    if isinstance(x, torch.Tensor):
        return walk.number(x)
    return np.array(NOTHING if x == 0 or not np.isfinite(x) else CONSTANT)


def compared(walk, given: dict) -> np.ndarray:
    """x > y and its kin: the answer stays where both grow alike, or one of them is 0."""
    left, right = np.broadcast_arrays(*(numbers(walk, given[name]) for name in ("self", "other")))
    walk.equations.equate(left, right)
    walk.bend(left)
    walk.bend(right)
    return np.zeros((), dtype=np.int64)


def sign(walk, given: dict) -> np.ndarray:
    """A sign does not scale, and is the same for every positive factor."""
    walk.bend(walk.ids(given["self"]))
    return np.zeros((), dtype=np.int64)


def filled(walk, given: dict) -> np.ndarray:
    """masked_fill: only 0 and infinities leave the exponents as they are."""
    value = given.get("value")
    number = float(value) if not isinstance(value, torch.Tensor) or value.numel() == 1 else 1.0
    if number != 0 and np.isfinite(number):
        return stands(walk, {"self": given["self"]})
    return walk.ids(given["self"])


def attended(walk, given: dict) -> np.ndarray:
    """scaled_dot_product_attention: scores do not scale, and values have one exponent over the keys."""
    q, k, v = (walk.ids(given[name]) for name in ("query", "key", "value"))
    scores = walk.product(q, np.swapaxes(k, -1, -2))
    walk.equations.vanish(scores)
    walk.shifted_keys(given["key"], -1)
    first = alike(walk, v, -2)
    for row in np.unique(first.reshape(-1, v.shape[-1]), axis=0):
        walk.carried(row)
    return np.broadcast_to(first, (*q.shape[:-1], v.shape[-1]))


def pooled(walk, given: dict) -> np.ndarray:
    """A pooling over places: one exponent a channel."""
    x = by_channel(walk, walk.ids(given["self"]))
    walk.bend(x)
    return x.reshape(1, -1, *[1] * (given["self"].ndim - 2))


def by_channel(walk, x: np.ndarray) -> np.ndarray:
    """One exponent for each channel of (batch, channels, places ...), (channels,)."""
    flat = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    return alike(walk, flat, 1)[:, 0]


TABLE: dict[str, Callable] = {
    "add": added, "sub": added, "rsub": added, "mul": multiplied, "div": divided, "pow": raised,
    "where": chosen, "masked_fill": filled, "clamp": clamped, "clamp_min": clamped, "clamp_max": clamped,
    "neg": lambda walk, given: walk.ids(given["self"]), "maximum": chosen, "minimum": chosen, "sign": sign,
    "_scaled_dot_product_flash_attention_for_cpu": attended, "_scaled_dot_product_flash_attention": attended,
    "_scaled_dot_product_efficient_attention": attended, "_scaled_dot_product_cudnn_attention": attended,
}  # fmt: skip
TABLE |= dict.fromkeys(BENDING, bent) | dict.fromkeys(("gt", "ge", "lt", "le", "eq", "ne"), compared)
TABLE |= dict.fromkeys(SUMS, summed) | dict.fromkeys(POOLS, pooled) | dict.fromkeys(FIXED, stands)
TABLE |= {
    name: lambda walk, given, p=p: power(walk, walk.ids(given["self"]), *p) for name, p in POWERS.items()
}
