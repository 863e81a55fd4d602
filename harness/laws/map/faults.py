"""What M1 must kill: wrong entries of the map, wrong charges and wrong sources, each in one cell of it."""

from __future__ import annotations

from dataclasses import dataclass

from noether.laws.law import WrongStatement
from noether.laws.map.table import BETA, RMS, SECOND, Entry


@dataclass(frozen=True, eq=False, kw_only=True)
class WrongEntry(WrongStatement):
    """What a cell of the map is claimed to be, and is not."""

    row: str
    column: str
    claim: Entry


@dataclass(frozen=True, eq=False, kw_only=True)
class WrongDrift(WrongStatement):
    """A cell whose drift is measured or predicted wrongly: `changed` has keywords of judging.sourced."""

    row: str
    column: str


def entry(name: str, row: str, column: str, label: str, charge: str) -> WrongEntry:
    return WrongEntry(name, row=row, column=column, claim=Entry(label, charge))


def charge(name: str, row: str, column: str, **law) -> WrongDrift:
    """law: keywords of the charge (charges.py)."""
    return WrongDrift(name, {"of_charge": law}, row=row, column=column)


def source(name: str, row: str, column: str, **law) -> WrongDrift:
    """law: keywords of the source (sources.py)."""
    return WrongDrift(name, {"of_source": law}, row=row, column=column)


ENTRIES = (
    entry("sign descent keeps sum q", "translation", "sign", "order 1", "potential"),
    entry("Adam keeps |q|^2", "scale", "Adam", "order 1", "potential"),
    entry("no source of the rescale charge under heavy ball", "rescale", "heavy ball", "exact", "decay"),
    entry("fixed mass keeps U^T U - V^T V to first order", "GL(r)", "fixed mass", "order 1", "massive"),
    entry("beta^n J_0 under Nesterov", "rotation", "Nesterov", "exact", "decay"),
    entry("second-order energy of the mirror", "time", "entropy mirror", "order 2", "energy"),
)
"""A wrong claim for each row; each must be violated."""
STILL = WrongEntry("no-op rule", row="translation", column="still", claim=Entry("exact", "potential"))
DRIFTS = (
    charge("J dropped from the rescale charge", "rescale", "heavy ball", momentum=0.0),
    charge("J with the other sign in the rescale charge", "rescale", "heavy ball", momentum=-1.0),
    source("mass eta/2 in the source of U^T U - V^T V", "GL(r)", "heavy ball", mass=1 / (1 + BETA)),
    charge("friction off by 1 %", "time", "heavy ball", friction=1.01),
    charge("mass off by 1 % in the energy", "time", "Nesterov", mass=1.01),
    source("another memory of RMSProp", "scale", "RMSProp", rms=1.01 * RMS),
    source("RMSProp without its epsilon", "rescale", "RMSProp", epsilon=0.0),
    source("Adam without bias correction", "scale", "Adam", unbiased=False),
    source("another second memory of Adam", "rotation", "Adam", second=1.01 * SECOND),
)
"""A wrong charge or a wrong source for each kind of drift; each must be violated."""
TOO_MANY = WrongStatement("r(r+1)/2 charges of U V^T where n + l < r")
M1 = (*ENTRIES, STILL, *DRIFTS, TOO_MANY)
