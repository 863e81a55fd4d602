"""What is measured of options beside a watch: covariance of a run, masks of dropout, weights used twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import nn

from noether.networks.check import KEPT, checked, share, walked
from noether.networks.families import RESCALE, Family, Part
from noether.networks.network import ITSELF, Network, seeded
from noether.networks.recipes import Recipe
from noether.networks.training import MASKS, backward, batches
from noether.networks.twin import Call, called, wide_gradients
from noether.networks.zoo import network

COVARIANT = 40  # steps


def called_once(one: Network, recipe: Recipe, seed: int = 0) -> tuple[nn.Module, Call]:
    """A fresh model in float32 and the modes of the recipe, and its call with the loss of a first batch."""
    model = dataclasses.replace(recipe, precision="float32").prepared(one.make(seed))
    data = one.read()
    x = data.x[: recipe.batch]
    y = x if one.task == ITSELF else data.y[: recipe.batch]
    with seeded(seed):
        call = called(model, (x,))
        output = model(x)
    call.cotangents = list(torch.autograd.grad(one.loss(output, y), output))
    call.loss = lambda out: one.loss(out, y)
    return model, call


# ---- covariance


def covariance(one: Network, recipe: Recipe, seed: int = 0) -> float:
    """By which part of the largest number of its parameter the run of doubled parameters is another one."""
    plain, doubled = (run(one, recipe, seed, factor) for factor in (1, 2))
    return max(float((plain[n] - doubled[n]).abs().max() / plain[n].abs().max()) for n in plain)


def run(one: Network, recipe: Recipe, seed: int, factor: int) -> dict[str, torch.Tensor]:
    """Parameters after COVARIANT steps from factor times `first`, in float64, less the factor."""
    model = recipe.prepared(one.make(seed))
    mine = [model.first.weight, model.first.bias]
    with torch.no_grad():
        for p in mine:
            p.mul_(factor)
    model.norm1.eps *= factor**2
    rest = [p for p in model.parameters() if all(p is not x for x in mine)]
    optimizer, scaler = recipe.made([{"params": mine}, {"params": rest}]), recipe.scaler()
    group = optimizer.param_groups[0]
    group["lr"] *= factor**2
    group["weight_decay"] /= factor**2
    for step, micros in enumerate(batches(one, recipe, COVARIANT, seed)):
        backward(one, recipe, model, optimizer, scaler, micros, seeds=(seed, MASKS, step))
        scaler.step(optimizer)
        scaler.update()
    own = {id(p) for p in mine}
    return {n: p.detach().double() / (factor if id(p) in own else 1) for n, p in model.named_parameters()}


# ---- what needs a hand-made family, or two masks


def tied_alone() -> Iterator[tuple[str, float, float]]:
    """Yield (network, slope of the rescale of one use alone, the largest along what a walk finds)."""
    for name, rows, columns in (
        ("tied-autoencoder", ("tied", "bias"), "code.weight"),
        ("tied-mlp", ("first.weight", "first.bias"), "shared.weight"),
    ):
        one = network(name)
        model, call = called_once(one, Recipe())
        there = dict(model.named_parameters())
        at = lambda p: torch.arange(p.numel()).reshape(p.shape[0], -1)
        parts = [Part(n, at(there[n])) for n in rows] + [Part(columns, at(there[columns]).T.contiguous(), -1)]
        alone = Family(RESCALE, "of one use alone", tuple(parts))
        (wrong,) = checked(model, [call], [alone])
        kept = [x for x in checked(model, [call], walked(model, call)[0]) if x.verdict == KEPT]
        yield name, wrong.breaking, max(x.breaking for x in kept)


def two_masks() -> tuple[float, float]:
    """Of dropout: how far gradients of two masks are apart, and the largest slope that the second has along a
    rescale of units, as a part of its reach."""
    one = network("dropout-mlp")
    model, call = called_once(one, Recipe())
    with seeded(1):
        other = dataclasses.replace(call, rng=called(model, call.args).rng)
    first, second = (wide_gradients(model, [x]) for x in (call, other))
    values = {n: p.detach().double() for n, p in model.named_parameters()}
    norm = lambda g: torch.cat([x.flatten() for x in g.values()]).norm()
    apart = norm({n: first[n] - second[n] for n in first}) / norm(first)
    families = [f for f in walked(model, call)[0] if f.kind == RESCALE]
    return float(apart), max(share(f.form(second, values), f.reach(second, values)) for f in families)
