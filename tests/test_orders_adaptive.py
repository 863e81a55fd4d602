"""Models of rules with memories: solutions that are known otherwise, what terms mean, and wrong rules."""

from dataclasses import replace
from itertools import combinations

import mpmath
import numpy as np
import plainest
import pytest
from scipy.integrate import solve_ivp
from scipy.special import j1

from noether.cases import CATALOG, CORE
from noether.cases.case import translation
from noether.cases.rules.adagrad import ADAGRAD
from noether.cases.rules.adam import ADAM
from noether.cases.rules.nesterov import NESTEROV
from noether.cases.rules.qhm import QHM
from noether.cases.rules.rmsprop import RMSPROP
from noether.laws.orders import accelerated, adagrad, adam, cells, crossover, memories
from noether.laws.orders.memories import COUNTS, LONG_AGO, Walk, walked
from noether.laws.orders.parametric import Grid, Model
from noether.laws.orders.runs import Cell
from noether.laws.orders.units import EPS
from noether.laws.registry import LAWS
from noether.mechanics.symbolic import gradient, hessian_product
from noether.verdicts.record import HOLDS, OUTSIDE, VIOLATED

BY_NAME = {c.name: c for c in CATALOG}
HAT = BY_NAME["mexican-hat"]
PAIR = dict(breaking=lambda q, xp: q[0], box=((0.0, 0.5), (0.5, 1.0)), symmetries=(translation((1, 1)),))


LINE = plainest.case("line", lambda q, xp: q[0] - 2 * q[1], **PAIR | dict(symmetries=(translation((2, 1)),)))


def verdicts(records) -> tuple[set, set]:
    """Of what is stated, and of what is planted."""
    return tuple({r.verdict for r in records if bool(r.fault) == planted} for planted in (False, True))


# ---- solutions that are known otherwise


def test_the_model_of_adam_is_solved_as_by_another_method():
    """SciPy's DOP853, an explicit method; it steps through t = 0 by its limit. By how much a hundred times
    coarser steps move its end bounds its own error."""
    cell = Cell("O10", HAT, "adam", "quick", 3)
    at = adam.Place(cell, COUNTS[-2:])
    a1, a2 = 1.3 / at.T, 0.7 / at.T
    fields = at.fields | at.memory | dict(a1=a1, a2=a2, start=at.eta / 2, t=at.T + at.eta / 2)
    (found,) = at.grid.solutions([Model(adam.REMEMBERING, fields)])
    unit = at.unit[0, 0]
    g = lambda q: at.g(q[:, None])[:, 0] / unit

    def rates(t, x):
        q, m, s = x.reshape(3, -1)
        G = g(q)
        first, second = (m / -np.expm1(-a1 * t), s / -np.expm1(-a2 * t)) if t else (G, G * G)
        return np.concatenate([-first / (np.sqrt(second) + adam.STABLE), a1 * (G - m), a2 * (G * G - s)])

    for size in range(2):
        half = at.eta[size] / 2
        q0 = at.q0[:, 0] + half * adam.pulled(g(at.q0[:, 0]), adam.STABLE)
        x0 = np.concatenate([q0, 0 * q0, 0 * q0])
        coarse, fine = (
            solve_ivp(rates, (0, at.T + half), x0, method="DOP853", rtol=r, atol=r / 100).y[: len(q0), -1]
            for r in (1e-10, 1e-12)
        )
        own, mine = np.linalg.norm(fine - coarse), found.error[0, size]
        assert np.linalg.norm(found.end[:, 0, size] - fine) <= own + mine < 1e-10 * np.linalg.norm(fine)
        assert mine < 1e-11


