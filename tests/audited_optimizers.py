"""Optimizers for audits of options and probes: right ones, and each of them with one defect."""

import torch


class Adam(torch.optim.Optimizer):
    """Adam or AdamW in a plain loop, right; a defect is a method that a subclass has another one of."""

    def __init__(
        self,
        params,
        lr=0.01,
        betas=(0.9, 0.99),
        eps=1e-6,
        weight_decay=0.0,
        decoupled=False,
        amsgrad=False,
        maximize=False,
    ):
        kept = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decoupled=decoupled)
        super().__init__(params, {**kept, "amsgrad": amsgrad, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure=None):
        loss = self.evaluated(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    if p.grad.is_sparse:
                        raise RuntimeError("no sparse gradients")
                    self.moved(p, p.grad, self.state[p], group)
        return loss

    def evaluated(self, closure):
        if closure is None:
            return None
        with torch.enable_grad():
            return closure()

    def signed(self, g, group):
        return -g if group["maximize"] else g

    def decayed(self, p, g, group):
        if group["weight_decay"] and group["decoupled"]:
            p.mul_(1 - group["lr"] * group["weight_decay"])
            return g
        return g.add(p, alpha=group["weight_decay"]) if group["weight_decay"] else g

    def begun(self, p, state):
        if not state:
            state["step"] = 0
            state["m"], state["s"], state["h"] = (torch.zeros_like(p) for _ in range(3))
        state["step"] += 1

    def moved(self, p, g, state, group):
        g = self.decayed(p, self.signed(g, group), group)
        self.begun(p, state)
        (beta, beta2), n = group["betas"], state["step"]
        state["m"].mul_(beta).add_(g, alpha=1 - beta)
        state["s"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        s = state["s"]
        if group["amsgrad"]:
            s = torch.maximum(state["h"], s, out=state["h"])
        root = (s / (1 - beta2**n)).sqrt().add_(group["eps"])
        p.addcdiv_(state["m"], root, value=-group["lr"] / (1 - beta**n))


class Momentum(Adam):
    """Gradient descent with momentum, coupled decay and Nesterov's look ahead, right."""

    def __init__(self, params, lr=0.05, momentum=0.0, nesterov=False, weight_decay=0.0, maximize=False):
        kept = dict(lr=lr, momentum=momentum, nesterov=nesterov, decoupled=False)
        torch.optim.Optimizer.__init__(
            self, params, {**kept, "weight_decay": weight_decay, "maximize": maximize}
        )

    def moved(self, p, g, state, group):
        g = self.decayed(p, self.signed(g, group), group)
        if "b" not in state:
            state["b"] = torch.zeros_like(p)
        beta = group["momentum"]
        state["b"].mul_(beta).add_(g)
        p.add_(self.followed(g, state["b"], beta, group), alpha=-group["lr"])

    def followed(self, g, b, beta, group):
        return g + beta * b if group["nesterov"] else b
