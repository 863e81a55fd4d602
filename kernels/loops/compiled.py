"""Triton kernels compiled ahead of time: PTX text, no GPU needed.

For sm_80 and sm_90; sm_100 packs two float32 into one operation (f32x2), which nothing here executes, so that
its kernels are only counted (harness/labs/bench/static.py).
"""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from noether.kernels.loops.triton_cache import checked

ARCHITECTURES = (80, 90, 100)


@dataclass(frozen=True)
class Compiled:
    """The PTX of one kernel.

    threads    of a CTA
    signature  run-time parameter -> Triton type, in order
    """

    ptx: str
    name: str
    threads: int
    arch: int
    signature: dict[str, str] = field(compare=False)


_MEMO: dict[tuple, Compiled] = {}


def compile_ptx(
    fn,
    signature: dict[str, str],
    constexprs: dict,
    *,
    arch=90,
    num_warps=4,
    enable_fp_fusion=False,
    aligned: tuple[str, ...] = (),
    bare=False,
) -> Compiled:
    """Compile a @triton.jit function to PTX text, once a process.

    signature         run-time parameter -> "*fp64", "i32", ...
    constexprs        the remaining parameters -> their values
    enable_fp_fusion  whether a product and a sum may become one fma; its default flips in Triton 3.10
    aligned           parameters whose pointer or number is a multiple of 16, as a launch would tell Triton
    bare              leave out source lines, and the choice of a thread for each element of a vector: half of
                      the time, and no instruction where no vector has more elements than there are threads

    Raises RuntimeError where TRITON_INTERPRET is set, ValueError for an architecture or a parameter left out.
    """
    refuse(fn, signature, constexprs, arch)
    if not set(aligned) <= set(signature):
        raise ValueError(
            f"aligned names {sorted(set(aligned) - set(signature))}: must be run-time parameters"
        )
    values = tuple((k, _name(v)) for k, v in constexprs.items())
    options = (arch, num_warps, enable_fp_fusion, aligned, bare)
    key = (fn.cache_key, fn.__name__, tuple(signature.items()), values, *options)
    if key not in _MEMO:
        _MEMO[key] = _compile(fn, signature, constexprs, *options)
    return _MEMO[key]


def refuse(fn, signature: dict[str, str], constexprs: dict, arch: int) -> None:
    """Raise what compile_ptx raises, before anything is compiled."""
    if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
        raise RuntimeError(
            "TRITON_INTERPRET is set: this process interprets and cannot compile; unset it before triton is "
            "imported"
        )
    if not hasattr(fn, "cache_key"):
        raise RuntimeError(
            f"{fn!r} is no compilable @triton.jit function: was triton imported under TRITON_INTERPRET=1?"
        )
    if arch not in ARCHITECTURES:
        raise ValueError(f"arch is {arch}, must be one of {ARCHITECTURES}")
    given = {*signature, *constexprs}
    if given != set(fn.arg_names) or len(given) != len(signature) + len(constexprs):
        odd = sorted(given ^ set(fn.arg_names)) or sorted(set(signature) & set(constexprs))
        raise ValueError(
            f"parameters of {fn.__name__} are {fn.arg_names}; signature and constexprs must name each once, "
            f"not so: {odd}"
        )


def _name(value) -> str:
    """A constexpr as a string that changes whenever what it compiles to changes."""
    return getattr(value, "cache_key", None) or repr(value)


def _compile(fn, signature, constexprs, arch, num_warps, enable_fp_fusion, aligned, bare) -> Compiled:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    types = {name: "constexpr" if name in constexprs else signature[name] for name in fn.arg_names}
    attrs = {(fn.arg_names.index(name),): [["tt.divisibility", 16]] for name in aligned}
    source = ASTSource(fn, types, dict(constexprs), attrs)
    options = {"num_warps": num_warps, "enable_fp_fusion": enable_fp_fusion}
    with checked(), _stages(bare):
        done = triton.compile(source, target=GPUTarget("cuda", arch, 32), options=options)
    runtime = {n: t for n, t in types.items() if t != "constexpr"}
    return Compiled(done.asm["ptx"], done.metadata.name, 32 * num_warps, arch, runtime)


@contextmanager
def _stages(bare: bool):
    """Leave out ptxas, a tenth of the time: nobody here runs machine code. And what `bare` is about.

    The hook's words enter Triton's cache key, so that a launch on a GPU never finds the empty result.
    Triton calls it without arguments for that key, and with the stages when it has made them (3.7). Triton
    3.6 does not ask for a key, and is left to do all.
    """
    import triton
    from triton import knobs

    said = "ptx only, bare" if bare else "ptx only"

    def hook(backend=None, stages=None, *about):
        if stages is None:
            return said, said
        stages["cubin"] = lambda module, metadata: b""
        if bare:
            stages["ttgir"] = uncoalesced(stages["ttgir"])

    before = getattr(knobs.runtime, "add_stages_inspection_hook", ...)
    if before is not None or triton.__version__.startswith("3.6."):  # absent, or somebody's own: left alone
        yield
        return
    knobs.runtime.add_stages_inspection_hook = hook
    try:
        with _without_lines() if bare else nullcontext():
            yield
    finally:
        knobs.runtime.add_stages_inspection_hook = before


@contextmanager
def _without_lines():
    """A context in which Triton writes no source lines into the PTX, which are most of its text."""
    from triton import knobs

    own = knobs.compilation.__dict__  # set as an attribute, it would be exported to the environment
    before = own.get("disable_line_info", own)
    own["disable_line_info"] = True
    try:
        yield
    finally:
        if before is own:
            del own["disable_line_info"]
        else:
            own["disable_line_info"] = before


def uncoalesced(stage):
    """Triton's stage without its pass TritonGPUCoalesce.

    For each load and store the pass walks through all that the address depends on and all that depends on it,
    which is the whole kernel: half the time of a compilation.
    """
    from triton._C.libtriton import passes

    def run(module, metadata):
        of_gpu = passes.ttgpuir
        before = getattr(of_gpu, "add_coalesce", None)  # looked at in 3.7.1
        if before is None:
            return stage(module, metadata)
        of_gpu.add_coalesce = lambda manager: None
        try:
            return stage(module, metadata)
        finally:
            of_gpu.add_coalesce = before

    return run
