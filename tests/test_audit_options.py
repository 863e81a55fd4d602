"""Options that must matter and twins that must agree: right optimizers pass, each planted defect is named."""

import pytest

torch = pytest.importorskip("torch")

from audited_optimizers import Adam, Momentum  # noqa: E402

from noether.campaigns.audit.ground import ground  # noqa: E402
from noether.campaigns.audit.implementations_part import implementations  # noqa: E402
from noether.campaigns.audit.option_values import NoOther, other  # noqa: E402
from noether.campaigns.audit.options_part import options  # noqa: E402
from noether.campaigns.audit.rule_part import rule  # noqa: E402
from noether.campaigns.audit.subject import Subject  # noqa: E402

KNOWN = ("SGD", "Adam", "AdamW", "RAdam", "Adamax", "Adagrad", "RMSprop", "Adadelta")
OTHERS = ("LBFGS", "SparseAdam", "ASGD", "Rprop", "Adafactor", "Muon")


pytestmark = pytest.mark.usefixtures("one_thread")


def found_of(make, known=True, **given):
    """Name of an option -> its finding."""
    said = "SGD" if issubclass(make, Momentum) else "Adam" if issubclass(make, Adam) else make.__name__
    subject = Subject(f"here:{said}", make, given)  # a name at which the search for the rule begins
    ruled = rule(subject, None, 0) if known else None
    assert ruled is None or ruled.anatomy is not None
    return {x.name: x for x in options(ground(subject), ruled)}


@pytest.mark.parametrize("name", KNOWN)
def test_each_option_of_torch_acts_as_its_name_says(name):
    found = found_of(getattr(torch.optim, name))
    assert {x.verdict for x in found.values()} == {"holds"}, found
    assert "maximize f against descent on -f" in found and len(found) >= 5


@pytest.mark.parametrize("name", OTHERS)
def test_no_option_of_an_unknown_rule_is_called_wrong(name):
    found = found_of(getattr(torch.optim, name), known=False)
    assert not [x for x in found.values() if x.verdict == "violated"]
    assert found["lr"].verdict == "holds"


@pytest.mark.parametrize("make", [Adam, Momentum])
def test_a_right_optimizer_has_no_deviation_in_its_options(make):
    assert {x.verdict for x in found_of(make).values()} == {"holds"}


class NoDecay(Adam):
    def decayed(self, p, g, group):
        return g


class Growing(Adam):
    def decayed(self, p, g, group):
        p.mul_(1 + group["lr"] * group["weight_decay"])
        return g


class Twice(Adam):
    def decayed(self, p, g, group):
        g = g.add(p, alpha=group["weight_decay"])
        p.mul_(1 - group["lr"] * group["weight_decay"])
        return g


class KeptBeta(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "betas": (group["betas"][0], 0.99)})


class Everywhere(Adam):
    def signed(self, g, group):
        return g


class NeverLargest(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "amsgrad": False, "eps": group["eps"] * (1 + group["amsgrad"])})


class NoLook(Momentum):
    def followed(self, g, b, beta, group):
        return b


class Behind(Momentum):
    def followed(self, g, b, beta, group):
        return (b - g) / beta if group["nesterov"] and beta else b


