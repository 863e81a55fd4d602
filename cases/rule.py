"""What a learning rule is: one step, written once as plain arithmetic, and what is claimed of it.

A file of cases/rules/ holds one rule. Everything that runs is made of its lines: the numpy step runs them as
they stand, the Triton kernel calls them traced and printed, their rounding is bounded by the running error of
that trace. `terms` says the same step a second time, as sums of named terms, and judges it.

    update(q, buffers, g, p, xp) -> q', buffers'         lists of d numbers; buffers is a list of such lists
    terms(q, buffers, new, g, p, xp) -> {name: list}, [{name: list} a buffer]

`p` has the parameters of a lane, what is known of the step's number, and G, the entries of a metric, by name.
`new` are the new buffers as they are stored. `xp` has sqrt, exp, log, step, sign, absolute, maximum, and two
marks: xp.store(x) rounds a parameter to the type in which parameters are stored, xp.store_buffer(x) a buffer.

That update and terms agree is proven when a rule is made, at random points (cases/exact_numbers.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from types import SimpleNamespace

import numpy as np

from noether.cases import exact_numbers, rule_declared, rule_shapes
from noether.cases.covector import HEAVY, LIGHT, Covector, Parameter, plain_force, with_decay
from noether.cases.declared import RuleError
from noether.cases.iteration import Iteration
from noether.cases.rule_declared import COMMON, every
from noether.cases.step_sizes import Bounded, Length


@dataclass(frozen=True)
class Rule:
    """One learning rule.

    name        words of small letters, joined by hyphens
    step        its equations, a line each, as `noether rules` prints them
    source      author, year, and the name that PyTorch has for it
    update      update(q, buffers, g, p, xp) -> q', buffers': the step, as it stands above
    terms       terms(q, buffers, new, g, p, xp): the same as sums of named terms
    buffers     the names of its buffers: each has d numbers
    extra       parameters beside COMMON
    known       known(n, p) -> {name: number}: what step n, from 1, knows of its number, in float64
    place       place(z, xp) -> the parameters at which the gradient is taken, where z is stored for them
    covector    the covector of its charge, None where it has none
    metric      whose kinetic energy this rule has: euclidean, diagonal, bregman, maximum, adaptive, spectral
    torch       torch(p) -> (class of torch.optim, options), where it is there
    fits        fits(d) -> whether it can take d parameters; a rule of matrices may need a shape
    iteration   the part of its update that iterates, whose rounding is bounded by how steep it is
    bounded, length  how far a step can go and how long it is, whatever the gradient (step_sizes.py)
    """

    name: str
    step: tuple[str, ...]
    source: str
    update: Callable
    terms: Callable
    buffers: tuple[str, ...] = ("v",)
    extra: tuple[Parameter, ...] = ()
    known: Callable | None = None
    place: Callable | None = None
    covector: Covector | None = None
    metric: str = "euclidean"
    torch: Callable | None = None
    fits: Callable = every
    iteration: Iteration | None = None
    bounded: Bounded | None = None
    length: Length | None = None

    def __post_init__(self):
        rule_declared.check(self)
        try:
            rule_shapes.check(self)
            exact_numbers.prove(self)
        except RuleError as error:
            raise RuleError(f"{error}{rule_declared.places(self)}") from None

    def __reduce__(self):
        """A rule goes to another process as the file that its lines stand in, and its name there; one that
        stands beside its lines in no file goes as its functions."""
        module = sys.modules.get(getattr(self.update, "__module__", ""))
        for name, x in vars(module).items() if module else ():
            if x is self:
                return from_its_file, (self.update, name)
        return Rule, tuple(getattr(self, field.name) for field in fields(self))

    # ---- what a lane has

    @cached_property
    def known_names(self) -> tuple[str, ...]:
        """The names of what a step knows of its number."""
        return tuple(self.known(1, self.named(np.full(len(self.parameters), 0.5)))) if self.known else ()

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The rows of a launch's parameters."""
        metric = ("kappa",) if self.on_metric else ()
        return (*COMMON, *metric, *(x.name for x in self.extra))

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The numbers that a step reads beside q, its buffers and g: parameters, and what is known of n."""
        return (*self.parameters, *self.known_names)

    def named(self, values) -> SimpleNamespace:
        """Numbers in the order of `inputs`, then the entries of G, by their names."""
        here = SimpleNamespace(**dict(zip(self.inputs_or_parameters(len(values)), values, strict=False)))
        here.G = list(values[len(self.inputs) :]) if len(values) > len(self.parameters) else []
        return here

    def inputs_or_parameters(self, count: int) -> tuple[str, ...]:
        """The names of so many numbers: the parameters alone, or all inputs."""
        return self.parameters if count == len(self.parameters) else self.inputs

    def known_numbers(self, params: np.ndarray, steps: int, begun: int = 0) -> np.ndarray:
        """What steps begun + 1 to begun + steps know of their number, (steps, names, lanes) float64.

        lanes is 1 where nothing of it depends on the lane.  params  (rows, lanes) float64
        """
        if not self.known:
            return np.zeros((steps, 0, 1))
        p = self.named(params)
        found = [list(self.known(n, p).values()) for n in range(begun + 1, begun + steps + 1)]
        wide = max(np.size(x) for row in found for x in row)
        return np.array([[np.broadcast_to(np.asarray(x, float), wide) for x in row] for row in found])

    def index(self, name: str) -> int:
        """The position of an input by its name."""
        return self.inputs.index(name)

    # ---- read off the lines (cases/exact_numbers.py)

    @cached_property
    def reads(self) -> exact_numbers.Reading:
        """What the lines of the rule depend on."""
        return exact_numbers.read(self)

    @property
    def momentum(self) -> bool:
        """Whether the covector of its charge, or its first buffer, is carried over from step to step."""
        return self.reads.momentum

    @property
    def decay(self) -> str:
        """Where k enters: into a buffer (coupled), beside it into q (decoupled), into both, or nowhere
        (none)."""
        return self.reads.decay

    @property
    def decoupled(self) -> bool:
        """Whether k enters beside the buffers alone."""
        return self.decay == "decoupled"

    @property
    def shrinks(self) -> bool:
        """Whether a step takes a share of q itself: decoupled decay, whatever its number is called."""
        return self.reads.shrinks

    @cached_property
    def unread(self) -> frozenset[str]:
        """Those of the common numbers that no step depends on."""
        return frozenset(name for name in ("beta", "k") if not self.reads_number(name))

    @cached_property
    def on_metric(self) -> bool:
        """Whether a metric G(q) of its own stands between v and what moves q."""
        return exact_numbers.reads_metric(self)

    @property
    def log_state(self) -> bool:
        """Whether what is stored is not q itself but log q."""
        return self.place is not None

    @property
    def signed(self) -> bool:
        """Whether the sign of the gradient alone counts."""
        return self.reads.signed

    @property
    def maximize(self) -> bool:
        """Whether the gradient enters with the other sign, so that the loss increases."""
        return self.reads.maximize

    @property
    def simplex(self) -> bool:
        """Whether log q is normalised: each component reads all the others."""
        return self.log_state and self.reads.mixes

    @property
    def moves_by_buffer(self) -> bool:
        """Whether q' - q is v' itself, but for decoupled decay."""
        return self.reads.moves == "by"

    @property
    def moves_along_buffer(self) -> bool:
        """Whether q' - q is parallel to v', but for decoupled decay."""
        return self.reads.moves in ("by", "along")

    @property
    def looks_ahead(self) -> bool:
        """Whether the move of q is linear in the new buffer and in the force together, as Nesterov's."""
        return self.reads.moves == "ahead"

    @property
    def linear(self) -> bool:
        """Whether v' = a v - b f and q' = s q + r v' - m b f with numbers a, b, s, r, m of the step alone."""
        plain = self.reads.moves in ("by", "along", "ahead") and self.covector.scale is None
        return plain and not self.log_state and not self.signed

    @property
    def elementary(self) -> bool:
        """Whether the terms of a step are products of its state, its force and numbers alone, or v' over a
        metric of the case: nothing is squared, and no root is taken."""
        return self.linear or self.on_metric or self.log_state or self.signed

    @property
    def timed(self) -> bool:
        """Whether steps know their number."""
        return self.known is not None

    @cached_property
    def paced(self) -> bool:
        """Whether what steps know of their number changes after the second one, as under a schedule."""
        if not self.known:
            return False
        second, third = self.known_numbers(np.full((len(self.parameters), 1), 0.5), 3)[1:]
        return bool((second != third).any())

    @cached_property
    def scheduled(self) -> bool:
        """Whether what steps know changes now and then only, as at the milestones of a schedule: a launch of
        few steps would miss some."""
        if not self.paced:
            return False
        tenth, next_one = self.known_numbers(np.full((len(self.parameters), 1), 0.5), 2, begun=9)
        return bool((tenth == next_one).all())

    @cached_property
    def keeps_beta(self) -> bool:
        """Whether what the covector keeps of itself in a step is beta, or nothing: not a number of its
        own."""
        return self.covector is not None and (not self.momentum or exact_numbers.keeps_beta(self))

    @cached_property
    def usual_force(self) -> bool:
        """Whether the covector is pulled by eta (g + k q), but for the sign of an ascent."""
        return self.covector is not None and exact_numbers.usual_force(self)

    @cached_property
    def always_drawn_back(self) -> bool:
        """Whether coupled decay has a number other than k, so that no lane is without it."""
        return self.covector is not None and exact_numbers.always_drawn_back(self)

    def reads_number(self, name: str) -> bool:
        """Whether a step depends on a parameter, by its name."""
        return exact_numbers.reads_number(self, name)

    @cached_property
    def remembers(self) -> bool:
        """Whether the first step keeps something of the covector: else its charge is nothing from then on,
        where nothing pulls."""
        halves = np.full((len(self.parameters), 1), 0.5)
        numbers = [*halves[:, 0], *self.known_numbers(halves, 1)[0, :, 0]]
        return bool(self.covector is not None and self.covector.kept(self.named(numbers)) != 0)

    @property
    def screened(self) -> bool:
        """Whether the laws of a step can be traced into a kernel beside it
        (harness/laws/exact/residuals.py)."""
        plain = self.reads.moves in ("by", "ahead") and len(self.buffers) == 1 and not self.extra
        return plain and self.elementary and not (self.signed or self.simplex or self.paced)


def from_its_file(update: Callable, name: str) -> Rule:
    """The rule that has this name of python's in the module of its update. Raises RuleError."""
    module = sys.modules[update.__module__]
    if not isinstance(found := vars(module).get(name), Rule):
        raise RuleError(f"{module.__name__} has no rule {name}: a rule must stand beside its update")
    return found


__all__ = [
    "COMMON",
    "HEAVY",
    "LIGHT",
    "Covector",
    "Parameter",
    "Rule",
    "RuleError",
    "plain_force",
    "with_decay",
]
"""What a file of cases/rules/ is written with."""
