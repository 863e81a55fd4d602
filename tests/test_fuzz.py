"""Fuzzing finds what is planted and nothing else, makes it small, and says what it did not look at."""

import re
from dataclasses import replace

import numpy as np
import pytest
from plainest import listed

from noether.campaigns.fuzz import campaign as campaigns
from noether.campaigns.fuzz import regimes
from noether.campaigns.fuzz.batch import run_batch
from noether.campaigns.fuzz.campaign import run
from noether.campaigns.fuzz.lanes import units
from noether.campaigns.fuzz.minimise import complexity, fails, minimise, neighbours
from noether.campaigns.fuzz.next_batch import (
    LAG,
    Archive,
    Batch,
    GridPoint,
    Kept,
    Schedule,
    Size,
    grid,
    kernel_of,
    kernels_of,
    offspring,
)
from noether.campaigns.fuzz.outcome import Campaign
from noether.campaigns.fuzz.probe import Probe
from noether.campaigns.fuzz.regimes import REGIMES
from noether.cases import CORE
from noether.cli.commands.fuzz import fuzz
from noether.laws.exact import EXACT
from noether.laws.exact.cell import rules_of
from noether.plan.design import PRECISIONS, RULES
from noether.report.fuzz_table import summary, volume

BY_NAME = {c.name: c for c in CORE}
HAT = BY_NAME["mexican-hat"]


