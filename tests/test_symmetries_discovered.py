"""Brute force finds the affine symmetries of small modules, those too that no walk can know."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

import noether  # noqa: E402
from noether.campaigns.discovery import module, numbers  # noqa: E402
from noether.campaigns.discovery.nullspace import shape, solved  # noqa: E402
from noether.campaigns.symmetries import finding  # noqa: E402
from noether.cli.main import call  # noqa: E402
from noether.networks.check import EPS, walked  # noqa: E402
from noether.networks.twin import called  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


def found(make, *shape_, seed=0):
    """What brute force finds of a module on normal inputs."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model, x = make(), torch.randn(*shape_)
    return noether.symmetries(model, x, discover=True, seed=seed).finding


class Round(nn.Module):
    """Only the length of the hidden vector is read: its rows may be turned into each other."""

    def __init__(self):
        super().__init__()
        self.a, self.out = nn.Linear(2, 3), nn.Linear(1, 1)

    def forward(self, x):
        return self.out(self.a(x).square().sum(-1, keepdim=True).tanh())


class Twice(nn.Module):
    """Two branches that are added: what one gains the other may lose."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 1)

    def forward(self, x):
        return self.out((self.a(x) + self.b(x)).tanh())


class OddNorm(nn.Module):
    """A normalisation by the fourth root of fourth powers, written by hand."""

    def __init__(self):
        super().__init__()
        self.a, self.out = nn.Linear(3, 3), nn.Linear(3, 1)

    def forward(self, x):
        h = self.a(x)
        return self.out(
            (h / torch.special.log_ndtr(h).pow(0) / h.pow(4).sum(-1, keepdim=True).pow(0.25)).tanh()
        )


class Square(nn.Module):
    def forward(self, x):
        return x * x


# ---- what no walk knows


def test_a_turn_of_hidden_units_that_only_their_length_is_read_of_is_found():
    made = found(Round, 16, 2).discovered
    assert not made.undecided and made.kept == 3 and [g.name for g in made.missed] == ["rotation"] * 3
    assert all(g.error < 1e-12 for g in made.missed)
    assert "a.weight[0, 0] by a.weight[1, 0]" in made.formula(made.missed[0])


def test_what_one_branch_gains_and_another_loses_is_found():
    made = found(Twice, 16, 2).discovered
    assert [g.name for g in made.missed] == ["translation"] * 6 and made.kept == 6
    assert made.formula(made.missed[0]) == "a.weight[0, 0] by 1, b.weight[0, 0] by -1"


def test_a_bias_that_the_next_bias_takes_back_through_its_weight_is_found():
    """y = V (W x + b) + c is the same for b + t and c - V t: an affine motion of none of the four kinds."""
    one = found(lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)), 16, 2)
    assert {row.family.kind for row in one.rows} == {"GL"} and one.discovered.kept == 9 + 3
    assert one.discovered.formula(one.discovered.missed[0]) == (
        "0.bias[0] by 1, 1.bias[0] by -1.weight[0, 0], 1.bias[1] by -1.weight[1, 0]"
    )


def test_through_an_unknown_operation_brute_force_goes_where_the_walk_does_not():
    one = found(OddNorm, 16, 3)
    assert one.unknown and not one.rows
    assert [g.name for g in one.discovered.missed] == ["scale"]
    assert "a.bias[2] by a.bias[2]" in one.discovered.formula(one.discovered.missed[0]) or (
        "(12 moves)" in one.discovered.formula(one.discovered.missed[0])
    )


# ---- what the walk knows


@pytest.mark.parametrize(
    "make, inside, kept",
    [
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)), 3, 3),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2, bias=False)), 2, 9),
        (lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)), 2, 6),
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Dropout(0.3), nn.Linear(3, 2)), 3, 3),
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)), 3, 0),
        (lambda: nn.Sequential(nn.Linear(3, 2), Square(), nn.Linear(2, 2)), 3, 2),
    ],
    ids=["ReLU", "linear", "BatchNorm", "dropout", "tanh", "square"],
)
def test_what_the_walk_proposes_is_all_there_is(make, inside, kept):
    one = found(make, 16, inside)
    assert not one.discovered.undecided and one.discovered.kept == kept and not one.discovered.missed
    exact = sum(row.family.count for row in one.rows if row.is_kept and row.verdict != EPS)
    assert exact == kept


def test_a_family_that_is_taken_from_the_walk_is_missed(monkeypatch):
    def fewer(model, call):
        families, unknown = walked(model, call)
        return [f for f in families if f.kind != "rescale"], unknown

    monkeypatch.setattr(finding, "walked", fewer)
    one = found(lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)), 16, 3)
    assert [g.name for g in one.discovered.missed] == ["rescale"] * 3


def test_what_eps_breaks_is_none_of_what_is_kept():
    make = lambda: nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3, eps=1e-3), nn.Linear(3, 3, bias=False))
    one = found(make, 16, 2)
    assert [row.family.kind for row in one.rows if row.verdict == EPS] == ["scale"]
    seen = one.discovered.spectrum
    assert seen.smallest_broken > 1e-9 and not one.discovered.missed and not one.discovered.undecided


def switched_off():
    """A unit that is 0 at the parameters and around them: what feeds it is moved by no gradient there."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].bias[0] = -2
    return model


def test_a_unit_that_is_off_at_the_parameters_invents_no_symmetries():
    made = found(switched_off, 16, 2).discovered
    assert made.kept == 2 and not made.missed and not made.undecided


