"""What N5 to N9 must kill: their statements, each wrong in one thing, and trainings that are not what was
said."""

from __future__ import annotations

from noether.laws.law import NEAR, WrongStatement

N9_STEP = (
    WrongStatement("learning rate x (1 + 2^-10)", {"eta": NEAR}),
    WrongStatement("decay left out", {"k": 0.0}),
    WrongStatement("decay of the norm for that of its square", {"once": True}),
    WrongStatement("gradient x (1 + 2^-10) in the memory", {"kinetic": NEAR**2}),
)
N9_TWIN = (
    WrongStatement("a memory half as short, 1 - rho = 2 eta k/(1 - beta)", {"forgets": 0.5}),
    WrongStatement("a memory 2.5 % too short", {"forgets": 1.025}),
    WrongStatement("a source for white gradients", {"source": 1 / 3}),
)
N9 = (*N9_STEP, *N9_TWIN)
"""They are planted in memory.py."""

N5_STEP = (
    WrongStatement("learning rate of the norm x (1 + 2^-10)", {"eta": NEAR}),
    WrongStatement("momentum of the norm x (1 + 2^-10)", {"beta": NEAR}),
    WrongStatement("momentum of the norm left out", {"beta": 0.0}),
    WrongStatement("decay of the norm left out", {"k": 0.0}),
    WrongStatement("kinetic term of the norm left out", {"kinetic": 0.0}),
)
COHERENT = WrongStatement("Eq. 17 of NLD: coherent gradients")
WHITE = WrongStatement("white gradients")
COHERENT_MEAN = WrongStatement("Eq. 17 of NLD: coherent gradients, on average")
WHITE_MEAN = WrongStatement("white gradients, on average")
ONE_STEP = WrongStatement("F(rho) of the correlation of one step")
ANGLE = WrongStatement("a turn of sqrt(2 eta k) in a step")
N5 = (*N5_STEP, COHERENT, WHITE, COHERENT_MEAN, WHITE_MEAN, ONE_STEP, ANGLE)
"""They are planted in norms.py and equilibrium.py."""

REST = WrongStatement("a buffer that starts at 0", {"share": 0.0})
LATE = WrongStatement("rates eta a^(-2n)", {"shift": 0.0})
N7 = (
    WrongStatement("the root without momentum, 1 - eta k", {"beta": 0.0}),
    WrongStatement("decay x (1 + 2^-10) in the root", {"k": NEAR}),
    LATE,
    WrongStatement("rates eta a^(-n-1)", {"power": 1.0}),
    REST,
)
N7_SHOWN = (REST, LATE)
"""They are planted in growing_rate.py; some are drawn."""

N6_BITS = (
    WrongStatement("filters scaled, the rate by a instead of a^2", {"eta": 1}),
    WrongStatement("filters scaled, the rate as it was", {"eta": 0}),
    WrongStatement("filters scaled, the decay as it was", {"k": 0}),
    WrongStatement("filters scaled, eps as it was", {"eps": 0}),
)
N6_TEN = (
    WrongStatement("filters times 10, the rate times 10", {"eta": 1}),
    WrongStatement("filters times 10, the decay as it was", {"k": 0}),
    WrongStatement("filters times 10, the buffer as it was", {"buffer": 0}),
)
N6 = (*N6_BITS, *N6_TEN)
"""They are planted in scales.py."""

N8_SHIFT = (
    WrongStatement("decay of a sum x (1 + 2^-10)", {"k": NEAR}),
    WrongStatement("momentum of a sum left out", {"beta": 0.0}),
)
N8_QUADRATIC = (
    WrongStatement("learning rate of a charge x (1 + 2^-10)", {"eta": NEAR}),
    WrongStatement("decay of a charge x (1 + 2^-10)", {"k": NEAR}),
    WrongStatement("momentum of a charge left out", {"beta": 0.0}),
    WrongStatement("kinetic term of a charge left out", {"kinetic": 0.0}),
)
SECOND_ORDER = WrongStatement("printed curves of order 2")
N8 = (*N8_SHIFT, *N8_QUADRATIC, SECOND_ORDER)
"""They are planted in charges.py."""
