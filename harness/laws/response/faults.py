"""What E2 to E4 must kill: wrong steps of harness/faults, and their statements, each wrong in one thing.

`changed` has a factor: of the magnitude that was put in, of what the estimate takes, of the error bars.
"""

from __future__ import annotations

from noether.laws.exact import planted
from noether.laws.law import NEAR, WrongStatement

THIRD = WrongStatement("error bars a third as wide", {"bars": 1 / 3})
WIDE = WrongStatement("error bars three times as wide", {"bars": 3.0})
BARS = (WIDE, THIRD)

EPS_OFF = planted.EPS_OFF
ETA, BETA, UNBROKEN = planted.STEP_OFF, planted.BETA_OFF, planted.UNBROKEN
STEPS = (UNBROKEN, ETA, BETA)
GRADIENT_OFF = WrongStatement("gradient of b x (1 + 2^-10)", {"x": NEAR})
E2 = (ETA, BETA, UNBROKEN, EPS_OFF, GRADIENT_OFF, THIRD, WIDE)
"""They are planted in breaking.py."""

KAPPA, NO_METRIC = planted.KAPPA_OFF, planted.NO_METRIC
STEPS_ON_METRIC = (NO_METRIC, KAPPA)
KAPPA_OFF = WrongStatement("kappa off by 2^-10", {"truth": NEAR})
FRICTION_OFF = WrongStatement("friction off by 1e-3", {"friction": 1.001})
CURVATURE_DROPPED = WrongStatement("curvature of the metric dropped", {"curved": 0.0})
E3 = (KAPPA, KAPPA_OFF, NO_METRIC, FRICTION_OFF, CURVATURE_DROPPED, THIRD, WIDE)
"""They are planted in deformation.py and deformed_flow.py."""

NARROW_STORE = WrongStatement("float32 store called float64")
TRUNCATED = planted.TRUNCATED
E4 = (NARROW_STORE, TRUNCATED, THIRD, WIDE)
"""They are planted in detection.py."""
