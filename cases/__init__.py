"""Losses with their symmetries, and learning rules, each written once as plain arithmetic."""

from noether.cases.case import Case, CaseError, Metric, Symmetry
from noether.cases.losses.attention_qk import ATTENTION_QK
from noether.cases.losses.attention_vo import ATTENTION_VO
from noether.cases.losses.batch_norm import BATCH_NORM
from noether.cases.losses.batch_norm_epsilon import BATCH_NORM_EPSILON
from noether.cases.losses.categorical_fisher import CATEGORICAL_FISHER
from noether.cases.losses.complex_phase import COMPLEX_PHASE
from noether.cases.losses.coupled_vectors import COUPLED_VECTORS
from noether.cases.losses.deformed_hat import DEFORMED_HAT
from noether.cases.losses.deformed_rayleigh import DEFORMED_RAYLEIGH
from noether.cases.losses.entropy_mirror import ENTROPY_MIRROR
from noether.cases.losses.entropy_simplex import ENTROPY_SIMPLEX
from noether.cases.losses.free_particle import FREE_PARTICLE
from noether.cases.losses.gaussian_fisher import GAUSSIAN_FISHER
from noether.cases.losses.layer_norm import LAYER_NORM
from noether.cases.losses.leaky_network import LEAKY_NETWORK
from noether.cases.losses.linear_network import LINEAR_NETWORK, LINEAR_NETWORK_1, LINEAR_NETWORK_3
from noether.cases.losses.mexican_hat import MEXICAN_HAT, MEXICAN_HAT_2, MEXICAN_HAT_8
from noether.cases.losses.power_mirror import POWER_MIRROR
from noether.cases.losses.product import PRODUCT
from noether.cases.losses.quadratic_network import QUADRATIC_NETWORK
from noether.cases.losses.rayleigh import RAYLEIGH, RAYLEIGH_2, RAYLEIGH_16
from noether.cases.losses.rms_norm import RMS_NORM
from noether.cases.losses.scale_covariant import SCALE_COVARIANT
from noether.cases.losses.softmax import SOFTMAX
from noether.cases.losses.weight_norm import WEIGHT_NORM

CATALOG: tuple[Case, ...] = (
    SOFTMAX,
    RAYLEIGH,
    MEXICAN_HAT,
    LINEAR_NETWORK,
    ENTROPY_MIRROR,
    DEFORMED_RAYLEIGH,
    RAYLEIGH_2,
    RAYLEIGH_16,
    WEIGHT_NORM,
    BATCH_NORM,
    BATCH_NORM_EPSILON,
    LAYER_NORM,
    RMS_NORM,
    PRODUCT,
    LINEAR_NETWORK_1,
    LINEAR_NETWORK_3,
    QUADRATIC_NETWORK,
    LEAKY_NETWORK,
    ATTENTION_QK,
    ATTENTION_VO,
    MEXICAN_HAT_2,
    MEXICAN_HAT_8,
    COUPLED_VECTORS,
    COMPLEX_PHASE,
    FREE_PARTICLE,
    ENTROPY_SIMPLEX,
    POWER_MIRROR,
    GAUSSIAN_FISHER,
    CATEGORICAL_FISHER,
    SCALE_COVARIANT,
    DEFORMED_HAT,
)

CORE: tuple[Case, ...] = CATALOG[:6]
"""The cases that every kind of check is shown in a quick run; the others get one depth less
(harness/plan/design.py)."""

__all__ = ["CATALOG", "CORE", "Case", "CaseError", "Metric", "Symmetry"]
