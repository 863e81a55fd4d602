"""The count by rank of what a loss does not see: as by hand, and it sees what is missing."""

import dataclasses

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.labs.networks_flat import flat, main  # noqa: E402
from noether.networks.zoo import NETWORKS  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", ["tanh-mlp", "leaky-regression", "deep-linear"])
def test_the_rank_says_what_was_counted_by_hand(name):
    found = flat(NETWORKS[name])
    assert found.count == NETWORKS[name].flat
    assert found.below < 1e-14 and found.above > 1e-7, "nothing tells the zeros from the others"


def test_a_symmetry_that_is_taken_away_is_seen_to_be_missing():
    one = NETWORKS["leaky-regression"]

    def bent():
        model = one.build()
        model.activation = torch.nn.Tanh()
        return model

    assert flat(dataclasses.replace(one, build=bent)).count == 0


def test_a_wrong_count_is_told(monkeypatch, capsys):
    one = NETWORKS["tanh-mlp"]
    assert main(["tanh-mlp"]) == 0
    monkeypatch.setitem(NETWORKS, "tanh-mlp", dataclasses.replace(one, predicted=()))
    assert main(["tanh-mlp"]) == 1
    assert "**0**" in capsys.readouterr().out
