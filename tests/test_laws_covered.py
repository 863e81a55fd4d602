"""Which rules and generators each exact law speaks of."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scalar_laws import AFFINE, BY_NAME, sample

from noether.cases.case import Symmetry, linear, rotation, translation
from noether.cases.rules import RULES
from noether.laws.exact import EXACT, decaying, massive, undisturbed

TURN, SHIFT, GROW = rotation(2, 0, 1), translation((1, 2)), Symmetry("scale", ((1, 0), (0, 1)), (0, 0))


PAIR, ALONG = linear([[1, 0], [0, -1]], "rescale"), translation((1, -1))


OWN_WAY = ("sign-descent", "exponentiated-gradient")
MIXED = "accelerated-mirror-descent"
NO_COVECTOR = (*OWN_WAY, "rmsprop-momentum", MIXED)
ALONG_NO_BUFFER = ("nesterov", "nesterov-increasing", "qhm", "heavy-ball-metric")


ADAPTIVE = tuple(name for name, rule in RULES.items() if rule.metric == "adaptive")


OF_SIGNS_OR_MATRICES = ("lion", "signum", "muon", "orthogonal-descent", "shampoo")
MEASURED = ("normalised-gradient", "lars")  # whose step is measured by a norm


BASE = dict(steps=3, lanes=4)


COVERED = {  # theory.md sections 3 and 5: which rule and which generator a law speaks of
    "D0": lambda rule, s: True,
    "D2": lambda rule, s: rule.name not in (*NO_COVECTOR, "mirror-descent"),
    "D3": lambda rule, s: (
        rule.momentum
        and rule.name not in (*NO_COVECTOR, "nesterov-increasing")  # which begins with a momentum of 0
        and (
            s in (SHIFT, ALONG)
            or (s is TURN and rule.name not in (*ALONG_NO_BUFFER, *ADAPTIVE, *OF_SIGNS_OR_MATRICES))
        )
    ),
    "D4": lambda rule, s: (
        s in (GROW, PAIR)
        and rule.name
        in ("gradient-descent", "heavy-ball", "heavy-ball-dampened", "heavy-ball-maximize", "lars")
    ),
    "D6": lambda rule, s: (
        s in (SHIFT, ALONG)
        and rule.name not in (*OWN_WAY, *ADAPTIVE, *OF_SIGNS_OR_MATRICES, *MEASURED, MIXED)
        and rule.name not in ("mirror-descent", "natural-gradient", "heavy-ball-metric")
    ),
    "D8": lambda rule, s: rule.name == "sign-descent" and s is PAIR,
    "D7": lambda rule, s: (
        rule.name in ("mirror-descent", "natural-gradient")
        or rule.name == "exponentiated-gradient"
        and s is ALONG
    ),
    "D1": lambda rule, s: (
        rule.name in ("gradient-descent", "heavy-ball", "heavy-ball-dampened", "heavy-ball-maximize")
    ),
    "D5": lambda rule, s: (
        s is GROW and rule.name in ("heavy-ball", "heavy-ball-dampened", "heavy-ball-maximize")
    ),
    "D10": lambda rule, s: rule.name == "heavy-ball-decoupled",
    "D11": lambda rule, s: s is GROW and rule.name == "gradient-descent",
}


@pytest.mark.parametrize("law", COVERED)
def test_a_law_speaks_of_just_these_rules_and_generators(law):
    for rule, symmetry in product(RULES.values(), (TURN, SHIFT, GROW, PAIR, ALONG)):
        assert bool(EXACT[law].suits(rule, symmetry)) == COVERED[law](rule, symmetry), (
            rule.name,
            symmetry.name,
        )
    assert EXACT["D3"].suits is decaying and EXACT["D4"].suits is massive
    assert EXACT[law].about_symmetry == (law not in ("D0", "D1", "D10"))


@pytest.mark.parametrize("symmetry", [TURN, SHIFT], ids=lambda s: s.name)
@pytest.mark.parametrize("rule", ["heavy-ball", "heavy-ball-decoupled"])
def test_D3_covers_unbroken_lanes_and_translations_without_coupled_decay(rule, symmetry):
    t = sample(AFFINE, RULES[rule], "float64")
    t.eps, t.k = np.array([0, 0, 1, 1.0]), np.array([0, 1, 0, 1.0])
    free = symmetry is TURN or rule == "heavy-ball-decoupled"
    assert list(undisturbed(t, symmetry)) == [True, free, False, False]
    assert list(EXACT["D3"].covers(t, symmetry)) == [True, free, False, False]
    assert not EXACT["D3"].covers(t, GROW).any() and EXACT["D0"].covers(t, None).all()


def test_D6_needs_two_steps():
    for steps, covered in ((1, False), (2, True)):
        t = sample(AFFINE, RULES["heavy-ball"], "float64", steps=steps)
        assert list(EXACT["D6"].covers(t, SHIFT)) == [covered] * t.lanes


def test_a_law_concerns_a_case_by_any_of_its_symmetries():
    hat, mirror = BY_NAME["mexican-hat"], BY_NAME["entropy-mirror"]
    assert EXACT["D3"].concerns(hat, RULES["heavy-ball"]) and not EXACT["D6"].concerns(
        hat, RULES["heavy-ball"]
    )
    assert EXACT["D6"].concerns(
        replace(hat, symmetries=(*hat.symmetries, translation((1, 0, 0)))), RULES["heavy-ball"]
    )
    assert EXACT["D0"].concerns(mirror, RULES["mirror-descent"]) and not EXACT["D2"].concerns(
        mirror, RULES["mirror-descent"]
    )
