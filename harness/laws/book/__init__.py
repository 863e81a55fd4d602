"""The book of laws: what `noether laws` and `noether explain` say of each, and the order in which they
stand."""

from noether.laws.book.claims import CLAIMS
from noether.laws.book.continuous import CONTINUOUS
from noether.laws.book.discrete import DISCRETE
from noether.laws.book.info import LawInfo
from noether.laws.book.normalisation import NORMALISATION
from noether.laws.book.orders import ORDERS
from noether.laws.book.recovery import RECOVERY
from noether.laws.book.reference import REFERENCE
from noether.laws.book.symmetry_map import MAP

FAMILIES = "TDEBOSMPV"
"""The theorem, exact discrete laws, breaking measured back, bits, orders, normalisation, map, published
claims, reference."""

LAWS: dict[str, LawInfo] = {
    law.key: law
    for law in sorted(
        (*CONTINUOUS, *DISCRETE, *ORDERS, *NORMALISATION, *MAP, *RECOVERY, *CLAIMS, *REFERENCE),
        key=lambda law: (FAMILIES.index(law.key[0]), int(law.key[1:])),
    )
}
