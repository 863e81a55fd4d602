"""A watch of a training run: its optimizers and networks, by hooks alone.

What the watch does must never reach the training. So whatever it raises is caught and told once, and the
training goes on without it; it draws no random number, and changes no tensor.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

import torch

from noether.campaigns.watch.budget import Clock, Schedule
from noether.campaigns.watch.facts import Net
from noether.campaigns.watch.forward import task
from noether.campaigns.watch.hooks import Hooks, closure_of, when_raised, with_closure
from noether.campaigns.watch.outsiders import Outsiders
from noether.campaigns.watch.seat import Seat
from noether.campaigns.watch.tally import SLOPE, Tally
from noether.networks.twin import random_numbers, random_states
from noether.system.usage import UsageError, brief

REPORT = "the training goes on unwatched; please report this with the output of noether doctor"


class Watcher:
    """Networks and optimizers under watch.

    seats    one an optimizer;  nets  one a network
    fault    what the watch itself raised, a traceback, '' where nothing was
    tell     called after each sample with the seat
    """

    def __init__(
        self, models, optimizers, schedule: Schedule, memory: int, *, find=None,
        tell: Callable[[Seat], None] = lambda seat: None,
    ):  # fmt: skip
        self.nets, self.tell, self.fault, self.closed = nets_of(models), tell, "", False
        self.clock, self.hooks, self.seats, self._stack = Clock(), Hooks(), [], ExitStack()
        named = {p: net.prefix + name for net in self.nets for name, p in net.inner.named_parameters()}
        listed = optimizers_of(optimizers)
        for n, optimizer in enumerate(listed):
            word = type(optimizer).__name__ + (f" {n + 1}" if len(listed) > 1 else "")
            names = names_of(optimizer, named)
            ids = {id(p) for p in names.values()}
            mine = [x for x in self.nets if any(id(p) in ids for p in x.inner.parameters())]
            how = dict(schedule=schedule, memory=memory, clock=self.clock, find=find, safely=self.safely)
            seat = Seat(word, optimizer, names, mine, part=1 / len(listed), **how)
            self.seats.append(seat)
            for i, net in enumerate(mine):
                net.seats.append((seat, i))
        self.outsiders = Outsiders(self.nets)
        self.begin()

    # ---- hooks

    def begin(self) -> None:
        """Put the hooks in place."""
        for net in self.nets:
            self.listen(net, net.outer, "")
        for seat in self.seats:
            self.hooks.on_optimizer(
                seat.optimizer,
                lambda args, kwargs, seat=seat: self.before(seat, args, kwargs),
                lambda seat=seat: self.after(seat),
            )
            self._stack.enter_context(when_raised(seat.optimizer, seat.raised))

    def listen(self, net: Net, module: torch.nn.Module, name: str) -> None:
        """Hear of the calls of one module of a network."""
        self.hooks.on_module(
            module,
            lambda args, kwargs: self.forward(net, name, args, kwargs),
            lambda out: self.forwarded(net, out),
        )

    def update(self, seat: Seat) -> None:
        """The gradients of a step are there. A network that was never called as a whole is heard in parts."""
        begun = self.clock.now()
        for net in seat.nets:
            if not net.called and not net.parts:
                self.safely(self.listen_to_parts, net)
        self.safely(seat.observer.before, seat.number)
        quiet = seat.is_quiet()
        self.clock.hooks += self.clock.now() - begun
        if not quiet:
            self.safely(self.looked_into, seat)

    def looked_into(self, seat: Seat) -> None:
        """A step is looked at, and the parameters that no optimizer holds with it."""
        if sum(len(group["params"]) for group in seat.optimizer.param_groups) > len(seat.names):
            named = {p: net.prefix + name for net in self.nets for name, p in net.inner.named_parameters()}
            seat.grow(names_of(seat.optimizer, named))
        with random_numbers(random_states()):  # a recomputed layer may draw in its backward pass
            seat.update()
        groups = [group for x in self.seats for group in x.optimizer.param_groups]
        self.outsiders.look(seat.number, {id(p) for group in groups for p in group["params"]})

    def listen_to_parts(self, net: Net) -> None:
        """Hear of the calls of all modules of a network."""
        net.parts = True
        for name, module in net.inner.named_modules():
            if module is not net.outer:
                self.listen(net, module, name)

    def safely(self, action: Callable, *given) -> None:
        """Do something in our own time; the training never sees what it raises."""
        if self.closed:
            return
        try:
            with self.clock.ours(), torch.no_grad():
                action(*given)
        except Exception as error:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """The watch itself is at fault: it ends, and says so."""
        self.fault = traceback.format_exc()
        self.leave()
        last = (str(error).splitlines() or [""])[0]
        warnings.warn(f"noether.watch ended: {type(error).__name__}: {last}: {REPORT}", stacklevel=2)

    def idle(self) -> bool:
        """Whether a call of a network is none of a training: without gradients, in a backward pass, our
        own, or one of torch.func, which knows other slopes."""
        if self.closed or self.clock.inside or not torch.is_grad_enabled() or task() != -1:
            return True
        return torch._C._functorch.peek_interpreter_stack() is not None

    def forward(self, net: Net, name: str, args: tuple, kwargs: dict) -> None:
        """A module of a network is about to be called; one inside of another is none of ours."""
        if self.idle():
            return
        net.depth += 1
        if net.depth == 1:
            net.called += 1
            for seat, n in net.seats:
                seat.observer.called(seat.number)
                if seat.due():
                    self.safely(seat.forward, n, name, args, kwargs)

    def forwarded(self, net: Net, out) -> None:
        """A module of a network was called."""
        if self.idle():
            return
        net.depth = max(0, net.depth - 1)
        if net.depth == 0:
            for seat, n in net.seats:
                if seat.calls:
                    self.safely(seat.forwarded, n, out)

    def before(self, seat: Seat, args: tuple, kwargs: dict):
        """A step is about to be made; one that computes its gradients itself is waited for."""
        seat.depth += 1
        if seat.depth > 1:  # a step that calls that of the class above is one step
            return None
        if self.closed:
            return None
        closure = closure_of(args, kwargs)
        if closure is None:
            self.update(seat)
            return None

        called = 0

        def waited():
            nonlocal called
            called += 1
            if called > 1:
                self.safely(seat.called_again)
            loss = closure()
            if called == 1:
                self.update(seat)
            return loss

        return with_closure(args, kwargs, waited)

    def after(self, seat: Seat) -> None:
        """A step was made."""
        seat.depth = max(0, seat.depth - 1)
        if seat.depth == 0 and not self.closed and not seat.passed():
            self.safely(self.looked_at, seat)

    def looked_at(self, seat: Seat) -> None:
        """A step that was looked at was made."""
        number = seat.number
        seat.updated()
        if seat.facts.last == number:
            self.tell(seat)

    # ---- the end

    def leave(self) -> None:
        """Take the hooks away and forget what was begun."""
        self.closed = True
        self.hooks.remove()
        self._stack.close()
        for seat in self.seats:
            seat.leave()

    @property
    def tallies(self) -> list[tuple[Seat, Tally]]:
        """Every tally with its optimizer."""
        return [(seat, tally) for seat in self.seats for tally in seat.book]

    @property
    def families(self) -> int:
        """How many families of symmetries were found."""
        return sum(len(net.families or ()) for net in self.nets)

    @property
    def why_no_slopes(self) -> str:
        """Why no gradient was judged along a symmetry, '' where one was."""
        if any(seat.book.law(SLOPE) for seat in self.seats) or not self.nets:
            return ""
        return next((why for seat in self.seats if (why := seat.hindered())), "")


def nets_of(models) -> list[Net]:
    """The networks that were given. Raises UsageError."""
    if models is None:
        return []
    if isinstance(models, torch.nn.Module):
        return [Net(models, plain(models))]
    named = models if isinstance(models, Mapping) else {str(n): x for n, x in enumerate(listed(models))}
    for word, x in named.items():
        if not isinstance(x, torch.nn.Module):
            raise UsageError(f"model {word} is {brief(x)}, must be a torch.nn.Module")
    if len(named) == 1:
        return [Net(x, plain(x)) for x in named.values()]
    return [Net(x, plain(x), f"{word}.") for word, x in named.items()]


def listed(given) -> list:
    """What was given as a list. Raises UsageError."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise UsageError(f"model is {brief(given)}, must be a torch.nn.Module, a list or a dict of them")
    return list(given)


