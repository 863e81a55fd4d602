"""T4: the energy along T1's trajectories, and what rides on a cell of another law."""

import numpy as np
import pytest

from noether.cases import CORE
from noether.cases.case import BREGMAN
from noether.laws.continuous import cells as continuous
from noether.laws.continuous import energy
from noether.laws.continuous.comparison import Cell
from noether.laws.registry import LAWS
from noether.mechanics import flow
from noether.mechanics.symbolic_mechanics import mechanics
from noether.plan import design
from noether.plan.choices import Request, select
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED

BY_NAME = {c.name: c for c in CORE}


@pytest.fixture(scope="module")
def deformed():
    cell = Cell("T1", BY_NAME["deformed-rayleigh"], "lagrangian", "masses", "glance", 3, ("T4",))
    mech = mechanics(cell.case)
    solution, lanes_of = continuous.solutions(cell, mech, continuous.SETTINGS)
    return cell, solution, lanes_of


def test_energy_is_lost_to_friction_alone_and_every_near_fault_is_violated(deformed):
    records = energy.energies(*deformed, continuous.MOTION)
    assert {r.law for r in records} == {"T4"}
    assert {r.verdict for r in records if not r.fault} == {HOLDS}
    assert {r.fault: r.verdict for r in records if r.fault} == dict.fromkeys(LAWS["T4"].must_kill, VIOLATED)


def test_the_energy_is_that_of_the_case_and_not_of_its_formulas(deformed):
    cell, solution, _ = deformed
    run, d = solution.run, cell.case.dim
    q, p, eps, kappa = run.x[7, :d], run.x[7, d:], run.parameters.eps, run.parameters.kappa
    G = np.array(cell.case.metric.entries(q, kappa, np))
    kinetic, f = (
        run.parameters.m / 2 * np.sum(p * p / G, axis=0),
        cell.case.total(q, eps, np) + run.parameters.k * np.sum(q * q, axis=0) / 2,
    )
    assert energy.whole(run)[7].astype(float) == pytest.approx(kinetic + f, rel=1e-14, abs=0)


def test_work_that_is_not_done_is_no_evidence():
    """At rest in a minimum of the symmetric loss nothing is lost: E = E_0 proves nothing."""
    case = BY_NAME["mexican-hat"]
    cell, one = Cell("T1", case, "lagrangian", "masses", "quick", 0, ("T4",)), np.ones(1)
    parameters = flow.Parameters(one, one, 0 * one, 0 * one)
    still = flow.certified(mechanics(case), np.eye(6)[:, :1], parameters, flow.output_times(1.0)[:, None])
    records = energy.energies(cell, still, {1.0: [0]}, continuous.MOTION)
    assert [r.verdict for r in records if not r.fault] == [INCONCLUSIVE]


def test_which_charges_have_a_kinetic_source_is_told_without_formulas():
    for case in (BY_NAME[n] for n in ("mexican-hat", "linear-network", "entropy-mirror")):
        parts = [bool(set(p) & {"generator", "metric"}) for p in mechanics(case).parts]
        assert parts == [continuous.twists(case, s) for s in case.symmetries]


def test_a_law_that_rides_on_a_cell_can_be_asked_for_alone():
    cells = design.cells(select(Request(law="T4")))
    assert cells and {c.laws for c in cells} == {("T4",)}
    assert {c.case.name for c in cells} >= {c.name for c in CORE if c.metric.kind != BREGMAN}
    (cell,) = [c for c in cells if c.case.name == "mexican-hat"]
    assert {r.law for r in cell.run()} == {"T4"}
    assert {c.laws for c in design.cells(select(Request(law="T1,T4"))) if c.name.endswith("/masses")} == {
        ("T1", "T4")
    }
