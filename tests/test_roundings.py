"""Every store rounds as IEEE 754 says: every number of sixteen bits, every tie between them, what is beside
it.

The definition stands here in integers, and in ml_dtypes, torch and numpy, which are none of ours; the kernels
and the oracle that they are compared with share one derivation and could share an error.
"""

import inspect
from fractions import Fraction
from functools import cache

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noether.kernels.loops import launch
from noether.kernels.programs import numpy_step, precision
from noether.kernels.programs.precision import Precision, encode, narrow, representable, widen
from noether.laws.exact.cell import LaunchCell
from noether.mechanics import roundings
from noether.runs import completeness, known_answers, known_numbers
from noether.verdicts.record import HOLDS, VIOLATED

DIGITS = {
    "float16": (11, -14),
    "bfloat16": (8, -126),
}  # of the significand, and the smallest exponent of a normal number
HALVES = tuple(DIGITS)
each = pytest.mark.parametrize("kind", HALVES)
HERE = [b for b in launch.BACKENDS if not launch.missing(b)]


def by_definition(x, kind: str) -> np.ndarray:
    """The bits of the number of `kind` nearest to each x, of two as near the even one; not for NaN.

    x = M 2^E with a whole M; in units of the last place 2^s at x it is M 2^(E - s), rounded in integers. The
    numbers of one type in their order have bits that count up, from 0 through the subnormals to infinity.
    """
    digits, least = DIGITS[kind]
    x = np.asarray(x)
    real = np.abs(x.astype(np.float64))
    mantissa, exponent = np.frexp(np.where(np.isfinite(real), real, 1.0))
    whole, exponent = (mantissa * 2.0**53).astype(np.int64), exponent.astype(np.int64) - 53
    last = np.maximum(exponent + 53 - digits, least - digits + 1)
    shift = np.minimum(last - exponent, 62)
    count, rest, half = whole >> shift, whole & ((np.int64(1) << shift) - 1), np.int64(1) << (shift - 1)
    count += (rest > half) | ((rest == half) & (count & 1 == 1))
    bits = count + ((last - (least - digits + 1)) << (digits - 1))
    infinite = {"float16": 0x7C00, "bfloat16": 0x7F80}[kind]
    bits = np.where(np.isfinite(real), np.where(real == 0, 0, np.minimum(bits, infinite)), infinite)
    return (bits | (np.signbit(x).astype(np.int64) << 15)).astype(np.uint16)


@cache
def around(kind: str) -> np.ndarray:
    """float32: every number of `kind` but NaN, every midpoint, and the float32 on both sides of all these."""
    every = np.arange(2**16, dtype=np.uint16)
    if kind == "bfloat16":
        exact = every.astype(np.uint32) << 16
        middle = exact | np.uint32(0x8000)
    else:
        value = every.view(np.float16).astype(np.float32)
        after = (every + (every & 0x7FFF < 0x7C00).astype(np.uint16)).view(np.float16).astype(np.float64)
        after = np.where(np.isinf(after), np.copysign(65536.0, after), after)
        with np.errstate(invalid="ignore"):
            middle = ((value.astype(np.float64) + after) / 2).astype(np.float32).view(np.uint32)
        exact = value.view(np.uint32)
    bits = np.unique(np.concatenate([y + np.uint32(d) for y in (exact, middle) for d in (0, 1, 2**32 - 1)]))
    x = bits.view(np.float32)
    return x[~np.isnan(x)]


def theirs(x: np.ndarray, kind: str) -> np.ndarray:
    """The bits of ml_dtypes, of numpy for float16."""
    with np.errstate(over="ignore"):
        return x.astype(ml_dtypes.bfloat16 if kind == "bfloat16" else np.float16).view(np.uint16)


def mine(x: np.ndarray, kind: str) -> dict[str, np.ndarray]:
    with np.errstate(over="ignore"):
        read = {
            "narrow": narrow(x, kind),
            "encode": x,
            "representable": representable(x, kind).astype(np.float32),
        }
        return {name: encode(value, kind).view(np.uint16) for name, value in read.items()}


