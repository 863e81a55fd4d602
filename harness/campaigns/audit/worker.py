"""The process in which code under audit runs: it says what it finds, a line of JSON each, and ends.

{"finding": ...}     one finding
{"complaint": ...}   wrong usage: the audit cannot begin
{"trouble": ...}     the code under audit ended it: what it raised, and when
{"internal": ...}    a fault of this project: a traceback
{"done": true}       the last line of an audit that went to its end
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable

from noether.system import memorylimit
from noether.system.usage import UsageError


def main() -> None:
    """The worker of a word: its request is a line on stdin, what it says goes to the file of `answers`."""
    request = json.loads(sys.stdin.readline())
    sys.path[:] = request["path"]
    os.chdir(request["folder"])

    def subject():
        from noether.campaigns.audit.target import loaded

        return loaded(request["word"], {key: thawed(x) for key, x in request["options"].items()})

    def of_package():
        from noether.campaigns.audit import package

        given = request["listed"]
        options = {key: thawed(x) for key, x in given["options"].items()}
        return package.subject(package.Listed(given["word"], options, given["way"], given["refused"]))

    if "package" in request:
        work(None, request, request["answers"])
    work(of_package if "listed" in request else subject, request, request["answers"])


def work(subject: Callable, request: dict, answers: int) -> None:
    """Audit what subject() gives, and leave the process. Does not return."""

    me = os.getpid()

    def say(**what) -> None:
        if os.getpid() != me:
            os._exit(0)  # a fork that the code under audit made: one of us is enough
        line = json.dumps(what, default=str).encode() + b"\n"
        while line:
            line = line[os.write(answers, line) :]

    try:
        memorylimit.limit(request["memory"])
        say(**audit(subject, request, say))
    except UsageError as error:
        say(complaint=str(error))
    except MemoryError as error:
        say(trouble=memorylimit.exceeded(error))
    except (SystemExit, KeyboardInterrupt) as error:
        say(trouble=f"it ends its process by {type(error).__name__}")
    except BaseException:
        say(internal=traceback.format_exc())
    finally:
        os._exit(0)  # what the code under audit started or registered for the end does not run


def audit(subject: Callable, request: dict, say: Callable) -> dict:
    """Say each finding as it is found, and give the last word. Raises UsageError."""
    if "package" in request:
        return listing(request["package"])
    import torch

    from noether.campaigns.audit.examine import examined
    from noether.campaigns.audit.subject import TargetError

    torch.set_num_threads(1)  # a fork of a process that has used several would wait for them for ever
    try:
        found = imported(subject)
        for finding in examined(found, request["like"], request["seed"], request["parts"]):
            say(finding=finding.plain())
    except TargetError as error:
        return {"trouble": str(error)}
    return {"done": True}


def listing(name: str) -> dict:
    """The optimizers of a package. Raises UsageError."""
    from dataclasses import asdict

    from noether.campaigns.audit.package import classes

    found = classes(name)
    frozen_options = lambda x: {key: frozen(value) for key, value in x.options.items()}
    listed = [{**asdict(x), "options": frozen_options(x)} for x in found.listed]
    return {"package": listed, "failed": found.failed}


def imported(subject: Callable):
    """What subject() gives. Raises UsageError, TargetError for what its import raises."""
    from noether.campaigns.audit.subject import TargetError

    try:
        return subject()
    except UsageError:
        raise
    except Exception as error:
        raise TargetError("it is imported", error) from error


def frozen(x):
    """An option as JSON can carry it: tuples and complex numbers by what python prints of them."""
    return {"python": repr(x)}


def thawed(x):
    """The option that was frozen. Raises UsageError for one that is not written as python has it."""
    import ast

    return ast.literal_eval(x["python"])
