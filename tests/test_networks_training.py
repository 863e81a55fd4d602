"""The training loop: it learns, comes from its seed, and does around a step what its recipe says."""

import dataclasses

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.networks.network import CLASSES  # noqa: E402
from noether.networks.recipes import OPTIMIZERS, PRECISIONS, Recipe  # noqa: E402
from noether.networks.training import batches, train  # noqa: E402
from noether.networks.zoo import NETWORKS  # noqa: E402
from noether.system.usage import UsageError  # noqa: E402

RELU = NETWORKS["relu-mlp"]


pytestmark = pytest.mark.usefixtures("one_thread")


def parameters(trained) -> list:
    return [value.clone() for value in trained.model.state_dict().values()]


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(parameters(one), parameters(other), strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_learns(name):
    """Of test data twice as much above chance as is left to chance, in 80 steps; a third of the variance."""
    one = NETWORKS[name]
    found = train(one, Recipe("adam", lr=1e-2), 80, 0)
    chance = 1 / one.read().classes if one.task == CLASSES else 0
    least = chance + (2 / 3 * (1 - chance) if one.task == CLASSES else 1 / 3)
    assert found.score > least, f"{found.score:.2f} of test data, must be above {least:.2f}"
    assert found.losses[-1] < 0.8 * found.losses[0] and len(found.losses) == 80


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss(optimizer):
    found = train(RELU, Recipe(optimizer), 60, 0)
    assert type(found.optimizer) is OPTIMIZERS[optimizer][0] and found.losses[-1] < 0.7 * found.losses[0]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["batchnorm-mlp", "dropout-mlp", "attention-rmsnorm"])
