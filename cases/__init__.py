"""The catalogue of claims, in the order in which they are printed."""

from noether.cases.attention_qk import ATTENTION_QK
from noether.cases.attention_vo import ATTENTION_VO
from noether.cases.batch_norm import BATCH_NORM
from noether.cases.batch_norm_epsilon import BATCH_NORM_EPSILON
from noether.cases.case import Case, CaseError, Metric, Symmetry
from noether.cases.categorical_fisher import CATEGORICAL_FISHER
from noether.cases.complex_phase import COMPLEX_PHASE
from noether.cases.coupled_vectors import COUPLED_VECTORS
from noether.cases.deformed_hat import DEFORMED_HAT
from noether.cases.deformed_rayleigh import DEFORMED_RAYLEIGH
from noether.cases.entropy_mirror import ENTROPY_MIRROR
from noether.cases.entropy_simplex import ENTROPY_SIMPLEX
from noether.cases.free_particle import FREE_PARTICLE
from noether.cases.gaussian_fisher import GAUSSIAN_FISHER
from noether.cases.layer_norm import LAYER_NORM
from noether.cases.leaky_network import LEAKY_NETWORK
from noether.cases.linear_network import LINEAR_NETWORK, LINEAR_NETWORK_1, LINEAR_NETWORK_3
from noether.cases.mexican_hat import MEXICAN_HAT, MEXICAN_HAT_2, MEXICAN_HAT_8
from noether.cases.power_mirror import POWER_MIRROR
from noether.cases.product import PRODUCT
from noether.cases.quadratic_network import QUADRATIC_NETWORK
from noether.cases.rayleigh import RAYLEIGH, RAYLEIGH_2, RAYLEIGH_16
from noether.cases.rms_norm import RMS_NORM
from noether.cases.scale_covariant import SCALE_COVARIANT
from noether.cases.softmax import SOFTMAX
from noether.cases.weight_norm import WEIGHT_NORM

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
"""The cases that every kind of check is shown in a quick run; the others get one depth less (harness/plan.py)."""

__all__ = ["CATALOG", "CORE", "Case", "CaseError", "Metric", "Symmetry"]
