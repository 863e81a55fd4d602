"""Which learning rule keeps what."""

from noether.laws.book.info import LawInfo
from noether.verdicts.record import ORDER

MAP = (
    LawInfo(
        key="M1",
        title="the map of symmetries and learning rules",
        equation=(
            "drift of each charge under each rule: exact, O(eta^p) with the constant that its sources say, "
            "or no charge"
        ),
        kind=ORDER,
        blind=("a rule that keeps a charge by another law than the one measured",),
        controls=(
            "sign descent keeps sum q",
            "Adam keeps |q|^2",
            "no source of the rescale charge under heavy ball",
            "fixed mass keeps U^T U - V^T V to first order",
            "beta^n J_0 under Nesterov",
            "second-order energy of the mirror",
            "no-op rule",
            "J dropped from the rescale charge",
            "J with the other sign in the rescale charge",
            "mass eta/2 in the source of U^T U - V^T V",
            "friction off by 1 %",
            "mass off by 1 % in the energy",
            "another memory of RMSProp",
            "RMSProp without its epsilon",
            "Adam without bias correction",
            "another second memory of Adam",
            "r(r+1)/2 charges of U V^T where n + l < r",
        ),
        applies="all core cases together: six rows, eleven rules",
    ),
)
