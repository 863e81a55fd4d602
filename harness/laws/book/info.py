"""What the book says of one law."""

from __future__ import annotations

from dataclasses import dataclass

NEAR_ETA = "eta x (1 + 2^-10)"


@dataclass(frozen=True)
class LawInfo:
    """One law: what it states, where it applies, what it cannot see, what must fail under it.

    controls    near misses that it must kill somewhere
    promised    (control, precision) that it must kill in that precision
    everywhere  those that it must kill in every cell that shows them
    on_request  the option without which a run leaves it out
    """

    key: str
    title: str
    equation: str
    kind: str
    blind: tuple[str, ...]
    controls: tuple[str, ...]
    applies: str
    promised: tuple[tuple[str, str], ...] = ()
    on_request: str = ""
    everywhere: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        return f"theory.md#{self.key}"
