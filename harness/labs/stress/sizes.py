"""Stress by size: screened launches with very many lanes, and with very many steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision, widen
from noether.laws.exact.screen import outside, screen
from noether.mechanics import sweep
from noether.runs.worker_pool import Crew

MEMORY = 1.5 * 2**30
LANES = (1, 2, 31, 32, 33, 127, 128, 129, 1023, 1025, 10_007, 100_003, 1_000_000)
HORIZON = (10**3, 10**4, 10**5, 10**6, 10**7)


def case_named(name: str):
    """The case of the catalogue with this name."""
    return next(c for c in CATALOG if c.name == name)


def alarms(case, job, found) -> int:
    """Lanes above 1 in some law that no reference sees leave the domain."""
    return int((found.alarmed & ~outside(case, job, found)).sum()) if found.alarmed.any() else 0


def one_size(
    backend: str, name: str, rule: str, precision: str, lanes: int, steps: int
) -> tuple[int, int, int, float, float]:
    """One screened launch: checks, alarms, lanes that moved, worst spent, peak memory of this process in
    bytes."""
    case = case_named(name)
    job = sweep.draw(case, RULES[rule], Precision(precision), lanes=lanes, steps=steps, seed=lanes)
    found = screen(case, job, backend=backend)
    import resource  # POSIX alone has it

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found.checks, alarms(case, job, found), int((found.moved > 0).sum()), found.worst, peak


def lanes(place: Path, *, counts=LANES, steps: int = 8, backends=("numpy", "triton-cpu")) -> list[str]:
    """Launches with many lanes, each in a process of its own, so that its peak memory is its own."""
    problems = []
    for backend in backends:
        if launch.missing(backend):
            print(f"lanes: {backend} is not here: {launch.missing(backend)}")
            continue
        most = checked = 0
        for count in counts:
            with Crew(1) as crew:
                launched = (backend, "mexican-hat", "heavy-ball", "float32", count, steps)
                checks, alarmed, moved, worst, peak = crew.submit(one_size, *launched).result()
            most, checked = max(most, peak), checked + checks
            if alarmed or not moved * 2 >= count or not 0 < worst <= 1:
                told = f"{alarmed} false alarms, {moved} moved, worst spent {worst:.3g}"
                problems.append(f"{count} lanes on {backend}: {told}")
            if peak >= MEMORY:
                told = f"{peak / 2**20:.0f} MB, must be below {MEMORY / 2**20:.0f}"
                problems.append(f"{count} lanes on {backend} take {told}")
        size = f"{counts[0]} to {counts[-1]} lanes, {checked:.3g} checks, peak {most / 2**20:.0f} MB"
        print(f"lanes: {backend}, {size}")
    return problems


NARROW = ("float32", "bfloat16")


def horizons(place: Path, *, until=HORIZON, lanes=256, precisions=NARROW, backend="triton-cpu") -> list[str]:
    """Long launches, in stretches that go on from the stored state; a stretch on which q never moved is
    frozen."""
    if launch.missing(backend):
        print(f"horizons: {backend} is not here: {launch.missing(backend)}")
        return []
    problems, case = [], case_named("mexican-hat")
    for precision in precisions:
        job = sweep.draw(case, RULES["heavy-ball"], Precision(precision), lanes=lanes, steps=until[0], seed=7)
        done, moved, effect = 0, np.zeros(lanes, np.int64), []
        for end in until:
            job = replace(job, steps=end - done)
            found = screen(case, job, backend=backend)
            wrong = alarms(case, job, found)
            if wrong or not found.worst > 0:
                problems.append(
                    f"{precision}, steps {done} to {end}: {wrong} false alarms, worst spent {found.worst:.3g}"
                )
            moved += found.moved
            effect.append(f"{end:.0e}: {np.mean(found.moved == 0):.0%}")
            p = job.precision
            job = replace(job, q0=widen(found.q, p.q_store), v0=widen(found.v, p.v_store))
            done = end
        checks = f"{found.checks:.3g} checks in the last stretch, worst spent {found.worst:.3g}"
        frozen = f"lanes frozen over the stretch that ends at step {', '.join(effect)}"
        motion = f"q moved on {int(np.median(moved))} steps in the median lane"
        print(f"horizons: {precision}, {lanes} lanes, {done} steps, {checks}; {frozen}; {motion}")
    return problems