@each
def test_the_definition_agrees_with_exact_fractions(kind):
    digits, least = DIGITS[kind]
    for x in np.random.default_rng(0).permutation(around(kind))[:400]:
        if not np.isfinite(x):
            continue
        exact = Fraction(float(x))
        exponent = least if abs(exact) < Fraction(2) ** least else int(np.floor(np.log2(abs(float(x)))))
        last = Fraction(2) ** (exponent - digits + 1)
        want = round(exact / last) * last  # Python rounds a tie of a Fraction to even
        got = widen(
            by_definition(np.array([x]), kind).view(np.float16 if kind == "float16" else np.uint16), kind
        )[0]
        assert (
            Fraction(float(got)) == want if np.isfinite(got) else abs(want) >= Fraction(2) ** (1 - least + 1)
        )


@each
def test_torch_rounds_every_number_and_every_tie_as_defined(kind):
    torch = pytest.importorskip("torch")
    x = around(kind)
    theirs = torch.from_numpy(x.copy()).to(getattr(torch, kind))
    assert np.array_equal(theirs.view(torch.int16).numpy().view(np.uint16), by_definition(x, kind))


@each
def test_every_number_and_every_tie_is_rounded_as_defined(kind):
    x = around(kind)
    want = by_definition(x, kind)
    assert len(x) > 3 * 2**16 and np.array_equal(theirs(x, kind), want)
    for name, got in mine(x, kind).items():
        assert np.array_equal(got, want), (
            f"{name} of {x[got != want][:3]} is {got[got != want][:3]}, must be {want[got != want][:3]}"
        )


@each
def test_a_number_of_the_type_is_kept_and_a_nan_stays_one(kind):
    every = np.arange(2**16, dtype=np.uint16)
    with np.errstate(invalid="ignore"):
        value = widen(every if kind == "bfloat16" else every.view(np.float16), kind).astype(np.float32)
        found = mine(value, kind)
    real = ~np.isnan(value)
    for name, got in found.items():
        assert np.array_equal(got[real], every[real]), name
        assert (got[~real] & 0x7FFF > by_definition(np.array([np.inf]), kind)).all(), name
        first = 1 << (DIGITS[kind][0] - 2)
        assert np.array_equal(got[~real], every[~real] | first), (
            f"{name}: a NaN keeps its payload and becomes quiet"
        )


@each
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=64))
def test_any_float32_is_rounded_as_defined(kind, values):
    x = np.array(values, np.float32)
    want = by_definition(x, kind)
    assert all(np.array_equal(got, want) for got in mine(x, kind).values()) and np.array_equal(
        theirs(x, kind), want
    )


@each
def test_a_float64_beside_a_tie_is_rounded_once(kind):
    """1 + 2^-p (1 + 2^-30) is above a tie; a float32 in between loses that and goes to even."""
    x = around(kind).astype(np.float64)
    x = x[np.isfinite(x) & (x != 0)]
    beside = np.concatenate([x * (1 + 2.0**-40), x * (1 - 2.0**-40), x])
    want = by_definition(beside, kind)
    once = encode(representable(beside, kind).astype(np.float32), kind).view(np.uint16)
    with np.errstate(over="ignore"):
        twice = encode(beside.astype(np.float32), kind).view(np.uint16)
        if kind == "float16":
            assert np.array_equal(beside.astype(np.float16).view(np.uint16), want)
    assert np.array_equal(once, want) and (twice != want).sum() > 2**15
    with pytest.raises(TypeError, match="rounded twice"):
        narrow(beside, kind)


# ---- the stores of every backend


@each
@pytest.mark.parametrize("mode", ["stored", "eager", "mixed"])
@pytest.mark.parametrize("backend", HERE)
def test_every_backend_stores_every_tie_as_defined(backend, mode, kind):
    x = around(kind)
    x = (
        x
        if mode == "stored" and backend in ("numpy", "triton-cpu")
        else np.random.default_rng(1).choice(x, 2**13, replace=False)
    )
    chosen = Precision(kind, mode)
    q, v = roundings.stored(x, chosen, backend)
    want = by_definition(x, kind)
    positive_zero = want & 0x7FFF == 0  # q is 0 + x
    assert np.array_equal(np.where(positive_zero, 0, want), np.where(positive_zero, q & 0x7FFF, q))
    assert np.array_equal(v, want if mode != "mixed" else x.view(np.uint32))


