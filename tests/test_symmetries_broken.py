"""What noether.symmetries() finds broken, cannot decide or does not reach is told apart from what is kept."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import noether  # noqa: E402
from noether.networks.check import BROKEN, EPS, UNKNOWN  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


class Detached(nn.Module):
    """Its outputs do not change with the size of what it normalises, and its gradient pretends otherwise."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 5), nn.Linear(5, 2)

    def forward(self, x):
        h = self.a(x)
        return self.b((h / h.norm(dim=-1, keepdim=True).detach()).tanh())


def test_a_gradient_that_is_not_that_of_the_outputs_breaks_what_the_outputs_have():
    found = noether.symmetries(Detached(), torch.randn(8, 4))
    (row,) = found.finding.rows
    assert row.verdict == BROKEN and row.judged.change > 0.01 and not found.families
    assert "1 proposal is broken" in found.verdict and "look for detach()" in str(found)
    assert found.finding.unmoved == ("a.weight", "a.bias", "b.weight", "b.bias") and found.exit_code == 0


class OwnNorm(nn.Module):
    """RMSNorm as many networks write it, or a norm whose eps stands beside the root."""

    def __init__(self, beside_root):
        super().__init__()
        self.weight, self.beside_root = nn.Parameter(torch.ones(6)), beside_root

    def forward(self, x):
        if self.beside_root:
            return self.weight * x / (x.pow(2).mean(-1, keepdim=True).sqrt() + 1e-6)
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


@pytest.mark.parametrize("beside_root", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_an_eps_of_the_networks_own_is_known_by_how_it_fades(beside_root, dtype):
    layers = [
        nn.Linear(4, 6),
        OwnNorm(beside_root),
        nn.Dropout(0.2),
        nn.Linear(6, 5),
        nn.Tanh(),
        nn.Linear(5, 2),
    ]
    found = noether.symmetries(nn.Sequential(*layers).to(dtype), torch.randn(32, 4).to(dtype))
    (scale,) = [row for row in found.finding.rows if row.family.kind == "scale"]
    assert scale.verdict == scale.in_eval.verdict == EPS and scale.judged.change > 1e-9
    assert scale.judged.less_eps < 1e-12 and scale.judged.spent <= 1


class CutNorm(OwnNorm):
    """The same, its length cut off from the gradient."""

    def forward(self, x):
        return self.weight * x / (x.pow(2).mean(-1, keepdim=True).sqrt().detach() + 1e-6)


def test_what_does_not_fade_is_broken_whatever_eps_is_there():
    found = noether.symmetries(nn.Sequential(nn.Linear(4, 6), CutNorm(True), nn.Tanh()), torch.randn(32, 4))
    (scale,) = [row for row in found.finding.rows if row.family.kind == "scale"]
    assert scale.verdict == BROKEN and scale.judged.far is not None and scale.judged.less_eps > 1e-3


def test_a_dead_channel_is_not_counted_as_seen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([-1e3, 9, 9]))
    found = noether.symmetries(model, torch.randn(16, 3))
    (row,) = found.finding.rows
    assert (row.seen, row.family.count) == (2, 3) and "kept, 2 of 3 seen" in " ".join(str(found).split())
    assert "of the others nothing is known" in str(found) and found.exit_code == 0


def test_a_head_whose_numbers_are_all_zero_is_not_decided():
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        model.in_proj_weight[20:24] = model.in_proj_bias[20:24] = 0  # the values of the second head
        model.out_proj.weight[:, 4:] = 0
    found = noether.symmetries(model, (torch.randn(8, 6, 8),) * 3)
    assert [r.verdict for r in found.finding.rows].count(UNKNOWN) == 1
    assert found.exit_code == 3 and "1 proposal is not decided" in found.verdict
    assert "next, give it more samples" in str(found)


def test_what_no_gradient_reaches_is_told_apart():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            return self.used(x)

    found = noether.symmetries(Unused(), torch.randn(8, 3))
    assert found.finding.unreached == ("spare.weight", "spare.bias") and not found.finding.rows
    assert "no gradient reaches spare.weight spare.bias" in str(found) and found.exit_code == 0
    assert found.finding.unmoved == ("used.weight", "used.bias")


def test_a_module_without_a_twin_is_not_decided():
    class Single(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 2)

        def forward(self, x):
            return self.a(x.float()) @ torch.ones(2, 2, dtype=torch.float32)

    found = noether.symmetries(Single(), torch.randn(8, 3))
    assert found.exit_code == 3 and found.verdict.startswith("could not decide: it does not run in float64")
    assert "next, give it other inputs" in str(found)


def test_a_backward_that_float64_does_not_fit_is_not_decided_and_no_fault_of_ours():
    class Narrow(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            if g.dtype != torch.float32:
                raise TypeError("float32 alone")
            return 2 * g

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 2)

        def forward(self, x):
            return Narrow.apply(self.a(x))

    found = noether.symmetries(Model(), torch.randn(8, 3))
    assert "its gradient fails in float64: TypeError: float32 alone" in found.verdict and found.exit_code == 3


def test_an_operation_that_the_walk_does_not_know_is_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 2)

        def forward(self, x):
            return torch.special.i0(self.a(x))

    found = noether.symmetries(Odd(), torch.randn(8, 3))
    assert found.finding.unknown == ("i0",) and "operations that the walk does not know: i0" in str(found)