def plain(module: torch.nn.Module) -> torch.nn.Module:
    """The module whose parameters have the names that a reader knows: inside of DataParallel, of
    DistributedDataParallel, and of what torch.compile made."""
    while True:
        wrapped = isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel)
        inner = module.module if wrapped else getattr(module, "_orig_mod", None)
        if not isinstance(inner, torch.nn.Module):
            return module
        module = inner


def optimizers_of(given) -> list:
    """The optimizers that were given, without what wraps them, as accelerate does. Raises UsageError."""
    found = list(given) if isinstance(given, list | tuple) else [given]
    for n, x in enumerate(found):
        if not isinstance(x, torch.optim.Optimizer):
            raise UsageError(f"optimizer is {brief(x)}, must be a torch.optim.Optimizer or a list of them")
        while isinstance(inner := vars(x).get("optimizer"), torch.optim.Optimizer):
            x = found[n] = inner
    if not found:
        raise UsageError("optimizer is an empty list, must have one at least")
    return found


def names_of(optimizer, named: Mapping) -> dict[str, torch.Tensor]:
    """Name -> parameter of an optimizer; one of no network is called by its place."""
    names = {}
    for i, group in enumerate(optimizer.param_groups):
        for j, p in enumerate(group["params"]):
            names[named.get(p, f"group {i}, parameter {j}")] = p
    return names
