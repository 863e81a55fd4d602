"""What N5 to N9 must kill: their statements, each wrong in one thing, and trainings that are not what was
said."""

from __future__ import annotations

from noether.laws.law import NEAR, WrongStatement

ETA_OFF = WrongStatement("learning rate x (1 + 2^-10)", {"eta": NEAR})
DECAY_DROPPED = WrongStatement("decay left out", {"k": 0.0})
DECAY_ONCE = WrongStatement("decay of the norm for that of its square", {"once": True})
GRADIENT_OFF = WrongStatement("gradient x (1 + 2^-10) in the memory", {"g": NEAR})
N9 = (ETA_OFF, DECAY_DROPPED, DECAY_ONCE, GRADIENT_OFF)
"""They are planted in memory.py."""
