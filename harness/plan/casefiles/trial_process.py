"""A process in which a case file is tried out, so that it may hang or crash without harm to the run.

    here                       server, started once              child, forked for each file
    tried(word)  -- request ->  fork, wait at most the limit  ->  load, evaluate, trace, prove
                 <- complaint -                               <-  each stage, then the outcome

The server has imported what a trial needs and nothing else, so a fork is safe (neither torch nor threads) and
takes milliseconds. A child that does not end is killed with everything that it started, wherever it hangs: an
alarm inside it names the line while python runs, the stage it was in is known in any case.

Not the forkserver of multiprocessing (python 3.11): each of its children runs the script of whoever asks
again, so that a plain script which verifies a case file would start itself over; and a child outlives it.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from noether.plan.casefiles import load
from noether.plan.casefiles.complaint import Origin, told
from noether.plan.casefiles.kind import CASE, KINDS, RULE, Kind
from noether.plan.casefiles.rule_trial import try_rule_out
from noether.plan.casefiles.source import sha256
from noether.plan.casefiles.trial import try_out
from noether.system import memorylimit
from noether.system.children import kill
from noether.system.machine import importable
from noether.system.timelimit import VARIABLE, allowed, limited, overdue
from noether.system.usage import UsageError

GRACE = 1.0  # seconds for the alarm inside the child to speak before it is killed
STARTS = 60.0  # seconds for a server that starts on a busy machine
# Seconds between two looks whether the child is still there: what it forked may keep its pipe open.
POLL = 0.25
_server: subprocess.Popen | None = None
_turn = threading.Lock()


def try_case(word: str, report: load.Report, stage: Callable[[str], None]) -> None:
    """Load and try out the case that `word` means. Raises UsageError with what is wrong."""
    try_out(load.load(word, report), Origin.of_file(load.split(word)[0]), stage)


def try_rule(word: str, report: load.Report, stage: Callable[[str], None]) -> None:
    """Load and try out the learning rule that `word` means. Raises UsageError with what is wrong."""
    try_rule_out(load.load(word, report, RULE), Origin.of_file(load.split(word)[0], RULE), stage)


def tried_rule(word: str) -> load.Report:
    """What the file reads in which `word` means a rule, as `tried` has it."""
    return tried(word, try_rule, kind=RULE)


def tried(word: str, trial: Callable = try_case, *more, kind: Kind = CASE) -> load.Report:
    """What the file that `word` means reads; it is not loaded here. Raises UsageError with what is wrong.

    trial(word, report, stage, *more) is what the child does: it loads the file of the report, tells by
    stage(text) what comes next, and raises UsageError. It must be found by its name, and `more` be picklable.
    """
    text = load.text_of(load.split(word)[0], kind)
    seconds, must = allowed(), load.expected()
    request = {"word": word, "seconds": seconds, "folder": os.getcwd(), "path": [str(x) for x in sys.path]}
    request |= {"digest": sha256(text), "memory": memorylimit.allowed()}
    request |= {"expected": None if must is None else dict(must)}
    request |= {"label": kind.label(load.split(word)[0]), "kind": kind.word}
    request |= {"trial": base64.b64encode(pickle.dumps((trial, more))).decode()}
    with _turn:
        answer = ask(request, seconds + GRACE + STARTS)
    if answer["complaint"] is not None:
        raise UsageError(answer["complaint"])
    return load.Report(text, answer["files"], tuple(answer["modules"]))


def ask(request: dict, patience: float) -> dict:
    """What the server finds; its "complaint" is None where nothing is wrong. Raises RuntimeError."""
    process = server()
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], patience)
        line = process.stdout.readline() if ready else b""
    except BaseException:
        close()  # interrupted: a late answer must not become that of the next request
        raise
    if not line:
        close()
        raise RuntimeError(f"the process that tries out case files does not answer within {patience:g} s")
    return json.loads(line)


def server() -> subprocess.Popen:
    """The server, started where it is not there."""
    global _server
    if _server is None or _server.poll() is not None:
        program = "from noether.plan.casefiles.trial_process import serve; serve()"
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        apart = dict(env=importable(), start_new_session=True)
        _server = subprocess.Popen([sys.executable, "-c", program], **pipes, **apart)
        atexit.register(close)
    return _server


def close() -> None:
    """End the server: where its stdin ends it kills its child and leaves."""
    global _server
    process, _server = _server, None
    if process is not None:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve() -> None:
    """The server: one request a line, one answer a line, until stdin ends."""
    # Here and not in each child: sympy alone takes as long as a short limit.
    import noether.kernels.programs.trace
    import noether.mechanics.straight_line  # noqa: F401

    answers = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    os.dup2(nothing, 0)
    while line := requests.readline():
        request = json.loads(line)
        answer = json.dumps(attended(request, requests)).encode() + b"\n"
        while answer:
            answer = answer[os.write(answers, answer) :]


def attended(request: dict, requests) -> dict:
    """Fork a child for one request, follow its stages, and kill it when its time is over."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reading)
        trial(request, writing)
    os.close(writing)
    try:
        os.setpgid(child, child)  # both do: whoever comes first, a kill reaches the group
    except OSError:
        pass
    said, late = followed(reading, requests, child, time.monotonic() + request["seconds"] + GRACE)
    os.close(reading)
    kill(child)
    _, status = os.waitpid(child, 0)
    if "complaint" in said:
        return said
    label, stage = request["label"], said.get("stage", "loading it")
    slow = f"{overdue(request['seconds'])}: it was still {stage}"
    return {"complaint": f"{label} {slow}" if late else f"{label} {ending(status)} while {stage}"}