def test_the_limit_of_increasing_momentum_is_a_bessel_function_on_a_quadratic_loss():
    """X(t) = 2 J_1(t sqrt lambda)/(t sqrt lambda) q_0 (Su, Boyd, Candes, 2014, section 3.2)."""
    lam, q0, t = np.array([[0.7], [3.0]]), np.array([[1.0], [-2.0]]), 2.0
    grid = Grid(lambda q: lam.reshape(2, *(1,) * (q.ndim - 1)) * q, q0, np.ones(1))
    (found,) = grid.solutions([Model(accelerated.GROWING, dict(r=3.0, h=0.0, g=1.0, t=t))])
    u = t * np.sqrt(lam)
    off = np.linalg.norm(found.end[..., 0] - 2 * j1(u) / u * q0)
    assert off <= found.error[0, 0] + 2.0**-50 * np.linalg.norm(q0) and found.error[0, 0] < 1e-12


def test_adagrad_from_nothing_lags_behind_its_equation_by_zeta_of_one_half():
    """While the gradient stays as it is, q_n - q_0 + 2 eta sqrt(n + 1/2) sign g tends to -zeta(1/2) eta
    sign g, up to n^(-3/2)/24."""
    n, eta, g = np.array([4096]), 2.0**-6, np.array([[3.0], [-0.2]])
    still = lambda q: g + 0 * q
    (end,) = walked(still, [Walk(ADAGRAD, dict(eta=eta), n)], np.zeros((2, 1)))
    lag = (end[:, 0] + 2 * eta * np.sqrt(n + 0.5) * np.sign(g)) / (eta * np.sign(g))
    assert lag == pytest.approx(-adagrad.ZETA, abs=n[0] ** -1.5 / 12)
    assert float(mpmath.zeta(0.5)) == adagrad.ZETA


# ---- what the terms mean


@pytest.mark.parametrize("limit", ["a time", "steps"])
def test_both_limits_of_adam_go_straight_where_the_gradient_stays(limit):
    """Adam with its bias corrected is then exact at every step size: neither law has an order to state."""
    law, orders = ("O10", adam.horizon_orders) if limit == "a time" else ("O11", adam.step_orders)
    cell = Cell(law, LINE, "adam", "quick", 0)
    assert orders(cell) == []
    (record,) = cells.run_cell(cell)
    assert record.verdict == OUTSIDE and "no order to measure" in record.reason


def test_the_second_order_of_memories_of_steps_is_a_pull_on_the_one_norm_of_the_gradient():
    """For E = 0 it is -eta (b1 - b2) grad |g|_1 / |g|, by complex steps of |g|_1, which cancel nothing."""
    case, b1, b2, eta = BY_NAME["linear-network"], 0.6, 2.5, 1e-3
    q = case.draw(np.random.default_rng(2), 1)
    g, H = gradient(case), hessian_product(case)
    kind = adam.kind_without_memory(lambda q, w: H(q, EPS, w))
    grid = Grid(lambda x: g(x, EPS), q, np.ones(1))
    fields = dict(E=0.0, b1=b1, b2=b2, w=0.0, unit=1.0, t=1.0)  # w: the first order left out
    _, c = grid.side_by_side([Model(kind, fields | dict(eta=eta))])
    found, size = kind.rates(grid.g, c)(q), np.abs(g(q, EPS))
    # (of g, along q): its terms are multiplied, added up and divided in another order than those of H.
    signed = np.sign(g(q, EPS)) * np.imag(g(q + 1e-30j * np.eye(case.dim), EPS)) / 1e-30
    expected, most = (-eta * (b1 - b2) * x.sum(axis=0)[:, None] / size for x in (signed, np.abs(signed)))
    # A few dozen operations lead from q to a term, on either way; at most 64 roundings are in both of them.
    assert np.all(np.abs(found - expected) <= 64 * 2.0**-53 * np.abs(most)) and np.all(found != 0)


def test_quasi_hyperbolic_momentum_with_nu_beta_is_nesterovs():
    """With eta (1 - beta) for its step size, and to the bit: eta is a power of two."""
    beta, eta, counts = 0.53, 2.0**-4, np.array([50])
    g, q0 = lambda q: gradient(HAT)(q, EPS), HAT.draw(np.random.default_rng(0), 2)
    (one,) = walked(g, [Walk(QHM, dict(eta=eta, beta=beta, nu=beta), counts)], q0)
    (other,) = walked(g, [Walk(NESTEROV, dict(eta=eta * (1 - beta), beta=beta), counts)], q0)
    assert np.max(np.abs(one - q0[..., None])) > 0.01 and np.array_equal(one, other)


