"""One batch of fuzzing: draw lanes, screen them, check every alarm, and replay the worst lanes and a sample
in wide numbers."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field, replace

import numpy as np

from noether.campaigns.fuzz.example import Example, Subject, found_in
from noether.campaigns.fuzz.next_batch import Batch, Kept
from noether.campaigns.fuzz.probe import Probe, final_states_differ
from noether.campaigns.fuzz.regimes import REGIMES, draw
from noether.cases.rules import RULES
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, screen
from noether.laws.exact.certified import certified_steps, judge_inside, part
from noether.laws.exact.judge import spent_of
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.plan.casefiles.blame import blamed
from noether.plan.choices import case_named
from noether.verdicts.record import VIOLATED, Record

SAMPLE = 3  # random lanes of a batch that the host replays, beside the worst
HOST = 2**13  # lane-steps of a batch that the host may replay: about a tenth of a second
TOP = 3  # lanes of a batch and law that the archive is offered
CHUNK = 2**14  # lane-steps of alarms that are asked about at once
ENOUGH = 4  # false alarms of one batch: the run ends blind anyhow


@dataclass
class Count:
    """What one law gave in one batch. spent: the screen's worst inside the domain."""

    checks: int = 0
    lanes: int = 0
    spent: float = 0.0


@dataclass
class Finding:
    """The result of one batch.

    laws        (law, symmetry) -> Count, of lanes that moved and stayed inside
    tried       checks of the screen, before anything is taken off
    frozen      lanes whose stored state never changed: they prove nothing
    outside     lanes that left the domain
    unscreened  lanes whose residual overflows in float64, cleared by the host
    kept        what the archive is offered: (law, Kept)
    records     the host's verdicts on the replayed lanes
    violations  what the host confirmed: (Subject, Example, Record)
    false_alarms  alarms that the host does not confirm, and final states that do not come back: the screen is
                  wrong
    """

    batch: Batch
    laws: dict = field(default_factory=dict)
    lanes: int = 0
    tried: int = 0
    frozen: int = 0
    outside: int = 0
    unscreened: int = 0
    kept: list = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    violations: list = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    screened: float = 0.0
    skipped: bool = False
    error: str | None = None
    lost: str = ""  # why it is undecided, where the case and not the harness is at fault

    @property
    def checks(self) -> int:
        """How many steps were checked, of all laws together."""
        return sum(c.checks for c in self.laws.values())


def run_batch(batch: Batch, probe: Probe, files: dict[str, str] | None = None) -> Finding:
    """Run one batch. Whatever it raises becomes part of the finding: the batch is then saved by who asked."""
    begin, busy = time.perf_counter(), time.process_time()
    found = Finding(batch)
    probe = replace(probe, backend="numpy") if batch.plain else probe
    try:
        with np.errstate(all="ignore"):
            fill(found, batch, probe, files or {})
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        found.lost = blamed(error)
        if isinstance(error, KeyboardInterrupt) and not found.lost:
            raise
        found.error = traceback.format_exc()
    found.seconds, found.cpu = time.perf_counter() - begin, time.process_time() - busy
    return found


def fill(found: Finding, batch: Batch, probe: Probe, files: dict[str, str]) -> None:
    """Run a batch, and put what comes of it into `found`."""
    cell = batch.cell
    case = case_named(cell.case)
    units = batch.units(case)
    job = draw(REGIMES[cell.regime], case, RULES[cell.rule], parse(cell.precision), units, batch.steps)
    if not probe.applies(job):
        found.skipped = True
        return
    screened = probe.screen(case, job)
    found.lanes, found.screened, found.tried = job.lanes, screened.seconds, screened.checks
    inside = examine(found, case, job, probe, screened, files)
    if found.violations or found.false_alarms:
        return
    moved = screened.moved > 0
    found.frozen = int((inside & ~moved).sum())
    for at, (law, symmetry) in enumerate(screened.laws):
        mine = screened.covered[at] & inside & moved
        spent = np.where(mine, screened.spent[at], -1.0)
        lanes = int(mine.sum())
        checks = lanes * (job.steps - EXACT[law].lag + 1)
        found.laws[law, symmetry] = Count(checks, lanes, max(0.0, float(spent.max())))
        for lane in np.argsort(spent)[-TOP:]:
            if spent[lane] > 0:
                found.kept.append((law, Kept(float(spent[lane]), units[:, lane], cell.regime, job.steps)))
    replay(found, case, job, probe, screened, inside & moved, files)


