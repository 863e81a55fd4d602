"""The map as theory predicts it (theory.md section 7): which rule keeps what, to which order in eta.

    exact     the charge obeys its law to rounding at every step size; a run commutes with a discrete symmetry
    order p   it leaves its law by O(eta^p) over a fixed time;  order 0: broken, however small the step
    -         the metric's one-form <G dq, xi> is not closed: there is no charge to keep

`charge` names what is measured (charges.py). Momentum is taken twice: with beta fixed, where eta -> 0 is
gradient flow at another pace, and with the mass fixed (eta = h^2, beta = 1 - h), where h -> 0 is the
second-order flow. Adagrad is taken with eta = sqrt(h), since its steps shrink as 1/sqrt(n).

Of the discrete symmetries the last three rows are the prediction of the lines themselves: what commutes with
an exchange or a change of sign is read off them (cases/turns.py).
"""

from __future__ import annotations

from dataclasses import dataclass

EXACT, NO_CHARGE = "exact", "-"
BETA, DECAY, FRICTION, NU, TRUST = 0.27, 0.21, 0.87, 0.6, 0.5
RMS, FIRST, SECOND = 0.55, 0.47, 0.78  # short memories: eta -> 0 is reached within the ladder
STABILITY = 2.0**-27
"""Parameters of the columns."""


@dataclass(frozen=True)
class Entry:
    """One cell as predicted: its label, and the charge that is measured."""

    label: str
    charge: str

    @property
    def order(self) -> int | None:
        return int(self.label.removeprefix("order ")) if self.label.startswith("order ") else None


CONTINUOUS = ("translation", "scale", "rescale", "GL(r)", "rotation", "time")
DISCRETE = ("permutation", "sign flip", "exchange")
ROWS = (*CONTINUOUS, *DISCRETE)
BROKEN = "0:potential 0:potential 0:potential 0:potential 0:impulse 0:energy"
"""Nothing is kept: of rules of matrices too, whose matrix is read across the symmetries of these losses."""
OF_SIGNS = "0:potential 0:potential exact:modulus 0:potential 0:impulse 0:energy"
NEAR_SIGNS = "0:potential 0:potential 1:modulus 0:potential 0:impulse 0:energy"
EVERY, POSITIVE = "exact:run exact:run exact:run", "exact:run -:form exact:run"
SIDES = "exact:run exact:run 0:run"
BY_COLUMN = {
    "gradient flow": (
        "flow",
        "exact:potential exact:potential exact:potential exact:potential -:form exact:energy",
        EVERY,
    ),
    "gradient descent": ("GD", "exact:potential 1:potential 1:potential 1:potential -:form 2:energy", EVERY),
    "heavy ball": ("HB", "exact:decay 1:massive 1:massive 1:massive exact:decay 2:energy", EVERY),
    "fixed mass": ("mass", "exact:decay 0:decay 0:decay 0:decay exact:decay 2:energy", EVERY),
    "Nesterov": ("Nest.", "exact:decay 1:massive 1:massive 1:massive 1:decay 1:energy", EVERY),
    "QHM": ("QHM", "exact:decay 1:massive 1:massive 1:massive 1:decay 1:energy", EVERY),
    "decoupled decay": ("decay", "exact:decay 1:massive 1:massive 1:massive exact:decay 2:energy", EVERY),
    "normalised": ("norm.", "exact:potential 1:potential 1:potential 1:potential -:form 0:energy", EVERY),
    "LARS": ("LARS", "exact:decay 1:massive 1:massive 1:massive exact:decay 0:energy", EVERY),
    "entropy mirror": ("mirr.", "exact:dual 1:dual 1:dual -:form 0:impulse 1:energy", POSITIVE),
    "natural gradient": ("nat.", "1:dual exact:dual exact:dual -:form 0:impulse 1:energy", POSITIVE),
    "Adagrad": ("Adag.", BROKEN, EVERY),
    "RMSProp": ("RMSP", NEAR_SIGNS, EVERY),
    "Adam": ("Adam", NEAR_SIGNS, EVERY),
    "LAMB": ("LAMB", NEAR_SIGNS, EVERY),
    "sign": ("sign", OF_SIGNS, EVERY),
    "Signum": ("Sgnm", OF_SIGNS, EVERY),
    "Lion": ("Lion", OF_SIGNS, EVERY),
    "orthogonal": ("orth.", BROKEN, SIDES),
    "Muon": ("Muon", "0:potential 0:potential 0:potential 0:potential 2:decay 0:energy", SIDES),
}
"""Column -> its short name, and its entries down the continuous and the discrete rows."""


def entries(text: str) -> tuple[Entry, ...]:
    """'exact:potential 1:potential ...' in the order of some rows."""
    split = (word.split(":") for word in text.split())
    return tuple(Entry(f"order {x}" if x.isdigit() else x, charge) for x, charge in split)


def column(name: str) -> tuple[Entry, ...]:
    """The entries of a column in the order of ROWS. Raises ValueError where some are missing."""
    found = tuple(e for text in BY_COLUMN[name][1:] for e in entries(text))
    if len(found) != len(ROWS):
        raise ValueError(f"column {name} has {len(found)} entries, must have {len(ROWS)}")
    return found


COLUMNS = tuple(BY_COLUMN)
SHORT = {name: text[0] for name, text in BY_COLUMN.items()}
PREDICTED = {
    row: cells for row, cells in zip(ROWS, zip(*(column(name) for name in COLUMNS), strict=True), strict=True)
}

CHARGES = {
    ("translation", "potential"): "sum q",
    ("translation", "decay"): "J = beta^n J_0",
    ("translation", "dual"): "sum log q",
    ("scale", "potential"): "|q|^2",
    ("scale", "massive"): "|q|^2 + 2 c J",
    ("scale", "decay"): "J = beta^n J_0",
    ("scale", "dual"): "sum q",
    ("rescale", "potential"): "|u|^2 - |v|^2",
    ("rescale", "massive"): "|u|^2 - |v|^2 + 2 c J",
    ("rescale", "decay"): "J = beta^n J_0",
    ("rescale", "dual"): "sum u - sum v",
    ("rescale", "modulus"): "|u_i| - |v_i|",
    ("GL(r)", "potential"): "<B, U^T U - V^T V>",
    ("GL(r)", "massive"): "<B, U^T U - V^T V> + 2 c J",
    ("GL(r)", "decay"): "J = beta^n J_0",
    ("GL(r)", "form"): "none: <G dq, xi> is not closed",
    ("rotation", "form"): "none: <dq, xi> is not closed",
    ("rotation", "decay"): "J = beta^n J_0",
    ("rotation", "impulse"): "sum <q' - q, xi> = 0",
    ("time", "energy"): "E' = -mu <qdot, G qdot>",
    ("permutation", "run"): "run(P q) = P run(q), P exchanges hidden units",
    ("sign flip", "run"): "run(P q) = P run(q), P changes the signs of a hidden unit",
    ("sign flip", "form"): "none: q is positive",
    ("exchange", "run"): "run(P q) = P run(q), P exchanges two parameters",
}
"""What each charge is, in letters; c = beta/(1 - beta), of QHM nu beta/(1 - beta)."""


def entry(row: str, column: str) -> Entry:
    return PREDICTED[row][COLUMNS.index(column)]
