"""What a watch found, as text: the verdict in a sentence, law by law, the layers, and what was noticed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from statistics import median

from rich.console import Console
from rich.text import Text

from noether.campaigns.watch.seat import Seat
from noether.campaigns.watch.sentences import remarks
from noether.campaigns.watch.tally import LAWS, TITLES, Tally
from noether.campaigns.watch.watcher import Watcher
from noether.report.terminal import COLOUR, listing, number
from noether.system.outside import plural
from noether.verdicts import exit_codes
from noether.verdicts.power import percent
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED

WIDTH = 120
LAYERS = 12  # or charges, of which a table has a line
CHARGES = {"momentum": "<p, xi>", "norm": "<q, A q>/2", "translation": "<q, a>"}
"""Law of harness/networks/charges.py -> its charge."""
FEW = 4  # names in a sentence
SIGN = {HOLDS: "✓", VIOLATED: "✗", INCONCLUSIVE: "?", OUTSIDE: "-"}
WORD = {
    exit_codes.HOLDS: "what could be judged holds",
    exit_codes.VIOLATED: "a law is violated",
    exit_codes.UNDECIDED: "nothing could be decided",
    exit_codes.INTERNAL: "the watch itself failed",
}


def text(watcher: Watcher, result) -> str:
    """All of it as one text."""
    out = Console(file=io.StringIO(), width=WIDTH, highlight=False, markup=False, color_system=None)
    for content in contents(watcher, result):
        out.print(content)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines()) + "\n"


def contents(watcher: Watcher, result) -> Iterator:
    """The parts of the report, as rich prints them."""
    yield Text(heading(watcher, result))
    yield Text(spending(watcher))
    yield Text()
    yield laws(watcher)
    if any("charge" in t.data for _, t in watcher.tallies):
        yield Text()
        yield charges(watcher)
    if any(seat.facts.turns for seat in watcher.seats):
        yield Text()
        yield layers(watcher)
    found = remarks(watcher)
    odd = [str(x) for x in found if x.odd]
    notes = [*(str(x) for x in found if not x.odd), *noticed(watcher)]
    for title, told in (("what is odd", odd), ("what else was seen", notes)):
        if told:
            yield Text(f"\n{title}")
            yield from (Text(f"- {note}") for note in told)
    if result.folder is not None:
        yield Text()
        yield Text(f"written to {result.folder}: report.html, junit.xml, records.jsonl")


def heading(watcher: Watcher, result) -> str:
    """The verdict, and on what it stands."""
    steps = ", ".join(f"{seat.word}: {plural(seat.number - 1, 'step')}" for seat in watcher.seats)
    first = next((t for _, t in watcher.tallies if t.first is not None), None)
    sign = {0: SIGN[HOLDS], 1: SIGN[VIOLATED]}.get(result.exit_code, SIGN[INCONCLUSIVE])
    said = f"{sign} {WORD.get(result.exit_code, 'could not decide')} ({steps})"
    if first is None:
        return said
    return f"{said}: {first.law} of {first.group}, first in step {first.first[0]}"


def spending(watcher: Watcher) -> str:
    """Which steps were looked at, and what that took."""
    looked = [f"{len(seat.facts.sampled)} of {seat.number - 1}" for seat in watcher.seats]
    own, training = watcher.clock.own, watcher.clock.training
    first = sum(a.first or 0.0 for seat in watcher.seats for a in seat.accounts.values())
    share = f"{percent(own / training)} of the training's {training:.3g} s" if training > 0 else "all time"
    return (
        f"looked at {', '.join(looked)} steps in {own:.3g} s, {share}; {first:.2g} s of it the first samples"
    )


def laws(watcher: Watcher):
    """Law by law, each with its verdicts and its worst group."""
    table = listing("law", "", "groups", "samples", "spent", "where it is worst")
    for column in (2, 3, 4):
        table.columns[column].justify = "right"
    for law in LAWS:
        mine = [t for _, t in watcher.tallies if t.law == law]
        for verdict in (VIOLATED, HOLDS, INCONCLUSIVE, OUTSIDE):
            some = [t for t in mine if t.verdict == verdict]
            if some:
                top = max(some, key=weight)
                spent = "" if top.worst.spent is None else number(top.worst.spent)
                name = Text(f"{law} {TITLES[law]}")
                sign = Text(SIGN[verdict], style=COLOUR[verdict])
                sizes = str(len(some)), str(sum(t.samples for t in some))
                table.add_row(name, sign, *sizes, spent, f"{top.group}: {told(top)}")
    return table


def weight(tally: Tally) -> float:
    """By what the worst of some tallies is found."""
    return tally.worst.spent if tally.worst.spent is not None else tally.data.get("broken", 0.0)


def told(tally: Tally) -> str:
    """What is said of one tally."""
    if tally.verdict == OUTSIDE:
        return f"{tally.why}, by {number(tally.data['broken'])} of its reach"
    where = f"step {tally.first[0] if tally.first else tally.at}: " if tally.samples else ""
    return where + tally.why


def charges(watcher: Watcher):
    """The charges of the families: what they were and are, those that a step changes by most parts first."""
    table = listing("symmetry", "of", "charge", "first", "now", "lost to rounding")
    for column in (3, 4, 5):
        table.columns[column].justify = "right"
    found = [t for _, t in watcher.tallies if "charge" in t.data]
    change = lambda t: -abs(t.data["charge"] - t.data["first_charge"]) / max(t.data["first_charge"], 1e-300)
    for t in sorted(found, key=change)[:LAYERS]:
        sizes = number(t.data["first_charge"]), number(t.data["charge"]), number(t.data["lost"])
        table.add_row(t.symmetry or "", t.group, CHARGES[t.data["law"]], *sizes)
    return table


def layers(watcher: Watcher):
    """How far layers turn, those that turn farthest from their equilibrium first."""
    table = listing("layer", "angle a step", "now", "equilibrium", "lr/|w|^2")
    for column in range(1, 5):
        table.columns[column].justify = "right"
    rows = []
    for seat in watcher.seats:
        for layer, course in seat.facts.turns.items():
            last = course[-1][1]
            rows.append((layer, median(x.angle for _, x in course), last))
    off = lambda row: -abs(row[2].angle / row[2].expected - 1) if row[2].expected else 0.0
    for layer, usual, last in sorted(rows, key=off)[:LAYERS]:
        expected = number(last.expected) if last.expected else ""
        rate = number(last.rate) if last.rate else ""
        table.add_row(layer, number(usual), number(last.angle), expected, rate)
    return table


def noticed(watcher: Watcher) -> Iterator[str]:
    """What a user should know beside the laws, a sentence each."""
    for seat in watcher.seats:
        yield from of_seat(seat)
    for net in watcher.nets:
        if net.no_families:
            yield f"no symmetries were looked for in {type(net.inner).__name__}: {net.no_families}"
    if watcher.fault:
        yield "the watch itself failed: please report errors.txt, or what noether.watch warned of"


def of_seat(seat: Seat) -> Iterator[str]:
    """The same of one optimizer."""
    facts = seat.facts
    yield from between(seat)
    for step, name in facts.infinite[:1]:
        later = f", and in {len(facts.infinite) - 1} later ones" if len(facts.infinite) > 1 else ""
        yield f"the gradient of {name} is not finite in step {step}{later}"
    for why, times in facts.unjudged.most_common(FEW):
        yield f"not judged in {plural(times, 'step')}: {why}"
    if facts.large:
        yield f"too large for the limit of memory, so that no update was judged: {names(sorted(facts.large))}"


def between(seat: Seat) -> Iterator[str]:
    """What happened between the loss and the optimizer."""
    facts = seat.facts
    if facts.factors:
        low, high = (f(x for _, x in facts.factors) for f in (min, max))
        many = len(facts.factors)
        if facts.repeated:
            which = f"{facts.repeated} of {many}" if facts.repeated < many else f"all {many}"
            what = f"{seat.word} was given x times the gradient of the network's outputs, to rounding"
            yield f"{what}, in {which} samples: x from {low:.4g} to {high:.4g}"
        if facts.rests:
            step, rest = max(facts.rests, key=lambda x: x[1])
            what = "something else too, as of a penalty on parameters or of sums in another order"
            where = f"{percent(rest)} of it at most, in step {step}"
            yield f"in {plural(len(facts.rests), 'sample')} it was given {what}: {where}"
    rounded = {name: x for name, x in facts.rounding.items() if x < 1}  # beyond it the gradient itself is 0
    if rounded:
        name = max(rounded, key=rounded.get)
        yield f"autograd rounds the gradient of {name} most: by {number(rounded[name])} of it"


def names(found: list[str]) -> str:
    """A few names, and how many more."""
    more = len(found) - FEW
    return ", ".join(found[:FEW]) + (f" and {more} more" if more > 0 else "")
