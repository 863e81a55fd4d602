"""The walk finds the symmetries that theory predicts, each is one, and what is none is told with its size."""

import copy

import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.utils.parametrizations import weight_norm  # noqa: E402

from noether.networks.check import BROKEN, EPS, KEPT, UNKNOWN, checked, walked  # noqa: E402
from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION, Family, Part  # noqa: E402
from noether.networks.twin import called  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


def cross_entropy(y):
    """Of the first axis' index as the class."""
    return nn.functional.cross_entropy(y, torch.arange(len(y)) % y.shape[1])


def found(model, *args, loss=cross_entropy):
    """The checked families of a model on one minibatch, and what the walk did not know."""
    call = called(model, args)
    call.loss = loss
    families, unknown = walked(model, call)
    return checked(model, [call], families), unknown


def counts(results) -> dict:
    """(kind, whether of the loss alone) -> how many generators."""
    total: dict = {}
    for r in results:
        key = (r.family.kind, r.family.of_loss)
        total[key] = total.get(key, 0) + r.family.count
    return total


def data(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seeded(make, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


@pytest.mark.parametrize(
    "make, shape, predicted",
    [
        (
            lambda: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)),
            (16, 6),
            {(SCALE, False): 5, (RESCALE, False): 5, (TRANSLATION, False): 5, (TRANSLATION, True): 6},
        ),
        (
            lambda: nn.Sequential(nn.Linear(6, 5, bias=False), nn.ReLU(), nn.Dropout(0.3), nn.Linear(5, 3)),
            (16, 6),
            {(RESCALE, False): 5, (TRANSLATION, True): 6},
        ),
        (
            lambda: nn.Sequential(nn.Linear(6, 5, bias=False), nn.Linear(5, 4), nn.Linear(4, 3, bias=False)),
            (16, 6),
            {(GL, False): 25 + 16, (TRANSLATION, True): 4},
        ),
        (
            lambda: nn.Sequential(
                nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                nn.Linear(16, 3),
            ),
            (8, 1, 6, 6),
            {(SCALE, False): 2, (TRANSLATION, False): 2, (RESCALE, False): 4, (TRANSLATION, True): 17},
        ),
        (
            lambda: nn.Sequential(weight_norm(nn.Linear(6, 5)), nn.ReLU(), nn.Linear(5, 3)),
            (16, 6),
            {(SCALE, False): 5, (RESCALE, False): 5, (TRANSLATION, True): 6},
        ),
        (
            lambda: nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 3)),
            (16, 6),
            {(SCALE, False): 1, (TRANSLATION, False): 7, (TRANSLATION, True): 6},
        ),
        (
            lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)),
            (16, 6),
            {(TRANSLATION, True): 6},
        ),
    ],
    ids=["BatchNorm", "ReLU and dropout", "linear", "GroupNorm", "weight norm", "LayerNorm", "tanh"],
)  # fmt: skip
def test_what_the_walk_finds_is_what_theory_predicts_and_each_is_kept(make, shape, predicted):
    results, unknown = found(seeded(make), data(*shape))
    assert counts(results) == predicted and not unknown
    assert {r.verdict for r in results} <= {KEPT, EPS}
    assert all(r.spent <= 1 and r.unexplained < 2.0**-20 or r.family.kind == TRANSLATION for r in results)


class Attention(nn.Module):
    """Two heads of four, after a RMSNorm, with a skip connection."""

    def __init__(self):
        super().__init__()
        self.norm, self.inside = nn.RMSNorm(8, eps=1e-3), nn.Linear(5, 8)
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.inside(x)
        y = self.norm(x)
        q, k, v = (f(y).unflatten(-1, (2, 4)).transpose(1, 2) for f in (self.q, self.k, self.v))
        a = (q @ k.transpose(-1, -2) / 2).softmax(-1) @ v
        return self.head((x + self.o(a.transpose(1, 2).flatten(2))).mean(1))


def test_heads_of_attention_are_mixed_each_by_itself():
    results, unknown = found(seeded(Attention), data(12, 7, 5))
    heads = [r.family for r in results if r.family.kind == GL and r.family.n == 4]
    assert len(heads) == 4 and not unknown
    assert {tuple(f.parameters) for f in heads} == {
        ("q.weight", "q.bias", "k.weight", "k.bias"), ("v.weight", "v.bias", "o.weight")}  # fmt: skip
    keys = [r for r in results if r.family.kind == TRANSLATION and r.family.parameters == ("k.bias",)]
    assert len(keys) == 1 and keys[0].family.n == 8
    assert {r.verdict for r in results} <= {KEPT, EPS}


def test_what_is_added_up_before_a_mean_may_be_moved_term_by_term():
    class Summed(nn.Module):
        def __init__(self):
            super().__init__()
            self.places, self.a, self.b = nn.Parameter(torch.randn(7, 8)), nn.Linear(5, 8), nn.Linear(8, 8)
            self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 3, bias=False)

        def forward(self, x):
            h = self.a(x) + self.places
            return self.head((self.norm(h) + self.norm(h + self.b(self.norm(h)))).mean(1))

    results, unknown = found(seeded(Summed), data(20, 7, 5))
    shifts = [r.family for r in results if r.family.kind == TRANSLATION and not r.family.of_loss]
    moved: dict = {}
    for family in shifts:
        moved[family.parts[0].parameter] = moved.get(family.parts[0].parameter, 0) + family.n
    assert moved == {"places": 7, "a.bias": 1, "a.weight": 5, "b.bias": 1, "b.weight": 8} and not unknown
    assert {r.verdict for r in results} <= {KEPT, EPS}


