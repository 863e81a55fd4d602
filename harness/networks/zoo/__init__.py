"""The networks that are trained here, one kind a file, on data sets that scikit-learn carries."""

from __future__ import annotations

from noether.networks.network import Network
from noether.networks.zoo import (
    attention,
    convolution,
    linear,
    normalised,
    perceptrons,
    residual,
    tied,
    transformer,
)
from noether.system.usage import unknown

KINDS = (perceptrons, normalised, convolution, residual, linear, tied, attention, transformer)
NETWORKS: dict[str, Network] = {one.name: one for kind in KINDS for one in kind.NETWORKS}
"""By name, in the order in which tables have them."""


def network(name: str) -> Network:
    """The network of this name. Raises UsageError."""
    if name not in NETWORKS:
        raise unknown("network", name, NETWORKS)
    return NETWORKS[name]
