"""Errors of every setting of every tool, the fastest that reaches an accuracy, and rounds of timings.

A ratio is formed within a round and never between rounds, as in noether.labs.bench.measurement.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from noether.labs.bench.measurement import Failed, Peer
from noether.labs.bench.ode import reference
from noether.labs.bench.ode.problem import CASES, Problem
from noether.labs.bench.ode.solver_noether import CERTIFIED
from noether.labs.bench.ode.tools import MODULES, OURS

OURS_FAILED = f": {OURS} "  # in a line of `failures`
BEYOND = "nothing is decided"  # before a line of `beyond`
TARGETS = (1e-6, 1e-9, 1e-12)
ROOM = 1e-2  # of the finest accuracy, which the reference's own error may be
LANES, ROUNDS = (64, 1024), 9
LONGEST = 3.0  # seconds of a run, beyond which a method's ladder is not climbed further
OTHER = 1e-5  # the least error of a tool that solves the same equations, of a tolerance of FINE or less
FINE = 1e-7


@dataclass
class Setting:
    """One method of a tool at one level of its ladder.

    error     of the largest |y|, against the reference;  once  seconds of the first timing, for all lanes
    seconds   one number a round, for all lanes;  cpu  the same of the processor
    problem   why it has no error
    """

    tool: str
    method: str
    level: float
    error: float = float("inf")
    compile: float = 0.0
    once: float = float("inf")
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def name(self) -> str:
        """The setting in words."""
        return f"{self.method} {self.level:.2g}"


@dataclass
class Comparison:
    """All settings of all tools on one problem; halved and second tell of the reference's own error
    (reference.py)."""

    problem: Problem
    tools: tuple[str, ...]
    settings: list[Setting] = field(default_factory=list)
    halved: float = 0.0
    second: float | None = None

    def of(self, tool: str) -> list[Setting]:
        """The settings of a tool that have an error."""
        return [s for s in self.settings if s.tool == tool and not s.problem]

    def refused(self, tool: str) -> str:
        """Why a tool's times are not compared: none of its settings comes near the reference; '' else.

        Of one whose ladder ended before FINE, for want of time, nothing is known, and it is not accused.
        """
        fine = any(s.level <= FINE for s in self.of(tool))
        least = min((s.error for s in self.of(tool)), default=0.0) if fine else 0.0
        apart = f"its least error is {least:.2g}, must be at most {OTHER:g}"
        return f"it solves other equations: {apart}" if not least <= OTHER else ""

    def chosen(self, tool: str, target: float) -> Setting | None:
        """The fastest setting of a tool that reaches the accuracy; None where none does or it is refused."""
        return None if self.refused(tool) else fastest(self.of(tool), target)

    def raced(self) -> list[Setting]:
        """What is timed in rounds: each choice once."""
        found = [self.chosen(tool, target) for tool in self.tools for target in TARGETS]
        return list({id(s): s for s in found if s is not None}.values())

    def ratio(self, tool: str, target: float, which: str = "seconds") -> tuple[float, float, float] | None:
        """A tool's time over ours at one accuracy: lower quartile, median, upper quartile; None where one of
        them has none."""
        ours, theirs = self.chosen(OURS, target), self.chosen(tool, target)
        if not (ours and theirs and ours.seconds and theirs.seconds):
            return None
        low, middle, high = np.percentile(
            np.array(getattr(theirs, which)) / np.array(getattr(ours, which)), [25, 50, 75]
        )
        return float(low), float(middle), float(high)


def fastest(settings: Sequence[Setting], target: float) -> Setting | None:
    """The setting of least `once` whose error is at most the target; ours with error bars is four solutions,
    and no choice."""
    able = [s for s in settings if s.error <= target and s.method != CERTIFIED]
    return min(able, key=lambda s: s.once, default=None)


@dataclass
class Campaign:
    """A bench of trajectories: what was asked, and what was found. load: average at start and end."""

    tools: tuple[str, ...]
    missing: dict[str, str] = field(default_factory=dict)
    cases: tuple[str, ...] = CASES
    lanes: tuple[int, ...] = LANES
    rounds: int = ROUNDS
    words: str = ""
    date: str = field(default_factory=lambda: date.today().isoformat())
    load: tuple[float, float] = (0.0, 0.0)
    comparisons: list[Comparison] = field(default_factory=list)

    @property
    def expected(self) -> int:
        """How many problems there are."""
        return len(self.cases) * len(self.lanes)

    @property
    def done(self) -> int:
        """How many of them are measured."""
        return len(self.comparisons)

    @property
    def beyond(self) -> list[str]:
        """References that are not known better than the finest accuracy asks: nothing is decided there."""
        known = [(c, max(c.halved, c.second or 0.0)) for c in self.comparisons]
        return [
            f"{c.problem.label}: the reference is known to {u:.1g}, must be known to {ROOM * TARGETS[-1]:.1g}"
            for c, u in known
            if not u <= ROOM * TARGETS[-1]
        ]

    @property
    def disagreements(self) -> list[str]:
        """Tools that ran and solved other equations."""
        pairs = [(c, tool) for c in self.comparisons for tool in c.tools]
        return [f"{c.problem.label}: {tool}: {why}" for c, tool in pairs if (why := c.refused(tool))]

    @property
    def failures(self) -> list[str]:
        """Settings that could not be run."""
        pairs = [(c, s) for c in self.comparisons for s in c.settings if s.problem]
        return [f"{c.problem.label}: {s.tool} {s.name}: {s.problem}" for c, s in pairs]


def run(campaign: Campaign, watch: Callable = lambda text: None, keep: Callable = lambda found: None):
    """Fill in what is found; `keep` is called after every problem. Returns the campaign."""
    campaign.load = (os.getloadavg()[0], 0.0)
    for case in campaign.cases:
        for lanes in campaign.lanes:
            found = compare(Problem(case, lanes), campaign.tools, campaign.rounds, watch)
            campaign.comparisons.append(found)
            campaign.load = (campaign.load[0], os.getloadavg()[0])
            keep(campaign)
    return campaign


def compare(problem: Problem, tools: tuple[str, ...], rounds: int, watch: Callable) -> Comparison:
    """Climb every ladder, choose, and time the choices in interleaved rounds. Each tool has a new process."""
    watch(f"{problem.label}: reference")
    known = reference.solve(problem)
    found = Comparison(problem, tools, halved=known.halved, second=known.second)
    running: dict[str, Peer] = {}
    try:
        for tool in tools:
            watch(f"{problem.label}: {tool} climbs its ladders")
            running[tool] = Peer(tool, "noether.labs.bench.ode.session", MODULES[tool])
            for method, levels in MODULES[tool].settings(problem).items():
                found.settings += climbed(running[tool], problem, known, method, levels)
        raced = found.raced()
        for n in range(rounds if raced else 0):
            watch(f"{problem.label}: round {n + 1} of {rounds}")
            first = n % len(raced)
            for s in raced[first:] + raced[:first]:  # nobody is always first
                wall, cpu = running[s.tool].ask("time", s.method, s.level)
                s.seconds.append(wall)
                s.cpu.append(cpu)
    finally:
        for peer in running.values():
            peer.close()
    return found


def climbed(peer: Peer, problem: Problem, known, method: str, levels: Sequence[float]) -> list[Setting]:
    """The settings of one method, up to the first that fails or takes longer than LONGEST."""
    found = []
    for level in levels:
        setting = Setting(peer.name, method, level)
        found.append(setting)
        try:
            answer = peer.ask("prepare", problem, method, level)
            setting.compile, setting.error = answer["compile"], known.error(answer["y"])
            setting.once = min(peer.ask("time", method, level)[0] for _ in range(2))
        except Failed as error:
            setting.problem = str(error)
            break
        if answer["seconds"] > LONGEST:
            break
    return found
