"""E4: the smallest breaking that can be told from none, by precision (theory.md#E4).

Set-up: Mexican hat d = 8, |q_0| in [.7, 1.3], v_0 = .02 N(0, 1), beta .9, eta 1/128, 1000 steps from rounded
starts, random antisymmetric A with |A|_2 = 1, b = q_1, eps = 0; eps by least squares, limit three robust
standard deviations.

    J_{n+1} - beta J_n = <v_{n+1} - beta v_n, A q_n> + <v_{n+1}, A (q_{n+1} - q_n)>  (1)

is D2's balance rearranged: both differences are formed without rounding that matters, so that matrix products
in float64 are wide enough for float64 states (the error left is u |eta g| |q|, a tenth of what is measured).

    measured    the deviation of eps^ that 68.3 % of the lanes stay within
    predicted   what 68.3 % of normal variables stay within that have each lane's standard deviation of (2)
                rounding.py
    pooled      lanes together: sums of x y over sums of x^2; measured on groups of lanes, predicted from (2)

The measured limit must lie between what (2) says of so many more and so many fewer of n lanes as a binomial
variable has but for ALARM: lanes tell a factor of 3 either way, whose sizes differ from lane to lane. Finer
is honest.py (3): the residuals of single steps, 14640 in quick, tell a width that is 5 % off. One per cent
needs 2 x 10^5 of them for chance alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.cases.losses.mexican_hat import MEXICAN_HAT, MEXICAN_HAT_2, MEXICAN_HAT_8
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse, representable
from noether.laws.response import faults
from noether.laws.response.cell import Cell
from noether.laws.response.estimate import MODEL, SURE, Estimate, histogram, robust, tail
from noether.laws.response.honest import calibrated, of_wrong_bars
from noether.laws.response.limits import compared, limited, of_pool, room_of
from noether.laws.response.unbroken import (
    BETA,
    ETA,
    FEW,
    GROUPS,
    HAT,
    POOLED,
    SIGMAS,
    SOON,
    STEPS,
    Found,
    job_of,
    measure,
    part,
    pool_deviation,
    pooled,
)
from noether.verdicts import judgement
from noether.verdicts.judgement import Worst
from noether.verdicts.record import Record

FIGURES = {
    "float64": (7e-18, 8e-20),
    "float32": (3e-9, 3.5e-11),
    "float16/eager": (5e-5, None),
    "bfloat16/eager": (9e-4, 1.1e-5),
}
"""Of theory.md section 4: one trajectory, 4096 pooled. Those of the narrow types are of the eager mode; the
pooled one of float16, once given as 1e-5, comes back in no mode (theory.md, History)."""
EVERY, STILL = ("float64", "float32"), 2.0
"""Precisions whose single steps are judged. A narrow store nearly stands still: successive roundings of v are
alike, which rounding.py knows only of steps that are the same in every component. Where every operation is
rounded to it as well the prediction may be off by STILL (measured: .9 to 1.7), as the limit may after a
thousand steps (.53 to 1.15)."""
FEWER = ("float16/eager", "float16", "bfloat16")
"""Without a figure of many lanes: full looks at an eighth of them."""
PLANTED = {"float64": 2.0**-12, "float32": 2.0**-12}
"""Others 1/32: so large that every store moves, there eps^ must be eps."""
QUICK = ("float64", "bfloat16")
HATS = (MEXICAN_HAT, MEXICAN_HAT_2, MEXICAN_HAT_8)  # whoever asks for one of them sees the limit


def cells(cases, profile: str, seed: int, backend: str) -> list[Cell]:
    """One a precision, where the hat is looked at; quick on few lanes in numpy, for which no kernel need be
    compiled."""
    hats = [c for c in HATS if c in cases]
    if profile == "glance" or not (HATS[0] in hats or (hats and len(hats) == len(cases))):
        return []
    here = hats[0].name
    if profile == "quick":
        sizes, backend = [(p, FEW, SOON) for p in QUICK], "numpy"
    else:
        few = POOLED // 8 if profile == "full" else POOLED
        sizes = [(p, few if p in FEWER else POOLED, STEPS) for p in dict.fromkeys((*FIGURES, *FEWER))]
    return [
        Cell("E4", HAT, "heavy-ball", p, backend, profile, lanes, steps, seed, asked=here)
        for p, lanes, steps in sizes
    ]


def run_cell(cell: Cell) -> list[Record]:
    job = job_of(cell.precision, cell.lanes, cell.steps, cell.draws)
    found = measure(job, cell.draws, cell.backend)
    one = SIGMAS * robust(found.value)
    everywhere = {"eta": [ETA, ETA], "beta": [BETA, BETA], "k": [0.0, 0.0], "eps": [0.0, 0.0]}
    about = cell.about(found.backend, everywhere) | {"symmetry": "rotation"}
    soon, where = (found, about) if cell.steps == SOON else moving(cell, about)
    lanes = Estimate.joined(soon.steps)
    bars = (lanes, 0.0, np.ones(len(lanes.value), bool), "eps = 0")
    how = {"single": cell.precision in EVERY, "model": model_of(cell.precision)}
    records = [limited(about, found, allowed(cell)), calibrated(where, *bars, **how)]
    limit, *room = room_of(found, allowed(cell))
    lanes_of = (found.value, found.sd, found.shift)
    records[0].data = histogram(*lanes_of, *(x / limit for x in room)).as_dict()
    figures = FIGURES.get(cell.precision, (None, None))
    if figures[0] and cell.steps == STEPS:
        records.append(compared(about, one, figures[0], "one trajectory, the figure of theory.md section 4"))
    if cell.lanes >= 16 * GROUPS:
        records += of_pool(about, pooled(found), figures[1], cell.lanes)
    records += of_wrong_bars({**where, "backend": "numpy"}, *bars, **how)
    return records + unbiased(cell, job, about) + on_faults(cell, job, about)


def moving(cell: Cell, about: dict) -> tuple[Found, dict]:
    """The first steps of other lanes, every one followed: after a thousand a store narrower than float64
    stands still."""
    lanes = 4 * FEW if cell.precision in EVERY else FEW
    found = measure(job_of(cell.precision, lanes, SOON, cell.draws), cell.draws, cell.backend, every=True)
    return found, {**about, "lanes": lanes, "steps": SOON}


def allowed(cell: Cell) -> float:
    """What the predicted limit may be off by, either way."""
    return model_of(cell.precision) if cell.steps == SOON else MODEL if cell.precision == "float64" else STILL


def model_of(precision: str) -> float:
    """What a predicted standard deviation may be off by while lanes move."""
    return SURE if precision in EVERY else STILL if precision.endswith("eager") else MODEL


def unbiased(cell: Cell, job: launch.Job, about: dict) -> list[Record]:
    """With eps planted the pooled estimate must be eps: a store that truncates damps the charge and loses
    some of it."""
    job = job if job.lanes > FEW else job_of(cell.precision, 2 * FEW, SOON, cell.draws)
    few = replace(part(job, slice(0, 2 * FEW)), steps=SOON)
    params = few.params.copy()
    params[3] = eps = PLANTED.get(parse(cell.precision).name, 2.0**-5)
    few, parameters = replace(few, params=params), {**about["parameters"], "eps": [eps, eps]}
    where = {**about, "lanes": few.lanes, "steps": SOON, "parameters": parameters}
    out = [planted(where, measure(few, cell.draws, cell.backend), eps)]
    if cell.precision == "bfloat16":
        truncate = lambda some, backend: launch.run(some, backend, faults.TRUNCATED.advance)
        wrong = measure(few, cell.draws, "numpy", run=truncate)
        out.append(planted({**where, "backend": "numpy"}, wrong, eps, faults.TRUNCATED.name))
    return out


def planted(about: dict, found: Found, eps: float, fault: str | None = None) -> Record:
    value = float((found.value * found.weight).sum() / found.weight.sum())
    bound = tail(1) * MODEL * pool_deviation(found)
    return judgement.mean(
        Worst(float(judgement.spent_of(value, eps, bound)), value, eps, bound),
        f"eps^ of {about['lanes']} lanes together is {value:.9g}, put in {eps:.9g}, bound {bound:.2g}",
        enough=True,  # eps is so large that every store moves
        **about,
        fault=fault,
        powers={"eps": float((bound + abs(value - eps)) / eps)},
    )


def on_faults(cell: Cell, job: launch.Job, about: dict) -> list[Record]:
    """A narrower store under this precision's name."""
    if cell.precision != "float64":
        return []
    few, to = replace(part(job, slice(0, FEW)), steps=SOON), "float32"
    stored = {name: representable(getattr(few, name), to) for name in ("q0", "v0", "params")}
    narrow = replace(few, precision=parse(to), **stored)
    found = measure(narrow, cell.draws, "numpy", claimed=few.precision)
    where = {**about, "backend": "numpy", "lanes": few.lanes, "steps": SOON}
    return [limited(where, found, SURE, faults.NARROW_STORE.name)]
