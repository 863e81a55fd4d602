"""The command `make gpu`: everything that needs a GPU, without installing anything.

    1  versions and device
    2  parity: every core case, rule and stored precision, each other case once, on the GPU against numpy, bit
       for bit, and their digests
    3  verification: the exact laws, faults, covariance and response on the GPU, by the harness itself
    4  facts that only hardware can confirm: the native bfloat16 store, subnormals, fp32 division, contraction
    5  speed: trajectory-steps per second of each case and precision

One JSON (under $OUT, else the working folder), one table. Exit 0 when everything holds, 1 when something is
violated, 3 where there is no GPU. No interpreter here: Triton 3.6.0's fails with numpy >= 2.4.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np

from noether.cases import CATALOG, CORE
from noether.cases.rules import RULES
from noether.kernels.loops import backends, launch
from noether.kernels.loops.triton_cache import checked
from noether.kernels.programs.precision import PRECISIONS, Precision
from noether.labs.gpu_report import report, save
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.laws.normalisation.launches import FORCES, drawn
from noether.plan import launches
from noether.plan.choices import Request, select
from noether.verdicts import exit_codes

BUDGET_S = 8 * 60
SPEED_LANES, SPEED_STEPS = 131_072, 512


@cache
def points():
    """Core cases under every rule that is shown on every case, the others on the first case that takes them,
    in every stored type; each case beside the core once."""
    every = lambda cases: [(case, rule, p) for case in cases for rule in rules_of(case) for p in PRECISIONS]
    of_its_own = {rule: case for case in CATALOG[::-1] for rule in rules_of(case)}
    core = [p for p in every(CORE) if RULES[p[1]].screened]
    own = [p for p in every(CATALOG) if not RULES[p[1]].screened and of_its_own[p[1]] is p[0]]
    return core + own + launches.glanced(every([c for c in CATALOG if c not in CORE]))


def gathered(work, backend: str, names: list[dict], clock, workers: int = 1) -> list[dict]:
    """The rows of work(backend, i) for each i of `names`, in order, in this process or in `workers` others.

    What has no time left is a row "skipped", what raises is a row "failed", both with their name: one launch
    that cannot be compiled must not cost the rest of a device's time.
    """
    if workers == 1:
        return [row for i, name in enumerate(names) for row in attempted(work, backend, i, name, clock)]
    rows = []
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(attempted, work, backend, i, name) for i, name in enumerate(names)]
        for job, name in zip(jobs, names, strict=True):
            try:
                rows += job.result(timeout=max(0.0, clock()))
            except TimeoutError:
                rows.append(out_of_time(name))
        pool.shutdown(wait=False, cancel_futures=True)
    return rows


def attempted(work, backend: str, i: int, name: dict, clock=lambda: 1.0) -> list[dict]:
    """The rows of one piece of work, or the one row that says why there is none."""
    if clock() < 0:
        return [out_of_time(name)]
    try:
        return work(backend, i)
    except Exception as error:
        return [
            {**name, "failed": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()[-2000:]}
        ]


def out_of_time(name: dict) -> dict:
    """The row of what was not begun."""
    return {**name, "skipped": "out of time"}


def parity(backend: str, clock, workers: int = 1) -> list[dict]:
    """Each point on `backend` and in numpy: how many stored values differ."""
    names = [dict(case=case.name, rule=rule, precision=precision) for case, rule, precision in points()]
    return gathered(compared, backend, names, clock, workers)


def compared(backend: str, i: int) -> list[dict]:
    """The i-th point on `backend` and in numpy."""
    case, rule, precision = points()[i]
    job = LaunchCell(case, rule, precision, backend, "exact", (), 1023, 0).job()
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    counts = {"values": mine.q.size + mine.v.size, "differ": launch.differing_bits(mine, plain)}
    counts |= {"unwritten": int(mine.unwritten.sum())}
    digests = {"digest": mine.digest, "digest_numpy": plain.digest}
    return [{**named(case.name, rule, precision, job), "backend": mine.backend, **counts, **digests}]


def named(case: str, rule: str, precision: str, job) -> dict:
    """What was launched, as the beginning of a row."""
    return {"case": case, "rule": rule, "precision": precision, "lanes": job.lanes, "steps": job.steps}


def noisy_parity(backend: str) -> list[dict]:
    """The noisy loop, hash included, on `backend` and in numpy; rows as those of `parity`."""
    rows = []
    for rule, precision, force, d in FORCES:
        job = drawn(rule, precision, force, d, count=1023, windows=8, every=32)
        mine, plain = launch.run(job, backend), launch.run(job, "numpy")
        pairs = [(getattr(mine, x), getattr(plain, x)) for x in ("sums", "q", "v")]
        differ = sum(int((a.view(np.uint64) != b.view(np.uint64)).sum()) for a, b in pairs)
        counts = {"values": sum(a.size for a, _ in pairs), "differ": differ, "unwritten": 0}
        what = named(f"tangential-force, {force}", rule, precision, job)
        rows.append({**what, "backend": mine.backend, **counts})
    return rows


def verification(backend: str, clock, workers: int = 1) -> list[dict]:
    """The discrete cells of the full profile, as `noether verify` plans them: exact laws, faults,
    covariance, response."""
    names = [{"cell": cell.name} for cell in planned(backend)]
    return gathered(judged, backend, names, clock, workers)


@cache
def planned(backend: str) -> list[LaunchCell]:
    """The cells of `verification`; parity stands apart, on more lanes."""
    cells = launches.discrete(select(Request(backend=backend, profile="full")), backend)
    return [cell for cell in cells if cell.kind != "parity"]


def judged(backend: str, i: int) -> list[dict]:
    """What the i-th cell of `verification` finds."""
    return [{k: getattr(record, k) for k in KEPT} for record in planned(backend)[i].run()]


KEPT = ("law", "symmetry", "case", "rule", "precision", "backend", "lanes", "steps")
KEPT += ("spent", "verdict", "reason", "fault")
"""What is kept of a record."""


@checked()
def facts() -> list[dict]:
    """What platform notes say of the hardware, asked of the hardware."""
    import torch

    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal(1 << 20).astype(np.float32)).cuda()
    from noether.kernels.loops.hardware import float_argument, native_bfloat16
    from noether.kernels.programs.precision import bfloat16_bits

    out = torch.empty(x.numel(), dtype=torch.bfloat16, device="cuda")
    native_bfloat16[(x.numel() // 1024,)](x, out, x.numel(), BLOCK=1024)
    native = out.view(torch.int16).cpu().numpy().view(np.uint16)
    arrived = torch.empty(1, dtype=torch.float64, device="cuda")
    float_argument[(1,)](arrived, 0.1)
    tiny = torch.full((32,), 2.0**-140, device="cuda")
    a, b = torch.rand(1 << 20, device="cuda") + 0.5, torch.rand(1 << 20, device="cuda") + 0.5
    exact = (a.cpu().numpy() / b.cpu().numpy()).astype(np.float32)
    tied = bool((native == bfloat16_bits(x.cpu().numpy())).all())
    narrowed = float(arrived[0]) == float(np.float32(0.1))
    kept = bool(((tiny + tiny).cpu().numpy() == np.float32(2.0**-139)).all())
    divided = bool(((a / b).cpu().numpy() == exact).all())
    fact = lambda words, confirmed, **more: {"fact": words, "confirmed": confirmed, **more}
    return [
        fact("the native bfloat16 store rounds to nearest, ties to even", tied),
        fact("a Python float argument arrives as float32", narrowed, value=float(arrived[0]).hex()),
        fact("fp32 subnormals survive addition", kept),
        fact("torch's fp32 division is correctly rounded", divided),
    ]


def fusion() -> list[dict]:
    """How many values contraction changes: one case, fusion on against off."""
    case = next(c for c in CATALOG if c.name == "rayleigh")
    rows = []
    for precision in ("float64", "float32"):
        job = LaunchCell(case, "heavy-ball", precision, "numpy", "exact", (), 1023, 0).job()
        plain = launch.run(job, "numpy")
        fusing = dict(num_warps=backends.WARPS, enable_fp_fusion=True)
        buffers = backends.through_torch(job, "cuda", backends.LANES, **fusing)
        fused = job.collected(buffers, "triton-gpu", {})
        differ = launch.differing_bits(fused, plain)
        told = {"fact": f"contraction changes bits in {precision}", "confirmed": differ > 0}
        rows.append({**told, "differ": differ, "values": fused.q.size + fused.v.size})
    return rows


@checked()
def speed(device: str, clock, *, lanes: int = SPEED_LANES, steps: int = SPEED_STEPS) -> list[dict]:
    """Trajectory-steps per second, states only (no trace), median of five launches."""
    rows = []
    for case in CORE:
        rule = rules_of(case)[min(1, len(rules_of(case)) - 1)]
        for name in PRECISIONS:
            if clock() < 0:
                rows.append({"case": case.name, "precision": name, "skipped": "out of time"})
                continue
            job = LaunchCell(case, rule, name, "numpy", "exact", (), lanes, 0, steps).job()
            state = (job.q0, job.v0, job.params)
            job = launch.Job(job.program, RULES[rule], Precision(name), *state, steps, trace=False)
            handle, times = timed(job, device)
            spent = {
                "registers": getattr(handle, "n_regs", None),
                "spills": getattr(handle, "n_spills", None),
            }
            rate = {"seconds": times, **spent, "trajectory_steps_per_s": lanes * steps / times[2]}
            rows.append({**named(case.name, rule, name, job), **rate})
    return rows


def timed(job: launch.Job, device: str) -> tuple:
    """The compiled kernel of a launch, and the seconds of five launches, sorted."""
    import torch

    from noether.kernels.loops.trajectory_loop import trajectory

    q, v, params = (torch.from_numpy(b).to(device) for b in job.buffers())
    block = backends.LANES
    fixed = dict(job.constexprs(block), num_warps=backends.WARPS, enable_fp_fusion=False)

    def go():
        return trajectory[(-(-job.lanes // block),)](q, v, params, job.lanes, job.steps, **fixed)

    handle = go()
    torch.cuda.synchronize()
    times = []
    for _ in range(5):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        go()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) / 1e3)
    return handle, sorted(times)


def parts(backend: str, clock, workers: int) -> dict:
    """What is done, by name, in this order: what is short comes first, so that little time shows much."""
    once = lambda name, work: lambda: attempted(lambda *_: work(), backend, 0, {"fact": name})
    return {
        "facts": lambda: once("facts", facts)() + once("contraction", fusion)(),
        "noisy": once("noisy loop", lambda: noisy_parity(backend)),
        "parity": lambda: parity(backend, clock, workers),
        "speed": once("speed", lambda: speed("cuda", clock)),
        "verification": lambda: verification(backend, clock, workers),
    }


def main(arguments: list[str] | None = None) -> int:
    """The entry of the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="make gpu", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=BUDGET_S, help="what is not begun by then is skipped"
    )
    parser.add_argument("--workers", type=int, default=min(12, os.cpu_count() or 1), help="processes")
    asked = parser.parse_args(arguments)
    reason = launch.missing("triton-gpu")
    if reason:
        print(f"make gpu needs a GPU that torch and triton can use: {reason}", file=sys.stderr)
        return exit_codes.UNDECIDED
    begin = time.perf_counter()
    clock = lambda: asked.seconds - (time.perf_counter() - begin)
    result = described()
    for name, part in parts("triton-gpu", clock, asked.workers).items():
        at = time.perf_counter()
        result[name] = part()
        result[f"{name}_seconds"] = round(time.perf_counter() - at, 1)
        print(f"{name}: {len(result[name])} rows in {result[f'{name}_seconds']} s", flush=True)
        save(result)
    return report(result)


def described() -> dict:
    """The device and the versions, as the beginning of a result."""
    import torch
    import triton

    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {
        "schema": 2,
        "date": time.strftime("%Y-%m-%d"),
        "device": torch.cuda.get_device_name(0),
        "capability": list(torch.cuda.get_device_capability(0)),
        "versions": versions | {"triton": triton.__version__, "numpy": np.__version__},
    }


if __name__ == "__main__":
    sys.exit(main())
