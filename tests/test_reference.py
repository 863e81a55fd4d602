"""V1: the reference is what it says, its claims can fail, and without heyoka the harness says so and
works."""

import sys
from dataclasses import replace
from functools import cache

import mpmath
import numpy as np
import pytest
import sympy
from sympy.codegen.cfunctions import log1p

from noether import verify
from noether.cases import CATALOG, CORE
from noether.cli import doctor
from noether.cli.main import call
from noether.kernels.loops.launch import BackendMissing
from noether.laws.continuous import cells as continuous
from noether.laws.reference import certify, claims, faults, integrator, starts, translation
from noether.laws.reference.cell import CERTIFY, Cell, Claim, record
from noether.laws.reference.cells import cells, run_cell
from noether.laws.reference.truth import Truth
from noether.mechanics.symbolic_exact import compiled
from noether.mechanics.symbolic_mechanics import PARAMETERS, equations, mechanics
from noether.plan.choices import Request, select
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

HAT = next(c for c in CORE if c.name == "mexican-hat")
VALUES = (0.5, 0.7, 0.25, 0.0, 0.2)
heyoka = pytest.mark.skipif(bool(integrator.missing()), reason=f"V1 needs heyoka: {integrator.missing()}")


# ---- the translation, which needs no heyoka


@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
def test_every_equation_of_motion_is_made_of_what_the_import_knows(case):
    state, rates = translation.complete(equations(case))
    assert len(state) == len(rates)
    found = translation.needs(rates)
    assert all(x.q & (x.q - 1) for x in found.fractions)
    assert bool(found.logarithms) == (case.name == "entropy-mirror")


def test_what_the_import_cannot_take_exactly_is_found():
    x = sympy.symbols("x")
    inner = log1p(x / 3)
    found = translation.needs([x / 4 + sympy.Rational(2, 5), log1p(inner + x)])
    assert found.fractions == (sympy.Rational(1, 3), sympy.Rational(2, 5))
    assert found.logarithms == (inner, log1p(inner + x)), "from the inside out"
    with pytest.raises(ValueError, match="sin in an equation of motion"):
        translation.needs([sympy.sin(x)])


def test_pieces_hold_every_bit():
    x = np.array([np.longdouble(1) / 3, np.longdouble(2) ** -70 + 1e-30, np.longdouble(0)])
    parts = integrator.pieces(x, np.longdouble)
    assert np.array_equal(parts[0].astype(np.longdouble) + parts[1] + parts[2], x)
    assert parts[1][0] != 0


# ---- mpmath's own Taylor series, to 30 digits: what the truth is read from, and what heyoka must agree with


@cache
def by_mpmath(count=3, final=0.5):
    """A Solution of the mexican hat by mpmath.odefun, and its start."""
    rng = np.random.default_rng(5)
    q = HAT.draw(rng, 1)[:, 0]
    x0 = np.concatenate([q, rng.uniform(0.5, 1.0, HAT.dim)])
    state, rates = translation.complete(equations(HAT))
    call = compiled((*state, *PARAMETERS), rates, "mpmath")
    times = np.linspace(0, final, count)
    with mpmath.workdps(34):
        start = [mpmath.mpf(float(x)) for x in x0] + [mpmath.mpf(0)] * (len(state) - len(x0))
        solve = mpmath.odefun(lambda t, y: call(*y, *VALUES), 0, start)
        rows = [start, *(list(solve(mpmath.mpf(float(t)))) for t in times[1:])]
    return x0, times, solution(times, rows)


def solution(times, rows) -> integrator.Solution:
    pieces = np.zeros((3, len(rows), len(rows[0])))
    with mpmath.workdps(60):
        for k, row in enumerate(rows):
            for i, value in enumerate(row):
                for piece in range(3):
                    pieces[piece, k, i] = float(value)
                    value = value - mpmath.mpf(pieces[piece, k, i])
    return integrator.Solution(times, pieces, 113, 50, 0.0)


