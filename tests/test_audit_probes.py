"""Probes: right optimizers pass them all, and for each probe there is a defect that it names."""

import pytest

torch = pytest.importorskip("torch")

from audited_optimizers import Adam, Momentum  # noqa: E402

from noether.campaigns.audit.claims import claimed  # noqa: E402
from noether.campaigns.audit.ground import ground  # noqa: E402
from noether.campaigns.audit.probes.probe import stand  # noqa: E402
from noether.campaigns.audit.probes_part import PROBES, probes, tried  # noqa: E402
from noether.campaigns.audit.subject import Subject  # noqa: E402

BY_NAME = {x.name: x for x in PROBES}
KNOWN = {"SGD": "sgd", "Adam": "adam", "AdamW": "adamw", "NAdam": "nadam", "RAdam": "radam",
         "Adamax": "adamax", "Adagrad": "adagrad", "RMSprop": "rmsprop"}  # fmt: skip
OTHERS = ("Adadelta", "ASGD", "Rprop", "Adafactor", "LBFGS", "SparseAdam", "Muon")
REAL = {
    "NAdam": {"state_dict midway"},
    **{name: {"layouts in memory, with fused=True"} for name in ("SGD", "Adam", "AdamW", "Adagrad")},
}
"""What torch 2.13 does: loading rounds a float32 product to bfloat16, fused steps go by memory."""


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


class NeverCalled(Adam):
    def evaluated(self, closure):
        return None


class Disabled(Adam):
    def evaluated(self, closure):
        return closure() if closure else None


class Lossless(Adam):
    def evaluated(self, closure):
        super().evaluated(closure)


class Noisy(Adam):
    def signed(self, g, group):
        return g + 1e-3 * torch.randn_like(g)


class OneCount(Adam):
    count = 0

    def begun(self, p, state):
        super().begun(p, state)
        self.count = state["step"] = self.count + 1


class FirstGroup(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": self.param_groups[0]["lr"]})


class Forgetful(Adam):
    def add_param_group(self, group):
        super().add_param_group(group)
        self.state.clear()


class ByPlace(Adam):
    def moved(self, p, g, state, group):
        place = [q is p for q in group["params"]].index(True)
        super().moved(p, g, state, {**group, "lr": group["lr"] / (1 + place)})


class Outliving(Adam):
    kept: dict = {}

    def begun(self, p, state):
        super().begun(p, state)
        kept = Outliving.kept.get("last", torch.zeros(()))
        Outliving.kept["last"] = state["m"].add_(kept.sum() * 1e-3)


class InTheClass(Adam):
    """Tensors of one shape share their first moment, until another optimizer is made."""

    kept: dict = {}

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        InTheClass.kept.clear()

    def begun(self, p, state):
        super().begun(p, state)
        state["m"] = InTheClass.kept.setdefault(p.shape, state["m"])


class InBlocks(Adam):
    """Moves whole blocks of four where there are more than 256 elements."""

    least = 256

    def moved(self, p, g, state, group):
        n = p.numel() // 4 * 4
        if p.numel() > self.least:
            super().moved(p.view(-1)[:n], g.view(-1)[:n], state, group)
        else:
            super().moved(p, g, state, group)


class InLargeBlocks(InBlocks):
    least = 2**20


class Normed(Adam):
    def signed(self, g, group):
        return g / g.norm().clamp(min=1)


class InMemory(Adam):
    def moved(self, p, g, state, group):
        p, g = (torch.as_strided(x, (x.numel(),), (1,), x.storage_offset()) for x in (p, g))
        super().moved(p, g, state, group)


class Beyond(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, group)
        flat = torch.empty(0, dtype=p.dtype).set_(p.untyped_storage())
        after = p.storage_offset() + p.numel()
        flat[after : after + 1] += 1e-3


class Mean(Adam):
    def signed(self, g, group):
        return g * (sum(g.shape) / g.numel() if g.ndim == 1 else 1)


class Stopping(Adam):
    """Leaves the loop at the first tensor without elements."""

    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if not p.numel():
                return None
        return super().step(closure)


class Attributed(Adam):
    """Keeps an option as an attribute, which torch's own __getstate__ leaves out."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.factor = 1.0

    def moved(self, p, g, state, group):
        super().moved(p, g * self.factor, state, group)


class RealOnly(Adam):
    def moved(self, p, g, state, group):
        if p.is_complex():
            super().moved(torch.view_as_real(p)[..., 0], torch.view_as_real(g)[..., 0], state, group)
        else:
            super().moved(p, g, state, group)


class Narrowest(Adam):
    def moved(self, p, g, state, group):
        types = [q.dtype for q in group["params"]]
        narrow = torch.bfloat16 in types and p.dtype == torch.float32
        super().moved(p, g.bfloat16().float() if narrow else g, state, group)


class DecaysAlways(Adam):
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if p.grad is None:
                p.data.mul_(1 - 1e-3)
        return super().step(closure)


class Coasting(Adam):
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if p.grad is None and self.state[p]:
                p.data.sub_(self.state[p]["m"], alpha=1e-3)
        return super().step(closure)


class NoneCrashes(Adam):
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.grad.add_(0)
        return super().step(closure)


class Averaged(Adam):
    def step(self, closure=None):
        self.share = 1 / sum(p.grad is not None for p in self.param_groups[0]["params"])
        return super().step(closure)


class CountsAll(Adam):
    """The count of steps is the group's, so that a tensor that joins later is not corrected as a new one."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["n"] = group.get("n", 0) + 1
        return super().step(closure)

    def moved(self, p, g, state, group):
        if state:
            state["step"] = group["n"] - 1
        else:
            self.begun(p, state)
            state["step"] = group["n"] - 1
        super().moved(p, g, state, group)


class NoEps(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "eps": 0.0})


