"""Faults planted into copies of PyTorch's optimizers are named, and nothing is said of the originals."""

import pytest

pytest.importorskip("torch")

import torch

from noether.campaigns.audit.finding import HOLDS, VIOLATED
from noether.campaigns.audit.plants import PLANTS, Plant
from noether.labs import audit_alarms, audit_confusion

SOME = [plant for plant in PLANTS[::5] if not plant.names.startswith("first in step")]
"""Every fifth, without what no option explains, which takes seconds (noether.labs.audit_confusion: all)."""


@pytest.mark.parametrize("plant", SOME, ids=lambda plant: f"{plant.like}: {plant.name}")
def test_a_planted_fault_is_named(plant):
    found = audit_confusion.told(plant)
    assert found and audit_confusion.named(plant, found), [x.reason for x in found]


@pytest.mark.parametrize(
    "plant", {(p.module, p.cls, p.like): p for p in PLANTS}.values(), ids=lambda p: p.like
)
def test_the_copy_without_a_fault_obeys(plant):
    copy = Plant(plant.name, plant.module, plant.cls, plant.like, (), "", plant.options)
    assert audit_confusion.told(copy) == []


def test_a_plant_whose_letters_are_not_there_is_refused():
    plant = Plant("none", "sgd", "SGD", "sgd", (("no such letters", ""),), "")
    with pytest.raises(ValueError, match="torch.optim.sgd has no 'no such letters'"):
        plant.make()


def test_plants_have_names_of_their_own_and_say_what_must_be_named():
    assert len({(p.like, p.name) for p in PLANTS}) == len(PLANTS)
    assert all(p.names and p.changes for p in PLANTS)


def test_no_right_optimizer_is_accused_under_random_settings(capsys):
    assert audit_alarms.main(["40", "5"]) == 0
    assert "40 settings of seed 5" in capsys.readouterr().out
    assert torch.get_default_dtype() == torch.float32, "the types of other tests would change"


def test_an_alarm_would_be_told(capsys, monkeypatch):
    monkeypatch.setitem(audit_alarms.LIKE, "Adam", "rmsprop")
    monkeypatch.setattr(audit_alarms, "OPTIONS", {"Adam": audit_alarms.OPTIONS["Adam"]})
    monkeypatch.setattr(audit_alarms, "DTYPES", {"float64": None})
    assert audit_alarms.main(["2", "5"]) == 1
    assert "ALARM Adam" in capsys.readouterr().out


def test_the_words_of_the_verdicts_are_those_of_records():
    assert (HOLDS, VIOLATED) == ("holds", "violated")
