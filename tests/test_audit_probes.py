"""Probes: right optimizers pass them all, and for each probe there is a defect that it names."""

import pytest

torch = pytest.importorskip("torch")

from audited_optimizers import Adam, Momentum  # noqa: E402
from planted_states import (  # noqa: E402
    Averaged,
    Balanced,
    BalancedAll,
    BeginsAnew,
    CountOutside,
    CountsAll,
    DividedRate,
    FixedRate,
    GrowingRate,
    InPlace,
    Keeping,
    LastGradient,
    LateRate,
    LeastRate,
    NarrowLoaded,
    NoEps,
    Shuffled,
)
from planted_steps import (  # noqa: E402
    Attributed,
    Beyond,
    ByPlace,
    Coasting,
    DecaysAlways,
    Disabled,
    FirstGroup,
    Forgetful,
    InBlocks,
    InLargeBlocks,
    InMemory,
    InTheClass,
    Lossless,
    Mean,
    Narrowest,
    NeverCalled,
    Noisy,
    NoneCrashes,
    Normed,
    OneCount,
    Outliving,
    RealOnly,
    Stopping,
)

from noether.campaigns.audit.ground import ground  # noqa: E402
from noether.campaigns.audit.probes.probe import stand  # noqa: E402
from noether.campaigns.audit.probes_part import PROBES, probes, tried  # noqa: E402
from noether.campaigns.audit.subject import Subject  # noqa: E402
from noether.optimizers.claims import claimed  # noqa: E402

BY_NAME = {x.name: x for x in PROBES}
KNOWN = {"SGD": "sgd", "Adam": "adam", "AdamW": "adamw", "NAdam": "nadam", "RAdam": "radam",
         "Adamax": "adamax", "Adagrad": "adagrad", "RMSprop": "rmsprop"}  # fmt: skip
OTHERS = ("Adadelta", "ASGD", "Rprop", "Adafactor", "LBFGS", "SparseAdam", "Muon")
REAL = {
    "NAdam": {"state_dict midway"},
    **{name: {"layouts in memory, with fused=True"} for name in ("SGD", "Adam", "AdamW", "Adagrad")},
}
"""What torch 2.13 does: loading rounds a float32 product to bfloat16, fused steps go by memory."""


pytestmark = pytest.mark.usefixtures("one_thread")


def standing(make, like=None, **options):
    there = ground(Subject("here:x", make, options))
    return stand(there, claimed(like, there.given) if like else None)


@pytest.mark.parametrize("name", [*KNOWN, *OTHERS])
def test_each_optimizer_of_torch_passes_all_but_what_is_known_of_it(name):
    there = standing(getattr(torch.optim, name), KNOWN.get(name))
    found = list(probes(there.ground, there.anatomy))
    assert {x.name for x in found if x.verdict == "violated"} == REAL.get(name, set())
    assert sum(x.verdict == "holds" for x in found) >= 9 and all(x.reason for x in found)
    if name in KNOWN:
        assert not [x for x in found if x.verdict == "inconclusive"]


@pytest.mark.parametrize(
    "make, like, options",
    [
        (Adam, "adam", {}),
        (Adam, "adamw", dict(weight_decay=0.1, decoupled=True)),
        (Momentum, "sgd", dict(momentum=0.9, weight_decay=0.1)),
        (Adam, None, {}),
    ],
)
def test_a_right_optimizer_passes_every_probe(make, like, options):
    there = standing(make, like, **options)
    found = {x.name: tried(x, there) for x in PROBES}
    beside = {"sparse gradients", "complex parameters", "zero gradients", "parameters moved to another type"}
    assert not {name: x for name, x in found.items() if x.verdict != "holds" and name not in beside}
    assert not [x for x in found.values() if x.verdict == "violated"]


# ---- defects, one for each probe


