"""Every symbol of every statement is seen: parameters in general position, constants derived twice, powers
that are honest."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import plainest
import pytest
from plainest import listed

from noether.cases import CATALOG, CORE
from noether.laws.orders import cells as orders
from noether.laws.orders import constants, curved, massive, momentum, options, schedule, units
from noether.laws.orders.power import norm, powers, smallest
from noether.laws.orders.records import judge
from noether.laws.orders.runs import FINAL, SETTINGS, Cell, updates
from noether.laws.published import cells as published
from noether.laws.registry import LAWS
from noether.mechanics import stiffness
from noether.mechanics.symbolic import gradient, hessian_product
from noether.mechanics.symbolic_metric import curved as metric_of
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

BY_NAME = {c.name: c for c in CATALOG}
HAT = BY_NAME["mexican-hat"]
NOTICED = 0.01


@pytest.mark.parametrize("setting", SETTINGS)
def test_parameters_are_in_general_position(setting):
    """No a^i b^j with |i|, |j| <= 2 of two of them is within 5 % of 1, nor any of them, or its square, of
    1."""
    beta, k, tau = setting
    logs = [abs(np.log(x)) for x in (beta, 1 - beta, 1 + beta, k, tau, 1 - tau)]
    signed = [np.log(x) for x in (beta, 1 - beta, 1 + beta, k, tau, 1 - tau)]
    assert min(logs) > 0.05
    for a, b in combinations(signed, 2):
        assert min(abs(i * a + j * b) for i in (1, 2) for j in (-2, -1, 1, 2)) > 0.05


@pytest.fixture(scope="module")
def found():
    """The records that are no faults of every quick cell of O and P, by (law, rule, part)."""
    cells = [*orders.cells(CORE, "quick", 2), *published.cells(CORE, "quick", 2)]
    run = lambda c: (published if c.law[0] == "P" else orders).run_cell(c)
    return {(c.law, c.rule, getattr(c, "part", "")): run(c) for c in cells}


DECOUPLED = "mass; friction; spring; force; eta beta k; g in qdot(0); k q in qdot(0); buffer; eta"
SYMBOLS = {
    ("O1", "gradient-descent", ""): "g; eta H g/2; eta^2 H^2 g/3; eta^2 f'''(g, g)/12; leading constant",
    ("O2", "gradient-descent", ""): "mass; friction; force; qdot(0); eta; leading constant",
    ("O3", "heavy-ball", ""): "mass; friction; k; force; F in qdot(0); buffer; eta; leading constant",
    ("O3", "heavy-ball", "flow"): "1/mu; eta (1+beta)/(4 mu^3); beta; leading constant",
    ("O4", "heavy-ball", ""): "-ln beta; 2 (1-beta)/(1+beta); 1 - ratio; leading constant",
    ("O5", "heavy-ball", ""): "mass; friction; qdot(0); leading constant",
    ("O5", "gradient-descent", "drift"): "(eta/2) int <g, A g>; leading constant",
    ("O6", "heavy-ball-decoupled", ""): DECOUPLED,
    ("O7", "nesterov", ""): "mass; friction; k; force; eta beta k; eta beta H; F in qdot(0); buffer; eta",
    ("O7", "heavy-ball-dampened", ""): "mass; friction; k; force; F in qdot(0); buffer; eta",
    ("O7", "heavy-ball-scheduled", ""): "mass; mu; c eta sdot/s; sF; qdot(0); leading constant",
    ("O8", "curved", "pairs"): "mass; friction; force; qdot(0); Gdot qdot; dT; leading constant",
    ("O8", "heavy-ball-metric", ""): "mass; friction; force; qdot(0); Gdot qdot; leading constant",
    ("O8", "exponentiated-gradient", ""): "(eta/2) <q, y^2>; y(0); mass; force",
    ("O8", "sign-descent", ""): "eta",
    ("O9", "lagrangian", ""): "friction; force; leading constant",
    ("O10", "adam", ""): "a1; a2; E; start; t",
    ("O10", "adamw", ""): "a1; a2; E; k; start; early; t",
    ("O11", "adam", ""): "b1; b2; E; w; t",
    ("O12", "adagrad", ""): "S0; a; h; e; start; t",
    ("O12", "rmsprop", ""): "S0; a; h; e; start; t",
    ("O13", "nesterov-increasing", ""): "r; h; g; t",
    ("O14", "qhm", ""): "mass; friction; c k; c H; k; force; F in qdot(0); buffer; eta; leading constant",
    ("O15", "adam", ""): "sqrt(s)/E",
    ("P1", "heavy-ball", ""): "1/(1-beta)^2; (1+beta)/(1-beta)^3",
    ("P2", "heavy-ball", ""): "mass; mu; k; cdot(0); eta; leading constant",
    ("P3", "heavy-ball-dampened", ""): "1/(1-tau)^2; gamma",
    ("P4", "gradient-descent", ""): "eta^2 sum |g|^2",
    ("P5", "heavy-ball", ""): "-ln beta",
    ("P6", "natural-gradient", ""): "mass; friction; G^-1 g; qdot(0); Christoffel symbol; leading constant",
}
SYMBOLS = {where: set(listed(names)) for where, names in SYMBOLS.items()}


@pytest.mark.parametrize("key", SYMBOLS, ids=lambda k: "/".join(x for x in k if x))
def test_one_per_cent_of_every_symbol_is_noticed(found, key):
    """By some record that holds, in every setting and for every statement of order 2."""
    held = [r for r in found[key] if not r.fault and r.verdict == HOLDS]
    seen = {name: min(r.powers[name] for r in held if name in r.powers) for r in held for name in r.powers}
    assert SYMBOLS[key] <= set(seen) and all(seen[name] < NOTICED for name in SYMBOLS[key]), seen
    limits = [r for r in held if "goes to 0" in r.parameters.get("statement", "")]
    assert all(x < NOTICED for r in limits for x in r.powers.values())


def test_every_subject_has_its_symbols_named(found):
    assert set(found) - {("O3", "heavy-ball", "layer")} == set(SYMBOLS)


def test_every_term_of_a_model_that_is_off_by_one_per_cent_is_violated(monkeypatch):
    """Not by linear response: the models themselves are changed, one term at a time."""
    cell = Cell("O7", HAT, "nesterov", "quick", 4)
    right = massive.solve_claims
    for name in ("mass", "friction", "k", "force", "eta beta k", "eta beta H", "F in qdot(0)", "buffer"):

        def wrong(g, many, q0, eta, name=name):
            return right(g, [replace(c, model=c.model.changed(name, 1 + NOTICED)) for c in many], q0, eta)

        monkeypatch.setattr(massive, "solve_claims", wrong)
        records = options.accelerated(cell, *SETTINGS[0][:2])
        assert VIOLATED in {r.verdict for r in records if not r.fault}, name


def test_a_power_is_where_the_verdict_turns():
    """Graded perturbations of a known error: (eta^2, x eta/8) is of order 1 for the x that is stated and
    beyond, not far below it."""
    eta = 2.0 ** -np.arange(4.0, 11.0)
    off, D, noise = np.stack([eta**2, 0 * eta]), np.stack([0 * eta, eta / 8]), 0 * eta
    x = powers(off, noise, 2, {"a": D})["a"]
    cell = orders.cells([HAT], "quick", 0)[1]
    verdict = lambda y: judge(cell, off + y * D, 0 * off, 0 * off, 2, "n", eta=eta).verdict
    assert 2.0**-8 < x < 1 and {verdict(s * y * x) for s in (1, -1) for y in (1, 1.01, 1.2, 1.5, 3)} == {
        VIOLATED
    } != {verdict(x / 2)}
    assert smallest(lambda x: x > 0.3) == pytest.approx(0.3, rel=0.1) and smallest(lambda x: False) == np.inf


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_limit_is_within_its_bound_and_one_64th_off_is_not(order):
    eta = 2.0 ** -np.arange(5.0, 11.0)
    rng = np.random.default_rng(order)
    for _ in range(50):
        C, *rest = rng.normal(size=(5, 3, 2))
        off = eta**order * (C[..., None] + sum(r[..., None] * eta**i for i, r in enumerate(rest, start=1)))
        records = constants.judged(
            orders.cells([HAT], "quick", 0)[1], off, 0 * off[0], 0 * off[0], order, (C, C), "n", eta=eta
        )
        assert [r.verdict for r in records] == [HOLDS, VIOLATED]


def test_heavy_ball_leaves_its_model_by_the_constant_of_the_exact_solution():
    """A quadratic loss: the slow roots and amplitudes of both, in closed form, give Z of constants.py."""
    beta, lam, T = 0.53, 0.7, 2.0
    mu, q0 = 1 - beta, 1.0

    def error(eta):
        r = np.roots([1, -(1 + beta) + eta * lam, beta])
        slow, fast = max(r, key=abs), min(r, key=abs)
        q1 = q0 - eta * lam * q0
        a = (q1 - fast * q0) / (slow - fast)
        m = eta * (1 + beta) / 2
        root = np.sqrt(mu**2 - 4 * m * lam)
        s, f = (-mu + root) / (2 * m), (-mu - root) / (2 * m)
        w = -lam * q0 / (1 + beta)
        b = (w - f * q0) / (s - f)
        return a * slow ** (T / eta) - b * np.exp(s * T)

    e = [error(2.0**-j) * 4.0**j for j in (8, 9, 10)]
    R = [2 * e[1] - e[0], 2 * e[2] - e[1]]
    measured = (4 * R[1] - R[0]) / 3
    E = np.exp(-lam * T / mu) * q0
    assert measured == pytest.approx(E * (lam**3 * T / (6 * mu**3) - lam**2 / (4 * mu**2)), rel=1e-5)


def test_the_constants_of_a_curved_metric_are_those_of_a_flat_one_where_it_is_flat():
    case = HAT
    q0 = case.draw(np.random.default_rng(3), 2)
    g = lambda x: gradient(case)(x, units.EPS)
    flat = metric_of(BY_NAME["deformed-hat"])
    w, mu, M = -g(q0), 0.47, 0.765
    one = replace(
        flat, entries=lambda q, kappa: np.ones_like(q), bend=lambda q, w, kappa: 0 * np.concatenate([q, q])
    )
    (Y,) = curved.on_metric(one, g, q0, M, mu, [curved.OnMetric(1.0, 1.0, w)])
    (other,) = constants.first(case, [constants.Parts(mu, 0.0, M, 0.0, 0.0, 1.0, w)], q0, FINAL)
    assert norm((Y - other)[..., None]) < 1e-8 * norm(other[..., None])
    H = hessian_product(case)(q0, units.EPS, w)
    # `along` loses h^4 of the fifth derivative and u/h of g: both far below 1e-9 for numbers of order 1.
    assert constants.along(g, q0, w) == pytest.approx(H, rel=1e-8, abs=1e-9)


def test_the_friction_of_a_schedule_is_that_of_where_its_rates_are_taken():
    beta = SETTINGS[0][0]
    assert [schedule.share(beta, p) for p in ("start", "middle", "end")] == pytest.approx(
        [beta, (1 + beta) / 2, 1.0]
    )


STIFF = plainest.case(
    "stiff",
    loss=lambda q, xp: 100 * (q[0] * q[1] - 1) ** 2 / 2,
    breaking=lambda q, xp: q[0] + q[1] * q[1] / 4,
)
HUGE = replace(STIFF, name="huge", loss=lambda q, xp: (1e30 * q[0] * q[1] - 1e30) ** 2 / 2)
ENDLESS = replace(STIFF, name="endless", loss=lambda q, xp: (1e200 * q[0] * q[1] - 1e200) ** 2 / 2)


@pytest.mark.parametrize("case", [STIFF, HUGE], ids=lambda c: c.name)
def test_a_stiff_case_is_looked_at_below_its_edge(case):
    assert units.unit(units.largest(case)) * 2.0**-5 < stiffness.edge(case, 0.0) / 16
    records = [
        r
        for rule, part in (("heavy-ball", ""), ("heavy-ball", "flow"))
        for r in orders.run_cell(Cell("O3", case, rule, "quick", 1, part))
    ]
    assert {r.verdict for r in records if not r.fault} == {HOLDS} and {
        r.verdict for r in records if r.fault
    } == {VIOLATED}


def test_a_run_in_slow_time_is_the_run_of_the_case_to_the_bit():
    unit, eta = units.unit(units.largest(STIFF)), np.array([2.0**-6])
    q0 = STIFF.draw(np.random.default_rng(0), 1)

    def stepped(case, eta, k):
        pull = lambda x: gradient(case)(x, 0.0)
        return updates(pull, q0, 0 * q0, eta, np.array([40]), beta=0.53, k=k)[0]

    slow, own = stepped(units.slowed(STIFF, unit), eta, 0.25), stepped(STIFF, eta * unit, 0.25 / unit)
    assert unit < 1 and np.array_equal(slow, own)


def test_a_loss_without_a_finite_curvature_is_outside():
    records = orders.run_cell(Cell("O3", ENDLESS, "heavy-ball", "quick", 0))
    assert [r.verdict for r in records] == [OUTSIDE] and "stability edge" in records[0].reason


def test_why_a_law_has_no_cell_is_told():
    assert orders.why_not(LAWS["O1"], HAT) == ""
    assert orders.why_not(LAWS["O1"], BY_NAME["rayleigh"]).endswith(
        "operations, and third derivatives are taken up to 96"
    )
    assert "rotations and translations" in orders.why_not(LAWS["O4"], BY_NAME["rayleigh"])


def test_too_few_step_sizes_give_no_limit():
    eta = 2.0 ** -np.arange(5.0, 9.0)
    eta2, cell = (eta**2)[None], orders.cells([HAT], "quick", 0)[1]
    (record, _) = constants.judged(cell, eta2, 0 * eta, 0 * eta, 1, (np.zeros(1),) * 2, "n", eta=eta)
    assert record.verdict == INCONCLUSIVE


def test_the_steps_of_the_layer_after_the_start_span_a_short_time():
    assert momentum.LAYER * momentum.LAYER_STEPS[0] <= 1 / 16
