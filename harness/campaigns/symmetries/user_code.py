"""Code of the user: what it raises is one line, with what it was given and where it was."""

from __future__ import annotations

import os
import traceback
from contextlib import contextmanager

import torch

import noether.system
from noether.campaigns.symmetries.inputs import told
from noether.networks.twin import first_line
from noether.system.usage import UsageError


@contextmanager
def running(name: str, args, kwargs):
    """A context in which a module is called: what it raises is one line with what it was given."""
    with user_code(f"{name} fails on {told(args, kwargs)}", hint=True):
        yield


@contextmanager
def user_code(what: str, *, hint: bool = False):
    """A context in which code of the user runs: what it raises is a UsageError of one line."""
    try:
        yield
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        more = ""
        if hint and ("indices" in str(error) or "Long" in str(error)):
            more = "; whole numbers below 100 are --input 16x7:100"
        told_of = f"{type(error).__name__}: {first_line(error)}".rstrip(": ")
        raise UsageError(f"{what}: {told_of}{place(error)}{more}") from None


OURS = (os.path.dirname(os.path.dirname(noether.system.__file__)), os.path.dirname(torch.__file__), "<")


def place(error: BaseException) -> str:
    """The last line of the user's own code in a traceback; '' where there is none."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(OURS)]
    return f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
