"""Each rule against its own line of cases/rules, read by a parser, and against optimisers of others.

The constants of a rule (its dampening, the rates of a schedule) are shared by kernel and law. What pins them
here is the slope of a loss: with g = 1, eta = 1 and beta = 0 a step moves by -c, so that every backend shows
its c.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
import sympy
from sympy.parsing.sympy_parser import implicit_multiplication, parse_expr, standard_transformations

from noether.cases.rules import RULES, heavy_ball_dampened
from noether.cases.rules import heavy_ball_scheduled as scheduled
from noether.kernels.loops import launch
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Op, Program
from noether.runs import known_answers, known_numbers

torch = pytest.importorskip("torch")
HERE = [b for b in launch.BACKENDS if not launch.missing(b)]
SLOPE = Program(1, (Op("const", value=1.0),), (0,))
STEPS = 97


def lines() -> dict[str, tuple[str, str]]:
    """rule -> the right sides of v' and of what is stored, as printed; of the rules with one buffer v."""
    found = {}
    for rule in RULES.values():
        if rule.name in known_numbers.AFTER_TWO:
            v, q = (re.match(r"[vqz]' = (.+?)(?:,  .*)?$", line) for line in rule.step)
            found[rule.name] = (v[1], q[1])
    return found


NAMES = "beta eta k tau c g q v w z G y L"
SYMBOLS = {n: sympy.Symbol(n) for n in NAMES.split()} | {"sign": sympy.sign}


def formula(text: str):
    """A right side as sympy: v' is w, g(exp z) is g at the parameters, G(q) the metric there, log sum exp y
    is L."""
    plain = (
        text.replace("g(exp z)", "g")
        .replace("G(q)", "G")
        .replace("v'", "w")
        .replace("log sum exp y", "L")
        .strip(" ,")
    )
    return parse_expr(
        plain, local_dict=SYMBOLS, transformations=(*standard_transformations, implicit_multiplication)
    )


def test_every_rule_has_a_line_that_can_be_read():
    assert set(lines()) == set(known_numbers.AFTER_TWO) and len(lines()) >= 12


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 32, 33, 64, 65])
@pytest.mark.parametrize("name", known_numbers.AFTER_TWO)
def test_the_step_is_the_line_of_its_rule(name, n):
    rule, rng = RULES[name], np.random.default_rng(n)
    stated_v, stated_q = (formula(text) for text in lines()[name])
    draw = lambda: rng.uniform(0.3, 0.9, 3) * np.array([1, -1, 1])
    at = {"q": draw(), "v": draw(), "g": draw(), "G": np.abs(draw()) + 0.2}
    eta, beta, k = 0.37, 0.83, 0.29
    c = {"heavy-ball-dampened": 1.0 if n == 1 else 0.75, "heavy-ball-scheduled": C[n - 1]}.get(name, 1.0)
    at |= {"z": at["q"], "eta": eta, "beta": beta, "k": k, "c": c}

    def evaluate(expression):
        names = sorted(map(str, expression.free_symbols))
        return sympy.lambdify(names, expression)(*(at[x] for x in names))

    at["w"] = evaluate(stated_v)
    at["y"] = at["z"] + at["w"]
    at["L"] = np.log(np.exp(at["y"]).sum())
    want = evaluate(stated_q)
    params = [np.float64(x) for x in (eta, beta, k, 0.0)] + ([np.float64(1.0)] if rule.on_metric else [])
    params += [np.float64(c)] if rule.known else []
    params += [*at["G"]] if rule.on_metric else []
    one = lambda x: [np.array([value]) for value in x]
    q, v = step(one(at["q"]), one(at["v"]), params, lambda q, eps: one(at["g"]), rule, Precision("float64"))
    # A dozen roundings of numbers below 3.
    assert np.abs(np.ravel(v) - at["w"]).max() < 2.0**-49 and np.abs(np.ravel(q) - want).max() < 2.0**-49


# ---- the constants, from outside


def by_torch(steps: int) -> np.ndarray:
    """The rates of a linear warm-up over 8 steps, halved after 32 and after 64, by torch's own schedulers."""
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    warm = torch.optim.lr_scheduler.LinearLR(sgd, start_factor=1 / 8, total_iters=7)
    drop = torch.optim.lr_scheduler.MultiStepLR(sgd, milestones=[32, 64], gamma=0.5)
    rates = []
    for _ in range(steps):
        rates.append(sgd.param_groups[0]["lr"])
        sgd.step()
        warm.step()
        drop.step()
    return np.array(rates)


