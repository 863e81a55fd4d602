"""Charges of a network's symmetries over single steps of training: their balances, and what they see."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from stepping import TYPES  # noqa: E402

from noether.networks.charges import MOMENTUM, NORM, SHIFT, balance, of_momentum, of_positions  # noqa: E402
from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION, Family, Part  # noqa: E402
from noether.networks.step_rule import Unjudged  # noqa: E402
from noether.networks.steps import StepJudge  # noqa: E402
from noether.optimizers.running import UNITS  # noqa: E402

HIDDEN, IN, OUT = 8, 5, 3
ROWS = torch.arange(HIDDEN * IN).reshape(HIDDEN, IN)
COLUMNS = torch.arange(OUT * HIDDEN).reshape(OUT, HIDDEN).T.contiguous()
EACH = torch.arange(HIDDEN).reshape(HIDDEN, 1)
FAMILIES = {
    RESCALE: Family(RESCALE, "0.weight 0.bias against 2.weight",
                    (Part("0.weight", ROWS), Part("0.bias", EACH), Part("2.weight", COLUMNS, -1))),
    SCALE: Family(SCALE, "0.weight", (Part("0.weight", ROWS),)),
    TRANSLATION: Family(TRANSLATION, "2.bias", (Part("2.bias", torch.arange(OUT).reshape(1, OUT)),)),
    GL: Family(GL, "0.weight against 2.weight", (Part("0.weight", ROWS), Part("2.weight", COLUMNS, -1))),
}  # fmt: skip
RULES = {
    "SGD": dict(lr=0.1, momentum=0.9, weight_decay=0.01),
    "SGD dampened": dict(lr=0.1, momentum=0.8, dampening=0.3),
    "SGD nesterov": dict(lr=0.1, momentum=0.9, nesterov=True),
    "AdamW": dict(lr=1e-2, weight_decay=0.1, eps=1e-4),
    "Adam": dict(lr=1e-2, weight_decay=0.1, eps=1e-4, maximize=True),
    "NAdam": dict(decoupled_weight_decay=True, weight_decay=0.1, eps=1e-4), "RAdam": {}, "Adamax": {},
}  # fmt: skip
POSITIONS = {"SGD": dict(lr=0.1, weight_decay=0.05), "Adagrad": {}, "RMSprop": dict(momentum=0.9),
             "Rprop": {}, "Adafactor": {}, "ASGD": dict(lambd=0.1, weight_decay=0.1)}  # fmt: skip


def trained(kind, dtype="float64", steps=4, chosen=None, still=(), **options):
    """The steps of a network with ReLU that learns three classes."""
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(IN, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, OUT))
    net = net.to(TYPES[dtype])
    optimizer, seen = kind(net.parameters(), **options), []
    x = torch.randn(32, IN)
    y, x = x[:, :OUT].argmax(dim=1), x.to(TYPES[dtype])
    names = {p: name for name, p in net.named_parameters()}
    with StepJudge(optimizer, names, chosen).attached(seen.append):
        for _ in range(steps):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x), y).backward()
            for p, name in names.items():
                p.grad = None if name in still else p.grad
            optimizer.step()
    return seen


TIMES = {"float64": 2000, "float32": 32, "bfloat16": 32, "float16": 32}
"""Bounds are at most so many roundings of numbers of the size of the terms of a charge; in float64 those of
Python's coefficients count, of which 1 - beta2 loses three digits."""


def blunt(rule, dtype):
    """Squares of gradients vanish in float16, and NAdam keeps one of its coefficients in float32."""
    return dtype == "float16" and not rule.startswith("SGD") or (rule, dtype) == ("NAdam", "float64")


def size(family, step):
    """The sum of the sizes of the terms of a charge."""
    numbers = lambda what: {n: torch.from_numpy(what(x).after) for n, x in step.moved.items()}
    return family.reach(numbers(lambda x: x.p), numbers(lambda x: x.q)).numpy()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rule", RULES)
