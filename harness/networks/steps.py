"""The optimizer in a real training run, judged step by step: with the gradient as observed.

A judge is told before and after the optimizer's own step, which runs unmodified: the same operations in the
same order, whose results have the same bits. Beside them a shadow does them again in wide numbers
(optimizers/shadow.py), and the definition of the rule is carried out from what stood there before
(step_rule.py). What is compared is told in moved.py.

    judge = StepJudge(optimizer, {p: name for name, p in model.named_parameters()})
    with judge.attached(steps.append):
        train(model, optimizer)

What it costs, in time of one core of an AMD EPYC (torch 2.13.0, numpy 2.4, x86-64, float32):

    of each number that is followed      SGD with momentum 1.4 us, AdamW 4.2 us, fused 3.4 us
    of each parameter, however small     SGD with momentum 1.7 ms, AdamW 5 ms
    memory at its height                 SGD with momentum 590 bytes a number, AdamW 980, fused 860
    100 numbers of a million             SGD with momentum 3 ms, AdamW 9 ms
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MethodType

import numpy as np
import torch

from noether.networks.moved import Moved, Step, component, unmoved
from noether.networks.prediction import predicted
from noether.networks.standing import (
    Before,
    as_before,
    flat,
    flushes,
    looked_at,
    parameters_of,
    picked,
    same_bits,
    unseen,
)
from noether.networks.step_rule import Definition, Unjudged, definition
from noether.optimizers.leaving import UNSEEN, Leaving
from noether.optimizers.meaning import kind_of
from noether.optimizers.parts import Partial
from noether.optimizers.scope import Chosen
from noether.system.usage import UsageError


class Guarded(Partial):
    """A shadow that never disturbs what it stands beside: where it fails it stops, and remembers why."""

    def begun(self, function, name: str, given: dict) -> Callable:
        end = self._tried(lambda: super(Guarded, self).begun(function, name, given))
        return lambda out: self._tried(lambda: end(out)) if end is not None else None

    def _tried(self, action: Callable):
        if self.failure is not None:
            return None
        try:
            with np.errstate(all="ignore"):
                return action()
        except Exception as error:
            self.failure = error
            return None


class StepJudge:
    """A judge of an optimizer's steps.

    names   parameter -> its name
    chosen  the names that are followed, all by default; or name -> (k,) int64, the places of the numbers that
            are followed, counted as in reshape(-1), None for all of them. Only a rule that moves each number
            by itself can be judged by some
    The time and the memory that a step costs are proportional to the numbers that are followed.
    Raises UsageError where a name is not one of the optimizer's parameters.
    """

    def __init__(
        self,
        optimizer,
        names: Mapping[torch.Tensor, str],
        chosen: Iterable[str] | Mapping[str, torch.Tensor | None] | None = None,
    ):
        self.optimizer, self.names = optimizer, dict(names)
        held = {self.names[p] for p in parameters_of(optimizer) if p in self.names}
        self.places = dict(chosen) if isinstance(chosen, Mapping) else {}
        self.chosen = held if chosen is None else set(chosen)
        if lost := sorted(self.chosen - held):
            raise UsageError(f"{', '.join(lost)}: no parameter of the optimizer has such a name")
        self.number = 0
        self._before: list[Before] = []
        self._unjudged: dict[str, str] = {}
        self._skipped = False  # as a scaler of gradients tells a fused step whose gradient is not finite
        self._shadow: Guarded | None = None
        self._leaving: Leaving | None = None
        self._depth, self._looks = 0, False

    # ---- one step

    def before(self, args: tuple = (), kwargs: dict | None = None) -> None:
        """Remember what stands there, and begin to look: for a pre hook of the optimizer's step.

        args, kwargs  of the step, as a pre hook is given them; with a closure nothing is judged
        """
        self.abandon()
        self.number += 1
        self._before, self._unjudged = [], {}
        self._skipped = bool(getattr(self.optimizer, "found_inf", None) or 0)
        if any(x is not None for x in (*args[1:2], (kwargs or {}).get("closure"))):
            self._unjudged[""] = "the step computes its gradients itself, by a closure"
            return
        if flushes():
            self._unjudged[""] = (
                "subnormal numbers become 0 here, and bounds are those of rounding to nearest"
            )
            return
        for group in self.optimizer.param_groups:
            for p in group["params"]:
                if self.names.get(p) in self.chosen:
                    self._remember(self.names[p], p, group)
        if any(x.gradient is not None for x in self._before):
            self._enter()

    def after(self) -> Step:
        """Stop looking, and judge: for a post hook."""
        shadow, told = self._shadow, self._leaving and self._leaving.told
        self.abandon()
        failed = next((x.failure for x in (shadow, *shadow.beside) if x.failure), None) if shadow else None
        if failed is not None:
            self._unjudged[""] = f"the shadow failed: {type(failed).__name__}: {failed}"[:300]
            return Step(self.number, {}, self._unjudged)
        moved = {}
        for x in self._before:
            if found := self._judged(x, shadow, told or {}):
                moved[x.name] = found
        self._before = []
        if shadow is None:
            return Step(self.number, moved, self._unjudged)
        unknown, kinds = dict(shadow.told.unknown), dict(shadow.told.kinds)
        return Step(self.number, moved, self._unjudged, unknown, kinds)

    def abandon(self) -> None:
        """Stop looking without a judgement, as where the step has raised. It may be called at any time."""
        leaving, self._leaving = self._leaving, None
        shadow, self._shadow = self._shadow, None
        if leaving is not None:
            leaving.__exit__(None, None, None)
        if shadow is not None:
            shadow.__exit__(None, None, None)

    @contextmanager
    def attached(self, told: Callable[[Step], None], every: int = 1) -> Iterator[StepJudge]:
        """A context in which each step of the optimizer, or one of so many, is judged and told.

        Hooks alone would leave the shadow on where a step raises, so step() is wrapped too while it lasts. A
        step that calls that of the class above is one step.
        """
        calls, self._depth = 0, 0

        def looked(optimizer, args, kwargs):
            nonlocal calls
            self._depth += 1
            if self._depth == 1:
                calls += 1
                self._looks = (calls - 1) % every == 0
                if self._looks:
                    self.before(args, kwargs)

        def seen(optimizer, args, kwargs):
            self._depth -= 1
            if self._depth == 0 and self._looks:
                told(self.after())

        hooks = (self.optimizer.register_step_pre_hook(looked), self.optimizer.register_step_post_hook(seen))
        # Before the hooks that are there already: what they do to parameters is no part of the step.
        self.optimizer._optimizer_step_post_hooks.move_to_end(hooks[1].id, last=False)
        try:
            with left_at_the_end(self):
                yield self
        finally:
            for hook in hooks:
                hook.remove()
            self.abandon()

    # ---- what is done in them

    def _remember(self, name: str, p: torch.Tensor, group: dict) -> None:
        if reason := unseen(p):
            self._unjudged[name] = reason
            return
        state = {str(key): x for key, x in self.optimizer.state.get(p, {}).items()}
        try:
            rule: Definition | str = definition(self.optimizer, group, p, state)
        except Unjudged as why:
            rule = str(why)
        at = self.places.get(name)
        if at is not None and not isinstance(rule, str) and not rule.elementwise:
            self._unjudged[name] = f"the rule of {rule.like} reads whole tensors: some numbers say nothing"
            return
        copies = {key: picked(x, p, at) for key, x in state.items() if isinstance(x, torch.Tensor)}
        gradient = None if p.grad is None else picked(p.grad, p, at)
        scale = getattr(self.optimizer, "grad_scale", None)
        self._before.append(
            Before(name, p, picked(p, p, at), gradient, copies, rule, group, at, float(scale or 1))
        )

    def _enter(self) -> None:
        mine = {x.parameter: x.at for x in self._before if x.gradient is not None}
        followed, some, apart = [], [], []
        for p in parameters_of(self.optimizer):
            kept = [x for x in self.optimizer.state.get(p, {}).values() if isinstance(x, torch.Tensor)]
            if p not in mine:
                apart += kept
                continue
            for x in (*kept, p.detach(), p.grad):
                if mine[p] is None or x.numel() != p.numel():
                    followed.append(x)
                else:
                    some.append((x, mine[p]))
        scope = Chosen(followed, apart, some)
        self._shadow = Guarded(scope=scope, beside=[Guarded(rounds=False, scope=scope)])
        self._shadow.forget()
        self._leaving = Leaving(self._shadow.told.outside)
        self._shadow.__enter__()
        self._leaving.__enter__()

    def _judged(self, x: Before, shadow: Guarded | None, outside) -> Moved | None:
        p, kept = x.parameter, self.optimizer.state.get(x.parameter, {})
        state = {str(key): y for key, y in kept.items() if isinstance(y, torch.Tensor)}
        now = {key: picked(y, p, x.at) for key, y in state.items()}
        told, q = (x.name, tuple(p.shape), kind_of(p)), picked(p, p, x.at)
        if x.gradient is None or self._skipped:
            same = {key: unmoved(flat(old), flat(now[key])) for key, old in x.state.items() if key in now}
            return Moved(*told, unmoved(flat(x.q), flat(q)), same, None, x.known, at=x.at)
        if reason := self._changed(x, shadow, outside):
            self._unjudged[x.name] = reason
            return None
        meant = {"q": looked_at(shadow, p, q)}
        meant |= {key: looked_at(shadow, y, now[key]) for key, y in state.items()}
        rule, why = {}, "" if x.known else x.rule
        if not why:
            try:
                rule = predicted(x, state, shadow)
            except Unjudged as reason:
                why = str(reason)
        parts = {}
        for key, (real, seen, own) in meant.items():
            old = flat(x.q) if key == "q" else flat(x.state[key]) if key in x.state else None
            parts[key] = component(old, real, seen, own, rule.get(key))
        known = None if why else x.rule
        kinds = {key: kind_of(y) for key, y in state.items()}
        return Moved(*told, parts.pop("q"), parts, flat(x.gradient) / x.scale, known, why, kinds, x.at)

    def _changed(self, x: Before, shadow: Guarded, outside) -> str | None:
        """Why what happened to a parameter cannot be judged, if it cannot."""
        p = x.parameter
        if x.scale == 1 and (p.grad is None or not as_before(x, picked(p.grad, p, x.at), self.optimizer)):
            return "its gradient was changed while the step ran"
        if outside:
            return f"numbers were computed outside of PyTorch ({', '.join(sorted(outside))})"
        if p.untyped_storage()._cdata not in shadow.written and not same_bits(picked(p, p, x.at), x.q):
            return UNSEEN
        return None


@contextmanager
def left_at_the_end(judge: StepJudge) -> Iterator[None]:
    """A context in which a step leaves the judge's shadow however it ends."""
    optimizer, there = judge.optimizer, "step" in vars(judge.optimizer)
    step = optimizer.step

    def guarded(self, *args, **kwargs):
        try:
            return step(*args, **kwargs)
        finally:
            judge.abandon()
            judge._depth = 0

    # A method, as schedulers bind what they find there; with the signature, which scalers of gradients read.
    guarded.__dict__.update(getattr(step, "__dict__", {}))
    guarded.__wrapped__ = step
    mine = optimizer.step = MethodType(guarded, optimizer)
    try:
        yield
    finally:
        if vars(optimizer).get("step") is mine:
            optimizer.step = step
            if not there:
                del optimizer.step
