"""The published statements under test, and how a record of one carries its claim (theory.md section 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noether.laws.law import WrongStatement
from noether.laws.published import faults
from noether.verdicts.figures import Claim, redrawn
from noether.verdicts.record import HOLDS, VIOLATED, Record

OPEN = "not decided"


@dataclass(frozen=True)
class Published:
    """A statement as its source has it.

    fault    the planted claim that stands for it in the run, which must be violated
    plain      what became of it, for somebody who knows neither the paper nor our words
    word       the verdict when ours holds and theirs is violated: refuted; qualified where it is true of
               something else; else
               what it is
    corrected  what holds instead
    """

    law: str
    title: str
    statement: str
    source: str
    plain: str
    fault: WrongStatement
    word: str
    corrected: str


NLD, MECHANICS = "Tanaka, Kunin (2021), arXiv 2105.02716", "Kunin et al. (2021), arXiv 2012.04728"
BOOK = {
    p.law: p
    for p in (
        Published(
            law="P1",
            title="the fourth power of the norm under noise",
            statement=(
                "The fourth power of a normalised weight's norm has the source 2 η (1 + β)/(1 - "
                "β)³ |ĝ|²: 1900 times that of plain steps at β = 0.9."
            ),
            source=f"{NLD}, Eq. 17",
            plain=(
                "The norm of a normalised layer grows as published where gradients of successive steps "
                "agree. Under the noise of minibatches it grows 19 times less."
            ),
            fault=faults.WHITE_AS_COHERENT,
            word="qualified",
            corrected=(
                "True of gradients that stay coherent over 1/(1 - β) steps. White noise has the "
                "source 2 η/(1 - β)² E|ĝ|²: 100 times, 19 times less."
            ),
        ),
        Published(
            law="P2",
            title="the start velocity of the closed forms",
            statement=(
                "The closed solution of the translation charge under momentum and decay starts with "
                "velocity 0."
            ),
            source=f"{MECHANICS}, momentum; translation in its published code",
            plain=(
                "The published solution starts at rest, and training does not: with the right start it is "
                "one order better."
            ),
            fault=faults.START_ZERO,
            word="refuted",
            corrected=("From ċ(0) = -k c/(1 + β) the closed form is of order 2 in η, from 0 of order 1."),
        ),
        Published(
            law="P3",
            title="dampening in the growth of the norm",
            statement=(
                "The norm grows by the filtered integral of the squared momentum buffer in time η (1 - τ)."
            ),
            source=f"{MECHANICS}, published code of the momentum optimiser and of the scale check",
            plain=(
                "With dampening the published code leaves out a factor, at dampening 1/2 three quarters of "
                "the growth."
            ),
            fault=faults.BUFFER,
            word="refuted",
            corrected=(
                "In that time the velocity is buffer/(1 - τ): the integral lacks the factor 1/(1 - τ)²."
            ),
        ),
        Published(
            law="P4",
            title="the check of SGD on the norm at zero decay",
            statement=(
                "Without decay |q|² follows |q₀|² + η² Σ |g|² along training; shown as a test of the theory."
            ),
            source=f"{MECHANICS}, scale symmetry at zero decay",
            plain=(
                "Random vectors that belong to no loss pass the published test of the theory as well as "
                "training does."
            ),
            fault=faults.TELLS_A_GRADIENT,
            word="an identity",
            corrected=(
                "True of every vector orthogonal to q, the gradient of a loss or not: it tests that "
                "the gradient is orthogonal, and nothing of the dynamics."
            ),
        ),
        Published(
            law="P5",
            title="friction and the decay of a charge",
            statement=("A charge of a kinetic symmetry decays at the rate μ/m = 2 (1 - β)/(1 + β) per step."),
            source=f"{NLD}, Eq. 3 with the theorem: friction over mass",
            plain=(
                "The published rate at which a charge decays is good for momentum near 1, and 29 % too small "
                "at momentum 0.1."
            ),
            fault=faults.FRICTION_OVER_MASS,
            word="qualified",
            corrected=("The rate is -ln β; the printed one is its (1,1) Padé approximant, good at β near 1."),
        ),
        Published(
            law="P6",
            title="Euler-Lagrange equations with a curved metric",
            statement=(
                "The Euler-Lagrange equation of (m/2) <q̇, G(q) q̇> - f with friction is the "
                "second-order model of natural gradient."
            ),
            source=f"{NLD}, its Lagrangian with a metric, taken beyond leading order",
            plain=(
                "Where the learning rates depend on the parameters, the mechanics of the paper follows "
                "training to first order in the step size, and another equation to second."
            ),
            fault=faults.EULER_LAGRANGE,
            word="not of second order",
            corrected=(
                "The paper claims it as m → 0, where it is true: to order 1 in η. To order 2 "
                "natural gradient steps follow (η/2) q̈ + q̇ + G⁻¹ g = 0."
            ),
        ),
    )
}


def claimed(
    law: str,
    records: list[Record],
    *,
    published: str,
    measured: str,
    series: dict | None = None,
    caption: str = "",
    **figures,
) -> list[Record]:
    """The records of one claim; the first that is no fault carries the claim, with the verdict that they
    come to.

    series, caption: of its picture, where ours and theirs belong on the same axes
    """
    p = BOOK[law]
    real = [r for r in records if r.fault is None]
    shown = [r for r in records if r.fault == p.fault.name]
    settled = (
        bool(shown) and all(r.verdict == HOLDS for r in real) and all(r.verdict == VIOLATED for r in shown)
    )
    claim = Claim(
        title=p.title,
        statement=p.statement,
        source=p.source,
        published=published,
        measured=measured,
        verdict=p.word if settled else OPEN,
        corrected=p.corrected,
        **figures,
    )
    if series:
        sizes = {name: np.abs(values) for name, values in series.items()}
        real[0].data = redrawn(real[0].data, sizes, caption)
    real[0].data = {**real[0].data, "claim": claim.as_dict()}
    return records
