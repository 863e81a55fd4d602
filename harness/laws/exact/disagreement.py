"""Where two launches of one job first differ, and by how much: the words of B1."""

from __future__ import annotations

import numpy as np

from noether.kernels.loops import launch, noisy_launch
from noether.kernels.programs.precision import widen


def first(mine: launch.Outcome, plain: launch.Outcome, steps: int) -> dict | None:
    """The earliest step that differs, there the first lane, v' before q' made of it; None where none does.

    step, lane, component; of: "v'" or "q'"; is, must: hex; ulp: as below.
    """
    at = None
    for of, a, b, kind in stored(mine, plain):
        apart = differing(a, b, kind)
        if apart.any():
            row = int(np.argmax(apart.any(axis=(1, 2))))
            lane = int(np.argmax(apart[row].any(axis=0)))
            component = int(np.argmax(apart[row, :, lane]))
            if at is None or (row, lane) < at[:2]:
                at = row, lane, component, of, a[row, component, lane], b[row, component, lane], kind
    if at is None:
        return None
    row, lane, component, of, x, y, kind = at
    step = max(0, row - 1) if len(mine.q) == steps + 1 else steps - 1
    is_, must = (float(widen(np.asarray(z), kind)) for z in (x, y))
    where = {"step": step, "lane": lane, "component": component, "of": of}
    return where | {"is": is_.hex(), "must": must.hex(), "ulp": ulp(x, y, kind)}


def stored(mine: launch.Outcome, plain: launch.Outcome) -> list[tuple]:
    """What is compared of two launches: (name, of one, of the other, kind of the buffer)."""
    return [("v'", mine.v, plain.v, mine.precision.v_store), ("q'", mine.q, plain.q, mine.precision.q_store)]


def differing(a: np.ndarray, b: np.ndarray, kind: str) -> np.ndarray:
    """Where the bits of two buffers differ; two NaN are the same."""
    return (launch.bits(a) != launch.bits(b)) & ~(np.isnan(widen(a, kind)) & np.isnan(widen(b, kind)))


def only_signs_of_zeros(mine: launch.Outcome, plain: launch.Outcome) -> bool:
    """Whether two launches differ in nothing but the signs of zeros."""
    return all(
        (widen(a, kind) == widen(b, kind))[differing(a, b, kind)].all()
        for _, a, b, kind in stored(mine, plain)
    )


def ulp(x, y, kind: str) -> int | None:
    """How many numbers of the type x and y are apart, both zeros being one; None where either is a NaN."""
    if np.isnan(widen(np.asarray([x, y]), kind)).any():
        return None
    places = []
    for z in (x, y):
        raw = int(launch.bits(np.asarray([z]))[0])
        top = 1 << (8 * np.asarray(z).dtype.itemsize - 1)
        places.append(raw if raw < top else top - raw)
    return abs(places[0] - places[1])


def place(found: dict) -> str:
    """Where a difference is, in words."""
    at = f"step {found['step']}, lane {found['lane']}, {found['of']}[{found['component']}]"
    return f"first at {at}: is {found['is']}, must be {found['must']}, {far(found['ulp'])}"


def far(ulps: int | None) -> str:
    return "one is no number" if ulps is None else f"{ulps} ulp apart"


def distance(x, y, kind: str) -> str:
    is_, must = (float(widen(np.asarray(z), kind)).hex() for z in (x, y))
    return f"is {is_}, must be {must}, {far(ulp(x, y, kind))}"


def first_sum(mine: noisy_launch.Sums, plain: noisy_launch.Sums) -> str:
    """The first difference of two noisy launches, in words: the earliest window, else the end states."""
    apart = launch.bits(mine.sums) != launch.bits(plain.sums)
    if apart.any():
        window = int(np.argmax(apart.any(axis=(1, 2))))
        lane = int(np.argmax(apart[window].any(axis=0)))
        which = int(np.argmax(apart[window, :, lane]))
        at, place = (window, which, lane), f"window {window}, lane {lane}, sum {noisy_launch.SUMS[which]}"
        return f"first in {place}: {distance(mine.sums[at], plain.sums[at], 'float64')}"
    for name, a, b in (("v", mine.v, plain.v), ("q", mine.q, plain.q)):
        if (launch.bits(a) != launch.bits(b)).any():
            lane, component = (int(i) for i in np.argwhere((launch.bits(a) != launch.bits(b)).T)[0])
            at = component, lane
            return f"first in the end, lane {lane}, {name}[{component}]: {distance(a[at], b[at], 'float64')}"
    return ""
