"""How often the schedulers of an optimizer were stepped, from what they say of themselves.

PyTorch's schedulers count their steps, and leave initial_lr in the groups of their optimizer; the optimizer
does not know them. So they are looked for among Python's objects, once.
"""

from __future__ import annotations

import gc

from torch.optim.lr_scheduler import LRScheduler


def schedulers_of(optimizer) -> list:
    """The schedulers of an optimizer that are alive, without those that another one steps."""
    found = [
        x
        for x in gc.get_objects()
        if issubclass(type(x), LRScheduler) and vars(x).get("optimizer") is optimizer
    ]
    counts = [x for x in found if isinstance(vars(x).get("_step_count"), int)]
    inner = {id(y) for x in counts for y in vars(x).get("_schedulers", ())}
    return [x for x in counts if id(x) not in inner]


class Schedules:
    """The counts of the schedulers of one optimizer.

    jumps  (step, class, by how many) of those that were stepped more than once with no call of the network
           and no step of the optimizer between
    """

    def __init__(self):
        self.schedulers: list | None = None
        self.counts: list[int] = []
        self.begun: list[int] = []
        self.jumps: list[tuple[int, str, int]] = []
        self.groups = 0
        self.gaps = 0

    def read(self, optimizer, step: int) -> None:
        """Read the counts. step: the number of the one that comes next."""
        if self.schedulers is None:
            if step < 2:
                return  # made after the watch, as often as before
            scheduled = any("initial_lr" in group for group in optimizer.param_groups)
            self.schedulers = schedulers_of(optimizer) if scheduled else []
        now = [vars(x).get("_step_count", 0) for x in self.schedulers]
        restored = self.groups != id(optimizer.param_groups[0])
        if self.counts and not restored:
            for x, a, b in zip(self.schedulers, self.counts, now, strict=True):
                if b - a > 1:
                    self.jumps.append((step, type(x).__name__, b - a))
        if restored or not self.begun:
            self.begun = now
        self.counts, self.groups = now, id(optimizer.param_groups[0])

    @property
    def never(self) -> list[str]:
        """The classes of the schedulers, where none of them was ever stepped while they were known."""
        if not self.schedulers or self.counts != self.begun:
            return []
        # A scheduler steps itself once when it is made.
        return [type(x).__name__ for x in self.schedulers] if set(self.counts) == {1} else []
