"""What is asked about: a module with one call of it, and how its outputs become a number.

    relu-mlp                 a network of the zoo, with its data and its loss
    package.module:Name      importable; a module of PyTorch, a class of modules, or a function that gives
    path/to/file.py:Name     one; a function may give (module, inputs) or (module, inputs, loss)

Inputs are a tensor, a tuple of what forward() takes, or a dict by name; loss(outputs) is a number. Where no
loss is known, its derivative by the outputs is drawn at random: what holds for one that nobody chose holds
for every loss of the outputs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_leaves, tree_map

from noether.campaigns.symmetries.inputs import missing, wanted
from noether.campaigns.symmetries.user_code import running, user_code
from noether.networks.network import ITSELF, Network, seeded
from noether.networks.twin import Call, called, first_line, outputs, random_numbers
from noether.networks.zoo import NETWORKS, network
from noether.system.named import home, inside, split
from noether.system.usage import CannotRun, UsageError, brief, unknown

BATCH = 64
"""Samples of a network of the zoo."""
WEIGHTS, INPUTS, MASKS, OUTPUTS = range(4)  # streams of random numbers, each with a seed of its own
EXAMPLE = "mine.py:Net"


@dataclass(frozen=True, eq=False)
class Subject:
    """A module and a call of it.

    name   how it was named
    model  a copy of what was given, float32 at most: in float64 there would be nothing to compare with
    call   the call, with a loss or with cotangents
    loss   which loss it is, in words
    has_loss  whether the loss itself is known in float64
    notes  what was done that nobody asked for
    """

    name: str
    model: nn.Module
    call: Call
    loss: str
    has_loss: bool
    notes: tuple[str, ...] = field(default=())

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that are trained, by name."""
        return {
            name: p for name, p in self.model.named_parameters() if p.requires_grad and p.is_floating_point()
        }


def asked(model, inputs, loss: Callable | None, options: dict, seed: int) -> Subject:
    """The subject that was asked for: by a word of the command line, or as an object.

    model   a word; a module, a class or a function that gives one; or a tuple (module, inputs, loss)
    inputs  what forward() takes, or words as 16x1x8x8; None where the module has its own

    Raises UsageError, CannotRun.
    """
    name = model if isinstance(model, str) else name_of(model)
    if name in NETWORKS and isinstance(model, str):
        if options or inputs is not None or loss is not None:
            raise UsageError(f"{name} has options, inputs and a loss of its own, must be given none")
        return of_network(network(name), seed)
    found = named(model) if isinstance(model, str) else model
    with seeded(seed, WEIGHTS):
        made, own, own_loss = parts_of(found, options, name)
    if own is not None and inputs is not None:
        raise UsageError(f"{name} gives its own inputs, must be given none")
    own = inputs if own is None else own
    if own is None:
        raise missing(made, name)
    return subject(made, drawn(own, seed), own_loss if loss is None else loss, name, seed)


def named(word: str):
    """What a word of the command line names. Raises UsageError."""
    if ":" not in word and not word.endswith(".py"):
        more = f"; of your own: package.module:Name or path/to/file.py:Name, as {EXAMPLE}"
        raise UsageError(f"{unknown('network', word, NETWORKS)}{more}")
    place, name = split(word, EXAMPLE, kind="module")
    with user_code(f"{place} cannot be imported"):
        module = home(place)
    return inside(module, place, name)


def name_of(model) -> str:
    """What an object is called here."""
    first = model[0] if isinstance(model, tuple) and model else model
    return getattr(first, "__qualname__", type(first).__name__)


def drawn(inputs, seed: int):
    """The inputs, drawn where they are words. Raises UsageError."""
    words = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(words, list) or not words or not all(isinstance(x, str) for x in words):
        return inputs
    generator = torch.Generator().manual_seed(seed * 4 + INPUTS)
    return tuple(x.drawn(generator) for x in wanted(words))


def of_network(chosen: Network, seed: int) -> Subject:
    """A network of the zoo, on the first samples of its data. Raises UsageError without scikit-learn."""
    data = chosen.read()
    x, y = data.x[:BATCH], data.y[:BATCH]
    target = x if chosen.task == ITSELF else y

    def loss(out: torch.Tensor) -> torch.Tensor:
        return chosen.loss(out, target.to(out.dtype) if target.is_floating_point() else target)

    return subject(chosen.make(seed), x, loss, chosen.name, seed)


def parts_of(found, options: dict, word: str) -> tuple[nn.Module, object, Callable | None]:
    """(module, inputs or None, loss or None) of what a word names. Raises UsageError."""
    made = found
    if not isinstance(found, nn.Module | tuple):
        if not callable(found) or isinstance(found, type) and not issubclass(found, nn.Module):
            raise UsageError(
                f"{word} is {brief(found)}, must be a module of PyTorch (torch.nn.Module), a class of them, "
                "or a function that gives one"
            )
        with user_code(f"{word} cannot be made with {brief(options) if options else 'no options'}"):
            made = found(**options)
    elif options:
        raise UsageError(f"{word} is a module that is made already, must be given no options")
    made = made if isinstance(made, tuple) else (made,)
    if not 1 <= len(made) <= 3 or not isinstance(made[0], nn.Module):
        gives = ", ".join(type(x).__name__ for x in made)
        raise UsageError(
            f"{word} gives ({gives}), must give a torch.nn.Module, (module, inputs) or (module, inputs, loss)"
        )
    return (*made, None, None)[:3]