@pytest.mark.parametrize("backend", [b for b in HERE if b != "numpy"])
def test_float64_states_are_not_rounded_by_a_backend_and_float32_once(backend):
    x = np.random.default_rng(2).normal(size=256)
    assert np.array_equal(roundings.stored(x, Precision("float64"), backend)[1], x.view(np.uint64))
    assert np.array_equal(
        roundings.stored(x, Precision("float32"), backend)[1], x.astype(np.float32).view(np.uint32)
    )


# ---- the known points of every run


@each
def test_the_known_points_are_the_definitions(kind):
    x, want = roundings.points(kind)
    assert np.array_equal(by_definition(x, kind), want) and np.array_equal(theirs(x, kind), want)
    with np.errstate(over="ignore"):
        below, above = (
            by_definition(np.nextafter(x, end), kind)
            for end in (np.float32(0), np.copysign(np.float32(np.inf), x))
        )
    assert len(x) >= 24 and (below != above).sum() >= 9, "a tie is where its two neighbours part"


UPPER = np.uint32(0xFFFF0000)


def ties_away(x):
    """bfloat16 with ties away from zero: the fault that a kernel and its oracle had in common."""
    bits = np.asarray(x, dtype=np.float32, order="C").view(np.uint32)
    return np.where(np.isnan(x), bits | np.uint32(0x400000), bits + np.uint32(0x8000)) & UPPER


def ties_odd(x):
    bits = np.asarray(x, dtype=np.float32, order="C").view(np.uint32)
    nearest = bits + np.uint32(0x8000) - ((bits >> np.uint32(16)) & np.uint32(1))
    return np.where(np.isnan(x), bits | np.uint32(0x400000), nearest) & UPPER


def truncated(x):
    return np.asarray(x, dtype=np.float32, order="C").view(np.uint32) & UPPER


@pytest.mark.parametrize("wrong", [ties_away, ties_odd, truncated])
def test_a_wrong_tie_of_the_oracle_is_seen_by_every_run(wrong, monkeypatch):
    assert not known_numbers.roundings() and known_numbers.roundings in known_answers.INSTRUMENTS
    monkeypatch.setattr(precision, "nearest_bfloat16", wrong)
    told = completeness.broken([], [], [], {}, whole=False)
    assert len(told) == 4 and all("bfloat16" in line for line in told), told


def test_a_half_that_is_rounded_away_is_seen_by_every_run(monkeypatch):
    def away(x, kind):
        return narrow(np.nextafter(x, np.copysign(np.float32(np.inf), x)) if kind == "float16" else x, kind)

    monkeypatch.setitem(numpy_step.step.__kwdefaults__, "store", away)
    assert any("float16" in line for line in known_numbers.roundings())


def test_parity_sees_a_tie_that_numpy_and_the_backend_have_wrong_alike(monkeypatch):
    """B1 compares two backends, and both could be wrong: it stores the known points too."""
    cell = LaunchCell(
        known_answers.launch()[0], "heavy-ball", "bfloat16", "triton-ptx", "parity", ("B1",), 33, 1, 4
    )
    if launch.missing(cell.backend):
        pytest.skip(launch.missing(cell.backend))
    right = [r for r in cell.run() if not r.fault]
    assert [r.verdict for r in right] == [HOLDS] and "24 known ties" in right[0].reason
    x, want = roundings.points("bfloat16")
    away = (ties_away(x) >> 16).tolist()
    monkeypatch.setitem(roundings.KNOWN, "bfloat16", dict(zip(x.view(np.uint32).tolist(), away, strict=True)))
    wrong = [r for r in cell.run() if not r.fault]
    assert [r.verdict for r in wrong] == [VIOLATED] and "must be" in wrong[0].reason


def test_the_kernel_narrows_by_the_lines_that_are_tested():
    """Every store of a step goes through `narrow` of kernels/loops/triton_rounding.py: so it is printed."""
    pytest.importorskip("triton")
    from noether.cases.rules import RULES
    from noether.kernels.loops import trajectory_loop, triton_rounding
    from noether.kernels.programs.trace_rule import update_program
    from noether.kernels.programs.triton_text import function

    step = function(update_program(RULES["heavy-ball"], 2), Precision("bfloat16"))
    assert step.fn.__globals__["narrow"] is triton_rounding.narrow
    assert trajectory_loop.store is triton_rounding.store
    assert "0x7FFF + ((bits >> 16) & 1)" in inspect.getsource(triton_rounding.narrow.fn)
