"""What the fused optimizers refuse: parameters, gradients and numbers that no step can have."""

from __future__ import annotations

import torch

KINDS = {
    torch.float64: "float64",
    torch.float32: "float32",
    torch.bfloat16: "bfloat16",
    torch.float16: "float16",
}
"""PyTorch's types of parameters -> the names of their precisions."""


def check_parameter(p: torch.Tensor, stochastic: bool) -> None:
    """Refuse a parameter that no kernel takes. Raises TypeError."""
    if p.dtype not in KINDS:
        taken = ", ".join(str(x).removeprefix("torch.") for x in KINDS)
        raise TypeError(f"a parameter is {p.dtype}{list(p.shape)}: must be one of {taken}")
    if p.layout != torch.strided:
        raise TypeError(f"a parameter is {p.layout}: must be dense")
    if stochastic and p.dtype != torch.bfloat16:
        raise TypeError(f"stochastic=True, and a parameter is {p.dtype}: only bfloat16 is rounded at random")


def check_numbers(group: dict) -> None:
    """Refuse numbers of a group that no step can have. Raises ValueError."""
    for name in ("lr", "momentum", "weight_decay", "eps"):
        if name in group and not (0 <= float(group[name]) < float("inf")):
            raise ValueError(f"{name} is {group[name]}, must be a finite number from 0")
    if "dampening" in group and not abs(float(group["dampening"])) < float("inf"):
        raise ValueError(f"dampening is {group['dampening']}, must be a finite number")
    if "betas" in group:
        betas = tuple(float(x) for x in group["betas"])
        if len(betas) != 2 or not all(0 <= x < 1 for x in betas):
            raise ValueError(f"betas are {group['betas']}, must be two numbers from 0, below 1")
    if group.get("nesterov") and not (float(group["momentum"]) > 0 and float(group["dampening"]) == 0):
        raise ValueError(
            f"nesterov=True, with momentum {group['momentum']} and dampening {group['dampening']}: must have "
            "a momentum above 0 and no dampening"
        )


def check_gradient(p: torch.Tensor) -> None:
    """Refuse a gradient that the kernel would read as another one. Raises TypeError."""
    g = p.grad
    if g.layout != torch.strided:
        raise TypeError(f"a gradient is {g.layout}: must be dense; g.to_dense() makes it so")
    if g.dtype != p.dtype or g.shape != p.shape or g.device != p.device:
        raise TypeError(
            f"a gradient is {g.dtype}{list(g.shape)} on {g.device}, its parameter {p.dtype}{list(p.shape)} "
            f"on {p.device}: must agree"
        )
