"""What S1 to S4 must kill: their statements, each wrong in one thing.

`changed` has factors, by the names of what the predicting formula takes.
"""

from __future__ import annotations

from noether.laws.law import NEAR, WrongStatement

K_OFF = WrongStatement("k off by 1 %", {"k": 1.01})

BALANCE = (
    WrongStatement("kinetic term dropped", {"kinetic": 0.0}),
    WrongStatement("kinetic term x (1 + 2^-10)", {"kinetic": NEAR}),
    WrongStatement("mass x (1 + 2^-10)", {"m": NEAR}),
    WrongStatement("friction x (1 + 2^-10)", {"mu": NEAR}),
    K_OFF,
)
NOT_INVARIANT = WrongStatement("a loss that is not scale invariant")
EQ_16_FRICTION = WrongStatement("Eq. 16 with mu for mu^2")
EQ_16_DECAYING = WrongStatement("Eq. 16 where the decay is of order one")
S1 = (*BALANCE, NOT_INVARIANT, EQ_16_FRICTION, EQ_16_DECAYING)
"""They are planted in norm_equation.py."""

EQ_17_WHITE = WrongStatement("Eq. 17 under white noise")
NOISE_LAW_COHERENT = WrongStatement("noise law under coherent gradients")
EQ_17_MASS = WrongStatement("mass eta/2 in Eq. 17")
EQ_17_EARLY = WrongStatement("Eq. 17 where m |ghat| = mu^2 r^2")
RATE_OFF = WrongStatement("relaxation rate x 1.025", {"rate": 1.025})
RATES = (RATE_OFF, WrongStatement("relaxation at 2 k/(1-beta)", {"rate": 0.5}))
FORGETFUL = WrongStatement("noise that remembers one step only")
RHO_SQUARED = WrongStatement("correlation rho^2 for rho")
ALWAYS_WHITE = WrongStatement("white noise at every correlation")
ALWAYS_COHERENT = WrongStatement("Eq. 17 at every correlation")
S2 = (
    *(EQ_17_WHITE, NOISE_LAW_COHERENT, EQ_17_MASS, EQ_17_EARLY, *RATES),
    *(FORGETFUL, RHO_SQUARED, ALWAYS_WHITE, ALWAYS_COHERENT),
)
"""They are planted in fourth_power.py and correlation.py."""

WITHOUT_ETA_K = WrongStatement("equilibrium without its eta k", {"half": 0.0})
WHITE_COHERENT = WrongStatement("white formula under coherent gradients")
COHERENT_WHITE = WrongStatement("coherent formula under white noise")
ANGLE = WrongStatement("angle per step sqrt(2 eta k)")
S3 = (WITHOUT_ETA_K, K_OFF, WHITE_COHERENT, COHERENT_WHITE, ANGLE)
"""They are planted in equilibrium.py, white_noise.py and balance.py."""

HALF_MEMORY = WrongStatement("1 - rho = 2 eta k/(1-beta)", {"forgets": 0.5})
SHORT_MEMORY = WrongStatement("memory 2.5 % too short", {"forgets": 1.025})
LR_OFF = WrongStatement("learning rate x 1.01", {"lr": 1.01})
PER_COORDINATE = WrongStatement("RMSProp per coordinate")
LR_WITHOUT_BETA = WrongStatement("learning rate sqrt(2 eta k)")
WHITE_LR_COHERENT = WrongStatement("white learning rate under coherent gradients")
COHERENT_LR_WHITE = WrongStatement("coherent learning rate under white noise")
S4 = (
    *(HALF_MEMORY, SHORT_MEMORY, LR_OFF, PER_COORDINATE, LR_WITHOUT_BETA),
    *(WHITE_LR_COHERENT, COHERENT_LR_WHITE),
)
"""They are planted in twin.py and white_twin.py."""
