"""E1: the response of a charge to the breaking magnitude, measured against predicted.

    R_N = J_N - beta^N J_0 - sum_n beta^{N-1-n} <A v_{n+1}, v_{n+1}>        measured
        = -eta eps sum_n beta^{N-1-n} <grad b(q_n), xi(q_n)>                predicted

for the heavy ball without decay; the bound is D2's, accumulated: B_{n+1} = beta B_n + b_n. Not only the
slope in eps: the value itself, lane by lane, over DECADES decades of eps and at eps = 0. A lane whose
prediction is below its bound is below the detection limit: it must agree, and counts for nothing.
"""

from __future__ import annotations

import numpy as np

from noether.cases import CATALOG
from noether.kernels.loops import launch
from noether.laws.exact import act, along, charge, charge_bound, charge_own, dot, planted, shown_faults
from noether.laws.exact.certified import Domain
from noether.laws.exact.judge import portrait
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory
from noether.verdicts import judgement, powers
from noether.verdicts.figures import Response
from noether.verdicts.record import VIOLATED, Record

RESOLVED = 4.0  # a response this many bounds high is resolved
# Decades of eps that rounding may hide: 100 accumulated roundings, and a response of 1e-3.
LOST = float(np.log10(100 * RESOLVED / 1e-3))


ENOUGH = 8.0
"""Decades that are enough of a case of one's own. What a case of the catalogue lets be seen is known, and
asked again; how far the roundings of another hide its breaking, nobody knows."""
MEASURED = frozenset(case.name for case in CATALOG)


def decades_needed(case: str, usual: float) -> float:
    """Over how many decades a magnitude must be resolved on a case, where `usual` is what those of the
    catalogue show."""
    return usual if case in MEASURED else min(usual, ENOUGH)


def lanes_of(cell) -> launch.Job:
    """The cell's launch with eps on a ladder: lane 0 has none, the others 10^0 down to 10^-15 of a half."""
    job = cell.job()
    params = job.params.copy()
    params[2] = 0.0
    ladder = 0.5 * 10.0 ** -np.linspace(0, 15, job.lanes - 1)
    ladder = ladder.astype(np.float32) if job.precision.arith == "float32" else ladder
    params[3] = np.concatenate([[0.0], ladder])
    return launch.Job(job.program, job.rule, job.precision, job.q0, job.v0, params, job.steps)


def response(t, symmetry, eps, *, beta: float = 1.0, kinetic_term: float = 1.0):
    """The measured R after all steps, its prediction and its bound, each (lanes,).

    beta, kinetic_term  factors of these that make a prediction which is nearly right
    """
    J, w = charge(t, symmetry), t.v[1:]
    kinetic = dot(act(symmetry.matrix, w), w)
    push = -t.eta * eps * dot(t.g_broken, along(t, symmetry)[:-1])
    local = charge_bound(t, symmetry) + charge_own(t, symmetry)
    plain, predicted, bound = J[0], np.zeros_like(J[0]), np.zeros_like(J[0])
    for n in range(t.steps):
        plain = beta * t.beta * plain + kinetic_term * kinetic[n]
        predicted = beta * t.beta * predicted + push[n]
        bound = t.beta * bound + local[n]
    return J[-1] - plain, predicted, bound


def noticed(t, symmetry, eps, inside) -> dict[str, float]:
    """The power of one record: for eta (or eps), beta and the kinetic term the smallest relative change that
    would have been called violated."""
    with np.errstate(all="ignore"):
        measured, predicted, bound = (x[inside] for x in response(t, symmetry, eps))

    def law(**flaws):
        off, found, _ = response(t, symmetry, eps, **{k: v for k, v in flaws.items() if k != "eta"})
        return flaws.get("eta", 1.0) * found[inside] + measured - off[inside]

    # The kinetic term of a rotation is zero.
    moves = ("eta", "beta") if symmetry.is_rotation else ("eta", "beta", "kinetic_term")
    with np.errstate(all="ignore"):  # lanes that left the domain are formed too, and dropped
        seen = powers.of(measured, predicted, bound, law, moves)
    return {name.replace("_", " "): x for name, x in seen.items() if name != "prediction"}


def judge_response(cell) -> list[Record]:
    """The records of E1 on one launch of a cell, right and planted."""
    job = lanes_of(cell)
    right = Trajectory.launched(cell.case, job, *launch.run(job, cell.backend).wide())
    everywhere = np.ones(job.lanes, bool)
    honest = lambda symmetry, inside: one(cell, job, right, symmetry, cell.backend, None, right.eps, inside)
    first = [honest(symmetry, everywhere).verdict for symmetry in cell.case.symmetries]
    inside = ~Domain(cell.case, job, right).ends if VIOLATED in first else everywhere
    records = []
    for symmetry in cell.case.symmetries:
        records.append(honest(symmetry, inside))
        if records[-1].spent is not None:
            records[-1].powers = noticed(right, symmetry, right.eps, inside)
        wrong = shown_faults.wrong_trajectory(cell.case, job, planted.UNBROKEN)
        records.append(one(cell, job, wrong, symmetry, "numpy", planted.UNBROKEN.name, wrong.eps, inside))
        off, eps = planted.EPS_OFF.name, right.eps * planted.EPS_OFF.changed["eps"]
        records.append(one(cell, job, right, symmetry, cell.backend, off, eps, inside))
    return records


def one(cell, job, t, symmetry, backend, fault, eps, inside) -> Record:
    """The record of E1 for one charge of a trajectory t whose breaking is predicted with eps (lanes,).

    inside  (lanes,) bool: the lanes that are judged
    """
    with np.errstate(all="ignore"):
        measured, predicted, bound = response(t, symmetry, eps)
        resolved = inside & (np.abs(predicted) > RESOLVED * bound)
    about = dict(law="E1", steps=job.steps, symmetry=symmetry.name, fault=fault, **cell.about(job, backend))
    if not inside.any():
        return judgement.outside("every lane leaves the domain in the reference trajectory", lanes=0, **about)
    worst = judgement.worst(measured, predicted, bound, inside=inside)
    (lane,) = worst.at
    shown, decades = inside & (np.arange(job.lanes) > 0), 0.0
    if resolved.any():
        seen = job.params[3][resolved]
        decades = float(np.log10(seen.max() / seen.min()))
    # A response is as small as the steps are: a stiff loss, of a small pace, is resolved over fewer decades.
    usual = -np.log10(job.precision.u_q) - LOST + min(0.0, np.log10(sweep.pace(cell.case)))
    needed = decades_needed(cell.case.name, usual)
    reason = f"response is {worst.measured:.6g}, predicted {worst.predicted:.6g}, lane {lane}"
    if worst.spent <= 1:
        reason = (
            f"eps = 0 and {int(shown.sum())} values over 15 decades agree; {decades:.1f} decades resolved "
            f"above {RESOLVED:g} bounds ({needed:.1f} needed); {int((~inside).sum())} lanes outside"
        )
    series = {"measured": np.abs(measured), "predicted": np.abs(predicted), "bound": bound}
    series = {name: values[shown] for name, values in series.items()}
    figure = Response(x=job.params[3][shown], series=series, xlabel="eps", ylabel="|response of the charge|")
    enough, place = decades >= needed and not resolved[0], portrait(t, lane, t.steps, None)
    return judgement.rounding(
        worst, reason, enough=enough, lanes=job.lanes, **about, place=place, figure=figure
    )
