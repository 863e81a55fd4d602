"""What M1 must kill: wrong entries of the map, wrong charges and wrong sources, each in one cell of it."""

from __future__ import annotations

from dataclasses import dataclass

from noether.laws.law import WrongStatement
from noether.laws.map.table import BETA, FIRST, RMS, SECOND, Entry


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
    entry("QHM keeps the charge of a rotation", "rotation", "QHM", "exact", "decay"),
    entry("LARS has the energy of heavy ball", "time", "LARS", "order 1", "energy"),
    entry("normalised descent keeps |q|^2 at any step", "scale", "normalised", "exact", "potential"),
    entry("Adam keeps the moduli of pairs as sign descent does", "rescale", "Adam", "order 2", "modulus"),
    entry("Adagrad keeps the moduli of pairs", "rescale", "Adagrad", "order 1", "modulus"),
    entry("Muon keeps |u|^2 - |v|^2", "rescale", "Muon", "order 1", "potential"),
    entry("Muon has the order of Nesterov's charge", "rotation", "Muon", "order 1", "decay"),
)
"""Wrong claims, one for each row at least; each must be violated."""
NO_SYMMETRY = WrongEntry(
    "a permutation that is no symmetry", row="permutation", column="Adam", claim=Entry("exact", "run")
)
TURNED = (
    NO_SYMMETRY,
    entry("Muon commutes with any exchange", "exchange", "Muon", "exact", "run"),
    entry("Adam does not commute with an exchange", "exchange", "Adam", "order 0", "run"),
)
"""Wrong claims of the discrete rows."""
STILL = WrongEntry("no-op rule", row="translation", column="still", claim=Entry("exact", "potential"))
DRIFTS = (
    charge("J dropped from the rescale charge", "rescale", "heavy ball", momentum=0.0),
    charge("J with the other sign in the rescale charge", "rescale", "heavy ball", momentum=-1.0),
    source("mass eta/2 in the source of U^T U - V^T V", "GL(r)", "heavy ball", mass=1 / (1 + BETA)),
    charge("friction off by 1 %", "time", "heavy ball", friction=1.01),
    charge("mass off by 1 % in the energy", "time", "Nesterov", mass=1.01),
    source("another memory of RMSProp", "scale", "RMSProp", rms=1.01 * RMS),
    source("RMSProp without its stability", "rescale", "RMSProp", stability=0.0),
    source("Adam without bias correction", "scale", "Adam", unbiased=False),
    source("another second memory of Adam", "rotation", "Adam", second=1.01 * SECOND),
    source("another first memory of LAMB", "rescale", "LAMB", first=1.01 * FIRST),
    charge("J of Nesterov in the charge of QHM", "scale", "QHM", momentum=1.01),
    source("kinetic term of LARS off by 1 %", "rescale", "LARS", mass=1.01),
)
"""A wrong charge or a wrong source for each kind of drift; each must be violated."""
TOO_MANY = WrongStatement("r(r+1)/2 charges of U V^T where n + l < r")
M1 = (*ENTRIES, STILL, *TURNED, *DRIFTS, TOO_MANY)
