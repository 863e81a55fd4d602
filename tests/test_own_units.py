"""No statement has a unit: a case in units of its own is the same case, and is judged the same."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases import CATALOG
from noether.cases.case import BREGMAN, DIAGONAL, Case, Symmetry
from noether.cases.rules import RULES
from noether.cli.main import call
from noether.kernels.programs import trace
from noether.kernels.programs.namespaces import NUMPY
from noether.kernels.programs.precision import Precision
from noether.mechanics import lagrangian, own_units, stiffness, sweep
from noether.mechanics.own_units import Scaled, Units, of_order_one, written
from noether.mechanics.symbolic_mechanics import equations

POWERS = st.integers(-60, 60).map(lambda n: 2.0**n)
BY_NAME = {c.name: c for c in CATALOG}
PLAIN = [c for c in CATALOG if c.metric.kind != BREGMAN]


@pytest.mark.parametrize("case", CATALOG, ids=lambda c: c.name)
def test_the_catalogue_is_of_order_one(case):
    assert of_order_one(case) is case


def gradient(case, q):
    return np.stack(trace.gradient(case).run(list(q), np.zeros(q.shape[1]), Precision("float64")))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PLAIN), POWERS, POWERS, POWERS)
def test_units_change_no_bit_and_are_found_again(case, place, loss, metric):
    """Written in other units a case has the same numbers, times powers of two; it comes back to order one."""
    metric = metric if case.metric.kind == DIAGONAL else 1.0
    strange = written(replace(case, pace=None), Units(place, loss, loss, metric))
    q = case.draw(np.random.default_rng(0), 5)
    assert np.array_equal(strange.loss(list(q / place), NUMPY), loss * case.loss(list(q), NUMPY))
    assert np.array_equal(gradient(strange, q / place), loss * place * gradient(case, q))
    back = of_order_one(strange)
    assert np.abs(np.array(back.box)).max() <= 2**5 and np.ptp(np.array(back.box), axis=1).max() >= 2.0**-6
    curvature = stiffness.step_curvature(back)
    assert own_units.CURVATURES[0] / 2 <= curvature <= 2 * own_units.CURVATURES[1]
    if metric != 1:
        assert own_units.METRICS[0] <= own_units.size_of_metric(back) <= own_units.METRICS[1]
    assert pickle.loads(pickle.dumps(back)) == back and back.name == case.name


def ring(q, xp):
    r = (q[0] - 3.0) * (q[0] - 3.0) + (q[1] + 2.0) * (q[1] + 2.0)
    return (r - 1) * (r - 1) / 4


def first(q, xp):
    return q[0]


RING = Case(name="ring", title="t", source="own", loss=ring, breaking=first, box=((3.0, 4.5), (-2.0, -1.0)),
            symmetries=(Symmetry("rotation", ((0, -1), (1, 0)), (-2.0, -3.0)),), pace=0.125)  # fmt: skip


def test_a_centre_and_a_pace_are_in_units_too():
    there = written(RING, Units(place=2.0**10, loss=2.0**6))
    (turn,) = there.symmetries
    assert turn.a == (-2.0 / 2**10, -3.0 / 2**10) and turn.A == ((0, -1), (1, 0))
    assert there.pace == 0.125 / 2.0**26
    q = RING.draw(np.random.default_rng(1), 4)
    along = turn.generator(list(q / 2**10))
    assert np.abs(np.sum(np.array(along) * gradient(there, q / 2**10), axis=0)).max() < 1e-9


def test_what_has_no_number_of_its_own_stays():
    flat = replace(RING, loss=lambda q, xp: 0 * q[0], pace=None)
    assert of_order_one(flat) is flat
    far = replace(RING, box=((1000.0, 1001.0), (-2.0, -1.0)))
    assert own_units.units_of(far).place == 1, "how far away a narrow box lies may be of no account"


def test_a_breaking_that_no_loss_would_feel_is_made_as_steep():
    faint = replace(RING, breaking=lambda q, xp: 1e-25 * q[0])
    units = own_units.units_of(faint)
    assert 2.0**80 < units.breaking < 2.0**90 and units.loss == 1
    found = of_order_one(faint)
    assert isinstance(found.breaking, Scaled) and found.loss((1.0, 1.0), NUMPY) == ring((1.0, 1.0), None)
    assert "breaking times" in own_units.told(found) and own_units.told(RING) == ""


@pytest.mark.parametrize("power", [-300, -60, 0, 40])
def test_the_lagrangian_is_differentiated_in_the_units_of_the_case(power):
    """A step of 10^-30 of a parameter that is 10^-18 is no small one."""
    hat = written(BY_NAME["mexican-hat"], Units(place=2.0**-power))
    found = lagrangian.off(hat, lagrangian.drawn(hat, np.random.default_rng(2)))
    assert max(found.values()) < lagrangian.SAME, found


@pytest.mark.parametrize("size", [1e-310, 5e-324, 1e300])
def test_a_factor_is_a_number_whatever_the_loss_is(size):
    extreme = replace(RING, loss=lambda q, xp: size * (q[0] * q[0] + q[1] * q[1]), pace=None)
    units = own_units.units_of(extreme)
    assert 0 < units.loss < np.inf and np.isfinite(own_units.near(size, own_units.SIZES))


def test_a_pace_is_in_the_units_of_the_metric_too():
    hat = replace(BY_NAME["deformed-hat"], pace=2.0**-3)
    paces = [written(hat, Units(place=2.0**2, loss=2.0**3, metric=2.0**n)).pace for n in (5, -5)]
    assert paces == [2.0 ** (-3 - 3 - 4), 2.0 ** (-3 - 3 - 4 - 5)], "stable for rules that read it or do not"


def test_a_pace_beyond_any_number_is_derived():
    assert written(RING, Units(place=2.0**-600)).pace is None and written(RING, Units(loss=2.0**990)).pace


def test_kinks_and_samples_are_in_units_too():
    kinked = replace(
        RING,
        kinks=lambda q, xp: [q[0] - 3.0],
        samples=lambda q, xp: [2 * ring(q, xp), 0 * q[0]],
    )
    there = written(kinked, Units(place=2.0**10, loss=2.0**6))
    q = RING.draw(np.random.default_rng(1), 4)
    assert np.array_equal(there.kinks(list(q / 2**10), NUMPY)[0], q[0] - 3.0)
    assert np.array_equal(np.mean(there.samples(list(q / 2**10), NUMPY), axis=0), 2.0**6 * ring(q, NUMPY))


FILE = """
from noether import Case
from noether.cases.case import DIAGONAL, Metric, scale
U = {unit}