C = np.array([0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, *[1.0] * 25, *[0.5] * 32, *[0.25] * 33])
"""The schedule as a list: nothing of it is computed."""


def test_the_schedule_is_the_product_of_torchs_warm_up_and_milestones():
    assert (
        len(C) == STEPS and np.abs(by_torch(STEPS) - C).max() < 2.0**-48
    )  # LinearLR multiplies its rates up: 16 roundings
    assert [scheduled.rate(n) for n in range(1, STEPS + 1)] == list(C)
    known = RULES["heavy-ball-scheduled"].known_numbers(np.ones((4, 1)), STEPS)
    assert known.shape == (STEPS, 1, 1) and list(known[:, 0, 0]) == list(C)
    assert (scheduled.WARMUP, scheduled.MILESTONES) == (8, (32, 64))
    assert "warm-up over 8 steps, halved after 32 and after 64" in " ".join(scheduled.__doc__.split())


def shares(name: str, backend: str, precision: str = "float64") -> np.ndarray:
    """c of every step: of the force under dampening, of the buffer under a schedule. All sums are exact."""
    params = np.array([[1.0], [0.0], [0.0], [0.0]])
    job = launch.Job(
        SLOPE, RULES[name], Precision(precision), np.zeros((1, 1)), np.zeros((1, 1)), params, STEPS
    )
    q, v = launch.run(job, backend).wide()
    moved = -np.diff(q[:, 0, 0])
    assert np.array_equal(-v[1:, 0, 0], moved if name.endswith("dampened") else np.ones(STEPS))
    return moved


@pytest.mark.parametrize("backend", HERE)
def test_every_backend_takes_the_stated_share_of_every_step(backend):
    assert np.array_equal(shares("heavy-ball-scheduled", backend), C)
    assert np.array_equal(shares("heavy-ball-dampened", backend), [1.0] + [0.75] * (STEPS - 1))
    assert np.array_equal(shares("heavy-ball", backend), np.ones(STEPS))


def test_dampening_is_torchs_with_a_quarter():
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    sgd = torch.optim.SGD([x], lr=1.0, momentum=0.5, dampening=0.25)
    path = []
    for _ in range(12):
        sgd.zero_grad()
        x.sum().backward()
        sgd.step()
        path.append(x.item())
    params, zero = np.array([[1.0], [0.5], [0.0], [0.0]]), np.zeros((1, 1))
    rule, float64 = RULES["heavy-ball-dampened"], Precision("float64")
    job = launch.Job(SLOPE, rule, float64, zero, zero, params, 12)
    assert launch.run(job, "numpy").q[1:, 0, 0].tolist() == path and path[:2] == [-1.0, -2.25]


def test_nesterov_looks_ahead_by_beta():
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    sgd = torch.optim.SGD([x], lr=1.0, momentum=0.25, nesterov=True)
    x.sum().backward()
    sgd.step()
    assert x.item() == -1.25
    rule, pull, zero = RULES["nesterov"], lambda q, eps: [np.ones(1)], [np.zeros(1)]
    q, v = step(zero, zero, [1.0, 0.25, 0.0, 0.0], pull, rule, Precision("float64"))
    assert q[0][0] == -1.25 and v[0][0] == -1.0


def test_sign_descent_is_adam_without_memory():
    """betas 0 and eps 0: the step is lr g / sqrt(g^2), and sqrt(fl(g^2)) = |g| in binary."""
    g = np.array([0.3, -2.5, 1e-3, -7e4])
    x = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([x], lr=0.25, betas=(0.0, 0.0), eps=0.0)
    (x * torch.from_numpy(g)).sum().backward()
    adam.step()
    zero, pull = [np.zeros(1) for _ in g], lambda q, eps: [np.array([a]) for a in g]
    params, rule = [np.full(1, 0.25), 0.0, 0.0, 0.0], RULES["sign-descent"]
    q, v = step(zero, zero, params, pull, rule, Precision("float64"))
    assert np.array_equal(np.ravel(q), x.detach().numpy()) and np.array_equal(np.ravel(q), np.ravel(v))


