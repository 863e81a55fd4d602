"""What a watch computes beside laws: finite moves, angles, and the angle where decay and gradient balance."""

import math

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from noether.campaigns.watch.turning import angles, equilibrium, turns  # noqa: E402
from noether.campaigns.watch.turns import BYTES, Rota  # noqa: E402
from noether.networks.check import walked  # noqa: E402
from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION, Family, Part  # noqa: E402
from noether.networks.finite import moved  # noqa: E402
from noether.networks.twin import called  # noqa: E402


class Everything(nn.Module):
    """A network that has symmetries of all four kinds, none of them broken."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 1, batch_first=True)
        self.hidden, self.out = nn.Linear(6, 5), nn.Linear(5, 4)
        self.norm = nn.LayerNorm(4, eps=0.0)

    def forward(self, x):
        x = self.attention(x, x, x, need_weights=False)[0]
        return self.norm(self.out(functional.relu(self.hidden(x))))


def test_a_finite_move_leaves_the_outputs_alone_and_moves_far():
    torch.manual_seed(1)
    net, x = Everything().double(), torch.randn(3, 7, 6, dtype=torch.float64)
    proposed, _ = walked(net, called(net, (x,)))
    assert {f.kind for f in proposed} == {SCALE, RESCALE, TRANSLATION, GL}
    there = dict(net.named_parameters())
    for family in (f for f in proposed if not f.of_loss):
        with torch.no_grad():
            before, kept = net(x), {name: there[name].clone() for name in family.parameters}
            for name, value in moved(family, kept).items():
                there[name].copy_(value)
            after, far = net(x), max(float((there[name] - kept[name]).abs().max()) for name in kept)
            for name, value in kept.items():
                there[name].copy_(value)
        assert far > 1e-2, family.words
        assert float((after - before).abs().max()) < 1e-12, f"{family.kind} {family.words}"


def test_a_move_along_what_is_no_symmetry_changes_the_outputs():
    net, x = nn.Linear(3, 2), torch.ones(1, 3)
    family = Family(SCALE, "all", (Part("weight", torch.arange(6).reshape(1, -1)),))
    before = net(x).clone()
    with torch.no_grad():
        net.weight.copy_(moved(family, dict(net.named_parameters()))["weight"])
    assert not torch.allclose(before, net(x))


def test_small_angles_are_accurate():
    a = torch.tensor([[1.0, 0.0], [3.0, 4.0]], dtype=torch.float64)
    turn = torch.tensor([[1.0, -1e-9], [1e-9, 1.0]], dtype=torch.float64)
    # an angle of 1e-9 is the difference of numbers of float64: it is known to 2^-53/1e-9 = 1e-7 of itself
    assert torch.allclose(angles(a, 7 * a @ turn.T), torch.full((2,), 1e-9, dtype=torch.float64), rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.02),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.6, dampening=0.5, weight_decay=0.04),
        lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.2),
    ],
)
def test_white_gradients_turn_a_layer_by_the_angle_of_equilibrium(make):
    """Gradients of unit length/|w|, orthogonal to w; after three times 1/(2 eta k) steps the norm stands.

    The mean square angle of n steps scatters by a part sqrt(2 m/n), m the steps of memory: 3 % within six
    of these, and the formulas leave out parts of the order eta k and 1/d, below 1 %.
    """
    torch.manual_seed(0)
    d, many = 256, 3000
    w = nn.Parameter(torch.randn(d, dtype=torch.float64))
    optimizer = make([w])
    expected = equilibrium(optimizer, optimizer.param_groups[0])
    with torch.no_grad():
        for n in range(many + 2000):
            g = torch.randn(d, dtype=torch.float64)
            g -= w * (g @ w) / (w @ w)
            w.grad = g / g.norm() / w.norm()
            before = w[None].clone()
            optimizer.step()
            if n == many:
                total = 0.0
            if n >= many:
                total += float(angles(before, w[None]).square())
    assert math.isclose(math.sqrt(total / 2000), expected, rel_tol=0.04)


def test_no_equilibrium_is_told_where_none_is_known():
    p = [nn.Parameter(torch.ones(2))]
    for made in (torch.optim.SGD(p, lr=0.1), torch.optim.Adam(p, weight_decay=0.1), torch.optim.Rprop(p)):
        assert equilibrium(made, made.param_groups[0]) is None
    nesterov = torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)
    assert equilibrium(nesterov, nesterov.param_groups[0]) is None


def test_the_effective_rate_is_of_layers_that_do_not_know_their_length():
    w, v = torch.tensor([[3.0, 4.0], [3.0, 4.0]]), torch.ones(2, 2)
    optimizer = torch.optim.SGD([nn.Parameter(w)], lr=0.5)
    family = Family(SCALE, "rows", (Part("w", torch.arange(4).reshape(2, 2)),))
    before, after = {"w": w, "v": v}, {"w": w + 0.1, "v": 2 * v}
    groups = dict.fromkeys("wv", optimizer.param_groups[0])
    found = turns(optimizer, groups, before, after, [family])
    assert set(found) == {"rows", "v"} and found["v"].angle < 1e-7 and found["v"].rate is None
    assert math.isclose(found["rows"].rate, 0.5 / 25) and found["rows"].angle > 1e-3


# ---- whose turn it is


def test_everything_has_its_turn_and_families_stay_together():
    p = {name: torch.zeros(100) for name in "abcdefgh"}
    rota = Rota(p, BYTES * 250)
    family = Family(RESCALE, "b against d", (Part("b", torch.arange(1)), Part("d", torch.arange(1), -1)))
    rota.arrange([family])
    seen = [rota.take() for _ in range(8)]
    assert all(len(chosen) == 2 and not any(x is not None for x in chosen.values()) for chosen in seen)
    assert {name for chosen in seen for name in chosen} == set(p)
    assert any(set(chosen) == {"b", "d"} for chosen in seen)


def test_of_what_is_large_a_part_has_its_turn_after_the_other():
    p = {"small": torch.zeros(10), "large": torch.zeros(250)}
    rota = Rota(p, BYTES * 100)
    parts = []
    for _ in range(6):
        chosen = rota.take()
        assert sum(p[n].numel() if at is None else len(at) for n, at in chosen.items()) <= 100
        parts += [chosen["large"]] if "large" in chosen else []
    assert torch.cat(parts).tolist() == list(range(250))


def test_of_a_large_family_whole_generators_have_their_turn():
    p = {"w": torch.zeros(40, 20), "v": torch.zeros(20, 40)}
    where = torch.arange(800)
    parts = (Part("w", where.reshape(40, 20)), Part("v", where.reshape(20, 40).T.contiguous(), -1))
    rota = Rota(p, BYTES * 100)
    rota.arrange([Family(RESCALE, "w against v", parts)])
    chosen = rota.take()
    assert chosen["w"].tolist() == list(range(40)) and len(chosen["v"]) == 40
    assert rota.take()["w"].tolist() == list(range(40, 80))


def test_what_must_be_whole_and_is_too_large_is_named():
    rota = Rota({"small": torch.zeros(10), "large": torch.zeros(1000)}, BYTES * 100, whole={"large"})
    assert [set(rota.take()) for _ in range(2)] == [{"small"}, {"small"}] and rota.large == {"large"}
    rota = Rota({"large": torch.zeros(9000)}, BYTES * 10_000, rate=0.01, whole={"large"})
    assert rota.room == 5000 and rota.take() == {"large": None}