class HalfRate(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": min(group["lr"], 0.015)})


class DecayTurned(Adam):
    """Decay is added first, and the sign of maximize turns it too."""

    def moved(self, p, g, state, group):
        if group["maximize"]:
            g = -g.sub(p, alpha=0)
            g = g.sub(p, alpha=2 * group["weight_decay"])
            super().moved(p, g, state, {**group, "maximize": False})
        else:
            super().moved(p, g, state, group)


@pytest.mark.parametrize(
    "make, option, words",
    [
        (NoDecay, "weight_decay", "changes nothing"),
        (Growing, "weight_decay", "wrong sign"),
        (Twice, "weight_decay", "twice"),
        (KeptBeta, "betas", "beta2 acted as given, 0.99; now it acts as 0.99"),
        (Everywhere, "maximize", "changes nothing"),
        (NeverLargest, "amsgrad", "not the largest"),
        (NoLook, "nesterov", "changes nothing"),
        (Behind, "nesterov", "does not look ahead"),
        (HalfRate, "lr", "lr acted as given, 0.01; now it acts as 0.015"),
        (DecayTurned, "maximize f against descent on -f", "not descent on -f with weight_decay=0.1; without"),
    ],
)
def test_a_planted_defect_is_named_by_its_option(make, option, words):
    found = found_of(make)
    assert found[option].verdict == "violated" and words in found[option].reason, found[option]


def test_an_option_that_needs_another_one_is_tried_beside_it():
    found = found_of(Momentum)["nesterov"]
    assert found.data["beside"] == {"momentum": "0.9"} and "looks ahead" in found.reason


class Unheard(Adam):
    def __init__(self, params, lr=0.01, warmth=3, kind="a", **more):
        super().__init__(params, lr, **more)


def test_an_option_of_an_unknown_name_that_changes_nothing_is_not_called_wrong():
    found = found_of(Unheard)
    assert found["warmth"].verdict == "inconclusive" and "changes nothing" in found["warmth"].reason
    assert found["kind"].verdict == "outside"


class Bounded(Adam):
    """lr is a bound of a step size that falls by itself, and decay has a use beside a flag only."""

    def __init__(self, params, lr=1.0, weight_decay=0.0, decays=False):
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        self.decays = decays

    def moved(self, p, g, state, group):
        lr = min(group["lr"], 0.5 / (1 + state.get("step", 0)))
        kept = group["weight_decay"] if self.decays else 0.0
        super().moved(p, g, state, {**group, "lr": lr, "weight_decay": kept})


def test_an_option_that_is_a_bound_or_needs_a_flag_is_not_said_to_change_nothing():
    found = found_of(Bounded, known=False)
    assert found["lr"].verdict == "holds" and "lr=0.25" in found["lr"].reason
    assert found["weight_decay"].verdict == "inconclusive"
    assert "changes nothing unless decays=True" in found["weight_decay"].reason


class Strict(Adam):
    def __init__(self, params, lr=0.01, sharpness=0.5):
        if sharpness > 0.5:
            raise ValueError("sharpness is above 0.5")
        super().__init__(params, lr)


def test_what_is_refused_is_told_in_the_words_of_the_refusal():
    found = found_of(Strict)["sharpness"]
    assert found.verdict == "outside" and "ValueError: sharpness is above 0.5" in found.reason


@pytest.mark.parametrize(
    "name, value, kind",
    [("lr", 0.1, float), ("betas", (0.8, 0.95), tuple), ("flag", True, bool), ("k", 0, int),
     ("eps", 1e-3, float), ("lr", None, float), ("foo", None, bool | None),
     ("x", [1.0, None], list), ("weight_decay", 0, float)],
)  # fmt: skip
def test_another_value_is_another_value(name, value, kind):
    assert other(name, value, kind) != value


def test_where_no_other_value_is_known_none_is_made_up():
    for value, kind in (("a", str), (None, str | None), (torch.float32, object)):
        with pytest.raises(NoOther):
            other("x", value, kind)


# ---- implementations


def twins_of(make, **given):
    subject = Subject("here:x", make, given)
    return {x.name: x for x in implementations(ground(subject), None)}


@pytest.mark.parametrize("name", ["AdamW", "NAdam", "ASGD", "Adafactor"])
def test_the_implementations_of_torch_agree_within_rounding(name):
    found = twins_of(getattr(torch.optim, name))
    assert not [x for x in found.values() if x.verdict == "violated"]
    assert found["foreach float32"].verdict == "holds"


def test_the_fused_descent_of_torch_in_16_bits_does_not_agree():
    found = twins_of(torch.optim.SGD)
    assert found["fused bfloat16"].verdict == "violated" and found["fused float32"].verdict == "holds"


class Listed(Adam):
    """With foreach, all but the last tensor is moved."""

    def __init__(self, params, lr=0.01, foreach=False):
        super().__init__(params, lr)
        self.listed = foreach

    def step(self, closure=None):
        last = self.param_groups[0]["params"][-1]
        if self.listed and len(self.param_groups[0]["params"]) > 1:
            last.grad = None
        return super().step(closure)


class Coarse(Adam):
    """With fused, in float32 whatever the type."""

    def __init__(self, params, lr=0.01, fused=False):
        super().__init__(params, lr)
        self.fused = fused

    def moved(self, p, g, state, group):
        if self.fused:
            narrow = p.float()
            super().moved(narrow, g.float(), state, group)
            p.copy_(narrow)
        else:
            super().moved(p, g, state, group)


def test_an_implementation_that_leaves_a_tensor_out_is_seen_in_every_type():
    found = twins_of(Listed)
    assert [x.verdict for x in found.values()] == ["violated"] * 4


def test_an_implementation_that_computes_more_coarsely_is_not_called_wrong_within_its_own_rounding():
    found = twins_of(Coarse)
    assert found["fused float64"].verdict == "holds" and found["fused float64"].spent > 0
    assert found["fused float32"].spent == 0


class Drawing(Adam):
    """Draws its start, other numbers with foreach."""

    def __init__(self, params, lr=0.01, foreach=False, maximize=False):
        super().__init__(params, lr, maximize=maximize)
        self.scale = 1 + torch.rand(2)[int(foreach)].item()

    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": group["lr"] * self.scale})


def test_implementations_that_draw_random_numbers_are_not_compared():
    found = twins_of(Drawing)
    assert [x.verdict for x in found.values()] == ["outside"] and "chance" in found["foreach"].reason
    assert found_of(Drawing, known=False)["maximize f against descent on -f"].verdict == "holds"


class Refusing(Adam):
    def __init__(self, params, lr=0.01, fused=False, compile=False):
        if fused:
            raise RuntimeError("no such kernel here")
        super().__init__(params, lr)


def test_a_refused_implementation_is_told_once():
    found = twins_of(Refusing)
    assert found["fused"].verdict == "outside" and "no such kernel here" in found["fused"].reason
    assert found["compile"].verdict == "outside"
