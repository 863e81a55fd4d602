"""A process in which one tool runs, so that threads and memory are its own.

Messages are pickled over the standard streams: a word and its arguments in, ("done", answer) or ("failed",
text) out.

    prepare(work, variant)   build and run once; answers {"compile": seconds, "calls": of one timing}
    time()                   seconds of one run, by the clock and of all threads' processor time; the mean of
                             `calls` in a row
    result(lanes, flaw)      q, v, worst of the chosen lanes of the last run; of another where the residual is
                             given a wrong momentum
    memory()                 {"before": of the interpreter with the tool imported, "peak"} in MiB
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from dataclasses import dataclass

SHORTEST = 0.05  # seconds of one timing: below, the clock and the wake-up of threads would be measured


@dataclass
class Session:
    """The state of one worker process."""

    peer: str
    work: object = None
    send: object = None
    run: object = None
    again: object = None
    done: object = None
    calls: int = 1
    before: float = 0.0

    def prepare(self, work, variant: str) -> dict:
        """Compile a work in this tool: seconds to its first result, and how many calls one timing takes."""
        from noether.labs.bench import peers

        self.run = self.done = self.again = None
        self.work = work
        work.arrays()
        begin = time.perf_counter()
        self.send, self.run = peers.module(self.peer).prepare(work, variant)
        self.again = self.send(work.again())
        self.done = self.run(self.again)
        first = time.perf_counter() - begin
        once = min(self._once() for _ in range(2))
        self.calls = max(1, min(1000, round(SHORTEST / once + 0.5)))
        return {"compile": max(0.0, first - once), "calls": self.calls}

    def _once(self) -> float:
        begin = time.perf_counter()
        self.done = self.run(self.again)
        return time.perf_counter() - begin

    def time(self) -> tuple[float, float]:
        """Seconds of one call, and of processors, on average over a timing."""
        begin, used = time.perf_counter(), time.process_time()
        for _ in range(self.calls):
            self.done = self.run(self.again)
        return (time.perf_counter() - begin) / self.calls, (time.process_time() - used) / self.calls

    def result(self, lanes, flaw: float = 0.0) -> tuple:
        """The end of some lanes: q, v (d, lanes) and the largest residual, whose momentum is off by
        `flaw`."""
        q, v, worst = (self.run(self.send(self.work.again(flaw))) if flaw else self.done)()
        return q[:, lanes].astype(float), v[:, lanes].astype(float), worst[lanes]

    def memory(self) -> dict:
        """MiB resident with the tool imported, and at most."""
        return {"before": self.before, "peak": peak()}


def peak() -> float:
    """The largest resident size of this process so far, MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(session, incoming, outgoing) -> None:
    """Answer messages until the stream ends; a message is the name of a method of `session`, and its
    arguments."""
    while True:
        try:
            word, *arguments = pickle.load(incoming)
        except EOFError:
            return
        try:
            answer = "done", getattr(session, word)(*arguments)
        except Exception as error:  # whatever a tool raises is its answer; the bench goes on with the others
            lines = str(error).strip().splitlines() or [""]
            answer = "failed", f"{type(error).__name__}: {lines[0][:300]}"
        pickle.dump(answer, outgoing)
        outgoing.flush()


def main(make=Session) -> None:
    """The entry of a worker process, in which make(name of the tool) answers."""
    # Tools print on stdout: what they say goes to stderr, the answers through a copy of the stream.
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    session = make(sys.argv[1])
    session.before = peak()
    serve(session, sys.stdin.buffer, outgoing)


if __name__ == "__main__":
    main()
