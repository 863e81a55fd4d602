"""Continuous laws on cases of every kind: each operation of the case language, kinks declared and not, and
chosen starts."""

import numpy as np
import plainest
import pytest

from noether.cases import CATALOG
from noether.cases.case import BREGMAN, Case, Metric, rotation, scale
from noether.kernels.programs.operations import IN_A_LOSS
from noether.laws.continuous import cells as continuous
from noether.laws.continuous import comparison
from noether.laws.continuous import starts as continuous_starts
from noether.laws.continuous.comparison import Cell
from noether.laws.registry import LAWS
from noether.mechanics import flow, kinks
from noether.mechanics.symbolic_mechanics import mechanics
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

BY_NAME = {c.name: c for c in CATALOG}
KINK = ("sqrt", "step")  # sqrt(r * r) and r * step(r) have one at r = 0
# of an invariant r and the namespace: one line for every operation that a loss can be traced to
OPERATIONS = {
    "neg": lambda r, xp: -r,
    "add": lambda r, xp: r + 0.25,
    "sub": lambda r, xp: 0.25 - r,
    "mul": lambda r, xp: r * r,
    "div": lambda r, xp: 1 / (2 + r * r),
    "power": lambda r, xp: r**3,
    "sqrt": lambda r, xp: xp.sqrt(r * r),
    "exp": lambda r, xp: xp.exp(r),
    "log": lambda r, xp: xp.log(2 + r * r),
    "step": lambda r, xp: r * xp.step(r),
}


def invariant(kind: str, q):
    """What the symmetry leaves as it is: of a rescaling a product, of a scaling a ratio."""
    return q[0] * q[1] - 1 if kind == "T1" else (q[0] - q[1]) / (q[0] + q[1])


def with_operation(name: str, kind: str) -> Case:
    """A loss of two parameters with the operation in it, on a symmetry that T1, T2 or T5 speaks of."""
    of = OPERATIONS[name]
    entropy = Metric(BREGMAN, potential=lambda q, xp: sum(x * xp.log(x) for x in q))
    return plainest.case(
        f"own-{name}",
        loss=lambda q, xp: of(invariant(kind, q), xp) + invariant(kind, q) * invariant(kind, q) / 2,
        breaking=lambda q, xp: q[0] + q[1] * q[1] / 4,
        symmetries=(plainest.RESCALE if kind == "T1" else scale(2),),
        scale_free=kind != "T1",
        metric=entropy if kind == "T2" else Metric(),
        kinks=(lambda q, xp: [invariant(kind, q)]) if name == "step" else None,
    )


def test_every_operation_of_the_tracer_has_its_case():
    assert set(OPERATIONS) - {"power"} == set(IN_A_LOSS)


