"""M1: the map is measured, every wrong claim is violated, a rule that stands still proves nothing."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cases import CATALOG, CORE
from harness import symmetry_map
from harness.cli import call
from harness.lawbook import LAWS
from harness.records import line, parse
from harness.symbolic import prove
from harness.symmetry_map import charges, counting, measuring, printed, stepping, table
from harness.symmetry_map.scenes import PAIRS, STARTS, scenes
from harness.usage import UsageError
from harness.verdicts import HOLDS, INCONCLUSIVE, VIOLATED

(CELL,) = symmetry_map.cells(CORE, "quick", 3)


@pytest.fixture(scope="module")
def records():
    return symmetry_map.run_cell(CELL)


@pytest.fixture(scope="module")
def runs():
    return symmetry_map.trajectories(3, "quick")


def test_every_cell_of_the_map_is_as_predicted(records):
    real = [r for r in records if r.control is None]
    assert {r.verdict for r in real} == {HOLDS}
    assert len({(r.symmetry, r.rule) for r in real if r.case != "map"}) == len(table.ROWS) * len(table.COLUMNS) == 66
    found = printed.map_of(records)
    assert (found.measured, found.parameters["no charge"]) == (66, 4)


def test_the_table_of_the_theory_is_the_one_that_is_predicted():
    theory = (Path(__file__).resolve().parent.parent / "docs" / "theory.md").read_text(encoding="utf-8")
    lines = [x.strip("| ").split(" | ") for x in theory.partition("### <a id=\"M1\"></a>")[2].partition("The charges, with")[0].splitlines() if x.startswith("|")]
    names = {"GL(r), symmetric part": "GL(r)", "O(r), rotation": "rotation"}
    told = {names.get(row, row): labels for row, *labels in lines[2:]}
    assert told == {row: [printed.short(e.label) for e in entries] for row, entries in table.PREDICTED.items()}


def test_every_wrong_claim_is_violated_and_the_book_names_them_all(records):
    wrong = {r.control: r.verdict for r in records if r.control}
    assert wrong == dict.fromkeys(LAWS["M1"].controls, VIOLATED)


def test_a_wrong_entry_of_the_table_is_violated(runs):
    scene = scenes()["scale"]
    for label, charge in (("exact", "decay"), ("order 2", "massive"), ("order 0", "massive")):
        r = symmetry_map.one(CELL, scene, "heavy ball", table.Entry(label, charge), runs[scene.case.name], few=True)
        assert r.verdict == VIOLATED and "measured order 1" in r.reason


def test_no_charge_where_there_is_one_is_violated_and_a_charge_is_found_by_its_closed_form(runs):
    scene = scenes()["scale"]
    assert symmetry_map.one(CELL, scene, "gradient descent", table.Entry("-", "form"), runs[scene.case.name], few=True).verdict == VIOLATED
    q = runs[scene.case.name]["gradient descent"].q[0][:, ::6]
    assert measuring.closedness(scene, q, dual=True) < 1e-14 < measuring.closedness(scenes()["rotation"], np.tile(q, (2, 1)), dual=False)


def test_a_rule_that_stands_still_is_violated_though_it_keeps_everything(runs):
    scene = scenes()["translation"]
    r = symmetry_map.one(CELL, scene, "still", table.Entry("exact", "potential"), runs[scene.case.name], few=True)
    assert r.spent == 0 and r.verdict == VIOLATED and "stands still" in r.reason


def test_what_cannot_be_decided_is_inconclusive(runs):
    scene = scenes()["scale"]
    noisy = {k: replace(v, v=v.v * (1 + 0.9 * np.cos(17.0 * np.arange(v.v.shape[2])))) for k, v in runs[scene.case.name].items()}
    r = symmetry_map.one(CELL, scene, "heavy ball", table.Entry("order 1", "massive"), noisy, few=True)
    assert r.verdict == INCONCLUSIVE and r.parameters["label"] == "undecided"


def test_the_map_needs_all_core_cases():
    assert symmetry_map.cells(CORE[:2], "quick") == [] == symmetry_map.cells(CATALOG, "glance")


def test_a_record_of_the_map_survives_json(records):
    back = [parse(line(r.as_dict())) for r in records]
    assert printed.summary(back) == printed.summary(records)


@pytest.mark.parametrize(
    ("rule", "optimiser"),
    [
        (stepping.rmsprop, lambda p: torch.optim.RMSprop(p, lr=0.125, alpha=stepping.RMS, eps=stepping.EPSILON)),
        (stepping.adam, lambda p: torch.optim.Adam(p, lr=0.125, betas=(stepping.FIRST, stepping.SECOND), eps=stepping.EPSILON)),
    ],
)
def test_the_diagonal_rules_are_those_of_torch(rule, optimiser):
    rng = np.random.default_rng(0)
    q, memory = rng.normal(size=5), {}
    p = torch.tensor(q, dtype=torch.float64, requires_grad=True)
    opt = optimiser([p])
    for n in range(1, 41):
        g = rng.normal(size=5)
        p.grad = torch.tensor(g, dtype=torch.float64)
        opt.step()
        q = rule(q, g, 0.125, n, memory)
    # 40 steps of about .125, some twenty roundings each in another order.
    assert np.max(np.abs(q - p.detach().numpy())) < 40 * 20 * 0.125 * 2.0**-53 * 4


def test_sign_descent_keeps_moduli_of_pairs_and_not_of_another_loss(runs):
    pairs, other, symmetry = runs["pairs"]["sign"], runs["rayleigh-4"]["sign"], scenes()["rescale"].symmetry
    assert len(np.unique(np.sign(pairs.g[0]))) == 2
    assert charges.of_modulus(pairs, symmetry).relative.max() < 1e-14
    assert charges.of_modulus(other, symmetry).relative.max() > 1e-2


def test_pairs_are_symmetric_and_every_start_is_positive(runs):
    assert prove(PAIRS)
    for case in runs.values():
        assert all(r.q[0].min() > 0 and len(r.counts) == STARTS * 6 for r in case.values())


def test_counted_charges_are_those_of_the_formula():
    rng = np.random.default_rng(1)
    for n, r, m in ((1, 1, 1), (1, 2, 1), (2, 2, 1), (2, 3, 1), (3, 2, 2)):
        fields = counting.linear_fields(n, r, m)
        q, p = rng.normal(size=(2, (n + m) * r))
        assert counting.laws(fields, q) == counting.predicted(n, r, m)
        assert counting.momentum_laws(fields, q, p) == counting.momentum_predicted(n, r, m)
    fields = counting.relu_fields(3, 2, 1)
    assert counting.laws(fields, rng.normal(size=9)) == 3
    assert counting.laws([np.diag([1.0, 2.0])], np.ones(2)) == 1 and counting.rank(np.zeros((2, 3))) == 0


def test_the_command_prints_80_columns_and_json(capsys):
    assert call(["map", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "66 of 66 cells are as predicted" in out
    assert call(["map", "--seed", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["map"]) == 66 and set(told["controls"].values()) == {VIOLATED} and told["agree"] == 66
    assert call(["map", "--profile", "slow"]) == 2


def test_a_run_without_a_map_is_told(records):
    with pytest.raises(UsageError, match="has 0 maps"):
        printed.map_of([r for r in records if r.case != "map"])
