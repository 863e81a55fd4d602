"""What N1 to N4 must kill: faults planted between autograd and the optimizer's step, and wrong statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from noether.laws.law import NEAR, WrongStatement

RATE_OFF = WrongStatement("learning rate of the step x (1 + 2^-10)")
MOMENTUM_OFF = WrongStatement("momentum of the step x (1 + 2^-10)")
DECAY_LEFT_OUT = WrongStatement("decay of the step left out")
BUFFER_OFF = WrongStatement("what the optimizer keeps x (1 + 2^-10) after the step")
STALE = WrongStatement("gradient of the step before")
HALF_OFF = WrongStatement("every other number of the gradient x (1 + 2^-10)")
DECAYED = WrongStatement("decay added to the gradient by hand")
NO_KINETIC = WrongStatement("kinetic term left out of the balance", {"without": "kinetic"})
NO_FORCE = WrongStatement("force left out of the balance", {"without": "force"})
NO_EPS = WrongStatement("eps left out", {"eps": 0.0})
HALF_EPS = WrongStatement("eps counted once for twice", {"eps": 0.5})
EPS_OFF = WrongStatement("what eps makes x (1 + 2^-10)", {"eps": NEAR})
N1 = (RATE_OFF, MOMENTUM_OFF, DECAY_LEFT_OUT, BUFFER_OFF)
N2 = (RATE_OFF, MOMENTUM_OFF, DECAY_LEFT_OUT, BUFFER_OFF, NO_KINETIC, NO_FORCE)
N3 = (STALE, HALF_OFF, DECAYED, NO_EPS)
N4 = (NO_EPS, HALF_EPS, EPS_OFF)
STATEMENTS = (
    ("N2", NO_KINETIC),
    ("N2", NO_FORCE),
    ("N3", NO_EPS),
    ("N4", NO_EPS),
    ("N4", HALF_EPS),
    ("N4", EPS_OFF),
)
"""(law, its statement made wrong); the others are planted in a training."""


@dataclass(frozen=True)
class Planted:
    """A fault in a training, and the laws that it is shown to.

    gradient  changes gradients in place before a step: gradient(gradients, those of the step before,
              parameters), each by name
    options   changes a parameter group for the time of the step
    kept      changes the optimizer's state after the step, in place
    """

    fault: WrongStatement
    laws: tuple[str, ...]
    gradient: Callable[[dict, dict, dict], None] | None = None
    options: Callable[[dict], None] | None = None
    kept: Callable[[dict], None] | None = None


def buffers_off(state: dict) -> None:
    """Every number that is kept, times 1 + 2^-10."""
    for kept in state.values():
        kept["momentum_buffer"].mul_(NEAR)


def scaled(option: str, by: float) -> Callable[[dict], None]:
    """An option of a parameter group, times a factor."""

    def change(group: dict) -> None:
        group[option] = by * group[option]

    return change


def stale(gradients: dict, last: dict, parameters: dict) -> None:
    """The gradients of the step before in the place of these."""
    for name, g in gradients.items():
        if name in last:
            g.copy_(last[name])


def half_off(gradients: dict, last: dict, parameters: dict) -> None:
    """Every other number times 1 + 2^-10."""
    for g in gradients.values():
        g.view(-1)[::2] *= NEAR


def decayed(gradients: dict, last: dict, parameters: dict) -> None:
    """A part of the parameters added to their gradients."""
    for name, g in gradients.items():
        g.add_(parameters[name].detach(), alpha=0.01)


STEPS = (
    Planted(RATE_OFF, ("N1", "N2"), options=scaled("lr", NEAR)),
    Planted(MOMENTUM_OFF, ("N1", "N2"), options=scaled("momentum", NEAR)),
    Planted(DECAY_LEFT_OUT, ("N1", "N2"), options=scaled("weight_decay", 0.0)),
    Planted(BUFFER_OFF, ("N1", "N2"), kept=buffers_off),
    Planted(STALE, ("N3",), gradient=stale),
    Planted(HALF_OFF, ("N3",), gradient=half_off),
    Planted(DECAYED, ("N3",), gradient=decayed),
)
"""Those that are planted in a training of SGD with momentum and decay."""
