"""What an option is expected to do: the anatomies for which arguments may stand, from one that is known on.

The anatomy of an optimizer is found with some arguments. Others change its numbers, or turn a feature on or
off; where a name leaves open how (decay may be coupled or not), each way is an alternative.
"""

from __future__ import annotations

from itertools import product

from noether.campaigns.audit.naming import WORDS, changed
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.claims import SWITCHES, numbers_of
from noether.optimizers.features import BY_NAME, GUESS

ALIKE = 2.0**-20  # of an argument: a number that was fitted is that argument
DECAYS = ("coupled", "decoupled", "after", "unscaled", "of the momentum", "late", "both", "growing",
          "coupled growing", "shift")  # fmt: skip
FREED = ("decoupled", "after", "unscaled")
"""How decay may act where it is decoupled."""
OPENS = {"amsgrad": ("amsgrad", "amsgrad corrected"), "nesterov": ("nesterov", "scheduled"),
         "decoupled": FREED}  # fmt: skip
"""Option of a flag -> the options that bear its name."""


def alternatives(anatomy: Anatomy, before: dict, after: dict, like: str | None = None) -> list[Anatomy]:
    """The anatomies for which the arguments `after` may stand, the likeliest first.

    anatomy  what is obeyed with the arguments `before`
    like     the rule in which arguments have their meaning, where it is known
    """
    old, new = numbers_of(before, like), numbers_of(after, like)
    values = {**GUESS, **numbers(anatomy, old, new)}
    open_features: dict[str, tuple[str, ...]] = {}
    turned(anatomy, old, new, open_features)
    for name, (feature, option) in SWITCHES.items():
        if bool(before.get(name)) == bool(after.get(name)):
            continue
        if feature == "decay" and not new.get("k"):
            continue
        there = OPENS.get(option, (option,))
        open_features[feature] = there if after.get(name) else (OFF.get(feature, plainest(feature)),)
    found = []
    for chosen in product(*open_features.values()):
        options = anatomy.features | dict(zip(open_features, chosen, strict=True))
        made = Anatomy(tuple(options.items()), tuple(values.items())).settled()
        if made not in found:
            found.append(made)
    return found or [anatomy]


OFF = {"decay": "coupled"}


def plainest(feature: str) -> str:
    """The plainest option of a feature."""
    return next(iter(BY_NAME[feature].options))


def numbers(anatomy: Anatomy, old: dict, new: dict) -> dict[str, float]:
    """The numbers with other arguments: what acts as another number than is given keeps its factor."""
    values = anatomy.values
    for name, x in new.items():
        was = old.get(name)
        if name not in values or was is None or abs(values[name] - was) <= ALIKE * abs(was):
            values[name] = x
        elif was and x != was:
            values[name] *= x / was
    return values


def turned(anatomy: Anatomy, old: dict, new: dict, into: dict[str, tuple[str, ...]]) -> None:
    """The features that numbers turn on or off by being 0 or not."""
    has = anatomy.features
    if new.get("k") and has["decay"] == "none":
        into["decay"] = DECAYS if has["family"] == "elementwise" else ("decoupled",)
    if old.get("k") and not new.get("k", 1):
        into["decay"] = ("none",)
    if new.get("beta") and has["momentum"] == "none":
        into["momentum"] = ("sum", "average", "dampened", "average from the first")
        into["carried"] = ("gradient", "update")
    if new.get("tau") and has["momentum"] in ("sum", "none"):
        into["momentum"] = ("dampened", "dampened throughout")
    if new.get("rate_decay") and not old.get("rate_decay"):
        into["rate"] = ("falling",)
    if new.get("initial") and not old.get("initial"):
        into["start"] = ("given",)


def acts(base: Anatomy, found: Anatomy) -> str:
    """What differs between two anatomies: each feature by what it says, each number by its value."""
    lines = []
    for name, _, value in changed(base, found):
        lines.append(BY_NAME[name].options[value] if name in BY_NAME else f"{WORDS[name]} is {value:.6g}")
    more = [name for name in found.values if name not in base.values]
    lines += [f"{WORDS[name]} is {found.values[name]:.6g}" for name in more]
    return ", ".join(lines) or "nothing else than before"


def against(
    name: str, before: Anatomy, found: Anatomy, given: dict, after: dict, like: str | None = None
) -> str | None:
    """Why what was found is not what the name of an option says, None where it may be.

    before, found  the anatomies with the arguments `given` and `after`
    """
    F, value = found.features, after[name]
    if F["decay"] in ("growing", "coupled growing"):
        return "decay has the wrong sign: parameters grow"
    if F["decay"] == "shift":
        return "decay takes lr times k from each parameter, whatever its size or sign: nothing decays"
    if F["decay"] == "both" and before.features["decay"] != "both":
        return "decay enters twice: it is added to the gradient and shrinks the parameter too"
    if name == "nesterov" and value is True and F["ahead"] in ("no", "old"):
        return "the step does not look ahead"
    if name in ("amsgrad", "ams_bound") and value is True and F["largest"] == "no":
        return "the present second moment divides, not the largest so far"
    if name == "maximize" and F["direction"] == before.features["direction"]:
        return "the parameters still go where they went without it"
    was, now = numbers_of({name: given.get(name)}, like), numbers_of({name: value}, like)
    for number, x in now.items():
        acted = number in before.values and number in was and near(before.values[number], was[number])
        if acted and number in found.values and not near(found.values[number], x):
            acting = f"{found.values[number]:.6g}"
            return f"{WORDS[number]} acted as given, {was[number]:.6g}; now it acts as {acting}"
    if "k" in now and now["k"] and F["decay"] == "none":
        return "nothing decays"
    return None


def near(x: float, y: float) -> bool:
    """Whether a fitted number is a given one."""
    return abs(x - y) <= ALIKE * abs(y)