def test_the_charge_of_the_covector_is_where_its_balance_says(rule, dtype):
    spent = []
    for step in trained(getattr(torch.optim, rule.split()[0]), dtype, **RULES[rule]):
        for kind, family in FAMILIES.items():
            b = balance(family, step.moved)
            assert b.law == MOMENTUM and (b.spent <= 1).all(), (kind, b.spent.max())
            assert b.after.shape == ((HIDDEN, HIDDEN) if kind == GL else (family.n,))
            assert blunt(rule, dtype) or (b.bound < TIMES[dtype] * UNITS[dtype] * size(family, step)).all()
            spent.append(b.spent.max())
    assert max(spent) > 0.01


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("name", POSITIONS)
def test_the_charge_of_positions_is_where_its_balance_says(name, dtype):
    for step in trained(getattr(torch.optim, name), dtype, **POSITIONS[name]):
        for family in FAMILIES.values():
            b = balance(family, step.moved)
            assert b.law == (SHIFT if family.kind == TRANSLATION else NORM) and (b.spent <= 1).all()
            assert ("force" in b.parts) == (name in ("SGD", "ASGD"))


def test_a_symmetric_loss_does_no_work_and_the_rest_has_its_closed_form():
    # What is computed here is in float64: a product errs by 2^-53, a sum of n products by n of them, so one
    # product by less than 1e-15 and a sum of five by less than 1e-13; sums of numbers below .1 by 1e-16.
    for step in trained(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.01)[1:]:
        b = balance(FAMILIES[RESCALE], step.moved)
        size = abs(b.parts["kinetic"]).max()
        assert abs(b.parts["force"]).max() < 1e-14 and size > 1e-3
        assert np.allclose(b.parts["kept"], 0.9 * b.before, rtol=1e-15)
    for step in trained(torch.optim.SGD, lr=0.1, weight_decay=0.05):  # D11
        m = step.moved["0.weight"]
        b = balance(FAMILIES[SCALE], step.moved)
        q, g = (x.reshape(HIDDEN, IN) for x in (m.q.before, m.gradient))
        assert np.allclose(b.parts["decay"], -0.1 * 0.05 * (q * q).sum(1), rtol=1e-13)
        assert np.allclose(b.parts["force"], -0.1 * (g * q).sum(1), atol=1e-16)
        moved = -0.1 * (g + 0.05 * q)
        assert np.allclose(b.parts["kinetic"], (moved * moved).sum(1) / 2, rtol=1e-13)


def test_a_translation_of_a_softmax_keeps_the_sum_of_its_bias():
    for step in trained(torch.optim.SGD, lr=0.1):
        b = balance(FAMILIES[TRANSLATION], step.moved)
        assert abs(b.after - b.before).max() < 1e-15 and abs(b.parts["force"]).max() < 1e-15


def test_a_wrong_rate_is_in_the_charge_of_a_positions_and_a_wrong_memory_in_that_of_momentum():
    class SGD(torch.optim.SGD):
        flaw = "lr"

        def step(self, closure=None):
            (group,) = self.param_groups
            right = group[self.flaw]
            group[self.flaw] = right * (1 + 2.0**-10)
            super().step()
            group[self.flaw] = right

    seen = trained(SGD, lr=0.1)
    assert all(of_positions(FAMILIES[SCALE], s.moved).spent.max() > 1e6 for s in seen)
    SGD.flaw = "momentum"
    seen = trained(SGD, lr=0.1, momentum=0.9)
    assert all(of_momentum(FAMILIES[RESCALE], s.moved).spent.max() > 1e6 for s in seen[1:])


def test_a_parameter_at_rest_keeps_its_share_of_a_charge():
    for kind, options in (("AdamW", {}), ("SGD", dict(lr=0.1))):
        for step in trained(getattr(torch.optim, kind), still=("2.weight",), **options):
            for family in (FAMILIES[RESCALE], FAMILIES[GL]):
                b = balance(family, step.moved)
                assert (b.spent <= 1).all() and abs(b.parts["kinetic"]).max() > 0


def test_a_charge_of_what_was_not_judged_says_so():
    (step,) = trained(torch.optim.AdamW, steps=1, chosen=["0.weight"])
    assert balance(FAMILIES[SCALE], step.moved).spent.max() <= 1
    with pytest.raises(Unjudged, match="0.bias was not judged"):
        balance(FAMILIES[RESCALE], step.moved)

    class Unheard(torch.optim.SGD):
        def step(self, closure=None):
            return super().step()

    (step,) = trained(Unheard, steps=1, lr=0.1)
    with pytest.raises(Unjudged, match="Unheard is not known"):
        balance(FAMILIES[SCALE], step.moved)
    assert step.moved["0.weight"].q.arithmetic <= 1 and step.moved["0.weight"].q.combined is None
