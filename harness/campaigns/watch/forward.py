"""What a script called a network with, and what its own loss sent back, on the steps that are looked at.

Everything is a copy: a script may write over its inputs, and autograd adds up slopes in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch.utils._pytree import tree_leaves, tree_map

from noether.networks.twin import Call, called, outputs


class NotJudged(Exception):
    """Why a sample says nothing about the gradient, in words."""


def task() -> int:
    """The number of the backward pass that is going on, -1 outside of one."""
    return torch._C._current_graph_task_id()


@dataclass
class Seen:
    """One call, and what became of it.

    backward  the number of the backward pass that came through it, None as long as none has
    """

    call: Call
    backward: int | None = None

    @property
    def came(self) -> bool:
        """Whether a slope came back to it."""
        return any(c is not None for c in self.call.cotangents)


def plainly(action: Callable, *given) -> None:
    """Do something as it is."""
    action(*given)


class Calls:
    """The calls of one step.

    parameters  those of the optimizer whose step is looked at: where none of them has a gradient when a slope
                comes back, what came back before was thrown away
    limit       bytes of copies, above which nothing is kept
    safely      calls what is done while the script's own backward pass runs
    """

    def __init__(self, parameters: Iterable[torch.Tensor], limit: int, safely: Callable = plainly):
        self.parameters, self.limit, self.bytes, self.safely = tuple(parameters), limit, 0, safely
        self.seen: list[Seen] = []
        self.trouble, self.stale = "", False
        self._open: Seen | None = None
        self._versions = self.versions()

    def versions(self) -> int:
        """A number that grows when a parameter is written to."""
        return sum(p._version for p in self.parameters)

    def begin(self, model: torch.nn.Module, args: tuple, kwargs: dict, name: str = "") -> None:
        """A call is about to be made, of the network or of the module in it that has this name."""
        if self.trouble:
            return
        # A slope of an input is nobody's parameter, so that a copy needs no graph.
        self._open = Seen(replace(called(model, self.kept(args), self.kept(kwargs)), module=name))

    def end(self, out) -> None:
        """The call that was begun gave this."""
        if self._open is None or self.trouble or out is None:
            return
        seen, self._open = self._open, None
        for n, y in enumerate(outputs(out)):
            seen.call.cotangents.append(None)
            if y.requires_grad:
                y.register_hook(lambda came, n=n: self.safely(self.came, seen, n, came))
        self.seen.append(seen)

    def came(self, seen: Seen, n: int, slope: torch.Tensor) -> None:
        """A slope came back to an output. It is changed in nothing."""
        if self.trouble:
            return
        if seen.backward is None and not any(x.backward == task() for x in self.seen):
            self.begun_backward()
        if seen.backward not in (None, task()):
            self.trouble = "backward() came through one call of the network twice"
            return
        seen.backward = task()
        seen.call.cotangents[n] = self.kept(slope.detach())

    def begun_backward(self) -> None:
        """A backward pass begins: what was there before it counts, or was thrown away."""
        has = any(p.grad is not None and bool(p.grad.any()) for p in self.parameters)
        earlier = [x for x in self.seen if x.backward is not None]
        if not has:
            self.seen, self.stale = [x for x in self.seen if x.backward is None], False
        elif not earlier:
            self.stale = True

    def kept(self, x):
        """A copy of every tensor in x."""
        self.bytes += sum(y.numel() * y.element_size() for y in tree_leaves(x) if isinstance(y, torch.Tensor))
        if self.bytes > self.limit:
            self.trouble = f"inputs and slopes take more than {self.limit / 2**20:g} MiB"
            self.seen.clear()
            return x
        return tree_map(lambda y: y.detach().clone() if isinstance(y, torch.Tensor) else y, x)

    def taken(self) -> list[Call]:
        """The calls that the gradient is made of. Raises NotJudged."""
        if self.trouble:
            raise NotJudged(self.trouble)
        if self.stale:
            raise NotJudged("the gradient of an earlier step was still there when backward() began")
        found = [x.call for x in self.seen if x.came]
        if not found:
            raise NotJudged("no slope came back to an output of the network since the last step")
        if self.versions() != self._versions:
            raise NotJudged("parameters were written to between the network's call and the step")
        return found
