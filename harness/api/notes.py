"""What should be known beside the numbers of a simulation: lanes that leave the finite numbers, and places of
which the law says nothing."""

from __future__ import annotations

import numpy as np

OVERFLOW = "the charge is beyond the largest number of float64"
UNBOUNDED = "the rounding of a step has no bound, or none that float64 holds"


def unfinished(gone: np.ndarray) -> tuple[str, ...]:
    """A sentence for each lane that leaves the finite numbers.

    gone  (steps + 1, lanes) bool: whether a state is not finite
    """
    return tuple(
        f"lane {lane} is not finite from step {int(gone[:, lane].argmax())} on: a smaller eta may keep it so"
        for lane in np.flatnonzero(gone.any(axis=0))
    )


def unsaid(symmetries, laws, J, predicted, bound, gone) -> tuple[str, ...]:
    """A sentence for each lane of which the law says nothing at a step where its state is finite.

    symmetries, laws     their names, '' where no law predicts a charge
    J, predicted, bound  (steps + 1, symmetries, lanes) float64; where the bound is inf the law says nothing
    gone                 as of `unfinished`
    """
    silent = np.isinf(bound) & ~gone[:, None]
    out = []
    for lane in np.flatnonzero(silent.any(axis=(0, 1))):
        mine = silent[:, :, lane]
        charges = np.flatnonzero(mine.any(axis=0))
        names = " and ".join(symmetries[i] for i in charges)
        law = " and ".join(dict.fromkeys(laws[i] for i in charges))
        numbers = np.stack([J[:, :, lane], predicted[:, :, lane]])[:, mine]
        why = UNBOUNDED if np.isfinite(numbers).all() else OVERFLOW
        at = when(mine.any(axis=1), ~gone[:, lane])
        out.append(f"lane {lane}: law {law} says nothing of the charge of {names} {at}: {why}")
    return tuple(out)


def when(rows: np.ndarray, finite: np.ndarray) -> str:
    """The steps of `rows` in words; (steps + 1,) bool each, `finite` those at which the state is finite."""
    first = int(rows.argmax())
    if rows[first:][finite[first:]].all():
        return f"from step {first} on"
    return f"at {int(rows.sum())} steps, the first of which is step {first}"
