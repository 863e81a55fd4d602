"""The laws in real training: every network of the catalogue, by four optimizers, in two precisions.

Run as `python -m noether.labs.networks_table [NAME ...]`: Markdown on stdout, progress on stderr. The exit
code is 1 where a law is violated, where what is found in a network is not what its architecture predicts, or
where a fault that was planted is not seen.

First table: the symmetries that a walk through the network finds on one minibatch, against those that were
written down by hand. Second table: what the watch of `noether.watch` finds in trainings of STEPS steps, each
of EVERY looked at: what the optimizer's update, the charges and the gradients spend of their bounds, at
most.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from noether.campaigns.watch.budget import Schedule
from noether.campaigns.watch.symmetries import found as families_of
from noether.campaigns.watch.tally import LAWS, SLOPE
from noether.campaigns.watch.watcher import Watcher
from noether.labs.networks_probes import called_once
from noether.networks.check import EPS, KEPT, Checked, checked, walked
from noether.networks.families import KINDS
from noether.networks.network import Network
from noether.networks.recipes import Recipe
from noether.networks.training import train
from noether.networks.zoo import NETWORKS, network
from noether.verdicts.record import VIOLATED

STEPS, EVERY = 200, 10
MEMORY = 2**30
OPTIMIZERS = ("sgd", "momentum", "decay", "adamw")
PRECISIONS = ("float32", "bfloat16-autocast")


# ---- what is found in a network


def on_one_batch(one: Network) -> list[Checked]:
    """The families that a walk proposes, each checked on the first samples."""
    model, call = called_once(one, Recipe())
    return checked(model, [call], walked(model, call)[0])


def row_of(one: Network) -> tuple[str, bool]:
    """The row of the first table, and whether all is as predicted."""
    found = on_one_batch(one)
    kept = [x for x in found if x.verdict in (KEPT, EPS)]
    cells, right = [], True
    for kind in KINDS:
        count = sum(x.family.count for x in kept if x.family.kind == kind)
        same = count == one.count(kind)
        right &= same
        cells.append(f"{count}" if same else f"**{count}**, predicted {one.count(kind)}")
    broken = "; ".join(f"{x.family.kind} of {x.family.words}" for x in found if x not in kept)
    eps = max((x.breaking for x in kept if x.verdict == EPS), default=0.0)
    left = max((x.unexplained for x in kept), default=0.0)
    cells += [f"{eps:.0e}" if eps else "-", f"{left:.0e}", broken or "-"]
    return f"| {one.name} | {' | '.join(cells)} |", right


# ---- what is found in its training


@dataclass
class Course:
    """A training under watch.

    spent    law -> the most of its bound;  planted  the same of a fault, in the group that sees it best
    judged   law -> in how many groups something could be judged, of how many
    share    the largest part that the gradient in its own type has along a generator, of its reach
    broken   groups whose symmetry the network itself breaks, and by how much
    factors  what the gradient of the outputs was multiplied by, from and to
    rest     the largest part of a gradient that no factor explains
    still    the share of all numbers that stand still in a step that would move them, the mean
    told     what was violated;  fault  what the watch itself raised
    """

    spent: dict[str, float] = field(default_factory=dict)
    planted: dict[str, float] = field(default_factory=dict)
    judged: dict[str, tuple[int, int]] = field(default_factory=dict)
    share: float = 0.0
    broken: dict[str, float] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    unjudged: dict[str, int] = field(default_factory=dict)
    factors: tuple[float, float] = (1.0, 1.0)
    rest: float = 0.0
    still: float = 0.0
    fault: str = ""
    samples: int = 0
    score: float = 0.0
    skipped: int = 0
    seconds: float = 0.0


def course(one: Network, recipe: Recipe, *, steps: int = STEPS, every: int = EVERY, seed: int = 0) -> Course:
    """Train a network under watch."""
    begun, watchers = time.monotonic(), []

    @contextmanager
    def under(model, optimizer) -> Iterator[None]:
        watchers.append(Watcher(model, optimizer, Schedule.of(0.1, every, None), MEMORY, find=families_of))
        try:
            yield
        finally:
            watchers[0].leave()

    trained = train(one, recipe, steps, seed, under=under)
    found = of_watcher(watchers[0])
    found.score, found.skipped, found.seconds = trained.score, len(trained.skipped), time.monotonic() - begun
    return found


def of_watcher(watcher: Watcher) -> Course:
    """What a watch has seen."""
    found = Course(fault=watcher.fault)
    (seat,) = watcher.seats
    for law in LAWS:
        tallies = seat.book.law(law)
        judged = [x for x in tallies if x.samples]
        if not tallies:
            continue
        found.judged[law] = len(judged), len(tallies)
        found.spent[law] = max((x.worst.spent or 0.0 for x in judged), default=0.0)
        planted = [w.spent or 0.0 for x in judged for w in x.planted.values()]
        if planted:
            found.planted[law] = max(planted)
        found.told += [f"{law} of {x.group}: {x.why}" for x in judged if x.verdict == VIOLATED]
    for x in seat.book.law(SLOPE):
        found.share = max(found.share, float(x.data.get("share", 0.0)))
        if "broken" in x.data:
            found.broken[x.group] = float(x.data["broken"])
    factors = [x for _, x in seat.facts.factors]
    found.factors = (min(factors), max(factors)) if factors else (0.0, 0.0)
    found.rest = max((x for _, x in seat.facts.rests), default=0.0)
    found.still = still(seat)
    found.unjudged, found.samples = dict(seat.facts.unjudged), len(seat.facts.sampled)
    return found


def still(seat) -> float:
    """The share of all numbers that stand still in a step that would move them, the mean over samples."""
    points = [(x, seat.names[name].numel()) for name, each in seat.facts.still.items() for _, x in each]
    total = sum(size for _, size in points)
    return sum(x * size for x, size in points) / total if total else 0.0


def cells_of(found: Course) -> list[str]:
    """spent (planted) of each law."""
    cells = []
    for law in LAWS:
        if law not in found.spent:
            cells.append("-")
            continue
        judged, of = found.judged[law]
        planted = f" ({found.planted[law]:.0e})" if law in found.planted else ""
        cells.append(f"{found.spent[law]:.3g}{planted}" + ("" if judged == of else f", {judged} of {of}"))
    return cells


def main(names: list[str]) -> int:
    """Print the tables."""
    torch.set_num_threads(1)
    chosen, wrong = [network(name) for name in names or NETWORKS], []
    print(f"| network | {' | '.join(KINDS)} | eps breaks | left | proposed and broken |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    for one in chosen:
        row, is_right = row_of(one)
        print(row, flush=True)
        wrong += [] if is_right else [f"{one.name}: not as predicted"]
    print("\n| network | optimizer | precision | update | charges | gradient | along | broken | test | s |")
    print("|---|---|---|--:|--:|--:|--:|---|--:|--:|")
    for one in chosen:
        for optimizer in OPTIMIZERS:
            for precision in PRECISIONS:
                found = course(one, Recipe(optimizer, precision))
                broken = "; ".join(f"{group} by {x:.1g}" for group, x in found.broken.items()) or "-"
                row = [one.name, optimizer, precision, *cells_of(found), f"{found.share:.1e}", broken]
                print(f"| {' | '.join([*row, f'{found.score:.2f}', f'{found.seconds:.0f}'])} |", flush=True)
                told = [*found.told, *found.unjudged, *([found.fault] if found.fault else [])]
                told += [f"{law} blind" for law, x in found.planted.items() if not x > 1]
                wrong += [f"{one.name}, {optimizer}, {precision}: {x}" for x in told]
    print(
        *wrong or ["all as predicted, nothing violated, all planted faults seen"], sep="\n", file=sys.stderr
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
