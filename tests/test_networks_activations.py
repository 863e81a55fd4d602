"""Activations in whatever words they are written: what keeps positive factors is found, nothing else is."""

import pytest

torch = pytest.importorskip("torch")

from test_networks_walk import data, found, seeded  # noqa: E402
from torch import nn  # noqa: E402

from noether.networks.check import KEPT  # noqa: E402
from noether.networks.families import RESCALE, SCALE  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


class Layers(nn.Module):
    """Two layers, and something between them."""

    def __init__(self, between):
        super().__init__()
        self.a, self.b, self.between = nn.Linear(6, 5), nn.Linear(5, 3), between

    def forward(self, x):
        return self.b(self.between(self.a(x)))


def families(between) -> list[tuple]:
    """(kind, count) of what is kept beside the symmetries of the loss; nothing may be unknown or broken."""
    results, unknown = found(seeded(lambda: Layers(between)), data(16, 6))
    assert not unknown and {r.verdict for r in results} == {KEPT}
    return [(r.family.kind, r.family.count) for r in results if not r.family.of_loss]


@pytest.mark.parametrize(
    "between",
    [
        lambda h: torch.where(h > 0, h, 0.0),
        lambda h: torch.where(h > 0, h, 0.1 * h),
        lambda h: h * (h > 0),
        lambda h: torch.maximum(h, torch.zeros((), dtype=h.dtype)),
        lambda h: h.clamp(min=0),
        lambda h: h.relu().pow(2),
        lambda h: h * h.abs(),
        lambda h: h.sign() * h.abs().sqrt(),
        lambda h: torch.chunk(torch.cat([h, h], -1), 2, -1)[0].relu(),
        lambda h: torch.stack([h, h]).amax(0).relu(),
        lambda h: torch.einsum("bi,bi->bi", h, h),
    ],
)
def test_what_keeps_positive_factors_leaves_a_rescale_of_each_unit(between):
    assert families(between) == [(RESCALE, 5)]


@pytest.mark.parametrize(
    "between",
    [lambda h: nn.functional.normalize(h, dim=-1), lambda h: h / h.norm(dim=-1, keepdim=True)],
)
def test_a_length_that_is_divided_out_leaves_one_scale(between):
    assert families(between) == [(SCALE, 1)]


@pytest.mark.parametrize(
    "between",
    [
        lambda h: torch.where(h > 0, h, 1.0),
        lambda h: torch.where(h > 0.1, h, 0.0),
        lambda h: torch.maximum(h, torch.full((), 0.1, dtype=h.dtype)),
        lambda h: h.clamp(min=-0.5),
        lambda h: h + 1.0,
        nn.functional.hardtanh,
    ],
)
def test_what_has_a_size_of_its_own_leaves_nothing(between):
    assert families(between) == []
