"""How many independent charges a flow keeps, counted from the fields that drive it (theory.md section 7).

A loss f(phi(q)) drives gradient flow along the fields grad phi_i; a function is kept for every f exactly when
all fields of the Lie algebra that they generate leave it. Where phi is quadratic the fields are linear, grad
phi_i = S_i q, their brackets are commutators, and

    laws = dim - rank { M q : M in the Lie algebra of the S_i }                                           (1)

Momentum, m qddot + mu qdot + grad f = 0 with m = mu = 1, is the same in (q, p, t): the fields are (p, -p, 1)
and
(0, -S_i q, 0), the charges may carry e^t, and the algebra is one of affine fields on 2 d + 1 numbers  (2)
Source: Marcotte, Gribonval, Peyre (2023), Theorem 3.3 and section 4; (2024), section 3.
"""

from __future__ import annotations

import numpy as np

GAP = (
    2.0**-26
)  # a singular value below this share of the largest is zero: sqrt(u), halfway between 1 and u on a logarithm


def rank(vectors: np.ndarray) -> int:
    """Of rows; singular values above GAP of the largest."""
    values = np.linalg.svd(vectors, compute_uv=False)
    return int(np.sum(values > GAP * values[0])) if values.size and values[0] > 0 else 0


def closure(generators: list[np.ndarray]) -> list[np.ndarray]:
    """An orthonormal basis of the Lie algebra that they generate, by commutators until nothing is new."""
    basis = np.zeros((0, generators[0].size))
    waiting = [M / np.linalg.norm(M) for M in generators if M.any()]
    while waiting:
        M = waiting.pop(0)  # a generator or a commutator of two matrices of norm 1: rounding is u, not u |M|
        row = M.reshape(-1)
        for _ in range(2):  # twice is enough (Kahan): the second pass removes what rounding left
            row = row - (basis @ row) @ basis
        if np.linalg.norm(row) > GAP:
            row = row / np.linalg.norm(row)
            M, earlier = row.reshape(M.shape), basis.reshape(-1, *M.shape)
            waiting += list(M @ earlier - earlier @ M)
            basis = np.concatenate([basis, row[None]])
    return list(basis.reshape(-1, *generators[0].shape))


def laws(fields: list[np.ndarray], q: np.ndarray) -> int:
    """How many independent functions gradient flow along these fields keeps at q, by (1)."""
    return len(q) - rank(np.array([M @ q for M in closure(fields)]))


def momentum_laws(fields: list[np.ndarray], q: np.ndarray, p: np.ndarray) -> int:
    """(2): matrices on (q, p, t, 1), the last one carrying what is constant in a field."""
    d = len(q)
    forces = []
    for S in fields:
        F = np.zeros((2 * d + 2, 2 * d + 2))
        F[d : 2 * d, :d] = -S
        forces.append(F)
    free = np.zeros((2 * d + 2, 2 * d + 2))
    free[:d, d : 2 * d], free[d : 2 * d, d : 2 * d], free[2 * d, 2 * d + 1] = np.eye(d), -np.eye(d), 1
    x = np.concatenate([q, p, [0.5, 1.0]])
    return 2 * d + 1 - rank(np.array([(M @ x)[:-1] for M in closure([free, *forces])]))


def linear_fields(n: int, r: int, l: int) -> list[np.ndarray]:
    """S_ij of phi_ij = (U V^T)_ij; q holds U (n x r) and V (l x r) row by row."""
    out = []
    for i in range(n):
        for j in range(l):
            S = np.zeros(((n + l) * r, (n + l) * r))
            for a in range(r):
                u, v = i * r + a, (n + j) * r + a
                S[u, v] = S[v, u] = 1
            out.append(S)
    return out


def relu_fields(hidden: int, inputs: int, outputs: int) -> list[np.ndarray]:
    """S of phi_{x,k} = sum_a u_ka relu(<v_a, x>): one field for each set of units that samples switch on,
    input and output.

    q holds v_a (inputs) and u_a (outputs), unit by unit. Data rich enough for every set of units to occur.
    """
    block, out = inputs + outputs, []
    for mask in range(1, 2**hidden):
        for i in range(inputs):
            for k in range(outputs):
                S = np.zeros((hidden * block, hidden * block))
                for a in range(hidden):
                    if mask >> a & 1:
                        u, v = a * block + inputs + k, a * block + i
                        S[u, v] = S[v, u] = 1
                out.append(S)
    return out


def predicted(n: int, r: int, l: int) -> int:
    rk = min(n + l, r)
    return rk * (2 * r + 1 - rk) // 2


def momentum_predicted(n: int, r: int, l: int) -> int:
    """The part of O(r): <p, (U B, -V B^T)> with B antisymmetric, as far as [U; V] tells the B apart.

    With one row in U and one in V the loss has a larger compact group, O(r) x O(r): twice as many.
    """
    rk = min(n + l, r)
    return (1 + (n == l == 1)) * (r * (r - 1) // 2 - (r - rk) * (r - rk - 1) // 2)
