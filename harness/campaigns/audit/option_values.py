"""Another value for an option, one that suits its name and its type, and the options that it needs."""

from __future__ import annotations

import types
import typing

import torch

from noether.optimizers.claims import NUMBERS, number

BETAS = (0.8, 0.95)
SWITCHED = {"dampening": 0.3, "eps": 1e-3, "momentum": 0.8, "lr_decay": 0.1}
"""Name -> another value; where the value is this already, it is one and a half times that."""
MOMENTUM = ({"momentum": 0.9}, {"beta1": 0.9}, {"beta": 0.9})
DECAY = ({"weight_decay": 0.1}, {"wd": 0.1})
NEEDS: dict[str, tuple[dict, ...]] = {
    "nesterov": MOMENTUM, "dampening": MOMENTUM, "decoupled_weight_decay": DECAY, "weight_decouple": DECAY,
    "decoupled": DECAY, "decouple": DECAY, "fixed_decay": DECAY, "stable_decay": DECAY,
    "decoupled_decay": DECAY,
    "momentum_decay": MOMENTUM,
}  # fmt: skip
"""Option -> others, one of which must be on for it to matter."""
NOTHING: dict = {}


class NoOther(ValueError):
    """There is no other value that is known to be one."""


def other(name: str, value, annotation):
    """Another value. Raises NoOther with the reason."""
    if isinstance(value, bool):
        return not value
    if value is None:
        return instead_of_none(name, annotation)
    if isinstance(value, str):
        return other_word(value, annotation)
    if name == "betas" and isinstance(value, (tuple, list)) and len(value) == 2:
        return BETAS if tuple(value) != BETAS else (0.7, 0.9)
    if isinstance(value, (tuple, list)) and value and all(number(x) is not None or x is None for x in value):
        kind = tuple if isinstance(value, tuple) else list
        return kind(None if x is None else other_number("", x) for x in value)
    if isinstance(value, torch.Tensor) and value.numel() == 1 and value.is_floating_point():
        return value * 2
    if isinstance(value, (int, float)):
        return other_number(name, value)
    raise NoOther(f"no other value is known of {type(value).__name__}")


def other_number(name: str, value: float):
    """Another number: by name, else one and a half times it, and within 0 and 1 where it is there."""
    if name in SWITCHED and value != SWITCHED[name]:
        return SWITCHED[name]
    if NUMBERS.get(name) == "eta":
        return value * 2 if value else 1e-2
    if isinstance(value, int) and not isinstance(value, bool) and name not in NUMBERS:
        return value * 2 if value > 1 else value + 1
    if value == 0:
        return 0.1
    if NUMBERS.get(name) == "k":
        return value * 2
    return value * 1.5 if not 0.5 < value < 1 else 0.9 * value


def instead_of_none(name: str, annotation):
    """A value of an option that is None."""
    kinds = set(typing.get_args(annotation)) if is_union(annotation) else {annotation}
    words = [x for kind in kinds for x in typing.get_args(kind) if isinstance(x, str)]
    if bool in kinds:
        return True
    if words:
        return words[0]
    if NUMBERS.get(name) == "eta":
        return 1e-2
    if float in kinds:
        return SWITCHED.get(name, 0.1)
    if int in kinds:
        return 2
    raise NoOther("it is None, and nothing says what else it could be")


def other_word(value: str, annotation):
    """Another word of those that the annotation lists."""
    kinds = typing.get_args(annotation) if is_union(annotation) else (annotation,)
    for kind in kinds:
        for x in typing.get_args(kind):
            if isinstance(x, str) and x != value:
                return x
    raise NoOther(f"no other word than {value!r} is known")


def is_union(annotation) -> bool:
    """Whether an annotation is one of several."""
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def needed(name: str, given: dict) -> list[dict]:
    """Options that must be on beside one for it to matter: none first, then those that there are and are off.

    An option that nobody knows is also tried with decay, with momentum and with both.
    """
    known = name in NUMBERS or name in ("betas", "maximize", "amsgrad", "centered")
    sets = NEEDS.get(name, () if known else (*DECAY, *MOMENTUM, {"weight_decay": 0.1, "momentum": 0.9}))
    return [NOTHING, *(x for x in sets if all(option in given and not given[option] for option in x))]


def flags(name: str, given: dict, implementations) -> list[dict]:
    """Each other flag turned round: an option may have no use beside the default of one."""
    others = [x for x, y in given.items() if isinstance(y, bool) and x != name and x not in implementations]
    return [{x: not given[x]} for x in others]


def smaller(value):
    """A number at a quarter of what it was: an option may be a bound. None where there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value:
        return None
    return value / 4 if isinstance(value, float) else value // 4 or None
