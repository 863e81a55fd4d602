"""What an operation of PyTorch means: its arguments by name, its tables, and where entries only move."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from noether.optimizers.operations import ELEMENTWISE, REDUCTIONS, gathered
from noether.optimizers.running import UNITS, WIDE, Running, choose, counted, narrow

COPIES = {"clone", "copy", "_to_copy", "contiguous", "lift_fresh_copy", "detach_copy", "view_copy"}
FILLED = {"zero": 0.0, "zeros": 0.0, "zeros_like": 0.0, "new_zeros": 0.0, "ones": 1.0, "ones_like": 1.0,
          "new_ones": 1.0}  # fmt: skip
FULL = {"full": "fill_value", "full_like": "fill_value", "new_full": "fill_value", "fill": "value",
        "scalar_tensor": "s"}  # fmt: skip
MOVED = {"index_select", "gather", "flip", "roll", "repeat", "index", "tril", "triu", "diag", "diagonal_copy",
         "diag_embed", "take", "masked_select", "t_copy", "permute_copy", "unfold_copy",
         "_unsafe_view"}  # fmt: skip
"""Operations that only move entries of their first operand, or put 0 in their place."""
JOINED = {"cat", "stack"}
PLACED = {"index_put": "values", "scatter": "src", "slice_scatter": "src", "select_scatter": "src",
          "index_copy": "source", "masked_scatter": "source", "diagonal_scatter": "src"}  # fmt: skip
"""Operations that put entries of a second operand in the place of some of the first."""


def meaning(name: str, kind: str, out: torch.Tensor, given: dict, operands: dict) -> Running | None:
    """What a result means, None where no table has the operation."""
    first = next(iter(operands.values()), None)
    if name in COPIES:
        source = operands.get("src", first)
        return rounded_to(kind, None, source) if isinstance(source, Running) else None
    if name in FILLED:
        return filled(FILLED[name], out, kind)
    if name in FULL:
        value = operands[FULL[name]]
        if isinstance(value, Running):
            return rounded_to(kind, None, Running(np.broadcast_to(value.value, out.shape), value.error))
        return filled(value, out, kind)
    if name in JOINED or name in MOVED:
        return moved(name, given, operands)
    if name in PLACED and not operands.get("accumulate"):
        return placed(name, given, operands)
    try:
        with np.errstate(all="ignore"):
            return computed(name, kind, given, operands, out)
    except NotImplementedError:
        return None


def computed(name: str, kind: str, given: dict, operands: dict, out) -> Running | None:
    """An operation of the tables."""
    if name == "max" and isinstance(operands.get("other"), Running):
        name = "maximum"
    if name == "min" and isinstance(operands.get("other"), Running):
        name = "minimum"
    if name in REDUCTIONS:
        return reduced(name, kind, operands)
    if name not in ELEMENTWISE or operands.get("rounding_mode"):
        return None
    if kind not in UNITS:
        return decided(LOGIC.get(name, name), given, operands)
    into = kind
    numbers = [converted(x, given[key], into) for key, x in operands.items() if counts(key, x)]
    named = {key: converted(x, given[key], into) for key, x in operands.items() if weight(key, x)}
    if not takes(name, len(numbers), tuple(named)):
        return None
    found = ELEMENTWISE[name](into, *numbers, **named)
    wanted = tuple(out.shape)
    if found.shape != wanted:
        found = Running(np.broadcast_to(found.value, wanted), np.broadcast_to(found.error, wanted))
    if name in OF_POSITIVE:
        found = undefined(found, numbers[0], out)
    return exact_where_it_is(name, into, numbers, named, found)


@cache
def takes(name: str, count: int, names: tuple[str, ...]) -> bool:
    """Whether an operation of the tables has so many operands, and factors of these names."""
    try:
        inspect.signature(ELEMENTWISE[name]).bind("", *[None] * count, **dict.fromkeys(names))
    except TypeError:
        return False
    return True


OF_POSITIVE = {"sqrt", "rsqrt", "log", "pow"}


def undefined(found: Running, x: Running, out: torch.Tensor) -> Running:
    """Where rounding may have taken an operand below 0, and the real result is no number: no bound."""
    lost = np.isnan(out.detach().double().numpy()) & (x.value - x.error < 0)
    return Running(found.value, np.where(lost, np.inf, found.error))


LOGIC = {"mul": "logical_and", "add": "logical_or"}
"""Operations on truth values."""


def decided(name: str, given: dict, operands: dict) -> Running:
    """A comparison: whether two are equal as their type stores them, so that a coefficient equals its copy;
    which is larger as they are meant, so that what vanishes in a type still has a sign."""
    numbers = compared_as(given, operands)
    found = ELEMENTWISE[name]("bool", *numbers)
    kinds = [kind_of(x) for x in given.values() if isinstance(x, torch.Tensor) and kind_of(x) in UNITS]
    if len(numbers) != 2 or not kinds or name not in ("eq", "ne"):
        return found
    stored = [stored_in(kinds[0], x) for x in numbers]
    return Running(ELEMENTWISE[name]("bool", *stored).value, found.error)


def stored_in(kind: str, x: Running) -> Running:
    """A number as a type stores it."""
    value = torch.from_numpy(np.atleast_1d(x.value).astype(np.float64)).to(getattr(torch, kind)).double()
    return Running(value.numpy().reshape(x.shape), WIDE(0))


def compared_as(given: dict, operands: dict) -> list[Running]:
    """The operands of a comparison: a number of Python's is rounded to the type of the tensor first."""
    kinds = [kind_of(given[key]) for key, x in operands.items() if isinstance(x, Running)]
    kind = next((x for x in kinds if x in UNITS), "float64")
    found = []
    for key, x in operands.items():
        if counts(key, x):
            found.append(x if isinstance(x, Running) else rounded_to(kind, None, Running(WIDE(x), WIDE(0))))
    return found


