"""The exact laws of one step as a program: what a screen evaluates beside the update.

The residuals of harness/laws/ run once on traced scalars. The gradient in them is accumulated forwards from
the loss, where the kernel runs a program accumulated backwards. They are formed in float64, so what float64
rounds is in the bound: unit and floor of the trajectory, and the running error of the traced gradient itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from noether.cases.case import Case
from noether.cases.rule import Rule
from noether.kernels.loops.screen_launch import PARAMETERS
from noether.kernels.programs import trace
from noether.kernels.programs.precision import UNIT, Precision
from noether.kernels.programs.program import Program
from noether.kernels.programs.tape import Tape, pruned
from noether.kernels.programs.traced_arrays import Scalar, largest
from noether.laws.exact import EXACT
from noether.mechanics import bounds
from noether.mechanics.bounds import FLOAT64
from noether.mechanics.dual import partials
from noether.mechanics.magnitude_bounds import Magnitude, Rules, magnitude_error
from noether.mechanics.trajectory import Trajectory

# At most 2^10 products of a residual underflow, each by 2^-1075, and what multiplies them is below 2^100.
FLOOR = 2.0**-960
# In narrower arithmetic than its own, the screen does not run its gradient's error beside the kernel's: it
# lets it be this many times larger, each in units of its own roundoff.
COARSE = 2.0**20


class Symbols(Trajectory):
    """A trajectory of one lane whose numbers are traced: states (q, v) in order of time, the last one the
    newest."""

    unit, floor, traced = UNIT["float64"], FLOOR, True

    def __init__(self, case: Case, rule: Rule, precision: Precision, states, params):
        self.case, self.rule, self.precision, self.begun = case, rule, precision, 1
        self.kappa, self.extra = [], {}
        self.z, self.v = (np.array([s[i] for s in states], object)[..., None] for i in (0, 1))
        zero = params[0].number(0.0)
        eta, beta, k, eps = params
        beta, k = (zero if name in rule.unread else x for name, x in (("beta", beta), ("k", k)))
        self.eta, self.beta, self.k, self.eps = (np.array([x], object) for x in (eta, beta, k, eps))

    def _gradient(self, loss) -> np.ndarray:
        return np.array(
            [[[self.lift(g)] for g in partials(loss, list(q[:, 0]), 1.0, 0.0)] for q in self.q[:-1]], object
        )

    def lift(self, x) -> Scalar:
        return self.eps[0].lift(x)

    @cached_property
    def g_error(self) -> np.ndarray:
        """Bound on the error of the kernel's gradient, as Trajectory.g_error."""
        error = np.stack([self.kernel_error(q, self.eps) for q in self.q[:-1]])
        if self.precision.arith != "float64":
            return error * (1 + COARSE * self.unit / self.precision.u_arith)
        return error + np.stack([self.own_error(q, g) for q, g in zip(self.q[:-1], self.g, strict=True)])

    def kernel_error(self, q, eps):
        return self.bounded(trace.gradient(self.case), q, self.precision)

    def own_error(self, q, g) -> np.ndarray:
        """The rounding of the traced gradient at q (d, 1), evaluated in float64."""
        place = {x[0].at: i for i, x in enumerate([*q, self.eps])}
        return self.bounded(program_between(self.eps[0].tape, place, [x[0].at for x in g]), q, FLOAT64)

    def bounded(self, program: Program, q, precision: Precision) -> np.ndarray:
        """What a program rounds at q: by magnitudes, or its running error where it has an exp."""
        inputs, rules = [*q, self.eps], Rules(precision)
        units = rules.counts["exp"] if self.rule.log_state else 0
        if program.has_exp:
            known = (
                [*(np.abs(x) * rules.gamma(units) + 4 * rules.tiny * rules.u for x in q), 0 * self.eps]
                if units
                else [0 * x for x in inputs]
            )
            errors = bounds.operations(program, inputs, known, precision, bounds.PASS)[1]
            error = np.stack([np.broadcast_to(errors[i], self.eps.shape) for i in program.outputs])
        else:
            sizes = [
                *(Magnitude(np.abs(x) + (4 * rules.tiny if units else 0), units) for x in q),
                Magnitude(np.abs(self.eps), 0),
            ]
            error = magnitude_error(program, inputs, sizes, precision)
        return error * bounds.SLACK

    @cached_property
    def path(self) -> np.ndarray:
        """The path, which is no evidence here: the screen counts what moves."""
        return self.eps  # what motion is, the screen counts

    @cached_property
    def known(self) -> np.ndarray:
        """What a later step knows of its number: the first one is not screened where it is another."""
        return self.rule.known_numbers(np.ones((len(self.rule.parameters), 1)), self.steps, self.begun)

    @property
    def lanes(self) -> int:
        """How many lanes there are: one."""
        return 1


