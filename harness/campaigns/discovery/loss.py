"""The loss of which symmetries are sought, from a user's file: FILE:NAME, or FILE alone where it has only
one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noether.cases import CATALOG, Case
from noether.mechanics import wide
from noether.plan.casefiles import load as casefile
from noether.plan.casefiles.complaint import Origin, told
from noether.plan.casefiles.evaluation import Parameters
from noether.plan.casefiles.trial_process import tried
from noether.system.timelimit import TimeUp, allowed, limited
from noether.system.usage import UsageError, unknown

DENSE = 40
"""Parameters up to which every affine field is in one matrix (nullspace.py): 5 seconds; more: large/."""
LARGEST = 4096
"""Parameters: what so many would take is still told as an estimate."""
BOX = (-1.0, 1.0)
TRIED = 4  # points at which a loss is tried out before it is loaded here


@dataclass(frozen=True)
class Loss:
    """A loss that is looked at.

    function  function(q, xp) of `dim` parameters
    box       (d, 2), where points are drawn
    origin    where it comes from, for messages
    """

    name: str
    function: Callable
    box: np.ndarray
    origin: Origin

    @property
    def dim(self) -> int:
        """How many parameters the function takes."""
        return len(self.box)

    def guarded(self, q, xp):
        """The function on parameters that can only be read; what comes back must be arithmetic on them."""
        value = self.function(Parameters(q), xp)
        if not hasattr(value, "partials"):
            raise TypeError(f"it gives {type(value).__name__} {value!r:.40}, which depends on no parameter")
        at = np.array([np.asarray(x.value, float).ravel() for x in q])
        fine = np.isfinite(np.broadcast_to(np.asarray(value.value, float), np.shape(q[0].value)).ravel())
        if not fine.all():
            raise Undefined(", ".join(f"{x:.4g}" for x in at[:, int(np.argmin(fine))]))
        return value


class Undefined(ArithmeticError):
    """The loss has no finite value somewhere in the box; the text is where."""


def meant(what: str | Case | Callable, dim: int | None, box: str | None) -> Loss:
    """The loss of a word, as `load` has it, of a Case, or of a function. Raises UsageError."""
    if isinstance(what, str):
        return load(what, dim, box)
    if not isinstance(what, Case) and not callable(what):
        raise UsageError(
            f"loss is {type(what).__name__} {what!r:.40}, must be a function loss(q, xp), a Case or a word"
        )
    name = getattr(what, "name", None) or getattr(what, "__name__", "loss")
    code = getattr(getattr(what, "loss", what), "__code__", None)
    origin = Origin(
        f"case {name}" if isinstance(what, Case) else f"loss {name}", Path(code.co_filename) if code else None
    )
    return of(what, name, origin, dim, box)


def load(word: str, dim: int | None, box: str | None) -> Loss:
    """The loss that a word of the command line means. Raises UsageError, in one line, whatever is wrong."""
    if word in {c.name for c in CATALOG}:
        found = next(c for c in CATALOG if c.name == word)
        return of(found, word, Origin(f"case {word}", None), dim, box)
    path, wanted = split(word)
    report = tried(str(path), try_loss, wanted, dim, box)
    return of_file(path, wanted, report, dim, box)


def of_file(path: Path, wanted: str, report: casefile.Report, dim: int | None, box: str | None) -> Loss:
    """The loss of a file, or the one in it that is `wanted` by name. Raises UsageError."""
    module = casefile.module_of(str(path), path, report)
    found = chosen(path, wanted, vars(module), module.__name__)
    return of(found, wanted or "loss", Origin.of_file(path), dim, box)


def try_loss(word: str, report: casefile.Report, stage: Callable[[str], None], wanted: str, dim, box) -> None:
    """Load a loss and differentiate it at a few points, in a process that it may end (trial_process.py).

    Raises UsageError in the words of `differentiate`, and as `load` does.
    """
    loss = of_file(Path(word), wanted, report, dim, box)
    stage(f"evaluating {loss.name}")
    low, high = loss.box.T[:, :, None]
    points = low + (high - low) * np.random.default_rng(0).random((loss.dim, TRIED))
    differentiate(loss, points, wide.gradient if loss.dim <= DENSE else wide.slope)


def of(found: Case | Callable, name: str, origin: Origin, dim: int | None, box: str | None) -> Loss:
    """The loss of a Case, or of a function of `dim` parameters. Raises UsageError."""
    if isinstance(found, Case):
        if dim is not None and dim != found.dim:
            raise UsageError(f"--dim is {dim} but case {found.name} has {found.dim} parameters: leave it out")
        drawn = np.array(found.box, float) if box is None else boxed(box, found.dim)
        return Loss(found.name, found.loss, drawn, origin)
    if dim is None:
        raise UsageError(f"--dim is missing: how many parameters does {name} take? (a Case knows by itself)")
    if not isinstance(dim, int) or not 1 <= dim <= LARGEST:
        raise UsageError(f"--dim is {dim}, must be a whole number from 1 to {LARGEST}")
    return Loss(name, found, boxed(box or f"{BOX[0]},{BOX[1]}", dim), origin)


def split(word: str) -> tuple[Path, str]:
    """The file and the name in path/to/file.py:NAME; '' where no name is given."""
    path, mark, name = word.rpartition(":")
    return (Path(path), name) if mark and path else (Path(word), "")


def chosen(path: Path, wanted: str, names: dict, module: str):
    """The Case or function that is meant."""
    able = {
        k: v
        for k, v in names.items()
        if not k.startswith("_")
        and (isinstance(v, Case) or (inspect.isfunction(v) and v.__module__ == module))
    }
    if wanted:
        if wanted not in able:
            if able:
                raise unknown(f"file {path}: name", wanted, able)
            raise UsageError(f"file {path} has no function and no Case")
        return able[wanted]
    declared = [v for v in able.values() if isinstance(v, Case)]
    if len(declared) == 1:
        return declared[0]
    if "loss" in able:
        return able["loss"]
    raise UsageError(
        f"file {path} has neither a function loss(q, xp) nor one Case: say which name is meant, as "
        f"{path}:{next(iter(able), 'NAME')}"
    )


def boxed(text: str, dim: int) -> np.ndarray:
    """The box (dim, 2) that LOW,HIGH means. Raises UsageError."""
    try:
        low, high = (float(x) for x in text.split(","))
    except ValueError:
        raise UsageError(f"--box is {text!r}, must be LOW,HIGH as in -1,1") from None
    if not (np.isfinite([low, high]).all() and low < high):
        raise UsageError(f"--box is {text!r}, must be two finite numbers with LOW below HIGH")
    return np.array([[low, high]] * dim)


def differentiate(loss: Loss, points: np.ndarray, gradient: Callable) -> np.ndarray:
    """What gradient(function, points) gives for a loss that may do anything. Raises UsageError where it is
    not finite."""
    try:
        with limited(allowed()):
            g = gradient(loss.guarded, points)
    except Undefined as error:
        raise UsageError(
            f"{loss.origin.label}: {loss.name} is not finite at q = [{error}]: give --box LOW,HIGH inside "
            "its domain"
        ) from None
    except (Exception, TimeUp) as error:
        raise UsageError(
            f"{loss.origin.label}: {loss.name} {told(error, loss.origin)}; it must be loss(q, xp) of "
            f"{loss.dim} parameters in + - * /, whole powers and xp.exp, xp.log, xp.sqrt"
        ) from None
    if not np.isfinite(g).all():
        bad = int(np.argmax(~np.isfinite(g).all(axis=0)))
        at = ", ".join(f"{float(x):.4g}" for x in points[:, bad])
        raise UsageError(
            f"{loss.origin.label}: the gradient of {loss.name} is not finite at q = [{at}]: give --box "
            "LOW,HIGH inside its domain"
        )
    return g
