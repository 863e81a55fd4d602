"""Parameters that no watched optimizer holds although a gradient is formed for them, and what became of them.

A parameter may be trained by an optimizer that nobody told us of. So it is said to stand still only where its
numbers were seen to be the same bits in two steps or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

from noether.campaigns.watch.facts import Net

SOME = 4096  # numbers of a parameter that are compared


@dataclass
class Outside:
    """One such parameter. kept: its first numbers and its version; times: how often it was seen since."""

    name: str
    step: int
    kept: torch.Tensor
    version: int
    hidden: bool
    times: int = 1
    moved: bool = False


class Outsiders:
    """All of them, by the parameter itself."""

    def __init__(self, nets: list[Net]):
        self.nets, self.found = nets, {}

    def look(self, step: int, held: set[int]) -> None:
        """Gradients are there, and a step is about to be made. held: ids of what optimizers hold now."""
        for p, name, hidden in self.candidates():
            if id(p) in held or not p.requires_grad or p.grad is None or p.is_sparse:
                continue
            there = self.found.get(p)
            now = p.detach().reshape(-1)[:SOME]
            if there is None:
                self.found[p] = Outside(name, step, now.clone(), p._version, hidden)
            elif p._version != there.version or not torch.equal(now, there.kept):
                there.moved = True
            else:
                there.times += 1

    def candidates(self) -> Iterator[tuple[torch.Tensor, str, bool]]:
        """(parameter, name, whether it is in a plain list) of all networks as they are now."""
        for net in self.nets:
            named = {p: net.prefix + name for name, p in net.inner.named_parameters()}
            yield from ((p, name, False) for p, name in named.items())
            for place, module in net.inner.named_modules():
                for name, p in hidden(module):
                    if p not in named:
                        yield p, net.prefix + (f"{place}." if place else "") + name, True

    def still(self, hidden: bool) -> list[Outside]:
        """Those that nobody moves."""
        return [x for x in self.found.values() if not x.moved and x.times > 1 and x.hidden == hidden]


def hidden(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters that a module has in a plain list, tuple or dict, where parameters() does not see them."""
    for word, x in vars(module).items():
        if word.startswith("_") or type(x) not in (list, tuple, dict):
            continue
        items: Iterable = x.items() if type(x) is dict else enumerate(x)
        for n, one in items:
            if isinstance(one, torch.nn.Parameter):
                yield f"{word}[{n}]", one
            elif isinstance(one, torch.nn.Module):
                yield from ((f"{word}[{n}].{name}", p) for name, p in one.named_parameters())
