"""The units of a rule's lines say under which changes of scale it goes its way again."""

from dataclasses import replace
from fractions import Fraction

import pytest

from noether.cases.rules import RULES
from noether.cases.rules.adam import ADAM
from noether.cases.units import LOSS, ONE, PLACE, Sized, Zero, asked, scaling
from noether.report import rulebook

BY_ETA = {"gradient-descent", "heavy-ball", "nesterov", "qhm", "natural-gradient", "mirror-descent"}
FREE = {"adagrad", "rmsprop", "rmsprop-centred", "rmsprop-momentum", "adam", "adamw", "amsgrad", "adamax",
        "nadam", "lamb", "lars", "lion", "signum", "sign-descent", "normalised-gradient", "muon",
        "shampoo"}  # fmt: skip


def powers(rule, change, without=(), d=4):
    """The powers of parameters and first components, as plain numbers; None where there is no such change."""
    found = scaling(rule, d, change, without)
    if found is None:
        return None
    return {name.partition("[")[0]: power for name, power in found.powers.items() if "[1]" not in name}


@pytest.mark.parametrize("name", sorted(BY_ETA))
def test_rules_that_follow_the_gradient_want_eta_over_a(name):
    assert powers(RULES[name], LOSS)["eta"] == -1


@pytest.mark.parametrize("name", sorted(FREE))
def test_rules_that_read_no_size_of_the_gradient_leave_eta_alone(name):
    rule = RULES[name]
    found = powers(rule, LOSS)
    assert found is not None and "eta" not in found and found["g"] == 1
    if "s" in rule.buffers:
        assert found["s"] == 2


def test_adam_has_the_units_of_its_paper():
    assert powers(ADAM, LOSS) == {"g": 1, "m": 1, "s": 2, "stability": 1, "k": 1}
    assert powers(ADAM, PLACE) == {"q": 1, "g": -1, "m": -1, "s": -2, "stability": -1, "k": -2, "eta": 1}
    assert scaling(ADAM, 4, ONE) is None  # stability and decay are of all components
    assert powers(ADAM, ONE, ("stability", "k")) == {"g": 1, "m": 1, "s": 2}


def test_decoupled_decay_has_another_unit_than_coupled_one():
    assert "k" not in powers(RULES["adamw"], LOSS)
    assert (powers(ADAM, PLACE)["k"], powers(RULES["adamw"], PLACE)["k"]) == (-2, -1)


def test_heavy_ball_on_a_scale_invariant_loss_is_the_law_d13():
    """q -> a q and f(q / a): eta times a^2, k over a^2, v times a."""
    assert powers(RULES["heavy-ball"], PLACE) == {"q": 1, "g": -1, "v": 1, "k": -2, "eta": 2}


@pytest.mark.parametrize("name", ["mirror-descent", "exponentiated-gradient"])
def test_a_logarithm_has_no_unit(name):
    assert scaling(RULES[name], 4, PLACE) is None


def test_radam_has_no_scale_because_its_first_steps_do_not_divide():
    assert all(scaling(RULES["radam"], 4, change) is None for change in (LOSS, PLACE, ONE))


def test_adadelta_wants_another_eta_only_for_its_stability():
    adadelta = RULES["adadelta"]
    assert powers(adadelta, LOSS)["eta"] == -1 and powers(adadelta, PLACE)["eta"] == 2
    assert "eta" not in powers(adadelta, LOSS, ("stability",))
    assert "eta" not in powers(adadelta, PLACE, ("stability",))


def test_fourth_roots_ask_for_even_powers():
    assert scaling(RULES["shampoo"], 4, LOSS).fine == 2
    assert scaling(RULES["muon"], 6, LOSS).fine == scaling(ADAM, 4, LOSS).fine == 1


def wrong(change):
    """Adam with another update, its terms left behind."""
    other = object.__new__(type(ADAM))
    for name in ADAM.__dataclass_fields__:
        object.__setattr__(other, name, getattr(ADAM, name))
    object.__setattr__(other, "update", change)
    return other


def adam_with(below, square):
    """An update of Adam with another denominator and another square."""

    def update(q, buffers, g, p, xp):
        f = [gi + p.k * qi for qi, gi in zip(q, g, strict=True)]
        m = [p.beta * mi + (1 - p.beta) * fi for mi, fi in zip(buffers[0], f, strict=True)]
        s = [p.beta2 * si + (1 - p.beta2) * square(fi, xp) for si, fi in zip(buffers[1], f, strict=True)]
        return [qi - p.eta * mi / below(si, p, xp) for qi, mi, si in zip(q, m, s, strict=True)], [m, s]

    return wrong(update)


def test_a_wrong_power_has_other_units():
    right = adam_with(lambda s, p, xp: xp.sqrt(s) + p.stability, lambda f, xp: f * f)
    assert powers(right, LOSS) == powers(ADAM, LOSS)
    inside = adam_with(lambda s, p, xp: xp.sqrt(s + p.stability), lambda f, xp: f * f)
    assert powers(inside, LOSS)["stability"] == 2
    no_root = adam_with(lambda s, p, xp: s + p.stability, lambda f, xp: f * f)
    assert (powers(no_root, LOSS)["eta"], powers(no_root, LOSS)["stability"]) == (1, 2)
    moduli = adam_with(lambda s, p, xp: xp.sqrt(s) + p.stability, lambda f, xp: xp.absolute(f))
    assert powers(moduli, LOSS)["eta"] == -Fraction(1, 2) and scaling(moduli, 4, LOSS).fine == 2


def test_nothing_is_divided_by_a_parameter_that_is_0():
    divided = adam_with(lambda s, p, xp: p.stability, lambda f, xp: f * f)
    with pytest.raises(Zero, match="divides by a parameter that is 0"):
        asked(divided, 4, ("stability",))
    assert scaling(divided, 4, LOSS, ("stability",)) is None and scaling(divided, 4, LOSS) is not None


def test_units_add_up_as_powers_do():
    rules = asked(ADAM, 4)
    x, y = Sized({"x": 1}, rules), Sized({"y": 2}, rules)
    assert (x * x / y).form == {"x": 2, "y": -2} and (x**3).form == {"x": 3} and (1 / x).form == {"x": -1}
    assert (x / x).form == {} and (0 * x).form is None and (0 + x).form == {"x": 1}
    assert replace(scaling(ADAM, 4, LOSS), fine=3).power("s[0]") == 6


def test_show_tells_the_scales_and_turns_of_a_rule():
    told = rulebook.shown(ADAM)
    assert told["scales"][LOSS] == {"g": "1", "m": "1", "s": "2", "stability": "1", "k": "1"}
    assert told["turns"] == ["two parameters exchanged", "sign of one parameter"]
    assert rulebook.scale_told(LOSS, told["scales"][LOSS]) == (
        "f -> a f: m by a, s by a^2, stability by a, k by a"
    )
    assert rulebook.scale_told(PLACE, None) == "q -> a q: none"
    assert rulebook.scale_told(LOSS, {"g": "1"}) == "f -> a f: nothing else changes"
