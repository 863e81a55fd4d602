"""The step of which most optimizers are options is, with the right options, each rule of the catalogue."""

from types import SimpleNamespace

import numpy as np
import pytest

from noether.campaigns.audit.fitting import worst
from noether.campaigns.audit.identify import WELL_KNOWN, identify, name_of, neighbours
from noether.campaigns.audit.naming import WORDS, deviation
from noether.campaigns.audit.observed import Observed
from noether.cases.rules import RULES
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.features import BY_NAME, FEATURES, GUESS, reads
from noether.optimizers.motion import bounded, moved

WIDE = np.longdouble
NUMBERS = dict(eta=0.05, beta=0.9, beta2=0.99, stability=1e-3, k=0.02, tau=0.25, psi=0.004)
ADAM = WELL_KNOWN["Adam"]
AS_RULES = {
    "gradient-descent": dict(decay="coupled"),
    "heavy-ball": dict(decay="coupled", momentum="sum"),
    "heavy-ball-maximize": dict(decay="coupled", momentum="sum", direction="ascent"),
    "heavy-ball-dampened": dict(decay="coupled", momentum="dampened"),
    "nesterov": dict(decay="coupled", momentum="sum", ahead="nesterov"),
    "adagrad": dict(decay="coupled", second="sum"),
    "rmsprop": dict(decay="coupled", second="average"),
    "rmsprop-centred": dict(decay="coupled", second="centred"),
    "rmsprop-momentum": dict(decay="coupled", second="average", momentum="sum", carried="update"),
    "adam": {**ADAM, "decay": "coupled"},
    "adamw": {**ADAM, "decay": "decoupled"},
    "amsgrad": {**ADAM, "decay": "coupled", "largest": "amsgrad"},
    "adamax": {**WELL_KNOWN["Adamax"], "decay": "coupled"},
    "nadam": {**WELL_KNOWN["NAdam"], "decay": "coupled"},
    "radam": {**WELL_KNOWN["RAdam"], "decay": "coupled"},
    "lion": {**WELL_KNOWN["Lion"], "decay": "decoupled"},
    "signum": {**WELL_KNOWN["Signum"], "decay": "decoupled"},
    "adadelta": dict(decay="coupled", second="typical"),
    "sign-descent": dict(form="sign", decay="none"),
    "normalised-gradient": dict(form="normalised with eps"),
}
LINES = SimpleNamespace(
    store=lambda x: x, store_buffer=lambda x: x, sqrt=np.sqrt, sign=np.sign, absolute=np.abs,
    maximum=np.maximum, exp=np.exp, log=np.log, step=lambda x: np.heaviside(x, 0),
)  # fmt: skip


def script(steps=9, d=6, seed=0):
    """q0 (d,) and gradients (steps, d), which fall and rise, and vanish now and then."""
    rng = np.random.default_rng(seed)
    gradients = rng.standard_normal((steps, d)) * np.linspace(1, 0.05, steps)[:, None]
    gradients[3, 1] = 0
    return rng.standard_normal(d).astype(WIDE), gradients.astype(WIDE)


def lines_of(rule, q0, gradients):
    """Where the rule's own lines take the parameters, run as they stand in longdouble."""
    q, d = list(q0), len(q0)
    buffers = [[WIDE(0)] * d for _ in rule.buffers]
    given = [WIDE(NUMBERS.get(name, 0)) for name in rule.parameters]
    path = []
    for n, g in enumerate(gradients, start=1):
        p = SimpleNamespace(**dict(zip(rule.parameters, given, strict=True)))
        known = rule.known(n, p) if rule.known else {}
        p = SimpleNamespace(**vars(p), **{key: WIDE(x) for key, x in known.items()}, G=[])
        q, buffers = rule.update(q, buffers, list(g), p, LINES)
        path.append(np.array(q, WIDE))
    return np.stack(path)


@pytest.mark.parametrize("name", AS_RULES)
def test_the_step_with_the_right_options_is_the_rule(name):
    q0, gradients = script()
    anatomy = Anatomy.of(NUMBERS, **AS_RULES[name])
    model = bounded(anatomy, q0, gradients)
    path = lines_of(RULES[name], q0, gradients)
    # What a rule knows of its step is made of float64 numbers: the coefficients that the bound speaks of.
    assert (abs(path - model.value) <= model.error).all()
    assert (model.error <= 2.0**-36 * (1 + abs(model.value))).all()  # and it speaks of no more than that


