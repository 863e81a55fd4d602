"""The results of the benchmark in numbers and words: ratios, means, tables on the terminal, plain data for
--json."""

from __future__ import annotations

import math
from dataclasses import asdict

from noether.labs.bench.campaign import Campaign
from noether.labs.bench.measurement import Measurement, Timing
from noether.labs.bench.peers import MODULES, OURS
from noether.report.table import listing
from noether.system import machine

# Lanes from which the claim is made.
MANY = 4096


def ratio(m: Measurement, t: Timing | None, which: str = "seconds") -> str:
    """A tool's time over ours as `median (lower .. upper quartile)`; its rate where ours was not timed.

    which  "seconds" or "cpu", the processor time of all threads
    """
    if t is None:
        return ""
    if not t.seconds:
        return t.problem
    if m.of(OURS) is None or not m.of(OURS).seconds:
        return f"{m.rate(t):.3g} lane-steps/s"
    low, middle, high = m.ratio(t, which)
    return f"{middle:.2f} ({low:.2f} .. {high:.2f})"


def share(m: Measurement, which: str = "seconds") -> str:
    """How much of what the machine can do ours does, as `median (lower .. upper quartile), what limits`."""
    if not m.has_share:
        return ""
    low, middle, high = m.share(which)
    told = f"{middle:.2f} ({low:.2f} .. {high:.2f}) {m.limit}"
    return f"the limit is wrong: {told}" if low > 1 else told


def mean(values: list[float]) -> float | None:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def means(campaign: Campaign, which: str = "seconds") -> dict[str, float | None]:
    """Geometric mean of the median ratios with at least MANY lanes: against each tool, and against the best
    of each work."""
    works = [m for m in campaign.measurements if m.work.lanes >= MANY and m.best]

    def against(peer: str) -> list[float]:
        timed = [(m, m.of(peer)) for m in works]
        return [m.ratio(t, which)[1] for m, t in timed if t and t.seconds]

    out = {peer: mean(against(peer)) for peer in MODULES if peer != OURS}
    best = mean([m.ratio(m.best, which)[1] for m in works])
    return {**{peer: value for peer, value in out.items() if value}, "the best of each": best}


def head(names: list[str]) -> list[str]:
    """The head of a table over the tools of these names."""
    return ["case", "precision", "size", f"{OURS}, /s", "of the limit", *[n for n in names if n != OURS]]


def row(m: Measurement, names: list[str]) -> list[str]:
    """The row of one work under `head`."""
    ours = m.of(OURS)
    mine = (f"{m.rate(ours):.3g}" if ours.seconds else ours.problem) if ours else ""
    size = f"{m.work.lanes} x {m.work.steps}"
    others = [ratio(m, m.of(n)) for n in names if n != OURS]
    return [m.work.case, m.work.precision, size, mine, share(m), *others]


def tables(campaign: Campaign):
    """The tables for the terminal."""
    for kind in campaign.kinds:
        table = listing(kind, *head(campaign.names)[1:])
        for m in campaign.measurements + campaign.scaling:
            if m.work.kind == kind:
                table.add_row(*row(m, campaign.names))
        yield table
    if campaign.shapes:
        table = listing("case", "precision", "work", "sm", "regs", "spills", "instr", "bound/s", "limit")
        for s in campaign.shapes:
            counted = map(str, (s.arch, s.registers, s.spills, s.instructions))
            table.add_row(s.case, s.precision, s.kind, *counted, f"{s.rate:.2g}", s.limit)
        yield table
    yield "\n".join(sentences(campaign))


def sentences(campaign: Campaign) -> list[str]:
    """What follows from the ratios, for works of at least MANY lanes."""
    said = [f"missing: {name}: {why}" for name, why in campaign.missing.items()]
    said += [*shares(campaign)]
    works = [m for m in campaign.measurements if m.work.lanes >= MANY and m.best]
    if not works:
        return [*said, f"no work of at least {MANY} lanes has ours and another to compare"]
    slower = [m for m in works if m.is_slower]
    for words, which in (("seconds", "seconds"), ("processor time", "cpu")):
        told = ", ".join(f"{k} {v:.2f}" for k, v in means(campaign, which).items() if v)
        counted = f"{len(works)} works of at least {MANY} lanes"
        said.append(f"geometric mean of {words} over ours, {counted}: {told}")
    beyond = f"ours is slower than the best other beyond the spread in {len(slower)} of {len(works)}"
    return [*said, beyond + "".join(f"; {m.work.label}: {m.best.peer} {ratio(m, m.best)}" for m in slower)]


def shares(campaign: Campaign):
    """What is said of how near ours is to what the machine can do, for each kind of work."""
    for kind in campaign.kinds:
        near = [m for m in campaign.measurements if m.work.kind == kind and m.work.lanes >= MANY]
        near = [m for m in near if m.has_share and not m.is_beyond]
        if near:
            least = min(near, key=lambda m: m.share("cpu")[1])
            average = mean([m.share("cpu")[1] for m in near])
            yield (
                f"{kind}: {average:.2f} of what the machine can do, by processor time, in the geometric mean "
                f"of {len(near)} works; the least is {least.work.label}: {share(least, 'cpu')}"
            )
    yield from (f"the limit is wrong, nothing follows: {text}" for text in campaign.beyond)


def plain(campaign: Campaign) -> dict:
    """The results as plain data for --json."""
    works = []
    for m in campaign.measurements + campaign.scaling:
        told = {t.peer: timing(m, t) for t in m.timings}
        works.append({**asdict(m.work), "operations": m.work.operations, "limit": limit(m), "tools": told})
    return {
        "date": campaign.date,
        "versions": machine.versions(),
        "machine": {k: v for k, v in machine.machine().items() if k != "platform"},
        "missing": campaign.missing,
        "works": works,
        "geometric_means": means(campaign),
        "rates": fastest(campaign),
        "static": [asdict(s) for s in campaign.shapes],
    }


def limit(m: Measurement) -> dict | None:
    """How near ours is to what the machine can do, as plain data."""
    if not m.has_share:
        return None
    kinds = ("seconds", "cpu")
    seconds = {which: sorted(t for t, _ in m.least(which))[len(m.rates) // 2] for which in kinds}
    told = {"operations": m.asked, "least": seconds, "by": m.limit, "is_wrong": m.is_beyond}
    return {**told, "share": {which: list(m.share(which)) for which in kinds}}


def fastest(campaign: Campaign) -> dict:
    """type -> pipe -> the most operations a second that any round found, by each way of counting seconds."""
    best: dict = {}
    for rates in (r for m in campaign.measurements + campaign.scaling for r in m.rates):
        for kind, pipes in rates.items():
            for pipe, of in pipes.items():
                kept = best.setdefault(kind, {}).setdefault(pipe, dict.fromkeys(of, 0.0))
                kept.update({which: max(kept[which], rate) for which, rate in of.items()})
    return best


def timing(m: Measurement, t: Timing) -> dict:
    """One tool on one work as plain data; times in seconds, memory in MiB."""
    is_timed = t.seconds and m.of(OURS) and m.of(OURS).seconds
    told = {
        "variant": t.variant,
        "seconds": t.seconds,
        "cpu": t.cpu,
        "compile": t.compile,
        "peak_mib": t.peak,
    }
    told |= {"problem": t.problem, "agreement": asdict(t.agreed) if t.agreed else None}
    return {**told, "ratio": list(m.ratio(t)) if is_timed else [None, None, None]}
