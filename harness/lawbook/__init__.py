"""The book of laws: what `noether laws` and `noether explain` say of each, and the order in which they stand."""

from harness.lawbook.claims import CLAIMS
from harness.lawbook.continuous import CONTINUOUS
from harness.lawbook.discrete import DISCRETE
from harness.lawbook.info import LawInfo
from harness.lawbook.normalisation import NORMALISATION
from harness.lawbook.orders import ORDERS
from harness.lawbook.recovery import RECOVERY
from harness.lawbook.reference import REFERENCE
from harness.lawbook.symmetry_map import MAP

FAMILIES = "TDEBOSMPV"
"""The theorem, exact discrete laws, breaking measured back, bits, orders, normalisation, map, published claims, reference."""

LAWS: dict[str, LawInfo] = {
    law.key: law
    for law in sorted(
        (*CONTINUOUS, *DISCRETE, *ORDERS, *NORMALISATION, *MAP, *RECOVERY, *CLAIMS, *REFERENCE),
        key=lambda law: (FAMILIES.index(law.key[0]), int(law.key[1:])),
    )
}
