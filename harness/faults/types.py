"""Faults of types: parameters or states in a narrower type, stores that truncate, flush or round twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noether.faults.fault import Fault, on, pulled, stored, storing
from noether.kernels.loops.launch import Job
from noether.kernels.programs.precision import Precision, narrow, representable

DTYPE = "dtype"
LOWER = {"float64": "float32", "float32": "bfloat16", "float16": "bfloat16"}
NORMAL = {"float64": 2.0**-1022, "float32": 2.0**-126, "float16": 2.0**-14, "bfloat16": 2.0**-126}


def demoted(row: int, to: str):
    """A launch with a row of the parameters rounded to a narrower type before the kernel reads it."""

    def alter(case, job: Job) -> Job:
        params = job.params.copy()
        params[row] = representable(params[row], to)
        return replace(job, params=params)

    return alter


def narrowed_momentum(case, job: Job) -> Job:
    plain = Precision(job.precision.name, "stored")
    return replace(job, precision=plain, v0=representable(job.v0, plain.v_store))


def lower(x: np.ndarray, kind: str) -> np.ndarray:
    """A number rounded to the type below `kind`."""
    to = LOWER[kind]
    return narrow(x, to) if to == "float32" else narrow(x.astype(np.float32), to).astype(x.dtype)


def only(which: str, change):
    """A store that is wrong for q alone, or for the buffers alone ("v")."""
    mine = lambda into: (into.word == "q") == (which == "q")
    return storing(lambda x, kind, into: change(x, kind) if mine(into) else narrow(x, kind))


def truncate(x: np.ndarray, kind: str) -> np.ndarray:
    """A store that drops the low bits of a float32 instead of rounding."""
    drop = {"bfloat16": 16, "float16": 13}.get(kind)
    if drop is None:
        return narrow(x, kind)
    cut = (x.view(np.uint32) & np.uint32(0xFFFFFFFF << drop & 0xFFFFFFFF)).view(np.float32)
    return narrow(cut, kind)  # float16: its range and its subnormals too


def twice(x: np.ndarray, kind: str) -> np.ndarray:
    """A store that rounds to two bits more than it has, and then to what it has."""
    bits = {"bfloat16": 10, "float16": 13}.get(kind)
    if bits is None:
        return narrow(x, kind)
    mantissa, exponent = np.frexp(x)
    return narrow(np.ldexp(np.rint(mantissa * 2.0**bits) / 2.0**bits, exponent).astype(x.dtype), kind)


def away(x: np.ndarray, kind: str) -> np.ndarray:
    """A store that rounds ties away from zero instead of to even."""
    bits = {"bfloat16": 8, "float16": 11}.get(kind)
    if bits is None:
        return narrow(x, kind)
    mantissa, exponent = np.frexp(x)
    whole = np.sign(mantissa) * np.floor(np.abs(mantissa) * 2.0**bits + 0.5)
    return narrow(np.ldexp(whole / 2.0**bits, exponent).astype(x.dtype), kind)


def flushed(x: np.ndarray, kind: str) -> np.ndarray:
    """A store in which subnormal numbers become zero."""
    out = narrow(x, kind)
    return np.where(np.abs(out) < NORMAL[kind], out.dtype.type(0), out)


def saturated(x: np.ndarray, kind: str) -> np.ndarray:
    """A store that rounds to eight significant bits, whatever its type."""
    return narrow(x.astype(np.float32), "bfloat16").astype(x.dtype)


def narrowed_gradient(to: str):
    def change(gradient, at, eps, params, n):
        return [narrow(g.astype(np.float32), to).astype(g.dtype) for g in gradient(at, eps)]

    return pulled(change)


NARROW, HALF = on(precision=("bfloat16", "float16"), mode=("stored", "mixed")), on(precision="float16")
FAULTS = (
    *(
        Fault(
            f"{name} as float32",
            DTYPE,
            f"{name} demoted before it is used",
            applies=on(precision="float64", **where),
            alter=demoted(row, "float32"),
            size_only=name == "eps",
        )
        for row, (name, where) in enumerate(
            (("eta", {}), ("beta", {"reads_beta": True}), ("k", {"decays": True}), ("eps", {"breaks": True}))
        )
    ),
    Fault(
        "eta as bfloat16",
        DTYPE,
        "eta demoted before it is used",
        applies=on(arith="float32"),
        alter=demoted(0, "bfloat16"),
    ),
    Fault(
        "beta as bfloat16",
        DTYPE,
        "beta demoted before it is used",
        applies=on(arith="float32", reads_beta=True),
        alter=demoted(1, "bfloat16"),
    ),
    Fault(
        "momentum narrowed to the store",
        DTYPE,
        "v in the type of q",
        applies=on(mode="mixed", carries=True),
        alter=narrowed_momentum,
    ),
    Fault(
        "momentum one type lower",
        DTYPE,
        "v in float32 for float64, in bfloat16 for the others",
        applies=on(precision=tuple(LOWER)),
        advance=only("v", lower),
    ),
    Fault(
        "position one type lower",
        DTYPE,
        "q in float32 for float64, in bfloat16 for the others",
        applies=on(precision=tuple(LOWER)),
        advance=only("q", lower),
    ),
    Fault(
        "bfloat16 store truncated",
        DTYPE,
        "the low bits are dropped",
        applies=on(precision="bfloat16"),
        advance=stored(truncate),
    ),
    Fault(
        "float16 store truncated", DTYPE, "the low bits are dropped", applies=HALF, advance=stored(truncate)
    ),
    Fault(
        "truncating store of v",
        DTYPE,
        "the low bits of v are dropped",
        applies=on(precision=("bfloat16", "float16"), mode="stored"),
        advance=only("v", truncate),
    ),
    Fault(
        "truncating store of q",
        DTYPE,
        "the low bits of q are dropped",
        applies=NARROW,
        advance=only("q", truncate),
    ),
    Fault(
        "double rounding",
        DTYPE,
        "rounded to two bits more first",
        applies=NARROW,
        advance=stored(twice),
        lanes=501,
    ),
    Fault(
        "ties away from zero",
        DTYPE,
        "ties are not rounded to even",
        applies=NARROW,
        advance=stored(away),
        lanes=501,
    ),
    Fault(
        "subnormals flushed to zero",
        DTYPE,
        "what is subnormal in float16 becomes 0",
        applies=HALF,
        advance=stored(flushed),
        lanes=501,
    ),
    Fault(
        "eight significant bits in every store",
        DTYPE,
        "bfloat16 where the store is wider",
        applies=on(precision=("float64", "float32", "float16")),
        advance=stored(saturated),
    ),
    Fault(
        "gradient accumulated in float32",
        DTYPE,
        "g rounded to float32",
        applies=on(precision="float64"),
        advance=narrowed_gradient("float32"),
        size_only=True,
    ),
    Fault(
        "gradient accumulated in bfloat16",
        DTYPE,
        "g rounded to bfloat16",
        applies=on(precision=("float64", "float32")),
        advance=narrowed_gradient("bfloat16"),
        size_only=True,
    ),
)
