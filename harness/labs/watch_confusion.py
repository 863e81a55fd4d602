"""What a watch says of mistakes in training scripts: a table of planted against seen.

Run as `python -m noether.labs.watch_confusion > docs/networks/planted.md`: Markdown on stdout; the exit code
is 1 where a mistake is not said in the words that were predicted, one that cannot be seen is, or the same
words are said of the script without it.
"""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import dataclass

from noether.api.watch import watch
from noether.campaigns.watch.plants import PLANTS, Plant
from noether.networks.network import one_thread
from noether.verdicts.record import VIOLATED


@dataclass(frozen=True)
class Told:
    """What a watch said of one script.

    said     its whole report in one line, and the reasons of all that is violated
    remarks  (step, words, odd) of those;  violated  the laws' own words;  code  its exit code
    """

    said: str
    remarks: tuple[tuple[int | None, str, bool], ...]
    violated: tuple[str, ...]
    code: int

    @property
    def accused(self) -> list[str]:
        """What is odd or violated."""
        return [*self.violated, *(words for _, words, odd in self.remarks if odd)]


def told(plant: Plant, *, wrong: bool) -> Told:
    """Train one script under a watch that looks at every step."""
    kept = []

    def watching(model, optimizer):
        kept.append(watch(model, optimizer, every=1, live=False))
        return kept[-1]

    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")
        plant.script(watching, wrong)
    (w,) = kept
    bad = [r for r in w.result.records if r.verdict == VIOLATED and r.fault is None]
    reasons = tuple(f"{r.law} of {r.reason}" for r in bad)
    remarks = tuple((x.step, x.said, x.odd) for x in w.remarks)
    said = " ".join(w.report().split())
    return Told(" ".join([said, *reasons, *(x[1] for x in remarks)]), remarks, reasons, w.exit_code)


def seen(plant: Plant, found: Told) -> bool:
    """Whether a watch said what was predicted of a mistake."""
    return bool(plant.says) and plant.says in found.said


def words(plant: Plant, wrong: Told, right: Told) -> str:
    """What is said of the script with the mistake and not of the other one, what names it first."""
    plain = {x[1] for x in right.remarks}
    found = [*wrong.violated, *(step_of(x) for x in wrong.remarks if x[1] not in plain)]
    named = [x for x in found if plant.says and plant.says in x]
    if not found and seen(plant, wrong):
        return f"... {plant.says} ..."
    return (named or found or ["the same as without it"])[0]


def step_of(remark: tuple[int | None, str, bool]) -> str:
    """A remark with its first step."""
    step, said, _ = remark
    return said if step is None else f"from step {step}: {said}"


def row(plant: Plant) -> tuple[str, bool]:
    """A line of the table, and whether all is as predicted and the right script is not accused."""
    wrong, right = (told(plant, wrong=x) for x in (True, False))
    as_said = seen(plant, wrong) == bool(plant.says)
    good = as_said and not seen(plant, right) and not right.accused
    predicted = f"“{plant.says}”" if plant.says else "cannot be seen"
    verdict = "yes" if seen(plant, wrong) else "no" if plant.blind else "**no**"
    without = "nothing odd" if not right.accused else f"**{right.accused[0]}**"
    cells = plant.name, predicted, words(plant, wrong, right).replace("|", "\\|"), verdict, without
    return f"| {' | '.join(cells)} |", good


HEAD = """# Mistakes planted into training scripts

`noether.watch` looks at a training from outside. Each line of the table is a small training script with one
mistake in it, on the digits of scikit-learn, beside the same script without the mistake
(`harness/campaigns/watch/plants/`). What the watch should say was predicted before any was run; where
another thing was predicted of what cannot be seen, its reason says so. This page is made by
`python -m noether.labs.watch_confusion`.

| planted | predicted | what the watch says | seen | said of the script without it |
|---|---|---|---|---|"""


def main() -> int:
    """Print the page."""
    print(HEAD)
    good, count, begun = [], 0, time.monotonic()
    for plant in PLANTS.values():
        line, right = row(plant)
        good.append(right)
        count += bool(plant.says)
        print(line, flush=True)
    blind = [plant for plant in PLANTS.values() if plant.blind]
    print(f"\n{len(PLANTS)} planted: of {count} it must say something, {len(blind)} it cannot see.")
    print("\n## What cannot be seen\n")
    for plant in blind:
        print(f"- {plant.name}: {plant.blind}.")
    print(f"{sum(good)} of {len(good)} as predicted, {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