def campaign(*names, plant="", **how):
    cases = tuple(BY_NAME[n] for n in names) or CORE
    usual = dict(rules=RULES, precisions=PRECISIONS, seconds=None, batches=12, corpus=None, record=False)
    how = {**usual, **how}
    return Campaign(cases, probe=Probe("numpy", plant), **how)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Batches of a few milliseconds."""
    monkeypatch.setattr(campaigns, "size_of", lambda backend, plant: Size(2**10, 2**12, 2**9, 32))


# ---- an honest kernel


FEW = {"batches": 20, "rules": ("heavy-ball", "mirror-descent"), "precisions": ("float32", "bfloat16")}


@pytest.fixture(scope="module")
def honest():
    before = campaigns.size_of
    campaigns.size_of = lambda backend, plant: Size(2**10, 2**12, 2**9, 32)
    try:
        return run(campaign("mexican-hat", "entropy-mirror", **FEW))
    finally:
        campaigns.size_of = before


def test_an_honest_kernel_is_not_accused(honest):
    assert honest.exit_code == 0 and not honest.false_alarms and not honest.errors
    assert {"D0", "D2", "D3", "D7"} <= set(honest.rows) and honest.checks > 10**4


def test_what_it_reports_was_confirmed_by_the_host(honest):
    for law, row in honest.rows.items():
        assert row.replayed > 0 and (row.checks > 0) == EXACT[law].screened, law
        assert row.host is not None and row.host <= 1 and row.screen <= 1
    assert honest.rows["D0"].host > 0.9


def test_the_help_names_the_laws_that_the_screen_computes():
    named = set(re.findall(r"D\d+", fuzz.__doc__ or ""))
    assert named == {key for key, law in EXACT.items() if law.screened} and len(named) == 6


@pytest.mark.parametrize(
    ("rules", "told"),
    [(("adam",), "1 rule is not fuzzed, its"), (("adam", "lion"), "2 rules are not fuzzed, their")],
)
def test_rules_that_are_not_fuzzed_are_told(honest, rules, told):
    left = replace(honest, campaign=campaign("mexican-hat", rules=rules))
    assert f"{told} laws cannot be traced into a kernel: {', '.join(rules)}" in volume(left)


def test_every_cell_is_visited_or_named(honest):
    told = summary(honest)
    assert told["visited"] + len(told["never_visited"]) == told["cells"] == len(honest.cells)
    assert not set(told["batches_per_cell"]) & set(told["never_visited"])
    assert sum(told["batches_per_cell"].values()) <= honest.batches


def test_the_same_seed_is_the_same_run_whatever_the_workers(honest):
    again = run(campaign("mexican-hat", "entropy-mirror", jobs=2, **FEW))
    told = [
        {k: v for k, v in summary(x).items() if "seconds" not in k and k not in ("rate", "memory")}
        for x in (honest, again)
    ]
    assert told[0] == told[1]
    other = run(campaign("mexican-hat", "entropy-mirror", batches=6, seed=1))
    assert other.visits != run(campaign("mexican-hat", "entropy-mirror", batches=6)).visits


def test_a_grid_has_each_regime_that_fits_and_is_visited_in_one_round():
    cells = grid((HAT,), RULES, ("float64",))
    expected = sum(
        r.fits(campaigns_rule(name))
        for name in rules_of(HAT)
        if campaigns_rule(name).screened
        for r in REGIMES.values()
    )
    assert len(set(cells)) == len(cells) == expected
    schedule, archive = Schedule(cells, 3, Size(64, 64, 16, 32)), Archive()
    seen = {schedule.batch(n, archive).cell for n in range(4 * len(cells) // 3 + 1)}
    assert seen == set(cells)


def campaigns_rule(name):
    from noether.cases.rules import RULES as table

    return table[name]


def test_frozen_lanes_are_counted_and_are_no_checks(monkeypatch):
    monkeypatch.setitem(
        REGIMES,
        "ordinary",
        regimes.Regime("ordinary", "does not move", lambda x: setattr(x, "eta", 0 * x.eta), (4, 4)),
    )
    found = run_batch(
        Batch(0, GridPoint("mexican-hat", "gradient-descent", "bfloat16", "ordinary"), 50, 4, 1),
        Probe("numpy"),
    )
    assert found.error is None and found.frozen == 50 and found.checks == 0


def test_a_run_without_checks_is_blind():
    empty = run(campaign("mexican-hat", seconds=0.0))
    assert empty.checks == 0 and empty.exit_code == 3 and len(empty.unvisited) == len(empty.cells)


def test_no_kernel_is_compiled_twice_at_once_and_first_visits_are_numpys():
    """A kernel is opened by one batch; the next to use it comes LAG batches later, and a batch waits for the
    one LAG before it."""
    cells = grid((HAT, BY_NAME["softmax"]), RULES, ("float64", "float32"))
    kernels = kernels_of(cells, 0)
    assert sorted(kernels) == sorted({kernel_of(c) for c in cells})
    schedule, archive, first, visited = (
        Schedule(cells, 0, Size(64, 64, 16, 32), kernels),
        Archive(),
        {},
        set(),
    )
    for number in range(3 * len(cells)):
        batch = schedule.batch(number, archive)
        archive.add(
            "D0",
            batch.cell,
            Kept(0.5, np.zeros(units(BY_NAME[batch.cell.case])), batch.cell.regime, batch.steps),
        )
        visited.add(batch.cell)
        if not batch.plain:
            since = number - first.setdefault(kernel_of(batch.cell), number)
            assert since == 0 or since >= LAG
    assert visited == set(cells) and list(first) == kernels[: len(first)] and len(first) > 4


# ---- guidance


def test_offspring_are_near_their_parents_and_a_share_is_fresh():
    rng = np.random.default_rng(0)
    parents, fresh = np.full((14, 2), 0.5), rng.random((14, 4000))
    bred = offspring(parents, fresh, rng)
    assert ((bred >= 0) & (bred < 1)).all()
    pure = (bred == fresh).all(axis=0).mean()
    near = (np.abs(np.median(bred - 0.5, axis=0)) < 1e-3).mean()
    assert 0.2 < pure < 0.3 and near > 0.4


def test_the_archive_keeps_the_worst_of_each_law_case_and_rule():
    archive = Archive()
    for case in ("mexican-hat", "softmax"):
        for spent in np.linspace(0, 1, 20) * (1 if case == "softmax" else 0.1):
            archive.add(
                "D2",
                GridPoint(case, "heavy-ball", "float32", "ordinary"),
                Kept(float(spent), np.zeros(3), "ordinary", 4),
            )
    kept = archive.kept["D2", "float32"]
    assert {case for case, _ in kept} == {"mexican-hat", "softmax"}
    assert min(k.spent for k in kept["softmax", "heavy-ball"]) > 0.5
    cell, parents, steps = archive.choose(np.random.default_rng(0))
    assert cell.precision == "float32" and parents.shape == (3, 8) and steps == 4


def test_breeding_spends_more_than_drawing():
    """On average over seeds: what guidance is for. D2 in float32, the same number of lanes."""
    cell = GridPoint("mexican-hat", "heavy-ball", "float32", "ordinary")

    def worst(seed, parents=None):
        found = run_batch(Batch(0, cell, 256, 8, seed, parents), Probe("numpy"))
        mine = [k for law, k in found.kept if law == "D2"]
        return max(k.spent for k in mine), np.stack([k.units for k in mine], axis=1)

    gains = []
    for seed in range(6):
        parents = worst(seed)[1]
        gains.append(worst(100 + seed, parents)[0] - worst(100 + seed)[0])
    assert np.mean(gains) > 0


# ---- planted faults

FOUND = listed("""eta as float32; momentum one step old; bfloat16 store truncated;
    decay coupled for decoupled; another loss, same symmetry""")


@pytest.mark.parametrize("plant", FOUND)
def test_a_planted_fault_is_found_and_made_minimal(plant):
    outcome = run(
        campaign("mexican-hat", "linear-network", plant=plant, precisions=("float64", "bfloat16"), batches=40)
    )
    assert outcome.exit_code == 1 and outcome.minimal, plant
    for subject, minimal in outcome.minimal[:1]:
        assert minimal.lanes == 1 and minimal.steps <= 2
        assert fails(subject, minimal, outcome.campaign.probe)
        worst = next(w for s, w, _, _ in outcome.violations if s == subject)
        assert complexity(minimal) < complexity(worst)
        for smaller in neighbours(subject, minimal, outcome.campaign.probe):
            assert not fails(subject, smaller, outcome.campaign.probe)


def test_a_fault_that_needs_company_keeps_as_many_lanes_as_it_needs():
    narrow = dict(precisions=("bfloat16",), rules=("gradient-descent",), batches=40)
    outcome = run(campaign("mexican-hat", plant="off by one lane at the store", **narrow))
    _, minimal = outcome.minimal[0]
    assert minimal.lanes == 2 and minimal.steps == 1


def test_what_is_harmless_is_not_found():
    outcome = run(campaign("mexican-hat", plant="gradient times one", batches=10))
    assert not outcome.violations and outcome.exit_code == 3 and outcome.checks > 0


def test_a_launch_that_violates_nothing_cannot_be_made_smaller():
    outcome = run(campaign("mexican-hat", plant="eta as float32", precisions=("float64",), batches=40))
    subject, minimal = outcome.minimal[0]
    with pytest.raises(ValueError, match="nothing to make smaller"):
        minimise(subject, minimal, Probe("numpy"))
