"""The book of laws: what `noether laws` and `noether explain` say of each, and the order in which they stand."""

from noether.lawbook.claims import CLAIMS
from noether.lawbook.continuous import CONTINUOUS
from noether.lawbook.discrete import DISCRETE
from noether.lawbook.info import LawInfo
from noether.lawbook.normalisation import NORMALISATION
from noether.lawbook.orders import ORDERS
from noether.lawbook.recovery import RECOVERY
from noether.lawbook.reference import REFERENCE
from noether.lawbook.symmetry_map import MAP

FAMILIES = "TDEBOSMPV"
"""The theorem, exact discrete laws, breaking measured back, bits, orders, normalisation, map, published claims, reference."""

LAWS: dict[str, LawInfo] = {
    law.key: law
    for law in sorted(
        (*CONTINUOUS, *DISCRETE, *ORDERS, *NORMALISATION, *MAP, *RECOVERY, *CLAIMS, *REFERENCE),
        key=lambda law: (FAMILIES.index(law.key[0]), int(law.key[1:])),
    )
}
