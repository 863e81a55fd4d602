"""What one operation of a kernel rounds, and how far its constants are from what is meant (theory.md#R0)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from noether.kernels.programs.operations import STORES, Operation
from noether.kernels.programs.precision import UNIT, Precision, representable

SLACK = 1 + 2.0**-30  # the bounds themselves are evaluated in float64: a few hundred roundings of 2^-53
# digits: a decimal that somebody wrote has fewer, a float that was computed has 16 or 17 but for one in ten
LONG = 16


def arithmetic_unit(precision: Precision) -> float:
    """The unit roundoff in which exp and log are evaluated, whatever they are rounded to after."""
    return 2.0**-53 if precision.arith == "float64" else 2.0**-24


@dataclass(frozen=True)
class Rounding:
    """What one operation rounds: u a unit roundoff, tiny the error of an underflow, own the unit in which exp
    and log are evaluated, before they are rounded once more where that is eager."""

    u: float
    tiny: float
    own: float
    eager: bool
    stores: dict
    kind: str = ""

    @classmethod
    def under(cls, p: Precision) -> Rounding:
        of = lambda kind, u, tiny: (u, 1.5 * tiny) if kind != p.rounded else (0.0, 0.0)
        stores = {"store": of(p.q_store, p.u_q, p.tiny_q), "store_buffer": of(p.v_store, p.u_v, p.tiny_v)}
        return cls(p.u_arith, 1.5 * p.tiny_arith, arithmetic_unit(p), p.eager, stores, p.rounded)

    def of(self, row: Operation, value, passed, signs: bool = False):
        """Of an operation whose value is known to `passed`; `signs` is a product with a sign, which is exact
        but where a parameter is rounded first."""
        if row.name in self.stores:
            u, tiny = self.stores[row.name]
            return u * (np.abs(value) + passed) + tiny
        if signs and not self.eager:
            return 0.0
        error = self.u * (np.abs(value) + passed) if row.rounds else 0.0
        if row.units:
            own = row.units * self.own * (np.abs(value) + passed)
            return own + error + 4 * self.tiny if row.underflows else own + (error if self.eager else 0.0)
        return error + self.tiny if row.underflows else error

    def of_operands(self, letters: tuple[str, ...], x, e):
        """Of an operation that gives an operand back, where every result is rounded: letters of the operands
        as Program.unrounded has them. One that is known exactly is off by its own rounding; a gradient that
        is not was rounded before."""
        error = 0 * e[0]
        for letter, number, off in zip(letters, x, e, strict=True):
            if letter:
                own = 0 * off if letter == "g" else self.u * (np.abs(number) + off) + self.tiny
                if np.asarray(number).dtype != object:
                    known = np.abs(number - representable(number, self.kind))
                    own = np.where(np.asarray(off) == 0, known, own)
                error = error + own
        return error


NONE = Rounding(0.0, 0.0, 0.0, False, dict.fromkeys(STORES, (0.0, 0.0)))


@cache
def constant_error(value: float, precision: Precision) -> float:
    """How far a constant of a kernel is from the number that is meant: from the float of the case file, and
    it from its decimal.

    0.1 means a tenth: <grad f, xi> = 0 is proven of the decimals (harness/mechanics/symmetry_proof.py), and
    what runs is float64 at most. To one rounding upwards; 0 where the decimal is the float, as for 0.5. A
    number of LONG digits was computed, 1/7 by the tracer or x - mean(x) by the case file: it is known to one
    rounding.
    """
    stored = abs(value - float(representable(value, precision.rounded)))
    if not np.isfinite(value):
        return stored
    written = repr(float(value))
    digits = len(written.partition("e")[0].replace(".", "").strip("-0"))
    computed = UNIT["float64"] * abs(value) if digits >= LONG else 0.0
    return stored + max(computed, float(abs(Fraction(written) - Fraction(value))) * SLACK)