def program_between(tape: Tape, place: dict[int, int], outputs: list[int]) -> Program:
    """The part of a tape that leads from some of its operations, by position, to others."""
    part = Tape()
    made: dict[int, int] = {}
    for at in range(max(outputs) + 1):
        op = tape.ops[at]
        if at in place:
            made[at] = part.add("input", value=place[at])
        elif all(a in made for a in op.args) and op.name != "input":
            made[at] = part.add(op.name, *(made[a] for a in op.args), value=op.value)
    return pruned(len(place) - 1, part, [made[o] for o in outputs])


@dataclass(frozen=True)
class Residuals:
    """A program of |measured - predicted| / bound, one output for each of `laws`; lags: the first step it can
    judge."""

    program: Program
    laws: tuple[tuple[str, str | None], ...]
    lags: tuple[int, ...]


def speaking(case: Case, rule: Rule, keys=None) -> list[tuple[str, str | None]]:
    """The pairs (law, symmetry) of exact laws that say something of a case under a rule."""
    pairs = []
    for key in keys or (key for key, law in EXACT.items() if law.screened):
        law = EXACT[key]
        pairs += [
            (key, s.name if s else None)
            for s in (case.symmetries if law.about_symmetry else (None,))
            if law.suits(rule, s)
        ]
    return pairs


@cache
def residuals(case: Case, rule: Rule, precision: Precision, laws: tuple, parts: bool = False) -> Residuals:
    """The residuals of `laws`, pairs of a key and the name of a symmetry or None, as one program.

    With `parts` two outputs a law: its largest |measured - predicted|, and the bound there.
    """
    tape, names = Tape(), input_names(case.dim)
    inputs = {name: Scalar.input(tape, i) for i, name in enumerate(names)}
    vector = lambda name: [inputs[f"{name}[{i}]"] for i in range(case.dim)]
    states = [(vector(q), vector(v)) for q, v in ("ou", "qv", "rw")]
    params = [inputs[n] for n in PARAMETERS]
    outputs, lags = [], []
    symmetries = {s.name: s for s in case.symmetries} | {None: None}
    alive = finite(states[-1])
    for key, name in laws:
        lag = EXACT[key].lag
        t = Symbols(case, rule, precision, states[-1 - lag :], params)
        r = EXACT[key].residual(t, symmetries[name])
        off, bound = np.abs(r.measured - r.predicted)[-1].reshape(-1), r.bound[-1].reshape(-1)
        spent = [x / y for x, y in zip(off, bound, strict=True)]
        if parts:
            outputs += [y for pair in zip(off, bound, strict=True) for y in pair]
        else:
            outputs.append(largest(spent) * (1 / bounds.SLACK) + alive)
        lags.append(max(lag, 2) if rule.timed else lag)
    program = pruned(case.dim, tape, [t.lift(x).at for x in outputs], names)
    return Residuals(program, laws, tuple(lags))


def input_names(d: int) -> tuple[str, ...]:
    """The names of a program's inputs: o, u are q, v one step before q, v, and r, w one step after; p has
    eta, beta, k, eps."""
    return (*(f"{name}[{i}]" for name in "ouqvrw" for i in range(d)), *PARAMETERS)


def finite(state) -> Scalar:
    """0 where a state is finite, else NaN: a law may multiply a component by 0, and a NaN must not vanish
    there."""
    first, *rest = [x for part in state for x in part]
    whole = first
    for x in rest:
        whole = whole + x
    return whole.enter("mul", whole, whole.number(0.0))
