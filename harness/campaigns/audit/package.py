"""The optimizers of an installed package, and how each of them can be made.

A class that needs more than parameters is given what its signature asks for, where that can be guessed from
the names there: a learning rate, a number of steps, a module, another optimizer. What was guessed is told,
and a class for which nothing fits is refused with its own words.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch

from noether.campaigns.audit.subject import Subject
from noether.system.usage import UsageError

LR, STEPS, MOMENTUM = 1e-3, 100, 0.9
NUMBERS = {
    "lr": LR, "learning_rate": LR, "max_lr": LR, "base_lr": LR, "momentum": MOMENTUM, "rho": 0.05,
    "num_iterations": STEPS, "total_iterations": STEPS, "total_steps": STEPS, "num_steps": STEPS,
    "num_training_steps": STEPS, "t_total": STEPS, "num_epochs": 10, "num_batches_per_epoch": 10,
    "num_data": STEPS,
}  # fmt: skip
"""Arguments without a default -> what they are given."""
PARAMETERS = ("params", "parameters")
MODELS = ("model", "module", "net", "network")
NAMED = ("named_parameters", "named_params")
INSTANCES = ("optimizer", "base_optimizer", "wrapped_optimizer", "inner_optimizer")
CLASSES = ("base_optimizer", "base_optimizer_cls", "optimizer_class", "optim_cls")
BASES = ("defaults", "optimizer_name")
"""Arguments that only a base of other classes asks for."""
SKIPPED = ("__main__", "tests", "test", "benchmark", "benchmarks", "setup", "conftest")
"""Modules that are no part of what a package offers, and may do anything when they are imported."""


@dataclass(frozen=True)
class Way:
    """A way to make an optimizer.

    make    make(parameters, **options)
    options what it is given beside the parameters
    word    how it differs from make(parameters), "" where it does not
    """

    make: Callable
    options: dict = field(default_factory=dict)
    word: str = ""


@dataclass(frozen=True)
class Listed:
    """One class of a package.

    word     package.module:Class
    options  what it must be given that has no default
    way      how it is made where not from parameters
    refused  why no way was found, "" where one was
    """

    word: str
    options: dict = field(default_factory=dict)
    way: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Package:
    """What a package offers: its optimizers, and {module: why it cannot be imported}."""

    listed: tuple[Listed, ...]
    failed: dict[str, str]


def classes(name: str) -> Package:
    """The optimizers of an installed package, by its import name. Raises UsageError where there is none.

    Its modules are imported here, and each class is tried out: call it in a process of its own.
    """
    failed: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modules = list(imported(name, failed))
        found: dict[type, str] = {}
        for module in sorted(modules, key=lambda x: (x.__name__.count("."), x.__name__)):
            for word, x in list(vars(module).items()):
                if is_optimizer(x) and within(x.__module__, modules[0].__name__) and word == x.__name__:
                    found.setdefault(x, f"{module.__name__}:{word}")  # where a user would import it from
        some = sorted(found.items(), key=lambda x: x[1])
        return Package(tuple(listed(word, cls) for cls, word in some), failed)


def imported(name: str, failed: dict[str, str]) -> Iterator:
    """Yield the package and its modules; those that cannot be imported are put into `failed`.

    Raises UsageError where the package itself cannot be.
    """
    try:
        package = importlib.import_module(name)
    except Exception as error:
        raise UsageError(f"{name} cannot be imported: {told(error)}; must be an installed package") from None
    yield package
    for path in submodules(getattr(package, "__path__", ()), f"{package.__name__}."):
        try:
            yield importlib.import_module(path)
        except (Exception, SystemExit) as error:
            failed[path] = told(error)


def submodules(paths, prefix: str) -> Iterator[str]:
    """The names of all modules below, without importing one; those of SKIPPED are left out."""
    for found in pkgutil.iter_modules(paths, prefix):
        last = found.name.rpartition(".")[2]
        if last in SKIPPED or last.startswith(("test_", "_test")):
            continue
        yield found.name
        if found.ispkg:
            spec = getattr(sys.modules.get(found.name), "__path__", None)
            yield from submodules(spec or (), f"{found.name}.")


def is_optimizer(x) -> bool:
    """Whether an object is a class of optimizers that can be made: no abstract base."""
    is_one = inspect.isclass(x) and issubclass(x, torch.optim.Optimizer) and x is not torch.optim.Optimizer
    is_whole = is_one and not inspect.isabstract(x) and x.step is not torch.optim.Optimizer.step
    return is_whole and not set(BASES) & set(arguments(x, needed=True))


def within(module: str, package: str) -> bool:
    """Whether a module belongs to a package."""
    return f"{module}.".startswith(f"{package}.")


def listed(word: str, cls: type) -> Listed:
    """A class with the first way to make it that works."""
    refused = {}
    for way in ways(cls):
        try:
            made = way.make([torch.nn.Parameter(torch.ones(4, 6, dtype=torch.float64))], **way.options)
            if callable(getattr(made, "step", None)):
                return Listed(word, way.options, way.word)
        except Exception as error:
            refused.setdefault(way.word, told(error))
    return Listed(word, refused=refused.get("", "nothing is known of its arguments"))


def ways(cls: type) -> Iterator[Way]:
    """Ways to make an optimizer, the plainest first."""
    asked, every = arguments(cls, needed=True), arguments(cls)
    options = {name: NUMBERS[name] for name in asked if name in NUMBERS}
    yield from by_names(cls, [name for name in asked if name not in NUMBERS], options)
    yield Way(cls, options)
    usual = {name: NUMBERS[name] for name in ("lr", "momentum") if name in every}
    unset = {name: NUMBERS[name] for name in every if name in NUMBERS and every[name] is None}
    for more in ({"lr": LR}, usual, unset):
        yield Way(cls, {**options, **more})
    yield Way(lambda parameters, **more: cls(named(parameters), **more), options, "names and parameters")
    yield Way(lambda parameters, **more: cls(as_module(parameters), **more), options, "a module")
    yield Way(groups(cls, "use_muon"), options, "groups with use_muon")


def by_names(cls: type, asked: list[str], options: dict) -> Iterator[Way]:
    """The way that the names of the arguments tell, where it is not that of parameters alone."""
    if len(asked) < 2 and not set(asked) & {*MODELS, *NAMED, *INSTANCES}:
        return
    given: dict[str, tuple[Callable, str]] = {}
    for i, name in enumerate(asked):
        if name in MODELS:
            given[name] = (as_module, "a module")
        elif name in NAMED:
            given[name] = (named, "names and parameters")
        elif name in CLASSES and i > 0:
            given[name] = (lambda parameters: torch.optim.SGD, "torch.optim.SGD")
            options = {"lr": LR, **options}
        elif name in INSTANCES:
            given[name] = (lambda parameters: torch.optim.SGD(parameters, lr=LR), f"SGD of lr {LR:g}")
        elif name.endswith("_params") and not {*PARAMETERS}.isdisjoint(asked):
            given[name] = (lambda parameters: [p for p in parameters if p.ndim > 1], "matrices")
        elif name in PARAMETERS:
            given[name] = (list, "parameters")
        else:
            return

    def make(parameters, **more):
        parameters = list(parameters)
        return cls(**{name: of(parameters) for name, (of, _) in given.items()}, **more)

    yield Way(make, options, ", ".join(f"{name}: {word}" for name, (_, word) in given.items()))


def arguments(cls: type, *, needed: bool = False) -> dict:
    """{argument: default} of a class, or of those alone that must be given; {} where nobody knows."""
    try:
        signature = inspect.signature(cls)
    except (TypeError, ValueError):
        return {}
    plain = [x for x in signature.parameters.values() if x.kind not in (x.VAR_POSITIONAL, x.VAR_KEYWORD)]
    return {x.name: x.default for x in plain if not needed or x.default is x.empty}


def groups(cls: type, flag: str) -> Callable:
    """Made from a group of matrices and one of the others, told apart by a flag."""

    def make(parameters, **options):
        wide = [p for p in parameters if p.ndim > 1]
        rest = [p for p in parameters if p.ndim < 2]
        given = [{"params": some, flag: yes} for some, yes in ((wide, True), (rest, False)) if some]
        return cls(given, **options)

    return make


def as_module(parameters) -> torch.nn.Module:
    """A module that has these parameters."""
    module = torch.nn.Module()
    for i, p in enumerate(parameters):
        module.register_parameter(f"weight{i}", p)
    return module


def named(parameters) -> list[tuple[str, torch.nn.Parameter]]:
    """Names with these parameters."""
    return list(as_module(parameters).named_parameters())


def subject(found: Listed) -> Subject:
    """The subject of a class of a package, in a process that can import it. Raises UsageError."""
    if found.refused:
        raise UsageError(f"{found.word} cannot be made: {found.refused}")
    place, _, name = found.word.partition(":")
    cls = importlib.import_module(place)
    for part in name.split("."):
        cls = getattr(cls, part)
    for way in ways(cls):
        if (way.options, way.word) == (found.options, found.way):
            return Subject(found.word, way.make, dict(found.options))
    raise UsageError(f"{found.word} cannot be made as listed: {found.way or 'from parameters'}")


def told(error: BaseException) -> str:
    """What was raised, in a line."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}".rstrip(": ")
