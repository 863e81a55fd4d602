"""The static table of screens: the exact laws of each core case in one kernel, and in shares of the laws.

python -m noether.labs.bench.registers   prints a table in Markdown, progress on stderr

Nothing here ran on a GPU: ptxas of Triton's wheel assembles, and the machine code is counted (static.py).
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops.assembler import assembled
from noether.kernels.loops.backends import compiled
from noether.kernels.loops.screen_shares import ordered, shared
from noether.kernels.programs.precision import parse
from noether.labs.bench.static import DEVICES, Device, implied, listing, loop, piped
from noether.labs.bench.work import LAWS
from noether.laws.exact.cell import rules_of
from noether.laws.exact.screen import prepare
from noether.mechanics import sweep

HEAD = (
    "case|precision|laws|sm|way|kernels|registers|spilled|spilled in the loop|global, bytes|instructions|"
    "fp64|bound, steps/s|limit"
)
WORDS = (
    "Counted in the machine code of ptxas, not measured: no GPU was at hand. `D2` is the charge law of every "
    "symmetry, `all` is every exact law of the rule.",
    "`spilled` are the bytes of the instructions that write registers to memory and read them back, as ptxas "
    "counts them; only where there are any, there is another way: all laws in one kernel depth first "
    "(`ordered`), or in shares.",
    "`spilled in the loop` are those of one step of one lane, and `global, bytes` is what a step reads and "
    "writes in global memory.",
    "Instructions, bytes and fp64 are sums over the kernels of a way, registers the most of any.",
)


@dataclass(frozen=True)
class Way:
    """One way to screen, counted: numbers of a step of a lane are sums over its kernels."""

    kernels: int
    registers: int
    spilled: int
    local: int
    moved: int
    instructions: int
    pipes: Counter


def moved(body: list[str], words: str) -> int:
    """Bytes that the memory instructions of these names move."""
    found = [re.match(rf"({words})(?:\.\w+)*", text) for text in body]
    of = lambda name: next((n for part, n in ((".128", 16), (".64", 8), (".U16", 2)) if part in name), 4)
    return sum(of(m[0]) for m in found if m)


def counted(launches: list, arch: int) -> Way:
    """The way of these launches."""
    done = [assembled(compiled(launch, arch).ptx) for launch in launches]
    bodies = [loop(listing(x.sass)) for x in done]
    total = lambda words: sum(moved(body, words) for body in bodies)
    most, spilled = max(x.registers for x in done), sum(x.spills for x in done)
    bytes_ = (total("STL|LDL"), total("STG|LDG"))
    pipes = sum((piped(body) for body in bodies), Counter())
    return Way(len(done), most, spilled, *bytes_, sum(map(len, bodies)), pipes)


def rows() -> Iterator[list[str]]:
    """The rows under HEAD."""
    for case in CORE:
        rule = RULES["heavy-ball" if "heavy-ball" in rules_of(case) else rules_of(case)[0]]
        for precision in ("float64", "float32"):
            job = replace(sweep.draw(case, rule, parse(precision), lanes=256, steps=4, seed=0), trace=False)
            for laws in (LAWS, None):
                try:
                    screen = prepare(case, job, laws)[0]
                except ValueError:
                    continue  # the law says nothing of this rule
                word = " ".join(laws) if laws else "all"
                for arch, device in DEVICES.items():
                    print(f"{case.name} {precision} {word} sm_{arch}", file=sys.stderr)
                    way = counted([screen], arch)
                    ways = [("one kernel", way)]
                    if way.spilled:
                        ways.append(("ordered", counted([ordered(screen)], arch)))
                        ways.append(("shares", counted(shared(screen), arch)))
                    for name, way in ways:
                        yield [case.name, precision, word, str(arch), name, *told(way, device)]


def told(way: Way, device: Device) -> list[str]:
    """The columns of a way."""
    rate, limit = implied(way.pipes, way.instructions, device)
    numbers = (way.kernels, way.registers, way.spilled, way.local, way.moved, way.instructions)
    return [*map(str, (*numbers, way.pipes["fp64"])), f"{rate:.2g}", limit]


def main() -> None:
    """Print the table."""
    head = HEAD.split("|")
    print(*WORDS, "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), sep="\n")
    for row in rows():
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
