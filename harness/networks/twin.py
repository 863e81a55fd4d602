"""The float64 twin of a network: the same minibatch once more, in numbers that round 2^29 times less.

What a script does between the network's outputs and backward() is not known here, and need not be. The slope
of its loss with respect to the outputs, the cotangent c, is observed, and

    g64 = J(q)^T c,    J the Jacobian of the outputs in the parameters

is formed by a copy of the network in float64, from the same inputs, the same random numbers and the same
modes of its modules. Whatever leaves the outputs alone is a symmetry of every loss of them, J xi = 0, so
that <g64, xi> vanishes for every c.

Where one output is made of another, as a loss that a network returns beside its scores, the slope that was
observed at the other has gone through both. So each output is given what was observed at it, and no more.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

WIDE = torch.float64
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks",
         "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs",
         "_forward_hooks_always_called")  # fmt: skip


class NoTwin(Exception):
    """A network that cannot be done again in float64, and why."""


@dataclass
class Call:
    """One call of a network, and what its loss sent back.

    args, kwargs  what it was called with, as it was
    rng           the states of random number generators before the call: "cpu", or the name of a device
    training      module's name -> whether it was in training mode
    cotangents    for each floating tensor among the outputs, in order: the slope of the loss, or None where
                  nothing came back
    loss          loss(outputs) -> a number, where the loss itself is known: then cotangents are not read
    autocast      device -> the type in which it computed, of each device for which autocast was on
    module        the name of the module that was called, where that is only a part of the network
    written       buffers, which a call may write over, and parameters that may be moved since, as they were
    """

    args: tuple
    kwargs: dict = field(default_factory=dict)
    rng: dict[str, torch.Tensor] = field(default_factory=dict)
    training: dict[str, bool] = field(default_factory=dict)
    cotangents: list[torch.Tensor | None] = field(default_factory=list)
    loss: Callable | None = None
    autocast: dict[str, torch.dtype] = field(default_factory=dict)
    module: str = ""
    written: dict[str, torch.Tensor] = field(default_factory=dict)


def called(model: torch.nn.Module, args: Sequence, kwargs: dict | None = None) -> Call:
    """The call that is about to be made, without cotangents yet."""
    training = {name: module.training for name, module in model.named_modules()}
    return Call(tuple(args), dict(kwargs or {}), random_states(), training, autocast=autocasts())


def autocasts() -> dict[str, torch.dtype]:
    """Device -> type, of each device for which autocast is on."""
    devices = ("cpu", "cuda")
    return {x: torch.get_autocast_dtype(x) for x in devices if torch.is_autocast_enabled(x)}


def random_states() -> dict[str, torch.Tensor]:
    """The states of all random number generators that are in use. Nothing is drawn."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states |= {f"cuda:{i}": torch.cuda.get_rng_state(i) for i in range(torch.cuda.device_count())}
    return states


@contextmanager
def random_numbers(states: dict[str, torch.Tensor]):
    """A context that begins with these states, and leaves the generators as they were before it."""
    before = random_states()
    try:
        set_random(states)
        yield
    finally:
        set_random(before)


def set_random(states: dict[str, torch.Tensor]) -> None:
    for device, state in states.items():
        if device == "cpu":
            torch.set_rng_state(state)
        else:
            torch.cuda.set_rng_state(state, device)


def outputs(found) -> list[torch.Tensor]:
    """The floating tensors among what a network returned, in order."""
    leaves = tree_leaves(vars(found) if hasattr(found, "__dict__") and not is_tree(found) else found)
    return [x for x in leaves if isinstance(x, torch.Tensor) and x.is_floating_point()]


def is_tree(found) -> bool:
    """Whether torch looks inside of it: a tensor, a tuple, a list, a dict; other objects show attributes."""
    return isinstance(found, (torch.Tensor, tuple, list, dict))


