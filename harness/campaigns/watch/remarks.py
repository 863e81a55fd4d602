"""What is odd about a training, or should be known of it: facts, each with the step it was first seen in.

A remark says what was seen and never guesses what was meant. `odd` are those after which a training does not
do what its lines say: a gradient that is thrown away, a weight that nobody moves. The others are facts that
are right in one script and a mistake in another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FEW = 4  # names in a sentence


@dataclass(frozen=True)
class Remark:
    """One fact.

    step   the first in which it was seen, None where it is of all steps
    about  the optimizer, the network or the parameters it is about
    said   what was seen, and what to do, in a sentence
    """

    step: int | None
    about: str
    said: str
    odd: bool = False

    def __str__(self) -> str:
        return (f"from step {self.step}: " if self.step is not None else "") + self.said


@dataclass
class Seen:
    """Something that was seen in some of the steps that were looked at."""

    first: int
    times: int = 0
    names: dict[str, None] = field(default_factory=dict)
    data: dict = field(default_factory=dict)


class Diary:
    """What was seen of one optimizer, by kind, each with its first step and what it is about."""

    def __init__(self):
        self.seen: dict[str, Seen] = {}

    def note(self, kind: str, step: int, names=(), **data) -> None:
        """Something was seen in a step."""
        found = self.seen.setdefault(kind, Seen(step))
        found.times += 1
        found.names.update(dict.fromkeys(names))
        found.data.update(data)

    def of(self, kind: str) -> Seen | None:
        """What was seen of a kind."""
        return self.seen.get(kind)


def listed(names) -> str:
    """A few names, and how many more."""
    names = list(names)
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")
