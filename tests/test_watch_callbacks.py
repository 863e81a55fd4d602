"""The callbacks of Lightning and transformers, on loops of the same protocol that stand in for them."""

import sys
import types

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import noether  # noqa: E402
from noether.api.extras import ExtraMissing  # noqa: E402


class Wrapped(torch.optim.Optimizer):
    """As accelerate wraps an optimizer: no optimizer of its own, and its step is that of the one inside."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, closure=None):
        self.optimizer.step(closure)


class Module(nn.Module):
    """As a LightningModule: it is never called, its parts are."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU()), nn.Linear(6, 2)

    def training_step(self, x):
        return self.head(self.body(x)).square().mean()


def fit(callback, steps: int = 6):
    """What lightning does: the optimizer is given a closure that does everything."""
    torch.manual_seed(0)
    module = Module()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2)
    trainer = types.SimpleNamespace(optimizers=[optimizer])
    if callback:
        callback.on_train_start(trainer, module)

    def closure():
        loss = module.training_step(torch.randn(8, 4))
        optimizer.zero_grad()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure=closure)
    if callback:
        callback.on_train_end(trainer, module)
    return module


def train(callback, steps: int = 6):
    """What transformers.Trainer does, with an optimizer that accelerate has wrapped."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 2))
    optimizer = Wrapped(torch.optim.AdamW(module.parameters(), lr=1e-2))
    given = dict(model=module, optimizer=optimizer, train_dataloader=None, lr_scheduler=None)
    if callback:
        callback.on_train_begin(None, None, None, **given)
    for _ in range(steps):
        module(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
        module.zero_grad()
    if callback:
        callback.on_train_end(None, None, None, **given)
    return module


def base(name: str) -> type:
    return type(name, (), {})


@pytest.fixture
def packages(monkeypatch):
    """lightning and transformers with nothing but the classes that are asked for."""
    for name, held in (
        ("lightning", {}),
        ("lightning.pytorch", {"Callback": base("Callback")}),
        ("transformers", {"TrainerCallback": base("TrainerCallback")}),
    ):
        module = types.ModuleType(name)
        vars(module).update(held)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("make, loop", [("lightning_callback", fit), ("trainer_callback", train)])
def test_a_callback_watches_the_training_and_changes_no_bit_of_it(packages, make, loop):
    callback = getattr(noether, make)(every=1, live=False)
    plain, watched = loop(None), loop(callback)
    for name, x in plain.state_dict().items():
        assert torch.equal(x, watched.state_dict()[name]), name
    w = callback.watch
    assert w.exit_code == 0 and {r.law for r in w.result.records} == {"N1", "N2", "N3"}, w.report()
    facts = w._watcher.seats[0].facts
    assert facts.repeated == len(facts.factors) >= 5
    assert sum(facts.unjudged.values()) <= 1, "before step 1 nobody knows that parts are called"
    assert isinstance(callback, type(callback).__mro__[1])


def test_an_exception_closes_the_watch(packages):
    callback = noether.lightning_callback(live=False)
    callback.on_exception(None, None, KeyError())
    module = Module()
    trainer = types.SimpleNamespace(optimizers=[torch.optim.SGD(module.parameters(), lr=0.1)])
    callback.on_train_start(trainer, module)
    callback.on_exception(trainer, module, KeyError())
    assert not module._forward_hooks


@pytest.mark.parametrize(
    "make, package", [("lightning_callback", "lightning"), ("trainer_callback", "transformers")]
)
def test_without_the_package_it_is_named(monkeypatch, make, package):
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ExtraMissing, match=f"needs {package}|needs pytorch_lightning"):
        getattr(noether, make)()