def test_exponentiated_gradient_is_torchs_softmax_of_moved_logits():
    rng = np.random.default_rng(3)
    z, g, eta = np.log(rng.dirichlet(np.ones(5))), rng.normal(size=5), 0.7
    want = torch.log_softmax(torch.from_numpy(z - eta * g), 0).numpy()
    one, pull = [np.array([a]) for a in z], lambda q, eps: [np.array([a]) for a in g]
    rule = RULES["exponentiated-gradient"]
    q, _ = step(one, one, [eta, 0.0, 0.0, 0.0], pull, rule, Precision("float64"))
    assert (
        np.abs(np.ravel(q) - want).max() < 2.0**-48
    )  # exp and log of 3 units each, five sums, numbers below 8


@pytest.mark.parametrize(
    ("where", "wrong"), [("WARMUP", 4), ("MILESTONES", (32, 63)), ("MILESTONES", (31, 64))]
)
def test_a_moved_constant_of_the_schedule_is_seen_by_every_run(where, wrong, monkeypatch):
    assert not known_numbers.shares() and known_numbers.shares in known_answers.INSTRUMENTS
    monkeypatch.setattr(scheduled, where, wrong)
    assert known_numbers.shares()


def test_a_moved_dampening_is_seen_by_every_run(monkeypatch):
    monkeypatch.setitem(RULES, "heavy-ball-dampened", heavy_ball_dampened.from_the_second(0.5))
    assert known_numbers.shares()


@pytest.mark.parametrize("name", known_numbers.AFTER_TWO)
def test_the_known_steps_of_every_run_are_the_lines_of_the_rules_in_rational_arithmetic(name):
    stated = [formula(text) for text in lines()[name]]
    eta, beta, k, metric = (
        sympy.Rational(1, 8),
        sympy.Rational(5, 8),
        sympy.Rational(3, 16),
        (2, sympy.Rational(1, 2)),
    )
    q, v = [sympy.Rational(3, 4), sympy.Rational(-5, 2)], [sympy.Rational(1, 2), sympy.Rational(-1, 4)]
    for n in (1, 2):
        c = {
            "heavy-ball-dampened": (1, sympy.Rational(3, 4))[n - 1],
            "heavy-ball-scheduled": sympy.Rational(n, 8),
        }.get(name, 1)
        at = [sympy.exp(x) for x in q] if RULES[name].log_state else q
        g = [4 * at[0] - at[1] + 3, 2 * at[1] - at[0]]
        point = [
            dict(eta=eta, beta=beta, k=k, c=c, q=q[i], z=q[i], v=v[i], g=g[i], G=metric[i]) for i in range(2)
        ]
        v = [stated[0].subs({SYMBOLS[s]: x for s, x in here.items()}) for here in point]
        y = [q[i] + v[i] for i in range(2)]
        total = sympy.log(sum(sympy.exp(x) for x in y)) if RULES[name].simplex else 0
        point = [here | dict(w=v[i], y=y[i], L=total) for i, here in enumerate(point)]
        q = [stated[1].subs({SYMBOLS[s]: x for s, x in here.items()}) for here in point]
        q, v = ([sympy.N(x, 50) for x in z] if RULES[name].log_state else z for z in (q, v))
    assert [float(x) for x in (*q, *v)] == list(known_numbers.AFTER_TWO[name])


def test_a_step_that_kernel_and_law_have_wrong_alike_is_seen_by_every_run(monkeypatch):
    """Nesterov without its look-ahead, as a rule that kernel and law both read."""
    assert not known_numbers.steps()
    monkeypatch.setitem(RULES, "nesterov", RULES["heavy-ball"])
    assert any("nesterov" in line for line in known_answers.faulty())


CORRECTED = [name for name in known_numbers.OF_ROOTS if RULES[name].known]


@pytest.mark.parametrize("name", CORRECTED)
def test_a_rule_that_is_wrong_about_the_number_of_its_step_is_seen_by_every_run(name, monkeypatch):
    """Kernel and law are given the same numbers, so no law sees that they are those of the step before, or
    that a correction is left out."""
    assert (
        not known_numbers.steps() and known_numbers.steps in known_answers.INSTRUMENTS and len(CORRECTED) > 6
    )
    right = RULES[name]
    left_out = lambda n, p: {**right.known(n, p), next(iter(right.known_names)): 1.0}
    for wrong in (lambda n, p: right.known(n + 1, p), left_out):
        monkeypatch.setitem(RULES, name, replace(right, known=wrong))
        assert [line for line in known_numbers.steps() if name in line]