def test_a_walk_that_began_long_ago_corrects_no_bias():
    """Its first step is that of empty memories, (1 - beta)/sqrt(1 - beta2) times the corrected one."""
    g, q0 = lambda q: 1 + 0 * q, np.zeros((2, 1))
    numbers = dict(eta=1.0, beta=0.9, beta2=0.99)
    walks = [Walk(ADAM, numbers, np.array([1]), begun=n) for n in (0, LONG_AGO)]
    now, bare = walked(g, walks, q0)
    # Of at most eight roundings: no operation cancels.
    assert now == pytest.approx(-1.0, rel=8 * 2.0**-53, abs=0)
    assert bare == pytest.approx(-(1 - 0.9) / np.sqrt(1 - 0.99), rel=8 * 2.0**-53, abs=0)


@pytest.mark.parametrize("pairs", [adam.HORIZONS, adam.MEMORIES, crossover.MEMORIES])
def test_memories_are_in_general_position(pairs):
    """No power up to two of one memory, or of what it leaves, is within 5 % of one of the other."""
    for both in pairs:
        numbers = [x for b in both for x in ((b, 1 - b) if b < 1 else (b,))]
        for a, b in combinations(np.log(numbers), 2):
            assert min(abs(i * a + j * b) for i in (1, 2) for j in (-2, -1, 1, 2)) > 0.05


# ---- what a law must see


@pytest.mark.parametrize("law", ["O10", "O11", "O12", "O13", "O14", "O15"])
def test_a_quick_run_holds_and_sees_every_fault_that_the_law_promises(law):
    found = [r for c in cells.cells(CORE, "quick", 1) if c.law == law for r in cells.run_cell(c)]
    assert {r.verdict for r in found if not r.fault} == {HOLDS}
    wrong = {(r.fault, r.verdict) for r in found if r.fault}
    assert wrong == {(name, VIOLATED) for name in LAWS[law].must_kill}


# ---- where a law ends


def test_where_a_component_of_the_gradient_changes_its_sign_memories_of_steps_are_outside(monkeypatch):
    """Within four widths of its box every flow comes to a steep valley, which drifts: from there on another
    component points along it."""
    monkeypatch.setattr(memories, "SHARE", 4.0)
    loss = lambda q, xp: q[2] + 512 * (q[0] - q[1] - q[2]) ** 2
    of = dict(box=((0.0, 1.0), (0.0, 1.0), (-0.5, 0.5)), symmetries=(translation((1, 1, 0)),))
    crossing = plainest.case("crossing", loss, **PAIR | of)
    records = cells.run_cell(Cell("O11", crossing, "adam", "quick", 0))
    assert [r.verdict for r in records] == [OUTSIDE] and "changes its sign" in records[0].reason


def test_a_flow_that_leaves_where_its_loss_is_a_number_starts_no_run():
    """The gradient of a root grows on its way to 0: near it all components are large, and none is soon
    after. No component of q moves further than T."""
    loss = lambda q, xp: 4 * q[2] + xp.sqrt(q[0] + q[1] - 0.04)
    of = dict(box=((0.0, 0.08), (0.0, 0.08), (0.5, 1.5)), symmetries=(translation((1, -1, 0)),))
    cell = Cell("O11", plainest.case("root", loss, **PAIR | of), "adam", "quick", 0)
    far = lambda q: q[0] + q[1] - 0.04 > 2 * T
    T, drawn = memories.whole(cell), cell.drawn(memories.CANDIDATES)[0]
    assert 0.1 < far(drawn).mean() < 0.9
    found = memories.calm(cell, T)
    ahead = found.q
    for _ in range(memories.SCAN):
        g = gradient(cell.case)(ahead, EPS)
        assert np.isfinite(g).all()
        ahead = ahead - T / memories.SCAN * g / (np.abs(g) + memories.STABLE * found.largest[:, 0])


