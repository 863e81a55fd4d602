"""Published statements that laws of other families measure: what they say, and which verdict they get where
the law holds."""

from __future__ import annotations

from dataclasses import dataclass

from noether.laws.published.book import MECHANICS, NLD

CONFIRMED, QUALIFIED = "confirmed", "qualified"


@dataclass(frozen=True)
class Measured:
    """A statement as its source has it.

    law        whose verdicts decide it
    plain      what became of it, for somebody who knows neither the paper nor our words
    word       the verdict where the law holds
    corrected  what holds instead or beside it
    """

    law: str
    title: str
    statement: str
    source: str
    plain: str
    word: str
    corrected: str = ""


MEASURED = (
    Measured(
        law="T1",
        title="the generalized Noether theorem",
        statement=(
            "The charge of a symmetry moves by friction, by the breaking of the symmetry in the kinetic "
            "energy, and by its breaking in the loss."
        ),
        source=f"{NLD}, its theorem (Eq. 8 to 11), at a mass and a friction that do not change",
        plain="The charge of a symmetry moves as the theorem says, and by nothing else.",
        word=CONFIRMED,
    ),
    Measured(
        law="T2",
        title="the theorem for mirror descent's kinetic energy",
        statement="The same balance holds where the kinetic energy is a Bregman divergence.",
        source=f"{NLD}, Eq. 10, with the term of the loss",
        plain="The theorem holds for the kinetic energy of mirror descent, too.",
        word=CONFIRMED,
        corrected="No published work that was found checks this to a tolerance.",
    ),
    Measured(
        law="T3",
        title="the limit of no mass",
        statement="As the mass goes to 0 the charge of a symmetry itself vanishes, and not only its change.",
        source=f"{NLD}, Eq. 13",
        plain="For training that follows the gradient at once, without inertia, the charge is zero.",
        word=CONFIRMED,
        corrected=(
            "The charge over the mass falls in proportion to the mass. Along a direction that is no symmetry "
            "it does not fall, so that the first says something."
        ),
    ),
    Measured(
        law="T4",
        title="energy and friction",
        statement="The energy of the mechanics falls at the rate of friction: dE/dt = -μ |q̇|².",
        source="Karagoz (2025), arXiv 2505.19171",
        plain="The energy of the mechanics is lost to friction and to nothing else.",
        word=CONFIRMED,
    ),
    Measured(
        law="O3",
        title="the equation of motion of momentum",
        statement=(
            "(η/2)(1 + β) q̈ + (1 - β) q̇ + ∇f + k q = 0 models gradient descent with "
            "momentum to second order in the step size."
        ),
        source=f"{NLD}, Eq. 3; {MECHANICS}",
        plain=(
            "The equation follows training with momentum to second order only if it begins with the right "
            "velocity; from rest, as it is often used, to first order."
        ),
        word=QUALIFIED,
        corrected="The right velocity of a run that begins without momentum is -(g + k q)/(1 + β).",
    ),
    Measured(
        law="D13",
        title="the scale of a scale-invariant layer",
        statement=(
            "A scale-invariant layer with weights c times as large trains in the same directions with c² "
            "times the learning rate and 1/c² of the weight decay."
        ),
        source=f"{NLD}, Fig. 1b",
        plain="Large weights before a normalisation act as a small learning rate, exactly.",
        word=CONFIRMED,
        corrected="Where c is a power of two the two runs agree in every bit.",
    ),
)
