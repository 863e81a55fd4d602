"""`audit`: which rule an optimizer obeys, from Python, as `noether audit` says it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

from noether.campaigns.audit.finding import PARTS, Audit, Finding
from noether.campaigns.audit.process import audited, audited_object
from noether.campaigns.audit.triton_adapter import TritonAdapter
from noether.system.usage import UsageError, brief


def audit(
    target: str | Callable | TritonAdapter,
    *,
    like: str | None = None,
    seed: int = 0,
    parts: Iterable[str] = PARTS,
    tell: Callable[[Finding], None] = lambda finding: None,
    **options,
) -> Audit:
    """Audit an optimizer and return what was found: the same as `noether audit`, from Python.

    target   "package.module:Class", "path/to/file.py:Name", a class, or a factory: target(parameters,
             **options) must give an object with step(). A function step(q, g, state, **options) is a step
             function. A Triton kernel is named by what noether.triton_adapter gives
    like     the rule that it is claimed to obey, as "adamw"; without it the rule is found
    seed     the scripted gradients derive from it
    parts    which parts: rule, arithmetic, implementations, options, probes, symmetries
    tell     called with each finding as it is found
    options  what the optimizer is made with, as lr=0.03

    The code under audit runs in a process of its own: its time and memory are limited, and nothing that it
    does reaches this process. NOETHER_AUDIT_SECONDS and NOETHER_AUDIT_MEMORY set other limits.

    Raises noether.system.usage.UsageError for wrong words, RuntimeError for a fault of this project.
    """
    if isinstance(target, str):
        return audited(target, options, like, seed, parts, tell)
    if isinstance(target, TritonAdapter):
        return audited_object(target.name, lambda: kernel(target, options), like, seed, parts, tell)
    if not callable(target):
        raise UsageError(f"target is {brief(target)}, must be a word, a class or a function")
    if (word := word_of(target)) is not None:
        return audited(word, options, like, seed, parts, tell)

    def subject():
        from noether.campaigns.audit.subject import Subject
        from noether.campaigns.audit.target import maker

        return Subject(name, maker(target, name), options)

    name = getattr(target, "__qualname__", type(target).__name__)
    return audited_object(name, subject, like, seed, parts, tell)


def kernel(adapter: TritonAdapter, options: dict):
    """The subject of a kernel, with other numbers. Raises UsageError."""
    from noether.campaigns.audit.triton_motion import TritonSubject

    return TritonSubject(adapter.having(**options))


def word_of(target: Callable) -> str | None:
    """The word with which another python finds a target, None where it could not."""
    module, name = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    if not module or not name or module == "__main__" or "<" in name:
        return None
    home = inspect.getmodule(target)
    found = home
    for part in name.split("."):
        found = getattr(found, part, None)
    installed = getattr(home, "__spec__", None) is not None
    return f"{module}:{name}" if found is target and installed else None
