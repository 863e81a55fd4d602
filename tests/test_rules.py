"""The options of heavy ball are PyTorch's, obey their own exact laws, and only those."""

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.cases.rules.heavy_ball_dampened import TAU
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op, Program
from noether.laws.exact import EXACT, shown_faults
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.exact.judge import judge, judge_all, spent_of
from noether.mechanics import sweep
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, VIOLATED

OPTIONS = [RULES[name] for name in ("nesterov", "heavy-ball-dampened", "heavy-ball-maximize")]
each_option = pytest.mark.parametrize("rule", OPTIONS, ids=lambda r: r.name)
CASE = {c.name: c for c in CORE}
ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})
HERE = [b for b in launch.BACKENDS[1:] if not launch.missing(b)]


def drawn(case, rule, precision="float64", lanes=33, seed=3, **overrides):
    p = Precision(*precision.split("/"))
    return sweep.draw(
        case, rule, p, lanes=lanes, steps=sweep.horizon(rule, p), seed=seed, overrides=overrides
    )


def judged(case, job, outcome):
    return Trajectory(case, job.rule, job.precision, *outcome.wide(), job.params)


# ---- they are PyTorch's

# f = 2 x^2 + y^2 - x y + 3 x: with eta = beta = k = 1/2, 1/4 everything is a dyadic number and float64 is
# exact.
number = lambda x: Op("const", value=x)
AT = (Op("input", value=0), Op("input", value=1))
ALONG_X = (number(4.0), Op("mul", (2, 0)), Op("sub", (3, 1)), number(3.0), Op("add", (4, 5)))  # 4 x - y + 3
ALONG_Y = (number(2.0), Op("mul", (7, 1)), Op("sub", (8, 0)))  # 2 y - x
QUADRATIC = Program(2, (*AT, *ALONG_X, *ALONG_Y), (6, 9))


@pytest.mark.parametrize("name", [r.name for r in OPTIONS] + ["heavy-ball", "heavy-ball-decoupled"])
def test_each_rule_is_pytorchs_sgd_to_the_bit_where_arithmetic_is_exact(name):
    torch = pytest.importorskip("torch")
    rule, eta, beta, k, steps = RULES[name], 0.25, 0.5, 0.25, 8
    q = torch.tensor([3.0, -2.0], dtype=torch.float64, requires_grad=True)
    decay = 0.0 if rule.decoupled else k
    p = SimpleNamespace(eta=eta, beta=beta, k=k)
    options = rule.torch(p)[1] if rule.torch else dict(lr=eta, momentum=beta, weight_decay=decay)
    sgd = torch.optim.SGD([q], **options)
    path = [q.detach().clone().numpy()]
    for _ in range(steps):
        sgd.zero_grad()
        (2 * q[0] ** 2 + q[1] ** 2 - q[0] * q[1] + 3 * q[0]).backward()
        if rule.decoupled:
            with torch.no_grad():
                q *= 1 - eta * k
        sgd.step()
        path.append(q.detach().clone().numpy())
    params = np.array([[eta], [beta], [k], [0.0]])
    job = launch.Job(
        QUADRATIC, rule, Precision("float64"), np.array([[3.0], [-2.0]]), np.zeros((2, 1)), params, steps
    )
    got = launch.run(job, "numpy").q[:, :, 0]
    assert all(Fraction(float(x)).denominator <= 2**52 for x in np.ravel(path)), (
        "rounded: nothing exact was compared"
    )
    assert np.array_equal(got, np.array(path)) and len(np.unique(got)) > 2 * steps


@each_option
def test_an_option_changes_every_step_that_it_should(rule):
    plain = launch.run(drawn(CASE["mexican-hat"], RULES["heavy-ball"]), "numpy")
    other = launch.run(replace(drawn(CASE["mexican-hat"], RULES["heavy-ball"]), rule=rule), "numpy")
    differs = (plain.q != other.q).any(axis=(1, 2))
    first = 2 if rule.timed else 1  # the first buffer is undamped
    assert not differs[:first].any() and differs[first:].all()


