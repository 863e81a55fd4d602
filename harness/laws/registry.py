"""All laws, by key, and the families that measure them.

`noether laws`, `noether explain`, the report, the docs and the design of a run are made of this.
"""

from __future__ import annotations

from noether.laws import (
    averages,
    continuous,
    covariance,
    exact,
    map,
    networks,
    normalisation,
    orders,
    published,
    reference,
    response,
)
from noether.laws.law import Family, Law

FAMILIES: tuple[Family, ...] = (
    continuous.FAMILY,
    orders.FAMILY,
    normalisation.FAMILY,
    map.FAMILY,
    covariance.FAMILY,
    response.FAMILY,
    published.FAMILY,
    *averages.FAMILIES,
    reference.FAMILY,
    networks.FAMILY,
)
"""Those whose cells are no launches; the exact laws judge the launches that the design of a run chooses."""

GROUPS: dict[str, Family] = {family.group: family for family in FAMILIES if family.group}
"""The families that are asked for by a word of their own, for they are about no case."""

LETTERS = "TDEBOSMPVN"
"""The theorem, updates, breaking measured back, bits, orders, normalisation, map, published, reference,
networks."""

LAWS: dict[str, Law] = {
    law.key: law
    for law in sorted(
        (*exact.EXACT.values(), *exact.LAUNCHED, *(law for family in FAMILIES for law in family.laws)),
        key=lambda law: (LETTERS.index(law.key[0]), int(law.key[1:])),
    )
}
"""In the order in which they are printed."""
