"""Gradient descent against its continuous models: O1, O2 and the drift of a charge, O5 (theory.md section 5).

    q' = q - eta g(q)                                                                                      (1)
O1  against qdot = -g: 1;  qdot = -(g + (eta/2) H g), the flow of the modified loss f + (eta/4)|g|^2: 2;
    qdot = -(g + (eta/2) H g + eta^2 (H^2 g / 3 + f'''(g, g) / 12)): 3                                     (2)
O2  against (eta/2) qddot + qdot + g = 0, qdot(0) = -g: 2, never 3                                         (3)
O5  Q = <q, A q>/2, A symmetric, conserved by the flow of a symmetric loss: Q_n - Q_0 is of order 1, and of order 2
    from (eta/2) int <g, A g> dt along the flow                                                            (4)
"""

from __future__ import annotations

import numpy as np

from harness.order_laws.claims import OFF, Claim, Model, judge_claims
from harness.order_laws.runs import Cell, both, judge, reference, step_sizes, steps_of, updates
from harness.symbolic import curvature, gradient
from harness.verdicts import Record

EPS = 1 / 16  # small enough that no start of a scale-invariant case reaches q = 0 before FINAL
STARTS = 4


def flow_orders(cell: Cell) -> list[Record]:
    """O1"""
    eta, g, bend = step_sizes(cell), gradient(cell.case), curvature(cell.case)
    q0 = np.repeat(cell.start()[0], len(eta), axis=1)
    counts = steps_of(eta)

    def field(terms):
        def rates(x):
            force = g(x, EPS)
            out = force
            if terms > 1:
                Hg, third = bend(x, EPS, force)
                out = out + eta / 2 * Hg
            if terms == 3:
                out = out + eta**2 * (bend(x, EPS, Hg)[0] / 3 + third / 12)
            return -out  # (2)

        return rates

    twice = lambda x: np.concatenate([x, x], axis=-1)  # noqa: E731
    ends = updates(lambda x: g(x, EPS), twice(q0), 0 * twice(q0), np.concatenate([eta, eta * OFF]), twice(counts))[0]
    q, q_off = np.split(ends, 2, axis=1)
    out, notes = [], ("gradient flow", "flow of f + (eta/4)|g|^2", "with the terms of order eta^2")
    for terms, note in enumerate(notes, start=1):
        x, error = reference(field(terms), q0, np.ones_like(eta))
        size = np.linalg.norm(q, axis=0)
        e, e_off = (np.linalg.norm(a - x, axis=0) for a in (q, q_off))
        out.append(judge(cell, e, error, size, terms, note, steps=int(counts.max())))
        if terms < 3:
            missing = f"model without its terms of order eta^{terms}"
            out.append(judge(cell, e, error, size, terms + 1, note, control=missing))
        if terms > 1:  # the first-order model is itself as far off as these steps
            out.append(judge(cell, e_off, error, size, terms, note, control="eta x (1 + 2^-10)"))
    return out


def second_order_model(cell: Cell) -> list[Record]:
    """O2"""
    eta, (q0, _) = step_sizes(cell), cell.start()
    g, model = gradient(cell.case)(q0, EPS), lambda qdot: Model(eta / 2, 1.0, qdot)
    right = "qdot(0) = -g"
    claims = [
        Claim(right, model(-g), 2, "third order claimed of the second-order model", against=3),  # (3)
        Claim("qdot(0) = 0", model(0 * g), 1, "start velocity 0"),
        Claim(right, model(-g), None, "eta x (1 + 2^-10)", factor=OFF),
    ]
    return judge_claims(cell, claims, q0, beta=0.0, k=0.0, eps=EPS)


def charge_drift(cell: Cell) -> list[Record]:
    """O5, gradient descent. The norm over STARTS starts: a sign change of one of them decides nothing."""
    steps, d, out = step_sizes(cell), cell.case.dim, []
    g = lambda x: gradient(cell.case)(x, 0.0)  # noqa: E731
    eta = np.tile(steps, STARTS)
    q0 = np.repeat(cell.start(STARTS)[0], len(steps), axis=1)
    counts = steps_of(eta)
    q = updates(g, q0, np.zeros_like(q0), eta, counts)[0]
    matrices = [s.matrix for s in cell.case.symmetries if s.is_symmetric]

    def rates(x):
        force = g(x[:d])
        return np.concatenate([-force, [np.sum(force * np.tensordot(A, force, 1), axis=0) / 2 for A in matrices]])

    x, error = reference(rates, np.concatenate([q0, np.zeros((len(matrices), len(eta)))]), np.ones_like(eta))
    norm = lambda lanes: np.linalg.norm(lanes.reshape(STARTS, -1), axis=0)  # noqa: E731
    for i, symmetry in enumerate(s for s in cell.case.symmetries if s.is_symmetric):
        A = matrices[i]
        drift = np.sum(q * (A @ q) - q0 * (A @ q0), axis=0) / 2
        rest = drift - eta * x[d + i]  # (4)
        # Q moves by |A q| per unit of q; the reference enters only through eta times its integral.
        slope = np.linalg.norm(A @ q, axis=0)
        size, facts = norm(slope * np.linalg.norm(q, axis=0)), dict(symmetry=symmetry.name, steps=int(counts.max()))
        out += both(cell, norm(drift), 0 * steps, size, 1, "drift of <q, A q>/2", "charge taken as conserved to second order", 2, **facts)
        out.append(judge(cell, norm(rest), norm(eta * error), size, 2, "drift less (eta/2) int <g, A g> dt", **facts))
        half = drift - eta / 2 * x[d + i]
        out.append(judge(cell, norm(half), norm(eta * error), size, 2, "drift less half of it", control="drift at half its rate", **facts))
    return out
