"""A training of a network of the zoo in which some steps are looked at: the optimizer's and autograd's.

What is looked at is left as it is. A fault is planted where people make mistakes: between the gradient and
the optimizer's step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from noether.laws.networks.trained_faults import Planted
from noether.networks.charges import Balance, balance
from noether.networks.check import EPS, KEPT, checked, walked
from noether.networks.eps import eps_slopes, explained
from noether.networks.families import Family
from noether.networks.gradient import Slope, along
from noether.networks.moved import Step
from noether.networks.network import Network, seeded
from noether.networks.recipes import Recipe
from noether.networks.rounded import Scatter, scatter
from noether.networks.step_rule import Unjudged
from noether.networks.steps import StepJudge
from noether.networks.training import MASKS, backward, batches
from noether.networks.twin import Call, called, wide_gradients
from noether.system.seeds import derive

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24, "bfloat16": 2.0**-8, "bfloat16-autocast": 2.0**-8,
        "float16-scaled": 2.0**-11}  # fmt: skip
"""The largest roundoff of a type in which a recipe computes gradients."""
ALL = ("N1", "N2", "N3", "N4")
FINE = 2.0**-40
"""The roundoff with which the rounding of float64 is measured: it is proportional to 2^-53, and errors of
2^-53 could not be put into numbers of float64."""


@dataclass(frozen=True, eq=False)
class Look:
    """What one step showed.

    slopes    of each family, of autograd's gradient in its own type
    fine      the same of the float64 gradient, with the bound of float64
    step      of the optimizer
    balances  of each family that could be judged
    left_out  law -> how many of its parameters (N1) or families were not judged
    """

    number: int
    slopes: list[Slope]
    fine: list[Slope]
    step: Step
    balances: list[Balance]
    left_out: dict[str, int]


def looks(
    network: Network,
    recipe: Recipe,
    steps: int,
    every: int,
    seed: int,
    planted: Planted | None = None,
    families: list[Family] | None = None,
    wanted: tuple[str, ...] = ALL,
) -> tuple[list[Look], list[Family]]:
    """The looks of a training, one each `every` steps, and the families that its network has.

    families  where they are known already; else those that the walk proposes, but for symmetries of the loss
              alone that a first minibatch refuses: which loss there is no walk knows. One of the outputs that
              is refused stays, and N3 says so, for else a wrong backward pass would excuse itself
    wanted    the laws that are asked: what only others need is left out
    Raises NoTwin, UsageError.
    """
    model = recipe.prepared(network.make(seed))
    optimizer, scaler = recipe.made(model.parameters()), recipe.scaler()
    judge = StepJudge(optimizer, {p: name for name, p in model.named_parameters()})
    found, last = [], {}
    for n, micros in enumerate(batches(network, recipe, steps, seed)):
        is_looked_at = n % every == every - 1
        calls = recorded(model, network, recipe, micros, n, seed) if is_looked_at else None
        backward(network, recipe, model, optimizer, scaler, micros, seeds=(seed, MASKS, n))
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        if planted and planted.gradient:
            planted.gradient(gradients, last, dict(model.named_parameters()))
        last = {name: g.clone() for name, g in gradients.items()}
        if is_looked_at:
            if families is None:
                proposed, _ = walked(model, calls[0])
                tried = checked(model, calls, proposed)
                families = [x.family for x in tried if x.verdict in (KEPT, EPS) or not x.family.of_loss]
            here = (model, calls, families, gradients, recipe, derive(seed, f"look {n}"))
            slopes, fine = gradient(*here, wanted) if {"N3", "N4"} & set(wanted) else ([], [])
            judge.before()
        stepped(scaler, optimizer, planted)
        if planted and planted.kept:
            planted.kept(optimizer.state)
        if is_looked_at:
            step = judge.after()
            charges = balances(families, step) if "N2" in wanted else []
            left_out = {"N1": len(step.unjudged) + sum(x.definition is None for x in step.moved.values())}
            left_out |= {"N2": len(families) - len(charges), "N3": len(families) - len(slopes)}
            found.append(Look(n, slopes, fine, step, charges, left_out))
    return found, families or []


def recorded(model, network: Network, recipe: Recipe, micros, n: int, seed: int) -> list[Call]:
    """The calls that backward() is about to make, each with its loss."""
    calls = []
    with seeded(seed, MASKS, n):
        for micro in micros:
            call = called(model, (micro.x,))
            call.loss = loss_of(network, micro.y, len(micros))
            calls.append(call)
            if len(micros) > 1:
                model(micro.x)  # random numbers go on
    return calls


def loss_of(network: Network, y: torch.Tensor, parts: int) -> Callable:
    """The loss of a minibatch, in whatever type the outputs have."""
    typed = lambda out: y.to(out.dtype) if y.is_floating_point() else y
    return lambda out: network.loss(out, typed(out)) / parts


def stepped(scaler, optimizer, planted: Planted | None) -> None:
    """The optimizer's step, with other options where a fault says so."""
    if planted is None or planted.options is None:
        scaler.step(optimizer)
        scaler.update()
        return
    kept = [dict(group) for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        planted.options(group)
    optimizer.step()
    for group, before in zip(optimizer.param_groups, kept, strict=True):
        group.update({name: x for name, x in before.items() if name != "params"})


def gradient(model, calls, families, own: Mapping, recipe: Recipe, seed: int, wanted: tuple[str, ...]):
    """The slopes of the gradients, of autograd and of float64, along each family."""
    wide, eps = eps_slopes(model, calls)
    values = {name: p.detach().double() for name, p in model.named_parameters()}
    own = {name: own.get(name, torch.zeros_like(x)) for name, x in wide.items()}
    known = [(family, explained(family, eps)) for family in families]
    told = [(family, by) for family, by in known if by is not None]
    slopes, fine = [], []
    if "N3" in wanted:
        near = scatter(model, calls, UNIT[recipe.precision], wide, seed)
        slopes = [along(family, own, wide, values, near, by) for family, by in told]
    broken = [x for x in told if any(b.eps for b in x[0].breaks)]
    if "N4" in wanted and broken:
        far = scaled(scatter(model, calls, FINE, wide, seed), UNIT["float64"] / FINE)
        again = wide_gradients(model, calls)  # by torch's own kernels: eps_slopes has its own normalisations
        fine = [along(family, again, wide, values, far, by) for family, by in broken]
    return slopes, fine


def scaled(x: Scatter, by: float) -> Scatter:
    """A scatter of another unit of rounding."""
    return Scatter(
        {name: sd * by for name, sd in x.sd.items()},
        [{name: e * by for name, e in one.items()} for one in x.errors],
    )


def balances(families: list[Family], step: Step) -> list[Balance]:
    """Those that could be judged."""
    found = []
    for family in families:
        try:
            found.append(balance(family, step.moved))
        except Unjudged:
            continue
    return found
