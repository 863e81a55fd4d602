"""A shadow of some tensors: what is not chosen costs nothing, and what is chosen is seen as ever."""

import pytest

torch = pytest.importorskip("torch")

from noether.optimizers.scope import Chosen  # noqa: E402
from noether.optimizers.shadow import Shadow  # noqa: E402


def stepped(shadow, way, chosen=None):
    """Two steps of Adam on two parameters beside a shadow."""
    g = torch.Generator().manual_seed(3)
    pair = [torch.nn.Parameter(torch.randn(n, generator=g)) for n in (50, 70)]
    optimizer = torch.optim.AdamW(pair, **way)
    for n in range(2):
        for p in pair:
            p.grad = torch.randn(p.shape, generator=g)
        if n:
            states = [list(optimizer.state[p].values()) for p in pair]
            if chosen is not None:
                shadow.scope = Chosen(
                    [*states[chosen], pair[chosen].detach(), pair[chosen].grad], states[1 - chosen]
                )
            shadow.forget()
            with shadow:
                optimizer.step()
        else:
            optimizer.step()
    return pair, optimizer


@pytest.mark.parametrize("way", [dict(foreach=False), dict(foreach=True), dict(fused=True)], ids=str)
def test_what_is_chosen_is_seen_as_before_and_what_is_not_has_no_shadow(way):
    whole, few = Shadow(), Shadow()
    pair, _ = stepped(whole, way)
    some, optimizer = stepped(few, way, chosen=1)
    for a, b in zip(pair, some, strict=True):
        assert torch.equal(a, b)
    seen, mine = whole.of(pair[1].data), few.of(some[1].data)
    assert (seen.value == mine.value).all() and (seen.error == mine.error).all() and mine.error.max() > 0
    for x in (some[0], *optimizer.state[some[0]].values()):
        assert not few.knows(x) or x.numel() == 1
    assert max(x.value.size for x in few.entries.values()) == 70
    assert not any(x.value.size == 50 for x in few.entries.values())


def test_a_rate_does_not_spread_what_is_followed_but_a_chosen_number_is():
    shadow, rate = Shadow(), torch.tensor(0.1)
    chosen, other, single = torch.ones(5), torch.ones(6), torch.ones(1)
    shadow.scope = Chosen([chosen, single])
    shadow.forget()
    with shadow:
        a, b, c = chosen * (rate * 3), other * (rate * 3), other * single
    assert shadow.of(a).error.min() > 0 and shadow.knows(a)
    assert not shadow.knows(b) and shadow.knows(c)


def test_shadows_beside_see_the_same_operations_in_their_own_rounding():
    exact = Shadow(rounds=False)
    shadow, x = Shadow(beside=[exact]), torch.full((4,), 0.1)
    with shadow:
        y = x * x + x
    assert (shadow.of(y).value == exact.of(y).value).all()
    assert 0 < exact.of(y).error.max() < 1e-9 * shadow.of(y).error.min()


def test_shadows_of_tensors_that_are_gone_are_dropped():
    shadow, kept = Shadow(), []
    with shadow:
        for _ in range(300):
            kept = [*kept[-3:], torch.full((3,), 0.1) * 3]
    assert len(shadow.entries) < 200 and all(shadow.knows(x) for x in kept)
