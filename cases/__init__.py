"""The catalogue of claims, in the order in which they are printed."""

from cases.case import Case, CaseError, Metric, Symmetry
from cases.deformed_rayleigh import DEFORMED_RAYLEIGH
from cases.entropy_mirror import ENTROPY_MIRROR
from cases.linear_network import LINEAR_NETWORK
from cases.mexican_hat import MEXICAN_HAT
from cases.rayleigh import RAYLEIGH
from cases.softmax import SOFTMAX

CATALOG: tuple[Case, ...] = (
    SOFTMAX,
    RAYLEIGH,
    MEXICAN_HAT,
    LINEAR_NETWORK,
    ENTROPY_MIRROR,
    DEFORMED_RAYLEIGH,
)

CORE: tuple[Case, ...] = CATALOG[:6]
"""The cases that every kind of check is shown in a quick run; the others get one depth less (harness/plan.py)."""

__all__ = ["CATALOG", "CORE", "Case", "CaseError", "Metric", "Symmetry"]
