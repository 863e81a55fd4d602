"""The planted faults that laws promise to kill, each an object with its name once, and their groups: those of
harness/faults, and the wrong statements of the laws of a launch as a whole."""

from __future__ import annotations

from noether.faults import named, placed
from noether.laws.law import WrongStatement

DOUBLED, GRADIENT_OFF, ASCENT = named("gradient x 2", "gradient x (1 + 2^-10)", "ascent")
STEP_OFF, UNBROKEN = named("eta x (1 + 2^-10)", "breaking term ignored")
NEAR_GRADIENTS = (DOUBLED, GRADIENT_OFF, ASCENT, STEP_OFF, UNBROKEN)
STILL, NAN_IN_A_LANE, NO_TAIL = named("no-op kernel", "NaN in one lane", "tail lanes not written")
STATE_OFF, BUFFER_OFF = named("state 8 ulp off", "buffer 8 ulp off")
POSITIONS = (STILL, NAN_IN_A_LANE, NO_TAIL, STATE_OFF)
STATES = (*POSITIONS, BUFFER_OFF)
(BETA_OFF,) = named("beta x (1 + 2^-10)")
K_OFF, DECAY_DECOUPLED = named("k off by 1 %", "decay decoupled for coupled")
DECAY_AFTER, DECAY_COUPLED = named("decay applied after the step", "decay coupled for decoupled")
DECAYS = (K_OFF, DECAY_DECOUPLED, DECAY_AFTER)
(NARROW_ETA,) = named("eta as float32")
(ANOTHER_LOSS,) = named("another loss, same symmetry")
NO_METRIC, KAPPA_OFF = named("metric ignored", "kappa x (1 + 2^-10)")
METRICS = (NO_METRIC, KAPPA_OFF, *named("metric of the last position"))
(VELOCITY_KEPT,) = named("velocity kept for momentum")
(SCHEDULE_IGNORED,) = named("schedule ignored")
(SCHEDULE_INSIDE,) = named("schedule inside the buffer")
SCHEDULES = (SCHEDULE_IGNORED, *named("schedule one step late"), SCHEDULE_INSIDE)
SIGN_IGNORED, NOT_NORMALISED = named("sign ignored", "normalisation left out")
LINES = named("first moment not corrected", "second moment not corrected", "stability inside the root")
"""Wrong lines of rules with moments."""
TRUNCATED, NARROW_BUFFER = named("bfloat16 store truncated", "momentum narrowed to the store")
NARROW_STORES = (TRUNCATED, NARROW_BUFFER)
OPTIONS = named("Nesterov ignored", "dampening ignored", "first step dampened too", "maximize ignored")
FROZEN, METRIC_BEFORE = named("second moment frozen", "second moment of the step before")
FORGETTING, OF_MOMENTUM = named("1 - beta2 x (1 + 2^-10)", "second moment of the new momentum")
NARROW_MOMENT = named("second moment one type lower")
MOMENTS = (FROZEN, FORGETTING, OF_MOMENTUM, *named("second moment without its square"), *NARROW_MOMENT)
MOMENTS += named("one second moment for all components")
"""Of what a rule keeps beside its covector."""
LATE_POSITIONS, LATE_BUFFERS = named(*placed.LATER)
LATE = (LATE_POSITIONS, LATE_BUFFERS)
(OTHER_START,) = named("another start than the one asked for")
PLACED = (
    OTHER_START,
    *named(
        "one value 8 ulp off", "one buffer value off by 2^-10", "NaN at one place", "one lane stands still"
    ),
    *named("one step of one lane is skipped", "two lanes exchanged from a step on"),
    *LATE,
    *named("eta x (1 + 2^-10) from a step on", "nothing from a step on", "momentum lost in one step"),
    *named("decay ignored from a lane on", "breaking ignored from a lane on"),
    *named("eta x (1 + 2^-10) from a lane on", "eta x 2 from the second block of lanes on"),
)
"""At one step, lane or value, anywhere in a launch."""

# D13, E1, B1: of a launch as a whole, and of one launch beside another
NOT_SQUARED = WrongStatement("eta scaled as a, not a^2")
EPS_OFF = WrongStatement("eps off by 2^-10", {"eps": 1 + 2.0**-10})
(ONE_LANE,) = named("one lane in 10^4, last component")
OLD_BUFFER = WrongStatement("the buffer of the last step but one")
OTHER_NOISE = WrongStatement("noise of another seed")


def ulps(**seen: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(fault, precision) of what a law must see in a precision, as in ulps(float64=("state", "buffer")).

    Eight units in the last place are some ten bounds: a bound that became much wider in one precision lets
    them pass. A mixed buffer's are units of float32, which only D0 sees beside the roundings of q.
    """
    names = {"state": STATE_OFF.name, "buffer": BUFFER_OFF.name}
    return tuple((names[x], kind.replace("_", "/")) for kind, what in seen.items() for x in what)
