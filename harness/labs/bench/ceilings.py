"""What this machine can do at most: operations of each kind a second, measured as the kernels are compiled.

Each pipe is a loop over vectors that stay in registers, in enough independent chains that no latency shows,
on as many threads as a tool has, by the compiler and with the flags of kernels/ptx/native. Contraction is
off there, so a product and a sum are two operations; a processor that has pipes of its own for each of them
shows it in `arithmetic`, sums beside products. `stream` reads one array and writes another, larger than any
cache.

A rate is the best of a few short runs: what disturbs a run can only lower it.
"""

from __future__ import annotations

import ctypes
from functools import cache

from noether.kernels.ptx.native import compiler_search, vectors
from noether.kernels.ptx.native.library_cache import load

SECONDS = 0.003  # of one run: long beside the wake-up of a thread, short beside what disturbs it
RUNS = 3
FAR = 1 << 26  # bytes of an array in no cache
CHAINS = {"avx512f": (64, 8), "avx2": (32, 4), "avx": (32, 4)}
"""Widest vectors -> their bytes, and how many pairs of chains fit into the registers beside four operands."""
WORDS = {"float64": ("double", "int64_t", "sqrt"), "float32": ("float", "int32_t", "sqrtf")}

PIPES = {
    "add": ("a[k] = a[k] + c;", "b[k] = b[k] + d;"),
    "mul": ("a[k] = a[k] * d;", "b[k] = b[k] * d;"),
    "arithmetic": ("a[k] = a[k] + c;", "b[k] = b[k] * d;"),
    "div": ("a[k] = d / a[k];", "b[k] = d / b[k];"),
    "root": ("LANES a[k][l] = ROOT(a[k][l]);", "LANES b[k][l] = ROOT(b[k][l]);"),
    "whole": ("a[k] = (vec)((whole)a[k] + g);", "b[k] = (vec)((whole)b[k] ^ h);"),
    "shift": ("a[k] = (vec)((whole)a[k] >> 1);", "b[k] = (vec)((whole)b[k] >> 1);"),
}
"""What is done to one half of the chains, then to the other. a, b, c, d are vectors of reals, g, h of whole
numbers. One after the other, not in turns: in turns of a sum and a product a Zen 4 does a seventh less."""

HEAD = """
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
static double at(clockid_t clock) {{
  struct timespec t; clock_gettime(clock, &t); return t.tv_sec + 1e-9 * t.tv_nsec;
}}
#define N {chains}
#define W ({bytes} / (int)sizeof({real}))
#define ROOT {root}
#define LANES for (int l = 0; l < W; l++)
typedef {real} vec __attribute__((vector_size({bytes}), may_alias));
typedef {word} whole __attribute__((vector_size({bytes}), may_alias));
"""
REGISTERS = """
/* Apart from what takes the time, which would have it read its operands from the stack at every turn. */
static __attribute__((noinline)) void turn_{name}(long steps, vec *x, vec c, vec d) {{
  vec a[N], b[N];
  whole g = (whole)c, h = (whole)d;
  for (int k = 0; k < N; k++) {{ a[k] = x[k]; b[k] = x[N + k]; }}
  for (long n = 0; n < steps; n++)
  {{
    _Pragma("GCC unroll 64") for (int k = 0; k < N; k++) {{ {first} }}
    _Pragma("GCC unroll 64") for (int k = 0; k < N; k++) {{ {second} }}
  }}
  for (int k = 0; k < N; k++) {{ x[k] = a[k]; x[N + k] = b[k]; }}
  x[0][0] += c[0] + d[0] + (double)(g[0] + h[0]);
}}
void pipe_{name}(long steps, int threads, double one, double tiny, double *out) {{
  double cpu = 0, kept = 0, begin = at(CLOCK_MONOTONIC);
#pragma omp parallel num_threads(threads) reduction(+:cpu, kept)
  {{
    vec x[2 * N], c = (vec){{}} + ({real})tiny, d = c + ({real})one;
    for (int k = 0; k < 2 * N; k++) x[k] = d + ({real})(k * tiny);
    double mine = at(CLOCK_THREAD_CPUTIME_ID);
    turn_{name}(steps, x, c, d);
    cpu += at(CLOCK_THREAD_CPUTIME_ID) - mine;
    for (int k = 0; k < 2 * N; k++) kept += x[k][0];
  }}
  out[0] = at(CLOCK_MONOTONIC) - begin; out[1] = cpu; out[2] = kept;
}}
"""
STREAM = """
static char from[{far}], to[{far}];
void pipe_stream(long steps, int threads, double one, double tiny, double *out) {{
  double cpu = 0, begin;
  if (!from[0]) {{ memset(from, 1, sizeof from); memset(to, 1, sizeof to); }}
  begin = at(CLOCK_MONOTONIC);
#pragma omp parallel num_threads(threads) reduction(+:cpu)
  {{
    double mine = at(CLOCK_THREAD_CPUTIME_ID);
    for (long n = 0; n < steps; n++) {{
#pragma omp for schedule(static)
      for (long i = 0; i < {far} / {bytes}; i++) ((vec *)to)[i] = ((vec *)from)[i] + ({real})one;
    }}
    cpu += at(CLOCK_THREAD_CPUTIME_ID) - mine;
  }}
  out[0] = at(CLOCK_MONOTONIC) - begin; out[1] = cpu; out[2] = to[0];
}}
"""