@pytest.mark.parametrize("kind", ["T1", "T2", "T5"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_operation_is_an_internal_error_or_an_accusation_in_a_continuous_law(name, kind):
    """Each of T1 to T5; where the reference meets a kink it is outside, and says so."""
    case = with_operation(name, kind)
    rule = continuous.RULES.get(kind, "scale-invariant-lagrangian")
    cells = [Cell(kind, case, rule, "masses", "glance", 0, ("T4",) if kind == "T1" else ())]
    if kind == "T1" and name in ("mul", "div", *KINK):  # the others take the same way, and half a second each
        cells.append(Cell("T3", case, rule, "overdamped", "quick", 0))
    for cell in cells:
        real = [r for r in continuous.run_cell(cell) if not r.fault]
        assert real and {r.verdict for r in real} <= ({HOLDS, OUTSIDE} if name in KINK else {HOLDS}), [
            (r.law, r.reason) for r in real
        ]
        assert all("kink" in r.reason or "derivative" in r.reason for r in real if r.verdict == OUTSIDE)


def test_an_undeclared_kink_under_a_root_is_found_in_the_formulas():
    case = with_operation("sqrt", "T1")
    q = np.linspace(0.5, 1.5, 12)[:, None, None] * np.array([1.0, 1.0])[None, :, None]  # r from -3/4 to 5/4
    assert kinks.touched(case, q)[0] and not kinks.touched(case, q[q[:, 0, 0] > 1.01])[0]
    assert kinks.singular(BY_NAME["mexican-hat"]) is None


def test_what_only_shrinks_towards_a_singular_point_has_not_met_it():
    case = BY_NAME["entropy-mirror"]
    q = np.repeat(np.exp(-2.0 * np.arange(12))[:, None, None], case.dim, axis=1)
    assert not kinks.touched(case, q)[0]
    q[6:] = q[5::-1][: len(q[6:])]
    assert (
        not kinks.touched(case, q * 0 + 1)[0]
        and kinks.touched(case, np.concatenate([q[:6], 1e-9 * q[:1], q[6:]]))[0]
    )


@pytest.mark.parametrize("name", ["entropy-mirror", "power-mirror", "product"])
@pytest.mark.parametrize("seed", range(0, 20, 3))
def test_every_fault_is_shown_and_seen_at_every_seed(name, seed):
    case = BY_NAME[name]
    law = "T2" if case.metric.kind == BREGMAN else "T1"
    records = continuous.run_cell(Cell(law, case, continuous.RULES[law], "masses", "glance", seed))
    killed = {r.fault for r in records if r.verdict == VIOLATED}
    assert killed >= set(LAWS[law].must_kill)


def test_the_start_with_most_room_comes_first_and_a_reference_decides_who_may_start():
    case = BY_NAME["entropy-mirror"]
    mech, one = mechanics(case), np.ones(2)
    parameters = flow.Parameters(one, one, one / 4, 0 * one)
    starts = list(continuous_starts.candidates(np.random.default_rng(0), mech, parameters, np.zeros((2, 2))))
    rooms = [float(continuous_starts.room(mech, x0, parameters)[0]) for x0 in starts]
    assert (
        len(starts) == continuous_starts.ROOMY
        and rooms == sorted(rooms, reverse=True)
        and rooms[0] > rooms[-1] > 0
    )
    assert all(np.array_equal(x0[:, 0], x0[:, 1]) for x0 in starts)


@pytest.mark.parametrize(
    "under, met",
    [
        (lambda q: 1 + (q[0] * q[1] - 14) ** 2, False),
        (lambda q: -2 - q[0] ** 2, False),
        (lambda q: q[0] ** 2 + q[1] ** 2, True),
        (lambda q: 1 + q[0] * q[1], True),
        (lambda q: (q[0] - q[1]) ** 2, True),
    ],
)
def test_what_has_one_sign_everywhere_is_no_place_without_a_derivative(under, met):
    """However near to 0 it comes beside its start, as 1 + r^2 does where r was large."""
    case = plainest.case("own", loss=lambda q, xp: 1 / under(q), breaking=lambda q, xp: q[0] * q[0])
    assert (kinks.singular(case) is not None) is met


def falling(q, xp):
    """It falls without end: a trajectory is at infinity after a finite time, before the usual one."""
    r = q[0] * q[0] + q[1] * q[1]
    return -r * r / 8


def test_a_solution_that_ends_before_the_usual_time_is_judged_as_far_as_it_goes(monkeypatch):
    turned = dict(symmetries=(rotation(2, 0, 1),), breaking=lambda q, xp: q[0] * q[0] / 4)
    case = plainest.case("falling", loss=falling, **turned)
    cell = Cell("T1", case, "lagrangian", "masses", "quick", 0, ("T4",))
    records = continuous.run_cell(cell)
    right = [r for r in records if r.fault is None]
    assert {r.verdict for r in right} <= {HOLDS, OUTSIDE} and {r.law for r in right} == {"T1", "T4"}
    assert {r.verdict for r in records if r.fault} == {VIOLATED}
    ends = {r.data["x"][-1] for r in right if r.data.get("plot") == "lines"}
    assert ends and max(ends) < flow.FINAL
    told = [r.reason for r in right if r.verdict == HOLDS and "|j - S|" in r.reason]
    assert told and all("to t = 0.0625 alone" in reason for reason in told)
    monkeypatch.setattr(comparison, "SHARES", (1,))
    assert {r.verdict for r in continuous.run_cell(cell) if r.fault is None} == {HOLDS, INCONCLUSIVE}
