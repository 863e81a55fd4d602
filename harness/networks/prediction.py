"""What the rule says of a parameter, from what stood there before the step."""

from __future__ import annotations

import numpy as np
import torch

from noether.networks.standing import Before, flat
from noether.networks.step_rule import KEPT, Unjudged, anatomy_of, kept_type
from noether.optimizers.running import WIDE, Running
from noether.optimizers.shadow import Shadow


def predicted(x: Before, state: dict[str, torch.Tensor], shadow: Shadow) -> dict[str, Running]:
    """What the rule says of the parameter and of what is kept, by the optimizer's names. Raises Unjudged."""
    if shadow.told.unknown:
        raise Unjudged(f"operations without a meaning here: {', '.join(sorted(shadow.told.unknown))}")
    rule, shape = x.rule, tuple(x.q.shape)
    if anatomy_of(rule.like, x.group, x.parameter) != rule.anatomy:
        raise Unjudged("its options were changed while the step ran")
    of_matrix = ("rows", "columns")
    given = {}
    for name, key in rule.given.items():
        numbers = x.state[key].double().numpy().astype(WIDE)
        given[name] = Running(numbers if name in of_matrix else numbers.reshape(-1), WIDE(0))
    q, g = (Running(flat(y).astype(WIDE), WIDE(0)) for y in (x.q, x.gradient))
    g = g if x.scale == 1 else g / WIDE(x.scale)
    off = max([shadow.told.off, *(y.told.off for y in shadow.beside)])
    moved, after = rule.predicted(q, g, given, shape, off=off, kept=kept_type(state))
    names = {KEPT[key]: key for key in state if key in KEPT}
    if lost := [name for name in after if name not in names]:
        raise Unjudged(f"the rule of {rule.like} keeps a state that is not found here: {', '.join(lost)}")
    found = {names[name]: Running(y.value.reshape(-1), y.error.reshape(-1)) for name, y in after.items()}
    if "step" in state:
        found["step"] = Running(np.full(state["step"].numel(), rule.n, WIDE), WIDE(0))
    return {"q": moved, **found}
