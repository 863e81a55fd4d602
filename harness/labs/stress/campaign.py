"""The command `make stress`: runs that are killed, started twice, starved of disk or damaged, and launches of
extreme size.

    kills     kill -9 at seeded moments of `noether verify`, each resumed: the final records are those of an
              undisturbed run
    workers   kill -9 of workers while the run goes on: each costs one cell, which is tried again or named,
              and resumed
    doubles   two runs started into one folder at the same instant: one is refused, the other is whole
    starved   files that may not grow beyond a size (RLIMIT_FSIZE) and, where it can be mounted, a disk of 64
              kB: what was
              found is kept, and resumed
    damaged   random bytes, cuts and bit flips in every file of a run, in case files and in corpus files: one
              line and exit 2,
              never a traceback, never a verdict that was not reached
    mutations 3000 of each kind of file: damaged ones mean the same or are refused, forged ones are read
    without an exception
    lanes     1 to 10^6 lanes in one launch: no false alarm, peak memory below sizes.MEMORY
    horizons  10^7 steps in float32 and bfloat16: no false alarm; how many lanes froze, and when, is an effect
              and no fault

`python -m noether.labs.stress.campaign [PART ...]` prints what was done; exit code 0, or 1 where something
above is not so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from noether.labs.stress.damage import damaged
from noether.labs.stress.disturbed import doubles, kills, starved
from noether.labs.stress.mutations import mutations
from noether.labs.stress.sizes import horizons, lanes
from noether.labs.stress.workers import workers
from noether.system import resources
from noether.verdicts import exit_codes

PARTS = {
    "kills": kills,
    "workers": workers,
    "doubles": doubles,
    "starved": starved,
    "damaged": damaged,
    "mutations": mutations,
    "lanes": lanes,
    "horizons": horizons,
}


def main(words: list[str] | None = None) -> int:
    """The entry of the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m noether.labs.stress.campaign")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when none is given"
    )
    asked = parser.parse_args(words).parts or list(PARTS)
    if set(asked) - set(PARTS):
        parser.error(f"part is {sorted(set(asked) - set(PARTS))[0]!r}, must be one of {', '.join(PARTS)}")
    if resources.tree() is None:
        parser.error(
            "needs the working tree of the project (its tests and corpus): noether is installed as a "
            "package here"
        )
    problems = []
    with tempfile.TemporaryDirectory(prefix="noether-stress-") as name:
        for part in asked:
            begin = time.perf_counter()
            (Path(name) / part).mkdir()
            problems += [f"{part}: {x}" for x in PARTS[part](Path(name) / part)]
            print(f"{part} took {time.perf_counter() - begin:.1f} s", flush=True)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(problems)} problems" if problems else "nothing lost, nothing doubled, no false alarm")
    return exit_codes.of(violated=problems)


if __name__ == "__main__":
    sys.exit(main())
