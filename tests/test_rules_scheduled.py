"""Heavy ball under a schedule: PyTorch's rates to the bit, and the laws that know of them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rules import QUADRATIC
from test_rules_rare import drawn, judged

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.cases.rules.heavy_ball_scheduled import rate
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision
from noether.laws.exact import EXACT
from noether.laws.exact.judge import judge, spent_of
from noether.laws.exact.law_faults import FAULTS
from noether.verdicts.record import HOLDS

CASE = {c.name: c for c in CATALOG}


SCHEDULED, SIGN, SIMPLEX = (
    RULES[n] for n in ("heavy-ball-scheduled", "sign-descent", "exponentiated-gradient")
)


ABOUT = dict(case="", rule="", backend="numpy", precision="", parameters={})


def test_a_schedule_is_pytorchs_lambda_lr_to_the_bit_where_arithmetic_is_exact():
    torch = pytest.importorskip("torch")
    eta, beta, k, steps = 0.25, 0.5, 0.25, 6
    q = torch.tensor([3.0, -2.0], dtype=torch.float64, requires_grad=True)
    sgd = torch.optim.SGD([q], lr=eta, momentum=beta, weight_decay=k)
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, lambda n: rate(n + 1))
    path = [q.detach().clone().numpy()]
    for _ in range(steps):
        sgd.zero_grad()
        (2 * q[0] ** 2 + q[1] ** 2 - q[0] * q[1] + 3 * q[0]).backward()
        sgd.step()
        schedule.step()
        path.append(q.detach().clone().numpy())
    q0, params = np.array([[3.0], [-2.0]]), np.array([[eta], [beta], [k], [0.0]])
    job = launch.Job(QUADRATIC, SCHEDULED, Precision("float64"), q0, np.zeros((2, 1)), params, steps)
    assert all(Fraction(float(x)).denominator <= 2**52 for x in np.ravel(path)), (
        "rounded: nothing exact was compared"
    )
    assert (
        np.array_equal(launch.run(job, "numpy").q[:, :, 0], np.array(path))
        and len(np.unique(path)) > 2 * steps
    )


def test_the_rates_are_a_warm_up_and_two_halvings_and_exact_in_eight_bits():
    rates = [rate(n) for n in range(1, 97)]
    assert (
        rates[:8] == [n / 8 for n in range(1, 9)]
        and rates[8:32] == [1.0] * 24
        and rates[32:64] == [0.5] * 32
        and rates[64:] == [0.25] * 32
    )
    assert SCHEDULED.known_numbers(np.ones((4, 1)), 65)[[0, 7, 32, 64], 0, 0].tolist() == [
        0.125,
        1.0,
        0.5,
        0.25,
    ]


@given(st.integers(0, 2**32), st.integers(1, 127), st.integers(0, 64), st.integers(2, 12))
def test_the_laws_of_a_schedule_are_identities_in_exact_arithmetic(seed, beta, k, j):
    """D2, D6 and the displacement form with its ratio of rates, in rationals; without the ratio it is another
    path."""
    rng = np.random.default_rng(seed)

    def whole(*shape):
        return np.array(
            [Fraction(int(x)) for x in rng.integers(-9, 10, int(np.prod(shape)))], object
        ).reshape(shape)

    A, a, q, w, g, h = whole(3, 3), whole(3), whole(3), whole(3) + 20, whole(3), whole(3)
    beta, k, eta, c, d = (Fraction(*x) for x in ((beta, 128), (k, 128), (1, 2**j), (3, 8), (1, 2)))
    first = beta * w - eta * (g + k * q)
    p = q + c * first
    second = beta * first - eta * (h + k * p)
    r = p + d * second
    assert (
        first @ (A @ p + a)
        == beta * (w @ (A @ q + a)) - eta * ((g + k * q) @ (A @ q + a)) + c * (A @ first) @ first
    )
    assert r @ a == (1 + beta * d / c) * (p @ a) - beta * d / c * (q @ a) - d * eta * ((h + k * p) @ a)
    v = c * first  # the displacement of the step before
    assert (r == p + beta * d / c * v - d * eta * (h + k * p)).all()
    assert not (r == p + beta * v - d * eta * (h + k * p)).all()


def test_the_mass_law_is_false_under_a_schedule_and_its_kinetic_term_is_c_times_heavy_balls():
    job = drawn("rayleigh", SCHEDULED)
    t, symmetry = judged("rayleigh", job), CASE["rayleigh"].symmetries[0]
    assert (
        not EXACT["D4"].suits(SCHEDULED, symmetry) and spent_of(EXACT["D4"].residual(t, symmetry)).max() > 1e6
    )
    assert judge(t, EXACT["D2"], symmetry, about=ABOUT).verdict == HOLDS
    wrong = next(f for f in FAULTS if f.name == "kinetic term without its schedule")
    assert wrong.applies(SCHEDULED, symmetry) and spent_of(wrong.residual(t, symmetry)).max() > 1e6


def test_a_rotation_charge_decays_under_a_schedule_too():
    t = judged("mexican-hat", drawn("mexican-hat", SCHEDULED, eps=0.0))
    for symmetry in CASE["mexican-hat"].symmetries:
        assert judge(t, EXACT["D3"], symmetry, about=ABOUT).verdict == HOLDS