# ---- twins


PRECISIONS = ("float64", "bfloat16/eager", "float32", "float16", "bfloat16", "float16/mixed")
WHERE = [
    (b, p) for b in HERE for p in (PRECISIONS if b == "triton-ptx" else PRECISIONS[:2])
]  # the evaluator compiles no C and is quick


@each_option
@pytest.mark.parametrize(("backend", "precision"), WHERE)
def test_the_kernel_is_the_plain_step_bit_for_bit(rule, backend, precision):
    case = CORE[
        1 + (len(rule.name) + len(precision)) % 3
    ]  # not softmax: Triton takes 10 s for it where every operation is rounded
    job = drawn(case, rule, precision, lanes=131)
    job = replace(job, steps=4)
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    assert (
        launch.differing_bits(mine, plain) == 0
        and not mine.unwritten.any()
        and (mine.q[-1] != mine.q[0]).any()
    )


# ---- their laws


@each_option
@pytest.mark.parametrize("case", [c for c in CORE if "nesterov" in rules_of(c)], ids=lambda c: c.name)
def test_every_law_that_speaks_of_a_rule_holds_and_its_bound_is_not_idle(rule, case):
    worst = {}
    for precision in ("float64", "bfloat16"):
        job = drawn(case, rule, precision, lanes=61)
        for record in judge_all(
            judged(case, job, launch.run(job, "numpy")), EXACT, about=ABOUT, outside=leaving(case, job)
        ):
            assert record.verdict == HOLDS, f"{record.law} {record.symmetry} {precision}: {record.reason}"
            worst[record.law] = max(worst.get(record.law, 0), record.spent)
    assert (
        set(worst) == {key for key, law in EXACT.items() if law.concerns(case, rule)}
        and min(worst.values()) > 0.05
    )


@given(
    st.sampled_from(OPTIONS),
    st.integers(0, 2**32),
    st.integers(0, 127),
    st.integers(0, 64),
    st.integers(2, 12),
)
def test_d2_is_an_identity_in_exact_arithmetic(rule, seed, beta, k, j):
    """J' - predicted = 0 in rationals, for any matrix, shift, state and gradient: no bound hides a wrong
    term."""
    rng = np.random.default_rng(seed)

    def whole(*shape):
        return np.array(
            [Fraction(int(x)) for x in rng.integers(-9, 10, int(np.prod(shape)))], object
        ).reshape(shape)

    A, a, q, v, g = whole(3, 3), whole(3), whole(3), whole(3), whole(3)
    beta, k, eta = Fraction(beta, 128), Fraction(k, 128), Fraction(1, 2**j)
    share = 1 - Fraction(TAU if rule.timed else 0)
    f = share * ((-g if rule.maximize else g) + k * q)
    w = beta * v - eta * f
    y = beta * w - eta * f if rule.looks_ahead else w
    p = q + y
    after, before = w @ (A @ p + a), v @ (A @ q + a)
    assert after == beta * before - eta * (f @ (A @ q + a)) + (A @ y) @ w
    if rule.looks_ahead:  # theory.md#D2: what it adds to heavy ball's source
        buffer, next_buffer = v / eta, w / eta
        assert (A @ y) @ w - (A @ w) @ w == eta**2 * beta * ((A @ (next_buffer - buffer)) @ next_buffer)


@each_option
def test_the_law_of_a_symmetric_generator_is_true_where_it_says_so(rule):
    """D4 holds for dampening and maximize and is false for Nesterov, and its `suits` knows."""
    case = CASE["rayleigh"]
    job = drawn(case, rule)
    residual = spent_of(EXACT["D4"].residual(judged(case, job, launch.run(job, "numpy")), case.symmetries[0]))
    assert EXACT["D4"].suits(rule, case.symmetries[0]) == (not rule.looks_ahead)
    assert residual.max() > 1e6 if rule.looks_ahead else residual.max() <= 1


