"""The rule of an optimizer at work: what its next step must make of a parameter, by the rule's definition.

The name of the class says which rule it is (claims.py), the parameter group says with which numbers, and the
optimizer's state says where the rule stands: so one step is predicted from what was observed before it.
A class of somebody else's is taken at its name only where every option of its groups has a meaning here, and
what it keeps has names that are known; else only its arithmetic can be judged.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import torch

from noether.optimizers.anatomy import Anatomy
from noether.optimizers.claims import NUMBERS, SWITCHES, claimed, like_of, numbers_of
from noether.optimizers.features import COUNTS
from noether.optimizers.functions import BOUNDED, PYTHON
from noether.optimizers.meaning import kind_of, stored_in
from noether.optimizers.motion import advanced, inexact
from noether.optimizers.running import UNITS, WIDE, Running, done, running

KEPT = {
    "momentum_buffer": "m", "exp_avg": "m", "exp_avg_sq": "s", "exp_avg_var": "s", "exp_inf": "s",
    "square_avg": "s", "sum": "s", "variance": "s", "max_exp_avg_sq": "h", "max_exp_avg_var": "h",
    "grad_avg": "mean", "acc_delta": "a", "mu_product": "M", "step_size": "size", "prev": "before",
    "row_var": "rows", "col_var": "columns",
}  # fmt: skip
"""What optimizers call what they keep -> its name in motion.py."""
COVECTOR = "m"
"""The state that is the covector p of a charge, where momentum is of gradients."""
PASSIVE = {"params", "param_names", "betas", "foreach", "fused", "capturable", "differentiable", "initial_lr",
           "max_lr", "min_lr", "base_lr", "max_momentum", "base_momentum", "swa_lr", "name"}  # fmt: skip
"""Entries of a parameter group that change no number of a step, and betas."""
MUON = {"ns_coefficients": (3.4445, -4.775, 2.0315), "ns_steps": 5, "eps": 1e-7, "adjust_lr_fn": None}
"""The options of torch's Muon for which its definition is written (families.py)."""
STORED = {"grow", "shrink"}
"""Numbers that Rprop puts into a tensor of the parameter's type, where they are rounded out of sight."""


class Unjudged(Exception):
    """Why the rule of a parameter is not known."""


@dataclass(frozen=True)
class Definition:
    """The rule of one parameter's next step.

    like     the name that it goes by, as --like takes it
    anatomy  its options and numbers now
    n        the number of the step, from 1
    given    name in motion.py -> name of the tensor that the optimizer keeps, as far as there is any
    rate     the rate that the optimizer kept from the step before, of ASGD alone
    kind     the parameter's type
    own      whether torch itself carries it out
    plain    whether none of its options is a tensor
    """

    like: str
    anatomy: Anatomy
    n: int
    given: dict[str, str]
    rate: float | None = None
    kind: str = "float64"
    own: bool = False
    plain: bool = False

    @property
    def has_covector(self) -> bool:
        """Whether it keeps a covector, p' = a p - b F with numbers a and b."""
        F = self.anatomy.features
        return F["momentum"] != "none" and F["carried"] == "gradient" or F["family"] == "muon"

    @property
    def elementwise(self) -> bool:
        """Whether each number moves by itself."""
        F = self.anatomy.features
        own = F["form"] in ("plain", "sign", "resilient") and F["scope"] == "each"
        return own and F["family"] == "elementwise"

    def predicted(self, q, g, state: dict, shape: tuple, off: float = 0.0, kept: str = "float64"):
        """(q', state') as Running numbers, each with the rounding of Python's coefficients and no other.

        q, g   (d,) longdouble or Running; state  by its names in motion.py, flat but for rows and columns
        off    by what share of it a number may have been off where a tensor handed it to Python
        kept   the type in which a number of the whole tensor is kept between steps
        """
        F = self.anatomy.features
        if self.own and self.plain and F["ahead"] == "scheduled":
            off = 0.0  # the one number that leaves a tensor of NAdam is kept, and has the error of its type
        x = self.numbers(off, kept)
        number = lambda unit: lambda y: coefficient(y, unit, off)
        xp = SimpleNamespace(**vars(BOUNDED) | {"coefficient": number("float64"), "kept": number(kept)})
        state = dict(state)
        with np.errstate(all="ignore"):
            moved = advanced(F, SimpleNamespace(**x), state, running(q), running(g), self.n, xp, shape)
        missing = [name for name in state if self.n > 1 and name not in self.given]
        if missing:
            raise Unjudged(f"the rule of {self.like} keeps a state that is not found here")
        return moved, {name: running(y) for name, y in state.items()}

    def numbers(self, off: float = 0.0, kept: str = "float64") -> dict[str, Running]:
        """The numbers of this step, with the errors that they may have where they are put to use."""
        x = inexact(self.anatomy.values, off)
        if self.anatomy.features["rate"] == "averaged":
            x["eta"], x["power"] = self._rate_kept(kept), running(0.0)
        for name in STORED & x.keys():
            x[name] = as_stored(self.kind, x[name])
        return x

    def _rate_kept(self, kept: str) -> Running:
        """ASGD's rate of this step: it was made after the step before, or from lr where there was none."""
        if self.rate is not None:
            return running(self.rate)
        return running(self.anatomy.values["eta"]).rounded(kept)


