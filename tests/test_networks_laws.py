"""N5 to N9 hold on networks in training, and each of their faults is killed."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.laws import networks
from noether.laws.networks.cells import cells, run_cell
from noether.verdicts.record import HOLDS, ORDER, VIOLATED

LAWS = {law.key: law for law in networks.LAWS if law.only_full}  # N1 to N4 have tests of their own


def ours():
    """The cells at their quick size."""
    return [c for c in cells((), "quick", 3) if c.law in LAWS]


@pytest.fixture(scope="module")
def records():
    """Of every cell at its quick size, by law."""
    found = {}
    for cell in ours():
        found.setdefault(cell.law, []).extend(run_cell(cell))
    return found


def test_every_law_has_records_of_every_cell(records):
    assert set(records) == set(LAWS)
    planned = {(c.law, c.name) for c in ours()}
    assert {(r.law, r.cell) for found in records.values() for r in found} == planned


@pytest.mark.parametrize("law", LAWS)
def test_a_law_holds(records, law):
    mine = [r for r in records[law] if r.fault is None]
    assert mine and {r.verdict for r in mine} == {HOLDS}, [r.reason for r in mine if r.verdict != HOLDS]


@pytest.mark.parametrize("law", LAWS)
def test_a_law_kills_every_fault_that_it_promises(records, law):
    killed = {r.fault for r in records[law] if r.fault and r.verdict == VIOLATED}
    assert killed == set(LAWS[law].must_kill)


@pytest.mark.parametrize("law", ["N5", "N7", "N8", "N9"])
def test_the_bounds_of_roundings_are_not_wide(records, law):
    """A bound that is wider by 20 is idle (harness/runs/completeness.py)."""
    mine = [r for r in records[law] if r.fault is None and r.kind == "rounding"]
    assert max(r.spent for r in mine) > 0.1


def test_records_tell_torch_the_precision_and_a_replay_that_is_accepted(records):
    every = [r for found in records.values() for r in found]
    assert {r.backend for r in every} == {"torch"} and {r.precision for r in every} == {"float64", "float32"}
    assert all(r.replay == f"noether verify networks --law {r.law} --profile quick --seed 3" for r in every)


def test_gradients_of_minibatches_are_nearly_white_and_not_coherent(records):
    """What decides between NLD Eq. 17 and the noise law: F is 19 in the one and 1 in the other."""
    (found,) = (r for r in records["N5"] if r.fault is None and r.parameters["statement"] == "equilibrium")
    F, error = found.parameters["F"], found.parameters["F error"]
    assert 0.8 < F < 1 and error < 0.02 and F + 5 * error < 1
    assert found.parameters["rho_1"] > 5 * found.parameters["rho_1 error"]  # one step apart they still agree


def test_printed_curves_are_of_order_one(records):
    orders = [r for r in records["N8"] if r.kind == ORDER and r.fault is None]
    assert {r.symmetry for r in orders} == {"translation", "scale", "rescale"}
    assert all(abs(r.measured - 1) < 0.01 for r in orders)


def test_every_law_has_a_figure(records):
    assert {law for law, found in records.items() if any("series" in r.data for r in found)} == set(LAWS)