def subject(model: nn.Module, inputs, loss: Callable | None, name: str, seed: int) -> Subject:
    """A module with inputs, tried out on a copy of it. Raises UsageError, CannotRun."""
    args, kwargs = arguments(inputs, name)
    if loss is not None and not callable(loss):
        raise UsageError(f"the loss of {name} is {brief(loss)}, must be a function of the outputs, or None")
    if not any(p.requires_grad and (is_lazy(p) or p.is_floating_point()) for p in model.parameters()):
        raise UsageError(f"{name} has no parameter that is trained, must have one of floating point numbers")
    model, notes = own_copy(model, args, kwargs, name, seed)
    dtype = {p.dtype for p in model.parameters() if p.is_floating_point()}
    if torch.float64 in dtype:
        model, (args, kwargs) = model.float(), narrow((args, kwargs))
        notes.append("it has float64 parameters: it is checked in float32, beside its twin in float64")
    with seeded(seed, MASKS):
        call = called(model, args, kwargs)
    found = tried(model, call, name)
    words, has_loss = with_loss(call, found, loss, name, seed, notes)
    return Subject(name, model, call, words, has_loss, tuple(notes))


def arguments(inputs, name: str) -> tuple[tuple, dict]:
    """What forward() is called with. Raises UsageError."""
    if isinstance(inputs, torch.Tensor):
        return (inputs,), {}
    if isinstance(inputs, dict) and all(isinstance(key, str) for key in inputs):
        return (), dict(inputs)
    if isinstance(inputs, tuple | list):
        return tuple(inputs), {}
    raise UsageError(
        f"the inputs of {name} are {brief(inputs)}, must be a tensor, a tuple, or a dict by name"
    )


def own_copy(model: nn.Module, args, kwargs, name: str, seed: int) -> tuple[nn.Module, list[str]]:
    """A copy of a module, and notes; a lazy one is called once, for its shapes. Raises CannotRun."""
    try:
        copied = copy.deepcopy(model)
    except Exception as error:
        told_why = first_line(error).partition(". ")[0]
        raise CannotRun(f"{name} cannot be copied: {type(error).__name__}: {told_why}") from None
    if any(is_lazy(p) for p in copied.parameters()):
        with seeded(seed, WEIGHTS), running(name, args, kwargs):
            copied(*args, **kwargs)
    if all(p.device.type == "cpu" for p in copied.parameters()):
        return copied, []
    return copied, ["its parameters are not on the CPU: it is checked where they are"]


def narrow(given):
    """The same with float64 numbers in float32."""
    one = lambda x: x.float() if isinstance(x, torch.Tensor) and x.dtype == torch.float64 else x
    return tree_map(one, given)


def tried(model: nn.Module, call: Call, name: str):
    """What a call by one more copy returns, with its graph. Raises UsageError."""
    copied = copy.deepcopy(model)
    with random_numbers(call.rng), running(name, call.args, call.kwargs), torch.enable_grad():
        found = copied(*call.args, **call.kwargs)
    leaves = outputs(found)
    if not any(x.requires_grad for x in leaves):
        told_of = ", ".join(type(x).__name__ for x in tree_leaves(found)[:4]) or "nothing"
        raise UsageError(
            f"{name} gives {told_of}, must give a tensor of floating point numbers that its trained "
            "parameters move"
        )
    if not all(bool(torch.isfinite(x).all()) for x in leaves):
        raise UsageError(f"{name} gives outputs that are not finite on these inputs, must give finite ones")
    return found


def with_loss(
    call: Call, found, loss: Callable | None, name: str, seed: int, notes: list
) -> tuple[str, bool]:
    """Give a call its loss, or its derivatives by the outputs; which loss it is, in words, and whether it is
    known in float64. Raises UsageError."""
    leaves = outputs(found)
    if loss is None:
        generator = torch.Generator().manual_seed(seed * 4 + OUTPUTS)
        call.cotangents = [torch.randn(y.shape, generator=generator).to(y.dtype).to(y.device) for y in leaves]
        return "none, its derivative by the outputs is drawn at random", False
    with user_code(f"the loss of {name} fails"):
        value = loss(found)
        if not isinstance(value, torch.Tensor) or value.numel() != 1 or not value.requires_grad:
            raise UsageError(f"the loss of {name} gives {brief(value)}, must give one number with its graph")
        grads = torch.autograd.grad(value.reshape(()), leaves, allow_unused=True, retain_graph=True)
    wide = tree_map(lambda x: x.detach().double().requires_grad_() if is_number(x) else x, found)
    try:
        torch.autograd.grad(loss(wide).reshape(()), outputs(wide), allow_unused=True)
    except Exception as error:  # such as a target of float32, which F.mse_loss does not take
        told_why = f"{type(error).__name__}: {first_line(error)}"
        notes.append(
            f"the loss does not take outputs of float64 ({told_why}): its derivative by the "
            "outputs is taken as it is"
        )
        call.cotangents = list(grads)
        return "as given, by its derivative in its own type", False
    call.loss = lambda out: loss(out).reshape(())
    return "as given", True


def is_number(x) -> bool:
    return isinstance(x, torch.Tensor) and x.is_floating_point()