class Shuffled(Adam):
    """Takes the values of a sparse gradient in the wrong order."""

    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if p.grad.is_sparse:
                p.grad = p.grad.coalesce().values().flip(0).view_as(p)
        return super().step(closure)


class Balanced(Adam):
    def signed(self, g, group):
        return g + 0 * g.sum()


class BalancedAll(Adam):
    def step(self, closure=None):
        grads = [p.grad for p in self.param_groups[0]["params"] if p.grad is not None]
        self.more = sum(float(g.sum()) for g in grads) if not any(g.is_sparse for g in grads) else 0.0
        return super().step(closure)

    def signed(self, g, group):
        return g + 0 * self.more


class InPlace(Adam):
    def signed(self, g, group):
        return g.mul_(1 + 1e-3)


class LastGradient(Adam):
    """Keeps the gradient that it has seen and adds what has changed since, by its identity."""

    def signed(self, g, group):
        again, self.seen = getattr(self, "seen", None) is g, g
        return 0.5 * g if again else g


class FixedRate(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": self.defaults["lr"]})


class LateRate(Adam):
    def moved(self, p, g, state, group):
        last, self.last = getattr(self, "last", group["lr"]), group["lr"]
        super().moved(p, g, state, {**group, "lr": last})


class LeastRate(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": max(group["lr"], 1e-3)})


class GrowingRate(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, group)
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].mul_(1.5)


class DividedRate(Adam):
    """Remembers the last lr and divides by it."""

    def moved(self, p, g, state, group):
        last, group["last"] = group.get("last", group["lr"]), group["lr"]
        ratio = group["lr"] / last if last else float("nan") if group["lr"] else 0.0
        super().moved(p, g, state, {**group, "lr": last * ratio})


class CountOutside(Adam):
    """Keeps the count of steps beside the state, by the identity of the parameter."""

    def begun(self, p, state):
        super().begun(p, state)
        counts = self.__dict__.setdefault("counts", {})
        counts[id(p)] = state["step"] = counts.get(id(p), 0) + 1


class NarrowLoaded(Adam):
    """Keeps its second moment in float32, which load_state_dict casts to the type of the parameter."""

    def begun(self, p, state):
        if not state:
            super().begun(p, state)
            state["step"] = 0
            state["s"] = torch.zeros_like(p, dtype=torch.float32)
        state["step"] += 1

    def moved(self, p, g, state, group):
        self.begun(p, state)
        (beta, beta2), n = group["betas"], state["step"]
        state["m"].mul_(beta).add_(g, alpha=1 - beta)
        state["s"].mul_(beta2).add_((g * g).to(state["s"].dtype), alpha=1 - beta2)
        root = (state["s"].float() / (1 - beta2**n)).sqrt().add_(group["eps"])
        p.add_((state["m"].float() / root).to(p.dtype), alpha=-group["lr"] / (1 - beta**n))


class BeginsAnew(Adam):
    def begun(self, p, state):
        if state and state["m"].dtype != p.dtype:
            state.clear()
        super().begun(p, state)


class Keeping(Adam):
    """Moves in float32 whatever the type of the parameter has become."""

    def moved(self, p, g, state, group):
        if p.dtype == torch.float64 and state and state["m"].dtype == torch.float32:
            narrow = p.float()
            super().moved(narrow, g.float(), state, group)
            p.copy_(narrow)
        else:
            super().moved(p, g, state, group)


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
    ("layouts in memory", InMemory, "violated", "lies as every second number"),
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
