"""What `noether doctor` finds: what this machine can run, and why not the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Group
from rich.text import Text

from noether.mechanics.wide import EXTENDED, mantissa_bits
from noether.report.table import listing
from noether.system import compilers, jobs
from noether.system.machine import DISTRIBUTION, cpus, importable, processor, remedy, strangers, versions


@dataclass(frozen=True)
class Finding:
    """needed: without it nothing can be verified here."""

    what: str
    value: str
    fine: bool = True
    needed: bool = False
    remedy: str = ""


def examine() -> list[Finding]:
    return [*software(), *hardware(), *arithmetic(), *backends(), *places()]


def software() -> list[Finding]:
    found = []
    for name, version in versions().items():
        needed = name in ("python", "numpy", "scipy", "sympy", "mpmath")
        fine = version is not None or name == "commit"
        cure = "" if fine else remedy(name)
        found.append(Finding(name, version or "none", fine, needed, cure))
    return [*found, *kernel_compiler(), package(), compiler()]


def kernel_compiler() -> list[Finding]:
    """The finding about Triton, where it is not the version that was tested."""
    version = compilers.release()
    said = compilers.complaint(version) if version else ""
    cure = f"pip install triton=={compilers.TESTED}, and a torch that goes with it"
    return [Finding("compiler of kernels", said, False, False, cure)] if said else []


def package() -> Finding:
    """The finding about other packages that write into the folder from which this one is imported."""
    others = strangers()
    told = "ours alone" if not others else f"shared with {', '.join(others)}, which overwrites files of ours"
    cure = f"pip uninstall {' '.join(others)}, then pip install --force-reinstall --no-deps {DISTRIBUTION}"
    return Finding("package noether", told, not others, bool(others), cure)


def compiler() -> Finding:
    """The finding about the C compiler that translates kernels for this processor."""
    from noether.kernels.ptx import native

    try:
        found = native.find_compiler()
    except native.CompilerMissing as error:
        return Finding(
            "C compiler",
            str(error),
            False,
            False,
            "install gcc or clang, or set CC: without one the CPU runs numpy, 10 to 50 times slower",
        )
    threads = f"OpenMP, {native.workers()} threads" if found.openmp else "no OpenMP: one thread"
    return Finding("C compiler", f"{found.path}, {found.version}; {threads}; vectors {native.vectors()}; "
                                 f"{' '.join(found.flags)}", found.openmp,
                   remedy="install the compiler's OpenMP runtime (libgomp, libomp)")  # fmt: skip


def hardware() -> list[Finding]:
    return [
        Finding("processor", f"{processor()}, {cpus()} usable"),
        Finding("memory", memory()),
        workers(),
        Finding("GPU", gpu()),
    ]


def memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB"
    except (AttributeError, ValueError, OSError):  # POSIX alone has sysconf
        return "unknown"


def workers() -> Finding:
    free = jobs.memory()
    room = "unknown" if free is None else f"{free / 2**30:.1f} GiB"
    why = (
        f"{jobs.processors()} usable processors, {room} of memory free, {jobs.WORKER / 2**30:.1f} GiB a "
        "worker"
    )
    return Finding("--jobs auto", f"{jobs.automatic()}: {why}")


def gpu() -> str:
    tool = shutil.which("nvidia-smi")
    if not tool:
        return "none (no nvidia-smi)"
    try:
        done = subprocess.run(
            [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"nvidia-smi does not answer: {type(error).__name__}"
    return done.stdout.strip().replace("\n", "; ") or "none"


def arithmetic() -> list[Finding]:
    bits = mantissa_bits()
    wide = Finding(
        "longdouble",
        f"{bits} mantissa bits, must be at least {EXTENDED}",
        bits >= EXTENDED,
        True,
        "run on x86-64 Linux or macOS: residuals are formed in a type wider than float64",
    )
    smallest = np.float64(5e-324) * np.float64(1)
    flush = Finding(
        "subnormals",
        "kept" if smallest > 0 else "flushed to zero",
        bool(smallest > 0),
        True,
        "a loaded library set flush-to-zero (-ffast-math)",
    )
    return [wide, flush]


PROBE = "import sys; from noether.kernels.loops.launch import missing; sys.stdout.write(missing(sys.argv[1]))"


def backends() -> list[Finding]:
    """The findings about backends, each asked in a process of its own, so that its imports stay out of this
    one."""
    from noether.kernels.loops.launch import BACKENDS, PREFERRED

    found = []
    probes = {name: subprocess.Popen([sys.executable, "-c", PROBE, name], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=importable())
              for name in BACKENDS}  # fmt: skip
    for name, probe in probes.items():
        try:
            reason, complaint = probe.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            probe.kill()
            reason, complaint = "its probe does not answer in 120 s", ""
        if probe.returncode not in (0, None) and not reason:
            reason = (complaint.strip().splitlines() or ["its probe failed"])[-1]
        found.append(
            Finding(
                f"backend {name}",
                "available" if not reason else f"not here: {reason}",
                not reason,
                name == "numpy",
            )
        )
    here = {f.what.removeprefix("backend ") for f in found if f.fine}
    chosen = next((b for b in PREFERRED if b in here), "none")
    told = f"{chosen}, the first that is here of {', '.join(PREFERRED)}"
    return [
        *found,
        Finding(
            "backend auto",
            told,
            chosen != PREFERRED[-1],
            remedy="numpy is 10 to 50 times slower: see backend triton-cpu",
        ),
    ]


def places() -> list[Finding]:
    found = []
    trap = os.environ.get("TRITON_INTERPRET")
    found.append(
        Finding(
            "TRITON_INTERPRET",
            trap or "not set",
            trap in (None, "", "0"),
            False,
            "unset it: kernels would be interpreted, not compiled",
        )
    )
    found += kept()
    runs = Path("runs")
    found.append(
        Finding(
            "run folders",
            f"{runs}, {'can' if writable(runs) else 'cannot'} be written",
            writable(runs),
            False,
            "use --out",
        )
    )
    return found


def kept() -> list[Finding]:
    """The finding about the folder in which compiled kernels are kept."""
    from noether.kernels import cache_folders
    from noether.kernels.loops import triton_cache

    cure = f"make it yours alone, or set {cache_folders.VARIABLE} to a folder that is"
    try:
        place = cache_folders.folder("native").parent
        next(triton_cache.places())
    except cache_folders.NoFolder as error:
        return [Finding("cache", str(error), False, False, cure)]
    return [
        Finding("cache", str(place)),
        *(Finding("cache", line, False, False, cure) for line in cache_folders.notes()),
    ]


def writable(path: Path) -> bool:
    there = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def lacking(findings: list[Finding]) -> list[str]:
    """The findings without which nothing can be verified here."""
    return [f.what for f in findings if f.needed and not f.fine]


def told(findings: list[Finding]) -> dict:
    """The findings as plain data."""
    return {
        "ready": not lacking(findings),
        "lacking": lacking(findings),
        "found": [asdict(f) for f in findings],
    }


def page(findings: list[Finding]) -> Group:
    table = listing("what", "found")
    for f in findings:
        table.add_row(f.what, Text(f.value, style="" if f.fine else "bold red" if f.needed else "yellow"))
    todo = [Text(f"{f.what}: {f.remedy}") for f in findings if not f.fine and f.remedy]
    bad = lacking(findings)
    last = Text(
        f"cannot verify here: {', '.join(bad)}" if bad else "ready: noether verify",
        style="bold red" if bad else "bold green",
    )
    return Group(table, Text(), *todo, last)
