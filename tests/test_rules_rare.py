"""A schedule, sign descent and exponentiated gradient: their own exact laws, and only those."""

from dataclasses import replace

import numpy as np
import pytest

from noether.campaigns.fuzz.next_batch import grid, unscreened
from noether.cases import CATALOG
from noether.cases.case import scale
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision, parse
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.exact.judge import judge, judge_all, spent_of
from noether.laws.exact.screen import screen
from noether.laws.exact.signs import keeping, paired
from noether.mechanics import sweep
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, VIOLATED

CASE = {c.name: c for c in CATALOG}
SCHEDULED, SIGN, SIMPLEX = (
    RULES[n] for n in ("heavy-ball-scheduled", "sign-descent", "exponentiated-gradient")
)
POINTS = [("gaussian-fisher", SCHEDULED), ("product", SIGN), ("entropy-simplex", SIMPLEX)]
each_point = pytest.mark.parametrize(("name", "rule"), POINTS, ids=lambda x: getattr(x, "name", x))
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})
WHERE = [
    ("triton-ptx", "float64", 3),
    ("triton-ptx", "float16/eager", 4),
    ("triton-interpreted", "bfloat16", 2),
    ("triton-cpu", "float32", 70),
]
HERE = [w for w in WHERE if not launch.missing(w[0])]


def drawn(name, rule, precision="float64", lanes=33, seed=3, **overrides):
    p = parse(precision)
    return sweep.draw(
        CASE[name], rule, p, lanes=lanes, steps=sweep.horizon(rule, p), seed=seed, overrides=overrides
    )


def judged(name, job):
    return Trajectory.launched(CASE[name], job, *launch.run(job, "numpy").wide())


@each_point
@pytest.mark.parametrize(("backend", "precision", "steps"), HERE)
def test_the_kernel_is_the_plain_step_bit_for_bit(name, rule, backend, precision, steps):
    job = replace(drawn(name, rule, precision, lanes=131), steps=steps)
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    assert (
        launch.differing_bits(mine, plain) == 0
        and not mine.unwritten.any()
        and (mine.q[-1] != mine.q[0]).any()
    )


@each_point
@pytest.mark.parametrize("precision", ["float64", "float16", "bfloat16"])
def test_every_law_that_speaks_of_it_holds_and_its_bound_is_not_idle(name, rule, precision):
    job = drawn(name, rule, precision, lanes=61)
    worst = {}
    for record in judge_all(judged(name, job), EXACT, about=ABOUT, outside=leaving(CASE[name], job)):
        assert record.verdict == HOLDS, f"{record.law} {record.symmetry} {precision}: {record.reason}"
        worst[record.law] = max(worst.get(record.law, 0), record.spent)
    assert (
        set(worst) == {key for key, law in EXACT.items() if law.concerns(CASE[name], rule)}
        and min(worst.values()) > 0.05
    )


OWN_FAULTS = {
    SCHEDULED: {
        "schedule ignored": {"D0", "D2", "D6"},
        "schedule one step late": {"D0", "D2", "D6"},
        "schedule inside the buffer": {"D0", "D2", "D6"},
        "translation law at a constant rate": {"D6"},
    },
    SIGN: {"sign ignored": {"D0", "D8"}, "squares for sizes": {"D8"}},
    SIMPLEX: {"normalisation left out": {"D0"}, "charge across the simplex": {"D7"}},
}


@each_point
def test_near_faults_of_a_rare_rule_are_shown_and_killed(name, rule):
    laws = tuple(key for key, law in EXACT.items() if law.concerns(CASE[name], rule))
    killed: dict = {}
    for record in LaunchCell(CASE[name], rule.name, "float64", "numpy", "faults", laws, 33, 5, 12).run():
        killed.setdefault(record.fault, set()).update({record.law} if record.verdict == VIOLATED else ())
    mine = OWN_FAULTS[rule]
    assert all(killed.values()), f"survived: {[c for c, laws in killed.items() if not laws]}"
    assert {c: killed[c] for c in mine} == mine


def test_rare_rules_are_named_where_they_are_not_fuzzed_and_refused_where_they_cannot_be_screened():
    assert unscreened(CATALOG, tuple(RULES)) == [
        r.name
        for r in RULES.values()
        if r.on_metric
        or r.signed
        or r.paced
        or r.simplex
        or r.extra
        or len(r.buffers) > 1
        or r.name == "signum"  # q moves by the sign of the buffer
    ]
    assert not any(
        not RULES[c.rule].screened
        for c in grid((CASE["product"], CASE["entropy-simplex"]), tuple(RULES), ("float64",))
    )
    with pytest.raises(ValueError, match="cannot be screened"):
        screen(CASE["product"], drawn("product", SIGN, lanes=3), backend="numpy")


# ---- sign descent


