"""What only hardware can confirm, and how fast it is: two of the parts of `make gpu`."""

from __future__ import annotations

import numpy as np

from noether.cases import CATALOG, CORE
from noether.cases.rules import RULES
from noether.kernels.loops import backends, launch
from noether.kernels.loops.triton_cache import checked
from noether.kernels.programs.precision import PRECISIONS, Precision
from noether.labs import gpu_device
from noether.laws.exact.cell import LaunchCell, rules_of

SPEED_LANES, SPEED_STEPS = 131_072, 512


def named(case: str, rule: str, precision: str, job) -> dict:
    """What was launched, as the beginning of a row."""
    return {"case": case, "rule": rule, "precision": precision, "lanes": job.lanes, "steps": job.steps}


@checked()
def facts() -> list[dict]:
    """What platform notes say of the hardware, asked of the hardware."""
    import torch

    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal(1 << 20).astype(np.float32)).to(gpu_device.DEVICE)
    from noether.kernels.loops.hardware import float_argument, native_bfloat16
    from noether.kernels.programs.precision import bfloat16_bits

    out = torch.empty(x.numel(), dtype=torch.bfloat16, device=gpu_device.DEVICE)
    native_bfloat16[(x.numel() // 1024,)](x, out, x.numel(), BLOCK=1024)
    native = out.view(torch.int16).cpu().numpy().view(np.uint16)
    arrived = torch.empty(1, dtype=torch.float64, device=gpu_device.DEVICE)
    float_argument[(1,)](arrived, 0.1)
    tiny = torch.full((32,), 2.0**-140, device=gpu_device.DEVICE)
    a, b = (
        torch.rand(1 << 20, device=gpu_device.DEVICE) + 0.5,
        torch.rand(1 << 20, device=gpu_device.DEVICE) + 0.5,
    )
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
        buffers = backends.through_torch(job, gpu_device.DEVICE, backends.LANES, **fusing)
        fused = job.collected(buffers, "triton-gpu", {})
        differ = launch.differing_bits(fused, plain)
        told = {"fact": f"contraction changes bits in {precision}", "confirmed": differ > 0}
        rows.append({**told, "differ": differ, "values": fused.q.size + fused.v.size})
    return rows


@checked()
def speed(clock) -> list[dict]:
    """Trajectory-steps per second, states only (no trace), median of five launches; without a GPU no figures
    of it, from launches that are small."""
    rows, (lanes, steps) = [], (256, 8) if gpu_device.IS_STAND_IN else (SPEED_LANES, SPEED_STEPS)
    for case in CORE[:1] if gpu_device.IS_STAND_IN else CORE:
        rule = rules_of(case)[min(1, len(rules_of(case)) - 1)]
        for name in PRECISIONS:
            if clock() < 0:
                rows.append({"case": case.name, "precision": name, "skipped": "out of time"})
                continue
            job = LaunchCell(case, rule, name, "numpy", "exact", (), lanes, 0, steps).job()
            state = (job.q0, job.v0, job.params)
            job = launch.Job(job.program, RULES[rule], Precision(name), *state, steps, trace=False)
            handle, times = timed(job)
            spent = {
                "registers": getattr(handle, "n_regs", None),
                "spills": getattr(handle, "n_spills", None),
            }
            rate = {"seconds": times, **spent, "trajectory_steps_per_s": lanes * steps / times[2]}
            told = {"rehearsed": True} if gpu_device.IS_STAND_IN else rate
            rows.append({**named(case.name, rule, name, job), **told})
    return rows


def timed(job: launch.Job) -> tuple:
    """The compiled kernel of a launch, and the seconds of five launches, sorted."""
    import torch

    from noether.kernels.loops.trajectory_loop import trajectory

    sent = [torch.from_numpy(b).to(gpu_device.DEVICE) for b in job.buffers()]
    block = backends.LANES
    fixed = dict(job.constexprs(block), num_warps=backends.WARPS, enable_fp_fusion=False)

    def go():
        return trajectory[(-(-job.lanes // block),)](*sent, *job.scalars.values(), **fixed)

    handle = go()
    return handle, sorted(gpu_device.seconds(go) for _ in range(5))