def test_the_theorem_holds_to_thirty_digits_on_a_solution_that_knows_nothing_of_us():
    _, _, found = by_mpmath()
    truth = Truth(HAT, VALUES, found, found)
    for i in range(len(HAT.symmetries)):
        assert max(truth.residual(i)) < mpmath.mpf(10) ** -29
        assert max(abs(x) for x in truth.column(0, i)) > 0.01, "a charge that is nothing proves nothing"
    assert (
        max(
            truth.energy_off(
                0, *(np.array([float(x) for x in column], np.longdouble) for column in truth.budget)
            )
        )
        < 1e-15
    )


def test_an_error_is_read_off_to_its_own_digits():
    _, times, found = by_mpmath()
    x = found.pieces[0][:, : 2 * HAT.dim].copy()
    assert np.max(np.abs(found.apart(x))) < 1.2e-16
    x[1, 0] += 2.0**-40
    truth = Truth(HAT, VALUES, found, found)
    assert truth.states(x)[1] == pytest.approx(2.0**-40, rel=1e-3) and truth.states(x)[2] < 2e-16
    j = np.array([float(v) for v in truth.column(0, 0)])
    off = truth.off(0, j + np.array([0, 1e-12, 0]), np.array([float(v) for v in truth.column(2, 0)]))
    assert off[1] == pytest.approx(1e-12, rel=1e-3) and max(off[0], off[2]) < 3e-16


@heyoka
def test_heyoka_agrees_with_mpmath_to_its_own_precision():
    x0, times, known = by_mpmath()
    for bits, digits in ((53, 15), (64, 18), (113, 28)):
        for stops in (False, True):
            found = integrator.engine(HAT).solve(x0, VALUES, times, bits, stops)
            for mine, theirs in zip(found.rows(), known.rows(), strict=True):
                assert max(abs(a - b) for a, b in zip(mine, theirs, strict=True)) < mpmath.mpf(10) ** -digits


@heyoka
def test_fractions_and_logarithms_reach_heyoka_with_all_their_bits():
    hy = integrator.package()
    x, y = sympy.symbols("x y")
    ready = translation.system(hy, (x, y), (sympy.Rational(1, 3), log1p(sympy.Rational(1, 7)) * 1))
    kind = hy.real128
    taylor = hy.taylor_adaptive(ready, np.array([kind(0), kind(0)]), fp_type=kind, compact_mode=True)
    taylor.propagate_until(kind(1))
    with mpmath.workdps(45):
        parts = integrator.pieces(taylor.state, kind)
        first, second = (
            mpmath.mpf(parts[0, i]) + mpmath.mpf(parts[1, i]) + mpmath.mpf(parts[2, i]) for i in (0, 1)
        )
        assert abs(first - mpmath.mpf(1) / 3) < mpmath.mpf(10) ** -33
        assert abs(second - mpmath.log1p(mpmath.mpf(1) / 7)) < mpmath.mpf(10) ** -33


@heyoka
def test_a_lane_of_a_batch_is_the_lane_alone():
    mech = mechanics(HAT)
    inner = continuous.cells([HAT], "glance")[0]
    x0, parameters, _ = starts.drawn(
        Cell(inner, "starts"), mech, 5
    )  # no multiple of a vector: the last batch is filled up
    times = np.linspace(0, 2.0, 7)
    run, _ = integrator.engine(HAT).batch(x0, parameters, times)
    assert run.x.shape == (7, 2 * HAT.dim, 5)
    for lane in range(5):
        alone = integrator.engine(HAT).solve(x0[:, lane], [p[lane] for p in parameters.values], times, 53)
        assert np.max(np.abs(alone.apart(run.x[:, :, lane]))) < 40 * 2.0**-53


# ---- claims


def claim(**changes) -> Claim:
    usual = dict(off=0.5, bound=1.0, at=1.0, known=0.01, moved=1e6, lane=0, start=np.zeros(4))
    return Claim(**{**usual, **changes})


