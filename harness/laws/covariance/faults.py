"""What D17 must kill: changes of scale that leave one thing out, and steps that are wrong by one power."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from noether.cases.rule import Rule
from noether.cases.rules import RULES
from noether.cases.units import Scaling
from noether.kernels.programs.numpy_step import step
from noether.kernels.programs.plain_numbers import FUNCTIONS_OF_ARRAYS
from noether.kernels.programs.precision import narrow
from noether.laws.law import WrongStatement


@dataclass(frozen=True, eq=False, kw_only=True)
class WrongScale(WrongStatement):
    """A change of scale with another power of one parameter.

    parameter  its name;  off(power) -> the wrong power of it
    """

    parameter: str
    off: Callable

    def powers(self, rule: Rule, scaling: Scaling, without: tuple[str, ...]) -> dict[str, int]:
        """The wrong power, {} where the fault changes nothing: the parameter is 0, or the power is right."""
        if self.parameter in without or self.parameter not in rule.parameters:
            return {}
        power = scaling.power(self.parameter)
        return {} if self.off(power) == power else {self.parameter: self.off(power)}


@dataclass(frozen=True, eq=False, kw_only=True)
class WrongStep(WrongStatement):
    """A step that is wrong by one power, as numpy_step.advanced, of rules with a second moment."""

    advance: Callable


def without_root(n, q, v, params, gradient, rule, precision):
    """The step with x for sqrt(x)."""
    functions = SimpleNamespace(**{**vars(FUNCTIONS_OF_ARRAYS), "sqrt": lambda x: x})
    return step(q, v, params, gradient, rule, precision, functions=functions)


def inside_root(n, q, v, params, gradient, rule, precision):
    """The step with sqrt(x + stability) for sqrt(x) + stability."""
    at = rule.index("stability")
    functions = SimpleNamespace(**{**vars(FUNCTIONS_OF_ARRAYS), "sqrt": lambda x: np.sqrt(x + params[at])})
    outside = [0 * x if i == at else x for i, x in enumerate(params)]
    return step(q, v, outside, gradient, rule, precision, functions=functions)


def of_moduli(n, q, v, params, gradient, rule, precision):
    """The step whose second moment goes on with |g| in the place of g^2."""
    new_q, new = step(q, v, params, gradient, rule, precision)
    first, keeps = rule.buffers.index("s") * len(q), rule.index("beta2")
    for i, g in enumerate(gradient(q, params[3])):
        s = new[first + i] + (1 - params[keeps]) * (np.abs(g) - g * g)
        new[first + i] = narrow(s.astype(q[i].dtype), precision.v_store)
    return new_q, new


STABILITY_LEFT = WrongScale("stability not scaled along", parameter="stability", off=lambda power: 0)
STABILITY_TWICE = WrongScale("stability scaled twice", parameter="stability", off=lambda power: 2 * power)
DECAY_LEFT = WrongScale("decay not scaled along", parameter="k", off=lambda power: 0)
STEP_TOO = WrongScale("eta over a too", parameter="eta", off=lambda power: power - 1)
SCALES = (STABILITY_LEFT, STABILITY_TWICE, DECAY_LEFT, STEP_TOO)
ROOT_LEFT_OUT = WrongStep("square root left out", advance=without_root)
STABILITY_INSIDE = WrongStep("stability inside the root", advance=inside_root)
MODULI = WrongStep("second moment of |g|", advance=of_moduli)
STEPS = (ROOT_LEFT_OUT, STABILITY_INSIDE, MODULI)
OTHER_CONSTANT = WrongStatement("dq/ds off by 1 %")
OTHER_TURN = WrongStatement("a turn that the lines do not commute with")
D17 = (*SCALES, *STEPS, OTHER_CONSTANT, OTHER_TURN)


def steps_of(rule: Rule, *, few: bool) -> tuple[WrongStep, ...]:
    """The wrong steps of a rule that has a second moment s, beta2, and a stability beside the root.

    few  one of them, another one for each rule in turn
    """
    if not ({"beta2", "stability"} <= set(rule.parameters) and "s" in rule.buffers) or "a" in rule.buffers:
        return ()
    turn = list(RULES).index(rule.name) % len(STEPS) if rule.name in RULES else 0
    return STEPS[turn : turn + 1] if few else STEPS
