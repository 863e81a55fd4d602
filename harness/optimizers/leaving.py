"""Numbers that leave PyTorch: what is computed from them elsewhere has no tensor operation, and no shadow.

A step may compute in numpy, in a kernel that it launches itself, or in an extension. Its motion is then no
fault, but what it means cannot be seen: such a target is not decided.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch.overrides import TorchFunctionMode

METHODS = ("numpy", "__array__", "__dlpack__", "tolist")
"""Methods of a tensor that hand its numbers to something else."""
UNSEEN = "a change that no tensor operation made"


class Leaving(TorchFunctionMode):
    """A mode that counts the calls of METHODS on tensors of more than one number.

    told  where they are counted, by name
    """

    def __init__(self, told: Counter):
        super().__init__()
        self.told = told

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in METHODS and isinstance(args[0], torch.Tensor) and args[0].numel() > 1:
            self.told[f"Tensor.{name}"] += 1
        return function(*args, **(kwargs or {}))
