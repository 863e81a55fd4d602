"""How far the rounding of a learning rule's step may take what it stores (theory.md#R0).

The bound is the running error of the rule's own traced lines, with the roundings of its stores. The new
buffers are bounded from the state before; q' from the new buffers as they are stored, since D0 judges it by
those.
"""

from __future__ import annotations

import numpy as np

from noether.kernels.programs.elementary import EXP_UNITS, LOG_UNITS
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.program import Program
from noether.mechanics import bounds
from noether.mechanics.operation_rounding import arithmetic_unit


def step_error(program: Program, inputs: dict, precision: Precision, traced: bool = False) -> np.ndarray:
    """Bound on the error of each output of a step's program, (steps, outputs, lanes).

    inputs  letter of the program's inputs -> (numbers, how far the kernel's own may be), each
            (steps, count, lanes), or None for numbers that are exact
    """
    rules = bounds.PASS_RULE if traced else bounds.FAR_RULE
    out = of_outputs(program, inputs, precision, rules)[1]
    return out * bounds.SLACK if traced else limited(out)


def limited(error: np.ndarray) -> np.ndarray:
    """A bound that was evaluated in float64, with its own roundings; a large number where none is known."""
    return np.minimum(bounds.known(error) * bounds.SLACK, NOTHING_KNOWN)


NOTHING_KNOWN = 2.0**1000
"""A bound on a step of which nothing is known: finite, for laws multiply it by numbers that may be 0."""


def of_outputs(program: Program, inputs: dict, precision: Precision, rules: dict, **which):
    """The values of a step's program and bounds on their errors, (steps, outputs, lanes) each.

    which  what is rounded, as of bounds.operations
    """
    values, errors = rows(program, inputs)
    found = bounds.operations(program, values, errors, precision, rules, **which)
    whole = lambda x: np.stack([np.broadcast_to(x[i], values[-1].shape) for i in program.outputs], axis=1)
    return tuple(map(whole, found))


def rows(program: Program, inputs: dict) -> tuple[list, list]:
    """The inputs of a step's program in order, and how far the kernel's own may be; (steps, lanes) each."""
    values, errors = [], []
    for name in program.inputs:
        letter, _, at = name.rstrip("]").partition("[")
        number, error = inputs[letter]
        x = number[:, int(at)]
        values.append(x)
        errors.append(0 * x if error is None else error[:, int(at)])
    return values, errors


def step_values(program: Program, inputs: dict, precision: Precision) -> np.ndarray:
    """The largest |value| that any operation of a step's program takes, (steps, lanes)."""
    here = rows(program, inputs)[0]
    values = bounds.operations(program, here, [0 * x for x in here], precision, bounds.FAR_RULE)[0]
    return np.max([np.broadcast_to(np.abs(x), here[-1].shape) for x in values], axis=0)


def reach(program: Program, inputs: dict, precision: Precision) -> np.ndarray:
    """The largest |value| that an operation of a step's program may take where it is rounded, (steps, lanes).

    Infinite where a root may be that of a negative number: of a difference, as s - m^2, that is not known to
    be 0 or above. Other arguments of roots are not rounded below 0.
    """
    here, off = rows(program, inputs)
    values, errors = bounds.operations(program, here, off, precision, bounds.FAR_RULE)
    largest = np.zeros(here[-1].shape)
    with np.errstate(all="ignore"):
        for op, value, error in zip(program.ops, values, errors, strict=True):
            largest = np.maximum(largest, np.abs(value) + error)
            if op.name == "sqrt" and program.ops[op.args[0]].name == "sub":
                at = op.args[0]
                nothing = (values[at] == 0) & (values[program.ops[at].args[0]] == 0)
                largest = np.where(nothing | (values[at] >= errors[at]), largest, np.inf)
    return bounds.known(largest)


def shared_by_all(y, log_sum, precision: Precision):
    """What log sum exp y rounds, by which all components of a normalised step are off alike; (steps, lanes).

    y  (steps, d, lanes).  exp(y_i - m) is known to r_i, a sum of positive numbers to R = sum p_i r_i, p the
    exact shares, and its log to R/(1 - R).
    """
    p, d = precision, y.shape[1]
    u, units, eager = p.u_arith, arithmetic_unit(p), p.u_arith * p.eager
    with np.errstate(all="ignore"):
        top = y.max(axis=1)
        sizes, shares = np.abs(y) + np.abs(y - top[:, None]), np.exp(y - log_sum[:, None])
        of_exp = (1 + EXP_UNITS * units + eager) * np.exp(u * (1 + 8 * u) * sizes) - 1
        of_sum = (1 + (shares * of_exp).sum(axis=1)) * (1 + u) ** d - 1 + 6 * d * p.tiny_arith
        spread = np.abs(log_sum - top)
        of_log = bounds.quotient(of_sum, np.ones_like(of_sum), of_sum)
        of_log = of_log + (LOG_UNITS * units + eager) * (spread + of_log) + u * np.abs(log_sum)
        return of_log * (1 + 8 * u)


def of_a_normalised_step(y, after, precision: Precision):
    """What each component of a normalised step rounds for itself: y = z + v', the difference, the store."""
    p = precision
    store = (p.u_q + p.u_arith) * np.abs(after) if p.q_store != p.rounded else p.u_q * np.abs(after)
    return (store + p.u_arith * np.abs(y)) * (1 + 8 * p.u_arith) + 1.5 * (p.tiny_q + p.tiny_arith)