def test_a_start_from_nothing_is_outside_where_a_component_of_the_gradient_is_small():
    records = cells.run_cell(Cell("O12", BY_NAME["free-particle"], "adagrad", "quick", 0))
    told = [r for r in records if r.verdict == OUTSIDE]
    assert len(told) == 1 and "a layer of its own" in told[0].reason
    assert not any("from s = 0" in r.parameters.get("statement", "") for r in records)
    assert HOLDS in verdicts(records)[0] and verdicts(records)[1] == {VIOLATED}


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_adaptive_laws_know_no_scale_of_the_loss(scale):
    loss = lambda q, xp: scale * ((q[0] - q[1]) ** 2 + (q[0] - q[1]) ** 4)
    case = plainest.case(f"scaled-{scale:g}", loss, **PAIR | dict(breaking=lambda q, xp: scale * q[0]))
    for law, rule in (("O10", "adam"), ("O11", "adam"), ("O12", "adagrad"), ("O12", "rmsprop")):
        stated, planted = verdicts(cells.run_cell(Cell(law, case, rule, "quick", 1)))
        assert (stated, planted) == ({HOLDS}, {VIOLATED}), (law, rule)


# ---- wrong rules


def inside(q, buffers, g, p, xp):
    """Adam with its stability inside the root."""
    from noether.cases.rules.adam import first_moment, second_moment

    m, s = first_moment(buffers[0], g, p, xp), second_moment(buffers[1], g, p, xp)
    below = [xp.sqrt(x / (p.root * p.root) + p.stability * p.stability) for x in s]
    return [xp.store(qi - p.eta / p.correction * mi / bi) for qi, mi, bi in zip(q, m, below, strict=True)], [
        m,
        s,
    ]


def terms_of(update):
    """The terms of a wrong rule: what it gives, so that the proof lets it pass."""

    def terms(q, buffers, new, g, p, xp):
        end, after = update(q, buffers, g, p, xp)
        return {"q": [0 * x for x in q], "all": end}, [{"all": x} for x in after]

    return terms


WITHOUT = replace(ADAM, known=lambda n, p: {"correction": 1.0, "root": 1.0})
LATE = replace(ADAM, known=lambda n, p: ADAM.known(n + 1, p))
INSIDE = replace(ADAM, update=inside, terms=terms_of(inside), covector=None)
CROSSED = replace(ADAM, known=lambda n, p: {"correction": 1 - p.beta2**n, "root": (1 - p.beta**n) ** 0.5})


@pytest.mark.parametrize(
    ("wrong", "seen"),
    [(WITHOUT, "O10 O11 O15"), (LATE, "O10 O15"), (CROSSED, "O10 O15"), (INSIDE, "O10 O11 O15")],
    ids=["no correction", "correction of another power", "corrections crossed", "stability inside the root"],
)
def test_a_wrong_adam_is_violated_by_its_orders(monkeypatch, wrong, seen):
    monkeypatch.setattr(adam, "ADAM", wrong)
    monkeypatch.setattr(crossover, "ADAM", wrong)
    found = {law: cells.run_cell(Cell(law, HAT, "adam", "quick", 0)) for law in ("O10", "O11", "O15")}
    by = {law for law, records in found.items() if VIOLATED in verdicts(records)[0]}
    assert by >= set(seen.split())


def test_a_wrong_memory_of_rmsprop_is_violated(monkeypatch):
    """beta2 2^-10 of itself nearer to 1 than stated."""
    moved = lambda q, b, g, p, xp: RMSPROP.update(
        q, b, g, type(p)(**{**vars(p), "beta2": p.beta2 * (1 + 2.0**-10)}), xp
    )
    monkeypatch.setattr(adagrad, "RMSPROP", replace(RMSPROP, update=moved, terms=terms_of(moved)))
    records = cells.run_cell(Cell("O12", HAT, "rmsprop", "quick", 0))
    assert VIOLATED in verdicts(records)[0]