PLANTED = [
    ("closure", NeverCalled, "violated", "never calls the closure"),
    ("closure", Disabled, "violated", "gradients disabled"),
    ("closure", Lossless, "violated", "returns None"),
    ("seeds", Noisy, "violated", "depends on torch.manual_seed"),
    ("seeds", Outliving, "violated", "does not move as the first one did"),
    ("two tensors", OneCount, "violated", "another one is in the same optimizer"),
    ("groups", FirstGroup, "violated", "of its own moves otherwise"),
    ("added group", Forgetful, "violated", "after a group was added"),
    ("added group", OneCount, "violated", "after a group was added"),
    ("order", ByPlace, "violated", "in another order"),
    ("two optimizers", InTheClass, "violated", "they share something"),
    ("sizes", InBlocks, "violated", "in a tensor of another length"),
    ("one tensor in two", Normed, "violated", "in two pieces"),
    (f"{2**20 + 1} elements", InLargeBlocks, "violated", "move otherwise than alone"),
    ("layouts in memory", InMemory, "violated", "a tensor that takes every second number of its storage"),
    ("views of one storage", Beyond, "violated", "views of one storage"),
    ("an empty tensor", Mean, "outside", "ZeroDivisionError"),
    ("an empty tensor", Stopping, "violated", "one without elements"),
    ("complex parameters", RealOnly, "outside", "do not move as pairs"),
    ("mixed types", Narrowest, "violated", "beside tensors of other types"),
    ("no gradient at first", DecaysAlways, "violated", "moves in step 1"),
    ("no gradient at first", NoneCrashes, "violated", "None crashes it"),
    ("no gradient at first", CountsAll, "inconclusive", "its count of them goes on"),
    ("no gradient in between", Coasting, "violated", "moves in step 4"),
    ("no gradient at all", Averaged, "outside", "ZeroDivisionError"),
    ("no gradient at all", DecaysAlways, "violated", "moves the parameters"),
    ("zero gradients", NoEps, "violated", "no numbers, in step 1"),
    ("sparse gradients", Shuffled, "violated", "acts otherwise than the dense one"),
    ("an infinite gradient", Balanced, "violated", "other places of the tensor"),
    ("a gradient that is no number", Balanced, "violated", "other places of the tensor"),
    ("a gradient that is no number", BalancedAll, "violated", "spoils another tensor"),
    ("the gradient after a step", InPlace, "inconclusive", "changes the gradient"),
    ("the gradient after a step", LastGradient, "violated", "a second step without a new gradient"),
    ("lr changed on the way", FixedRate, "violated", "changes nothing in the next steps"),
    ("lr changed on the way", LateRate, "violated", "a step later only"),
    ("lr 0", LeastRate, "violated", "move although lr is 0"),
    ("lr 0", DividedRate, "violated", "are no numbers"),
    ("lr as a tensor", GrowingRate, "violated", "is changed"),
    ("state_dict midway", CountOutside, "violated", "does not go on"),
    ("state_dict midway", NarrowLoaded, "violated", "s from float32 to bfloat16"),
    ("deep copy midway", CountOutside, "violated", "does not go on"),
    ("deep copy midway", Attributed, "outside", "no attribute 'factor'"),
    ("pickled midway", CountOutside, "violated", "does not go on"),
    ("parameters moved to another type", BeginsAnew, "violated", "otherwise than with their state"),
    ("parameters moved to another type", Keeping, "outside", "state in float32"),
]


@pytest.mark.parametrize("name, make, verdict, words", PLANTED)
def test_a_planted_defect_is_named_by_its_probe(name, make, verdict, words):
    found = tried(BY_NAME[name], standing(make, "adam"))
    assert found.verdict == verdict and words in found.reason, found


def test_every_probe_has_a_defect_that_it_names():
    silent = set(BY_NAME) - {name for name, *_ in PLANTED}
    assert silent == {"axes"}  # which only tells whether a rule looks at shapes


class Centred(Adam):
    def signed(self, g, group):
        return g - g.mean() if g.ndim > 1 else g


def test_a_rule_that_looks_at_shapes_is_told_and_not_called_wrong():
    found = tried(BY_NAME["axes"], standing(Centred, "adam"))
    assert found.verdict == "outside" and "looks at shapes" in found.reason


def test_what_an_unknown_rule_does_with_norms_is_not_called_wrong():
    there = standing(Normed)
    assert not there.elementwise and there.alone
    assert not [x for x in (tried(y, there) for y in PROBES) if x.verdict == "violated"]


def test_an_error_of_a_probe_of_ours_is_not_taken_for_a_refusal():
    from dataclasses import replace

    broken = replace(PROBES[0], run=lambda stand: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tried(broken, standing(Adam, "adam"))
    refusing = replace(PROBES[0], run=lambda there: standing(lambda ps, **more: 1 / 0))
    assert tried(refusing, standing(Adam, "adam")).verdict == "outside"


class CountsTheFirst(Adam):
    """foreach takes the count of the first parameter for all; the plain loop is right."""

    def __init__(self, params, lr=1e-3, foreach=None, **more):
        super().__init__(params, lr=lr, **more)
        self.all_alike = bool(foreach)

    def step(self, closure=None):
        counted = [
            self.state[p] for group in self.param_groups for p in group["params"] if p.grad is not None
        ]
        if self.all_alike and counted and counted[0]:
            for state in filter(None, counted[1:]):
                state["step"] = counted[0]["step"]
        return super().step(closure)


def test_an_implementation_that_a_probe_leaves_open_and_the_plain_loop_does_not_is_told():
    there = ground(Subject("here:x", CountsTheFirst, {}))
    told = {x.name: x.verdict for x in probes(there, claimed("adam", there.given))}
    assert told["no gradient at first"] == "holds"
    assert told["no gradient at first, with foreach=True"] == "inconclusive"
