"""The twin is the same network on the same minibatch: only rounding differs, and nothing is left behind."""

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from noether.networks.twin import NoTwin, called, outputs, wide_gradients  # noqa: E402


class Noisy(nn.Module):
    """Batch normalisation, dropout, and noise that is drawn in the type of its input."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 3)
        )

    def forward(self, x, scale=1.0):
        noise = torch.randn_like(x) + torch.rand(x.shape, dtype=x.dtype) + torch.empty_like(x).normal_()
        return self.layers(x + scale * noise)


def trained(model: nn.Module, *args, loss=lambda y: y.square().sum(), **kwargs):
    """A call with its cotangents, after backward()."""
    call = called(model, args, kwargs)
    out = model(*args, **kwargs)
    for at, y in enumerate(outputs(out)):
        call.cotangents.append(None)
        y.register_hook(lambda c, at=at: call.cotangents.__setitem__(at, c.clone()))
    loss(out if isinstance(out, torch.Tensor) else out[0]).backward()
    return call


def apart(model: nn.Module, wide: dict) -> float:
    """The largest relative distance of the gradients."""
    return max(float((p.grad - wide[n]).norm() / wide[n].norm()) for n, p in model.named_parameters())


def test_random_numbers_masks_and_modes_are_those_of_the_call():
    """tanh has no kinks, so the gradients differ by roundings: 2^-24 times the few dozen that add up."""
    torch.manual_seed(0)
    model = Noisy()
    call = trained(model, torch.randn(20, 6), scale=0.5)
    model.eval()
    assert apart(model, wide_gradients(model, [call])) < 64 * 2.0**-24
    call.training[""] = call.training["layers.3"] = False  # without the mask it is another gradient
    assert apart(model, wide_gradients(model, [call])) > 0.1


def test_other_random_numbers_are_another_gradient():
    torch.manual_seed(0)
    model = Noisy()
    call = trained(model, torch.randn(20, 6))
    call.rng["cpu"] = torch.Generator().manual_seed(7).get_state()
    assert apart(model, wide_gradients(model, [call])) > 0.1


def test_nothing_is_left_behind():
    torch.manual_seed(0)
    model = Noisy()
    call = trained(model, torch.randn(20, 6))
    seen = []
    model.register_forward_hook(lambda *a: seen.append(a))
    state, before = torch.get_rng_state(), {n: x.clone() for n, x in model.state_dict().items()}
    gradients = {n: p.grad.clone() for n, p in model.named_parameters()}
    wide_gradients(model, [call])
    assert torch.equal(state, torch.get_rng_state()) and not seen and model.training
    assert all(torch.equal(x, before[n]) for n, x in model.state_dict().items())
    assert all(torch.equal(p.grad, gradients[n]) for n, p in model.named_parameters())


def test_calls_add_up_and_outputs_that_nothing_came_back_to_do_not_count():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)

        def forward(self, x):
            return self.a(x), self.b(x)

    torch.manual_seed(0)
    model = Two()
    calls = [trained(model, torch.randn(4, 3)) for _ in range(2)]
    wide = wide_gradients(model, calls)
    assert float((model.a.weight.grad - wide["a.weight"]).norm()) < 1e-5 * float(wide["a.weight"].norm())
    assert model.b.weight.grad is None and not wide["b.weight"].any()


def test_an_output_that_is_made_of_another_is_not_counted_twice():
    class Judged(nn.Linear):
        def forward(self, x):
            scores = super().forward(x).tanh()
            return scores.square().sum(), scores, scores

    torch.manual_seed(0)
    model = Judged(3, 2)
    call = trained(model, torch.randn(4, 3), loss=lambda y: y)
    assert all(c is not None for c in call.cotangents)
    assert apart(model, wide_gradients(model, [call])) < 1e-5


def test_a_loss_in_float32_of_scores_that_are_returned_too_is_no_cast_in_the_way():
    class Judged(nn.Linear):
        def forward(self, x):
            scores = super().forward(x)
            return scores.float().square().sum(), scores

    torch.manual_seed(0)
    model = Judged(3, 2)
    call = trained(model, torch.randn(4, 3), loss=lambda y: y)
    assert apart(model, wide_gradients(model, [call])) < 1e-6


def test_what_cannot_be_done_again_says_why():
    class Cast(nn.Linear):
        def forward(self, x):
            return super().forward(x.float())

    model = Cast(3, 2)
    call = trained(model, torch.randn(4, 3))
    with pytest.raises(NoTwin, match="does not run in float64: RuntimeError"):
        wide_gradients(model, [call])

    class Late(nn.Linear):
        def forward(self, x):
            return super().forward(x).float()

    model = Late(3, 2)
    call = trained(model, torch.randn(4, 3))
    with pytest.raises(NoTwin, match="a cast is written into the network"):
        wide_gradients(model, [call])
    model.kept = (x for x in ())
    with pytest.raises(NoTwin, match="cannot be copied: TypeError"):
        wide_gradients(model, [call])


def test_a_copy_that_still_uses_the_network_itself_is_refused():
    model = nn.Linear(3, 2)
    held = model.forward
    model.forward = lambda x: held(x)
    call = trained(model, torch.randn(4, 3))
    before = model.weight.grad.clone()
    with pytest.raises(NoTwin, match="parameters of the network itself"):
        wide_gradients(model.double(), [call])
    assert torch.equal(model.weight.grad, before)
