"""What is read of an optimizer and its networks at each step, for the remarks of a watch.

Nothing here is judged: what is read is noted with its step, and remarks.py says what it means.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from noether.campaigns.watch.clipping import Clipping
from noether.campaigns.watch.remarks import Diary
from noether.campaigns.watch.schedules import Schedules
from noether.networks.twin import Call, NoTwin, own_gradients

ZERO, NONE, STALE, WRITTEN, CHANGED, CAST, NARROW, EVALUATED, FROZEN = (
    "zero none stale written changed cast narrow evaluated frozen".split()
)
SOME = 4096  # numbers of a gradient that are kept


class Observer:
    """What was read of one optimizer.

    rates   group -> the rates that it had at steps
    rows    (call, output) -> its rows whose slope was exactly 0 in all samples, and how many those were
    """

    def __init__(self, optimizer, names: Mapping[str, torch.Tensor]):
        self.optimizer, self.names = optimizer, names
        self.diary, self.schedules, self.clipping = Diary(), Schedules(), Clipping()
        self.rates: dict[int, set[float]] = {}
        self.rows: dict[tuple[int, int], tuple[torch.Tensor, int]] = {}
        self.marks: dict[int, tuple] = {}
        self.old: tuple[str, torch.Tensor] | None = None
        self.kept: tuple[int, dict[str, torch.Tensor]] = (0, {})

    # ---- every step

    def called(self, step: int) -> None:
        """A network is about to be called with gradients."""
        if self.schedules.schedulers:
            self.schedules.read(self.optimizer, step)

    def before(self, step: int) -> None:
        """The optimizer is about to make a step."""
        self.schedules.read(self.optimizer, step)
        for n, group in enumerate(self.optimizer.param_groups):
            rate = group.get("lr")
            if isinstance(rate, int | float) or (
                isinstance(rate, torch.Tensor) and rate.device.type == "cpu"
            ):
                self.rates.setdefault(n, set()).add(float(rate))
        self.changed(step)

    def after(self) -> None:
        """A step was made: which gradients lie there now, so that one is known that nobody has touched."""
        self.marks, self.old = {}, None
        for name, p in self.names.items():
            if type(p.grad) is torch.Tensor and not p.grad.is_sparse:
                self.marks[id(p)] = weakref.ref(p.grad), p.grad._version
                self.old = name, p.grad.reshape(-1)[:SOME].clone()

    def untouched(self, parameters: Iterable[torch.Tensor]) -> bool:
        """Whether all gradients that are there are those of the step before, and nobody wrote to them."""
        there = [p for p in parameters if p.grad is not None]
        same = lambda mark, g: mark is not None and mark[0]() is g and mark[1] == g._version
        return bool(there) and all(same(self.marks.get(id(p)), p.grad) for p in there)

    def adds_up(self, model: torch.nn.Module, calls: Sequence[Call], given: Mapping, prefix: str) -> bool:
        """Whether the gradient is the old one and that of the calls, to rounding: then one was added to the
        other. It is asked of a few numbers of one parameter.

        A sum of c calls and the old gradient rounds c times, and each of its parts may be done in another
        order than here: 4 roundings more of all that is added.
        """
        name, old = self.old or ("", None)
        if old is None or given.get(name) is None or not bool(old.any()):
            return False
        try:
            own = own_gradients(model, calls).get(name.removeprefix(prefix))
        except NoTwin:
            return False
        if own is None:
            return False
        wide = lambda x: x.detach().reshape(-1)[:SOME].to(torch.float64)
        new, old, own = wide(given[name]), wide(old), wide(own)
        unit = torch.finfo(given[name].dtype).eps / 2
        room = (len(calls) + 4) * unit * (new.abs() + old.abs() + own.abs())
        return bool(((new - old - own).abs() <= room).all())

    # ---- steps that are looked at

    def keep(self, step: int, names: Iterable[str]) -> None:
        """Keep what a step made of some parameters."""
        self.kept = step, {name: self.names[name].detach().clone() for name in names}

    def changed(self, step: int) -> None:
        """What was kept of the step before, against what is there now."""
        made, kept = self.kept
        self.kept = 0, {}
        if made != step - 1:
            return
        for name, x in kept.items():
            now = self.names[name].detach()
            if now.dtype != x.dtype:
                self.diary.note(CAST, step, [name], was=kind(x), now=kind(now))
            elif now.shape != x.shape or not same_bits(now, x):
                self.diary.note(CHANGED, step, [name])

    def types(self, step: int, names: Iterable[str]) -> None:
        """What the optimizer keeps of some parameters in a narrower type than theirs."""
        for name in names:
            p = self.names[name]
            for word, x in self.optimizer.state.get(p, {}).items():
                narrower = isinstance(x, torch.Tensor) and x.is_floating_point() and x.numel() == p.numel()
                if narrower and torch.finfo(x.dtype).eps > torch.finfo(p.dtype).eps:
                    self.diary.note(NARROW, step, [name], word=word, kept=kind(x), own=kind(p))

    def gradients(self, step: int, given: Mapping) -> None:
        """Which parameters do not require a gradient."""
        found = [name for name in given if not self.names[name].requires_grad]
        if found:
            self.diary.note(FROZEN, step, found)

    def calls(self, step: int, model: torch.nn.Module, calls: Sequence[Call]) -> None:
        """The calls that a gradient is made of: in which mode, and which rows of their outputs mattered."""
        modes = [name for name, module in model.named_modules() if depends_on_mode(module)]
        if modes and any(not call.training.get("", True) for call in calls):
            self.diary.note(EVALUATED, step, modes)
        for n, call in enumerate(calls):
            for m, slope in enumerate(call.cotangents):
                if slope is not None and slope.ndim and len(slope) > 1:
                    self.row(n, m, slope)

    def row(self, n: int, m: int, slope: torch.Tensor) -> None:
        """The rows of an output whose slope is exactly 0."""
        zero = (slope.reshape(len(slope), -1) == 0).all(dim=1).cpu()
        before, times = self.rows.get((n, m), (zero, 0))
        both = before & zero if len(before) == len(zero) else torch.zeros_like(zero)
        self.rows[n, m] = both, times + 1

    def thrown_away(
        self, step: int, model: torch.nn.Module, calls: Sequence[Call], names: Iterable[str]
    ) -> None:
        """No gradient is there: note it where the network would have given one."""
        try:
            own = own_gradients(model, calls)
        except NoTwin:
            return
        if any(bool(own[name].any()) for name in names if name in own):
            self.diary.note(NONE, step)

    def sampled(self, step: int, given: Mapping, found) -> None:
        """What one gradient says. found: a noether.campaigns.watch.gradient.Slopes."""
        if found.factor == 0 and not any(bool(g.any()) for g in given.values()):
            self.diary.note(ZERO, step)
        elif found.repeats:
            self.clipping.saw(given.values(), found.factor, loss_scale(self.optimizer))


def kind(x: torch.Tensor) -> str:
    return str(x.dtype).removeprefix("torch.")


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors are equal, NaN for NaN."""
    return bool(((a == b) | ((a != a) & (b != b))).all())


def depends_on_mode(module: torch.nn.Module) -> bool:
    """Whether a module does something else in evaluation mode."""
    if isinstance(module, _DropoutNd):
        return module.p > 0
    return isinstance(module, _NormBase) and module.track_running_stats


def loss_scale(optimizer) -> float | None:
    """By what a GradScaler has multiplied the loss, where one is making this step and the gradient is divided
    by it already. 1.0 where there is none, None where it is not known."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "step" and issubclass(
            type(scaler := frame.f_locals.get("self")), torch.amp.GradScaler
        ):
            # A fused optimizer divides by itself, so that its gradient is still scaled.
            return None if getattr(optimizer, "grad_scale", None) is not None else scaler.get_scale()
        frame = frame.f_back
    return 1.0
