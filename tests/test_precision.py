"""Rounding is to nearest, ties to even, in every store, and travels without a change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.faults.types import truncate
from noether.kernels.programs.precision import (
    MODES,
    PRECISIONS,
    SUBNORMAL,
    UNIT,
    Precision,
    bfloat16_bits,
    encode,
    narrow,
    parse,
    representable,
    widen,
)

torch = pytest.importorskip("torch")
TORCH = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
floats32 = st.floats(width=32, allow_nan=False)


@pytest.mark.parametrize("kind", TORCH)
@given(st.lists(floats32, min_size=1, max_size=64))
def test_narrow_is_torchs_rounding(kind, values):
    x = np.array(values, np.float32)
    with np.errstate(all="ignore"):
        mine = narrow(x, kind)
    theirs = torch.from_numpy(x).to(TORCH[kind]).to(torch.float32).numpy()
    assert np.array_equal(mine, theirs)


def test_a_truncating_store_is_not_the_rounding():
    x = np.linspace(1, 2, 1000, dtype=np.float32)
    assert (truncate(x, "bfloat16") != narrow(x, "bfloat16")).sum() > 300


def test_nan_stays_nan_in_bfloat16():
    x = np.array([0x7FFFFFFF, 0x7F800001, 0xFFFFFFFF], np.uint32).view(np.float32)
    assert np.isnan(widen(bfloat16_bits(x), "bfloat16")).all()


@pytest.mark.parametrize("kind", PRECISIONS)
@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=32))
def test_buffers_hold_representable_values_exactly(kind, values):
    x = representable(np.array(values), kind)
    assert np.array_equal(widen(encode(x, kind), kind), x)
    assert np.array_equal(representable(x, kind), x)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PRECISIONS)
def test_labels_parse_back(name, mode):
    assert parse(Precision(name, mode).label) == Precision(name, mode)


@pytest.mark.parametrize("label", ["float8", "float32/lazy", ""])
def test_unknown_precisions_are_refused_by_name(label):
    with pytest.raises(ValueError, match="must be one of"):
        parse(label)


def test_narrowing_a_float64_to_a_half_is_refused():
    with pytest.raises(TypeError, match="rounded twice"):
        narrow(np.ones(1), "bfloat16")


@pytest.mark.parametrize(
    ("label", "arith", "rounded", "q_store", "v_store"),
    [
        ("float64", "float64", "float64", "float64", "float64"),
        ("float64/eager", "float64", "float64", "float64", "float64"),
        ("float32/mixed", "float32", "float32", "float32", "float32"),
        ("float32/eager", "float32", "float32", "float32", "float32"),
        ("float16", "float32", "float32", "float16", "float16"),
        ("bfloat16/eager", "float32", "bfloat16", "bfloat16", "bfloat16"),
        ("bfloat16/mixed", "float32", "float32", "bfloat16", "float32"),
    ],
)
def test_a_mode_says_what_is_rounded_where(label, arith, rounded, q_store, v_store):
    """The table at the head of kernels/programs/precision.py."""
    p = parse(label)
    assert (p.arith, p.rounded, p.q_store, p.v_store) == (arith, rounded, q_store, v_store)
    assert p.eager == (rounded != arith)
    assert (p.u_arith, p.u_q, p.u_v) == (UNIT[rounded], UNIT[q_store], UNIT[v_store])
    assert (p.tiny_arith, p.tiny_q, p.tiny_v) == (SUBNORMAL[rounded], SUBNORMAL[q_store], SUBNORMAL[v_store])