def test_a_skip_connection_couples_what_it_adds():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 3)

        def forward(self, x):
            h = self.a(x).relu()
            return self.c((h + self.b(h)).relu())

    results, _ = found(seeded(Residual), data(12, 5))
    assert counts(results) == {(RESCALE, False): 5, (TRANSLATION, True): 6}
    (family,) = [r.family for r in results if r.family.kind == RESCALE]
    # b goes from channels to channels of one scale each: its diagonal stays, what couples two moves with both
    assert set(family.parameters) == {"a.weight", "a.bias", "b.weight", "b.bias", "c.weight"}
    diagonal = [0, 6, 12, 18, 24]
    places = [p.where for p in family.parts if p.parameter == "b.weight"]
    assert not any(torch.isin(torch.tensor(diagonal), where).any() for where in places)


def test_tied_weights_are_one_parameter():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.b = nn.Parameter(torch.randn(4, 6) / 2), nn.Parameter(torch.zeros(4))

        def forward(self, x):
            return (x @ self.w.T + self.b).relu() @ self.w

    results, _ = found(seeded(Tied), data(12, 6), loss=lambda y: (y - data(12, 6)).square().mean())
    assert not [r for r in results if r.family.kind != TRANSLATION]  # w would be both up and down


def test_in_eval_mode_the_scale_is_gone():
    model = seeded(lambda: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)))
    model(data(16, 6))
    families, _ = walked(model, called(model, (data(16, 6),)))
    model.eval()
    results, _ = found(model, data(16, 6))
    assert not [r for r in results if r.family.kind == SCALE]
    call = called(model, (data(16, 6),))
    call.loss = cross_entropy
    scale = next(f for f in families if f.kind == SCALE)
    (result,) = checked(model, [call], [scale])
    assert result.verdict == BROKEN and result.breaking > 1e-3


def test_eps_breaks_a_scale_by_exactly_twice_its_own_slope():
    """A large eps, so that what is left would show: 2^-20 of the slope is far above rounding in float64."""
    model = seeded(
        lambda: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5, eps=0.5), nn.ReLU(), nn.Linear(5, 3))
    )
    results, _ = found(model, data(16, 6))
    (r,) = [r for r in results if r.family.kind == SCALE]
    assert r.verdict == EPS and r.breaking > 0.01 and r.unexplained < 2.0**-40
    family = replace(r.family, breaks=(replace(r.family.breaks[0], powers=r.family.breaks[0].powers / 2),))
    call = called(model, (data(16, 6),))
    call.loss = cross_entropy
    assert checked(model, [call], [family])[0].verdict == BROKEN


def test_a_family_that_forgets_a_bias_or_turns_a_sign_is_broken():
    model = seeded(lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)))
    call = called(model, (data(16, 6),))
    call.loss = cross_entropy
    families, _ = walked(model, call)
    unit = next(f for f in families if f.kind == RESCALE)
    for parts in (
        [p for p in unit.parts if p.parameter != "0.bias"],
        [replace(p, sign=1) for p in unit.parts],
        [replace(p, sign=p.sign * (1 + 2.0**-10)) if p.sign < 0 else p for p in unit.parts],
    ):
        assert checked(model, [call], [replace(unit, parts=tuple(parts))])[0].verdict == BROKEN
    assert checked(model, [call], [unit])[0].verdict == KEPT


def test_a_network_of_float64_is_compared_with_a_narrower_copy():
    model = seeded(lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))).double()
    results, _ = found(model, data(16, 6).double())
    assert counts(results) == {(RESCALE, False): 5, (TRANSLATION, True): 6}
    assert {r.verdict for r in results} == {KEPT} and all(0 < r.spent <= 1 for r in results)


def test_where_no_gradient_comes_nothing_is_decided():
    model = seeded(lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)))
    call = called(model, (data(16, 6),))
    call.loss = lambda y: 0 * y.sum()
    family = Family(RESCALE, "unit", (Part("0.weight", torch.arange(30).reshape(5, 6)),))
    assert checked(model, [call], [family])[0].verdict == UNKNOWN


def test_an_unknown_operation_invents_nothing():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.b(torch.special.i0(self.a(x)))

    results, unknown = found(seeded(Odd), data(8, 4))
    assert unknown == {"i0"} and counts(results) == {(TRANSLATION, True): 5}


def test_a_walk_leaves_the_model_as_it_was():
    model = seeded(
        lambda: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.2), nn.Linear(5, 3))
    )
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    found(model, data(16, 6))
    assert all(torch.equal(x, before[n]) for n, x in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


LAYER = st.tuples(
    st.integers(2, 5), st.booleans(), st.sampled_from(["none", "relu", "batch", "layer", "tanh"])
)


@settings(deadline=None, max_examples=25)
@given(st.lists(LAYER, min_size=1, max_size=4), st.integers(0, 2**16))
def test_no_proposal_of_any_stack_of_layers_is_broken(layers, seed):
    def make():
        inside, stack = 4, []
        for width, bias, after in layers:
            stack.append(nn.Linear(inside, width, bias=bias))
            stack += {"none": [], "relu": [nn.ReLU()], "tanh": [nn.Tanh()], "batch": [nn.BatchNorm1d(width)],
                      "layer": [nn.LayerNorm(width)]}[after]  # fmt: skip
            inside = width
        return nn.Sequential(*stack, nn.Linear(inside, 3))

    results, unknown = found(seeded(make, seed), data(16, 4, seed=seed))
    assert not unknown and not [r.family.words for r in results if r.verdict == BROKEN]
