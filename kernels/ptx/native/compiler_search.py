"""Which C compiler is here: the first that makes a library which runs, with OpenMP where it can."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from functools import cache

from noether.kernels.ptx.native.compiler import CompileFailed, Compiler, flags, run, told_of
from noether.kernels.ptx.native.library_cache import CacheFailed, load

NAMES = ("gcc", "cc", "clang")
PATIENCE = 30  # seconds for its version and for a library of ten lines


class CompilerMissing(RuntimeError):
    """Raised when there is no C compiler that works; the message says what was looked for."""


PROBE = """
#include <math.h>
#include <stdint.h>
#ifdef _OPENMP
#include <omp.h>
#endif
int run(double *x) {
  double s = 0;
#pragma omp parallel for reduction(+:s)
  for (int i = 0; i < 64; i++) s += x[i];
  x[0] = s;
#ifdef _OPENMP
  return omp_get_max_threads() > 0;
#else
  return 0;
#endif
}
"""


def find() -> Compiler:
    """The compiler to use: $CC, else the first of NAMES that compiles, with OpenMP where it links. Raises
    CompilerMissing."""
    found = _searched()
    if isinstance(found, str):
        raise CompilerMissing(found)
    return found


@cache
def _searched() -> Compiler | str:
    """Once a process: the compiler, or why there is none; one that hangs is waited for once."""
    wanted = [os.environ["CC"]] if os.environ.get("CC", "").strip() else list(NAMES)
    said = []
    for name in wanted:
        try:
            first, *more = shlex.split(name)  # CC="ccache gcc" is usual
        except ValueError as error:
            said.append(f"{name}: {error}")
            continue
        path = shutil.which(first)
        if path is None:
            said.append(f"{name}: not on PATH")
            continue
        try:
            done = run([path, *more, "--version"], "", PATIENCE)
        except (OSError, subprocess.SubprocessError) as error:
            said.append(f"{path}: {told_of(error)}")
            continue
        version = (done.stdout.strip().splitlines() or ["unknown version"])[0]
        for openmp in (True, False):
            chosen = (*more, *flags(version), "-fopenmp" if openmp else "-fopenmp-simd")
            trouble = _probe(Compiler(path, version, chosen, openmp, PATIENCE))
            if not trouble:
                return Compiler(path, version, chosen, openmp)
            if "did not end" in trouble:
                break
        said.append(f"{path}: {trouble.removeprefix(f'{path}: ')}")
    return "no C compiler that works: " + "; ".join(said)


def _probe(compiler: Compiler) -> str:
    """Why a compiled library does not run here; '' when it does."""
    try:
        library, _ = load(compiler, PROBE, survived)
        x = (ctypes.c_double * 64)(*([1.0] * 64))
        parallel = library.run(x)
    except (CompileFailed, CacheFailed, AttributeError) as error:
        return str(error).strip().splitlines()[-1]
    return "" if x[0] == 64.0 and parallel == compiler.openmp else "its OpenMP does not run"


def survived(path: str) -> str:
    """Why a new library must not be loaded here, or '': another process loads it first, for it may crash."""
    program = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).run((ctypes.c_double * 64)())"
    try:
        done = run([sys.executable, "-I", "-S", "-c", program, path], "", PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        return told_of(error)
    if done.returncode < 0:
        return f"what it wrote ends the process that loads it with signal {-done.returncode}"
    return (
        (done.stderr.strip().splitlines() or ["what it wrote cannot be loaded"])[-1]
        if done.returncode
        else ""
    )
