"""The other tools, one file each, which imports its tool only where it runs.

A peer module has

    missing()       why it cannot run here, '' when it can
    environment()   {name: text} to be set before its process starts, because the tool reads it at import
    variants(work)  names of the shapes in which it can do the work, the best that is known first
    prepare(work, variant) -> send, run
        send(array (4, lanes))  the residual's parameters as the tool takes them
        run(sent) -> done       blocks until the work is done; its first call compiles. What a tool allocates
                                by itself is
                                part of it; buffers that the caller owns are made once.
        done() -> q, v, worst   (d, lanes), (d, lanes), (lanes,) numpy
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from noether.system.machine import remedy

OURS = "triton-cpu"
MODULES = {OURS: "triton_cpu", "numba": "loop_numba", "torch.compile": "compiled_torch", "jax": "scan_jax"}
PEERS = tuple(MODULES)
THREADS = 2


def module(peer: str) -> ModuleType:
    """The module of a tool."""
    return importlib.import_module(f"noether.labs.bench.peers.{MODULES[peer]}")


def missing(peer: str) -> str:
    """Why a tool cannot run here; '' when it can. Imports nothing heavy."""
    return module(peer).missing()


def not_installed(package: str) -> str:
    """The reason for a package that is not there, '' for one that is."""
    return "" if importlib.util.find_spec(package) else f"{package} is not installed: {remedy(package)}"
