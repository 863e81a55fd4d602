"""D9: gradient noise has no component along a symmetry (theory.md#D9).

Each sample's loss is symmetric, so <grad f_B, xi> = 0 for every minibatch B, and the charge of a run on
minibatches obeys the balance of the full loss, word for word:

    J' = s beta J - s eta <eps grad b + k q, xi> + <A v', v'>          D2, whatever batches were drawn  (1)

Measured on runs of the plain step whose gradient is that of another minibatch in every step; the gradient in
the bound is the minibatch's own. A run proves something where the noise eta |grad f_B - grad f| stands above
the bound of (1): with full batches it would be D2 again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import product

import numpy as np

from noether.cases.case import Case
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.loops.outcome import Outcome
from noether.kernels.programs import numpy_step, trace
from noether.kernels.programs.namespaces import NUMPY
from noether.kernels.programs.precision import Precision, narrow, parse
from noether.laws.averages import faults
from noether.laws.cell import LawCell
from noether.laws.exact import EXACT, act, broken_pull, charge, dot
from noether.laws.exact.certified import Domain
from noether.laws.exact.judge import judge
from noether.mechanics import sweep
from noether.mechanics.domain import overflowing
from noether.mechanics.trajectory import Trajectory
from noether.system.seeds import derive
from noether.verdicts import powers
from noether.verdicts.record import Record

SIZE = {"quick": (41, 24), "full": (151, 96)}  # lanes, steps
BATCHES = 4  # different minibatches of a run, each of a third of the samples
NOISY = 16.0  # the noise must be this many bounds


@dataclass(frozen=True)
class Cell(LawCell):
    """One case with samples under one rule."""

    case: Case
    rule: str
    precision: str
    profile: str
    seed: int
    law: str = "D9"
    backend: str = "numpy"

    @property
    def name(self) -> str:
        return f"{self.law}/{self.case.name}/{self.rule}/{self.precision}"

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(derive(self.seed, self.name))

    def job(self) -> launch.Job:
        lanes, most = SIZE.get(self.profile, SIZE["full"])
        rule, precision = RULES[self.rule], parse(self.precision)
        seed, steps = derive(self.seed, f"{self.name}/launch"), min(most, sweep.horizon(rule, precision))
        return sweep.draw(self.case, rule, precision, lanes=lanes, steps=steps, seed=seed)


def cells(cases, profile: str = "quick", seed: int = 0, backend: str = "numpy") -> list[Cell]:
    suited = [c for c in cases if c.samples] if profile != "glance" else []
    choices = [("heavy-ball", "float64"), ("gradient-descent", "float32")]
    if profile != "quick":
        rules, precisions = ("heavy-ball-decoupled", "nesterov"), ("float64", "float32", "bfloat16")
        choices = [*product(rules, precisions), *choices]
    return [Cell(c, rule, precision, profile, seed) for c in suited for rule, precision in choices]


def mean_of(case: Case, batch: tuple[int, ...], tilt: float, q, xp):
    """The mean loss of some samples; `tilt` adds a term that keeps no symmetry of any case here."""
    losses = case.samples(q, xp)
    value = sum(losses[i] for i in batch) / len(batch)
    return value + tilt * (q[0] * q[0]) if tilt else value


@cache
def on(case: Case, batch: tuple[int, ...], tilt: float = 0.0) -> Case:
    """The case whose loss is that of a minibatch."""
    return replace(case, loss=partial(mean_of, case, batch, tilt))


class Noisy(Trajectory):
    """A trajectory whose step n took the gradient of the minibatch `batches[n]`."""

    def __init__(self, case: Case, job: launch.Job, outcome: Outcome, batches: list[tuple[int, ...]]):
        z, v = outcome.wide()
        q, v = (np.concatenate([x0[None], x[1:]]) for x0, x in ((job.q0, z), (job.v0, v)))
        super().__init__(case, job.rule, job.precision, q, v, job.params)
        self.batches = batches

    def by_batch(self, of: Callable[[Trajectory], np.ndarray]) -> np.ndarray:
        """of(trajectory of the minibatch), each step from its own."""
        out = np.empty_like(self.q[:-1])
        for batch in dict.fromkeys(self.batches):
            mine = np.flatnonzero([b == batch for b in self.batches])
            # A trajectory of these steps alone: only its gradients are asked for, at row i the state before
            # step mine[i].
            rows = [*mine, mine[-1] + 1]
            z, v = self.z[rows], self.v[rows]
            part = Trajectory(on(self.case, batch), self.rule, self.precision, z, v, self.params)
            out[mine] = of(part)
        return out

    @cached_property
    def g_kept(self) -> np.ndarray:
        return self.by_batch(lambda t: t.g_kept)

    @cached_property
    def g_error(self) -> np.ndarray:
        return self.by_batch(lambda t: t.g_error)

    @cached_property
    def noise(self) -> np.ndarray:
        """(steps, lanes) eta |grad f_B - grad f|: how far a step is from that of the whole loss."""
        apart = self.g_kept - self._gradient(self.case.loss)
        return np.abs(self.eta) * np.sqrt(dot(apart, apart))


def run(
    job: launch.Job, case: Case, batches, *, tilt=0.0, shake=0.0, rng: np.random.Generator | None = None
) -> Outcome:
    """The plain step, on another minibatch in every step. `tilt`, `shake`: of minibatches that are not
    symmetric, and of noise in every direction, drawn by rng."""
    precision = job.precision

    def advance(n, q, v, params, gradient, rule, precision):
        program = trace.gradient(on(case, batches[n - 1], tilt))

        def shaken(x):
            noise = (shake * rng.standard_normal(x.shape)).astype(x.dtype)
            return narrow(x + noise, precision.rounded)

        def noisy(at, eps):
            g = program.run(at, eps, precision)
            return [shaken(x) for x in g] if shake else g

        return numpy_step.step(q, v, params, noisy, rule, precision)

    q, v = numpy_step.trajectory(
        job.program, job.rule, precision, job.q0, job.v0, job.params, job.steps, advance=advance
    )
    return Outcome(q, v, precision, "numpy", 0.0)


def leaving(case: Case, job: launch.Job, batches) -> np.ndarray:
    """(lanes,) whether the same minibatches in float64 come near overflow in the job's precision, each in its
    own operations."""
    z, v = run(replace(job, precision=Precision("float64")), case, batches).wide()
    gone = np.zeros(job.lanes, bool)
    for batch in set(batches):
        mine = np.flatnonzero([b == batch for b in batches])
        gone |= overflowing(replace(job, program=trace.gradient(on(case, batch))), z[mine], v[mine])
    return gone | overflowing(job, z[-1:], v[-1:])


def run_cell(cell: Cell) -> list[Record]:
    job, rng = cell.job(), cell.rng
    count = len(cell.case.samples(list(job.q0), NUMPY))
    drawn = [rng.choice(count, max(1, count // 3), replace=False) for _ in range(BATCHES)]
    every = [tuple(sorted(int(i) for i in batch)) for batch in drawn]
    batches = [every[int(i)] for i in rng.integers(0, len(every), job.steps)]
    right = Noisy(cell.case, job, run(job, cell.case, batches), batches)
    inside = Domain(cell.case, job, right, lambda: leaving(cell.case, job, batches))
    outside = lambda: inside.ends
    records = judged(cell, right, None, outside)
    for fault in faults.MINIBATCHES:
        shaking = np.random.default_rng(derive(cell.seed, f"{cell.name}/shake"))
        wrong = run(job, cell.case, batches, rng=shaking, **fault.changed)
        records += judged(cell, Noisy(cell.case, job, wrong, batches), fault.name, outside)
    return records


def noticed(t: Noisy, law, symmetry) -> dict[str, float]:
    """The power of one record: the smallest wrong beta, eta and kinetic term that (1) would have been
    violated with."""
    with np.errstate(all="ignore"):
        r, J = law.residual(t, symmetry), charge(t, symmetry)
        terms = {
            "beta": t.shrink * t.beta * J[:-1],
            "eta": t.shrink * broken_pull(t, symmetry),
            "kinetic term": dot(act(symmetry.matrix, t.move), t.v[1:]) * (not symmetry.is_rotation),
        }
        seen = {
            name: powers.smallest(r.measured - r.predicted, r.bound, term) for name, term in terms.items()
        }
    return {name: x for name, x in seen.items() if np.isfinite(x)}


def judged(
    cell: Cell, t: Noisy, fault: str | None, outside: Callable[[], np.ndarray] | None = None
) -> list[Record]:
    """outside() (lanes,): where a right run overflows; asked only where something is violated, an overflow
    kills no fault."""
    law = replace(EXACT["D2"], key="D9")
    about = dict(case=cell.case.name, rule=cell.rule, backend="numpy", precision=cell.precision)
    about |= {"cell": cell.name, "parameters": {"batches": len(set(t.batches)), "samples": len(t.batches[0])}}
    out = []
    for symmetry in cell.case.symmetries:
        if not law.covers(t, symmetry).any():
            continue
        with np.errstate(all="ignore"):
            along = np.sqrt((symmetry.matrix**2).sum() + (symmetry.shift**2).sum())
            bound = law.residual(t, symmetry).bound / along
            loud = float((t.noise > NOISY * bound).mean())
        record = judge(t, law, symmetry, about=about, outside=outside, enough=loud >= 1 / 2)
        record.fault, record.powers = fault, {} if fault else noticed(t, law, symmetry)
        record.reason += (
            f"; {len(set(t.batches))} minibatches of {len(t.batches[0])}, {100 * loud:.0f} % of the steps "
            f"further than {NOISY:g} bounds from the whole loss's"
        )
        record.replay = cell.replay
        out.append(record)
    return out
