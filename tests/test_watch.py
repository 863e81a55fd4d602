"""A watched training computes the same bits, and what the watch finds of it is right."""

import copy
import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from watched import ADAMW, SGD, TRAININGS, Blocks, Training, same  # noqa: E402

import noether  # noqa: E402
from noether.campaigns.watch.tally import BALANCE, SLOPE, STEP  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def watching(**options):
    return lambda net, optimizer: noether.watch(net, optimizer, live=False, **options)


def tallies(w, law):
    return [t for _, t in w._watcher.tallies if t.law == law]


@pytest.mark.parametrize("name", TRAININGS)
def test_a_watched_training_has_the_same_bits_and_its_updates_hold(name):
    plain, _ = TRAININGS[name].run()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, w = TRAININGS[name].run(watching(every=1))
    assert same(plain, found) == []
    assert w._watcher.fault == "" and w.exit_code in (0, 3), w.report()
    updates = tallies(w, STEP)
    assert len(updates) > 4 and {t.verdict for t in updates} == {"holds"}
    assert all(t.worst.spent > 0 for t in updates)
    for law in (BALANCE, SLOPE):
        assert tallies(w, law) and not any(t.verdict == "violated" for t in tallies(w, law))
    assert any(t.verdict == "holds" for t in tallies(w, SLOPE))


def test_another_training_is_seen_by_the_comparison():
    a, _ = Training(SGD).run()
    b, _ = Training(lambda p: torch.optim.SGD(p, lr=0.0501, momentum=0.9, weight_decay=1e-2)).run()
    assert "net head.weight" in same(a, b)


@pytest.mark.parametrize(
    "name, low, high", [("sgd", 1, 1), ("adamw", 0.01, 1), ("scaler", 1e-5, 1 / 1024), ("closure", 1, 1)]
)
def test_the_factor_between_loss_and_optimizer_is_found_and_nothing_else_is(name, low, high):
    _, w = TRAININGS[name].run(watching(every=1))
    facts = w._watcher.seats[0].facts
    assert facts.repeated == len(facts.factors) >= 7 and not facts.rests and not facts.unjudged
    assert all(low <= x <= high for _, x in facts.factors)
    assert name in ("sgd", "closure") or min(x for _, x in facts.factors) < 1


def test_what_is_no_factor_is_told_with_its_size():
    class Penalised(Training):
        def loss(self, net, generator):
            return super().loss(net, generator) + 0.01 * sum(p.square().sum() for p in net.parameters())

    _, w = Penalised(SGD).run(watching(every=1))
    facts = w._watcher.seats[0].facts
    assert not facts.repeated and all(0.001 < rest < 0.5 for _, rest in facts.rests)
    assert "something else too" in w.report()


def test_a_wrong_step_is_violated_and_its_parameter_and_first_step_are_told():
    class SGD(torch.optim.SGD):
        """Every fifth step moves the bias of the head by a part in a thousand too far."""

        count = 0

        @torch.no_grad()
        def step(self, closure=None):
            self.count += 1
            bias = self.param_groups[0]["params"][-1]
            before = bias.clone()
            super().step(closure)
            if self.count % 5 == 0:
                bias.add_(bias - before, alpha=1e-3)

    make = lambda p: SGD(p, lr=0.05)
    _, w = Training(make).run(watching(every=1))
    assert w.exit_code == 1
    (bad,) = [t for t in tallies(w, STEP) if t.verdict == "violated"]
    assert bad.group == "head.bias" and bad.first[0] == 5
    assert "N1 of head.bias, first in step 5" in w.verdict
    with pytest.raises(Exception, match="first in step 5"):
        Training(make).run(watching(every=1, strict=True))


