"""Networks of the catalogue: they are what they say, come from their seed, and predict their symmetries."""

import sys

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.networks import data as sets  # noqa: E402
from noether.networks.data import FORMS, LOADERS, augmented, data_set  # noqa: E402
from noether.networks.families import KINDS  # noqa: E402
from noether.networks.network import CLASSES, ITSELF, TASKS, seeded  # noqa: E402
from noether.networks.zoo import NETWORKS, network  # noqa: E402
from noether.system.usage import UsageError  # noqa: E402

ALL = pytest.mark.parametrize("name", NETWORKS)
KINDS_OF_LAYERS = {
    "batchnorm-mlp": torch.nn.BatchNorm1d,
    "cnn-batchnorm": torch.nn.BatchNorm2d,
    "cnn-groupnorm": torch.nn.GroupNorm,
    "resnet": torch.nn.BatchNorm2d,
    "attention-layernorm": torch.nn.LayerNorm,
    "attention-rmsnorm": torch.nn.RMSNorm,
    "transformer-gelu": torch.nn.MultiheadAttention,
    "dropout-mlp": torch.nn.Dropout,
}


def state(model) -> dict:
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# ---- data


@pytest.mark.parametrize("name", LOADERS)
def test_a_data_set_is_standardised_and_split_without_overlap(name):
    data = data_set(name)
    assert data.x.dtype == data.test_x.dtype == torch.float32
    assert len(data.x) == len(data.y) and len(data.test_x) == len(data.test_y)
    assert 3.9 < len(data.x) / len(data.test_x) < 4.1
    across = None if name in FORMS else 0
    dims = tuple(range(data.x.ndim)) if across is None else (0,)
    assert data.x.double().mean(dim=dims).abs().max() < 1e-5
    assert (data.x.double().var(dim=dims, correction=0) - 1).abs().max() < 1e-4
    both = torch.cat([data.x, data.test_x]).flatten(1)
    # every sample stands in exactly one of the two: what is in both is a sample that the set has twice
    assert len(both) == {"digits": 1797, "breast-cancer": 569, "wine": 178, "diabetes": 442}[name]


def test_every_class_is_in_training_and_in_test():
    for name, classes in {"digits": 10, "breast-cancer": 2, "wine": 3}.items():
        data = data_set(name)
        assert data.classes == classes
        for y in (data.y, data.test_y):
            assert y.dtype == torch.int64 and y.unique().tolist() == list(range(classes))
    diabetes = data_set("diabetes")
    assert diabetes.classes == 0 and diabetes.y.shape == (len(diabetes.x), 1)


def test_the_forms_of_digits_are_the_same_numbers():
    flat, image, tokens = (data_set("digits", form) for form in FORMS["digits"])
    assert image.x.shape[1:] == (1, 8, 8) and tokens.x.shape[1:] == (8, 8)
    assert torch.equal(flat.x, image.x.flatten(1)) and torch.equal(flat.test_x, tokens.test_x.flatten(1))


def test_augmentation_moves_a_picture_by_a_pixel_and_adds_noise_from_its_generator():
    x = data_set("digits", "image").x[:200]
    made = [augmented(x, torch.Generator().manual_seed(seed), are_images=True) for seed in (0, 0, 1)]
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])
    wide = torch.nn.functional.pad(x[:, 0], (1, 1, 1, 1), value=float(x[0, 0, 0, 0]))
    moved = [wide[:, a : a + 8, b : b + 8] for a in range(3) for b in range(3)]
    noise = torch.stack([(made[0][:, 0] - one).square().mean(dim=(1, 2)) for one in moved])
    nearest = noise.min(dim=0)
    assert nearest.values.sqrt().sub(0.1).abs().max() < 0.1, (
        "some picture is none of the nine, with noise of 0.1"
    )
    assert nearest.indices.unique().numel() == 9
    table = data_set("wine").x
    assert (augmented(table, torch.Generator().manual_seed(0), are_images=False) - table).std() < 0.11


def test_unknown_data_and_forms_are_told_with_what_there_is():
    with pytest.raises(UsageError, match=r"data set is 'digit', must be one of digits.*did you mean digits"):
        data_set("digit")
    with pytest.raises(UsageError, match="form of the data set digits is 'rows', must be one of flat, image"):
        data_set("digits", "rows")
    with pytest.raises(UsageError, match="form of the data set wine is 'image', must be one of flat"):
        data_set("wine", "image")