def test_sizes_are_conserved_to_rounding_while_squares_drift_at_order_one():
    job = drawn("product", SIGN, eps=0.0)
    t, symmetry = judged("product", job), CASE["product"].symmetries[0]
    inside = keeping(t, symmetry)
    u, v = np.abs(t.q[:, 0]), np.abs(t.q[:, 1])
    last = inside.sum(axis=0)
    assert (last > 8).mean() > 0.5 and not inside.all(), (
        "some lanes must come to a change of sign, most must not at once"
    )
    for lane in np.flatnonzero(last > 8):
        n = last[lane]
        assert abs((u - v)[n, lane] - (u - v)[0, lane]) <= n * 2.0**-50
    drift = max(abs((u**2 - v**2)[last[i], i] - (u**2 - v**2)[0, i]) for i in range(job.lanes))
    assert drift > 0.25, f"u^2 - v^2 drifts by {drift}"


def test_a_step_past_the_change_of_sign_is_outside_and_violates_the_law_if_it_were_not():
    job = drawn("product", SIGN, eps=0.0)
    t = judged("product", job)
    charge = np.abs(t.q[:, 0]) - np.abs(t.q[:, 1])
    outside = ~keeping(t, CASE["product"].symmetries[0])
    assert (np.abs(np.diff(charge, axis=0))[outside] > 2.0**-20).any()
    assert judge(t, EXACT["D8"], CASE["product"].symmetries[0], about=ABOUT).verdict == HOLDS


def test_sizes_are_not_conserved_where_a_matrix_of_rank_one_is_learned():
    """u v^T with two entries each: the sums of sizes move apart by whole steps, and the rule is not offered
    there."""
    case = CASE["linear-network-1"]
    assert not any(paired(s) for s in case.symmetries) and SIGN.name not in rules_of(case)
    job = sweep.draw(case, SIGN, Precision("float64"), lanes=33, steps=24, seed=1, overrides={"eps": 0.0})
    q = np.abs(launch.run(job, "numpy").wide()[0])
    (symmetry,) = [s for s in case.symmetries if s.is_symmetric][:1]
    charge = np.einsum("i,nil->nl", symmetry.matrix.diagonal(), q)
    assert (np.abs(charge - charge[0]).max(axis=0) > 2.0**-10).any()


def test_where_a_gradient_is_within_its_own_error_its_sign_is_not_held_against_the_kernel():
    job = drawn("product", SIGN, lanes=1, eps=0.0)
    job = replace(job, q0=np.array([[1.0], [1.0]]), steps=1)  # u v = 1: the gradient is zero
    t = judged("product", job)
    assert (np.abs(t.g) <= t.g_error).all()

    def claimed(moved, w):
        v = np.stack([job.v0, w * job.params[0] * np.ones((2, 1))])
        return Trajectory(CASE["product"], SIGN, job.precision, moved, v, job.params)

    for w in (1.0, 0.0, -1.0):
        moved = np.stack([job.q0, job.q0 + w * job.params[0]])
        assert spent_of(EXACT["D0"].residual(claimed(moved, w))).max() <= 1
    wrong = claimed(moved, -3)
    assert spent_of(EXACT["D0"].residual(wrong)).max() > 1


# ---- the simplex


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_weights_sum_to_one_after_every_step(precision):
    """Of d + 20 roundings of numbers of size 1 and below, and of |z| in each exponent."""
    job = drawn("entropy-simplex", SIMPLEX, precision)
    t = judged("entropy-simplex", job)
    total = t.q[1:].sum(axis=1)
    room = (np.exp(t.z[1:]) * (t.sigma * 1.01)).sum(axis=1)
    assert (np.abs(total - 1) <= room).all() and room.max() < 64 * job.precision.u_q * (1 + np.abs(t.z).max())
    plain = launch.run(replace(job, rule=RULES["mirror-descent"]), "numpy").wide()[0]
    assert np.abs(np.exp(plain[-1]).sum(axis=0) - 1).max() > 2.0**-8


def test_only_a_generator_along_the_simplex_is_covered_and_one_across_it_fails():
    t = judged("entropy-simplex", drawn("entropy-simplex", SIMPLEX, eps=0.0))
    across = scale(5)  # a symmetry of the loss, with <1, xi> = 1
    assert not EXACT["D7"].suits(SIMPLEX, across) and EXACT["D7"].suits(RULES["mirror-descent"], across)
    assert spent_of(EXACT["D7"].residual(t, across)).min(axis=0).max() > 1e6
    for symmetry in CASE["entropy-simplex"].symmetries:
        assert judge(t, EXACT["D7"], symmetry, about=ABOUT).verdict == HOLDS


def test_a_far_start_neither_overflows_nor_loses_its_sum():
    """log q far below the others, and steps of hundreds: the largest is subtracted first."""
    job = drawn("entropy-simplex", SIMPLEX, lanes=2)
    z = np.array([[-700.0, -1e-300], [0.0, -900.0], [-40.0, -900.0], [-0.5, -900.0], [-300.0, -900.0]])
    job = replace(job, q0=z, params=np.array([[512.0, 512.0], [0, 0], [0, 0], [0.25, 0.25]]), steps=3)
    t = judged("entropy-simplex", job)
    assert t.finite.all() and np.abs(t.q[1:].sum(axis=1) - 1).max() < 2.0**-40
    assert spent_of(EXACT["D0"].residual(t)).max() <= 1
