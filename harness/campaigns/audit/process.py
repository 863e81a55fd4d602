"""An audit from outside: the code under audit runs in a process of its own, with limits of time and memory.

What it prints is thrown away, what it starts is killed with it, and where it leaves, hangs or crashes, what
was found before is kept. A word is loaded in a new python; an object that only this process has is audited in
a fork of it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable

from noether.campaigns.audit.finding import PARTS, Audit, Finding
from noether.campaigns.audit.worker import frozen, work
from noether.system.children import kill
from noether.system.machine import importable
from noether.system.usage import UsageError, brief, number

SECONDS_VARIABLE, SECONDS = "NOETHER_AUDIT_SECONDS", 120.0
MEMORY_VARIABLE, GIB = "NOETHER_AUDIT_MEMORY", 8.0
POLL = 0.25  # seconds between two looks whether the process is still there


def audited(
    word: str,
    options: dict,
    like: str | None = None,
    seed: int = 0,
    parts: Iterable[str] = PARTS,
    tell: Callable[[Finding], None] = lambda finding: None,
) -> Audit:
    """The audit of a word. Raises UsageError, and RuntimeError for a fault of this project.

    tell  called with each finding as it is found
    """
    for name, x in options.items():
        check_option(name, x)
    asked = request(like, seed, parts) | {"word": word}
    asked["options"] = {name: frozen(x) for name, x in options.items()}
    return spawned(asked, lambda reading, child: followed(word, reading, child, tell))


def audited_class(listed: dict, seed: int = 0, parts: Iterable[str] = PARTS) -> Audit:
    """The audit of a class of a package, as `package_of` lists it: what cannot be audited is told in it, and
    so is a fault of this project, which must not end the audits of all others."""
    asked = request(None, seed, parts) | {"listed": listed}
    try:
        return spawned(asked, lambda reading, child: followed(listed["word"], reading, child))
    except UsageError as error:
        return Audit(listed["word"], (), str(error))
    except RuntimeError as error:
        told = str(error).strip().splitlines()
        return Audit(listed["word"], (), f"the harness failed: {told[-1]}", fault=str(error))


def package_of(name: str) -> tuple[list[dict], dict[str, str]]:
    """The classes of a package, and {module: why it cannot be imported}. Raises UsageError, RuntimeError."""
    asked = request(None, 0, ()) | {"package": name}

    def answered(reading: int, child: int):
        for said in lines(reading, child, time.monotonic() + allowed()):
            if said is None:
                raise UsageError(f"{name} cannot be imported within {allowed():g} s")
            if "complaint" in said:
                raise UsageError(said["complaint"])
            if "package" in said:
                return said["package"], said["failed"]
        raise UsageError(f"{name} ends the process that imports it")

    return spawned(asked, answered)


def spawned(asked: dict, follow: Callable):
    """What follow(reading, child) makes of what a worker of this request says, in a python of its own."""
    reading, writing = os.pipe()
    asked |= {"answers": writing, "folder": os.getcwd(), "path": ["", *sys.path]}
    with tempfile.TemporaryDirectory() as folder:
        program = "from noether.campaigns.audit.worker import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=importable() | {"TMPDIR": folder}, start_new_session=True, pass_fds=[writing],
        )  # fmt: skip
        os.close(writing)
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.close()
            return follow(reading, process.pid)
        finally:
            os.close(reading)
            kill(process.pid)
            process.wait()


def audited_object(
    name: str, subject: Callable, like: str | None, seed: int, parts, tell=lambda finding: None
):
    """The audit of what subject() gives in a fork of this process: for objects that cannot be imported.

    Raises UsageError, and RuntimeError for a fault of this project.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.close(reading)
        sys.stdout = sys.stderr = open(os.devnull, "w")  # a notebook's or a test's may be no file at all
        work(subject, request(like, seed, parts), writing)
    os.close(writing)
    try:
        return followed(name, reading, child, tell)
    finally:
        os.close(reading)
        kill(child)
        try:
            os.waitpid(child, 0)
        except ChildProcessError:
            pass


def request(like: str | None, seed: int, parts: Iterable[str]) -> dict:
    """What a worker is asked. Raises UsageError."""
    parts = list(parts)
    if strange := [x for x in parts if x not in PARTS]:
        raise UsageError(f"part is {brief(strange[0])}, must be one of {', '.join(PARTS)}")
    memory = number(MEMORY_VARIABLE, usual=GIB, most=2**20, unit="GiB")
    return {"like": like, "seed": seed, "parts": parts, "memory": int(memory * 2**30)}


def check_option(name: str, x) -> None:
    """Refuse an option that a new python could not be told. Raises UsageError."""
    import ast

    try:
        same = ast.literal_eval(repr(x)) == x
    except (ValueError, SyntaxError):
        same = False
    if not same:
        raise UsageError(
            f"option {name} is {brief(x)}, must be a number, flag, text, tuple, list or dict of such"
        )


def allowed() -> float:
    """Seconds that an audit may take. Raises UsageError."""
    return number(SECONDS_VARIABLE, usual=SECONDS, most=86_400, unit="seconds")


def followed(word: str, reading: int, child: int, tell: Callable = lambda finding: None) -> Audit:
    """The audit that the process tells until it ends or its time is over. Raises UsageError, RuntimeError."""
    seconds = allowed()
    begun = time.monotonic()
    findings: list[Finding] = []
    trouble = "it ends its process before the audit is done"
    for said in lines(reading, child, begun + seconds):
        if said is None:
            trouble = f"it does not finish within {seconds:g} s ({SECONDS_VARIABLE} sets another limit)"
        elif "finding" in said:
            findings.append(Finding(**said["finding"]))
            tell(findings[-1])
        elif "complaint" in said:
            raise UsageError(said["complaint"])
        elif "internal" in said:
            raise RuntimeError(f"the audit of {word} failed inside the harness:\n{said['internal']}")
        else:
            trouble = said.get("trouble")
            break
    return Audit(word, tuple(findings), trouble, time.monotonic() - begun)


def lines(reading: int, child: int, end: float):
    """Yield what the process says, and None where its time is over."""
    waiting = b""
    while (left := end - time.monotonic()) > 0:
        gone = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        ready, _, _ = select.select([reading], [], [], min(left, 0 if gone else POLL))
        if ready:
            piece = os.read(reading, 65536)
            *whole, waiting = (waiting + piece).split(b"\n")
            yield from map(json.loads, whole)
            if not piece:
                return
        elif gone:
            return
    yield None