def test_without_scikit_learn_the_error_says_how_to_install_it(monkeypatch):
    data_set.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for name in [name for name in sys.modules if name.startswith("sklearn.")]:
        monkeypatch.delitem(sys.modules, name)
    try:
        with pytest.raises(UsageError, match=r"not installed: pip install 'noether-harness\[networks\]'"):
            data_set("wine")
    finally:
        data_set.cache_clear()


# ---- networks


@ALL
def test_a_network_takes_its_data_and_gives_what_its_loss_takes(name):
    one = NETWORKS[name]
    data, model = one.read(), one.make(0)
    output = model(data.x[:16])
    target = data.x[:16] if one.task == ITSELF else data.y[:16]
    assert output.shape == ((16, data.classes) if one.task == CLASSES else target.shape)
    loss = one.loss(output, target)
    loss.backward()
    assert loss.shape == () and torch.isfinite(loss)
    assert all(p.dtype == torch.float32 and p.grad is not None for p in model.parameters())
    assert one.words and one.task in TASKS


@ALL
def test_a_network_comes_from_its_seed_and_leaves_the_random_numbers_outside(name):
    one = NETWORKS[name]
    torch.manual_seed(123)
    before = torch.get_rng_state()
    first, again, other = (state(one.make(seed)) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(321)
    later = state(one.make(5))
    assert same(first, again) and same(first, later) and not same(first, other)


def test_seeds_are_told_apart_by_their_order():
    drawn = []
    for seeds in ((1, 2), (2, 1), (1,), (1, 2)):
        with seeded(*seeds):
            drawn.append(float(torch.rand(())))
    assert drawn[0] == drawn[3] and len(set(drawn)) == 3


@pytest.mark.parametrize("name, layer", KINDS_OF_LAYERS.items())
def test_a_network_has_the_layers_that_it_is_named_for(name, layer):
    assert any(isinstance(module, layer) for module in NETWORKS[name].make(0).modules())


@ALL
def test_predictions_have_a_kind_a_count_and_a_reason(name):
    one = NETWORKS[name]
    assert one.predicted and one.predicted == tuple(dict.fromkeys(one.predicted))
    for found in one.predicted:
        assert found.kind in KINDS and found.count > 0 and len(found.words) > 20
    assert sum(one.count(kind) for kind in KINDS) == sum(found.count for found in one.predicted)


@ALL
def test_what_breaks_a_symmetry_is_a_module_with_an_eps_and_every_such_module_does(name):
    one = NETWORKS[name]
    modules = dict(one.make(0).named_modules())
    assert set(one.broken) == {path for path, module in modules.items() if hasattr(module, "eps")}


def test_counts_of_three_networks_by_hand():
    """Written out in numbers, from drawings of the layers."""
    assert [NETWORKS["relu-mlp"].count(kind) for kind in KINDS] == [0, 64, 33, 0]
    assert [NETWORKS["resnet"].count(kind) for kind in KINDS] == [72, 48, 17, 0]
    # one stream; 3 x 16 of the norms; 32 of k.bias, 51 along the stream, 17 of the head; q, k and v, o of two
    # heads in two layers, 8 x 8 each
    assert [NETWORKS["attention-layernorm"].count(kind) for kind in KINDS] == [1, 48, 100, 512]


def test_an_unknown_network_is_told_with_the_nearest():
    with pytest.raises(UsageError, match=r"network is 'resnt', must be one of relu-mlp.*did you mean resnet"):
        network("resnt")
    assert network("resnet") is NETWORKS["resnet"]


@pytest.mark.parametrize("name", LOADERS)
def test_a_data_set_is_that_of_scikit_learn(name, monkeypatch):
    """Bit for bit, though those of scikit-learn scale the columns of diabetes beforehand."""
    assert sets._carried(name) is not None, "its file is not where it was"
    data_set.cache_clear()
    mine = data_set(name)
    data_set.cache_clear()
    monkeypatch.setattr(sets, "_carried", lambda name: None)
    theirs = data_set(name)
    data_set.cache_clear()
    for part in ("x", "y", "test_x", "test_y"):
        assert torch.equal(getattr(mine, part), getattr(theirs, part)), part
    assert mine.classes == theirs.classes
