"""Broken symmetry measured back from trajectories."""

from noether.laws.book.info import NEAR_ETA, LawInfo
from noether.verdicts.record import STATISTICAL

RECOVERY = (
    LawInfo(
        key="E2",
        title="eps is recovered from trajectories, with honest error bars",
        equation="eps^ = sum x y / sum x^2,  y = J' - beta J - <A v', v'>,  x = -eta <grad b, xi>",
        kind=STATISTICAL,
        blind=("faults in g that keep the symmetry",),
        controls=(
            NEAR_ETA,
            "beta x (1 + 2^-10)",
            "breaking term ignored",
            "eps off by 2^-10",
            "gradient of b x (1 + 2^-10)",
            "error bars a third as wide",
            "error bars three times as wide",
        ),
        applies=(
            "heavy ball without decay; quick: rayleigh, mexican-hat and cases of one's own, full: the "
            "core cases"
        ),
    ),
    LawInfo(
        key="E3",
        title="kappa is recovered from trajectories, of updates and of the equations of motion",
        equation=(
            "y = J' - beta J - <A (p'/G), p'> = 0 at G(q; kappa);  [j] - int e^(-(b-t) mu/m) d_s T/m = "
            "0 at kappa"
        ),
        kind=STATISTICAL,
        blind=("the loss, as long as it is symmetric",),
        controls=(
            "kappa x (1 + 2^-10)",
            "kappa off by 2^-10",
            "metric ignored",
            "friction off by 1e-3",
            "curvature of the metric dropped",
            "error bars a third as wide",
            "error bars three times as wide",
        ),
        applies="metrics that kappa deforms: heavy ball on the metric, and T1's equations of motion",
    ),
    LawInfo(
        key="E4",
        title="the smallest breaking that can be told from none is what the roundings make it",
        equation=(
            "limit = 3 sd(eps^) at eps = 0,  Var = sum x^2 Var(<xi, delta> + <A^T v', sigma>) / (sum x^2)^2"
        ),
        kind=STATISTICAL,
        blind=("faults in g that keep the symmetry",),
        controls=(
            "float32 store called float64",
            "bfloat16 store truncated",
            "error bars a third as wide",
            "error bars three times as wide",
        ),
        applies="heavy ball on the Mexican hat in eight dimensions",
    ),
)
