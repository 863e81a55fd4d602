"""Scripts that are right and unusual: the watch accuses none of them, and changes no bit of them."""

import warnings
from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import noether  # noqa: E402
from noether.campaigns.watch.plants.layers import Dropped  # noqa: E402
from noether.campaigns.watch.plants.plant import batches, loss_of, made, sgd, trained  # noqa: E402


def two_optimizers(watching):
    net = made("batchnorm-mlp")
    matrices, others = ([p for p in net.parameters() if (p.ndim > 1) == x] for x in (True, False))
    both = torch.optim.AdamW(matrices, lr=1e-3), torch.optim.SGD(others, lr=0.01)
    with watching(net, list(both)):
        for x, y in batches(4):
            [o.zero_grad() for o in both]
            loss_of(net, x, y).backward()
            [o.step() for o in both]
    return net


def lbfgs(watching):
    net = made()
    optimizer = torch.optim.LBFGS(net.parameters(), lr=0.1, max_iter=3)
    with watching(net, optimizer):
        for x, y in batches(3):

            def closure(x=x, y=y):
                optimizer.zero_grad()
                loss = loss_of(net, x, y)
                loss.backward()
                return loss

            optimizer.step(closure)
    return net


def functional_gradients(watching):
    net = made()
    optimizer = sgd(net)
    with watching(net, optimizer):
        for x, y in batches(4):
            call = lambda ps, x=x, y=y: F.cross_entropy(torch.func.functional_call(net, ps, (x,)), y)
            found = torch.func.grad(call)(dict(net.named_parameters()))
            for name, p in net.named_parameters():
                p.grad = found[name]
            optimizer.step()
    return net


def sparse_embedding(watching):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(50, 8, sparse=True), nn.Flatten(), nn.Linear(32, 10))
    both = torch.optim.SparseAdam(net[0].parameters(), lr=1e-2), sgd(net[2])
    with watching(net, list(both)):
        for _ in range(4):
            tokens = torch.randint(50, (16, 4))
            [o.zero_grad() for o in both]
            F.cross_entropy(net(tokens), tokens[:, 0] % 10).backward()
            [o.step() for o in both]
    return net


def loss_with_parameters(watching):
    net, last = made(), nn.Linear(10, 10)
    optimizer = torch.optim.SGD([*net.parameters(), *last.parameters()], lr=0.05)
    with watching(net, optimizer):
        for x, y in batches(4):
            optimizer.zero_grad()
            F.cross_entropy(last(net(x)), y).backward()
            optimizer.step()
    return net


def spectral_norm(watching):
    net = made()
    nn.utils.parametrizations.spectral_norm(net.first)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer, 4)
    return net


def drawing_in_the_backward_pass(watching):
    torch.manual_seed(0)
    net = Dropped(preserve=False)
    optimizer = sgd(net)
    with watching(net, optimizer):
        trained(net, optimizer, 4)
    return net


RIGHT = two_optimizers, lbfgs, functional_gradients, sparse_embedding, loss_with_parameters, spectral_norm


@pytest.mark.parametrize("script", [*RIGHT, drawing_in_the_backward_pass], ids=lambda f: f.__name__)
def test_a_right_script_is_not_accused_and_none_of_its_bits_changes(script):
    kept = []

    def watching(model, optimizer):
        kept.append(noether.watch(model, optimizer, every=1, live=False))
        return kept[-1]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, plain = script(watching), script(lambda *given: nullcontext())
    (w,) = kept
    assert w._watcher.fault == ""
    for a, b in zip(found.parameters(), plain.parameters(), strict=True):
        assert torch.equal(a, b)
    if script in RIGHT:  # a mask that is drawn again makes a wrong gradient, which is told
        assert w.exit_code in (0, 3) and not [x.said for x in w.remarks if x.odd]
        assert "something else too" not in w.report() and "earlier step" not in w.report()