def reduced(name: str, kind: str, operands: dict) -> Running:
    """A reduction along axes."""
    x, axis = next(iter(operands.values())), operands.get("dim")
    axis = None if axis is None or axis == [] else axis if isinstance(axis, int) else tuple(axis)
    along = dict(axis=axis, keepdims=bool(operands.get("keepdim", False)))
    if "norm" in name:
        order = operands.get("ord", operands.get("p"))
        along["order"] = 2 if order is None else order
    return REDUCTIONS[name](kind, x, **along)


def counts(key: str, x) -> bool:
    """Whether an argument is an operand by its place."""
    is_number = isinstance(x, (Running, int, float)) and not isinstance(x, bool)
    return is_number and key not in ("alpha", "beta", "value", "out")


def weight(key: str, x) -> bool:
    """Whether an argument is a factor with a name; a factor of 1 is left out, for it rounds nothing."""
    return key in ("alpha", "beta", "value") and isinstance(x, (Running, int, float)) and not is_one(x)


def is_one(x) -> bool:
    """Whether a factor is the number 1."""
    return not isinstance(x, Running) and x == 1


def converted(x, given, kind: str) -> Running:
    """An operand as the operation takes it: a number in the type of the result, float64 in float32."""
    if not isinstance(x, Running):
        return scalar(x, kind)
    if isinstance(given, torch.Tensor) and kind != "float64" and kind_of(given) == "float64":
        return x.rounded(gathered(kind))
    return x


def scalar(x: float, kind: str) -> Running:
    """A number of Python's in an operation whose result has this type."""
    if counted(kind) == "float64" or not np.isfinite(x) or not narrow(kind):
        return Running(WIDE(x), WIDE(0))
    # 16-bit kernels take a factor in float32 or in 16 bits, as they are vectorised: at worst the latter.
    number = Running(WIDE(x), WIDE(0))
    return Running(number.value, abs(number.value - stored_in(kind, number).value))


EXACTLY_ROUNDED = {"add", "sub", "mul", "div", "sqrt"}


def exact_where_it_is(name: str, kind: str, numbers: list, named: dict, found: Running) -> Running:
    """The result without error where a correctly rounded operation of exact numbers has a single number that
    fits: counters of steps stay exact."""
    if found.value.ndim or name not in EXACTLY_ROUNDED or named or any(np.any(x.error) for x in numbers):
        return found
    fits = float(torch.tensor(float(found.value), dtype=getattr(torch, kind)).double()) == found.value
    return Running(found.value, WIDE(0)) if fits else found


