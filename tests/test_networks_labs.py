"""The labs that train networks under watch: what is right, what is wrong, what an option does."""

import dataclasses

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.labs import networks_options as options  # noqa: E402
from noether.labs.networks_probes import covariance, tied_alone, two_masks  # noqa: E402
from noether.labs.networks_table import course, row_of  # noqa: E402
from noether.networks.network import seeded  # noqa: E402
from noether.networks.recipes import Recipe  # noqa: E402
from noether.networks.zoo import NETWORKS  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
NAMED = {option.name: option for option in options.OPTIONS}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_found_in_a_network_is_what_its_architecture_predicts(name):
    row, is_right = row_of(NETWORKS[name])
    assert is_right, row


def test_a_prediction_that_is_wrong_is_told():
    one = NETWORKS["tanh-mlp"]
    row, is_right = row_of(dataclasses.replace(one, predicted=()))
    assert not is_right and "**17**, predicted 0" in row


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "decay", "adamw"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16-autocast"])
def test_a_training_obeys_and_planted_faults_are_seen(optimizer, precision):
    found = course(NETWORKS["batchnorm-mlp"], Recipe(optimizer, precision), steps=6, every=3)
    assert not found.told and not found.fault and not found.broken and found.samples == 2
    for law in ("N1", "N2", "N3"):
        assert found.judged[law][0] == found.judged[law][1] > 0
        assert 0 < found.spent[law] <= 1 < found.planted[law]


def test_a_network_whose_symmetry_is_broken_by_its_gradient_is_seen(monkeypatch):
    """A backward pass that adds a thousandth of the weight to its gradient: no output knows of it."""

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.save_for_backward(x, weight)
            return x @ weight.T

        @staticmethod
        def backward(ctx, slope):
            x, weight = ctx.saved_tensors
            return slope @ weight, slope.T @ x + 1e-3 * weight

    class Layer(torch.nn.Linear):
        def forward(self, x):
            return Wrong.apply(x, self.weight) + self.bias

    def build():
        model = one.build()
        with seeded(0):
            model.second = Layer(32, 32)
        return model

    one = NETWORKS["batchnorm-mlp"]
    found = course(dataclasses.replace(one, build=build), Recipe("sgd"), steps=4, every=2)
    assert any(x.startswith("N3") and "backward pass is wrong" in x for x in found.told), found


@pytest.mark.parametrize("recipe", [Recipe("sgd"), Recipe("decay"), Recipe("momentum", "bfloat16")])
def test_a_run_of_doubled_parameters_is_the_same_in_every_bit(recipe):
    assert covariance(NETWORKS["batchnorm-mlp"], recipe) == 0


@pytest.mark.parametrize("recipe", [Recipe("momentum", clip=0.5), Recipe("momentum", norms="eval")])
def test_a_size_that_is_left_is_seen_in_the_run_of_doubled_parameters(recipe):
    assert covariance(NETWORKS["batchnorm-mlp"], recipe) > 1e-2


def test_masks_and_tied_weights():
    apart, along = two_masks()
    assert along < options.ROUNDED < 0.1 < apart
    found = list(tied_alone())
    assert len(found) == 2 and all(together < options.ROUNDED < 0.1 < alone for _, alone, together in found)


@pytest.mark.parametrize("name", ["normalisations in eval", "float16 with a scaled loss", "dropout"])
def test_what_an_option_does_is_as_predicted(name, monkeypatch):
    monkeypatch.setattr(options, "STEPS", 10)
    lines, is_right = options.section(NAMED[name])
    assert is_right, "\n".join(lines)


def test_a_prediction_of_an_option_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(options, "STEPS", 5)
    wrong = dataclasses.replace(NAMED["normalisations in eval"], predicted=(options.ALL, options.BITS))
    lines, is_right = options.section(wrong)
    assert not is_right and sum("**not so**" in line for line in lines) == 2
