"""Faults of the harness itself: every one is noticed by its guards, and only by them."""

import pytest
from plainest import listed

from noether.campaigns.kill_matrix import harness_faults, harness_guards, harness_probes

OWN_WANTED = listed("""
    verdict ignores NaN; order takes abs; empty sweep passes;
    bound of the update too wide by 10^3; bound of the store too wide by 10^3;
    bound of the gradient too wide by 10^3; bound of the residual's own rounding too wide by 10^3;
    fault silently skipped; records of another backend; spent compared with the wrong side;
    worst lane dropped; outside decided from the output;
    the evidence's gradient is no wider than the kernel's; seeds ignored; resume drops records;
    inconclusive counted as holds
""")


def test_every_kind_of_fault_of_the_harness_is_planted():
    assert not set(OWN_WANTED) - {f.name for f in harness_faults.FAULTS}


@pytest.mark.parametrize("probe", harness_probes.PROBES)
def test_a_probe_holds_while_nothing_is_planted(probe):
    assert harness_probes.PROBES[probe]()[0] == 0


@pytest.mark.parametrize("planted", harness_faults.FAULTS, ids=lambda f: f.name)
def test_a_fault_of_the_harness_is_noticed_by_its_guards_and_only_by_them(planted):
    assert harness_probes.noticed(planted), "nothing noticed it"
    assert harness_probes.noticed(planted, without=planted.guards) == "", (
        "something else than the guards that it names noticed it"
    )


def test_every_guard_is_needed_by_some_fault():
    assert {guard for f in harness_faults.FAULTS for guard in f.guards} == set(harness_guards.REMOVED)


def test_planting_leaves_the_harness_as_it_was():
    from noether.laws.exact import judge
    from noether.mechanics.trajectory import Trajectory

    before = (judge.spent_of, vars(Trajectory)["delta"])
    for f in harness_faults.FAULTS:
        with f.plant():
            pass
    assert (judge.spent_of, vars(Trajectory)["delta"]) == before