def rounded_to(kind: str, source: str | None, found: Running) -> Running:
    """A copy into a type; exact where it has the same type, or the number fits anyway."""
    if kind not in UNITS or kind == source:
        return found
    fits = (stored_in(kind, found).value == found.value) & (found.error == 0)
    rounded = found.rounded(kind)
    return Running(found.value, np.where(fits, 0, rounded.error))


def filled(value: float, out: torch.Tensor, kind: str) -> Running:
    """A tensor of one number."""
    there = Running(np.full(out.shape, value, WIDE), np.zeros(out.shape, WIDE))
    return rounded_to(kind, None, there)


def moved(name: str, given: dict, operands: dict) -> Running | None:
    """Entries that only change their places: the operation itself moves the positions, counted from 1."""
    first, shadows = next(iter(given.values())), next(iter(operands.values()))
    sources, shadows = (first, shadows) if name in JOINED else ([first], [shadows])
    more = {key: x for i, (key, x) in enumerate(given.items()) if i}
    return followed(sources, shadows, lambda at: at if name in JOINED else at[0], name, more)


def placed(name: str, given: dict, operands: dict) -> Running | None:
    """Entries of a second operand in the place of some of the first."""
    own, other = next(iter(given)), PLACED[name]
    where = given.get("indices") if name == "index_put" else None
    if where and len(where) == 1 and where[0].dtype == torch.bool and given[other].numel() == 1:
        value = Running(operands[other].value.reshape(()), operands[other].error.reshape(()))
        return choose(operands["indices"][0], value, operands[own])  # x[mask] = number
    if not isinstance(given.get(other), torch.Tensor):
        return None
    more = {key: x for key, x in given.items() if key not in (own, other)}
    move = lambda at: at[0]
    return followed([given[own], given[other]], [operands[own], operands[other]], move, name, more, other)


def followed(sources, shadows, first: Callable, name: str, more: dict, second: str | None = None):
    """The shadow after an operation that moves entries, by what it does to their positions."""
    if not all(isinstance(x, Running) for x in shadows):
        return None
    places, begun = [], 1
    for x in sources:
        places.append(torch.arange(begun, begun + x.numel()).reshape(x.shape))
        begun += x.numel()
    more = more | ({second: places[1]} if second else {})
    at = getattr(torch.ops.aten, name)(first(places), **more).numpy()
    value = np.concatenate([np.zeros(1, WIDE), *(x.value.ravel() for x in shadows)])
    error = np.concatenate([np.zeros(1, WIDE), *(x.error.ravel() for x in shadows)])
    return Running(value[at], error[at])


def kind_of(x: torch.Tensor) -> str:
    """The name of a tensor's type."""
    return str(x.dtype).removeprefix("torch.")


def plain(x: torch.Tensor) -> bool:
    """Whether a tensor is strided, on the CPU, and of real numbers."""
    return x.layout == torch.strided and x.device.type == "cpu" and not x.is_complex()


def laid(flat: np.ndarray, x: torch.Tensor) -> np.ndarray:
    """The numbers of a storage as the tensor lies on it, a view of them."""
    if x.is_contiguous():
        return flat[x.storage_offset() : x.storage_offset() + x.numel()].reshape(tuple(x.shape))
    size = flat.itemsize
    begun = flat[x.storage_offset() :]
    return np.lib.stride_tricks.as_strided(begun, tuple(x.shape), [s * size for s in x.stride()])


def aliases(function, out: torch.Tensor, given: dict) -> bool:
    """Whether a result is a view of an argument that the operation did not write."""
    result = function._schema.returns[0].alias_info if function._schema.returns else None
    return result is not None and not result.is_write


def bound(function, args, kwargs: dict) -> dict:
    """The arguments of an operation by the names of its schema, with its defaults."""
    found = {}
    for i, argument in enumerate(function._schema.arguments):
        if i < len(args):
            found[argument.name] = args[i]
        elif argument.name in kwargs:
            found[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            found[argument.name] = argument.default_value
    return found


def nth(x, i: int):
    """The i-th of a list, of a tensor of factors, or what is the same for all rows."""
    if isinstance(x, (list, tuple)):
        return x[i] if len(x) > i else x
    return x
