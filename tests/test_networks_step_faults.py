"""Wrong steps of optimizers, planted in subclasses of torch's: the judge of steps sees each of them."""

import math

import pytest

torch = pytest.importorskip("torch")

from stepping import TYPES, judged, made, most  # noqa: E402

OFF = 1 + 2.0**-10


def scaled(kind, *path):
    """A class whose option is off by a share while its step runs."""

    class Off(kind):
        def step(self, closure=None):
            right = [dict(group) for group in self.param_groups]
            for group in self.param_groups:
                x = group[path[0]]
                several = (
                    tuple(y * OFF if i == path[-1] else y for i, y in enumerate(x)) if path[1:] else x * OFF
                )
                group[path[0]] = several
            super().step()
            for group, old in zip(self.param_groups, right, strict=True):
                group.update(old)

    return named(Off, kind)


def named(made_wrong, kind):
    """The class under the name of the right one, which says what rule it claims to be."""
    made_wrong.__name__ = kind.__name__
    return made_wrong


class Adam(torch.optim.Adam):
    """Written out, with what is wrong in it as methods to override."""

    inside, kept = False, None

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            (b1, b2), lr, eps = group["betas"], group["lr"], group["eps"]
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["step"] = torch.tensor(0.0)
                    state["exp_avg"] = torch.zeros_like(p, dtype=self.kept)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                self.counted(state)
                n, m, s = int(state["step"]), state["exp_avg"], state["exp_avg_sq"]
                m.mul_(b1).add_(p.grad, alpha=1 - b1)
                s.mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                self.passed(m)
                root = (s / (1 - b2**n) + eps).sqrt() if self.inside else (s / (1 - b2**n)).sqrt() + eps
                p.addcdiv_(m, root, value=-lr / (1 - b1**n))

    def counted(self, state):
        state["step"] += 1

    def passed(self, m):
        pass


class Inside(Adam):
    inside = True


class Twice(Adam):
    def counted(self, state):
        state["step"] += 2


class Narrowed(Adam):
    def passed(self, m):
        m.copy_(m.bfloat16())


class Halved(Adam):
    kept = torch.bfloat16


class Skipping(torch.optim.SGD):
    def step(self, closure=None):
        p = self.param_groups[0]["params"].pop(0)
        super().step()
        self.param_groups[0]["params"].insert(0, p)


class Stale(torch.optim.SGD):
    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.add_(getattr(p, "old", p.grad), alpha=-self.param_groups[0]["lr"])
            p.old = p.grad.clone()


class Coupled(torch.optim.Adam):
    def __init__(self, *args, **options):
        super().__init__(*args, **options, decoupled_weight_decay=False)


class Late(torch.optim.SGD):
    """It takes the rate of the step before, as a schedule that is read too early."""

    def step(self, closure=None):
        (group,) = self.param_groups
        now, group["lr"] = group["lr"], getattr(self, "lr", group["lr"])
        super().step()
        self.lr = group["lr"] = now


RATES = {"SGD": {}, "AdamW": dict(weight_decay=0.1), "RMSprop": {}, "Adagrad": {}}
MEMORIES = {"SGD": ("momentum",), "Adam": ("betas", 0), "AdamW": ("betas", 1), "RMSprop": ("alpha",)}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", RATES)
def test_a_rate_that_is_a_thousandth_off_is_seen_in_every_type(name, dtype):
    kind = getattr(torch.optim, name)
    right = judged(*made(kind, dtype, lr=0.03, **RATES[name]))
    wrong = judged(*made(scaled(kind, "lr"), dtype, lr=0.03, **RATES[name]))
    assert most(right, "rule") <= 1 and most(right, "combined") <= 1
    # By the meaning of its operations it is seen where roundings of sixteen bits hide it in the numbers.
    assert most(wrong, "rule") > 1e6 and most(wrong, "arithmetic") <= 1
    assert (most(wrong, "combined") > 10) or dtype in ("bfloat16", "float16")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", MEMORIES)
def test_a_memory_that_is_a_thousandth_off_is_seen_in_every_type(name, dtype):
    kind, options = getattr(torch.optim, name), dict(lr=0.03)
    options |= {"momentum": 0.9} if name == "SGD" else {}
    options |= {"betas": (0.9, 0.99)} if name.startswith("Adam") else {}
    assert most(judged(*made(kind, dtype, **options)), "rule") <= 1
    assert most(judged(*made(scaled(kind, *MEMORIES[name]), dtype, **options)), "rule") > 1e6


