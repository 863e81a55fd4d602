"""Does this Triton add in the order that is written? Needs triton and numpy, no GPU. See triton-3.8.md.

The kernel adds four products from left to right, without fused multiply-add. The script compiles it for an
NVIDIA GPU (sm_90, or another as argument), reads from the PTX in which order the products are added, and
counts how many of 1000 sums that order changes.
"""

import re
import sys

import numpy as np
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource


@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = i < n
    a = tl.load(x_ptr + i, mask=live)
    b = tl.load(x_ptr + n + i, mask=live)
    c = tl.load(x_ptr + 2 * n + i, mask=live)
    d = tl.load(x_ptr + 3 * n + i, mask=live)
    e = tl.load(x_ptr + 4 * n + i, mask=live)
    y = a * b + b * c + c * d + d * e  # the terms 0, 1, 2, 3
    tl.store(y_ptr + i, y, mask=live)


def compiled(kind: str, arch: int) -> str:
    """The PTX of the kernel."""
    types = {"x_ptr": f"*{kind}", "y_ptr": f"*{kind}", "n": "i32", "BLOCK": "constexpr"}
    options = {"num_warps": 4, "enable_fp_fusion": False}
    source = ASTSource(kernel, types, {"BLOCK": 128})
    return triton.compile(source, target=GPUTarget("cuda", arch, 32), options=options).asm["ptx"]


def order(ptx: str) -> list[int]:
    """The terms in the order in which the PTX adds them: products by their operands, additions in turn."""
    loads = re.findall(r"ld\.global\.\w+ \{ (%\w+) \}", ptx)
    meaning = {register: [k] for k, register in enumerate(loads)}
    for name, result, x, y in re.findall(r"(add|mul)\.(?:rn\.)?b?f\d+\s+(%\w+), (%\w+), (%\w+);", ptx):
        if name == "mul":
            meaning[result] = [min(meaning[x][0], meaning[y][0])]  # x_k x_(k+1) is term k
        else:
            meaning[result] = meaning[x] + meaning[y]
    return max(meaning.values(), key=len)


def main(arch: int) -> None:
    for kind, dtype in (("fp64", np.float64), ("fp32", np.float32)):
        if kind == "fp32" and arch >= 100:
            break  # two at once there, which `order` does not read
        x = np.random.default_rng(0).standard_normal((5, 1000)).astype(dtype)
        terms = [x[k] * x[k + 1] for k in range(4)]
        found = order(compiled(kind, arch))
        written, theirs = (added([terms[k] for k in which]) for which in ([0, 1, 2, 3], found))
        differ = int((written != theirs).sum())
        print(f"Triton {triton.__version__}, sm_{arch}, {kind}: order {found}, {differ} of 1000 sums differ")


def added(terms: list) -> np.ndarray:
    """From left to right."""
    return ((terms[0] + terms[1]) + terms[2]) + terms[3]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 90)
