"""D17: each change of scale of each rule, bit by bit, and what a stability left behind does (theory.md#D17).

All changes of scale of a rule are lanes of one launch in numpy: B1 carries them to the other backends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noether.cases import DEFORMED_RAYLEIGH, ENTROPY_MIRROR
from noether.cases.case import Case
from noether.cases.rule import Rule
from noether.cases.rules import OWN, RULES
from noether.cases.units import CHANGES, Scaling, scaling
from noether.kernels.loops.launch import Job
from noether.kernels.programs.precision import parse
from noether.laws.cell import LawCell
from noether.laws.covariance import faults, scaled, turned
from noether.laws.covariance.departure import departed, departs, rests
from noether.laws.exact import bits as bitwise
from noether.mechanics import sweep
from noether.system.seeds import derive
from noether.verdicts import judgement
from noether.verdicts.record import Record

PRECISIONS = ("float64", "float32", "bfloat16", "bfloat16/eager", "bfloat16/mixed")
"""Types of long exponents: in float16 the square of a gradient below 2^-7 is subnormal."""
SIZE = {"quick": (8, 4), "full": (24, 16)}  # lanes of each run, steps
TURNED = 2  # steps of a run that is turned: the second one reads the buffers of the first
LEFT_OUT = ((), ("stability",), ("stability", "k"))
"""Parameters that are 0, where a rule has a change of scale without them alone."""


@dataclass(frozen=True)
class Cell(LawCell):
    """One rule in one precision."""

    case: Case
    rule: str
    precision: str
    profile: str
    seed: int
    law: str = "D17"
    backend: str = "numpy"

    @property
    def name(self) -> str:
        return f"D17/{self.case.name}/{self.rule}/{self.precision.replace('/', '-')}"

    def job(self, lanes: int, steps: int, **overrides: float) -> Job:
        """Lanes without breaking."""
        size = dict(lanes=lanes, steps=steps, seed=derive(self.seed, self.name))
        rule, precision = RULES[self.rule], parse(self.precision)
        return sweep.draw(self.case, rule, precision, **size, overrides={"eps": 0.0, **overrides})


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    """Rules that store log q on the one case, all others on the other: four parameters each. A quick run
    takes the precisions in turn."""
    if profile == "glance":
        return []
    out = []
    for turn, rule in enumerate((*RULES.values(), *OWN.values())):
        case = ENTROPY_MIRROR if rule.log_state else DEFORMED_RAYLEIGH
        if case in cases and rule.fits(case.dim):
            chosen = [PRECISIONS[turn % len(PRECISIONS)]] if profile == "quick" else PRECISIONS
            out += [Cell(case, rule.name, precision, profile, seed) for precision in chosen]
    return out


def claims(rule: Rule, d: int) -> list[tuple[Scaling, tuple[str, ...]]]:
    """The changes of scale of a rule, each with the parameters that must be 0 for it."""
    out = []
    for change in CHANGES:
        tried = (x for x in LEFT_OUT if set(x) <= set(rule.parameters))
        found = ((scaling(rule, d, change, x), x) for x in tried)
        out += [next((x for x in found if x[0]), None)]
    return [x for x in out if x]


@dataclass(frozen=True)
class Tried:
    """Some lanes at their own scale and at another one.

    off     (steps + 1, lanes) bool: any bit differs
    inside  (steps + 1, lanes) bool: where the statement holds; moved  how many lanes moved
    """

    off: np.ndarray
    inside: np.ndarray
    moved: int


def tried(job: Job, scalings: list[scaled.Scales], advance=None) -> list[Tried]:
    """A job against itself at each of these scales; the first is that of its own."""
    lanes, many = job.lanes, len(scalings)
    tile = lambda x: np.tile(x, many)
    whole = replace(job, q0=tile(job.q0), v0=tile(job.v0), params=tile(job.params))
    every = scalings[0]
    for s in scalings[1:]:
        every = every.beside(s)
    steps = {} if advance is None else {"advance": advance}
    q, v = scaled.run(whole, every, **steps)
    fine = scaled.ordinary(whole, every)
    own_q, own_v = q[..., :lanes], v[..., :lanes]
    moved = lanes_moved(np.concatenate([own_q, own_v], axis=1))
    out = []
    for i, s in enumerate(scalings):
        cut = slice(i * lanes, (i + 1) * lanes)
        off = different(q[..., cut], np.ldexp(own_q, s.q)) | different(v[..., cut], np.ldexp(own_v, s.v))
        out.append(Tried(off, fine[:, :lanes] & fine[:, cut], moved))
    return out[1:]


def different(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(steps, lanes) whether any component differs in any bit; any NaN is one."""
    return ((x != y) & ~(np.isnan(x) & np.isnan(y))).any(axis=1)