def test_a_training_repeats_in_every_bit_and_leaves_the_random_numbers_outside(name, precision):
    recipe = Recipe("momentum", precision, augment=True, accumulate=2, clip=1.0)
    torch.manual_seed(77)
    before = torch.get_rng_state()
    first = train(NETWORKS[name], recipe, 12, 3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(78)
    again, other = (train(NETWORKS[name], recipe, 12, seed) for seed in (3, 4))
    assert equal(first, again) and first.losses == again.losses and not equal(first, other)
    assert all(p.dtype == PRECISIONS[precision][0] for p in first.model.parameters())


def test_each_is_called_after_every_step_with_the_gradients_that_it_used():
    """Plain descent, so that q' = q - eta g can be asked of what is handed over, bit by bit."""
    seen, last = [], {}

    def each(step, model, optimizer):
        seen.append(step)
        for name, p in model.named_parameters():
            if name in last:
                assert torch.equal(p.detach(), last[name].add(p.grad, alpha=-0.1)), name
            last[name] = p.detach().clone()

    found = train(RELU, Recipe("sgd", lr=0.1), 5, 0, each)
    assert seen == [0, 1, 2, 3, 4] and len(last) == 6
    assert len(found.losses) == len(found.accuracies) == len(found.batches) == 5


def test_what_each_does_with_random_numbers_changes_nothing():
    plain = train(NETWORKS["dropout-mlp"], Recipe(), 6, 0)
    drawn = train(NETWORKS["dropout-mlp"], Recipe(), 6, 0, lambda *_: torch.rand(100))
    assert equal(plain, drawn)


def test_batches_go_through_all_samples_before_one_comes_again():
    found = train(NETWORKS["tanh-mlp"], Recipe(batch=50), 4, 0).batches  # of 143 samples two batches
    assert all(len(batch) == 50 for batch in found)
    for pair in (found[:2], found[2:]):
        assert torch.cat(pair).unique().numel() == 100
    assert not torch.equal(found[0], found[2])


def test_batches_are_those_that_training_has():
    recipe = Recipe(accumulate=4, augment=True)
    given = list(batches(RELU, recipe, 3, 8))
    trained = train(RELU, recipe, 3, 8).batches
    for micros, whole in zip(given, trained, strict=True):
        assert torch.equal(torch.cat([micro.chosen for micro in micros]), whole)
        assert [len(micro.x) for micro in micros] == [16] * 4 and micros[0].x.dtype == torch.float32


def test_accumulated_gradients_are_those_of_the_whole_batch():
    """In float64, of a network that sees each sample by itself: 64 terms in another order, of 2^-53 each."""
    whole, parts = (train(RELU, Recipe("sgd", "float64", accumulate=k), 1, 0) for k in (1, 8))
    for p, q in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        assert (p.grad - q.grad).abs().max() <= 1e3 * 2**-53 * p.grad.abs().max()
    seen = [train(NETWORKS["batchnorm-mlp"], Recipe("sgd", "float64", accumulate=k), 1, 0) for k in (1, 8)]
    first = [next(iter(x.model.parameters())).grad for x in seen]
    assert (first[0] - first[1]).abs().max() > 1e-6, "BatchNorm must see other batches"


def test_clipping_shortens_long_gradients_and_no_others():
    def norm(trained):
        return float(torch.cat([p.grad.flatten() for p in trained.model.parameters()]).norm())

    free = train(RELU, Recipe("sgd"), 1, 0)
    assert norm(free) > 0.2
    assert abs(norm(train(RELU, Recipe("sgd", clip=0.1), 1, 0)) - 0.1) < 1e-5
    assert norm(train(RELU, Recipe("sgd", clip=1e3), 1, 0)) == norm(free)


def test_in_eval_normalisations_keep_their_running_figures():
    kept, moved = (train(NETWORKS["batchnorm-mlp"], Recipe(norms=norms), 3, 0) for norms in ("eval", "train"))
    assert kept.model.norm1.num_batches_tracked == 0 and moved.model.norm1.num_batches_tracked == 3
    assert kept.model.training and not kept.model.norm1.training


def test_a_step_that_the_scaler_skips_moves_nothing_and_is_told():
    """A loss times 2^16 whose gradients overflow in float16: steps are skipped until the scale fits."""
    large = dataclasses.replace(RELU, build=lambda: scaled(RELU.build()))
    called = []
    found = train(
        large, Recipe("sgd", "float16-scaled", lr=1e-9), 12, 0, lambda step, *_: called.append(step)
    )
    assert found.skipped and found.skipped[0] == 0 and called, (
        "the loss is not large enough, or much too large"
    )
    assert sorted((*called, *found.skipped)) == list(range(12))
    first = train(large, Recipe("sgd", "float16-scaled", lr=1.0), 1, 0)
    assert first.skipped == (0,)
    for p, q in zip(first.model.parameters(), large.make(0).parameters(), strict=True):
        assert torch.equal(p, q)


def scaled(model):
    with torch.no_grad():
        model.head.weight.mul_(300)
    return model


@pytest.mark.parametrize(
    "words, told",
    [
        (
            {"optimizer": "adamW2"},
            "optimizer of a recipe is 'adamW2', must be one of sgd.*did you mean adamw",
        ),
        ({"precision": "float8"}, "precision of a recipe is 'float8', must be one of float64"),
        ({"norms": "frozen"}, "norms of a recipe is 'frozen', must be one of train, eval"),
        ({"batch": 0}, "batch of a recipe is 0, must be a whole number of at least 1"),
        ({"batch": 6, "accumulate": 4}, "batch of a recipe is 6 and accumulate is 4: micro-batches must be"),
        ({"lr": float("nan")}, "lr of a recipe is nan, must be a finite number above 0"),
        ({"clip": -1}, "clip of a recipe is -1, must be a finite number above 0"),
    ],
)
def test_a_recipe_without_meaning_is_refused(words, told):
    with pytest.raises(UsageError, match=told):
        Recipe(**words)


def test_too_few_steps_and_too_large_batches_are_refused():
    with pytest.raises(UsageError, match="steps of a training are 0, must be a whole number of at least 1"):
        train(RELU, Recipe(), 0, 0)
    with pytest.raises(
        UsageError, match="batch of a recipe is 500, must be at most 143: so many samples of wine"
    ):
        train(NETWORKS["tanh-mlp"], Recipe(batch=500), 1, 0)
