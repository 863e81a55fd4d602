"""The command line attacked at its streams, in a forked child a command: a process of its own would take half
a second.

`python -c "import attacks; attacks.serve()"` reads one request a line, {"words", "fake", "found", "attack",
"work", "cwd"}, and answers {"code", "stdout", "stderr"}; work is python that runs where the cells do. What
commands decide is made of nothing; what stands around it is the real thing.
"""

import contextlib
import json
import os
import resource
import selectors
import signal
import sys
from dataclasses import dataclass

import fakes


def devices(*pairs):
    def apply():
        for path, fd in pairs:
            opened = os.open(path, os.O_WRONLY)
            os.dup2(opened, fd)
            os.close(opened)

    return apply


def closed(*fds):
    return lambda: [os.close(fd) for fd in fds]


def reader(until: int | None):
    """stdout is a small pipe whose reader leaves at once (None), or after some bytes: while more is being
    written."""

    def apply():
        reading, writing = os.pipe()
        if until is not None and os.fork() == 0:
            os.close(writing)
            os.read(reading, until)
            os._exit(0)
        os.dup2(writing, 1)
        os.close(writing)
        os.close(reading)

    return apply


def nonblocking():
    """A terminal or pipe that another program has left non-blocking, with a slow reader."""
    import fcntl

    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    if os.fork() == 0:
        os.close(writing)
        while piece := os.read(reading, 1000):
            os.write(1, piece)
        os._exit(0)
    os.close(reading)
    os.set_blocking(writing, False)
    os.dup2(writing, 1)
    os.close(writing)


def limited(size):
    """No file may grow beyond a size: python would keep what it compiles cut short there, for all later
    imports."""

    def apply():
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return apply


def environment(**words):
    return lambda: os.environ.update(words)


def both(*attacks):
    return lambda: [a() for a in attacks]


ATTACKS = {
    "none": lambda: None,
    "| true": reader(None),
    "| head -c 9": reader(9),
    ">/dev/full": devices(("/dev/full", 1)),
    "2>/dev/full": devices(("/dev/full", 2)),
    ">/dev/full 2>/dev/full": devices(("/dev/full", 1), ("/dev/full", 2)),
    ">&-": closed(1),
    "2>&-": closed(2),
    "<&-": closed(0),
    "<&- >&- 2>&-": closed(0, 1, 2),
    "<&- >/dev/full 2>&-": both(devices(("/dev/full", 1)), closed(0, 2)),
    "read-only": lambda: os.dup2(os.open(os.devnull, os.O_RDONLY), 1),
    "non-blocking": nonblocking,
    "ascii": environment(ENCODING="ascii"),
    "utf-16": environment(ENCODING="utf-16"),
    "LANG=C TERM=dumb": environment(LANG="C", LC_ALL="C", TERM="dumb", NO_COLOR="1"),
    "COLUMNS=1": environment(COLUMNS="1"),
    "COLUMNS=0": environment(COLUMNS="0"),
    "COLUMNS=-5": environment(COLUMNS="-5"),
    "COLUMNS=wide FORCE_COLOR=1": environment(COLUMNS="wide", FORCE_COLOR="1"),
    "ulimit -f": limited(12_000),  # room for the records, none for the page
    "SIGPIPE": lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN),
}


def streams() -> None:
    """sys.stdin, stdout and stderr as python makes them at its start."""
    encoding = os.environ.get("ENCODING", "utf-8")
    for fd, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(fd)
        except OSError:
            setattr(sys, name, None)
        else:
            errors = "backslashreplace" if name == "stderr" else "strict"
            setattr(sys, name, open(fd, mode, encoding=encoding, errors=errors, closefd=False))


def child(request: dict) -> None:
    os.chdir(request["cwd"])
    os.environ["FAKE"] = request["fake"]
    signal.alarm(60)
    stub(request["found"])
    if request["work"]:
        sys.modules["noether.runs.run"].work = lambda *_: exec(
            request["work"], {"sys": sys, "os": os, "signal": signal}
        )
    sys.argv = ["noether", *request["words"]]
    ATTACKS[request["attack"]]()
    streams()
    fakes.main()


