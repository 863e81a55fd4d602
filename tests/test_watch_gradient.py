"""What the gradient of a sampled step says of the symmetries of its network."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from noether.campaigns.watch.forward import Calls, NotJudged  # noqa: E402
from noether.campaigns.watch.gradient import slopes  # noqa: E402
from noether.campaigns.watch.symmetries import found  # noqa: E402
from noether.networks.families import SCALE, Family, Part  # noqa: E402


class Divided(torch.autograd.Function):
    """x/|x|; of its slope along x the part `share` is taken away, which is right where it is 1."""

    @staticmethod
    def forward(ctx, x, share):
        ctx.save_for_backward(x)
        ctx.share = share
        return x / x.norm()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return (g - ctx.share * x * (g * x).sum() / x.square().sum()) / x.norm(), None


class Unit(nn.Linear):
    """A linear map whose result is divided by its norm, so that a factor of the weights changes nothing."""

    share = 1.0

    def forward(self, x):
        return Divided.apply(super().forward(x), self.share)


@pytest.mark.parametrize("share, right", [(1.0, True), (0.5, False), (1 - 2.0**-20, False)])
def test_a_wrong_backward_pass_is_violated(share, right):
    family = Family(SCALE, "scale of weight", (Part("weight", torch.arange(12).reshape(1, -1)),))
    torch.manual_seed(0)
    net = Unit(4, 3, bias=False)
    net.share = share
    calls = Calls(dict(net.named_parameters()), 2**20)
    x = torch.randn(5, 4)
    calls.begin(net, (x,), {})
    y = net(x)
    calls.end(y)
    (y * torch.randn(5, 3)).sum().backward()
    told = slopes(net, calls.taken(), {"weight": net.weight.grad}, [family], 2**20)
    (along,) = told.along
    assert (along.worst.spent <= 1) is right and along.broken is None and told.repeats
    assert along.planted.spent > 1


def test_a_false_symmetry_is_broken_by_the_network_and_violates_nothing():
    family = Family(SCALE, "scale of weight", (Part("weight", torch.arange(12).reshape(1, -1)),))
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 3, bias=False), nn.Tanh())
    calls = Calls(dict(net.named_parameters()), 2**20)
    calls.begin(net, (x := torch.randn(5, 4),), {})
    calls.end(y := net(x))
    y.sum().backward()
    named = Family(SCALE, "scale", (Part("0.weight", family.parts[0].where),))
    (along,) = slopes(net, calls.taken(), {"0.weight": net[0].weight.grad}, [named], 2**20).along
    assert along.broken > 0.1


def test_what_cannot_be_judged_says_why():
    for limit, said in ((100, "the limit is"), (400, "keeps more than")):
        net = nn.Linear(4, 3)
        calls = Calls(dict(net.named_parameters()), 2**20)
        calls.begin(net, (x := torch.randn(5, 4),), {})
        calls.end(y := net(x).tanh())
        y.sum().backward()
        with pytest.raises(NotJudged, match=said):
            slopes(net, calls.taken(), {"weight": net.weight.grad}, [], limit)


def test_in_float64_only_the_factor_is_told():
    net = nn.Linear(4, 3).double()
    calls = Calls(dict(net.named_parameters()), 2**20)
    calls.begin(net, (x := torch.randn(5, 4, dtype=torch.float64),), {})
    calls.end(y := net(x))
    y.sum().backward()
    told = slopes(net, calls.taken(), {"weight": net.weight.grad / 4}, [], 2**20)
    assert told.factor == 0.25 and told.repeats and not told.along and not told.rounding


def test_inputs_that_take_more_than_the_limit_are_not_kept():
    net = nn.Linear(4, 3)
    calls = Calls(dict(net.named_parameters()), 100)
    calls.begin(net, (torch.randn(50, 4),), {})
    calls.end(net(torch.randn(50, 4)))
    with pytest.raises(NotJudged, match="take more than"):
        calls.taken()
    assert not calls.seen


def test_parameters_that_were_written_to_meanwhile_are_seen():
    net = nn.Linear(4, 3)
    calls = Calls(dict(net.named_parameters()), 2**20)
    calls.begin(net, (x := torch.randn(5, 4),), {})
    calls.end(y := net(x))
    y.sum().backward()
    with torch.no_grad():
        net.weight.mul_(2)
    with pytest.raises(NotJudged, match="were written to"):
        calls.taken()


def test_inputs_are_copies():
    net, x = nn.Linear(4, 3), torch.randn(5, 4)
    calls = Calls(dict(net.named_parameters()), 2**20)
    calls.begin(net, (x,), {})
    calls.end(y := net(x))
    y.sum().backward()
    g = net.weight.grad.clone()
    x.zero_()
    told = slopes(net, calls.taken(), {"weight": g, "bias": net.bias.grad}, [], 2**20)
    assert told.repeats and told.factor == 1


def test_the_eps_of_a_norm_behind_dropout_is_known_to_the_last_digit():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.drop = nn.Embedding(7, 8), nn.Dropout(0.3)
            self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 7)

        def forward(self, x):
            return self.head(self.norm(self.drop(self.table(x))))

    torch.manual_seed(0)
    net, x = Net(), torch.randint(7, (9, 5))
    calls = Calls(dict(net.named_parameters()), 2**20)
    calls.begin(net, (x,), {})
    calls.end(y := net(x))
    y.square().sum().backward()
    families = [f for f in found(net, calls.taken()) if f.parameters == ("table.weight",)]
    given = {name: p.grad for name, p in net.named_parameters()}
    (along,) = slopes(net, calls.taken(), given, families, 2**20).along
    assert along.broken is None and along.worst.spent <= 1 and along.worst.predicted != 0
