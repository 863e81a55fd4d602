"""Learning rules: how a discrete step is taken. One file a rule; its docstring has the equation.

v is the displacement of the momentum buffer (theory.md section 1), v = -eta buffer, so PyTorch's first step
is v_0 = 0.
"""

from noether.cases.declared import RuleError
from noether.cases.rule import Rule
from noether.cases.rules.accelerated_mirror_descent import ACCELERATED_MIRROR_DESCENT
from noether.cases.rules.adadelta import ADADELTA
from noether.cases.rules.adagrad import ADAGRAD
from noether.cases.rules.adam import ADAM
from noether.cases.rules.adamax import ADAMAX
from noether.cases.rules.adamw import ADAMW
from noether.cases.rules.amsgrad import AMSGRAD
from noether.cases.rules.exponentiated_gradient import EXPONENTIATED_GRADIENT
from noether.cases.rules.gradient_descent import GRADIENT_DESCENT
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.heavy_ball_dampened import HEAVY_BALL_DAMPENED
from noether.cases.rules.heavy_ball_decoupled import HEAVY_BALL_DECOUPLED
from noether.cases.rules.heavy_ball_maximize import HEAVY_BALL_MAXIMIZE
from noether.cases.rules.heavy_ball_metric import HEAVY_BALL_METRIC
from noether.cases.rules.heavy_ball_scheduled import HEAVY_BALL_SCHEDULED
from noether.cases.rules.lamb import LAMB
from noether.cases.rules.lars import LARS
from noether.cases.rules.lion import LION
from noether.cases.rules.mirror_descent import MIRROR_DESCENT
from noether.cases.rules.muon import MUON
from noether.cases.rules.nadam import NADAM
from noether.cases.rules.natural_gradient import NATURAL_GRADIENT
from noether.cases.rules.nesterov import NESTEROV
from noether.cases.rules.nesterov_increasing import NESTEROV_INCREASING
from noether.cases.rules.normalised_gradient import NORMALISED_GRADIENT
from noether.cases.rules.orthogonal_descent import ORTHOGONAL_DESCENT
from noether.cases.rules.qhm import QHM
from noether.cases.rules.radam import RADAM
from noether.cases.rules.rmsprop import RMSPROP
from noether.cases.rules.rmsprop_centred import RMSPROP_CENTRED
from noether.cases.rules.rmsprop_momentum import RMSPROP_MOMENTUM
from noether.cases.rules.shampoo import SHAMPOO
from noether.cases.rules.sign_descent import SIGN_DESCENT
from noether.cases.rules.signum import SIGNUM

CATALOG: tuple[Rule, ...] = (
    GRADIENT_DESCENT,
    HEAVY_BALL,
    HEAVY_BALL_DECOUPLED,
    MIRROR_DESCENT,
    NESTEROV,
    HEAVY_BALL_DAMPENED,
    HEAVY_BALL_MAXIMIZE,
    NATURAL_GRADIENT,
    HEAVY_BALL_METRIC,
    SIGN_DESCENT,
    HEAVY_BALL_SCHEDULED,
    EXPONENTIATED_GRADIENT,
    QHM,
    NESTEROV_INCREASING,
    ADAGRAD,
    RMSPROP,
    RMSPROP_CENTRED,
    RMSPROP_MOMENTUM,
    ADAM,
    ADAMW,
    AMSGRAD,
    ADAMAX,
    NADAM,
    RADAM,
    ADADELTA,
    LION,
    SIGNUM,
    NORMALISED_GRADIENT,
    LARS,
    LAMB,
    MUON,
    ORTHOGONAL_DESCENT,
    SHAMPOO,
    ACCELERATED_MIRROR_DESCENT,
)
OWN: dict[str, Rule] = {}
"""Rules of the user's own, by name: of files that were loaded in this process, and objects that were handed
over (harness/plan/casefiles/kind.py)."""


class Book(dict):
    """The rules of the catalogue by name. Asked for another name it gives the user's own rule of this name;
    whoever goes through it, counts it or asks what is in it meets the catalogue alone."""

    def __missing__(self, name: str) -> Rule:
        return OWN[name]


RULES = Book({rule.name: rule for rule in CATALOG})

__all__ = ["CATALOG", "OWN", "RULES", "Rule", "RuleError"]
