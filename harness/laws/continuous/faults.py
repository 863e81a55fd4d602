"""What T1 to T5 must see: their statements, each wrong in one place, by the names that records keep."""

from __future__ import annotations

from noether.laws.law import WrongStatement as Fault

FRICTION = Fault("friction off by 1e-3")

# T1, T2
KINETIC_DROPPED = Fault("dropped kinetic term")
KINETIC_DOUBLED = Fault("doubled kinetic term")
KINETIC_MASS = Fault("mass of the kinetic term off by 2^-10")
DROPPED = {name: Fault(f"{name} term dropped") for name in ("breaking", "decay", "deformed")}
"""By the part of a prediction; "deformed" is what kappa gives."""
DECAY = Fault("k off by 1 %")
LAGRANGIAN = Fault("another Lagrangian: friction off by 2^-100")

# T3
NO_SYMMETRY = Fault("a direction that is no symmetry")
CONSTANT = Fault("leading constant off by 1 %")
IN_FRONT = "the constant in front"
"""What records call the statement of T3 that CONSTANT is planted in. It stands here for readers of records:
what measures T3 loads scipy and sympy."""
TWICE = Fault("a charge twice as large")
OTHER_QUANTITY = Fault("another quadratic quantity")

# T4
FRICTION_DOUBLED = Fault("friction doubled")
NO_KINETIC_ENERGY = Fault("kinetic energy dropped")
NO_METRIC = Fault("kinetic energy without its metric")

# T5
NO_CURVATURE = Fault("curvature of the metric dropped")