def shape() -> tuple[int, int]:
    """The bytes of a vector, and the pairs of chains."""
    return CHAINS.get(vectors(), (16, 4))


def text(kind: str) -> str:
    """The C of all pipes of one type."""
    bytes_, chains = shape()
    real, word, root = WORDS[kind]
    names = dict(bytes=bytes_, chains=chains, real=real, word=word, root=root, far=FAR)
    pipes = (
        REGISTERS.format(name=name, first=first, second=second, **names)
        for name, (first, second) in PIPES.items()
    )
    return HEAD.format(**names) + "".join(pipes) + STREAM.format(**names)


@cache
def library(kind: str):
    """The pipes of one type, compiled and loaded. Raises CompilerMissing, CompileFailed, CacheFailed."""
    return load(compiler_search.find(), text(kind))[0]


def run(kind: str, pipe: str, steps: int, threads: int) -> tuple[float, float, float]:
    """Seconds of `steps` turns of a pipe on so many threads, of their processor time together, and the sum of
    what is in the chains at the end."""
    out = (ctypes.c_double * 3)()
    one, tiny = ctypes.c_double(1.0), ctypes.c_double(2.0**-60)
    getattr(library(kind), f"pipe_{pipe}")(ctypes.c_long(steps), ctypes.c_int(threads), one, tiny, out)
    return tuple(out)


def operations(kind: str, pipe: str) -> int:
    """How many operations on single numbers one turn of a pipe is on one thread; of the stream how many bytes
    all threads together move."""
    bytes_, chains = shape()
    return 2 * FAR if pipe == "stream" else 2 * chains * bytes_ // (8 if kind == "float64" else 4)


@cache
def turns(kind: str, pipe: str, threads: int) -> int:
    """How many turns take every thread SECONDS of processor time: of those a busy machine takes nothing."""
    steps = 1
    while (each := max(1e-7, run(kind, pipe, steps, threads)[1] / threads)) < SECONDS:
        steps = max(steps + 1, round(steps * min(30.0, 1.1 * SECONDS / each)))
    return steps


def rates(threads: int, kinds: tuple[str, ...] = tuple(WORDS)) -> dict[str, dict[str, dict[str, float]]]:
    """type -> pipe -> operations a second: `seconds` of the whole machine, `cpu` of all its processors' time.

    The stream is in bytes, those read and those written. cpu: a second of it is a second of one processor.
    """
    found: dict = {}
    for kind in kinds:
        found[kind] = {}
        for pipe in (*PIPES, "stream"):
            steps = turns(kind, pipe, threads)
            each = [run(kind, pipe, steps, threads) for _ in range(RUNS)]
            done = steps * operations(kind, pipe) * (1 if pipe == "stream" else threads)
            best = (done / min(x) for x in list(zip(*each, strict=True))[:2])
            found[kind][pipe] = dict(zip(("seconds", "cpu"), best, strict=True))
    return found
