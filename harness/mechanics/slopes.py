"""The slopes of the functions of a loss, of which no traced gradient knows."""

from __future__ import annotations

SLOPES = {
    "exp": lambda x, value: value,
    "log": lambda x, value: 1 / x,
    "sqrt": lambda x, value: 1 / (2 * value),
    "step": None,  # flat on both sides, and at its kink nobody asks (theory.md section 8)
}
"""d/dx of each function of xp: a derivation of its own, which the traced gradient must not share."""