def examine(found: Finding, case, job, probe: Probe, screened: screen.Screening, files) -> np.ndarray:
    """Ask about every alarm: outside, a violation that the host confirms, or a false alarm. Returns (lanes,)
    inside."""
    inside = np.ones(job.lanes, bool)
    alarmed = np.flatnonzero(screened.alarmed)
    if not len(alarmed):
        return inside
    first = np.where(screened.first_bad >= 0, screened.first_bad, job.steps).min(axis=0)
    # Those that fail first are asked first: what leaves the domain does it late, what is wrong is often wrong
    # at once.
    alarmed = alarmed[np.argsort(first[alarmed], kind="stable")]
    size = max(1, CHUNK // (int(first[alarmed].max()) + 1))
    for chunk in np.array_split(alarmed, -(-len(alarmed) // size)):
        # To twice the alarm and no further: a reference that leaves long after it excuses nothing, and costs
        # most.
        out = leaving(case, screen.some_lanes(job, chunk, 2 * int(first[chunk].max()) + 16))
        inside[chunk[out]] = False
        found.outside += int(out.sum())
        for lane in settle(found, case, job, probe, screened, chunk[~out], first, inside):
            if not ask(found, case, job, probe, int(lane), int(first[lane]), files):
                inside[lane] = False
                found.outside += 1
            if found.violations or len(found.false_alarms) >= ENOUGH:
                return inside
    return inside


def settle(found: Finding, case, job, probe: Probe, screened, lanes: np.ndarray, first, inside) -> np.ndarray:
    """Lanes that the host clears together; returns those that must be asked one by one.

    Cleared are lanes whose certificate ends before the alarm (outside), and those whose residual the screen
    could not form: float64 overflows where the host's wider exponent does not. These are no checks, and
    counted (unscreened).  first, inside  (lanes,) of the launch: the step of the first alarm, and whether a
    lane is judged, which is set to False for those that are cleared
    """
    if not len(lanes) or probe.plant:
        return lanes
    t = probe.trajectory(case, screen.some_lanes(job, lanes, int(first[lanes].max()) + 2))
    until = certified_steps(t)
    fine = largest_spent(t, until) <= 1
    silent = (np.isinf(screened.spent) | (screened.spent <= 1) | ~screened.covered).all(axis=0)[lanes]
    outside, unscreened = fine & (until <= first[lanes]), fine & (until > first[lanes]) & silent
    inside[lanes[outside | unscreened]] = False
    found.outside += int(outside.sum())
    found.unscreened += int(unscreened.sum())
    return lanes[~(outside | unscreened)]


def largest_spent(t: Trajectory, until: np.ndarray) -> np.ndarray:
    """The host's largest spent of any law before step `until`, (lanes,)."""
    worst = np.zeros(t.lanes)
    for law in EXACT.values():
        for symmetry in t.case.symmetries if law.about_symmetry else (None,):
            covered = law.covers(t, symmetry)
            if covered.any():
                spent = spent_of(law.residual(t, symmetry) if symmetry else law.residual(t))
                spent = spent.max(axis=1) if spent.ndim == 3 else spent
                step = np.arange(t.steps - len(spent), t.steps)[:, None]
                worst = np.maximum(worst, np.where(covered & (step < until), spent, 0).max(axis=0, initial=0))
    return worst


def ask(found: Finding, case, job, probe: Probe, lane: int, first: int, files) -> bool:
    """One alarmed lane that no reference excuses. Returns whether it is inside to the end."""
    steps = min(job.steps, first + 2)
    alone = screen.some_lanes(job, [lane], steps)
    t = probe.trajectory(case, alone) if probe.applies(alone) else None
    if t is not None:
        records = probe.judge(case, alone, t)
        if take(found, probe, alone, records, files):
            return True
        if certified_steps(t)[0] <= first:
            return False
    # A fault may need company: a tail, a position in the launch. The whole launch, up to where it failed.
    together = screen.some_lanes(job, range(job.lanes), steps)
    whole = probe.trajectory(case, together)
    records = judge_inside(case, alone, part(whole, [lane]), EXACT, about=probe.about(case, job))
    for record in records:
        if record.worst:
            record.worst["lane"] = lane
    if not take(found, probe, together, records, files):
        where = f"{found.batch.name}: lane {lane}, step {first}"
        found.false_alarms.append(f"{where}: the screen alarms, the host does not confirm it")
    return True


def take(found: Finding, probe: Probe, job, records: list[Record], files) -> bool:
    """Keep the records that are violated, and say whether there are any."""
    bad = [r for r in records if r.verdict == VIOLATED]
    for r in bad:
        run, law = (r.case, r.rule, r.precision, probe.backend), (r.law, r.symmetry)
        subject = Subject(*run, *law, probe.plant, files.get(r.case, ""))
        worst = Example.of(job, range(job.lanes))
        worst.found.update(found_in(r))
        found.violations.append((subject, worst, r))
    return bool(bad)


def replay(
    found: Finding, case, job, probe: Probe, screened: screen.Screening, eligible: np.ndarray, files
) -> None:
    """The worst lane of each law and a random sample, whole, on the host; their final states must be the
    screen's."""
    lanes = np.flatnonzero(eligible)
    room = max(1, HOST // (job.steps + 1))
    if not len(lanes):
        return
    spent = np.where(screened.covered & eligible, screened.spent, -1.0)
    worst = spent.argmax(axis=1)[np.argsort(-spent.max(axis=1))][: max(1, room // 2)]
    rng = np.random.default_rng(found.batch.seed + 1)
    sample = rng.choice(lanes, min(SAMPLE, len(lanes), room), replace=False)
    chosen = np.unique(np.concatenate([worst, sample]))
    chosen = chosen[eligible[chosen]]
    if probe.plant:  # it may need its launch: lanes of the whole
        t = part(probe.trajectory(case, job), chosen)
    else:
        t = probe.trajectory(case, screen.some_lanes(job, chosen))
    some = screen.some_lanes(job, chosen)
    found.records = judge_inside(case, some, t, EXACT, about=probe.about(case, job))
    differ = final_states_differ(job, screened, t, chosen)
    if differ:
        what = f"{differ} values of the final states are not those of the replay"
        found.false_alarms.append(f"{found.batch.name}: {what}")
    take(found, probe, some, found.records, files)
    for record in found.records:
        if record.worst:
            record.worst["lane"] = int(chosen[record.worst["lane"]])