@pytest.mark.parametrize("dtype", TYPES)
def test_decay_at_another_place_and_eps_at_another_place_are_seen(dtype):
    coupled = judged(*made(named(Coupled, torch.optim.AdamW), dtype, weight_decay=0.1))
    assert most(coupled, "rule") > 1e6
    assert most(judged(*made(Adam, dtype, eps=1e-3)), "rule") <= 1
    inside = named(Inside, torch.optim.Adam)
    assert most(judged(*made(inside, dtype, eps=1e-3)), "rule") > 1e6


@pytest.mark.parametrize("dtype", TYPES)
def test_a_skipped_parameter_and_a_stale_gradient_are_seen(dtype):
    skipping = judged(*made(named(Skipping, torch.optim.SGD), dtype, lr=0.1))
    assert all(s.worst.name == "p0" and s.moved["p0"].still == 1 and s.spent > 10 for s in skipping)
    assert all(m.spent <= 1 for s in skipping for name, m in s.moved.items() if name != "p0")
    stale = judged(*made(named(Stale, torch.optim.SGD), dtype, lr=0.1))
    assert stale[0].spent <= 1 and all(s.spent > 1e6 for s in stale[1:])


def test_a_step_that_is_counted_twice_is_seen():
    seen = judged(*made(named(Twice, torch.optim.Adam)))
    assert all(math.isinf(s.moved["p0"].state["step"].rule) for s in seen)
    assert all(s.moved["p0"].q.rule > 1e6 for s in seen)


def test_a_state_that_passes_through_a_narrow_type_is_told_though_its_bound_allows_it():
    seen = judged(*made(named(Narrowed, torch.optim.Adam), "float32"))
    assert all(s.spent <= 1 and s.passages == ("bfloat16",) for s in seen)
    right = judged(*made(torch.optim.Adam, "float32"))
    assert not any(s.passages or m.narrow for s in right for m in s.moved.values())
    seen = judged(*made(named(Halved, torch.optim.Adam), "float32"))
    assert all(s.spent <= 1 and s.moved["p0"].narrow == ("exp_avg",) for s in seen)
    assert all(s.moved["p0"].p.predicted.error.max() > 1e-4 for s in seen)


def test_a_rate_that_comes_one_step_late_is_seen():
    optimizer, names = made(named(Late, torch.optim.SGD), lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)
    seen = judged(optimizer, names, before=lambda n: schedule.step() if n == 2 else None)
    assert [s.spent > 1e6 for s in seen] == [False, False, True, False, False, False]


def test_a_class_with_a_step_of_its_own_and_an_unknown_name_has_its_arithmetic_judged_alone():
    class Homemade(Adam):
        pass

    seen = judged(*made(Homemade, "float32"))
    assert all("Homemade is not known" in m.why for s in seen for m in s.moved.values())
    assert most(seen, "arithmetic") <= 1 and most(seen, "rule", known=False) == 0
    assert all(m.q.combined is None and m.still is None for s in seen for m in s.moved.values())


def test_a_name_with_options_that_the_rule_does_not_know_is_not_judged_by_it():
    class Cautious(Adam):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.param_groups[0]["cautious"] = True

    seen = judged(*made(named(Cautious, torch.optim.Adam), "float32"))
    assert {m.why for s in seen for m in s.moved.values()} == {
        "an option cautious is nothing that the rule of adam is known to have"
    }


def test_a_state_under_names_that_nobody_knows_is_not_taken_for_a_first_step():
    class Hidden(torch.optim.SGD):
        @torch.no_grad()
        def step(self, closure=None):
            for p in self.param_groups[0]["params"]:
                kept = self.state[p].setdefault("velocity", torch.zeros_like(p))
                kept.mul_(0.9).add_(p.grad)
                p.sub_(kept, alpha=self.param_groups[0]["lr"])

    seen = judged(*made(named(Hidden, torch.optim.SGD), lr=0.1, momentum=0.9))
    assert all("not found here" in m.why and m.spent <= 1 for s in seen for m in s.moved.values())


def test_a_subclass_that_leaves_the_step_to_torch_has_its_rule():
    class Ours(torch.optim.AdamW):
        pass

    seen = judged(*made(Ours, "float32"))
    assert most(seen, "combined") <= 1 and {m.why for s in seen for m in s.moved.values()} == {""}
