"""How a network is trained: the optimizer of torch, the precision, and what people put around a step."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import isfinite

import torch
from torch import nn

from noether.system.usage import UsageError, brief, unknown

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict]] = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "momentum": (torch.optim.SGD, {"lr": 0.03, "momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"lr": 0.03, "momentum": 0.9, "nesterov": True}),
    "dampened": (torch.optim.SGD, {"lr": 0.3, "momentum": 0.9, "dampening": 0.9}),
    "decay": (torch.optim.SGD, {"lr": 0.03, "momentum": 0.9, "weight_decay": 5e-3}),
    "adam": (torch.optim.Adam, {"lr": 3e-3}),
    "adamw": (torch.optim.AdamW, {"lr": 3e-3, "weight_decay": 1e-2}),
    "amsgrad": (torch.optim.Adam, {"lr": 3e-3, "amsgrad": True}),
    "nadam": (torch.optim.NAdam, {"lr": 3e-3}),
    "adagrad": (torch.optim.Adagrad, {"lr": 3e-2}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 1e-3}),
}
"""Name of a recipe -> the class of torch.optim, and its options with the step size where none is given."""

FLOAT64, FLOAT32, BFLOAT16, FLOAT16 = torch.float64, torch.float32, torch.bfloat16, torch.float16
PRECISIONS: dict[str, tuple[torch.dtype, torch.dtype | None, str]] = {
    "float64": (FLOAT64, None, "everything in float64"),
    "float32": (FLOAT32, None, "everything in float32"),
    "bfloat16-autocast": (FLOAT32, BFLOAT16, "products in bfloat16 by torch.autocast, parameters in float32"),
    "bfloat16": (BFLOAT16, None, "everything in bfloat16, the parameters too: no copy in float32"),
    "float16-scaled": (FLOAT32, FLOAT16, "products in float16, the loss multiplied by torch.amp.GradScaler"),
}
"""Name -> type of the parameters, type of autocast or None, words."""
NORMS = ("train", "eval")
NORMALISATIONS = (
    nn.modules.batchnorm._BatchNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.LocalResponseNorm,
)


@dataclass(frozen=True)
class Recipe:
    """All that decides how a training goes, but for the network, how long, and the seed.

    optimizer   a name of OPTIMIZERS
    precision   a name of PRECISIONS
    lr          the step size; None for the one of OPTIMIZERS
    batch       samples of one optimizer step
    accumulate  in how many micro-batches it is computed, one after the other, gradients summed
    clip        the norm to which torch.nn.utils.clip_grad_norm_ shortens longer gradients; None does not
    augment     whether images are shifted and noise is added
    norms       train: normalisations use the batch; eval: the running figures, which stay as they are

    Raises UsageError for what has no meaning.
    """

    optimizer: str = "sgd"
    precision: str = "float32"
    lr: float | None = None
    batch: int = 64
    accumulate: int = 1
    clip: float | None = None
    augment: bool = False
    norms: str = "train"

    def __post_init__(self):
        for kind, word, known in (
            ("optimizer of a recipe", self.optimizer, OPTIMIZERS),
            ("precision of a recipe", self.precision, PRECISIONS),
            ("norms of a recipe", self.norms, NORMS),
        ):
            if word not in known:
                raise unknown(kind, word, known)
        for name in ("batch", "accumulate"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UsageError(
                    f"{name} of a recipe is {brief(value)}, must be a whole number of at least 1"
                )
        for name in ("lr", "clip"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and isfinite(value) and value > 0):
                raise UsageError(
                    f"{name} of a recipe is {brief(value)}, must be a finite number above 0, or None"
                )
        if self.batch % self.accumulate:
            told = f"batch of a recipe is {self.batch} and accumulate is {self.accumulate}"
            raise UsageError(f"{told}: micro-batches must be of one size, so the first must be a multiple")

    @property
    def dtype(self) -> torch.dtype:
        """What parameters and data are stored in."""
        return PRECISIONS[self.precision][0]

    def autocast(self) -> AbstractContextManager:
        """The context in which outputs and losses are computed."""
        cast = PRECISIONS[self.precision][1]
        return nullcontext() if cast is None else torch.autocast("cpu", dtype=cast)

    def scaler(self) -> torch.amp.GradScaler:
        """What multiplies the loss: by 1, except in float16."""
        return torch.amp.GradScaler("cpu", enabled=self.precision == "float16-scaled")

    def made(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer over these parameters."""
        kind, options = OPTIMIZERS[self.optimizer]
        return kind(parameters, **(options if self.lr is None else {**options, "lr": self.lr}))

    def prepared(self, model: nn.Module) -> nn.Module:
        """The model in its type, in training; its normalisations as `norms` says. In place."""
        model.to(self.dtype).train()
        if self.norms == "eval":
            for module in model.modules():
                if isinstance(module, NORMALISATIONS):
                    module.eval()
        return model