@pytest.mark.parametrize(
    "changes, verdict, told",
    [
        ({}, HOLDS, "0.5 of its bound"),
        ({"off": 1.01}, VIOLATED, "off by 1"),
        ({"off": float("nan")}, VIOLATED, "off by nan"),
        ({"known": 0.2}, INCONCLUSIVE, "known to 0.2 only"),
        ({"moved": 10.0}, INCONCLUSIVE, "no motion"),
        ({"off": 2.0, "moved": 1.0}, VIOLATED, "off by 2"),
    ],
)
def test_a_claim_is_judged(changes, verdict, told):
    cell = Cell(continuous.cells([HAT], "glance")[0], CERTIFY)
    found = record(cell, "it", [claim(off=0.1), claim(**changes)], {})
    assert found.verdict == verdict and told in found.reason


@heyoka
def test_a_cell_holds_and_each_of_its_claims_can_fail():
    cell = Cell(continuous.cells([HAT], "glance")[0], CERTIFY)
    b = claims.bench(cell)
    found = certify.certify(cell)
    real = [r for r in found if not r.fault]
    assert {r.verdict for r in real} == {HOLDS} and len(real) >= 8
    assert {r.fault: r.verdict for r in found if r.fault} == {faults.FRICTION.name: VIOLATED}
    lane, window = 0, np.ones(len(b.solution.run.times), bool)
    shifted = replace(
        b,
        solution=replace(
            b.solution,
            run=moved(b.solution.run, 1e-9),
            fine=moved(b.solution.fine, 1e-9),
            coarse=moved(b.solution.coarse, 1e-9),
        ),
    )
    assert claims.states(shifted, lane, "run", ("fine", "coarse")).spent > 1e3, "three methods that err alike"
    assert claims.charges(shifted, lane, 0, window).spent > 1e3
    assert claims.energy(shifted, lane, window).spent > 1e3
    assert claims.theorem(b, lane, 0, window).spent <= 1
    assert claims.states(b, lane, "fine", ("coarse",)).spent <= 1


def moved(trajectory, by: float):
    x = trajectory.x.copy()
    x[1:] += by
    return type(trajectory)(trajectory.mechanics, trajectory.parameters, trajectory.times, x, trajectory.z)


@heyoka
def test_stiff_lanes_are_integrated_in_the_processors_own_type():
    assert [claims.bits(m) for m in (1.0, 1e-2, 1e-3, 1e-4)] == [113, 113, 64, 64]


def test_a_loss_with_kinks_is_outside_before_anything_is_integrated():
    (case,) = [c for c in CATALOG if c.name == "leaky-network"]
    parts = cells([case])
    assert {c.part for c in parts} == {"certify", "starts"} and case.kinks
    for cell in parts:
        (r,) = run_cell(cell)
        assert r.verdict == OUTSIDE and "kinks" in r.reason


# ---- asked for, or not there at all


def test_v1_waits_to_be_asked():
    assert "V1" not in select(Request()).laws
    assert select(Request(law="T1")).laws == ("T1",)
    assert select(Request(law="v1")).laws == ("V1",)
    assert select(Request(law="T1", reference=True)).laws == ("T1", "V1")
    assert {"V1", "T1", "D2"} <= set(select(Request(reference=True)).laws)


def test_a_quick_look_at_cases_beside_the_core_takes_no_reference():
    assert cells(CORE[:1], "glance") == [] and len(cells(CORE[:1], "quick")) >= 2


def test_doctor_names_heyoka_and_needs_it_for_nothing():
    (found,) = [f for f in doctor.software() if f.what == "heyoka"]
    assert not found.needed and found.fine == (not integrator.missing())


def test_without_heyoka_it_says_what_is_missing_and_ends_with_3(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "heyoka", None)
    monkeypatch.chdir(tmp_path)
    assert call(["verify", "mexican-hat", "--law", "V1"]) == 3
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "backend heyoka is not here" in err and "pip install" in err
    assert not (tmp_path / "runs").exists()
    with pytest.raises(BackendMissing, match="heyoka"):
        verify("mexican-hat", laws="T1", reference=True)
