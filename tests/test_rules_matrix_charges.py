"""What rules of matrices keep of a symmetry: charges of rotations, and no quadratic law of a product."""

import numpy as np
import pytest
from matrix_steps import TINY, U, conditioned, iteration_error, moved, polar_error, two_rows
from rule_steps import step

from noether.cases.matrices import shape
from noether.cases.rules.muon import MUON, STEPS, newton_schulz
from noether.cases.rules.orthogonal_descent import ORTHOGONAL_DESCENT
from noether.cases.rules.signum import SIGNUM


@two_rows
@pytest.mark.parametrize("side", ["left", "right"])
def test_rotations_of_a_matrix_have_a_charge_that_such_a_step_does_not_move(d, side):
    """<M, A O> = 0 for the step O = U f(S) V^T along M = U S V^T: it is trace(S U^T A U f(S)), and U^T A U is
    antisymmetric. So the kinetic term of the charge is 0 where the momentum itself is followed."""
    rng = np.random.default_rng(8)
    g, _, values, _ = conditioned(rng, d)
    M = g.reshape(shape(d))
    A = rng.normal(size=(len(M.T if side == "right" else M),) * 2)
    A = A - A.T
    turned = M @ A if side == "right" else A @ M
    size = np.linalg.norm(turned)
    for rule, error in (
        (ORTHOGONAL_DESCENT, polar_error(d, values[-1] / np.linalg.norm(M))),
        (MUON, iteration_error(d)),
    ):
        assert abs(np.sum(turned * moved(rule, g, **TINY))) <= size * (error + 4 * d * U)
    if min(A.shape) > 1:
        assert abs(np.sum(turned * moved(SIGNUM, g))) > 0.05 * size, "a rule of components keeps it too"


def test_looking_ahead_is_the_only_source_of_that_charge_under_muon():
    """Muon follows M = (1 - beta) g + beta m' along O, and <M, A O> = 0: with m' = (M - (1 - beta) g) / beta

        <m', A q'> = beta <m, A q> + eta (1 - beta) / beta <g, A O>

    for the rotations A from the left of a loss that they leave, |Q^T Q - T|^2 / 4. Each side rounds less than
    40 times, of sizes below |m| |A| |q|, and <g, A q> is 0 within as many.
    """
    eta, beta, A = 2.0**-5, 0.75, np.array([[0.0, 1.0], [-1.0, 0.0]])
    target = np.array([[1.0, 0.5], [0.5, 2.0]])
    gradient = lambda Q: Q @ (Q.T @ Q - target)
    q, m = np.random.default_rng(11).normal(size=(2, 4))
    sources = []
    for _ in range(20):
        Q, before = q.reshape(2, 2), m
        g = gradient(Q)
        new, (m,) = step(MUON, q, [before], g.ravel(), eta=eta, beta=beta, **TINY)
        O = -(np.array(new) - q).reshape(2, 2) / eta
        charge = lambda m, q: np.sum(np.reshape(m, (2, 2)) * (A @ np.reshape(q, (2, 2))))
        source = eta * (1 - beta) / beta * np.sum(g * (A @ O))
        sizes = np.linalg.norm(before) * np.linalg.norm(q) + np.linalg.norm(g) * (np.linalg.norm(q) + 1)
        error = 40 * U * sizes + eta * np.linalg.norm(m) * iteration_error(4)
        assert abs(charge(m, new) - beta * charge(before, q) - source) <= error
        sources.append(abs(source) / error)
        q, m = np.array(new), np.array(m)
    assert np.median(sources) > 2**16, "the source is nothing"


def factors(q):
    """U and V of a product U V^T, 3 x 2 and 2 x 2."""
    return q[:6].reshape(3, 2), q[6:].reshape(2, 2)


def directions(q, orthogonal):
    """Where the parameters of |U V^T - T|^2 / 2 go, of gradient flow or of that of each factor's step."""
    left, right = factors(q)
    apart = left @ right.T - TARGET
    parts = [apart @ right, apart.T @ left]
    return np.concatenate([orthogonal(x).ravel() for x in parts])


TARGET = np.array([[1.0, -0.5], [0.25, 0.75], [-1.0, 0.5]])


def polar(M):
    left, _, right = np.linalg.svd(M, full_matrices=False)
    return left @ right


def by_muon(M):
    wide = M if M.shape[0] <= M.shape[1] else M.T
    X = [list(row / np.linalg.norm(M)) for row in wide]
    for _ in range(STEPS):
        X = newton_schulz(X)
    return np.array(X) if wide is M else np.array(X).T


def laws_of(orthogonal):
    """Singular values of <A q + b, where q goes> = 0 at random q, in the numbers of a symmetric A and of b.

    Each row has length 1, so that a quadratic law is a singular value at rounding, relative to the largest.
    """
    rng = np.random.default_rng(9)
    pairs = [(i, j) for i in range(10) for j in range(i, 10)]
    rows = []
    for q in rng.normal(size=(400, 10)):
        y = directions(q, orthogonal)
        row = [q[i] * y[j] + (q[j] * y[i] if i != j else 0) for i, j in pairs] + [*y]
        rows.append(np.array(row) / np.linalg.norm(row))
    values = np.linalg.svd(np.array(rows), compute_uv=False)
    return values / values[0]


@pytest.mark.parametrize("orthogonal", [polar, by_muon], ids=["orthogonalised", "muon"])
def test_no_quadratic_law_of_a_product_survives_orthogonalised_steps(orthogonal):
    """Gradient flow keeps the three numbers of U^T U - V^T V, and finds no others; these steps keep none.

    400 rows of 65 numbers of length 1 round a singular value by less than 400 * 65 u.
    """
    kept, broken = laws_of(lambda M: M), laws_of(orthogonal)
    rounding = 400 * 65 * U
    assert np.sum(kept <= rounding) == 3 and kept[-4] > 0.1
    assert broken.min() > 0.1


def test_what_gradient_flow_keeps_of_a_product_drifts_under_orthogonalised_steps():
    """U^T U - V^T V over one unit of time, at eta and at eta / 2: that of gradient descent halves, for it is
    of the order of eta, and that of these steps stays."""
    charge = lambda q: np.subtract(*(M.T @ M for M in factors(q)))

    def drift(orthogonal, eta):
        q = START
        for _ in range(round(1 / eta)):
            q = q - eta * directions(q, orthogonal)
        return np.linalg.norm(charge(q) - charge(START))

    for orthogonal, ratio in ((lambda M: M, 2.0), (polar, 1.0)):
        coarse, fine = (drift(orthogonal, eta) for eta in (2.0**-8, 2.0**-9))
        assert abs(coarse / fine / ratio - 1) < 0.05
    assert drift(polar, 2.0**-9) > 0.25 > 50 * drift(lambda M: M, 2.0**-9)


START = np.random.default_rng(10).normal(size=10)
