"""The rounding of a real gradient is known from float64 alone, and a wrong gradient is seen against it."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.networks.check import EPS, KEPT, checked, walked  # noqa: E402
from noether.networks.eps import eps_slopes, explained  # noqa: E402
from noether.networks.gradient import along  # noqa: E402
from noether.networks.rounded import scatter  # noqa: E402
from noether.networks.twin import called, own_gradients  # noqa: E402
from noether.networks.zoo import network  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
UNIT = {torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8}


class Looked:
    """One minibatch of a network: its gradients, its families, and how far its gradient is rounded."""

    def __init__(self, name: str, seed: int = 0, dtype=torch.float32):
        one = network(name)
        data, self.model = one.read(), one.make(seed).to(dtype)
        x, y = (z[seed * 32 : seed * 32 + 32] for z in (data.x, data.y))
        call = called(self.model, (x.to(dtype),))
        call.loss = lambda out: one.loss(out, y)
        self.families = [r for r in checked(self.model, [call], walked(self.model, call)[0])]
        self.own = own_gradients(self.model, [call])
        self.wide, self.eps = eps_slopes(self.model, [call])
        self.values = {n: p.detach().double() for n, p in self.model.named_parameters()}
        self.scatter = scatter(self.model, [call], UNIT[dtype], self.wide, seed)

    def slopes(self, own=None, eps=True):
        """Of each family that is kept."""
        for r in self.families:
            if r.verdict in (KEPT, EPS):
                by = explained(r.family, self.eps) if eps else None
                yield along(r.family, own or self.own, self.wide, self.values, self.scatter, by)


NAMES = ("relu-mlp", "batchnorm-mlp", "cnn-groupnorm", "weightnorm-mlp", "deep-linear", "attention-layernorm")


@pytest.mark.parametrize("name", NAMES)
def test_a_right_gradient_is_within_its_rounding_and_little_more_would_be_seen(name):
    for seed in range(3):
        slopes = list(Looked(name, seed).slopes())
        assert slopes and max(float(s.spent.max()) for s in slopes) <= 1
        seen = [float(s.power[s.size > 0].median()) for s in slopes if bool((s.size > 0).any())]
        assert sorted(seen)[len(seen) // 2] < 2.0**-12  # of its size: float32 has 2^-24


@pytest.mark.parametrize("name", NAMES)
def test_the_scatter_is_that_of_the_real_gradient(name):
    """Between what BLAS saves by adding up in blocks, and the worst of the biases of keys."""
    looked = Looked(name)
    for p, sd in looked.scatter.sd.items():
        off = float((looked.own[p].double() - looked.wide[p]).norm() / sd.norm())
        assert 1 / 64 < off < 2, p


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_that_is_wrong_in_one_parameter_is_seen(name):
    looked = Looked(name)
    share = {p: float((looked.wide[p] * x).abs().max()) for p, x in looked.values.items()}
    moved = {p for s in looked.slopes() for p in s.family.parameters if len(s.family.parameters) > 1}
    moved = {
        p for p in moved if share[p] > 2.0**-3 * max(share.values())
    }  # a part of little is within a bound
    assert moved
    for p in moved:
        every_other = torch.arange(looked.own[p].numel()).reshape(looked.own[p].shape) % 2
        wrong = {**looked.own, p: looked.own[p] * (1 + 2.0**-8 * every_other)}
        assert max(float(s.spent.max()) for s in looked.slopes(wrong)) > 1, p


def test_the_gradient_of_another_minibatch_is_right_too():
    """Symmetry is a property of every minibatch: which one it was, this law cannot see."""
    looked, other = Looked("relu-mlp", 0), Looked("relu-mlp", 1)
    other.model.load_state_dict(looked.model.state_dict())
    assert max(float(s.spent.max()) for s in looked.slopes()) <= 1


def test_without_what_eps_explains_a_scale_is_broken():
    looked = Looked("batchnorm-mlp")
    assert max(float(s.spent.max()) for s in looked.slopes(eps=False)) > 1


def test_in_bfloat16_it_says_how_little_it_would_see():
    slopes = list(Looked("batchnorm-mlp", dtype=torch.bfloat16).slopes())
    assert max(float(s.spent.max()) for s in slopes) <= 1
    assert min(float(s.power[s.size > 0].min()) for s in slopes if bool((s.size > 0).any())) > 2.0**-8
