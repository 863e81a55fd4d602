"""Optimizers at work for tests of the judge of steps: random gradients, and a small network."""

import torch

from noether.networks.steps import StepJudge

TYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16,
         "float16": torch.float16}  # fmt: skip
SIZES = (37, (2, 3, 5), ())
MATRICES = ((4, 6), (9, 5))


def made(kind, dtype="float64", sizes=SIZES, seed=7, **options):
    """An optimizer of random parameters, and their names."""
    g = torch.Generator().manual_seed(seed)
    parameters = [torch.nn.Parameter(torch.randn(size, generator=g).to(TYPES[dtype])) for size in sizes]
    return kind(parameters, **options), {p: f"p{i}" for i, p in enumerate(parameters)}


def gradients(optimizer, seed, size=1.0):
    """Give every parameter a random gradient."""
    g = torch.Generator().manual_seed(seed)
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = (size * torch.randn(p.shape, generator=g)).to(p.dtype)


def judged(optimizer, names, steps=6, chosen=None, before=lambda n: None, **attached):
    """The steps that a judge has seen under random gradients; before(n) may change them."""
    seen = []
    with StepJudge(optimizer, names, chosen).attached(seen.append, **attached):
        for n in range(steps):
            gradients(optimizer, n)
            before(n)
            optimizer.step()
    return seen


def most(steps, what, known=True):
    """The largest `arithmetic`, `rule` or `combined` of all components; each must be there."""
    parts = [c for s in steps for m in s.moved.values() for c in m.components.values()]
    found = [getattr(c, what) for c in parts if getattr(c, what) is not None]
    assert found or not known
    return max(found, default=0.0)


def trained(make, dtype="float32", steps=6, seed=0):
    """The judged steps of a small network that learns, and its losses."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.LayerNorm(16), torch.nn.ReLU(),
                              torch.nn.Linear(16, 3)).to(TYPES[dtype])  # fmt: skip
    optimizer = make(net.parameters())
    x = torch.randn(64, 6)
    y, x = x[:, :3].argmax(dim=1), x.to(TYPES[dtype])
    seen, losses = [], []
    with StepJudge(optimizer, {p: name for name, p in net.named_parameters()}).attached(seen.append):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
    return seen, losses
