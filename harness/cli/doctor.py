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
    """One thing that was looked for.

    value   what was found
    needed  without it nothing can be verified here
    remedy  what to do where it is not fine
    """

    what: str
    value: str
    fine: bool = True
    needed: bool = False
    remedy: str = ""


def examine() -> list[Finding]:
    """All findings, in the order of the table."""
    return [*software(), *hardware(), *arithmetic(), *backends(), *places()]


def software() -> list[Finding]:
    """The findings about packages and compilers."""
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
        cure = "install gcc or clang, or set CC: without one the CPU runs numpy, 10 to 50 times slower"
        return Finding("C compiler", str(error), False, False, cure)
    threads = f"OpenMP, {native.workers()} threads" if found.openmp else "no OpenMP: one thread"
    said = f"{found.path}, {found.version}; {threads}; vectors {native.vectors()}; {' '.join(found.flags)}"
    cure = "install the compiler's OpenMP runtime (libgomp, libomp)"
    return Finding("C compiler", said, found.openmp, remedy=cure)


def hardware() -> list[Finding]:
    """The findings about processor, memory and GPU."""
    usable = Finding("processor", f"{processor()}, {cpus()} usable")
    return [usable, Finding("memory", memory()), workers(), Finding("GPU", gpu())]


def memory() -> str:
    """How much memory the machine has."""
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB"
    except (AttributeError, ValueError, OSError):  # POSIX alone has sysconf
        return "unknown"


def workers() -> Finding:
    """The finding about how many workers --jobs auto starts, and why."""
    free = jobs.memory()
    room = "unknown" if free is None else f"{free / 2**30:.1f} GiB"
    each = f"{jobs.WORKER / 2**30:.1f} GiB a worker"
    why = f"{jobs.processors()} usable processors, {room} of memory free, {each}"
    return Finding("--jobs auto", f"{jobs.automatic()}: {why}")


def gpu() -> str:
    """The GPU and its driver, as nvidia-smi names them, or why there is none."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return "none (no nvidia-smi)"
    try:
        words = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        return f"nvidia-smi does not answer: {type(error).__name__}"
    return done.stdout.strip().replace("\n", "; ") or "none"


def arithmetic() -> list[Finding]:
    """The findings about the arithmetic of this processor, without which no bound is what it says."""
    bits, smallest = mantissa_bits(), np.float64(5e-324) * np.float64(1)
    told = f"{bits} mantissa bits, must be at least {EXTENDED}"
    cure = "run on x86-64 Linux or macOS: residuals are formed in a type wider than float64"
    wide = Finding("longdouble", told, bits >= EXTENDED, True, cure)
    kept = "kept" if smallest > 0 else "flushed to zero"
    cure = "a loaded library set flush-to-zero (-ffast-math)"
    return [wide, Finding("subnormals", kept, bool(smallest > 0), True, cure)]


PROBE = "import sys; from noether.kernels.loops.launch import missing; sys.stdout.write(missing(sys.argv[1]))"


def backends() -> list[Finding]:
    """The findings about backends, each asked in a process of its own, so that its imports stay out of this
    one."""
    from noether.kernels.loops.launch import BACKENDS, PREFERRED

    probes = {name: probe(name) for name in BACKENDS}
    found = []
    for name, process in probes.items():
        reason = answer(process)
        told = f"not here: {reason}" if reason else "available"
        found.append(Finding(f"backend {name}", told, not reason, name == "numpy"))
    here = {f.what.removeprefix("backend ") for f in found if f.fine}
    chosen = next((b for b in PREFERRED if b in here), "none")
    told = f"{chosen}, the first that is here of {', '.join(PREFERRED)}"
    cure = "numpy is 10 to 50 times slower: see backend triton-cpu"
    return [*found, Finding("backend auto", told, chosen != PREFERRED[-1], remedy=cure)]


def probe(backend: str) -> subprocess.Popen:
    """A process that writes why a backend cannot run here, or nothing."""
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return subprocess.Popen([sys.executable, "-c", PROBE, backend], env=importable(), **pipes)


def answer(process: subprocess.Popen) -> str:
    """What a probe answers: why its backend cannot run, or ''."""
    try:
        reason, complaint = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        return "its probe does not answer in 120 s"
    if process.returncode and not reason:
        return (complaint.strip().splitlines() or ["its probe failed"])[-1]
    return reason


def places() -> list[Finding]:
    """The findings about the environment and the folders that are written."""
    trap, runs = os.environ.get("TRITON_INTERPRET"), Path("runs")
    cure = "unset it: kernels would be interpreted, not compiled"
    interpreted = Finding("TRITON_INTERPRET", trap or "not set", trap in (None, "", "0"), False, cure)
    told = f"{runs}, {'can' if writable(runs) else 'cannot'} be written"
    return [interpreted, *kept(), Finding("run folders", told, writable(runs), False, "use --out")]


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
    notes = [Finding("cache", line, False, False, cure) for line in cache_folders.notes()]
    return [Finding("cache", str(place)), *notes]


def writable(path: Path) -> bool:
    """Whether a folder can be written, or made where it is not there yet."""
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
    """The table of findings, remedies, and whether this machine can verify."""
    table = listing("what", "found")
    for f in findings:
        table.add_row(f.what, Text(f.value, style="" if f.fine else "bold red" if f.needed else "yellow"))
    todo = [Text(f"{f.what}: {f.remedy}") for f in findings if not f.fine and f.remedy]
    bad = lacking(findings)
    last = Text("ready: noether verify", style="bold green")
    if bad:
        last = Text(f"cannot verify here: {', '.join(bad)}", style="bold red")
    return Group(table, Text(), *todo, last)