def cast(x, dtype: torch.dtype | None):
    """The same with floating tensors in a type, None their own, cut off from what made them.

    One that required a gradient does again: a layer that is recomputed in the backward pass has none without.
    It is no leaf, for that may not be written over.
    """

    def one(y):
        if not isinstance(y, torch.Tensor) or not y.is_floating_point():
            return y
        made = y.detach().to(dtype or y.dtype)
        return made.requires_grad_().clone() if y.requires_grad else made

    return tree_map(one, x)


def twin(model: torch.nn.Module, dtype: torch.dtype | None = WIDE) -> torch.nn.Module:
    """A copy of the network without its hooks, in float64 or another type; None is its own. Raises NoTwin."""
    try:
        copied = copy.deepcopy(model)
    except Exception as error:  # a module may hold what cannot be copied, as a lock or a tensor of a graph
        raise NoTwin(f"it cannot be copied: {type(error).__name__}: {first_line(error)}") from None
    for module in copied.modules():
        for name in HOOKS:
            getattr(module, name, {}).clear()
    return copied if dtype is None else copied.to(dtype)


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200]


class Drawn(TorchDispatchMode):
    """A mode in which random numbers of float64 are drawn as float32 ones.

    A generator gives other numbers for float64. Masks of dropout are alike in all types (torch 2.13, CPU).
    """

    MADE = ("rand", "randn")
    LIKE = ("rand_like", "randn_like")
    FILLED = ("normal_", "uniform_")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function._schema.name.split("::")[1]
        if name in self.MADE and kwargs.get("dtype") == WIDE:
            return function(*args, **{**kwargs, "dtype": torch.float32}).to(WIDE)
        if name in (*self.LIKE, *self.FILLED) and args[0].dtype == WIDE:
            narrow = torch.empty_like(args[0], dtype=torch.float32)
            if name in self.FILLED:
                return args[0].copy_(function(narrow, *args[1:], **kwargs))
            return function(narrow, *args[1:], **{**kwargs, "dtype": torch.float32}).to(WIDE)
        return function(*args, **kwargs)


def run(model: torch.nn.Module, call: Call, dtype: torch.dtype | None = WIDE):
    """What a call by a copy returns, with its graph. Raises NoTwin."""
    for name, module in model.named_modules():
        module.training = call.training.get(name, module.training)
    put_back(model, call.written)
    drawn = Drawn() if dtype == WIDE else nullcontext()
    casts = no_autocast() if dtype is not None else as_autocast(call.autocast)
    with random_numbers(call.rng), torch.enable_grad(), drawn, casts:
        try:
            args, kwargs = cast((call.args, call.kwargs), dtype)
            return model.get_submodule(call.module)(*args, **kwargs)
        except Exception as error:  # of the user's own code, which met float64 for the first time
            kind = str(dtype or "its own type").removeprefix("torch.")
            raise NoTwin(f"it does not run in {kind}: {type(error).__name__}: {first_line(error)}") from None


def put_back(model: torch.nn.Module, written: dict[str, torch.Tensor]) -> None:
    """Write buffers and parameters of a copy over with what they were, where they have kept their shape."""
    with torch.no_grad():
        for name, x in (*model.named_buffers(), *model.named_parameters()):
            if name in written and written[name].shape == x.shape:
                x.copy_(written[name])


@contextmanager
def no_autocast():
    """A context without automatic casts."""
    with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
        yield


@contextmanager
def as_autocast(types: dict[str, torch.dtype]):
    """A context with automatic casts to these types, by device, and no others."""
    with ExitStack() as stack:
        stack.enter_context(no_autocast())
        for device, dtype in types.items():
            stack.enter_context(torch.autocast(device, dtype=dtype))
        yield


def wide_gradients(model: torch.nn.Module, calls: Iterable[Call]) -> dict[str, torch.Tensor]:
    """The gradient in float64 that these calls add up to, by parameter; 0 where nothing came back.

    model  as it stands, of any type: it is copied, and left as it is
    Raises NoTwin.
    """
    return gradients_of(twin(model), calls)