def test_what_no_gradient_reaches_leaves_the_question_open():
    class Spare(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(2, 2), nn.Linear(2, 1)

        def forward(self, x):
            return self.used(x)

    one = found(Spare, 16, 2)
    assert one.discovered.undecided == (
        "a gradient seldom reaches spare.weight[0, 0] spare.weight[0, 1] spare.bias[0]"
    )
    assert one.exit_code == 3 and not one.discovered.missed


def test_a_family_that_is_no_symmetry_elsewhere_is_told(monkeypatch):
    """A ReLU that is on at every sample given looks linear: brute force goes where it is not."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        model[0].bias[:] = 50
    call = called(model, (torch.randn(16, 2),))
    call.cotangents = [torch.randn(16, 2)]
    straight = nn.Sequential(model[0], model[2])
    families, _ = walked(straight, call)
    renamed = [
        replace(f, parts=tuple(replace(p, parameter=p.parameter.replace("1.", "2.")) for p in f.parts))
        for f in families
    ]
    made = module.discovered(model, call, renamed, [], 0)
    assert "generators that are kept on the given inputs are not kept on others" in made.undecided


LAYER = st.tuples(st.sampled_from(["none", "relu", "tanh", "square"]), st.booleans(), st.integers(1, 2))


@settings(deadline=None, max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(LAYER, min_size=1, max_size=2), st.integers(0, 2**16))
def test_brute_force_never_denies_a_family_that_is_kept(layers, seed):
    def make():
        inside, stack = 2, []
        for after, bias, width in layers:
            stack.append(nn.Linear(inside, width, bias=bias))
            stack += {"none": [], "relu": [nn.ReLU()], "tanh": [nn.Tanh()], "square": [Square()]}[after]
            inside = width
        return nn.Sequential(*stack, nn.Linear(inside, 2, bias=False))

    one = found(make, 16, 2, seed=seed)
    assert not one.discovered.undecided
    assert one.discovered.kept >= sum(row.family.count for row in one.rows if row.is_kept)


# ---- the parts


def test_a_family_as_fields_moves_as_its_form_says():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    call = called(model, (torch.randn(4, 2),))
    call.cotangents = [torch.randn(4, 2)]
    one = module.Numbers(model, call)
    values = {n: p.detach().double() for n, p in model.named_parameters()}
    slopes = {n: torch.randn(p.shape, dtype=torch.float64) for n, p in model.named_parameters()}
    q, g = one.vector(values), one.vector(slopes)
    families, _ = walked(model, call)
    assert {f.kind for f in families} >= {"GL", "translation"}
    for family in families:
        fields = np.array(module.fields_of(one, family))
        along = np.einsum("i,kij,j->k", g, fields, np.append(q, 1.0))
        # sums of some hundred products in two orders of float64: less than some hundred 2^-53 of their terms
        assert np.allclose(along, family.form(slopes, values).numpy().ravel(), rtol=1e-12, atol=1e-14)


def test_noise_of_the_gradients_raises_what_counts_as_kept():
    rng = np.random.default_rng(0)
    rows, _ = shape(2)
    y = rng.uniform(-1, 1, (2, rows))
    g = np.stack([1, -1])[:, None] * (3 + y[1]) * (3 + y[0])  # <g, (1, 1)> = 0
    assert solved(g, y, np.zeros(2), 1.0).kept == 3
    g = g + 1e-9 * rng.standard_normal(g.shape)
    assert solved(g, y, np.zeros(2), 1.0).kept == 0
    assert solved(g, y, np.zeros(2), 1.0, 1e-7).kept == 3


def test_a_field_that_holds_at_no_new_point_is_told(monkeypatch):
    monkeypatch.setattr(module, "proven", lambda *given: (0.5, False))
    made = found(Twice, 16, 2)
    assert "are no symmetries at new points" in made.discovered.undecided and made.exit_code == 3


def test_a_module_whose_gradient_is_not_finite_nearby_is_not_decided():
    class Root(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Parameter(torch.tensor([0.1, 3.0]))

        def forward(self, x):
            return x * self.a.sqrt().sum()

    made = found(Root, 16, 2).discovered
    assert "not finite" in made.undecided


def test_fresh_inputs_are_of_the_kind_of_those_given():
    generator = torch.Generator().manual_seed(0)
    mask, tokens = torch.tensor([True, False]), torch.tensor([[3, 5], [5, 5]])
    assert numbers.fresh(mask, generator) is mask and numbers.fresh(torch.ones(3), generator).eq(1).all()
    assert set(numbers.fresh(tokens, generator).unique().tolist()) <= {3, 5}
    x = 5 + 2 * torch.randn(4000, generator=generator)
    y = numbers.fresh(x, generator)
    assert abs(float(y.mean()) - 5) < 0.2 and abs(float(y.std()) - 2) < 0.2 and not y.equal(x)


def test_the_command_tells_what_was_missed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("relu.py").write_text(
        "from torch import nn\nnet = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))\n"
    )
    assert call(["symmetries", "relu.py:net", "--input", "16x2", "--discover"]) == 0
    out = capsys.readouterr().out
    assert "of 90 affine fields" in out and "the walk missed none of them" in out
    assert call(["symmetries", "relu.py:net", "--input", "16x2", "--discover", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["discovered"]
    assert told["kept"] == 2 and told["missed"] == [] and told["undecided"] == ""
