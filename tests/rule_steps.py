"""The lines of a learning rule as they stand, on floats, arrays or fractions, where nothing is stored."""

import importlib
import pkgutil
from types import SimpleNamespace

import numpy as np

from noether.cases import rules
from noether.cases.rule import COMMON, Rule

FLOATS = SimpleNamespace(
    sqrt=np.sqrt,
    exp=np.exp,
    log=np.log,
    sign=np.sign,
    absolute=np.abs,
    maximum=np.maximum,
    store=lambda x: x,
    store_buffer=lambda x: x,
)
FRACTIONS = SimpleNamespace(
    sign=lambda x: (x > 0) - (x < 0), maximum=max, store=lambda x: x, store_buffer=lambda x: x
)


def parameters(rule, n: int, **given) -> SimpleNamespace:
    """What step n of a rule is given: 0 for what is not said of COMMON, and what is known of n."""
    p = SimpleNamespace(**dict.fromkeys(COMMON, 0.0), G=[])
    vars(p).update(given)
    lacking = {x.name for x in rule.extra} - set(given)
    assert not lacking, f"{rule.name} needs {lacking}"
    if rule.known:
        vars(p).update(rule.known(n, p))
    return p


def step(rule, q, buffers, g, n=1, xp=FLOATS, **given):
    """One step: q' and the new buffers, lists of d numbers."""
    return rule.update(list(q), [list(b) for b in buffers], list(g), parameters(rule, n, **given), xp)


def walk(rule, q, gradients, buffers=None, xp=FLOATS, **given):
    """Steps under gradients that are given, or computed from q: yields q and the buffers after each."""
    buffers = [[x * 0 for x in q] for _ in rule.buffers] if buffers is None else buffers
    for n, g in enumerate(gradients, 1):
        q, buffers = step(rule, q, buffers, g(q) if callable(g) else g, n, xp, **given)
        yield q, buffers


def of_files() -> list[Rule]:
    """The rules of all files of cases/rules/, by name, whether they stand in the catalogue or not."""
    modules = [
        importlib.import_module(f"{rules.__name__}.{m.name}") for m in pkgutil.iter_modules(rules.__path__)
    ]
    found = {x.name: x for module in modules for x in vars(module).values() if isinstance(x, Rule)}
    return [found[name] for name in sorted(found)]