def own_gradients(model: torch.nn.Module, calls: Iterable[Call]) -> dict[str, torch.Tensor]:
    """The same in the types of the model itself, by a copy of it. Raises NoTwin."""
    return gradients_of(twin(model, None), calls, None)


def gradients_of(model: torch.nn.Module, calls: Iterable[Call], dtype: torch.dtype | None = WIDE) -> dict:
    """The gradients of some calls by a model that is a copy already, by parameter. Raises NoTwin."""
    for p in model.parameters():
        p.grad = None
    for call in calls:
        back(model, call, dtype)
    return {name: gradient_of(p) for name, p in model.named_parameters()}


def back(model: torch.nn.Module, call: Call, dtype: torch.dtype | None = WIDE) -> None:
    """Add the gradient of one call to that of a copy. Raises NoTwin."""
    found = run(model, call, dtype)
    try:
        slopes_back(model, found, call, dtype)
    except NoTwin:
        raise
    except Exception as error:  # of a loss, or of a backward() of the user's own
        kind = str(dtype or "its own type").removeprefix("torch.")
        raise NoTwin(f"its gradient fails in {kind}: {type(error).__name__}: {first_line(error)}") from None


def slopes_back(model: torch.nn.Module, found, call: Call, dtype: torch.dtype | None) -> None:
    """Call backward() from what a copy returned. Raises NoTwin, and what backward() raises."""
    if call.loss is not None:
        return call.loss(found).backward()
    leaves = outputs(found)
    if len(leaves) != len(call.cotangents):
        raise NoTwin(f"it gave {len(leaves)} outputs in float64 and {len(call.cotangents)} before")
    pairs = [
        (y, c) for y, c in zip(leaves, call.cotangents, strict=True) if c is not None and y.requires_grad
    ]
    if dtype is not None:
        pairs = wide_pairs(pairs, dtype)
    check_own(model, [y for y, _ in pairs])
    slopes = [c.detach().to(y.dtype) for y, c in pairs]
    for (y, _), c in zip(pairs, slopes, strict=True):
        y.register_hook(lambda came, c=c: c)
    if pairs:
        torch.autograd.backward([y for y, _ in pairs], slopes)


def wide_pairs(pairs: list[tuple], dtype: torch.dtype) -> list[tuple]:
    """The outputs that are of this type, with their slopes. One of another type, as a loss that a network
    forms of its scores in float32, may be left out where it is made of the others alone: their own slopes
    were observed. Raises NoTwin."""
    wide = [(y, c) for y, c in pairs if y.dtype == dtype]
    made = {y.grad_fn for y, _ in wide}
    for y, _ in pairs:
        if y.dtype != dtype and any(True for _ in parameters_of([y], made)):
            raise NoTwin(f"an output is {y.dtype} in float64 too: a cast is written into the network")
    return wide


def parameters_of(made: Iterable[torch.Tensor], but: Iterable = ()) -> Iterator[torch.nn.Parameter]:
    """The parameters that some tensors were made of; by way of the nodes `but`, none."""
    nodes = [y.grad_fn for y in made if y.grad_fn is not None]
    seen = {*nodes, *but}
    while nodes:
        node = nodes.pop()
        if isinstance(leaf := getattr(node, "variable", None), torch.nn.Parameter):
            yield leaf
        new = {x for x, _ in node.next_functions if x is not None and x not in seen}
        seen |= new
        nodes += new


def check_own(model: torch.nn.Module, made: Iterable[torch.Tensor]) -> None:
    """Refuse outputs made of parameters that the copy lacks, as where forward() is a function that holds the
    network itself: their gradients would be added to the network's own. Raises NoTwin."""
    mine = {id(p) for p in model.parameters()}
    if any(id(p) not in mine for p in parameters_of(made)):
        raise NoTwin("a copy of it still uses parameters of the network itself")


def gradient_of(p: torch.Tensor) -> torch.Tensor:
    if p.grad is None:
        return torch.zeros_like(p)
    return p.grad.detach().to_dense() if p.grad.is_sparse else p.grad.detach()
