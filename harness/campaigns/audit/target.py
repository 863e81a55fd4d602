"""What a word of the command line means: an optimizer's class, a step function, or an adapter of a kernel.

    package.module:Name      importable; Name may have dots
    path/to/file.py:Name     a file, loaded with its folder on the path

A class or function is called with the parameters and the options, and must give something that has step(). A
function whose arguments begin with q, g, state is a step function (step_function.py). A Triton kernel is
found by its own name or by that of its adapter (triton_adapter.py), and options are its numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from noether.campaigns.audit import step_function, triton_adapter
from noether.campaigns.audit.subject import Subject
from noether.campaigns.audit.triton_adapter import TritonAdapter
from noether.kernels.fused.torch_optimizer import Fused
from noether.system.named import home, inside, split
from noether.system.usage import UsageError, brief


def loaded(word: str, options: dict):
    """The subject that a word means, imported here: a Subject, or a TritonSubject for a kernel.

    Raises UsageError; and what the import raises.
    """
    place, name = split(word)
    module = home(place)
    found = inside(module, place, name)
    if isinstance(found, TritonAdapter) or hasattr(found, "arg_names"):
        from noether.campaigns.audit.triton_motion import TritonSubject

        adapter = triton_adapter.found(vars(module), name)
        return TritonSubject(adapter.having(**options), word)
    if inspect.isclass(found) and issubclass(found, Fused):
        from noether.campaigns.audit.fused_subject import FusedSubject

        return FusedSubject.of(found, options, word)
    return Subject(word, maker(found, word), options)


def maker(found, word: str) -> Callable:
    """make(parameters, **options) of what was named. Raises UsageError."""
    if not callable(found):
        raise UsageError(f"{word} is {brief(found)}, must be a class or a function")
    if step_function.is_one(found):
        return step_function.made(found)
    if inspect.isclass(found) and not callable(getattr(found, "step", None)):
        raise UsageError(f"{word} is a class without step(), must be an optimizer")
    return found
