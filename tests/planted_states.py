"""Optimizers that are wrong about rates, counts and saved states, for the probes of an audit."""

import torch
from audited_optimizers import Adam


class Averaged(Adam):
    def step(self, closure=None):
        self.share = 1 / sum(p.grad is not None for p in self.param_groups[0]["params"])
        return super().step(closure)


class CountsAll(Adam):
    """The count of steps is the group's, so that a tensor that joins later is not corrected as a new one."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["n"] = group.get("n", 0) + 1
        return super().step(closure)

    def moved(self, p, g, state, group):
        if state:
            state["step"] = group["n"] - 1
        else:
            self.begun(p, state)
            state["step"] = group["n"] - 1
        super().moved(p, g, state, group)


class NoEps(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "eps": 0.0})


class Shuffled(Adam):
    """Takes the values of a sparse gradient in the wrong order."""

    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if p.grad.is_sparse:
                p.grad = p.grad.coalesce().values().flip(0).view_as(p)
        return super().step(closure)


class Balanced(Adam):
    def signed(self, g, group):
        return g + 0 * g.sum()


class BalancedAll(Adam):
    def step(self, closure=None):
        grads = [p.grad for p in self.param_groups[0]["params"] if p.grad is not None]
        self.more = sum(float(g.sum()) for g in grads) if not any(g.is_sparse for g in grads) else 0.0
        return super().step(closure)

    def signed(self, g, group):
        return g + 0 * self.more


class InPlace(Adam):
    def signed(self, g, group):
        return g.mul_(1 + 1e-3)


class LastGradient(Adam):
    """Keeps the gradient that it has seen and adds what has changed since, by its identity."""

    def signed(self, g, group):
        again, self.seen = getattr(self, "seen", None) is g, g
        return 0.5 * g if again else g


class FixedRate(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": self.defaults["lr"]})


class LateRate(Adam):
    def moved(self, p, g, state, group):
        last, self.last = getattr(self, "last", group["lr"]), group["lr"]
        super().moved(p, g, state, {**group, "lr": last})


class LeastRate(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": max(group["lr"], 1e-3)})


class GrowingRate(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, group)
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].mul_(1.5)


class DividedRate(Adam):
    """Remembers the last lr and divides by it."""

    def moved(self, p, g, state, group):
        last, group["last"] = group.get("last", group["lr"]), group["lr"]
        ratio = group["lr"] / last if last else float("nan") if group["lr"] else 0.0
        super().moved(p, g, state, {**group, "lr": last * ratio})


class CountOutside(Adam):
    """Keeps the count of steps beside the state, by the identity of the parameter."""

    def begun(self, p, state):
        super().begun(p, state)
        counts = self.__dict__.setdefault("counts", {})
        counts[id(p)] = state["step"] = counts.get(id(p), 0) + 1


class NarrowLoaded(Adam):
    """Keeps its second moment in float32, which load_state_dict casts to the type of the parameter."""

    def begun(self, p, state):
        if not state:
            super().begun(p, state)
            state["step"] = 0
            state["s"] = torch.zeros_like(p, dtype=torch.float32)
        state["step"] += 1

    def moved(self, p, g, state, group):
        self.begun(p, state)
        (beta, beta2), n = group["betas"], state["step"]
        state["m"].mul_(beta).add_(g, alpha=1 - beta)
        state["s"].mul_(beta2).add_((g * g).to(state["s"].dtype), alpha=1 - beta2)
        root = (state["s"].float() / (1 - beta2**n)).sqrt().add_(group["eps"])
        p.add_((state["m"].float() / root).to(p.dtype), alpha=-group["lr"] / (1 - beta**n))


class BeginsAnew(Adam):
    def begun(self, p, state):
        if state and state["m"].dtype != p.dtype:
            state.clear()
        super().begun(p, state)


class Keeping(Adam):
    """Moves in float32 whatever the type of the parameter has become."""

    def moved(self, p, g, state, group):
        if p.dtype == torch.float64 and state and state["m"].dtype == torch.float32:
            narrow = p.float()
            super().moved(narrow, g.float(), state, group)
            p.copy_(narrow)
        else:
            super().moved(p, g, state, group)
