"""Timing in rounds A B C A B C ..., so that what disturbs the machine disturbs all tools alike.

A ratio is formed within a round and never between rounds; reported are its median and quartiles.
"""

from __future__ import annotations

import pickle
import select
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from noether.labs.bench import agreement, ceilings, mix, peers, static
from noether.labs.bench.peers import OURS, THREADS
from noether.labs.bench.work import Work
from noether.system.machine import importable

# Seconds that one message may take: torch.compile needs most of two minutes for its widest step.
PATIENCE = 400.0


class Failed(RuntimeError):
    """Raised when a tool could not do what it was asked; the message says why."""


class Peer:
    """A worker process in which one tool runs: of the module `worker`, in the environment that `module`
    asks for."""

    def __init__(self, name: str, worker: str = "noether.labs.bench.worker", module=None):
        self.name = name
        environment = {**importable(), **(module or peers.module(name)).environment()}
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        words = [sys.executable, "-m", worker, name]
        self.process = subprocess.Popen(words, env=environment, **pipes)

    def ask(self, word: str, *arguments):
        """What the worker answers to a word. Raises Failed, also when the worker dies or is silent for
        PATIENCE seconds."""
        if self.process.poll() is not None:
            raise Failed(f"its process ended with {self.process.returncode}")
        pickle.dump((word, *arguments), self.process.stdin)
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.close()
            raise Failed(f"{word} took more than {PATIENCE:.0f} s")
        try:
            said, answer = pickle.load(self.process.stdout)
        except EOFError:
            raise Failed(f"its process ended with {self.process.wait()} during {word}") from None
        if said == "failed":
            raise Failed(answer)
        return answer

    def close(self) -> None:
        """Kill the worker."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@dataclass
class Timing:
    """One tool on one work.

    seconds  one number a round
    cpu      the same of its threads together
    problem  why it has none
    """

    peer: str
    variant: str = ""
    compile: float = 0.0
    peak: float = 0.0
    before: float = 0.0
    agreed: agreement.Agreement | None = None
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    tried: dict[str, float] = field(default_factory=dict)
    problem: str = ""

    @property
    def median(self) -> float:
        """The median of `seconds`."""
        return float(np.median(self.seconds))


@dataclass
class Measurement:
    """All tools on one work.

    asked  what a step of our kernel asks of each pipe (mix.py)
    rates  what the machine did on each pipe (ceilings.py), one a round
    """

    work: Work
    timings: list[Timing]
    asked: mix.Mix = field(default_factory=dict)
    rates: list[dict] = field(default_factory=list)

    def of(self, peer: str) -> Timing | None:
        """The timing of a tool, None where it has none."""
        return next((t for t in self.timings if t.peer == peer), None)

    def rate(self, t: Timing) -> float:
        """Lane-steps per second of a tool."""
        return self.work.lanes * self.work.steps / t.median

    def ratio(self, t: Timing, which: str = "seconds") -> tuple[float, float, float]:
        """A tool's time over ours in the same round: lower quartile, median, upper quartile.

        which  "seconds" or "cpu"
        """
        theirs, ours = np.array(getattr(t, which)), np.array(getattr(self.of(OURS), which))
        low, middle, high = np.percentile(theirs / ours, [25, 50, 75])
        return float(low), float(middle), float(high)

    @property
    def best(self) -> Timing | None:
        """The fastest of the others that agreed; None where ours or all others have no timing."""
        ours = self.of(OURS)
        able = [t for t in self.timings if t.peer != OURS and t.seconds]
        return min(able, key=lambda t: self.ratio(t)[1]) if able and ours and ours.seconds else None

    @property
    def is_slower(self) -> bool:
        """Whether ours is slower than the best other beyond the spread: even the upper quartile is below
        1."""
        return self.best is not None and self.ratio(self.best)[2] < 1

    @property
    def has_share(self) -> bool:
        """Whether it is known how far ours is from what the machine can do."""
        ours = self.of(OURS)
        return bool(self.asked and self.rates and ours and ours.seconds)

    def least(self, which: str = "seconds") -> list[tuple[float, str]]:
        """The least time that ours can take by mix.py, and what sets it, one a round."""
        work = self.work
        return [mix.least(self.asked, r, work.bytes, work.lanes * work.steps, which) for r in self.rates]

    def share(self, which: str = "seconds") -> tuple[float, float, float]:
        """The least time over ours of the same round: lower quartile, median, upper quartile."""
        least, ours = [seconds for seconds, _ in self.least(which)], getattr(self.of(OURS), which)
        low, middle, high = np.percentile(np.array(least) / np.array(ours), [25, 50, 75])
        return float(low), float(middle), float(high)

    @property
    def limit(self) -> str:
        """What sets the least time in most rounds."""
        names = [name for _, name in self.least()]
        return max(names, key=names.count)

    @property
    def is_beyond(self) -> bool:
        """Whether ours is faster than the machine can be, beyond the spread: then the limit is wrong."""
        return self.has_share and any(self.share(which)[0] > 1 for which in ("seconds", "cpu"))


def prepared(peer: Peer, work: Work, known: agreement.Reference, variants: tuple[str, ...]) -> Timing:
    """Build each variant, keep the fastest, and decide whether it did the work. Never raises Failed."""
    timing = Timing(peer.name)
    try:
        compiled = {}
        for variant in variants:
            compiled[variant] = peer.ask("prepare", work, variant)["compile"]
            timing.tried[variant] = min(peer.ask("time")[0] for _ in range(3)) if len(variants) > 1 else 0.0
        timing.variant = min(timing.tried, key=timing.tried.get)
        if timing.variant != variants[-1]:
            peer.ask("prepare", work, timing.variant)
        timing.compile = compiled[timing.variant]
        result = peer.ask("result", known.lanes)
        flawed = None if work.residual is None else peer.ask("result", known.lanes, agreement.FLAW)
        timing.agreed = agreement.judge(work, known, result, flawed)
        timing.problem = timing.agreed.problem
    except Failed as error:
        timing.problem = str(error)
    return timing


Watch = Callable[[str], None]


def measure(
    work: Work, names: list[str], rounds: int, *, tune=True, watch: Watch = lambda text: None
) -> Measurement:
    """Prepare every tool, check that they agree, and time those that do in interleaved rounds.

    Each has a new process.  tune  try every shape of a tool, not the first alone
    """
    running: dict[str, Peer] = {}
    try:
        return measured(work, names, running, rounds, tune, watch)
    finally:
        for peer in running.values():
            peer.close()


def measured(
    work: Work, names: list[str], running: dict[str, Peer], rounds: int, tune: bool, watch: Watch
) -> Measurement:
    """`measure` in processes that may run already."""
    known = agreement.reference(work)
    timings = []
    for name in names:
        watch(f"{work.label}: {name} compiles")
        if name not in running or running[name].process.poll() is not None:
            running[name] = Peer(name)
        variants = peers.module(name).variants(work)
        timings.append(prepared(running[name], work, known, variants if tune else variants[:1]))
    able = [t for t in timings if not t.problem]
    found = Measurement(work, timings)
    if any(t.peer == OURS for t in able):
        found.asked = mix.counted(static.kernel(work, 90))
    for n in range(rounds if able else 0):
        watch(f"{work.label}: round {n + 1} of {rounds}")
        for t in able[n % len(able) :] + able[: n % len(able)]:  # nobody is always first
            wall, cpu = running[t.peer].ask("time")
            t.seconds.append(wall)
            t.cpu.append(cpu)
        if found.asked:
            found.rates.append(ceilings.rates(THREADS, tuple(found.asked)))
    for t in able:
        memory = running[t.peer].ask("memory")
        t.peak, t.before = memory["peak"], memory["before"]
    return found