def lanes_moved(state: np.ndarray) -> int:
    """In how many lanes of (steps + 1, numbers, lanes) something moved, and stayed finite."""
    return int(((state[-1] != state[0]).any(axis=0) & np.isfinite(state[-1]).all(axis=0)).sum())


def run_cell(cell: Cell) -> list[Record]:
    rule, d = RULES[cell.rule], cell.case.dim
    lanes, steps = SIZE.get(cell.profile, SIZE["full"])
    each = claims(rule, d)
    with np.errstate(all="ignore"):  # what leaves the numbers of a type is judged, not warned about
        out = []
        for without in LEFT_OUT:
            job = cell.job(lanes, steps, **dict.fromkeys(set(without) & set(rule.parameters), 0.0))
            mine = [scaling for scaling, left_out in each if left_out == without]
            if mine and not (without and rests(cell.case, job)):
                out += of_claims(cell, job, mine, without)
        out += turned.judged(cell, cell.job(lanes, TURNED))
        if departing(cell) and departs(rule, d):
            out += departed(replace(cell, precision="float64"))
    return out


def departing(cell: Cell) -> bool:
    """Whether this cell shows the departure of a stability: in float64, and if quick of every third rule."""
    if cell.profile != "quick":
        return cell.precision == "float64"
    return cell.rule not in RULES or (list(RULES).index(cell.rule) + cell.seed) % 3 == 0


def of_claims(cell: Cell, job: Job, changes: list[Scaling], without) -> list[Record]:
    """Some changes of scale of a job, and faults: wrong powers beside them, wrong steps under them."""
    rule, d, lanes = job.rule, cell.case.dim, job.lanes
    j = np.random.default_rng(derive(cell.seed, f"{cell.name}/scales")).choice(scaled.STEPS_OF_SCALE, lanes)
    here = lambda scaling=None, **other: scaled.scales(rule, d, scaling, j, **other)
    planted = [(c, f, x) for c in changes for f in faults.SCALES if (x := f.powers(rule, c, without))]
    names = sorted({f.parameter for _, f, _ in planted})
    scalings = [here(), *(here(c) for c in changes), *(here(c, **x) for c, _, x in planted)]
    # A run that does not read a parameter shows no wrong scale of it.
    found = tried(job, [*scalings, *(here(**{name: -1}) for name in names)])
    right, wrong = found[: len(changes)], found[len(changes) : len(changes) + len(planted)]
    read = {name: x.off[-1].mean() > 0.5 for name, x in zip(names, found[-len(names) :], strict=False)}
    out = [record(cell, c, without, job, x) for c, x in zip(changes, right, strict=True)]
    for (c, fault, _), x in zip(planted, wrong, strict=True):
        out += [record(cell, c, without, job, x, fault.name)] if read[fault.parameter] else []
    for fault in faults.steps_of(rule, few=cell.profile == "quick") if not without else ():
        (x,) = tried(job, scalings[:2], fault.advance)
        out.append(record(cell, changes[0], without, job, x, fault.name))
    return out


def record(cell: Cell, change: Scaling, without, job: Job, found: Tried, fault: str | None = None) -> Record:
    wrong = int((found.off & found.inside).sum())
    powers = {x: str(y) for x, y in change.told().items()}
    named = ", ".join(f"{x} by a^{y}" for x, y in powers.items())
    zero = f", {' = '.join(without)} = 0" if without else ""
    reason = (
        f"{change.change}{zero}, with {named}: {wrong} of {int(found.inside.sum())} states differ in any "
        f"bit; {found.moved} of {job.lanes} lanes moved; {int((~found.inside[-1]).sum())} lanes leave the "
        "normal numbers in the reference"
    )
    step, lane = (int(i[0]) for i in np.nonzero(found.off & found.inside)) if wrong else (0, 0)
    ends = {x: [float(y.min()), float(y.max())] for x, y in zip(job.rule.parameters, job.params, strict=True)}
    return judgement.bits(
        wrong,
        reason,
        enough=found.moved * 2 >= job.lanes and bool(found.inside[-1].any()),
        symmetry=change.change + zero,
        fault=fault,
        **turned.about(cell, job, **ends, powers=powers),
        place={"lane": lane, "step": step, "component": None} if wrong else None,
        powers=bitwise.of_store(job.precision),
    )
