"""The anatomy of an optimizer's step: a few features, each with its options, and a few numbers.

Most optimizers that move each parameter by itself are one step with other options: how decay enters, what is
averaged and how, what divides, where the stability is added, which starts are corrected. `motion.py` has that
step. An optimizer is identified by the anatomy that moves as it does, and a deviation is named by the feature
in which it differs from what was said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from noether.optimizers.features import FEATURES, GUESS, INSTEAD, LINEAR, PLAINLY, has, meant, reads


@dataclass(frozen=True)
class Anatomy:
    """Options of all features, and numbers by name.

    numbers   eta (lr), beta, beta2, stability (eps), k (weight decay), tau (dampening), rate_decay
              (lr_decay), initial (what the second moment starts from), psi (NAdam's momentum decay)
    """

    options: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, numbers: dict, **options) -> Anatomy:
        """Features that are not named have their plainest option. Raises KeyError, ValueError."""
        options = {name.replace("_", " "): option for name, option in options.items()}
        chosen = {}
        for feature in FEATURES:
            option = options.pop(feature.name, next(iter(feature.options)))
            if option not in feature.options:
                raise ValueError(f"{feature.name} is {option!r}, must be one of {', '.join(feature.options)}")
            chosen[feature.name] = option
        if options:
            raise KeyError(f"no feature {', '.join(options)}")
        return cls(tuple(chosen.items()), tuple(numbers.items())).settled()

    @property
    def features(self) -> dict[str, str]:
        """Feature -> option."""
        return dict(self.options)

    @property
    def values(self) -> dict[str, float]:
        """Number -> value."""
        return dict(self.numbers)

    def with_option(self, feature: str, option: str) -> Anatomy:
        """The same with one other option."""
        chosen = self.features | {feature: option}
        return Anatomy(tuple(chosen.items()), self.numbers).settled()

    def with_numbers(self, **numbers: float) -> Anatomy:
        """The same with other numbers."""
        return Anatomy(self.options, tuple((self.values | numbers).items())).settled()

    def settled(self) -> Anatomy:
        """Features without a meaning at their plainest, and the numbers that the step reads."""
        options, read = settled(self.options)
        values = self.values
        return Anatomy(options, tuple((name, values.get(name, GUESS[name])) for name in read))

    def differs(self, other: Anatomy) -> tuple[str, ...]:
        """The features in which two differ."""
        return tuple(name for name, option in self.options if other.features[name] != option)


@cache
def settled(options: tuple[tuple[str, str], ...]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Options with those without a meaning at their plainest, and the names of the numbers that a step of
    them reads: a search asks the same ten thousand times."""
    chosen = dict(options)
    for _ in FEATURES:  # a feature may lose its meaning when another does
        before = tuple(chosen.values())
        for feature in FEATURES:
            if not meant(feature, chosen):
                chosen[feature.name] = next(iter(feature.options))
            elif not has(feature.only.get(chosen[feature.name], {}), chosen):
                chosen[feature.name] = INSTEAD.get(chosen[feature.name], next(iter(feature.options)))
        if tuple(chosen.values()) == before:
            break
    linear = chosen["family"] == "elementwise" and all(
        chosen[name] == option for name, option in LINEAR.items()
    )
    if linear and chosen["decay"] in ("decoupled", "of the momentum"):
        chosen["decay"] = "coupled"  # q - eta (g + k q) is the same step
    if chosen["decay"] == "of the momentum" and all(chosen[name] == x for name, x in PLAINLY.items()):
        chosen["decay"] = "decoupled"  # q - eta (m + k q)
    if linear and chosen["decay"] == "growing":
        chosen["decay"] = "coupled growing"
    return tuple(chosen.items()), tuple(dict.fromkeys(reads(chosen)))
