"""A C compiler: the flags it gets, and how it makes a library of a translated kernel."""

from __future__ import annotations

import hashlib
import os
import platform
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FLAGS = ("-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
FLAGS += ("-shared", "-fPIC", "-w")
"""Never -ffast-math: a library linked with it sets flush-to-zero for the whole process (gcc up to 12).
-march=native contracts a*b + c by default, hence -ffp-contract=off."""
GCC = ("-O1", "-ftree-vectorize", "-fvect-cost-model=dynamic")
"""As fast as -O3 on these loops, which are arithmetic without calls, and compiled in half the time
(gcc 12)."""
GCC += ("-fschedule-insns", "-fsched-pressure", "-fno-tree-ter", "-fira-algorithm=priority")
"""What depends on each other is moved apart as far as there are registers, else the processor waits. The
order of ordering.py is the one to begin with, which -ftree-ter changes. Registers go to what is used most
often, where gcc's own algorithm writes half as many numbers again to memory. Together a step with residuals
takes a tenth to a quarter less time; each of the four alone gains less or loses (gcc 12, Zen 4)."""
CLANG = ("-O2",)
# gcc takes 256 by itself: 1.1 to 1.6 times slower where there is AVX-512.
X86 = ("-mprefer-vector-width=512",)
TIMEOUT = 300  # seconds a compilation may take; the widest kernel needs a few


class CompileFailed(RuntimeError):
    """Raised when the compiler refuses a translated kernel, which is a fault of the translation."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler: its path, the first line of its version, its flags.

    openmp  whether it runs loops over blocks in parallel
    """

    path: str
    version: str
    flags: tuple[str, ...]
    openmp: bool
    patience: int = TIMEOUT

    @property
    def is_clang(self) -> bool:
        return "clang" in self.version

    @property
    def key(self) -> str:
        """What enters the name of every library that it builds."""
        return "\n".join((self.path, self.version, *self.flags, features()))

    def build(self, text: str, target: Path) -> str:
        """Compile C text into a shared library; returns what the compiler says of vectorised loops."""
        told = ("-Rpass=loop-vectorize",) if self.is_clang else ("-fopt-info-vec-optimized",)
        command = [self.path, *self.flags, *told, "-x", "c", "-", "-o", str(target), "-lm"]
        try:
            done = run(command, text, self.patience, TMPDIR=str(target.parent))
        except (OSError, subprocess.SubprocessError) as error:
            raise CompileFailed(f"{self.path}: {told_of(error)}") from None
        if done.returncode:
            raise CompileFailed(
                f"{self.path} ended with {done.returncode} on a translated kernel:\n{done.stderr[:2000]}"
            )
        if not target.exists():
            raise CompileFailed(f"{self.path} ended with 0 and wrote nothing")
        return done.stderr


def run(command: list[str], text: str, patience: int, **environment) -> subprocess.CompletedProcess:
    """Run a compiler to its end, or end it with all that it started. Raises OSError, TimeoutExpired.

    subprocess.run ends the compiler alone, and then waits for what it started to close the pipes.
    """
    environment = {**os.environ, "LC_ALL": "C", **environment}
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text_of = dict(encoding="utf-8", errors="replace")
    with subprocess.Popen(command, **pipes, **text_of, env=environment, start_new_session=True) as child:
        try:
            out, err = child.communicate(text, timeout=patience)
        except BaseException:
            with suppress(OSError, AttributeError):  # AttributeError: Windows has no groups
                os.killpg(child.pid, signal.SIGKILL)
            child.kill()
            raise
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def told_of(error: Exception) -> str:
    """What went wrong with a compiler, in words."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"did not end within {error.timeout:g} s"
    return f"{type(error).__name__}: {error}"


def flags(version: str) -> tuple[str, ...]:
    """The flags with which a compiler is called."""
    level = CLANG if "clang" in version else GCC
    return (*level, *(X86 if platform.machine() in ("x86_64", "AMD64") else ()), *FLAGS)


@cache
def features() -> str:
    """What -march=native stands for here: a library of another processor ends in an illegal instruction."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    found = sorted(
        {
            x
            for x in lines
            if x.split(":")[0].strip()
            in ("model name", "flags", "Features", "CPU part", "stepping", "model", "cpu family")
        }
    )
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


VECTORS = ("avx512f", "avx2", "avx", "sse2", "sve2", "sve", "asimd")


def vectors() -> str:
    """The widest vectors of this processor, by the name that /proc/cpuinfo has for them."""
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return "unknown"
    return next((name for name in VECTORS if name in words), "none")
