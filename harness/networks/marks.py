"""What a walk through a network writes down: of storages, of normalisations, and of biases."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch.multiprocessing.reductions import StorageWeakRef


@dataclass
class Entry:
    """What is known of the numbers of a storage, flat.

    ids     the variable of each number's exponent
    shifts  arrays of biases' variables: which bias was added to each number last, 0 for none
    made    the variables of the weights that made it, (inputs, outputs), for each term of a sum
    """

    storage: StorageWeakRef
    ids: np.ndarray
    shifts: list[np.ndarray] = field(default_factory=list)
    made: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class Normalised:
    """What a normalisation, or an eps, was met with: variables whose size is divided by.

    power  of the exponent of what eps is added to, in units of that of the variables: 2 for a variance
    """

    module: str
    variables: np.ndarray
    eps: float
    power: int


@dataclass(frozen=True)
class Shifted:
    """Biases, or columns of weights, that may be moved together: (n, w) variables of parameters."""

    module: str
    variables: np.ndarray
    of_loss: bool = False
