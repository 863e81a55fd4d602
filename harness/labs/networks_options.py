"""What options of a training script do to the laws: each prediction, then what is measured.

Run as `python -m noether.labs.networks_options`: Markdown on stdout; the exit code is 1 where a prediction
fails.

    update      each step is the definition of the optimizer, of the gradient that it was given (N1)
    charges     the charge of each symmetry has the balance of its rule (N2)
    slope       <g, xi> = 0 along each symmetry, for the gradient of the outputs done again in float64 (N3)
    eps         of a scale, <g, xi> is what the eps of the normalisation gives, and no more
    covariance  parameters before a normalisation times 2, its eps and their step size times 4: the whole run
                is the same, bit by bit, but for the factor 2
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from noether.labs.networks_probes import called_once, covariance, tied_alone, two_masks
from noether.labs.networks_table import Course, course
from noether.networks.check import BROKEN, EPS, KEPT, Checked, checked, walked
from noether.networks.families import KINDS, SCALE, TRANSLATION
from noether.networks.recipes import Recipe
from noether.networks.zoo import network

STEPS, EVERY = 60, 5
BASE = "batchnorm-mlp"
ROUNDED = 2.0**-40
"""What float64 rounds of a slope is less of its reach: 2^-53 times a few thousand terms."""


@dataclass(frozen=True)
class Measured:
    """All that is measured of a recipe.

    course      what a watch sees
    checked     the families of the network in training mode, in the mode of the recipe
    found       kind -> generators that are kept, of those that a walk finds in the mode of the recipe
    covariance  by which part the run of doubled parameters is another one; None where not asked
    """

    course: Course
    checked: list[Checked]
    found: dict[str, int]
    covariance: float | None

    @property
    def broken(self) -> dict[str, float]:
        """kind -> how far the families of the training mode are broken, at most."""
        found: dict[str, float] = {}
        for x in self.checked:
            if x.verdict == BROKEN:
                found[x.family.kind] = max(x.breaking, found.get(x.family.kind, 0.0))
        return found

    @property
    def counts(self) -> tuple[int, ...]:
        """Generators that are kept, in the order of KINDS."""
        return tuple(self.found.get(kind, 0) for kind in KINDS)


@dataclass(frozen=True)
class Option:
    """An option, what it must do to the laws, and how that is decided.

    predicted  sentences, each with what must be true of what is measured
    """

    name: str
    recipe: Recipe
    predicted: tuple[tuple[str, Callable[[Measured], bool]], ...]
    network: str = BASE
    build: Callable[[], nn.Module] | None = None
    is_doubled: bool = True


def obeys(m: Measured) -> bool:
    """Whether update, charges and slope hold in all that was judged, and something was."""
    laws = m.course.judged
    return (
        not m.course.told
        and not m.course.fault
        and all(laws.get(x, (0, 0))[0] > 0 for x in ("N1", "N2", "N3"))
    )


def keeps(*counts: int) -> Callable[[Measured], bool]:
    """Whether so many generators are kept, in the order of KINDS, and none of the training mode is lost."""
    return lambda m: m.counts == counts and not m.broken


def loud(model: nn.Module) -> nn.Module:
    """Logits 300 times as large: 2^16 times their slopes are beyond float16."""
    with torch.no_grad():
        model.head.weight.mul_(300)
    return model


HOLDS = ("update, charges and slope hold", obeys)
ALL = ("all families are kept, scales but for what eps gives", keeps(64, 64, 97, 0))
BITS = ("the run of doubled parameters is the same in every bit", lambda m: m.covariance == 0)
OTHER = lambda why: (f"{why}: the run of doubled parameters is another", lambda m: m.covariance > 0)
WHY = {
    "eval": "BatchNorm divides by constants: its scales and the translations of biases before it go; "
    "rescales and the translations of the head stay",
    "lost": "what goes is broken by the size of the gradient itself, in both kinds",
    "layer": "LayerNorm has no other mode: all families are kept",
    "augment": "symmetries are of the parameters and hold for any data: all three hold",
    "accumulate": "the gradient of each micro-batch has no slope, and so their sum: all three hold",
    "clip": "the gradient is multiplied by one number below 1: it has no slope, and the update holds of it",
    "decay": "decay comes after the gradient: all three hold",
    "quarter": "the run of doubled parameters, with a quarter of the decay, is the same in every bit",
    "autocast": "parameters and update are float32, as before; the gradient is rounded to 8 bits and its "
    "slope with it, which vanishes in float64: all three hold",
    "narrow": "the update is the rule to the rounding of 8 bits: all three hold",
    "still": "more numbers stand still than in float32, where the rule moves them",
    "scaled": "what the optimizer is given is 2^-16 of what was sent back, exactly: all three hold",
    "left": "steps whose gradient is not finite are left out and no law is asked of them; the others hold",
    "dropout": "a mask multiplies units and commutes with rescales: all families of one without dropout",
}
momentum = lambda **more: Recipe("momentum", **more)
OPTIONS = (
    Option("nothing", momentum(), (HOLDS, ALL, BITS)),
    Option(
        "normalisations in eval",
        momentum(norms="eval"),
        (
            (WHY["eval"], lambda m: m.counts == (0, 64, 33, 0)),
            (WHY["lost"], lambda m: set(m.broken) == {SCALE, TRANSLATION}),
            HOLDS,
            OTHER("nothing divides by the size any more"),
        ),
    ),
    Option(
        "LayerNorm in eval",
        momentum(norms="eval"),
        ((WHY["layer"], keeps(2, 32, 97, 0)), HOLDS),
        network="layernorm-mlp",
        is_doubled=False,
    ),
    Option("augmentation", momentum(augment=True), ((WHY["augment"], obeys), ALL, BITS)),
    Option(
        "accumulation over 4 micro-batches", momentum(accumulate=4), ((WHY["accumulate"], obeys), ALL, BITS)
    ),
    Option(
        "clipping to a norm of 0.5",
        momentum(clip=0.5),
        (
            (WHY["clip"], lambda m: obeys(m) and m.course.factors[0] < 1),
            ALL,
            OTHER("a norm of 0.5 is a size"),
        ),
    ),
    Option("weight decay", Recipe("decay"), ((WHY["decay"], obeys), ALL, (WHY["quarter"], BITS[1]))),
    Option(
        "bfloat16 by autocast",
        momentum(precision="bfloat16-autocast"),
        ((WHY["autocast"], obeys), ALL, BITS),
    ),
    Option(
        "bfloat16 throughout",
        momentum(precision="bfloat16"),
        ((WHY["narrow"], obeys), (WHY["still"], lambda m: m.course.still > baseline().course.still), BITS),
    ),
    Option(
        "float16 with a scaled loss",
        momentum(precision="float16-scaled"),
        ((WHY["scaled"], lambda m: obeys(m) and set(m.course.factors) == {2.0**-16}), ALL),
    ),
    Option(
        "float16 with a loss that overflows",
        momentum(precision="float16-scaled"),
        ((WHY["left"], lambda m: m.course.skipped > 0 and obeys(m)),),
        network="relu-mlp",
        build=lambda: loud(network("relu-mlp").build()),
        is_doubled=False,
    ),
    Option(
        "dropout",
        momentum(),
        ((WHY["dropout"], keeps(0, 64, 33, 0)), HOLDS),
        network="dropout-mlp",
        is_doubled=False,
    ),
)


@cache
def baseline() -> Measured:
    """The first option, which is none."""
    return measured(OPTIONS[0])


def measured(option: Option) -> Measured:
    """All of one option."""
    one = network(option.network)
    if option.build is not None:
        one = dataclasses.replace(one, build=option.build)
    seen = course(one, option.recipe, steps=STEPS, every=EVERY)
    model, call = called_once(one, option.recipe)
    found: dict[str, int] = {}
    for x in checked(model, [call], walked(model, call)[0]):
        if x.verdict in (KEPT, EPS):
            found[x.family.kind] = found.get(x.family.kind, 0) + x.family.count
    before = checked(model, [call], walked(*called_once(one, Recipe()))[0])
    return Measured(seen, before, found, covariance(one, option.recipe) if option.is_doubled else None)


def section(option: Option) -> tuple[list[str], bool]:
    """What is said of one option, and whether all of it was predicted."""
    m = baseline() if option is OPTIONS[0] else measured(option)
    held = [(words, bool(test(m))) for words, test in option.predicted]
    lines = [f"## {option.name[0].upper()}{option.name[1:]}", "", "Predicted:", ""]
    lines += [
        f"- {words[0].upper()}{words[1:]} - {'so it is' if ok else '**not so**'}." for words, ok in held
    ]
    c = m.course
    left = max((x.unexplained for x in m.checked if x.verdict in (KEPT, EPS)), default=0.0)
    off = "-" if m.covariance is None else f"{m.covariance:.1e}" if m.covariance else "no bit"
    told = {
        "update spends": f"{c.spent.get('N1', 0):.3g}",
        "charges spend": f"{c.spent.get('N2', 0):.3g}",
        "slope spends": f"{c.spent.get('N3', 0):.2g}",
        "slope of the gradient as given": f"{c.share:.1e}",
        "slope left after eps": f"{left:.0e}",
        "broken": ", ".join(f"{kind} by {x:.2g}" for kind, x in m.broken.items()) or "none",
        "gradient given / sent back": " to ".join(f"{x:.4g}" for x in dict.fromkeys(c.factors)),
        "covariance off by": off,
        "stand still": f"{100 * c.still:.2g} %",
        "steps left out": f"{c.skipped} of {STEPS}",
    }
    lines += ["", f"| {' | '.join(told)} |", "|" + "--:|" * len(told), f"| {' | '.join(told.values())} |", ""]
    return lines, all(ok for _, ok in held)


def by_hand() -> tuple[list[str], bool]:
    """What no watch sees: a gradient by another mask, and families that are made wrong."""
    (apart, along), tied = two_masks(), list(tied_alone())
    held = [along < ROUNDED < apart, *(together < ROUNDED < alone for _, alone, together in tied)]
    told = ["so it is" if ok else "**not so**" for ok in held]
    return [
        "## Another mask of dropout",
        "",
        "Predicted:",
        "",
        f"- The gradient is another one, and orthogonal to the same rescales - {told[0]}: of one batch by "
        f"two masks they are {apart:.2g} of their size apart, and the second has {along:.0e} of its reach.",
        "",
        "## Tied weights",
        "",
        "Predicted:",
        "",
        *(
            f"- `{name}`: a rescale of one use alone is no symmetry, of all uses at once it is one - {said}: "
            f"the slope is {alone:.2g} of its reach alone, and {together:.0e} together."
            for said, (name, alone, together) in zip(told[1:], tied, strict=True)
        ),
    ], all(held)


def main() -> int:
    """Print the page."""
    torch.set_num_threads(1)
    wrong = 0
    for make in (*(lambda option=option: section(option) for option in OPTIONS), by_hand):
        lines, is_right = make()
        wrong += not is_right
        print("\n".join(lines), flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
