"""What O1 to O15 must see: their statements, each wrong in one place, by the name that records keep.

Each name stands here once: a law says that it must kill the fault, and a claim judges it.
"""

from __future__ import annotations

from noether.laws.law import WrongStatement as Fault

TOO_LONG = Fault("eta x (1 + 2^-10)")
CONSTANT = Fault("leading constant off by 1/64")
START_ZERO = Fault("start velocity 0")

# O1, O2
WITHOUT_TERMS = {order: Fault(f"model without its terms of order eta^{order}") for order in (1, 2)}
THIRD_ORDER = Fault("third order claimed of the second-order model")

# O3
START_FORCE = Fault("start velocity -g")
START_REST = Fault("start velocity -g/(1-beta)")
HALF_MASS = Fault("mass eta/2 for eta(1+beta)/2")
IN_THE_LAYER = Fault("second order claimed inside the layer")
OF_THE_FLOW = Fault("second order claimed of the flow")
MODIFIED_COLD = Fault("modified loss from a cold start")
MODIFIED_SHARE = Fault("modified loss without 1 + beta")

# O4
MODEL_EXACT = Fault("decay of the model claimed exact")
PLAIN_DECAY = Fault("decay 1 - beta per step")
HALF_MASS_DECAY = Fault("decay of a model of mass eta/2")
MODEL_HALF_MASS = Fault("model of mass eta/2")
MODEL_FULL_MASS = Fault("model of mass eta")

# O5
NOT_CENTRED = Fault("charge not centred")
CONSERVED = Fault("charge taken as conserved to second order")
HALF_DRIFT = Fault("drift at half its rate")

# O6
NO_DECAY_FRICTION = Fault("friction without eta beta k")
SQUARE_FRICTION = Fault("friction eta k^2")
START_WITHOUT_DECAY = Fault("start velocity without -k q")
START_COUPLED = Fault("start velocity of coupled decay")
BUFFER_FORGOTTEN = Fault("buffer forgotten in the start velocity")
COUPLED_SPRING = Fault("spring of coupled decay")

# O7
NO_CURVATURE = Fault("friction without eta beta H")
OTHER_CURVATURE = Fault("friction eta (1-beta) H")
START_HEAVY_BALL = Fault("start velocity of heavy ball")
FIRST_DAMPENED = Fault("first buffer dampened too")
UNDAMPED_MASS = Fault("mass of undamped heavy ball")
UNDAMPED_TIME = Fault("time of undamped heavy ball")
NO_SCHEDULE_FRICTION = Fault("schedule without its friction")
OTHER_BUFFER = Fault("friction of another buffer")
SCHEDULE_START_ZERO = Fault("schedule from start velocity 0")
PLACES = ("start", "middle", "end")
OTHER_PLACE = {
    (own, other): Fault(f"friction of the {other} for the {own} of a step")
    for own in PLACES
    for other in PLACES
    if own != other
}
"""By where a rate is taken in its step, and where the model has it."""

# O8
OTHER_GDOT = Fault("Gdot of 1 for 2 beta")
UPDATES = ("mirror descent", "natural gradient", "geodesic step")
OTHER_MODEL = {
    (update, of): Fault(f"model of {of} for {update}") for of in UPDATES for update in UPDATES if of != update
}
"""By the update, and by whose model it is held against."""
BREGMAN = {update: Fault(f"Bregman Lagrangian for {update}") for update in UPDATES[1:]}
EULER_LAGRANGE = Fault("Euler-Lagrange of T for heavy ball on a metric")
NO_GDOT = Fault("momentum of a metric heavy ball without its Gdot")
START_NATURAL = Fault("start velocity -G^-1 g")
NO_KINETIC_MULTIPLIER = Fault("multiplier without its kinetic term")
GRADIENT_FOR_SIGN = Fault("gradient for its sign")
# of what the Bregman Lagrangian keeps, which quick runs leave out: no law promises to kill them
NOT_AHEAD = Fault("grad h without m qdot")
OTHER_FRICTION = Fault("friction off by 2^-10")

# O9
LIMIT_SECOND = Fault("second order claimed of the overdamped limit")
FLOW_FRICTION = Fault("friction of the flow off by 1/8")
START_LARGE = Fault("start velocity of order 1/m")

# O10, O11
SECOND_OF_MEMORIES = Fault("second order claimed without half a step")
THIRD_OF_MEMORIES = Fault("third order claimed of memories of a time")
RATES = Fault("rates 1 - beta for -ln beta")
FROM_Q0 = Fault("half a step later, from q_0")
NO_CORRECTION = Fault("bias not corrected")
NO_ROOT = Fault("second moment without its root")
OTHER_MEMORY = Fault("second memory off by 1/50")
NO_EARLY_DECAY = Fault("decoupled decay at the middle of a step")
DECAY_COUPLED = Fault("model of coupled decay for AdamW")
NO_MEMORY = Fault("limit of memories of steps for those of a time")
SECOND_OF_STEPS = Fault("second order claimed of the flow without memory")
THIRD_OF_STEPS = Fault("third order claimed of memories of steps")
EQUAL_MEMORIES = Fault("second moment as young as the first")
LONG_MEMORY = Fault("limit of memories of a time for those of steps")

# O12
FOURTH_OF_SQUARES = Fault("fourth order claimed without half a step")
NO_EULER = Fault("gradient at the middle of a step")
OTHER_SQUARES = Fault("sum of squares off by 1/50")
NO_STABILITY = Fault("stability forgotten")
NO_ZETA = Fault("second order claimed from s = 0")

# O13
SECOND_OF_FRICTION = Fault("second order claimed of the friction 3/t")
OF_X = Fault("time of x for that of q")
LOW_RESOLUTION = Fault("friction 3/t alone")
OTHER_FRICTIONS = {r: Fault(f"friction {r}/t for 3/t") for r in (2, 4)}

# O14
OF_NESTEROV = Fault("friction of Nesterov")

# O15
SECOND_OF_CROSSOVER = Fault("second order claimed of heavy ball")
INSIDE = Fault("stability inside the root")
