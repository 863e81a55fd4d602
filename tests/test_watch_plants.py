"""A mistake planted into a training script is named by a watch, and the right script is not accused."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.campaigns.watch.clipping import Clipping, shortened  # noqa: E402
from noether.campaigns.watch.plants import PLANTS  # noqa: E402
from noether.labs import watch_confusion  # noqa: E402

SEEN = [plant for plant in PLANTS.values() if plant.says]


@pytest.mark.parametrize("plant", SEEN, ids=lambda plant: plant.name)
def test_a_planted_mistake_is_named_and_the_right_script_is_not_accused(plant):
    wrong, right = (watch_confusion.told(plant, wrong=x) for x in (True, False))
    assert watch_confusion.seen(plant, wrong), wrong.said
    assert not watch_confusion.seen(plant, right) and right.accused == [] and right.code == 0


def test_a_mistake_that_cannot_be_seen_is_not_guessed_at():
    plant = PLANTS["labels are shuffled"]
    wrong = watch_confusion.told(plant, wrong=True)
    assert wrong.accused == [] and wrong.code == 0 and plant.blind


def test_every_plant_says_what_must_be_said_or_why_nothing_can_be():
    assert len(PLANTS) >= 24 and len(SEEN) >= 20
    assert all(bool(plant.says) != bool(plant.blind) for plant in PLANTS.values())


def test_gradients_of_one_norm_are_clipped_only_where_the_factor_changes():
    same, other = Clipping(), Clipping()
    for n in range(4):
        g = torch.full((16,), 0.25)
        same.saw([g], 1.0, 1.0)
        other.saw([g], 0.5 / (n + 1), 1.0)
    assert same.to is None and other.to[0] == pytest.approx(1.0)
    assert other.of_scaled is None


def test_a_norm_that_is_short_only_times_the_scale_was_clipped_before_the_division():
    scaled, right = Clipping(), Clipping()
    for n in range(4):
        scaled.saw([torch.full((16,), 0.025 / 65536)], 1e-11 / (n + 1), 65536.0)
        right.saw([torch.full((16,), 0.025)], 0.5 / (n + 1) / 65536, 65536.0)
    assert scaled.of_scaled == (65536.0, 0.1) and right.to and right.of_scaled is None
    assert shortened(0.1000004) == 0.1
