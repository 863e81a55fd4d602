"""What ptxas says of a kernel: registers, and what it spills. It is in Triton's wheel, and needs no GPU."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Assembled:
    """The machine code of a kernel, and what ptxas said of it.

    stack   bytes of memory that a thread has of its own;  spills  bytes that it writes there and reads back,
            each instruction counted once
    """

    registers: int
    stack: int
    spills: int
    sass: str


@cache
def tools() -> Path:
    """The folder of ptxas and cuobjdump in Triton's wheel. Raises FileNotFoundError."""
    import triton

    place = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    for name in ("ptxas", "ptxas-blackwell", "cuobjdump"):
        if not (place / name).exists():
            raise FileNotFoundError(
                f"{name} is not in {place.name}/ of triton {triton.__version__}: the static table needs it"
            )
    return place


def assembled(ptx: str, listed: bool = True) -> Assembled:
    """Assemble a kernel; without `listed` its machine code is not printed. Raises RuntimeError,
    FileNotFoundError."""
    # sm_90a: what Triton names, not what it was asked for.
    target = re.search(r"^\.target\s+(\w+)", ptx, re.M)[1]
    with tempfile.TemporaryDirectory() as folder:
        text, binary = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        text.write_text(ptx)
        assembler = "ptxas-blackwell" if target.startswith("sm_10") else "ptxas"
        words = [tools() / assembler, "-v", f"--gpu-name={target}", text, "-o", binary]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"ptxas: {done.stderr.strip().splitlines()[-1]}")
        show = [tools() / "cuobjdump", "-sass", binary]
        sass = subprocess.run(show, capture_output=True, text=True).stdout if listed else ""
    number = lambda pattern: int(re.search(pattern, done.stderr)[1])
    spills = number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")
    return Assembled(number(r"Used (\d+) registers"), number(r"(\d+) bytes stack frame"), spills, sass)
