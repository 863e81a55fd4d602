"""Rules with a metric of their own: natural gradient and heavy ball on G(q), their laws, and only those."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.precision import Precision, parse
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.exact.judge import judge, judge_all, spent_of
from noether.mechanics import sweep
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.runs.replay_lane import replay
from noether.verdicts.record import HOLDS, VIOLATED

CASE = {c.name: c for c in CATALOG}
CURVED = CASE["deformed-rayleigh"]
METRIC = [r for r in RULES.values() if r.on_metric]
each_rule = pytest.mark.parametrize("rule", METRIC, ids=lambda r: r.name)
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})
WHERE = [
    ("triton-ptx", "float64"),
    ("triton-ptx", "float16/eager"),
    ("triton-interpreted", "bfloat16"),
    ("triton-cpu", "float32"),
]
HERE = [(b, p) for b, p in WHERE if not launch.missing(b)]


def drawn(rule, precision="float64", lanes=33, seed=3, case=CURVED, **overrides):
    p = parse(precision)
    return sweep.draw(
        case, rule, p, lanes=lanes, steps=sweep.horizon(rule, p), seed=seed, overrides=overrides
    )


def judged(job, case=CURVED):
    return Trajectory.launched(case, job, *launch.run(job, "numpy").wide())


def test_only_cases_with_a_diagonal_metric_take_them():
    assert METRIC and all(
        set(r.name for r in METRIC) <= set(rules_of(c)) for c in CATALOG if c.metric.kind == "diagonal"
    )
    assert not any(
        set(r.name for r in METRIC) & set(rules_of(c)) for c in CATALOG if c.metric.kind != "diagonal"
    )


@each_rule
@pytest.mark.parametrize(("backend", "precision"), HERE)
def test_the_kernel_is_the_plain_step_bit_for_bit(rule, backend, precision):
    job = replace(drawn(rule, precision, lanes=131), steps=4)
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    assert (
        launch.differing_bits(mine, plain) == 0
        and not mine.unwritten.any()
        and (mine.q[-1] != mine.q[0]).any()
    )


@each_rule
@pytest.mark.parametrize("precision", ["float64", "float16", "bfloat16/eager"])
def test_at_kappa_zero_they_are_gradient_descent_and_heavy_ball_bit_for_bit(rule, precision):
    job = drawn(rule, precision, kappa=0.0)
    flat = RULES["heavy-ball" if rule.momentum else "gradient-descent"]
    mine, plain = (
        launch.run(job, "numpy"),
        launch.run(replace(job, rule=flat, metric=None, params=job.params[:4]), "numpy"),
    )
    assert (
        np.array_equal(mine.q, plain.q)
        and np.array_equal(mine.v, plain.v)
        and (mine.q[-1] != mine.q[0]).all()
    )
    assert (launch.run(drawn(rule, precision), "numpy").q[-1] != mine.q[-1]).any()


@each_rule
@pytest.mark.parametrize("precision", ["float64", "bfloat16", "float16/eager"])
def test_every_law_that_speaks_of_it_holds_and_its_bound_is_not_idle(rule, precision):
    job = drawn(rule, precision, lanes=61)
    records = judge_all(judged(job), EXACT, about=ABOUT, outside=leaving(CURVED, job))
    assert {r.law for r in records} == {"D0", "D2"} | (set() if rule.momentum else {"D7"})
    for record in records:
        assert record.verdict == HOLDS and record.spent > 0.05, f"{record.law} {precision}: {record.reason}"


def whole(rng, *shape):
    return np.array([Fraction(int(x)) for x in rng.integers(1, 10, int(np.prod(shape)))], object).reshape(
        shape
    ) * rng.choice([-1, 1], shape)


@given(
    st.sampled_from(METRIC),
    st.integers(0, 2**32),
    st.integers(0, 127),
    st.integers(0, 64),
    st.integers(2, 12),
)
def test_d2_and_d7_are_identities_in_exact_arithmetic(rule, seed, beta, k, j):
    """For any matrix, shift, state, gradient and positive metric: no bound hides a wrong term."""
    rng = np.random.default_rng(seed)
    A, a, q, p, g = (whole(rng, *shape) for shape in ((3, 3), (3,), (3,), (3,), (3,)))
    G = abs(whole(rng, 3)) / 3
    beta, k, eta = Fraction(beta, 128) if rule.momentum else Fraction(0), Fraction(k, 128), Fraction(1, 2**j)
    f = g + k * q
    w = beta * p - eta * f
    y = w / G
    after, before = w @ (A @ (q + y) + a), p @ (A @ q + a)
    assert after == beta * before - eta * (f @ (A @ q + a)) + (A @ y) @ w
    assert (G * y) @ (A @ q + a) == beta * before - eta * (f @ (A @ q + a))  # D7, where beta is 0


def test_the_metric_of_the_evidence_is_that_of_fifty_digits():
    """wide.metric evaluates a case's own lines; here against mpmath at the kernel's states."""
    job = drawn(RULES["natural-gradient"], lanes=5)
    t = judged(job)
    for n, lane in ((0, 0), (7, 3), (95, 4)):
        with mpmath.workdps(50):
            q = [mpmath.mpf(float(x)) for x in t.q[n, :, lane]]
            exact = CURVED.metric.entries(q, mpmath.mpf(float(job.params[4, lane])), mpmath)
            assert all(
                abs(mpmath.mpf(float(x)) - y) <= 2.0**-52 * y
                for x, y in zip(t.G[n, :, lane], exact, strict=True)
            )
    program = trace.metric(CURVED, job.rule).run(list(job.q0), job.params[4], Precision("float64"))
    assert (np.abs(np.stack(program) - t.G[0]) <= t.G_error[0]).all() and (t.G_error[0] < 2.0**-49).all()


def test_the_laws_of_a_euclidean_buffer_are_false_on_a_metric():
    """D4 as heavy ball has it, and D3 of a rotation, are violated by far: their `suits` leaves these rules
    out."""
    job = drawn(RULES["heavy-ball-metric"])
    z, v = launch.run(job, "numpy").wide()
    as_flat = Trajectory(CURVED, RULES["heavy-ball"], job.precision, z, v, job.params[:4])
    for law in ("D0", "D2", "D4"):
        assert spent_of(EXACT[law].residual(as_flat, CURVED.symmetries[0])).max() > 1e6
    assert not EXACT["D4"].suits(job.rule, CURVED.symmetries[0]) and EXACT["D2"].suits(
        job.rule, CURVED.symmetries[0]
    )


def test_D7_needs_the_metric_and_D2_cannot_do_without_it_either():
    job = drawn(RULES["natural-gradient"])
    t = judged(job)
    for law, flaw in (("D7", {"flat": True}), ("D2", {"plain": True})):
        assert judge(t, EXACT[law], CURVED.symmetries[0], about=ABOUT).verdict == HOLDS
        assert judge(t, EXACT[law], CURVED.symmetries[0], about=ABOUT, **flaw).verdict == VIOLATED


@each_rule
def test_every_fault_is_shown_and_killed(rule):
    laws = ("D0", "D2", "D7")
    cell = LaunchCell(
        CURVED, rule.name, "float64", "numpy", "faults", laws[: 2 if rule.momentum else 3], 33, 5, 12
    )
    killed: dict = {}
    for record in cell.run():
        killed.setdefault(record.fault, set()).update({record.law} if record.verdict == VIOLATED else ())
    mine = {"metric ignored", "kappa x (1 + 2^-10)", "metric of the last position"} | (
        {"velocity kept for momentum"} if rule.momentum else set()
    )
    assert mine <= set(killed) and all(killed.values()), (
        f"survived: {[c for c, laws in killed.items() if not laws]}"
    )
    for name in mine:
        assert killed[name] >= ({"D0", "D2"} if rule.momentum else {"D0", "D2", "D7"})


def test_a_record_carries_kappa_and_can_be_replayed():
    cell = LaunchCell(CURVED, "natural-gradient", "bfloat16", "numpy", "exact", ("D7",), 9, 1, 8)
    (record,) = cell.run()
    assert set(record.parameters) == {"eta", "beta", "k", "eps", "kappa"} and "kappa" in record.worst
    assert replay(vars(record)).equal


def test_a_launch_that_lacks_the_metric_or_kappa_is_refused():
    job = drawn(RULES["natural-gradient"], lanes=3)
    with pytest.raises(ValueError, match="needs a metric"):
        replace(job, metric=None)
    with pytest.raises(ValueError, match="has no metric"):
        replace(job, rule=RULES["gradient-descent"], params=job.params[:4])
    with pytest.raises(ValueError, match=r"\(5, lanes\)"):
        replace(job, params=job.params[:4])
