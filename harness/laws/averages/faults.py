"""What D9 and D12 must kill: their runs and statements, each wrong in one thing.

`changed` are keywords of the run on minibatches (D9), and of the averages that are predicted (D12).
"""

from __future__ import annotations

from noether.laws.exact.planted import STILL
from noether.laws.law import WrongStatement

NOISE = 2.0**-10
MINIBATCHES = (
    WrongStatement("minibatches that are not symmetric", {"tilt": NOISE}),
    WrongStatement("noise in every direction", {"shake": NOISE}),
)

AVERAGES = (
    WrongStatement("momentum left out of the average", {"beta": 0.0}),
    WrongStatement("decay x (1 + 2^-10)", {"k": 1 + 2.0**-10}),
)
DECAYS = (
    WrongStatement("decoupled decay's average for coupled decay's", {"decoupled": True}),
    WrongStatement("coupled decay's average for decoupled decay's", {"decoupled": False}),
)
"""Of the two that one which is not the rule's."""
LONG_RUNS = (STILL, *AVERAGES, *DECAYS)
