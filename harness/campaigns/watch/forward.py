"""What a script called a network with, and what its own loss sent back, on the steps that are looked at.

Everything is a copy: a script may write over its inputs, and autograd adds up slopes in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch.utils._pytree import tree_leaves, tree_map

from noether.networks.twin import Call, called, outputs


class NotJudged(Exception):
    """Why a sample says nothing about the gradient, in words."""


def task() -> int:
    """The number of the backward pass that is going on, -1 outside of one."""
    return torch._C._current_graph_task_id()


def copied(x):
    """A copy of a tensor that requires a gradient where the tensor does; anything else as it is."""
    if not isinstance(x, torch.Tensor):
        return x
    return x.detach().clone().requires_grad_(x.requires_grad)


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

    named       those of the optimizer whose step is looked at: where none of them has a gradient when a slope
                comes back, what came back before was thrown away
    beside      those of the network that another watched optimizer holds, and may move first: names in the
                network -> parameter. They are copied with each call
    is_old      whether gradients of some parameters are those of the step before, and untouched since
    limit       bytes of copies, above which nothing is kept
    safely      calls what is done while the script's own backward pass runs
    """

    def __init__(
        self, named: Mapping[str, torch.Tensor], limit: int, safely: Callable = plainly,
        is_old: Callable[[Iterable], bool] = lambda parameters: False,
        beside: Mapping[str, torch.Tensor] | None = None,
    ):  # fmt: skip
        self.named, self.limit, self.bytes, self.safely, self.is_old = dict(named), limit, 0, safely, is_old
        self.parameters = tuple(self.named.values())
        self.untouched, self.beside = False, dict(beside or {})
        self.seen: list[Seen] = []
        self.trouble, self.stale = "", False
        self._open: Seen | None = None
        self._versions = self.versions()

    def versions(self) -> dict[str, int]:
        """A number for each parameter that grows when it is written to."""
        return {name: p._version for name, p in self.named.items()}

    def written(self) -> list[str]:
        """The parameters that were written to since the first call."""
        return [name for name, version in self.versions().items() if version != self._versions[name]]

    def begin(self, model: torch.nn.Module, args: tuple, kwargs: dict, name: str = "") -> None:
        """A call is about to be made, of the network or of the module in it that has this name."""
        if self.trouble:
            return
        call = called(model, self.kept(args), self.kept(kwargs))
        written = self.kept({**dict(model.named_buffers()), **self.beside})
        self._open = Seen(replace(call, module=name, written=written))

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
            self.stale, self.untouched = True, self.is_old(self.parameters)

    def kept(self, x):
        """A copy of every tensor in x."""
        self.bytes += sum(y.numel() * y.element_size() for y in tree_leaves(x) if isinstance(y, torch.Tensor))
        if self.bytes > self.limit:
            self.trouble = f"inputs and slopes take more than {self.limit / 2**20:g} MiB"
            self.seen.clear()
            return x
        return tree_map(copied, x)

    def taken(self) -> list[Call]:
        """The calls that the gradient is made of. Raises NotJudged."""
        if self.trouble:
            raise NotJudged(self.trouble)
        if self.stale:
            raise NotJudged("the gradient of an earlier step was still there when backward() began")
        found = [x.call for x in self.seen if x.came]
        if not found:
            raise NotJudged("no slope came back to an output of the network since the last step")
        if self.written():
            raise NotJudged("parameters were written to between the network's call and the step")
        return found
