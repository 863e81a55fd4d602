"""How many worker processes to use: as many as processors and memory allow.

A container or a batch job may use less than the machine has: its processors are in the affinity mask or are a
share of time that the cgroup grants, its memory is what the cgroup leaves. Neither os.cpu_count nor
MemAvailable knows of it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from noether.system.usage import UsageError

AUTO = "auto"
MOST = 1024
WORKER = 0.7 * 2**30
"""Bytes that one worker may need. Measured at the peak: 0.27 GB in a quick run, 0.57 GB in a full one; two
workers and
the process that planned took 0.71 and 1.26 GB together. The interpreter that a worker starts for Triton is in
it."""
HERE = 0.4 * 2**30  # of the process that plans and judges; measured 0.25 GB
UNLIMITED = 2**60  # cgroup v1 says "no limit" with a number near 2**63
MEMORY_INFO, MEMBERSHIP, MOUNT = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def jobs(word: str | int | None = AUTO) -> int:
    """The number of workers that was asked for, a whole number or 'auto'. Raises UsageError."""
    if word is None or word == AUTO:
        return automatic()
    if isinstance(word, str) and len(word) < 20:
        with suppress(ValueError):
            word = int(word)
    if isinstance(word, bool) or not isinstance(word, int) or not 1 <= word <= MOST:
        raise UsageError(f"--jobs is {word!r}, must be auto or a whole number from 1 to {MOST}")
    return word


def automatic() -> int:
    """How many workers 'auto' is: one for each usable processor, as far as the memory that is free now
    reaches."""
    free = memory()
    fits = MOST if free is None else int((free - HERE) // WORKER)
    return max(1, min(processors(), fits, MOST))


def processors() -> int:
    """How many processors this process may use at once: by affinity, and by its cgroup's share of time,
    rounded up."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([here, *(math.ceil(share) for share in shares())]))


def shares() -> Iterator[float]:
    """How many processors' worth of time each cgroup above this process grants."""
    for folder in folders("cpu"):
        words = (said(folder / "cpu.max") or "").split()  # version 2: quota period
        if not words:
            words = [said(folder / "cpu.cfs_quota_us") or "", said(folder / "cpu.cfs_period_us") or ""]
        numbers = [number(word) for word in words]
        if len(numbers) == 2 and None not in numbers and min(numbers) > 0:
            yield numbers[0] / numbers[1]


def memory() -> int | None:
    """How many bytes can still be taken, of the machine and within each cgroup; None where nothing
    says so."""
    found = [here for here in (available(),) if here is not None]
    for folder in folders("memory"):
        limit = number(said(folder / "memory.max") or said(folder / "memory.limit_in_bytes"))
        used = number(said(folder / "memory.current") or said(folder / "memory.usage_in_bytes"))
        if limit is not None and used is not None and limit < UNLIMITED:
            found.append(max(0, limit - used + reclaimable(folder)))
    return min(found, default=None)


def available() -> int | None:
    for line in (said(MEMORY_INFO) or "").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            kilobytes = number(value.split()[0])
            return None if kilobytes is None else 1024 * kilobytes
    return None


def reclaimable(folder: Path) -> int:
    """How many bytes of files the kernel keeps in memory and gives back when asked: they count as used."""
    lines = (said(folder / "memory.stat") or "").splitlines()
    return max(
        (
            number(x.split()[1]) or 0
            for x in lines
            if x.startswith(("inactive_file ", "total_inactive_file "))
        ),
        default=0,
    )


def folders(controller: str) -> Iterator[Path]:
    """The folders of this process' cgroup and of those around it, of either version.

    In a container the path may be that of the host, and not there: its root is then the group itself.
    """
    for line in (said(MEMBERSHIP) or "").splitlines():
        _, names, path = (line.split(":", 2) + ["", ""])[:3]
        if controller not in names.split(",") and names:
            continue
        root = MOUNT / names if names else MOUNT
        roots = [root] if root.is_dir() else [MOUNT / controller]
        for top in roots:
            inner = top / path.lstrip("/")
            yield from (x for x in (inner, *inner.parents) if x.is_relative_to(top))


def said(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def number(word: str | None) -> int | None:
    return int(word) if word is not None and word.isascii() and word.isdigit() else None