def loss(q, xp):
    return U * (q[0] * q[0] + 2 * q[1] * q[1]) / (q[0] * q[0] + q[1] * q[1])

def breaking(q, xp):
    return q[0]

def entries(q, kappa, xp):
    return [(1 + kappa * xp.exp(-(x / U) * (x / U))) / U for x in q]

CASE = Case(name="tiny", title="t", source="own", loss=loss, breaking=breaking, box=((U, 2 * U),) * 2,
            symmetries=(scale(2),), metric=Metric(DIAGONAL, entries=entries), scale_free=True)
"""


def test_a_right_case_in_strange_units_is_not_accused(tmp_path, capsys):
    """T1, O1 and O9 called it violated, as T5 and O8 did."""
    file = tmp_path / "tiny.py"
    file.write_text(FILE.format(unit="1e-12"))
    told = ["verify", str(file), "--law", "T1,O1,O9", "--precision", "float64", "--jobs", "1"]
    assert call([*told, "--out", str(tmp_path / "run")]) == 0
    assert "in units in which its numbers are near one" in capsys.readouterr().err


def test_its_worst_lane_replays_alone(tmp_path, capsys):
    file = tmp_path / "tiny.py"
    file.write_text(FILE.format(unit="1e-12"))
    told = ["verify", str(file), "--law", "D0", "--rule", "heavy-ball", "--precision", "float64"]
    assert call([*told, "--jobs", "1", "--out", str(tmp_path / "run")]) == 0
    assert call(["replay", str(tmp_path / "run"), "--law", "D0"]) == 0
    assert "NOT EQUAL" not in capsys.readouterr().out


def test_a_number_that_is_given_is_one_of_the_case_as_it_is_written(tmp_path, capsys):
    file = tmp_path / "tiny.py"
    file.write_text(FILE.format(unit="1e-12"))
    told = ["verify", str(file), "--law", "D0", "--rule", "heavy-ball", "--precision", "float64"]
    call([*told, "--jobs", "1", "--eta", "1e-12", "--out", str(tmp_path / "run")])
    assert "in units" not in capsys.readouterr().err


def test_a_parameter_beside_a_much_larger_one_is_kicked_by_its_own_box():
    """A kick and a velocity were those of the widest parameter: the others left their box at once."""
    narrow = replace(RING, box=((2.0**-20, 2.0**-19), (0.5, 1.0)))
    assert own_units.narrowed(narrow, 1.0) == pytest.approx([2.0**-16, 1.0])
    for case in CATALOG:
        sides = np.array(case.box, dtype=float)
        assert (own_units.narrowed(case, float(np.ptp(sides))) == np.ptp(sides)).all(), case.name
    kicks = sweep.draw(narrow, RULES["heavy-ball"], Precision("float64"), lanes=64, steps=1, seed=0).v0
    assert np.abs(kicks[0]).max() < 2.0**-18 < np.abs(kicks[1]).max()


FAR = replace(RING, loss=lambda q, xp: ring([q[0] - 300.0, q[1] + 200.0], xp), pace=None,
              box=((303.0, 304.5), (-202.0, -201.0)),
              symmetries=(Symmetry("rotation", ((0, -1), (1, 0)), (-202.0, -303.0)),))  # fmt: skip


def test_a_charge_about_a_point_far_away_is_known_to_the_rounding_of_its_terms():
    """A q and a cancel: what is left of them is rounded as they are. T1 called such a case violated."""
    size = equations(FAR).charges[1]
    q, p = sympy.symbols("q:2"), sympy.symbols("p:2")
    at = {q[0]: 303, q[1]: -202, p[0]: 1, p[1]: 0}
    assert size.subs(at) == 404 and equations(FAR).charges[0].subs(at) == 0
