"""Which planted faults an exact law must kill, in groups: the objects of harness/faults, and the wrong
statements of the laws of a launch as a whole."""

from __future__ import annotations

from noether.faults import named
from noether.laws.law import WrongStatement

NEAR_GRADIENTS = named(
    "gradient x 2", "gradient x (1 + 2^-10)", "ascent", "eta x (1 + 2^-10)", "breaking term ignored"
)
BUFFER_OFF = named("buffer 8 ulp off")
POSITIONS = named("no-op kernel", "NaN in one lane", "tail lanes not written", "state 8 ulp off")
STATES = (*POSITIONS, *BUFFER_OFF)
NEAR_BETA = named("beta x (1 + 2^-10)")
DECAYS = named("k off by 1 %", "decay decoupled for coupled", "decay applied after the step")
DECAY_COUPLED = named("decay coupled for decoupled")
NARROW_ETA = named("eta as float32")
ANOTHER_LOSS = named("another loss, same symmetry")
METRICS = named("metric ignored", "kappa x (1 + 2^-10)", "metric of the last position")
VELOCITY_KEPT = named("velocity kept for momentum")
SCHEDULE_IGNORED = named("schedule ignored")
SCHEDULE_INSIDE = named("schedule inside the buffer")
SCHEDULES = (*SCHEDULE_IGNORED, *named("schedule one step late"), *SCHEDULE_INSIDE)
SIGN_IGNORED = named("sign ignored")
NARROW_STORES = named("bfloat16 store truncated", "momentum narrowed to the store")
OPTIONS = named("Nesterov ignored", "dampening ignored", "first step dampened too", "maximize ignored")
LATE_POSITIONS = named("late values of q off by 2^-10")
LATE = (*LATE_POSITIONS, *named("late values of v off by 2^-10"))
PLACED = (
    *named("another start than the one asked for"),
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
(UNBROKEN,) = named("breaking term ignored")
EPS_OFF = WrongStatement("eps off by 2^-10", {"eps": 1 + 2.0**-10})
STEP_OFF, ONE_LANE = named("eta x (1 + 2^-10)", "one lane in 10^4, last component")
OLD_BUFFER = WrongStatement("the buffer of the last step but one")
OTHER_NOISE = WrongStatement("noise of another seed")

STATE, BUFFER = "state 8 ulp off", "buffer 8 ulp off"


def ulps(**seen: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(fault, precision) of what a law must see in a precision, as in ulps(float64=("state", "buffer")).

    Eight units in the last place are some ten bounds: a bound that became much wider in one precision lets
    them pass. A mixed buffer's are units of float32, which only D0 sees beside the roundings of q.
    """
    names = {"state": STATE, "buffer": BUFFER}
    return tuple((names[x], kind.replace("_", "/")) for kind, what in seen.items() for x in what)