def followed(reading: int, requests, child: int, end: float) -> tuple[dict, bool]:
    """The last that the child says, {"stage": ...} or {"complaint": ...}, and whether its time was over."""
    said, waiting = {}, b""
    while (left := end - time.monotonic()) > 0:
        gone = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        ready, _, _ = select.select([reading, requests], [], [], min(left, 0 if gone else POLL))
        if reading in ready:
            piece = os.read(reading, 65536)
            *lines, waiting = (waiting + piece).split(b"\n")
            said = json.loads(lines[-1]) if lines else said
            if "complaint" in said or not piece:
                return said, False
        elif gone or requests in ready:
            return said, False  # nobody sends a second request before the answer: whoever asked is gone
    return said, True


def ending(status: int) -> str:
    """How a child has ended, in words."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ends its process by exit code {code}"
    return f"kills its process by {signal.Signals(-code).name}"


def trial(request: dict, writing: int) -> None:
    """Do a trial in the child process: say each stage and the outcome. Does not return."""

    def say(**what):
        line = json.dumps(what).encode() + b"\n"
        while line:
            line = line[os.write(writing, line) :]

    word, kind, label = request["word"], KINDS[request["kind"]], request["label"]
    path = load.split(word)[0]
    try:
        os.chdir(request["folder"])
        os.environ[VARIABLE] = str(request["seconds"])
        os.environ[memorylimit.VARIABLE] = str(request["memory"] / 2**30)
        memorylimit.limit(request["memory"])
        sys.path[:] = request["path"]
        text = load.text_of(path, kind)
        if sha256(text) != request["digest"]:
            raise UsageError(f"{label} has changed while it was tried out: nothing of it was run")
        with limited(request["seconds"]), load.expecting(request["expected"]):
            say(stage="loading it")
            function, more = pickle.loads(base64.b64decode(request["trial"]))
            function(word, load.Report(text), lambda stage: say(stage=stage), *more)
        refused = load.refusals()
        say(complaint=refused[0] if refused else None, **load.seen(word))
    except UsageError as error:
        say(complaint=str(error))
    except (SystemExit, KeyboardInterrupt) as error:  # of the file's own code
        say(complaint=f"{label} {told(error, Origin.of_file(path))}: it must not end its process")
    except BaseException as error:
        say(complaint=f"{label} cannot be tried out: {type(error).__name__}: {error}")
    finally:
        os._exit(0)