def test_a_step_that_leaves_a_charge_is_violated_in_its_balance():
    class SGD(torch.optim.SGD):
        """Moves the filters by a part in a thousand too far."""

        @torch.no_grad()
        def step(self, closure=None):
            filters = self.param_groups[0]["params"][0]
            before = filters.clone()
            super().step(closure)
            filters.add_(filters - before, alpha=1e-3)

    _, w = Training(lambda p: SGD(p, lr=0.05)).run(watching(every=1))
    bad = {t.group for t in tallies(w, BALANCE) if t.verdict == "violated"}
    assert bad == {"first.0.weight"} and w.exit_code == 1


def test_of_a_large_family_some_generators_are_judged_at_a_time():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    with noether.watch(net, optimizer, live=False, every=1, memory=2**20) as w:
        for _ in range(6):
            optimizer.zero_grad()
            net(torch.randn(8, 64)).square().mean().backward()
            optimizer.step()
    assert w._watcher.fault == ""
    (charge,) = tallies(w, BALANCE)
    assert charge.verdict == "holds" and charge.samples >= 2 and charge.numbers < 64
    assert {t.verdict for t in tallies(w, STEP)} == {"holds"}


def test_a_network_that_is_called_in_parts_is_judged_in_parts():
    torch.manual_seed(0)
    net = nn.ModuleDict(
        {"body": nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5)), "head": nn.Linear(5, 2)}
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with noether.watch(net, optimizer, live=False, steps=[2, 3, 4]) as w:
        for _ in range(4):
            optimizer.zero_grad()
            for _ in range(2):
                net["head"](net["body"](torch.randn(8, 4)).tanh()).square().mean().backward()
            optimizer.step()
    facts = w._watcher.seats[0].facts
    assert facts.repeated == len(facts.factors) == 3, (facts.unjudged, facts.rests)
    (family,) = tallies(w, SLOPE)
    assert family.verdict == "holds" and family.group.startswith("body: 0.weight 0.bias against 2.weight")


def test_what_is_not_right_in_a_script_is_told():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    net.spare = nn.Linear(2, 2)
    used = [p for name, p in net.named_parameters() if name != "2.bias"]
    optimizer = torch.optim.SGD(used, lr=0.1)
    with noether.watch(net, optimizer, every=1, live=False) as w:
        for _ in range(4):
            out = net[2](net[1](net[0](torch.randn(8, 4))))
            out.square().sum().backward()
            optimizer.step()
    told = w.report()
    assert "no optimizer holds 2.bias" in told
    assert "no gradient in any step that was looked at: spare.weight, spare.bias" in told
    assert "of the step before was still there" in told


def test_gradients_that_were_never_zeroed_are_told():
    class Kept(Training):
        def step(self, net, optimizer, scaler, generator):
            self.backward(net, scaler, generator)
            optimizer.step()

    _, w = Kept(SGD).run(watching(every=1))
    assert "of an earlier step was still there" in w.report()


def test_a_gradient_that_is_not_finite_is_told_and_nothing_is_judged_of_it():
    class Broken(Training):
        def loss(self, net, generator):
            loss = super().loss(net, generator)
            self.n = getattr(self, "n", 0) + 1
            return loss * float("inf") if self.n == 3 else loss

    _, w = Broken(SGD).run(watching(every=1))
    assert "not finite in step 3" in w.report() and w.exit_code != 1


def test_a_step_that_a_scaler_skips_is_no_step_and_its_calls_do_not_count():
    class Once(Training):
        def loss(self, net, generator):
            loss = super().loss(net, generator)
            self.n = getattr(self, "n", 0) + 1
            return loss * float("inf") if self.n == 3 else loss

    make = lambda p: torch.optim.SGD(p, lr=0.05)
    plain, _ = Once(make, scaler=True).run()
    found, w = Once(make, scaler=True).run(watching(every=1))
    seat = w._watcher.seats[0]
    assert same(plain, found) == [] and seat.number - 1 == 7
    assert seat.facts.repeated == len(seat.facts.factors) == 7, seat.facts.unjudged


