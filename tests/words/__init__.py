"""What each case of the catalogue says of itself, once more: vectors and matrices where it has loops."""

from words import invariant, metrics, networks, rotations
from words.statement import IRISES, Words

WORDS: dict[str, Words] = {**invariant.WORDS, **rotations.WORDS, **networks.WORDS, **metrics.WORDS}
"""Name of the case -> its words."""

__all__ = ["IRISES", "WORDS", "Words"]
