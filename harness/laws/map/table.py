"""The map as theory predicts it (theory.md section 7): which rule keeps what, to which order in eta.

    exact     the charge obeys its law to rounding at every step size
    order p   it leaves its law by O(eta^p) over a fixed time;  order 0: broken, however small the step
    -         the metric's one-form <G dq, xi> is not closed: there is no charge to keep

`charge` names what is measured (charges.py). Momentum is taken twice: with beta fixed, where eta -> 0 is
gradient flow at another pace, and with the mass fixed (eta = h^2, beta = 1 - h), where h -> 0 is the
second-order flow.
"""

from __future__ import annotations

from dataclasses import dataclass

EXACT, NO_CHARGE = "exact", "-"
ROWS = ("translation", "scale", "rescale", "GL(r)", "rotation", "time")
COLUMNS = ("gradient flow", "gradient descent", "heavy ball", "fixed mass", "Nesterov", "decoupled decay",
           "entropy mirror", "natural gradient", "RMSProp", "Adam", "sign")  # fmt: skip
BETA, DECAY, FRICTION = 0.27, 0.21, 0.87
RMS, FIRST, SECOND, EPSILON = 0.55, 0.47, 0.78, 1e-8  # short memories: eta -> 0 is reached within the ladder
"""Parameters of the columns."""
SHORT = ("flow", "GD", "HB", "mass", "Nest.", "decay", "mirr.", "nat.", "RMSP", "Adam", "sign")


@dataclass(frozen=True)
class Entry:
    """One cell as predicted: its label, and the charge that is measured."""

    label: str
    charge: str

    @property
    def order(self) -> int | None:
        return int(self.label.removeprefix("order ")) if self.label.startswith("order ") else None


def row(text: str) -> tuple[Entry, ...]:
    """'exact:potential 1:potential ...' in the order of COLUMNS."""
    entries = []
    for word in text.split():
        label, charge = word.split(":")
        entries.append(Entry(f"order {label}" if label.isdigit() else label, charge))
    if len(entries) != len(COLUMNS):
        raise ValueError(f"row has {len(entries)} entries, must have {len(COLUMNS)}: {text}")
    return tuple(entries)


PREDICTED: dict[str, tuple[Entry, ...]] = {
    "translation": row("exact:potential exact:potential exact:decay exact:decay exact:decay exact:decay "
                       "exact:dual 1:dual 0:potential 0:potential 0:potential"),
    "scale": row("exact:potential 1:potential 1:massive 0:decay 1:massive 1:massive 1:dual exact:dual "
                 "0:potential 0:potential 0:potential"),
    "rescale": row("exact:potential 1:potential 1:massive 0:decay 1:massive 1:massive 1:dual exact:dual "
                   "0:potential 0:potential exact:modulus"),
    "GL(r)": row("exact:potential 1:potential 1:massive 0:decay 1:massive 1:massive -:form -:form "
                 "0:potential 0:potential 0:potential"),
    "rotation": row("-:form -:form exact:decay exact:decay 1:decay exact:decay 0:impulse 0:impulse "
                    "0:impulse 0:impulse 0:impulse"),
    "time": row("exact:energy 2:energy 2:energy 2:energy 1:energy 2:energy 1:energy 1:energy 0:energy "
                "0:energy 0:energy"),
}  # fmt: skip

CHARGES = {
    ("translation", "potential"): "sum q",
    ("translation", "decay"): "J = beta^n J_0",
    ("translation", "dual"): "sum log q",
    ("scale", "potential"): "|q|^2",
    ("scale", "massive"): "|q|^2 + 2 beta/(1-beta) J",
    ("scale", "decay"): "J = beta^n J_0",
    ("scale", "dual"): "sum q",
    ("rescale", "potential"): "|u|^2 - |v|^2",
    ("rescale", "massive"): "|u|^2 - |v|^2 + 2 beta/(1-beta) J",
    ("rescale", "decay"): "J = beta^n J_0",
    ("rescale", "dual"): "sum u - sum v",
    ("rescale", "modulus"): "|u_i| - |v_i|",
    ("GL(r)", "potential"): "<B, U^T U - V^T V>",
    ("GL(r)", "massive"): "<B, U^T U - V^T V> + 2 beta/(1-beta) J",
    ("GL(r)", "decay"): "J = beta^n J_0",
    ("GL(r)", "form"): "none: <G dq, xi> is not closed",
    ("rotation", "form"): "none: <dq, xi> is not closed",
    ("rotation", "decay"): "J = beta^n J_0",
    ("rotation", "impulse"): "sum <q' - q, xi> = 0",
    ("time", "energy"): "E' = -mu <qdot, G qdot>",
}
"""What each charge is, in letters."""


def entry(row: str, column: str) -> Entry:
    return PREDICTED[row][COLUMNS.index(column)]