@pytest.mark.parametrize("name", AS_RULES)
def test_no_neighbour_of_the_rule_passes_for_it(name):
    q0, gradients = script(steps=12, d=8)
    gradients[:, 5] *= WIDE(1e-4)
    gradients[2:, 6] = 0
    path = moved(Anatomy.of(NUMBERS, **AS_RULES[name]), q0, gradients)
    seen = Observed(q0, gradients, path, 4 * WIDE(2.0**-64) * abs(path))
    other = [x for x in neighbours(Anatomy.of(NUMBERS, **AS_RULES[name]), GUESS | NUMBERS)]
    alike = [x for x in other if worst(x, seen) <= 1]
    told = [x.differs(Anatomy.of(NUMBERS, **AS_RULES[name])) for x in alike]
    assert told == []
    assert len(other) >= 5


@pytest.mark.parametrize("name", ["heavy-ball", "adamw", "radam", "lion", "rmsprop-momentum"])
def test_what_moves_as_a_rule_is_found_to_be_it(name):
    q0, gradients = script(steps=12, d=10)
    gradients *= 10.0 ** -np.arange(10) / 2
    gradients[1:, 9] = 0
    right = Anatomy.of(NUMBERS, **AS_RULES[name])
    path = moved(right, q0, gradients)
    found = identify(Observed(q0, gradients, path, 4 * WIDE(2.0**-64) * (1 + abs(path))))
    assert found.fits and found.anatomy.options == right.options
    for number, value in right.values.items():
        assert found.anatomy.values[number] == pytest.approx(value, rel=1e-6, abs=0)


def test_every_feature_has_a_plain_option_and_every_number_a_guess_and_a_word():
    assert set(WORDS) == set(GUESS)
    for feature in FEATURES:
        assert len(feature.options) >= 2
        assert all(set(options) <= set(BY_NAME[name].options) for name, options in feature.needs.items())
    for options in WELL_KNOWN.values():
        anatomy = Anatomy.of(GUESS, **options)
        assert set(reads(anatomy.features)) == set(anatomy.values) and name_of(anatomy)


@pytest.mark.parametrize(
    "feature, option, words",
    [
        ("decay", "coupled", "decay is added to the gradient"),
        ("first correction", "no", "the start of the momentum is not corrected"),
        ("eps", "inside", "eps is added inside the root"),
        ("second", "belief", "what the momentum did not foresee"),
        ("direction", "ascent", "the loss grows"),
    ],
)
def test_a_deviation_is_named_by_what_deviates(feature, option, words):
    q0, gradients = script(steps=12, d=8)
    claimed = Anatomy.of(NUMBERS, **AS_RULES["adamw"])
    path = moved(claimed.with_option(feature, option), q0, gradients)
    found = deviation(claimed, Observed(q0, gradients, path, 4 * WIDE(2.0**-64) * (1 + abs(path))))
    assert words in found.reason and found.changes[0][0] == feature


@pytest.mark.parametrize("number", ["eta", "beta", "beta2", "stability", "k"])
def test_a_number_that_is_another_is_named_with_its_factor(number):
    q0, gradients = script(steps=12, d=8)
    claimed = Anatomy.of(NUMBERS, **AS_RULES["adamw"])
    near = claimed.with_numbers(**{number: claimed.values[number] * (1 - 2.0**-10)})
    path = moved(near, q0, gradients)
    found = deviation(claimed, Observed(q0, gradients, path, 4 * WIDE(2.0**-64) * (1 + abs(path))))
    assert [change[0] for change in found.changes] == [number]
    assert "a factor of 0.99902" in found.reason


def test_an_unnamed_deviation_is_told_with_its_first_step():
    q0, gradients = script(steps=12, d=8)
    claimed = Anatomy.of(NUMBERS, **AS_RULES["adamw"])
    path = moved(claimed, q0, gradients)
    path[6:] += WIDE(1e-3)  # a jump that no option makes
    found = deviation(claimed, Observed(q0, gradients, path, WIDE(2.0**-60) * (1 + abs(path))), deep=False)
    assert found.step == 7 and found.reason is None


def test_a_motion_of_which_nothing_can_be_seen_fits_nothing():
    q0, gradients = script()
    claimed = Anatomy.of(NUMBERS, **AS_RULES["adamw"])
    path = moved(claimed, q0, gradients)
    blind = Observed(q0, gradients, path, np.full_like(path, np.inf))
    assert worst(claimed, blind) == np.inf