def test_the_watch_itself_may_fail_and_the_training_goes_on(monkeypatch):
    from noether.campaigns.watch import seat

    def broken(*given):
        raise RuntimeError("planted")

    plain, _ = Training(ADAMW).run()
    monkeypatch.setattr(seat, "slopes", broken)
    with pytest.warns(UserWarning, match="noether.watch ended: RuntimeError: planted"):
        found, w = Training(ADAMW).run(watching(every=2))
    assert same(plain, found) == [] and w.exit_code == 70 and "planted" in w._watcher.fault


def test_a_step_that_raises_leaves_nothing_behind():
    class Raises(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            if self.fails:
                raise KeyError("planted")

    net = nn.Linear(3, 2)
    optimizer = Raises(net.parameters(), lr=0.1)
    own = optimizer.step.__func__
    with noether.watch(net, optimizer, every=1, live=False) as w:
        for n in range(6):
            optimizer.fails = n == 2
            optimizer.zero_grad()
            net(torch.randn(4, 3)).sum().backward()
            try:
                optimizer.step()
            except KeyError:
                assert torch.utils._python_dispatch._get_current_dispatch_mode() is None
    assert optimizer.step.__func__ is own and "step" not in vars(optimizer)
    assert w._watcher.fault == "" and {t.verdict for t in tallies(w, STEP)} == {"holds"}
    assert not net._forward_hooks and not net._forward_pre_hooks
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks


def test_copies_and_saved_networks_have_no_watch_in_them(tmp_path):
    net = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with noether.watch(net, optimizer, every=1, live=False) as w:
        copied = copy.deepcopy(net)
        torch.save(net, tmp_path / "net.pt")
        loaded = torch.load(tmp_path / "net.pt", weights_only=False)
        pickle.loads(pickle.dumps(optimizer.state_dict()))
        for other in (copied, loaded):
            assert other(torch.ones(1, 3)).shape == (1, 2)
        assert w._watcher.seats[0].decided == 0, "a copy was taken for the network"
    assert b"noether" not in (tmp_path / "net.pt").read_bytes()


def test_two_networks_with_an_optimizer_each():
    torch.manual_seed(0)
    g, d = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    of = {"g": torch.optim.Adam(g.parameters(), lr=1e-3), "d": torch.optim.Adam(d.parameters(), lr=1e-3)}
    with noether.watch({"g": g, "d": d}, list(of.values()), every=1, live=False) as w:
        for _ in range(5):
            real, z = torch.randn(8, 4), torch.randn(8, 4)
            of["d"].zero_grad()
            (d(g(z).detach()).mean() - d(real).mean()).backward()
            of["d"].step()
            of["g"].zero_grad()
            (-d(g(z)).mean()).backward()
            of["g"].step()
    first, second = w._watcher.seats
    assert set(first.names) == {"g.weight", "g.bias"} and len(second.names) == 4
    for seat in (first, second):
        assert seat.facts.repeated == len(seat.facts.factors) == 5, (seat.facts.unjudged, seat.facts.rests)
    # The gradient of the last bias of d is 1 - 1.
    assert {t.group for t in tallies(w, STEP) if t.verdict != "holds"} <= {"d.2.bias"}
    assert not any(t.verdict == "violated" for t in tallies(w, STEP))


def test_data_parallel_and_compiled_networks_have_the_names_that_a_reader_knows():
    net = nn.DataParallel(nn.Linear(3, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with noether.watch(net, optimizer, every=1, live=False) as w:
        for _ in range(3):
            optimizer.zero_grad()
            net(torch.randn(4, 3)).sum().backward()
            optimizer.step()
    assert {t.group for t in tallies(w, STEP)} == {"weight", "bias"}
    assert w._watcher.seats[0].facts.repeated == 3


def test_a_network_in_evaluation_mode_or_without_gradients_is_no_step():
    net = Blocks()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with noether.watch(net, optimizer, every=1, live=False) as w:
        with torch.no_grad():
            net(torch.randn(2, 1, 8, 8))
        assert w._watcher.seats[0].decided == 0
    assert w.exit_code == 3 and tallies(w, SLOPE) == []
