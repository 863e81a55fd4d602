"""A limit on what autograd keeps while a network is done again."""

from __future__ import annotations

from contextlib import contextmanager

import torch


class TooLarge(BaseException):
    """What is kept for a backward pass is more than it may; nobody takes it for an error of the network's."""


@contextmanager
def at_most(limit: int):
    """A context in which autograd may keep so many bytes. Raises TooLarge."""
    kept = 0

    def pack(x: torch.Tensor):
        nonlocal kept
        kept += x.numel() * x.element_size()
        if kept > limit:
            raise TooLarge
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        yield
