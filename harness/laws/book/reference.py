"""What is judged with an extra package, and only when asked for."""

from noether.laws.book.info import LawInfo
from noether.verdicts.record import ROUNDING

REFERENCE = (
    LawInfo(
        key="V1",
        title="errors as claimed: heyoka in 113 bits",
        equation=(
            "|x - x*|, |j - j*| + |S - S*|, |E - E*| + |D - D*| within the bounds of T1 to T5;  |j* - S*| "
            "= 0 to 30 digits"
        ),
        kind=ROUNDING,
        blind=(
            "an equation of motion that is wrong alike in all methods: T1 and the formulas' own tests see it",
        ),
        controls=(
            "friction off by 1e-3",
            "tolerance claimed 1e3 tighter than it is",
            "kinetic term off by 2^-96",
        ),
        applies="verify --reference, with heyoka installed: trajectories of T1, T2 and T5",
        on_request="--reference",
    ),
)
