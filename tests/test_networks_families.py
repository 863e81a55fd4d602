"""A family's bilinear form is that of its generators, written out one by one."""

import pytest

torch = pytest.importorskip("torch")

from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION, Family, Part  # noqa: E402

ROWS = torch.arange(12).reshape(4, 3)
FEW = 2.0**-49
"""Sums of nine products of numbers of order one, in two orders: at most 2 * 9 roundings of 2^-53 of a few."""


def numbers(seed: int) -> dict:
    """Random values of three parameters, float64."""
    made = torch.Generator().manual_seed(seed)
    shapes = {"w": (4, 3), "b": (4,), "o": (2, 4)}
    return {name: torch.randn(*shape, generator=made, dtype=torch.float64) for name, shape in shapes.items()}


def test_a_rescale_is_the_units_inputs_less_its_outputs():
    columns = torch.arange(8).reshape(2, 4).T
    unit = Family(
        RESCALE, "unit", (Part("w", ROWS), Part("b", torch.arange(4)[:, None]), Part("o", columns, -1))
    )
    x, y = numbers(0), numbers(1)
    for i in range(4):
        by_hand = x["w"][i] @ y["w"][i] + x["b"][i] * y["b"][i] - x["o"][:, i] @ y["o"][:, i]
        assert float(unit.form(x, y)[i] - by_hand) == pytest.approx(0, abs=FEW)
    assert unit.n == unit.count == 4 and unit.terms() == 6
    assert torch.all(unit.reach(x, y) >= unit.form(x, y).abs())


def test_general_linear_maps_act_on_rows_and_inversely_on_columns():
    """<x, xi_A(y)> for each A with one 1, where xi_A moves w by A w and o by -o A."""
    columns = torch.arange(8).reshape(2, 4).T
    pair = Family(GL, "pair", (Part("w", ROWS), Part("o", columns, -1)))
    x, y = numbers(2), numbers(3)
    found = pair.form(x, y)
    for i in range(4):
        for j in range(4):
            A = torch.zeros(4, 4, dtype=torch.float64)
            A[i, j] = 1
            by_hand = (x["w"] * (A @ y["w"])).sum() - (x["o"] * (y["o"] @ A)).sum()
            assert float(found[i, j] - by_hand) == pytest.approx(0, abs=FEW)
    assert pair.count == 16 and torch.all(pair.reach(x, y) >= found.abs())


def test_a_loss_of_a_product_has_no_slope_along_them():
    p = {name: x.requires_grad_() for name, x in numbers(4).items()}
    columns = torch.arange(8).reshape(2, 4).T
    pair = Family(GL, "pair", (Part("w", ROWS), Part("o", columns, -1)))
    (p["o"] @ p["w"]).square().sum().backward()
    slopes = pair.form({name: x.grad for name, x in p.items() if x.grad is not None}, p)
    assert float(slopes.abs().max()) < 1e-12 < float(pair.reach({"w": p["w"], "o": p["o"]}, p).max())


def test_a_translation_does_not_read_the_parameters():
    shift = Family(TRANSLATION, "shift", (Part("b", torch.arange(4)[None]),))
    x = numbers(5)
    assert float(shift.form(x, {"b": x["b"] * float("nan")})) == pytest.approx(float(x["b"].sum()))
    scale = Family(SCALE, "scale", (Part("w", ROWS),))
    assert scale.parameters == ("w",)
