"""Every regime draws a valid launch from whatever units, and lies where it says."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.campaigns.fuzz import lanes, regimes
from noether.campaigns.fuzz.lanes import NAMED, reach, stiffness, units
from noether.campaigns.fuzz.regimes import REGIMES, draw
from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision, parse, representable
from noether.laws.exact.cell import rules_of
from noether.laws.exact.judge import judge_all
from noether.mechanics import bounds
from noether.mechanics.domain import MARGIN, NORMAL, OVERFLOW, leaving
from noether.mechanics.trajectory import Trajectory
from noether.plan.design import PRECISIONS
from noether.verdicts.record import VIOLATED

BY_NAME = {c.name: c for c in CORE}
HAT = BY_NAME["mexican-hat"]
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})


@st.composite
def launches(draw_):
    """A regime, a case, a rule, a precision and integer units: nothing is filtered."""
    case = draw_(st.sampled_from(CORE))
    rule = RULES[draw_(st.sampled_from(rules_of(case)))]
    regime = draw_(st.sampled_from([r for r in REGIMES.values() if r.fits(rule)]))
    precision = parse(draw_(st.sampled_from(PRECISIONS)))
    column = draw_(st.lists(st.integers(0, 2**20 - 1), min_size=units(case), max_size=units(case)))
    return regime, case, rule, precision, np.array(column)[:, None] / 2**20


@given(launches())
@settings(max_examples=150)
def test_whatever_the_units_the_launch_is_valid(drawn):
    regime, case, rule, precision, u = drawn
    job = draw(regime, case, rule, precision, u, 3)
    for values, kind in (
        (job.q0, precision.q_store),
        (job.v0, precision.v_store),
        (job.params, precision.arith),
    ):
        assert np.isfinite(values).all() and np.array_equal(representable(values, kind), values)
    eta, beta, k, eps, *more = job.params[:, 0]
    assert len(more) == rule.on_metric + len(rule.extra) and all(x >= 0 for x in more)
    assert eta > 0 and 0 <= beta < 1 and k >= 0 and eps >= 0
    assert rule.momentum or not job.v0.any()


def uniform(case, lanes=400, seed=0):
    return np.random.default_rng(seed).random((units(case), lanes))


def drawn(name, case=HAT, rule="heavy-ball", precision="float32"):
    return draw(REGIMES[name], case, RULES[rule], parse(precision), uniform(case), 2)


def test_where_every_random_unit_is_zero_the_simplest_lane_is_drawn():
    job = draw(
        REGIMES["ordinary"], HAT, RULES["heavy-ball"], Precision("float64"), np.zeros((units(HAT), 1)), 1
    )
    assert np.frexp(job.params[0, 0])[0] == 0.5 and not job.params[1:].any() and not job.v0.any()


@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
@pytest.mark.parametrize("precision", ["float64", "float32", "float16/eager"])
def test_the_reach_ends_where_operations_or_stores_leave_the_normal_and_the_finite_numbers(case, precision):
    p = parse(precision)
    abyss, floor, ceiling = reach(case, p)
    assert abyss <= floor <= 0 <= ceiling

    def ranges(s):
        q = lanes.sample(case) * 2.0**s
        with np.errstate(all="ignore"):
            least, most = bounds.value_range(launch_program(case), q, np.zeros(q.shape[1]))
            low = least.min() / NORMAL[p.rounded], np.abs(q).min() / NORMAL[p.q_store]
            return *low, most.max() / OVERFLOW[p.rounded], np.abs(q).max() / OVERFLOW[p.q_store]

    def normal(s):
        return min(ranges(s)[:2]) >= MARGIN

    def finite(s):
        return max(ranges(s)[2:]) < MARGIN**-2

    assert floor == 0 or normal(floor) and finite(floor) and not (normal(floor - 1) and finite(floor - 1))
    assert ceiling == 0 or finite(ceiling) and not finite(ceiling + 1)
    assert finite(abyss) or abyss == floor


def launch_program(case):
    return draw(
        REGIMES["ordinary"], case, RULES[rules_of(case)[0]], Precision("float64"), uniform(case), 1
    ).program


def test_the_stiffness_is_the_curvature_where_it_is_known():
    """Mexican hat: the Hessian at q is 2 q q^T + (|q|^2 - 1), its norm 3 |q|^2 - 1 outside the unit ball."""
    corner = 3 * 0.875**2
    assert 2 < stiffness(HAT) < 3 * corner - 1 + 1e-6


def test_regimes_lie_where_they_say():
    eta, beta, k, eps = drawn("unstable").params
    assert (eta * stiffness(HAT) > 2 * (1 + beta)).all()
    beta = drawn("heavy-memory").params[1]
    assert beta.min() >= 1 - 2.0**-7 and beta.max() > 1 - 2.0**-20 and (beta < 1).all()
    eta, beta, k, eps = drawn("strong-decay").params
    assert (np.abs(eta * k - 2) <= 0.51).all() and (eta * k > 2).any() and (eta * k < 2).any()
    assert drawn("strong-breaking").params[3].max() > 2.0**100
    assert not drawn("plain").params[2:].any() and not drawn("from-rest").v0.any()
    assert np.abs(drawn("tiny-norm").q0).min() < 2.0**-50 and np.abs(drawn("huge-norm").q0).max() > 2.0**30
    deep = np.abs(drawn("denormal").v0[drawn("denormal").v0 != 0])
    assert (deep < 2.0**-120).any()
    near = np.abs(drawn("near-singular").q0)
    assert (near.min(axis=0) < 2.0**-20).any() and (near.max(axis=0) > 0.2).any()


def test_units_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"must be \(14, lanes\)"):
        draw(
            REGIMES["ordinary"], HAT, RULES["heavy-ball"], Precision("float64"), np.zeros((len(NAMED), 1)), 1
        )


def test_every_regime_has_its_own_name_and_says_what():
    assert all(name == r.name and r.what and r.steps[0] >= 1 for name, r in REGIMES.items())
    assert len({r.what for r in REGIMES.values()}) == len(REGIMES)
    assert not REGIMES["heavy-memory"].fits(RULES["gradient-descent"]) and not REGIMES["strong-decay"].fits(
        RULES["mirror-descent"]
    )
    assert regimes.ordinary is REGIMES["ordinary"].change
    described = (Path(__file__).resolve().parent.parent / "docs" / "fuzzing.md").read_text(encoding="utf-8")
    assert [
        name for name in REGIMES if not re.search(rf"^\|[^|]*\b{name}\b[^|]*\|", described, re.MULTILINE)
    ] == []


def test_a_translation_charge_takes_the_whole_rounding_of_v_under_decoupled_decay():
    """Found by drawing past the stability edge: with s = 1 - eta k = 1/7 the bound of D2, s <|xi|, delta>, is
    too small for D3."""
    softmax, rule, precision = BY_NAME["softmax"], RULES["heavy-ball-decoupled"], Precision("bfloat16")
    u = uniform(softmax, 400)
    u[NAMED.index("eps")] = 0
    job = draw(REGIMES["unstable"], softmax, rule, precision, u, 6)
    assert (1 - job.params[0] * job.params[2] < 0.25).sum() > 20
    t = Trajectory(softmax, rule, precision, *launch.run(job, "numpy").wide(), job.params)
    records = judge_all(t, ("D3",), about=ABOUT, outside=leaving(softmax, job))
    assert len(records) == 2 and all(r.verdict != VIOLATED and 0.1 < r.spent for r in records)