def as_stored(kind: str, x: Running) -> Running:
    """A number that may have been rounded to a type where it was put into a tensor, as it is or so."""
    return done(x.value, x.error + abs(stored_in(kind, x).value - x.value))


def coefficient(x, kind: str, off: float) -> Running:
    """A short formula of numbers of Python's, some of which may be off by a share."""
    x = running(x)
    rounded = x.rounded(kind, PYTHON)
    return Running(rounded.value, rounded.error + PYTHON * WIDE(off) * abs(x.value))


def definition(optimizer, group: dict, parameter: torch.Tensor, state: dict) -> Definition:
    """The rule of a parameter's next step, `state` being what the optimizer keeps of it. Raises Unjudged."""
    like, own = rule_of(optimizer)
    anatomy = anatomy_of(like, group, parameter)
    check(like, group, anatomy, numbers_of(arguments_of(like, group, parameter), like), own)
    tensors = {name: x for name, x in state.items() if isinstance(x, torch.Tensor)}
    given = {KEPT[name]: name for name in tensors if name in KEPT}
    rate = float(tensors["eta"]) if "eta" in tensors else None
    n = number(anatomy, state, bool(given))
    plain = not any(isinstance(x, torch.Tensor) for x in group.values())
    return Definition(like, anatomy, n, given, rate, kind_of(parameter), own, plain)


def anatomy_of(like: str, group: dict, parameter: torch.Tensor) -> Anatomy:
    """The options and numbers that a group names now."""
    arguments = {name: as_number(x) for name, x in arguments_of(like, group, parameter).items()}
    try:
        return anatomy_named(like, tuple(arguments.items()))
    except TypeError:  # an option of somebody's own that cannot be looked up
        return claimed(like, arguments, arguments)


@lru_cache(maxsize=1024)
def anatomy_named(like: str, arguments: tuple) -> Anatomy:
    """The same of pairs of name and value, which most parameters share in every step."""
    return claimed(like, dict(arguments), dict(arguments))


def as_number(x):
    """A tensor of one number as this number, in pairs too."""
    if isinstance(x, (tuple, list)):
        return tuple(map(as_number, x))
    return float(x) if isinstance(x, torch.Tensor) and x.numel() == 1 else x


def rule_of(optimizer) -> tuple[str, bool]:
    """The name of LIKE that an optimizer goes by, and whether its step is torch's own. Raises Unjudged.

    A class with a name of its own that leaves the step to torch is what the step belongs to.
    """
    kind = type(optimizer)
    step = inspect.unwrap(kind.step)
    own = (getattr(step, "__module__", None) or "").startswith("torch.optim.")
    owner = step.__qualname__.split(".")[0] if own else ""
    for word in (kind.__name__, owner):
        if (like := like_of(word)) is not None:
            return like, own
    raise Unjudged(f"the rule of {kind.__module__}.{kind.__qualname__} is not known")


def arguments_of(like: str, group: dict, parameter: torch.Tensor) -> dict:
    """A group's options as claims.py takes them."""
    arguments = {name: x for name, x in group.items() if name != "params"}
    if like == "adafactor" and isinstance(eps := arguments.get("eps"), (tuple, list)) and eps[0] is None:
        arguments["eps"] = (torch.finfo(parameter.dtype).eps, *eps[1:])  # as torch has it
    return arguments


def check(like: str, group: dict, anatomy: Anatomy, numbers: dict, own: bool) -> None:
    """Raise Unjudged where an option may change the step and has no meaning here."""
    if like == "muon":
        for name, value in MUON.items():
            if name in group and group[name] not in (value, "original" if name == "adjust_lr_fn" else value):
                raise Unjudged(f"Muon with {name} {group[name]} has no definition here, only {value}")
    if own:
        return
    known = {*PASSIVE, *NUMBERS, *SWITCHES}
    for name, x in group.items():
        if name not in known and x is not None and x is not False:
            raise Unjudged(f"an option {name} is nothing that the rule of {like} is known to have")
    if lacking := [name for name in anatomy.values if name not in numbers]:
        raise Unjudged(f"the rule of {like} needs numbers that the groups do not name: {', '.join(lacking)}")


def number(anatomy: Anatomy, state: dict, begun: bool) -> int:
    """The number of the next step, from 1; where nothing counts, 2 stands for any later one."""
    count = state.get("step")
    if count is not None:
        return int(count) + 1
    if begun and any(anatomy.features[name] in options for name, options in COUNTS.items()):
        raise Unjudged("the number of the step is not found in the state")
    return 2 if begun else 1


def kept_type(state: dict) -> str:
    """The narrowest type of numbers of a whole tensor that are kept between steps, but for the count."""
    kinds = [str(x.dtype).removeprefix("torch.") for name, x in state.items()
             if name in ("mu_product", "eta") and isinstance(x, torch.Tensor)]  # fmt: skip
    return max(kinds, key=lambda kind: UNITS[kind], default="float64")
