"""What a case says of itself, as an object of vectors and matrices.

A `Words` quotes the lines of the case's docstring that state its loss, breaking, generators and metric, and
says each as a function of numpy arrays. Nothing is imported from cases/, data included. q is a vector of d, p
a velocity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

# Fisher (1936), samples 1, 2, 51, 52, 101, 102, in cm: sepal length and width, petal length and width.
IRISES = np.array(
    [
        [5.1, 3.5, 1.4, 0.2],
        [4.9, 3.0, 1.4, 0.2],
        [7.0, 3.2, 4.7, 1.4],
        [6.4, 3.2, 4.5, 1.5],
        [6.3, 3.3, 6.0, 2.5],
        [5.8, 2.7, 5.1, 1.9],
    ]
)
SEPAL, WIDTH, PETAL, PETAL_WIDTH = IRISES.T
PETALS = np.stack([PETAL / 3.2, PETAL_WIDTH / 1.6], axis=1)
ONE_OF_EACH = [0, 2, 4]
log, exp, sqrt, dot = np.log, np.exp, np.sqrt, np.dot


@dataclass(frozen=True)
class Words:
    """says: what must stand in the docstring, word for word. f, b: of q. xi: name -> vector of q.

    ksb     name -> d_s T / m of (q, p, kappa); where it is left out none, a Killing field
    charge  name -> J / m of (q, p, kappa), where the docstring's table has it
    flow    name -> the charge of gradient flow, of q
    G       entries of the metric, of (q, kappa); dh  the gradient of a Bregman potential
    samples losses of single samples; kinks  arguments of every step
    """

    says: tuple[str, ...]
    f: Callable
    b: Callable
    xi: dict[str, Callable]
    ksb: dict[str, Callable] = field(default_factory=dict)
    charge: dict[str, Callable] = field(default_factory=dict)
    flow: dict[str, Callable] = field(default_factory=dict)
    G: Callable | None = None
    dh: Callable | None = None
    samples: Callable | None = None
    kinks: Callable | None = None


def unit(d: int, *at: int) -> np.ndarray:
    e = np.zeros(d)
    e[list(at)] = 1
    return e


def identity(q):
    return q


def norms(p):
    return dot(p, p)


SCALED = {"scale": identity}
SCALE_SOURCE = {"scale": lambda q, p, k: norms(p)}
SCALE_CHARGE = {"scale": lambda q, p, k: dot(p, q)}
