"""A training loop as people write it, with every random number from its seed.

    for each step:  zero_grad; for each micro-batch: loss / accumulate, backward; unscale; clip; step

The optimizer is a class of torch.optim, called as it is. Nothing here knows of symmetries: who wants to watch
gives `each`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from noether.networks.data import Data, augmented
from noether.networks.network import CLASSES, ITSELF, Network, seeded
from noether.networks.recipes import Recipe
from noether.system.usage import UsageError, brief

Under = Callable[[nn.Module, torch.optim.Optimizer], AbstractContextManager]
Each = Callable[[int, nn.Module, torch.optim.Optimizer], object]
ORDER, MASKS, CHANGES = 1, 2, 3  # streams of random numbers, each with a seed of its own


@dataclass(frozen=True, eq=False)
class Micro:
    """One micro-batch: places of its samples in the data, and what the network is given.

    chosen  (m,) int64
    x, y    (m, ...) in the type of the recipe, augmented where it says so; y int64 of classes
    """

    chosen: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training was, step by step, and what is left of it.

    losses      one a step: the mean over its batch
    accuracies  one a step: the share of its batch that is classed right; empty where there are no classes
    batches     one a step: (batch,) int64, places of its samples in the data
    skipped     steps in which GradScaler found a gradient that is not finite, and left the parameters
    score       of the test data: the share that is classed right, else the share of the variance that is
                explained, 1 at best and 0 of a constant
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    batches: tuple[torch.Tensor, ...]
    skipped: tuple[int, ...]
    score: float


def train(
    network: Network,
    recipe: Recipe,
    steps: int,
    seed: int,
    each: Each | None = None,
    *,
    under: Under | None = None,
) -> Trained:
    """Train a fresh network. The same arguments on the same machine give the same bits.

    each  called as each(step, model, optimizer) after every step of the optimizer, steps counted from 0; the
          gradients that it has used are still there, unscaled and clipped. Not called for a skipped step
    under the training goes on inside of the context under(model, optimizer), as noether.watch is one

    torch's random numbers outside are left as they were. Raises UsageError for a number of steps below 1.
    """
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise UsageError(f"steps of a training are {brief(steps)}, must be a whole number of at least 1")
    model = recipe.prepared(network.make(seed))
    optimizer, scaler = recipe.made(model.parameters()), recipe.scaler()
    losses, accuracies, chosen, skipped = [], [], [], []
    with under(model, optimizer) if under is not None else nullcontext():
        for step, micros in enumerate(batches(network, recipe, steps, seed)):
            loss, right = backward(
                network, recipe, model, optimizer, scaler, micros, seeds=(seed, MASKS, step)
            )
            losses.append(loss)
            accuracies += [] if right is None else [right]
            chosen.append(torch.cat([micro.chosen for micro in micros]))
            before = scaler.get_scale()
            scaler.step(optimizer)
            scaler.update()
            if scaler.get_scale() < before:  # torch tells of a skipped step in no other way
                skipped.append(step)
            elif each is not None:
                each(step, model, optimizer)
    seen = (tuple(x) for x in (losses, accuracies, chosen, skipped))
    return Trained(model, optimizer, *seen, score(network, recipe, model))


def batches(network: Network, recipe: Recipe, steps: int, seed: int) -> Iterator[list[Micro]]:
    """What each step of train() is given, without training: shuffled anew when all samples were seen.

    Raises UsageError where a batch is larger than the data.
    """
    data = network.read()
    if recipe.batch > len(data.x):
        told = f"batch of a recipe is {recipe.batch}, must be at most {len(data.x)}"
        raise UsageError(f"{told}: so many samples of {data.name} are for training")
    order, changes = (_generator(seed, stream) for stream in (ORDER, CHANGES))
    left = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(left) < recipe.batch:
            left = torch.randperm(len(data.x), generator=order)
        chosen, left = left[: recipe.batch], left[recipe.batch :]
        yield [_micro(network, recipe, data, part, changes) for part in chosen.chunk(recipe.accumulate)]


def backward(
    network: Network,
    recipe: Recipe,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    micros: list[Micro],
    *,
    seeds: tuple[int, ...],
) -> tuple[float, float | None]:
    """Put the gradients of one step into the parameters, as its optimizer will use them: unscaled, clipped.

    seeds  of the masks of dropout

    Returns the loss of the step, and the share that was classed right or None.
    """
    optimizer.zero_grad()
    total, right = 0.0, 0.0
    with seeded(*seeds):
        for micro in micros:
            with recipe.autocast():
                output = model(micro.x)
                loss = network.loss(output, micro.y) / len(micros)
            scaler.scale(loss).backward()
            total += float(loss.detach())
            if network.task == CLASSES:
                right += _right(output, micro.y) / len(micros)
    if recipe.clip is not None:
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
    return total, right if network.task == CLASSES else None


@torch.no_grad()
def score(network: Network, recipe: Recipe, model: nn.Module) -> float:
    """The score of the test data, as Trained has it; the model is in eval mode meanwhile."""
    data = network.read()
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    x, y = _typed(network, recipe, data.test_x, data.test_y)
    with recipe.autocast():
        output = model(x)
    for module, was_training in modes:
        module.training = was_training
    if network.task == CLASSES:
        return _right(output, y)
    return float(1 - (output.double() - y.double()).square().mean() / y.double().var(correction=0))


def _micro(
    network: Network, recipe: Recipe, data: Data, chosen: torch.Tensor, changes: torch.Generator
) -> Micro:
    x = data.x[chosen]
    if recipe.augment:
        x = augmented(x, changes, are_images=data.are_images)
    return Micro(chosen, *_typed(network, recipe, x, data.y[chosen]))


def _typed(
    network: Network, recipe: Recipe, x: torch.Tensor, y: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Input and target of a network in the type of the recipe; classes stay int64."""
    x = x.to(recipe.dtype)
    return x, x if network.task == ITSELF else y.to(recipe.dtype) if y.is_floating_point() else y


def _right(output: torch.Tensor, target: torch.Tensor) -> float:
    return float((output.detach().argmax(dim=1) == target).double().mean())


def _generator(*seeds: int) -> torch.Generator:
    """A generator of its own, of the numbers that seeded() gives."""
    with seeded(*seeds):
        return torch.Generator().manual_seed(torch.default_generator.initial_seed())
