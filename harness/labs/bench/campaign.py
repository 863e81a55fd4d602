"""Which works are measured: each case in each precision, then lanes, steps and dimension varied one at a
time."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from noether.cases import CORE
from noether.cases.case import BREGMAN
from noether.labs.bench import peers, static
from noether.labs.bench.measurement import Measurement, Peer, measure, measured
from noether.labs.bench.work import KINDS, Work

# The heavy ball does not run on a Bregman metric.
CASES = tuple(c.name for c in CORE if c.metric.kind != BREGMAN)
LANES, STEPS, ROUNDS = 16384, 64, 15
SCALED = "rayleigh"
SCALED_LANES = (256, 1024, 4096, 16384, 65536, 262144)
SCALED_STEPS = (16, 256)
SCALED_DIMS = (2, 4, 16)
OURS_FAILED = f": {peers.OURS}: "  # in a line of `failures`
BEYOND = "the limit is wrong"  # before a line of `beyond`
WATCH = Callable[[str], None]


@dataclass
class Campaign:
    """A bench: what was asked, and what was found. scaled: the case of the scaling; load: average at start
    and end."""

    names: list[str]
    missing: dict[str, str] = field(default_factory=dict)
    cases: tuple[str, ...] = CASES
    precisions: tuple[str, ...] = ("float64", "float32")
    kinds: tuple[str, ...] = KINDS
    lanes: int = LANES
    steps: int = STEPS
    rounds: int = ROUNDS
    scale: bool = True
    tune: bool = True
    words: str = ""
    scaled: str = SCALED
    date: str = field(default_factory=lambda: date.today().isoformat())
    load: tuple[float, float] = (0.0, 0.0)
    compiler: str = ""
    measurements: list[Measurement] = field(default_factory=list)
    scaling: list[Measurement] = field(default_factory=list)
    shapes: list[static.Shape] = field(default_factory=list)

    @property
    def expected(self) -> int:
        """How many works there are, all in all."""
        scaled = len(SCALED_LANES) + len(SCALED_STEPS) + len(SCALED_DIMS) if self.scale else 0
        return len(self.kinds) * len(self.precisions) * len(self.cases) + scaled

    @property
    def done(self) -> int:
        """How many of them are measured."""
        return len(self.measurements) + len(self.scaling)

    @property
    def command(self) -> str:
        """The command line that was given."""
        return f"noether bench {self.words}".strip()

    @property
    def disagreements(self) -> list[str]:
        """Tools that ran and did other work."""
        return [
            f"{m.work.label}: {t.peer}: {t.problem}"
            for m in self.measurements + self.scaling
            for t in m.timings
            if t.agreed and t.problem
        ]

    @property
    def beyond(self) -> list[str]:
        """Works that ours did faster than the machine can: their limit is wrong."""
        beyond = [m for m in self.measurements + self.scaling if m.is_beyond]
        told = [(m.work.label, *(f"{m.share(which)[1]:.2f}" for which in ("seconds", "cpu"))) for m in beyond]
        return [f"{label}: {wall} of it by the clock, {cpu} by processor time" for label, wall, cpu in told]

    @property
    def failures(self) -> list[str]:
        """Tools that are here and could not run a work."""
        return [
            f"{m.work.label}: {t.peer}: {t.problem}"
            for m in self.measurements + self.scaling
            for t in m.timings
            if not t.agreed
        ]


def run(
    campaign: Campaign,
    watch: WATCH = lambda text: None,
    keep: Callable[[Campaign], None] = lambda found: None,
) -> Campaign:
    """Fill in what is found; `keep` is called after every work, so that a run that is cut off keeps what it
    found."""
    campaign.load = (os.getloadavg()[0], 0.0)
    campaign.compiler = compiler()
    for kind in campaign.kinds:
        for precision in campaign.precisions:
            for case in campaign.cases:
                work = Work(case, precision, campaign.lanes, campaign.steps, kind)
                campaign.measurements.append(
                    measure(work, campaign.names, campaign.rounds, tune=campaign.tune, watch=watch)
                )
                finish(campaign, keep)
    if campaign.scale:
        scale(campaign, watch, keep)
    campaign.shapes = shapes(campaign, watch)
    keep(campaign)
    return campaign


def finish(campaign: Campaign, keep: Callable[[Campaign], None]) -> None:
    """Keep what was found so far, with the load of the machine now."""
    campaign.load = (campaign.load[0], os.getloadavg()[0])
    keep(campaign)


def scale(campaign: Campaign, watch: WATCH, keep: Callable[[Campaign], None]) -> None:
    """One case, checked, in the first precision; processes are kept, so a tool compiles what its shapes need
    and no more."""
    first, kind = campaign.precisions[0], campaign.kinds[0]
    works = [Work(SCALED, first, lanes, campaign.steps, kind) for lanes in SCALED_LANES]
    works += [Work(SCALED, first, campaign.lanes, steps, kind) for steps in SCALED_STEPS]
    works += [Work(f"{SCALED}:{d}", first, campaign.lanes, campaign.steps, kind) for d in SCALED_DIMS]
    running: dict[str, Peer] = {}
    try:
        for work in works:
            campaign.scaling.append(measured(work, campaign.names, running, campaign.rounds, False, watch))
            finish(campaign, keep)
    finally:
        for peer in running.values():
            peer.close()


def shapes(campaign: Campaign, watch: WATCH) -> list[static.Shape]:
    """What is counted in the machine code of our kernels; nothing where they cannot be compiled."""
    if peers.missing(peers.OURS):
        return []
    out = []
    for kind in campaign.kinds:
        for case in campaign.cases:
            for precision in campaign.precisions:
                watch(f"static: {case} {precision} {kind}")
                out += [static.shape(Work(case, precision, 128, 1, kind), arch) for arch in static.DEVICES]
    return out


def compiler() -> str:
    """The version of the C compiler, or why there is none."""
    from noether.kernels.ptx import native

    reason = native.missing()
    return reason or native.find_compiler().version