def test_a_rotation_charge_does_not_decay_under_nesterov():
    """D3 is false there, by far more than rounding, and under each other option it is true."""
    case = CASE["mexican-hat"]
    for rule in OPTIONS:
        job = drawn(case, rule, eps=0.0)
        t = judged(case, job, launch.run(job, "numpy"))
        for symmetry in case.symmetries:
            spent = spent_of(EXACT["D3"].residual(t, symmetry))
            assert EXACT["D3"].suits(rule, symmetry) == (not rule.looks_ahead)
            assert (spent.max(axis=0) > 1e6).all() if rule.looks_ahead else spent.max() <= 1


def test_a_translation_charge_decays_under_nesterov_too():
    case = CASE["softmax"]
    job = drawn(case, RULES["nesterov"], eps=0.0, k=0.0)
    t = judged(case, job, launch.run(job, "numpy"))
    for symmetry in case.symmetries:
        assert judge(t, EXACT["D3"], symmetry, about=ABOUT).verdict == HOLDS


def test_heavy_balls_translation_recurrence_is_false_for_nesterov_with_decay():
    """D6's own coefficients are needed: read as heavy ball's, the same trajectory violates it, and only with
    decay or breaking."""
    case = CASE["softmax"]
    for k, wrong in ((0.125, True), (0.0, False)):
        job = drawn(case, RULES["nesterov"], eps=0.0, k=k)
        z, v = launch.run(job, "numpy").wide()
        as_plain = Trajectory(case, RULES["heavy-ball"], job.precision, z, v, job.params)
        right = Trajectory(case, job.rule, job.precision, z, v, job.params)
        assert spent_of(EXACT["D6"].residual(right, case.symmetries[0])).max() <= 1
        assert (spent_of(EXACT["D6"].residual(as_plain, case.symmetries[0])).max() > 1e6) == wrong


def test_a_maximiser_is_invisible_to_the_charge_of_a_symmetric_loss_and_seen_by_the_breaking_term():
    case, rule = CASE["mexican-hat"], RULES["heavy-ball-maximize"]
    ignored = next(c for c in shown_faults.KERNEL_FAULTS if c.name == "maximize ignored")
    for eps, want in ((0.0, HOLDS), (0.25, VIOLATED)):
        job = drawn(case, rule, eps=eps, k=0.0)
        records = {
            r.law: r.verdict
            for r in judge_all(shown_faults.wrong_trajectory(case, job, ignored), ("D0", "D2"), about=ABOUT)
        }
        assert records == {"D0": VIOLATED, "D2": want}


# ---- and planted faults of them fail


KINETIC = "kinetic term of heavy ball for Nesterov's"
OPTION_FAULTS = {
    "nesterov": {"Nesterov ignored", KINETIC, "dropped kinetic term"},
    "heavy-ball-dampened": {"dampening ignored", "first step dampened too"},
    "heavy-ball-maximize": {"maximize ignored"},
}


@each_option
def test_every_fault_of_an_option_is_killed(rule):
    cell = LaunchCell(
        CASE["mexican-hat"], rule.name, "float64", "numpy", "faults", ("D0", "D2", "D3", "D4"), 33, 5, 12
    )
    seen, killed = set(), {}
    for record in cell.run():
        seen.add(record.fault)
        if record.verdict == VIOLATED:
            killed.setdefault(record.fault, set()).add(record.law)
    mine = OPTION_FAULTS[rule.name]
    assert mine <= seen and seen == set(killed), f"survived: {sorted(seen - set(killed))}"
    assert all(killed[name] - {"D0"} for name in mine), "only D0 sees it"


def test_a_lane_of_a_maximiser_that_overflows_is_outside_by_its_reference_alone():
    case, rule = CASE["mexican-hat"], RULES["heavy-ball-maximize"]
    job = replace(drawn(case, rule, "float16", eta=0.25), steps=12)
    gone = leaving(case, job)
    t = judged(case, job, launch.run(job, "numpy"))
    assert gone.any() and gone[~t.finite.all(axis=0)].all()
