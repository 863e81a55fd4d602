"""Optimizers that are wrong about gradients, groups and shapes, for the probes of an audit."""

import torch
from audited_optimizers import Adam


class NeverCalled(Adam):
    def evaluated(self, closure):
        return None


class Disabled(Adam):
    def evaluated(self, closure):
        return closure() if closure else None


class Lossless(Adam):
    def evaluated(self, closure):
        super().evaluated(closure)


class Noisy(Adam):
    def signed(self, g, group):
        return g + 1e-3 * torch.randn_like(g)


class OneCount(Adam):
    count = 0

    def begun(self, p, state):
        super().begun(p, state)
        self.count = state["step"] = self.count + 1


class FirstGroup(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, {**group, "lr": self.param_groups[0]["lr"]})


class Forgetful(Adam):
    def add_param_group(self, group):
        super().add_param_group(group)
        self.state.clear()


class ByPlace(Adam):
    def moved(self, p, g, state, group):
        place = [q is p for q in group["params"]].index(True)
        super().moved(p, g, state, {**group, "lr": group["lr"] / (1 + place)})


class Outliving(Adam):
    kept: dict = {}

    def begun(self, p, state):
        super().begun(p, state)
        kept = Outliving.kept.get("last", torch.zeros(()))
        Outliving.kept["last"] = state["m"].add_(kept.sum() * 1e-3)


class InTheClass(Adam):
    """Tensors of one shape share their first moment, until another optimizer is made."""

    kept: dict = {}

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        InTheClass.kept.clear()

    def begun(self, p, state):
        super().begun(p, state)
        state["m"] = InTheClass.kept.setdefault(p.shape, state["m"])


class InBlocks(Adam):
    """Moves whole blocks of four where there are more than 256 elements."""

    least = 256

    def moved(self, p, g, state, group):
        n = p.numel() // 4 * 4
        if p.numel() > self.least:
            super().moved(p.view(-1)[:n], g.view(-1)[:n], state, group)
        else:
            super().moved(p, g, state, group)


class InLargeBlocks(InBlocks):
    least = 2**20


class Normed(Adam):
    def signed(self, g, group):
        return g / g.norm().clamp(min=1)


class InMemory(Adam):
    def moved(self, p, g, state, group):
        p, g = (torch.as_strided(x, (x.numel(),), (1,), x.storage_offset()) for x in (p, g))
        super().moved(p, g, state, group)


class Beyond(Adam):
    def moved(self, p, g, state, group):
        super().moved(p, g, state, group)
        flat = torch.empty(0, dtype=p.dtype).set_(p.untyped_storage())
        after = p.storage_offset() + p.numel()
        flat[after : after + 1] += 1e-3


class Mean(Adam):
    def signed(self, g, group):
        return g * (sum(g.shape) / g.numel() if g.ndim == 1 else 1)


class Stopping(Adam):
    """Leaves the loop at the first tensor without elements."""

    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if not p.numel():
                return None
        return super().step(closure)


class Attributed(Adam):
    """Keeps an option as an attribute, which torch's own __getstate__ leaves out."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.factor = 1.0

    def moved(self, p, g, state, group):
        super().moved(p, g * self.factor, state, group)


class RealOnly(Adam):
    def moved(self, p, g, state, group):
        if p.is_complex():
            super().moved(torch.view_as_real(p)[..., 0], torch.view_as_real(g)[..., 0], state, group)
        else:
            super().moved(p, g, state, group)


class Narrowest(Adam):
    def moved(self, p, g, state, group):
        types = [q.dtype for q in group["params"]]
        narrow = torch.bfloat16 in types and p.dtype == torch.float32
        super().moved(p, g.bfloat16().float() if narrow else g, state, group)


class DecaysAlways(Adam):
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if p.grad is None:
                p.data.mul_(1 - 1e-3)
        return super().step(closure)


class Coasting(Adam):
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            if p.grad is None and self.state[p]:
                p.data.sub_(self.state[p]["m"], alpha=1e-3)
        return super().step(closure)


class NoneCrashes(Adam):
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.grad.add_(0)
        return super().step(closure)
