"""`noether verify networks` asks for the laws of networks alone; where torch is not, a run is what it was."""

import pytest

from noether.kernels.loops import launch
from noether.laws import networks
from noether.laws.networks import cells
from noether.laws.registry import LAWS
from noether.plan import groups
from noether.plan.choices import Request, select
from noether.runs.planning import plan
from noether.system.usage import UsageError

HERE = not cells.not_here()
OURS = {law.key for law in networks.LAWS}
needs_torch = pytest.mark.skipif(not HERE, reason="torch or scikit-learn is not installed")


def planned(*words, **options):
    return plan(select(Request(cases=words, **options)))


@needs_torch
def test_the_word_plans_the_laws_of_networks_and_nothing_else():
    found = planned("networks")
    assert {law for c in found.cells for law in c.laws} == OURS == set(found.laws)
    assert {c.case.name for c in found.cells} == {"batchnorm-mlp", "digits-network"}
    assert all(c.replay.startswith(f"noether verify networks --law {c.law}") for c in found.cells)


@needs_torch
def test_a_quick_run_leaves_out_what_a_full_one_has():
    slow = {law.key for law in networks.LAWS if law.only_full}
    of = lambda **o: {law for c in planned(**o).cells for law in c.laws} & OURS
    assert of() == OURS - slow and of(profile="full") == OURS and slow


@needs_torch
@pytest.mark.parametrize("words", [(), ("networks",)])
def test_a_law_that_is_named_is_planned_in_any_profile(words):
    found = planned(*words, law="N9")
    assert {c.laws for c in found.cells} == {("N9",)} and found.laws == ("N9",)


@pytest.mark.parametrize("other", ["rayleigh", "no/such/case.py"])
def test_cases_do_not_stand_beside_a_group(other):
    with pytest.raises(UsageError, match=f"networks is a group of laws about no case, and {other} stands"):
        select(Request(cases=("networks", other)))


@needs_torch
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (dict(law="D2"), r"law D2 covers nothing of this choice"),
        (dict(rule="lion"), "covers nothing|nothing chosen reads it"),
        (dict(precision="bfloat16"), "covers nothing"),
        (dict(eta=0.5), "--eta is 0.5, but nothing chosen reads it"),
    ],
)
def test_what_a_group_does_not_read_is_refused(options, told):
    with pytest.raises(UsageError, match=told):
        planned("networks", **options)


def test_a_law_of_networks_is_about_no_case():
    with pytest.raises(UsageError, match=r"noether verify networks --law N9"):
        planned("rayleigh", law="N9")


def test_a_word_that_is_nearly_the_group_is_told_so():
    with pytest.raises(UsageError, match="did you mean networks"):
        select(Request(cases=("network",)))


def test_without_torch_a_run_is_what_it_was_and_says_so(monkeypatch):
    there = launch.installed
    monkeypatch.setattr(launch, "installed", lambda name: name != "torch" and there(name))
    found = planned(profile="full", rule="sign-descent")
    assert not OURS & set(found.laws) and not any(c.law in OURS for c in found.cells if hasattr(c, "law"))
    with pytest.raises(launch.BackendMissing, match=r"torch not installed.*noether-harness\[networks\]"):
        planned("networks")
    with pytest.raises(launch.BackendMissing, match="law N9 is not here"):
        planned(law="N9")
    assert [x for x in planned(profile="full").notes if x.startswith("law N") and "torch" in x]


def test_groups_know_their_laws():
    assert groups.words() == ("networks",) and set(groups.laws(["networks"])) == OURS <= set(LAWS)
    assert groups.of_law("N9") == "networks" and groups.of_law("D2") == ""
