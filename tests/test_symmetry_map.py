"""M1: the map is measured, every wrong claim is violated, a rule that stands still proves nothing."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from noether.cases import CATALOG, CORE
from noether.cli.main import call
from noether.kernels.programs import numpy_step
from noether.laws.map import cells as symmetry_map
from noether.laws.map import (
    charges,
    counting,
    judging,
    measuring,
    printed,
    sources,
    stepping,
    table,
)
from noether.laws.map.scenes import PAIRS, STARTS, scenes
from noether.laws.registry import LAWS
from noether.mechanics.symmetry_proof import prove
from noether.runs.records_file import line, parse
from noether.system.usage import UsageError
from noether.verdicts import orders, powers
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED

(CELL,) = symmetry_map.cells(CORE, "quick", 3)


@pytest.fixture(scope="module")
def records():
    return symmetry_map.run_cell(CELL)


@pytest.fixture(scope="module")
def runs():
    return symmetry_map.trajectories(3, "quick")


def test_every_cell_of_the_map_is_as_predicted(records):
    real = [r for r in records if r.fault is None]
    assert {r.verdict for r in real} == {HOLDS}
    cells = {(r.symmetry, r.rule) for r in real if r.case != "map" and "source" not in r.symmetry}
    assert len(cells) == len(table.ROWS) * len(table.COLUMNS) == 180
    found = printed.map_of(records)
    assert (found.measured, found.parameters["no charge"]) == (180, 7)


def test_the_table_of_the_theory_is_the_one_that_is_predicted():
    theory = (Path(__file__).resolve().parent.parent / "docs" / "theory.md").read_text(encoding="utf-8")
    page = theory.partition('### <a id="M1"></a>')[2].partition("The charges, with")[0]
    names = {"GL(r), symmetric part": "GL(r)", "O(r), rotation": "rotation"}
    told: dict[str, list[str]] = {}
    for row, *labels in (x.strip("| ").split(" | ") for x in page.splitlines() if x.startswith("|")):
        if not row.startswith(("symmetry", "-")):
            told.setdefault(names.get(row, row), []).extend(labels)
    assert told == {
        row: [printed.short(e.label) for e in entries] for row, entries in table.PREDICTED.items()
    }


def test_every_wrong_claim_is_violated_and_the_book_names_them_all(records):
    wrong = {(r.fault, r.verdict) for r in records if r.fault}
    assert wrong == {(name, VIOLATED) for name in LAWS["M1"].must_kill}


def test_a_wrong_entry_of_the_table_is_violated(runs):
    scene = scenes()["scale"]
    for label, charge in (("exact", "decay"), ("order 2", "massive"), ("order 0", "massive")):
        r = symmetry_map.one(
            CELL, scene, "heavy ball", table.Entry(label, charge), runs[scene.case.name], few=True
        )
        assert r.verdict == VIOLATED and "measured order 1" in r.reason


def test_no_charge_where_there_is_one_is_violated_and_a_charge_is_found_by_its_closed_form(runs):
    scene = scenes()["scale"]
    assert (
        symmetry_map.one(
            CELL, scene, "gradient descent", table.Entry("-", "form"), runs[scene.case.name], few=True
        ).verdict
        == VIOLATED
    )
    q = runs[scene.case.name]["gradient descent"].q[0][:, ::6]
    assert (
        measuring.closedness(scene, q, dual=True)
        < 1e-14
        < measuring.closedness(scenes()["rotation"], np.tile(q, (2, 1)), dual=False)
    )


def test_a_rule_that_stands_still_is_violated_though_it_keeps_everything(runs):
    scene, entry = scenes()["translation"], table.Entry("exact", "potential")
    r = symmetry_map.one(CELL, scene, "still", entry, runs[scene.case.name], few=True)
    assert r.spent == 0 and r.verdict == VIOLATED and "stands still" in r.reason
    run = runs[scene.case.name]["gradient descent"]
    near = replace(run, z=(z := run.z[:1] + (run.z - run.z[:1]) * 2.0**-9), q=z)
    r = symmetry_map.one(CELL, scene, "gradient descent", entry, {"gradient descent": near}, few=True)
    assert r.verdict == INCONCLUSIVE and "stands still" not in r.reason, "what hardly moves shows nothing"


def test_a_run_that_comes_back_has_moved(runs):
    run = runs[scenes()["translation"].case.name]["gradient descent"]
    back = replace(run, q=run.q.copy())
    back.q[run.counts, :, run.lanes] = run.q[0].T
    assert (back.path >= measuring.MOVED).all()


def test_what_cannot_be_decided_is_inconclusive(runs):
    scene = scenes()["scale"]
    noisy = {
        k: replace(v, v=v.v * (1 + 0.9 * np.cos(17.0 * np.arange(v.v.shape[2]))))
        for k, v in runs[scene.case.name].items()
    }
    r = symmetry_map.one(CELL, scene, "heavy ball", table.Entry("order 1", "massive"), noisy, few=True)
    assert r.verdict == INCONCLUSIVE and r.parameters["label"] == "undecided"


def test_orders_near_a_turning_point_are_told_from_their_neighbours():
    """p_j = 1.9990, 1.9981, 1.9972, 1.9963: no other whole number is near, though the differences grow by a
    percent."""
    p = 2 - np.array([0.001, 0.001907, 0.002827, 0.003753])
    error = np.concatenate([[1.0], 2 ** -np.cumsum(p)])
    found = orders.decide(error, 0 * error)
    assert measuring.decided(found) and measuring.label_of(found) == "order 2"
    wild = np.concatenate([[1.0], 2 ** -np.cumsum([1.0, 1.1, 1.3, 1.7])])
    assert not measuring.decided(orders.decide(wild, 0 * wild))


def test_the_map_needs_all_core_cases():
    assert symmetry_map.cells(CORE[:2], "quick") == [] == symmetry_map.cells(CATALOG, "glance")


def test_a_record_of_the_map_survives_json(records):
    back = [parse(line(r.as_dict())) for r in records]
    assert printed.summary(back) == printed.summary(records)


@pytest.mark.parametrize("column", stepping.STEPPED.values(), ids=lambda c: c.name)
def test_the_map_steps_by_the_lines_of_the_rule(column):
    """Bit for bit the numpy step of the catalogue's rule, but for numpy's exp and log, which are as near."""
    rule, (d, lanes) = column.rule, (6, 3)
    rng = np.random.default_rng(2)
    walk = stepping.Walk(
        column, rng.uniform(0.5, 1.5, (d, lanes)), rng.normal(size=(d, lanes)), np.full(3, 0.1)
    )
    z, v = list(walk.z[0]), [*walk.v[0], *np.zeros(((len(rule.buffers) - 1) * d, lanes))]
    for n in (1, 2, 3):
        g = rng.normal(size=(d, lanes))
        p = [*walk.params, *np.broadcast_to(rule.known_numbers(walk.params[:, :1], 1, n - 1)[0], (
            len(rule.known_names), lanes))]  # fmt: skip
        G = [1 / x for x in z] if rule.on_metric else []
        z, v = numpy_step.step(z, v, [*p, *G], lambda *_, g=g: list(g), rule, stepping.FLOAT64)
        walk.step(n, g)
        assert np.array_equal(walk.z[-1], z) and np.array_equal(walk.v[-1], v[:d])


def test_steps_of_adam_do_not_depend_on_the_lane_through_what_they_know():
    """Walk asks what a step knows of its number for its first lane alone."""
    for column in stepping.STEPPED.values():
        params = column.params(np.array([0.1, 0.01]))
        known = column.rule.known_numbers(params, 3)
        assert (known == known[..., :1]).all(), column.name


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
    assert "180 of 180 cells are as predicted" in out
    assert call(["map", "--seed", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["map"]) == 180 and set(told["faults"].values()) == {VIOLATED} and told["agree"] == 180
    assert call(["map", "--profile", "slow"]) == 2


def test_a_run_without_a_map_is_told(records):
    with pytest.raises(UsageError, match="has 0 maps"):
        printed.map_of([r for r in records if r.case != "map"])


# ---- the constant in front of each order


def drifting():
    pairs = ((row, c) for row in table.CONTINUOUS for c in table.COLUMNS[1:])
    return [(row, c) for row, c in pairs if table.entry(row, c).order is not None]


def test_every_drift_of_an_order_is_the_one_that_its_sources_say(records):
    found = {
        (r.symmetry.removesuffix(", source"), r.rule): r
        for r in records
        if r.fault is None and "source" in r.symmetry
    }
    assert set(found) == set(drifting()) and len(found) == 92
    for r in found.values():
        assert r.verdict == HOLDS and 1e-3 < r.spent < 1 and r.parameters["drift over bound"] > 2**20
        assert max(r.powers.values()) < 1e-7, (r.symmetry, r.rule, r.powers)


def source_of(row, column, runs, **what):
    scene = scenes()[row]
    run = sources.wide(runs[scene.case.name][column])
    return judging.sourced(CELL, scene, column, table.entry(row, column), run, fault="wrong", **what).verdict


@pytest.mark.parametrize("factor", [1 + 2.0**-28, 1 - 2.0**-28])
def test_every_coefficient_of_every_drift_is_noticed(runs, factor, monkeypatch):
    monkeypatch.setattr(powers, "STEP", factor - 1)
    seen = 0
    for row, column in drifting():
        run = runs[scenes()[row].case.name][column]
        for name, changed in sources.coefficients(run, table.entry(row, column).charge).items():
            assert source_of(row, column, runs, **changed) == VIOLATED, (row, column, name)
            seen += 1
    assert seen == 93


def late(walk_step):
    """A step that is wrong the 40th time alone, by a thousandth of itself."""

    def step(q, v, g, p):
        found, n = walk_step(q, v, g, p), next(step.turn)
        return (q[0] + (found[0] - q[0]) * (1 + 1e-3 * (n == 40)), *found[1:])

    step.turn = count(1)
    return step


STEPS = {
    "another memory": ("RMSProp", dict(beta2=table.RMS * (1 + 1e-6))),
    "another second memory": ("LAMB", dict(beta2=table.SECOND * (1 + 1e-6))),
    "another first memory": ("Adam", dict(beta=table.FIRST * (1 + 1e-6))),
    "another share of momentum": ("QHM", dict(nu=table.NU * (1 + 1e-6))),
    "a wrong step in between": ("Adam", None),
    "another friction": ("heavy ball", dict(beta=table.BETA * (1 + 1e-6))),
    "another decay": ("decoupled decay", dict(k=table.DECAY * (1 + 1e-6))),
    "another momentum of Nesterov": ("Nesterov", dict(beta=table.BETA * (1 - 1e-6))),
}


@pytest.mark.parametrize("fault", STEPS)
def test_a_rule_that_steps_otherwise_than_the_map_believes_is_violated(fault, monkeypatch):
    """Every order stays what it was; the drift does not."""
    column, wrong = STEPS[fault]
    scene, right = scenes()["scale"], stepping.STEPPED[column]
    other = right if wrong is None else replace(right, given=tuple({**dict(right.given), **wrong}.items()))
    if wrong is None:
        made = late(stepping.step_of(right.rule, 1))
        monkeypatch.setattr(stepping, "step_of", lambda rule, d: made)
    run = symmetry_map.stepped(scene, 3, [other], 6)[column]
    believed = replace(run, column=right, params=right.params(np.tile(scene.steps(6), STARTS)))
    assert source_of("scale", column, {scene.case.name: {column: believed}}) == VIOLATED
    claim = table.entry("scale", column)
    seen = symmetry_map.one(CELL, scene, column, claim, {column: believed}, few=True)
    assert seen.parameters["label"] == claim.label


def test_rows_that_are_kept_exactly_are_no_empty_claims(runs):
    """Of a symmetry that is no translation, an exact potential is compared with its own bound, not with 0."""
    scene = scenes()["scale"]
    for column in ("gradient descent", "normalised"):
        claim = table.Entry("exact", "potential")
        r = symmetry_map.one(CELL, scene, column, claim, runs[scene.case.name], few=True)
        assert r.verdict == VIOLATED and r.measured > 1e-6
