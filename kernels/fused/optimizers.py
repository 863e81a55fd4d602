"""SGD, AdamW and Lion for PyTorch, each step one kernel: printed from the rule, on a GPU or on this CPU.

    from noether.kernels.fused import AdamW
    optimizer = AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)

Parameters are float64, float32, bfloat16 or float16; buffers and arithmetic are float32, and float64 for
float64. Where the parameters are bfloat16, stochastic=True rounds them at random, so that the mean of what is
stored is what was computed. Buffers have PyTorch's names.
"""

from __future__ import annotations

from noether.cases.rule import Rule
from noether.cases.rules.adam import ADAM
from noether.cases.rules.adamw import ADAMW
from noether.cases.rules.lion import LION
from noether.kernels.fused.sgd_rule import SGD as SGD_RULE
from noether.kernels.fused.sgd_rule import SGD_AHEAD
from noether.kernels.fused.torch_optimizer import Fused


class SGD(Fused):
    """Gradient descent with momentum, as torch.optim.SGD (kernels/fused/sgd_rule.py).

    lr, momentum, dampening, weight_decay, nesterov, maximize  as there
    backend, stochastic, seed                                  as of Fused
    """

    names = ("momentum_buffer",)

    def __init__(
        self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, *,
        maximize=False, backend="auto", stochastic=False, seed=0,
    ):  # fmt: skip
        given = dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay)
        given |= dict(nesterov=nesterov, maximize=maximize)
        super().__init__(params, given, backend=backend, stochastic=stochastic, seed=seed)

    def rule(self, group: dict) -> Rule:
        return SGD_AHEAD if group["nesterov"] else SGD_RULE

    def own(self, group: dict) -> dict[str, float]:
        # Without momentum PyTorch has no buffer, and so nothing that could be damped.
        tau = group["dampening"] if group["momentum"] else 0.0
        return dict(eta=group["lr"], beta=group["momentum"], k=group["weight_decay"], tau=tau)

    def keeps(self, group: dict) -> bool:
        return float(group["momentum"]) != 0


class AdamW(Fused):
    """Adam with decoupled decay, as torch.optim.AdamW (cases/rules/adamw.py); with decoupled=False Adam
    (cases/rules/adam.py), whose decay enters the moments.

    lr, betas, eps, weight_decay, maximize  as there
    backend, stochastic, seed               as of Fused
    """

    names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, *,
        decoupled=True, maximize=False, backend="auto", stochastic=False, seed=0,
    ):  # fmt: skip
        given = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        given |= dict(decoupled=decoupled, maximize=maximize)
        super().__init__(params, given, backend=backend, stochastic=stochastic, seed=seed)

    def rule(self, group: dict) -> Rule:
        return ADAMW if group["decoupled"] else ADAM

    def own(self, group: dict) -> dict[str, float]:
        beta, beta2 = group["betas"]
        moments = dict(beta=beta, beta2=beta2, stability=group["eps"])
        return dict(eta=group["lr"], k=group["weight_decay"], **moments)


class Lion(Fused):
    """The sign of a momentum that looks ahead, with decoupled decay (cases/rules/lion.py).

    lr, betas, weight_decay, maximize  as in Chen et al. (2023), algorithm 2
    backend, stochastic, seed          as of Fused
    """

    names = ("exp_avg",)

    def __init__(
        self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, *,
        maximize=False, backend="auto", stochastic=False, seed=0,
    ):  # fmt: skip
        given = dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize)
        super().__init__(params, given, backend=backend, stochastic=stochastic, seed=seed)

    def rule(self, group: dict) -> Rule:
        return LION

    def own(self, group: dict) -> dict[str, float]:
        beta, beta2 = group["betas"]
        return dict(eta=group["lr"], beta=beta, beta2=beta2, k=group["weight_decay"])
