"""Which rise above a baseline is marked, and the scatter that decides it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_baseline import holding, made

from noether.cli.main import call
from noether.runs import seed_scatter
from noether.runs.baseline import Baseline, Entry, of_run, read, text
from noether.runs.regression import BOUND_GROWS, SLOPE_MOVES, compare, ratchet
from noether.runs.seed_scatter import (
    SCATTER,
    SILENT,
    Scatter,
    entry_factor,
    logistic_scale,
    mean_factor,
    measure,
)
from noether.verdicts.record import INCONCLUSIVE

SMALL = ["verify", "rayleigh", "--precision", "float64,float16", "--jobs", "1"]


NAME = "D2 rayleigh heavy-ball float64 scale"


def compared(was: dict, now: dict, **run):
    seed = {"seed": 0}
    return compare(Baseline({}, seed, was), Baseline({}, {**seed, **run}, now))


def test_the_allowance_is_the_quantile_of_a_logistic_ratio():
    found, n = SCATTER[("D2", "wide")], 300
    F = entry_factor(NAME, n)
    alarm = n / (1 + F ** (1 / found.entry))  # (1), n entries
    assert alarm == pytest.approx(seed_scatter.ALARM / 2)


@pytest.mark.parametrize("times, marked", [(0.999, False), (1.001, True)])
def test_a_rise_is_marked_above_the_allowance_and_not_below(times, marked):
    was = {NAME: Entry(0.01, 1)}
    now = {NAME: Entry(0.01 * entry_factor(NAME, 1) * times, 1)}
    assert bool(compared(was, now).rises) == marked
    assert bool(compared(now, was).falls) == marked


def test_entries_that_rise_together_are_marked_where_none_is_alone():
    names = [f"D2 case-{i} heavy-ball float16 scale" for i in range(50)]
    was, now = ({n: Entry(s, 1) for n in names} for s in (0.5, 0.75))
    found = compared(was, now)
    assert (
        list(found.rises) == ["D2 narrow"]
        and "its 50 entries rose together, x 1.500" in found.rises["D2 narrow"]
    )
    assert set(compared(now, was).falls) == set(names)
    mixed = {n: Entry(0.75 if i % 2 else 1 / 3, 1) for i, n in enumerate(names)}
    assert not compared(was, mixed).rises, "half up and half down is another draw"


def test_fewer_entries_are_allowed_a_wider_mean():
    wide, group = SCATTER[("D2", "narrow")], ("D2", "narrow")
    assert mean_factor(group, 5, 1) > mean_factor(group, wide.entries, 1) > 1


def test_an_order_may_move_by_its_noise_alone():
    name = "O3 rayleigh heavy-ball float64 | cold"
    was = Entry(0.1, 1, 2.0, 0.01)
    grown, off = 0.01 * BOUND_GROWS, SLOPE_MOVES * 0.01
    marked = [(2.0, 1.01 * grown), (2 + 1.01 * off, 0.02)]
    moved = lambda slope, within: compared({name: was}, {name: Entry(0.9, 1, slope, within)}).rises
    assert all(moved(*found) for found in marked)
    assert not any(moved(*found) for found in [(2.0, 0.99 * grown), (2 + 0.99 * off, 0.02)])
    assert not compared({name: was}, {name: Entry(0.9, 1, 2.2, 0.4)}, seed=1).rises, (
        "another seed has another truncation error"
    )


def test_an_unmeasured_law_is_told_to_be_unmeasured():
    found = compared({"T9 a b float64": Entry(0.1, 1)}, {"T9 a b float64": Entry(1.0, 1)})
    assert not found.rises and found.unmeasured == ["T9 wide"]


def test_strict_marks_any_rise_where_nothing_else_differs():
    was, now = ({NAME: Entry(s, 1)} for s in (0.5, 0.501))
    one, other = Baseline({}, {"seed": 0}, was), Baseline({}, {"seed": 0}, now)
    assert compare(one, other, strict=True).rises and not compare(one, other).rises
    assert compare(one, other).drifted == [NAME] and not compare(other, one, strict=True).rises
    assert not compare(one, replace(other, run={"seed": 1}), strict=True).rises, (
        "another seed is another draw"
    )


def test_the_ratchet_moves_on_marked_falls_alone():
    names = [f"D2 case-{i} heavy-ball float64 scale" for i in range(3)]
    F = entry_factor(names[0], 3)
    before = Baseline({}, {}, {n: Entry(0.5, 1) for n in names})
    now = Baseline(
        {},
        {},
        {
            names[0]: Entry(0.5 / F / 1.1, 2),
            names[1]: Entry(0.45, 1),
            names[2]: Entry(0.55, 1),
            "D2 new heavy-ball float64": Entry(0.3, 1),
        },
    )
    after = ratchet(before, now, compare(before, now)).entries
    assert after[names[0]].spent < 0.5 and after[names[0]].holds == 2
    assert after[names[1]] == after[names[2]] == Entry(0.5, 1), "chance neither lowers nor raises"
    assert after["D2 new heavy-ball float64"] == Entry(0.3, 1)


def test_a_verdict_undecided_under_another_seed_is_told_and_under_the_same_is_lost():
    about = lambda seed: {"arguments": {"seed": seed}, "versions": {}, "backend": "numpy"}
    before = of_run(about(0), [holding()])
    undecided = [holding(verdict=INCONCLUSIVE)]
    assert compare(before, of_run(about(0), undecided)).lost
    found = compare(before, of_run(about(1), undecided))
    assert not found.fails and len(found.undecided) == 1
    assert compare(before, of_run(about(1), [])).lost, "what did not run is lost under every seed"


def test_parity_of_a_backend_that_is_not_here_is_told_not_lost():
    name = "B1 rayleigh heavy-ball float64 triton-gpu"
    before, now = Baseline({}, {}, {name: Entry(0.0, 1)}), Baseline({}, {}, {})
    assert compare(before, now, lambda backend: "no GPU").absent == [f"{name}: no GPU"]
    assert compare(before, now).lost


def test_the_scale_of_logistic_ratios_is_found():
    rng = np.random.default_rng(3)
    ratios = rng.logistic(0, 0.2, 20_000)
    assert 0.19 < logistic_scale(ratios) < 0.27, "from above: no measured tail may exceed it"


def test_a_measured_scatter_lets_its_own_seeds_pass():
    rng = np.random.default_rng(5)
    names = [f"D2 case-{i} heavy-ball float64" for i in range(40)]
    runs = [{n: math.exp(0.1 * rng.gumbel()) / 10 for n in names} for _ in range(8)]
    (found,) = measure(runs).values()
    assert isinstance(found, Scatter) and 0.1 < found.entry < 0.25, (
        "never below the scale that was drawn from"
    )
    allowed = (2 * len(names) / seed_scatter.ALARM - 1) ** found.entry
    assert all(a[n] <= b[n] * allowed for a in runs for b in runs for n in names)
    with pytest.raises(ValueError, match="at least 3 seeds"):
        measure(runs[:2])


def test_the_committed_baseline_is_of_the_plain_quick_run():
    from noether.plan.choices import Request
    from noether.runs.run import arguments

    kept = read(Path(seed_scatter.__file__).resolve().parent.parent.parent / "baseline.json")
    assert kept.choice == {name: arguments(Request())[name] for name in kept.choice} and kept.run["seed"] == 0
    assert (
        text(kept)
        == (Path(seed_scatter.__file__).resolve().parent.parent.parent / "baseline.json").read_text()
    ), "as --update-baseline writes it"
    assert {name.split(" ")[0] for name in kept.entries} >= {"T1", "D0", "D2", "O3", "B1"}


def test_what_held_in_the_shipped_baseline_and_does_not_here_is_named_though_nobody_asked(
    plan, capsys, monkeypatch, tmp_path
):
    """A note, at the same choice alone; of another seed only what was asked and is undecided."""
    from noether.runs import regression as module

    made()
    monkeypatch.setattr(module, "SHIPPED", Path("baseline.json").resolve())
    monkeypatch.setattr(module.gone, "__defaults__", (module.SHIPPED,))
    capsys.readouterr()
    assert call(SMALL) == 0 and "shipped" not in capsys.readouterr().err
    honest = plan.cells
    monkeypatch.setattr(plan, "cells", lambda selection: honest(selection)[:-1])
    assert call(SMALL) == 0
    told = capsys.readouterr().err
    assert (
        "1 entry that held in the shipped baseline.json, undecided or missing here: " in told
        and "0 of 1 verdicts hold, the others are not there" in told
    )
    assert call([*SMALL, "--seed", "5"]) == 0 and "shipped" not in capsys.readouterr().err
    assert call(["verify", "rayleigh", "--law", "D0"]) == 0 and "shipped" not in capsys.readouterr().err


def test_what_is_below_the_rounding_of_its_bound_has_no_scale():
    name = "T1 c lagrangian float64 | the equations are those of the Lagrangian"
    of = lambda spent: Baseline({}, {"seed": 0}, {name: Entry(spent, 1)})
    rises = lambda was, now: compare(of(was), of(now)).rises
    assert not rises(1e-23, 1e-18) and not rises(SILENT, 1.0) and not rises(0.0, SILENT)
    assert name in rises(2 * SILENT, 1e-3)
    quiet = [{name: 10.0**-n, "D2 c r float64": 0.5 + n / 100} for n in (23, 20, 18)]
    assert set(measure(quiet)) == {("D2", "wide")}, "it is no measurement of scatter"
