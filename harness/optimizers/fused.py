"""The fused steps of PyTorch, one operation for a whole step, by their definitions, with a running error.

Each does its arithmetic in the type of the parameter, or in float32 where that has 16 bits. The bounds take
every operation of the definition to be rounded in the type of the parameter, in any order.
Source: the CPU kernels of PyTorch 2.13, aten/src/ATen/native/cpu/Fused{SGD,Adam,Adagrad}Kernel.cpp.
"""

from __future__ import annotations

from noether.optimizers import operations as op
from noether.optimizers import running as r


def sgd(kind, state, p) -> dict:
    """q, and the momentum buffer where there is momentum; state and result by name."""
    q, g = state["self"], signed(kind, state["grads"], p["maximize"])
    if on(p["weight_decay"]):
        g = op.add(kind, g, q, p["weight_decay"])
    new = {}
    if on(p["momentum"]):
        if p["is_first_step"]:
            buffer = g
        else:
            kept = op.mul(kind, state["momentum_buffer_list"], p["momentum"])
            buffer = op.add(kind, kept, g, (1 - p["dampening"]).rounded("float64"))
        new["momentum_buffer_list"] = buffer
        g = op.add(kind, g, buffer, p["momentum"]) if p["nesterov"] else buffer
    return {**new, "self": op.sub(kind, q, g, p["lr"])}


def adam(kind, state, p, decoupled: bool = False) -> dict:
    """q, both moments, and their largest where amsgrad is on."""
    q, g, n = state["self"], signed(kind, state["grads"], p["maximize"]), p["step"]
    if on(p["weight_decay"]):
        if decoupled:
            q = op.mul(kind, q, (1 - p["lr"] * p["weight_decay"]).rounded("float64", 2).rounded(kind))
        else:
            g = op.add(kind, g, q, p["weight_decay"])
    m = op.lerp(kind, state["exp_avgs"], g, (1 - p["beta1"]).rounded(kind))
    square = op.mul(kind, op.mul(kind, g, g), (1 - p["beta2"]).rounded(kind))
    s = op.add(kind, op.mul(kind, state["exp_avg_sqs"], p["beta2"]), square)
    new = {"exp_avgs": m, "exp_avg_sqs": s}
    below = s
    if p["amsgrad"]:
        below = new["max_exp_avg_sqs"] = r.maximum(state["max_exp_avg_sqs"], s)
    root = op.ELEMENTWISE["sqrt"](kind, below)
    second = r.sqrt(correction(p["beta2"], n)).rounded("float64").rounded(kind)
    below = op.add(kind, op.div(kind, root, second), p["eps"])
    size = (p["lr"] / correction(p["beta1"], n)).rounded("float64").rounded(kind)
    return {**new, "self": op.addcdiv(kind, q, -(m * size).rounded(kind), below)}


def adamw(kind, state, p) -> dict:
    """Adam whose decay is decoupled."""
    return adam(kind, state, p, decoupled=True)


def adagrad(kind, state, p) -> dict:
    """q, and the sum of squares."""
    q, g, n = state["self"], signed(kind, state["grads"], p["maximize"]), p["step"]
    if on(p["weight_decay"]):
        g = op.add(kind, g, q, p["weight_decay"])
    rate = (p["lr"] / (1 + (n - 1) * p["lr_decay"])).rounded("float64", 3).rounded(kind)
    s = op.addcmul(kind, state["state_sums"], g, g)
    below = op.add(kind, op.ELEMENTWISE["sqrt"](kind, s), p["eps"])
    return {"state_sums": s, "self": op.sub(kind, q, op.div(kind, op.mul(kind, g, rate), below))}


def unscaled(kind, g, scale):
    """The gradient of a loss that was scaled, which takes the place of the scaled one."""
    return op.div(kind, g, scale)


def skipped(given: dict) -> bool:
    """Whether a step is left out because a gradient is not finite, as a scaler of gradients found."""
    found = given.get("found_inf")
    return found is not None and bool(found)


def on(number) -> bool:
    """Whether an option that is a number is not 0."""
    return bool(number.value != 0)


def signed(kind, g, maximize: bool):
    """g, or -g where the loss is to grow."""
    return -g if maximize else g


def correction(beta, n):
    """1 - beta^n of Python's floats."""
    return (1 - r.power(beta, n).rounded("float64", 2)).rounded("float64")


FUSED = {"_fused_sgd": sgd, "_fused_adam": adam, "_fused_adamw": adamw, "_fused_adagrad": adagrad}
"""Name of the operation -> its step."""
LISTS = ("self", "grads", "exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs", "momentum_buffer_list", "state_sums")
"""Its arguments that are lists with an entry a parameter."""