def stub(found: str) -> None:
    """Commands that measure find what is wanted: holds, violated or undecided."""
    import noether.campaigns.kill_matrix.campaign as faults
    import noether.cli.fuzz_progress as fuzz
    import noether.report.findings
    from noether.labs.bench import campaign as bench
    from noether.laws.map import cells, printed
    from noether.report import catalogue
    from noether.runs import replaying

    codes = {"holds": 0, "violated": 1, "undecided": 3}
    noether.report.findings.files = lambda run: {"findings.md": "# Findings\n"}
    catalogue.show = lambda case: "shown\n" * 2000
    replaying.Replays.again = lambda self, record: (
        found != "undecided",
        "the record says the same: equal to the bit",
    )
    fuzz.run = lambda campaign, watch=None: fuzzed(campaign, found)
    faults.run = lambda *names, **how: faults.Campaign(
        [], faults.findings.verdict([]), codes[found], "quick", (), cells=1
    )
    cells.cells = lambda *words: [None]
    cells.run_cell = lambda cell: [
        r for r in fakes.Cell("M1", "M1", "map", "x", "float64", 0, FOUND[found]).run() if not r.fault
    ]
    printed.map_of = lambda records: Atlas()
    printed.summary = lambda records: {"map": []}
    printed.table = lambda atlas: "map\n" * 2000
    bench.run = lambda campaign, watch, keep: benched(campaign, found)


FOUND = {"holds": "", "violated": "violated", "undecided": "inconclusive"}


@dataclass
class Atlas:
    reason: str = "as theory.md says"


def fuzzed(campaign, found: str):
    from noether.campaigns.fuzz.example import Subject
    from noether.campaigns.fuzz.next_batch import Batch, GridPoint
    from noether.campaigns.fuzz.outcome import Outcome, Row

    outcome = Outcome(
        campaign, [], rows={"D2": Row(checks=0 if found == "undecided" else 9, lanes=1)}, seconds=1.0
    )
    if found == "violated":
        (record, _) = fakes.Cell("D2", "D2", "rayleigh", "heavy-ball", "float64", 0, "violated").run()
        cell = GridPoint("rayleigh", "heavy-ball", "float64", "ordinary")
        batch = Batch.__new__(Batch)
        object.__setattr__(batch, "number", 0)
        object.__setattr__(batch, "cell", cell)
        outcome.violations = [
            (Subject("rayleigh", "heavy-ball", "float64", "numpy", "D2", "scale"), None, record, batch)
        ]
    return outcome


def benched(campaign, found: str):
    campaign.shapes = []
    if found == "violated":
        from types import SimpleNamespace

        timing = SimpleNamespace(peer="jax", agreed=True, problem="other numbers", seconds=None)
        campaign.scaling = []
        type(campaign).disagreements = property(lambda self: [f"rayleigh: {timing.peer}: {timing.problem}"])
    return campaign


def attended(request: dict) -> dict:
    """One request in a forked child, whose stdout and stderr are read to their ends."""
    pipes = [os.pipe(), os.pipe()]
    pid = os.fork()
    if pid == 0:
        for fd, (_, writing) in enumerate(pipes, 1):
            os.dup2(writing, fd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(3, 200)
        return child(request)
    said = {}
    # Closed here: left to the garbage collector, a child would close it, or what has its number by then.
    with selectors.DefaultSelector() as waiting:
        for name, (reading, writing) in zip(("stdout", "stderr"), pipes, strict=True):
            os.close(writing)
            said[reading] = (name, bytearray())
            waiting.register(reading, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                if piece := os.read(key.fd, 65536):
                    said[key.fd][1].extend(piece)
                else:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
    _, status = os.waitpid(pid, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        **{name: bytes(text).decode(errors="replace") for name, text in said.values()},
    }


WARM = """verify rayleigh --precision float64 --jobs 1 --out warm
laws
laws warm
cases
rules
doctor
completion bash
fuzz --batches 1 --backend nothing
explain D2
replay warm --record 0
report warm warm
discover rayleigh
report warm"""


def warm(cwd: str) -> None:
    """Import and compile what every command needs, once."""
    os.chdir(cwd)
    from noether.cli import doctor as physician
    from noether.cli.main import call
    from noether.plan import design as real  # noqa: F401

    found = physician.examine()  # it asks processes of its own, which takes seconds
    physician.examine = lambda: found
    plan = fakes.Plan("noether.plan.design")
    sys.modules["noether.plan.design"] = sys.modules["noether.plan"].design = plan
    with (
        open(os.devnull, "w") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
    ):
        for words in WARM.splitlines():
            call(words.split())
    stub("holds")  # once, so that what it imports is there


def serve() -> None:
    warm(sys.stdin.readline().strip())
    for line in iter(sys.stdin.readline, ""):
        answer = attended(json.loads(line))
        if answer is None:
            return  # the child, at its end
        print(json.dumps(answer), flush=True)
