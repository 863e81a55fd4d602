"""Where planted faults are shown: the points of the kill matrix, each a kind of case under a rule in a
precision.

No point names a case. A kind is a property that is read off a case, and the first case of the catalogue that
has it and runs under the rule is taken: the catalogue begins with the cases that every check is shown
(noether.cases.CORE), and what is added at its end moves no point.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from noether.cases import CATALOG
from noether.cases.case import BREGMAN, DIAGONAL, EUCLIDEAN, Case
from noether.laws.exact.cell import rules_of

Kind = Callable[[Case], bool]
Point = tuple[Case, str, str]


# ---- kinds of cases


def shifted(case: Case) -> bool:
    """Whether every symmetry is a translation, under the Euclidean metric: D6 speaks."""
    return case.metric.kind == EUCLIDEAN and all(s.is_translation for s in case.symmetries)


def scale_free(case: Case) -> bool:
    """Whether the loss has no scale, under the Euclidean metric: D4, D5 and D13 speak."""
    return case.metric.kind == EUCLIDEAN and case.scale_free


def turned(case: Case) -> bool:
    """Whether every symmetry is a rotation, under the Euclidean metric: D3 speaks."""
    return case.metric.kind == EUCLIDEAN and all(s.is_rotation for s in case.symmetries)


def matrices(case: Case) -> bool:
    """Whether a rotation and a symmetric generator stand side by side, as of two layers of weights."""
    return any(s.is_rotation for s in case.symmetries) and any(s.is_symmetric for s in case.symmetries)


def four(case: Case) -> bool:
    """Whether there are four parameters, a matrix of two rows, under the Euclidean metric."""
    return case.metric.kind == EUCLIDEAN and case.dim == 4


def mirrored(case: Case) -> bool:
    """Whether the metric is that of a Bregman divergence, not on the simplex."""
    return case.metric.kind == BREGMAN and not case.metric.simplex


def on_simplex(case: Case) -> bool:
    """Whether the parameters sum to 1."""
    return case.metric.simplex


def deformed(case: Case) -> bool:
    """Whether the metric is diagonal: the kinetic energy need not have the symmetries of the loss."""
    return case.metric.kind == DIAGONAL


def affine(case: Case) -> bool:
    """Whether some generator has both a matrix and a shift."""
    return any(np.any(s.matrix) and np.any(s.shift) for s in case.symmetries)


def anything(case: Case) -> bool:
    """Whether it is a case: for rules that run on few cases as it is."""
    return True


def case_of(kind: Kind, rule: str) -> Case:
    """The first case of the catalogue that is of this kind and runs under this rule.

    Raises LookupError where there is none.
    """
    for case in CATALOG:
        if kind(case) and rule in rules_of(case):
            return case
    raise LookupError(f"no case of the catalogue is {kind.__name__} and runs under {rule}")


# ---- the table

QUICK: tuple[tuple[Kind, str, str], ...] = (
    # Each family of charges under heavy ball or what stands for it; scale_free adds D13 and E1 (matrix.py).
    (turned, "heavy-ball", "float64"),
    (scale_free, "heavy-ball", "float64"),
    (shifted, "gradient-descent", "float64"),
    (turned, "heavy-ball-decoupled", "float64"),
    (mirrored, "mirror-descent", "float64"),
    # Each type, and the mode that rounds the position alone: where arithmetic is cheap and rotations tell
    # most.
    (turned, "heavy-ball", "float32"),
    (turned, "heavy-ball", "float16"),
    (turned, "heavy-ball", "bfloat16"),
    (turned, "heavy-ball", "bfloat16/mixed"),
    # The options of torch's SGD: each has faults of its own.
    (scale_free, "nesterov", "float64"),
    (scale_free, "heavy-ball-dampened", "float64"),
    (turned, "heavy-ball-maximize", "float64"),
    # Rules on a metric, and gradient descent where the metric is not its own: D11.
    (deformed, "gradient-descent", "float64"),
    (deformed, "natural-gradient", "float64"),
    (deformed, "heavy-ball-metric", "float64"),
    # A schedule changes the kinetic term of a matrix and D6 of a shift, so both must be there.
    (affine, "heavy-ball-scheduled", "float64"),
    (anything, "sign-descent", "float64"),
    (on_simplex, "exponentiated-gradient", "float64"),
    # Rules of two buffers and of three: every fault that is not of the one buffer of heavy ball.
    (scale_free, "adam", "float64"),
    (scale_free, "amsgrad", "float64"),
)
"""(kind of case, rule, precision): what a quick run shows."""
OWN: tuple[tuple[Kind, str, str], ...] = (
    (turned, "adamw", "float64"),
    (turned, "adamax", "float64"),
    (turned, "nadam", "float64"),
    (turned, "radam", "float64"),
    (turned, "adagrad", "float64"),
    (turned, "rmsprop", "float64"),
    (scale_free, "rmsprop-centred", "float64"),
    (turned, "rmsprop-momentum", "float64"),
    (scale_free, "adadelta", "float64"),
    (scale_free, "qhm", "float64"),
    (affine, "nesterov-increasing", "float64"),
    (turned, "adam", "bfloat16"),
    (turned, "adam", "float16/mixed"),
    # Rules of signs, of sizes, and of matrices; two rows of a matrix need four parameters.
    (turned, "lion", "float64"),
    (turned, "signum", "float64"),
    (turned, "normalised-gradient", "float64"),
    (scale_free, "lars", "float64"),
    (turned, "lamb", "float64"),
    (four, "muon", "float64"),
    (four, "orthogonal-descent", "float64"),
    (four, "shampoo", "float64"),
    (mirrored, "accelerated-mirror-descent", "float64"),
)
"""Where a quick run shows what a rule alone can have wrong; a full one shows every other fault there too."""
MORE: tuple[tuple[Kind, str, str], ...] = (
    (matrices, "heavy-ball", "float64"),
    (matrices, "heavy-ball-decoupled", "float16"),
    (deformed, "gradient-descent", "float32"),
    (shifted, "heavy-ball", "bfloat16"),
    (scale_free, "gradient-descent", "bfloat16/mixed"),
    (mirrored, "mirror-descent", "float32"),
    (turned, "heavy-ball", "float16/eager"),
)
"""What a full run shows too: the families of charges in other types."""
WIDE = (turned, "heavy-ball", "float32")
"""Where faults are shown that need a million lanes: few parameters, in the type of the one that is one in a
million."""
GRADED = ((turned, "heavy-ball"), (mirrored, "mirror-descent"), (turned, "adam"), (turned, "qhm"))
"""(kind of case, rule) of the graded faults in a quick run, each in the four types: the least of two metrics,
and every parameter of rules with a second moment or a share of the momentum."""
GRADED_MORE = ((shifted, "gradient-descent"), (matrices, "heavy-ball"), (deformed, "heavy-ball-decoupled"))
"""Of the graded faults in a full run too, after every rule on one case without a scale."""


def point(kind: Kind, rule: str, precision: str) -> Point:
    """A row of the tables with its case."""
    return case_of(kind, rule), rule, precision


def points(profile: str) -> tuple[Point, ...]:
    """Every point at which faults are planted, as (case, rule, precision), but for the wide one."""
    return tuple(point(*row) for row in QUICK + OWN + (MORE if profile != "quick" else ()))


def own(at: Point) -> bool:
    """Whether a quick run shows the wrong lines of the rule alone there."""
    return at in {point(*row) for row in OWN}


def graded_points(profile: str) -> list[tuple[Case, str]]:
    """Every point of the graded faults, as (case, rule); each is tried in every type."""
    found = [(case_of(kind, rule), rule) for kind, rule in GRADED]
    if profile != "quick":
        every = case_of(scale_free, "heavy-ball")
        found += [(every, rule) for rule in rules_of(every)]
        found += [(case_of(kind, rule), rule) for kind, rule in GRADED_MORE]
    return found
