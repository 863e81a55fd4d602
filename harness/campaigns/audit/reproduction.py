"""A short script that shows a deviation with the target's own package and torch alone.

It is executed before it is told, in a process of its own: one that does not show the deviation is not told.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np

from noether.campaigns.audit.scripted import Script, script
from noether.campaigns.audit.subject import Motion, Subject
from noether.optimizers.anatomy import Anatomy
from noether.optimizers.motion import bounded

SECONDS = 60.0
SHOWN = 3  # the exit code of a script that shows what it says
LISTED = 24  # parameters that a script can list
COMPARED = (
    'print(f"got {got!r}, want {want!r}, apart {abs(got - want):.3g}, bound {bound:.3g}")',
    f"raise SystemExit({SHOWN} if not abs(got - want) <= bound else 0)",
)
"""The last lines of every script."""


def shown(subject: Subject, claim: Anatomy, motion: Motion, step: int | None = None) -> str | None:
    """The script of the parameter that is farthest off, None where none shows it alone."""
    model = bounded(claim, motion.seen.q0, motion.seen.gradients, motion.seen.shape)
    spent = motion.seen.spent(model)
    last = step or int(np.argmax((spent > 1).any(axis=1))) + 1
    size = abs(motion.real - model.value) / motion.seen.size
    for lane in np.argsort(-np.nan_to_num(size[last - 1].astype(float), nan=np.inf))[:2]:
        text = written(subject, claim, motion, int(lane), last)
        if text is not None and holds(text):
            return text
    return None


def written(subject: Subject, claim: Anatomy, motion: Motion, lane: int, last: int) -> str | None:
    """The lines of one parameter up to one step."""
    if (head := imported(subject)) is None:
        return None
    q0 = motion.seen.q0[lane : lane + 1]
    pulls = motion.seen.gradients[:last, lane : lane + 1]
    model = bounded(claim, q0, pulls)
    want, room = float(model.value[-1, 0]), float(model.error[-1, 0])
    room += 2.0**-52 * last * float(abs(q0[0]) + abs(model.value).max())  # sums of float64 in the target
    lines = [
        *head,
        f"p = torch.nn.Parameter(torch.tensor([{float(q0[0])!r}], dtype=torch.float64))",
        made(subject),
        f"for g in {[float(g) for g in pulls[:, 0]]!r}:",
        "    p.grad = torch.tensor([g], dtype=torch.float64)",
        "    optimizer.step()",
        f"got, want, bound = p.item(), {want!r}, {room:.3g}",
        *COMPARED,
    ]
    return "\n".join(lines) + "\n"


def rounding_shown(subject: Subject, given: Script, dtype: str, motion: Motion) -> str | None:
    """The script of a step that rounding does not explain, with all parameters, as it takes them together."""
    if (head := imported(subject)) is None or motion.example is None or given.q0.size > LISTED:
        return None
    lane, _, want, room = motion.example
    flat = lambda x: [float(y) for y in np.asarray(x, float).ravel()]
    pulls = motion.seen.gradients[: motion.step]
    shape = "" if given.q0.ndim == 1 else f".reshape{given.q0.shape}"
    lines = [
        *head,
        f"q = torch.tensor({flat(motion.seen.q0)!r}, dtype=torch.float64){shape}",
        f"p = torch.nn.Parameter(q.to(torch.{dtype}))",
        made(subject),
        f"for g in {[flat(g) for g in pulls]!r}:",
        f"    p.grad = torch.tensor(g, dtype=torch.float64){shape}.to(torch.{dtype})",
        "    optimizer.step()",
        f"got, want, bound = p.flatten()[{lane}].item(), {want!r}, {room:.3g}",
        *COMPARED,
    ]
    text = "\n".join(lines) + "\n"
    return text if holds(text) else None


def unchanged_shown(subject: Subject, name: str, value) -> str | None:
    """The script of an option that changes nothing: it ends alike where the two motions are equal."""
    if (head := imported(subject)) is None:
        return None
    lanes = [0, 1, 4, 6]
    q, pulls = script().q0[lanes].tolist(), script().gradients[:, lanes].tolist()
    cls = subject.word.rpartition(":")[2]
    given = "".join(f", {key}={x!r}" for key, x in subject.options.items() if key != name)
    lines = [
        *head,
        f"q, gs = {q!r}, {pulls!r}",
        "def end(**option):",
        "    p = torch.nn.Parameter(torch.tensor(q, dtype=torch.float64))",
        f"    optimizer = {cls}([p]{given}, **option)",
        "    for g in gs:",
        "        p.grad = torch.tensor(g, dtype=torch.float64)",
        "        optimizer.step()",
        "    return p.detach()",
        f"without, with_it = end(), end({name}={value!r})",
        'print(f"without {without.tolist()}, with it {with_it.tolist()}")',
        f"raise SystemExit({SHOWN} if torch.equal(without, with_it) else 0)",
    ]
    text = "\n".join(lines) + "\n"
    return text if holds(text) else None


def imported(subject: Subject) -> list[str] | None:
    """The first lines of a script, None where another python could not import the subject."""
    module, _, name = subject.word.rpartition(":")
    if not isinstance(subject, Subject) or not module or not name.isidentifier():
        return None
    if not module.endswith(".py"):
        if not is_found(module):
            return None
        return ["import torch", f"from {module} import {name}", ""]
    path = Path(module).resolve()
    if not path.stem.isidentifier():
        return None
    return [
        "import sys, torch",
        f"sys.path.insert(0, {str(path.parent)!r})",
        f"from {path.stem} import {name}",
    ]


def is_found(module: str) -> bool:
    """Whether a new python would find a module: no need to start one that imports torch to see it fail."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: of __main__, and of what was made by hand
        return False


def made(subject: Subject) -> str:
    """The line that makes the optimizer of p."""
    name = subject.word.rpartition(":")[2]
    return (
        f"optimizer = {name}({', '.join(['[p]', *(f'{key}={x!r}' for key, x in subject.options.items())])})"
    )


def holds(text: str) -> bool:
    """Whether a script shows what it says."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == SHOWN
