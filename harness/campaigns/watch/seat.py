"""One optimizer under watch: its steps, which of them are looked at, and what is done in one that is.

first call of a network after a step    it is decided whether the gradient of the next step is looked at
calls and their slopes                  are copied, on such a step
before the update                       the gradient is done again; the step judge begins to look
after the update                        the step is judged; the next one begins
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch

from noether.campaigns.watch import looked
from noether.campaigns.watch.budget import Account, Clock, Schedule
from noether.campaigns.watch.facts import Facts, Net
from noether.campaigns.watch.forward import Calls, NotJudged, plainly
from noether.campaigns.watch.gradient import slopes
from noether.campaigns.watch.observed import STALE, WRITTEN, Observer
from noether.campaigns.watch.tally import SLOPE, Book
from noether.campaigns.watch.turning import turns
from noether.campaigns.watch.turns import Rota
from noether.networks.steps import StepJudge
from noether.networks.twin import Call


class Seat:
    """One optimizer. `number` is that of the step that comes next, from 1.

    names   name -> parameter of this optimizer;  part  its part of the budget
    find    families of a module and its calls
    safely  calls what is done while the script's own backward pass runs
    """

    def __init__(
        self, word: str, optimizer, names: Mapping, nets, schedule: Schedule, memory: int, clock: Clock,
        *, part: float = 1.0, find=None, safely: Callable = plainly,
    ):  # fmt: skip
        self.word, self.optimizer, self.names, self.memory, self.clock = (
            word,
            optimizer,
            dict(names),
            memory,
            clock,
        )
        self.nets: list[Net] = list(nets)
        share = part / 2 if self.nets else part
        self.accounts = {"gradient": Account(schedule, share), "step": Account(schedule, share)}
        self.find, self.safely, self.book, self.facts = find, safely, Book(), Facts()
        self.rota, self.observer = Rota(self.names, memory), Observer(optimizer, self.names)
        self.number, self.decided, self.depth, self.looks = 1, 0, 0, False
        self.calls: dict[int, Calls] = {}
        self.judge: StepJudge | None = None
        self.before: dict[str, torch.Tensor] = {}
        self.usual: float | None = None  # seconds of an update that is not looked at
        self._since = self._own = self._began = self.once = 0.0
        self.of = {id(p): name for name, p in names.items()}

    @property
    def kind(self) -> str:
        """The name of the optimizer's class."""
        return type(self.optimizer).__name__

    # ---- before the network is called

    def due(self) -> bool:
        """Whether the gradient of the next step is looked at, which is decided once. Most steps are not, and
        nothing else is done in them: this must be quick."""
        if self.decided != self.number:
            self.decided = self.number
            self.looks = bool(self.nets) and self.wants("gradient")
        return self.looks

    def wants(self, kind: str) -> bool:
        """Whether this step is looked at for its gradient or its update."""
        return self.accounts[kind].wants(self.number, self.clock.training, self.clock.hooks)

    def forward(self, n: int, name: str, args: tuple, kwargs: dict) -> None:
        """Network n is about to be called, or the module of it that has this name; a gradient is due."""
        if not self.calls:
            self._own = self.clock.own
            how = self.memory, self.safely, self.observer.untouched
            self.calls = {n: Calls(self.mine(x), *how, self.beside(x)) for n, x in enumerate(self.nets)}
        self.calls[n].begin(self.nets[n].inner, args, kwargs, name)

    def forwarded(self, n: int, out) -> None:
        """Network n was called."""
        if n in self.calls:
            self.calls[n].end(out)

    def mine(self, net: Net) -> dict[str, torch.Tensor]:
        """The parameters of a network that this optimizer holds. Another network, or a loss with parameters,
        has its gradients already when the slope comes back to this one."""
        ids = {id(p) for p in net.inner.parameters()}
        return {name: p for name, p in self.names.items() if id(p) in ids}

    def beside(self, net: Net) -> dict[str, torch.Tensor]:
        """The parameters of a network that other watched optimizers hold, by their names in it."""
        held = {id(p) for seat, _ in net.seats if seat is not self for p in seat.names.values()}
        return {name: p for name, p in net.inner.named_parameters() if id(p) in held}

    def leave(self) -> None:
        """Forget what was begun, as where a step was skipped or has raised."""
        self.calls = {}
        self.abandon()
        self.judge, self.before = None, {}

    def raised(self) -> None:
        """The optimizer's step has raised."""
        self.depth = 0
        self.abandon()

    def called_again(self) -> None:
        """The optimizer asks for a second gradient in one step, as LBFGS does: that is no single update."""
        if self.judge is not None:
            self.facts.unjudged["update: the optimizer asked for more than one gradient in a step"] += 1
        self.leave()

    def abandon(self) -> None:
        """Stop looking at an update, as where it has raised."""
        if self.judge is not None:
            self.judge.abandon()

    # ---- before the update

    def is_quiet(self) -> bool:
        """Whether nothing of this step is looked at."""
        if self.due() or self.wants("step"):
            return False
        self._since = self.clock.now()
        return True

    def update(self) -> None:
        """The gradients are there and the optimizer is about to use them."""
        given = {name: p.grad for name, p in self.names.items()}
        self.facts.missing({name for name, g in given.items() if g is None})
        self.observer.gradients(self.number, given)
        if self.due():
            self.gradient(given)
        if self.wants("step"):
            self.step_begins(given)
        self._since = self.clock.now()

    def gradient(self, given: Mapping) -> None:
        """Judge the gradient that was looked at."""
        begun, calls, self.calls = self.clock.now(), self.calls, {}
        if not calls:
            self._own = self.clock.own
            self.facts.unjudged["gradient: the network was not called since the last step"] += 1
        for n, x in calls.items():
            try:
                self.slope(self.nets[n], x.taken(), given)
            except NotJudged as why:
                net, came = self.nets[n], [one.call for one in x.seen if one.came]
                if x.untouched and self.observer.adds_up(net.inner, came, given, net.prefix):
                    self.observer.diary.note(STALE, self.number)
                elif written := x.written():
                    self.observer.diary.note(WRITTEN, self.number, written)
                if len(calls) == 1 or str(why).startswith("no slope") is False:
                    self.facts.unjudged[f"gradient: {why}"] += 1
        took = self.clock.own - self._own + self.clock.now() - begun
        self.accounts["gradient"].took(took, self.once)
        self.once = 0.0
        self._own += took
        self.facts.looked_at(self.number)

    def slope(self, net: Net, calls: list[Call], given: Mapping) -> None:
        """Judge the gradient of one network. Raises NotJudged."""
        local = {name.removeprefix(net.prefix): g for name, g in given.items() if name.startswith(net.prefix)}
        there = dict(net.inner.named_parameters())
        mine = {
            name: g.detach().to_dense() if g.is_sparse else g.detach()
            for name, g in local.items()
            if g is not None and name in there
        }
        self.observer.calls(self.number, net.inner, calls)
        if not mine:
            self.observer.thrown_away(self.number, net.inner, calls, local)
            raise NotJudged("no parameter of the network has a gradient")
        if bad := self.not_finite({net.prefix + name: g for name, g in mine.items()}):
            raise NotJudged(f"the gradient of {bad} is not finite")
        self.trace(net, calls)
        found = slopes(net.inner, calls, mine, net.families, self.memory)
        self.observer.sampled(self.number, mine, found)
        if net.prefix:
            shown = dict(zip(map(id, net.families), net.shown, strict=True))
            found = replace(found, along=tuple(replace(x, family=shown[id(x.family)]) for x in found.along))
        looked.slopes(self.book, self.number, found, precision(net.inner, calls))
        self.facts.gradient(self.number, net.prefix, found)

    def trace(self, net: Net, calls: list[Call]) -> None:
        """Look for the families of a network, once."""
        if net.families is not None:
            return
        net.families, begun = [], self.clock.now()
        try:
            net.families = list(self.find(net.inner, calls)) if self.find else []
        except Exception as error:  # a network that nobody thought of must not end the watch
            net.no_families = f"{type(error).__name__}: {error}"[:200]
        self.rota.arrange([f for x in self.nets for f in x.shown])
        self.once += self.clock.now() - begun

    def grow(self, names: Mapping) -> None:
        """The optimizer holds more parameters than before."""
        self.names.update({name: p for name, p in names.items() if id(p) not in self.of})
        self.of = {id(p): name for name, p in self.names.items()}
        self.rota.arrange([f for x in self.nets for f in x.shown])

    def not_finite(self, given: Mapping) -> str | None:
        """The first parameter whose gradient is not finite."""
        for name, g in given.items():
            if not bool(torch.isfinite(g.coalesce().values() if g.is_sparse else g).all()):
                self.facts.infinite.append((self.number, name))
                return name
        return None

    def step_begins(self, given: Mapping) -> None:
        """Begin to look at the update of some parameters."""
        self._began = self.clock.now()
        chosen = self.rota.take()
        self.facts.large = self.rota.large
        if not chosen:
            return
        if bad := self.not_finite({name: given[name] for name in chosen if given[name] is not None}):
            self.facts.unjudged[f"update: the gradient of {bad} is not finite"] += 1
            return
        self.before = {name: self.names[name].detach().clone() for name in chosen}
        self.judge = StepJudge(self.optimizer, {p: name for name, p in self.names.items()}, chosen)
        self.judge.before()

    # ---- after the update

    def passed(self) -> bool:
        """Whether a step that nobody looked at has been made; then the next one has begun."""
        if self.judge is not None or self.calls or self.facts.last == self.number:
            return False
        took = self.clock.now() - self._since
        self.usual = took if self.usual is None else min(took, self.usual)
        self.number += 1
        if self.nets and self.wants("gradient"):
            self.safely(self.observer.after)
        return True

    def updated(self) -> None:
        """The optimizer has made a step that was looked at."""
        if self.judge is not None:
            self.step_ends(self.clock.now() - self._since)
        self.observer.after()
        self.leave()
        self.number += 1

    def step_ends(self, took: float) -> None:
        """Judge the update that was looked at. took: seconds of it, with the shadow beside it."""
        slower = max(0.0, took - (self.usual or 0.0))
        self.clock.own += slower
        step = self.judge.after()
        kinds = {name: str(x.dtype).removeprefix("torch.") for name, x in self.before.items()}
        looked.steps(self.book, self.number, step, kinds)
        self.rota.whole.update(name for name, why in step.unjudged.items() if "whole tensors" in why)
        after = {name: self.names[name] for name in self.before}
        shown = [f for net in self.nets for f in net.shown]
        looked.balances(self.book, self.number, step, shown)
        for layer, x in turns(self.optimizer, self.groups(), self.before, after, shown).items():
            self.facts.turns.setdefault(layer, []).append((self.number, x))
        for name, x in step.moved.items():
            if x.still is not None:
                self.facts.still.setdefault(name, []).append((self.number, x.still))
        cost = self.clock.now() - self._began
        self.accounts["step"].took(cost)
        self.rota.took(sum(len(x.q.after) for x in step.moved.values()), cost)
        self.facts.looked_at(self.number)
        self.observer.keep(self.number, after)
        self.observer.types(self.number, after)

    def groups(self) -> dict[str, dict]:
        """Name of a parameter -> the options of the optimizer for it."""
        return {
            self.of[id(p)]: group
            for group in self.optimizer.param_groups
            for p in group["params"]
            if id(p) in self.of
        }

    def hindered(self) -> str:
        """Why no family was judged at all, '' where one was."""
        if self.book.law(SLOPE):
            return ""
        told = next((why for why in self.facts.unjudged if why.startswith("gradient")), "")
        return told or next((net.no_families for net in self.nets if net.no_families), "")


def precision(model: torch.nn.Module, calls: list[Call]) -> str:
    """The type of a network's parameters, and of autocast where it was on."""
    kinds = dict.fromkeys(str(p.dtype).removeprefix("torch.") for p in model.parameters())
    cast = dict.fromkeys(str(x).removeprefix("torch.") for call in calls for x in call.autocast.values())
    return "+".join(kinds) + (f"/{'+'.join(cast)}" if cast else "")
