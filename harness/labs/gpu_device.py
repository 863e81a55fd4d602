"""The device of `make gpu`: a GPU, or, to rehearse the run, what stands in for one.

The stand-in is a driver of Triton. Everything before the device is the same: arguments are specialised,
kernels compiled for sm_90, options read, and the launch asks the driver. Only then the PTX is executed on the
CPU (kernels/ptx), on tensors in its memory. So a rehearsal shows that the script runs, and the bits of the
PTX; no figure of it is a GPU's, and times are not kept.
"""

from __future__ import annotations

import platform
import time
from contextlib import contextmanager

DEVICE = "cuda"  # where torch has the tensors
IS_STAND_IN = False
NONE = "NO GPU WAS HERE: a rehearsal on a CPU, and no figure below is a GPU's."


def named() -> dict:
    """The name and the capability of the device, for a result."""
    if IS_STAND_IN:
        return {
            "device": f"none, a stand-in on {platform.machine()}",
            "capability": [9, 0],
            "rehearsal": True,
        }
    import torch

    name, capability = torch.cuda.get_device_name(0), list(torch.cuda.get_device_capability(0))
    return {"device": name, "capability": capability, "rehearsal": False}


def seconds(go) -> float:
    """How long a launch takes on the device."""
    if IS_STAND_IN:
        begin = time.perf_counter()
        go()
        return time.perf_counter() - begin
    import torch

    torch.cuda.synchronize()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    go()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1e3


class Driver:
    """Triton's driver of the stand-in (asked so by Triton 3.6 and 3.7)."""

    def __init__(self):
        self.utils, self.launcher_cls = self, Launcher

    def get_current_target(self):
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", 90, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device) -> int:
        return 0

    def get_active_torch_device(self):
        import torch

        return torch.device("cpu")

    def get_device_properties(self, device) -> dict:
        return {"max_shared_mem": 232_448}

    def load_binary(self, name, binary, shared, device) -> tuple:
        """Module, function, registers, spills, most threads: the function is the PTX."""
        return name, binary.decode(), None, None, 1024


class Launcher:
    """Launches of one compiled kernel."""

    def __init__(self, source, metadata):
        self.kinds = list(source.signature.values())

    def __call__(self, x, y, z, stream, function, packed, metadata, enter, leave, *args) -> None:
        from noether.kernels.ptx import evaluate, native

        if (y, z) != (1, 1):
            raise ValueError(f"the grid is {(x, y, z)}: the stand-in has one dimension")
        given = zip(args, self.kinds, strict=True)
        passed = [memory(arg) for arg, kind in given if kind != "constexpr"]
        # An evaluator takes what has no C, as bfloat16 arithmetic.
        run = evaluate if native.missing() or ".bf16" in function else native.execute
        run(function, passed, x)


def memory(argument):
    """A tensor as the array of its memory, bfloat16 as bits, which numpy lacks; a number as it is."""
    if not hasattr(argument, "numpy"):
        return argument
    import torch

    return (argument.view(torch.int16) if argument.dtype == torch.bfloat16 else argument).numpy()


@contextmanager
def stand_in():
    """A context in which `triton-gpu` is the stand-in, in this process alone."""
    from triton import knobs
    from triton.runtime import driver

    from noether.kernels.loops import backends, launch
    from noether.kernels.loops.compiled import uncoalesced

    global DEVICE, IS_STAND_IN

    def hook(backend=None, stages=None, *about):
        if stages is None:
            return "ptx as binary", "ptx as binary"
        stages["ttgir"] = uncoalesced(stages["ttgir"])
        stages["cubin"] = lambda ptx, metadata: ptx.encode()

    before = (driver._active, knobs.runtime.add_stages_inspection_hook, backends.GPU, launch.missing)
    missing = launch.missing
    driver.set_active(Driver())
    knobs.runtime.add_stages_inspection_hook = hook
    backends.GPU = DEVICE = "cpu"
    IS_STAND_IN = True
    launch.missing = lambda backend: "" if backend == "triton-gpu" else missing(backend)
    try:
        yield
    finally:
        driver._active, knobs.runtime.add_stages_inspection_hook, backends.GPU, launch.missing = before
        DEVICE, IS_STAND_IN = "cuda", False
