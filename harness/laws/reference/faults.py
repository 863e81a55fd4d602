"""What V1 must kill: another friction, a tolerance that is not kept, another kinetic term.

`changed` has by how much, relative to what is right.
"""

from __future__ import annotations

from noether.laws.law import WrongStatement

FRICTION = WrongStatement("friction off by 1e-3", {"friction": 1e-3})
TOLERANCE = WrongStatement("tolerance claimed 1e3 tighter than it is")
KINETIC = WrongStatement("kinetic term off by 2^-96", {"kinetic": 2.0**-96})
V1 = (FRICTION, TOLERANCE, KINETIC)
