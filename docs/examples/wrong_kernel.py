"""A wrong kernel, to read a failure by: heavy ball of which one compiled addition is a subtraction.

python docs/examples/wrong_kernel.py        needs Triton, and neither a GPU nor a C compiler; exit code 1
"""

import dataclasses
import re

from noether import verify
from noether.kernels.loops import backends

ADDITION = re.compile(r"\badd\.rn\.f32\b")
honest = backends.compiled


def compiled(job):
    """What Triton compiled, with its last addition turned around."""
    kernel = honest(job)
    last = list(ADDITION.finditer(kernel.ptx))[-1]
    return dataclasses.replace(
        kernel, ptx=kernel.ptx[: last.start()] + "sub.rn.f32" + kernel.ptx[last.end() :]
    )


if __name__ == "__main__":
    from noether.report.table import ending, say

    backends.compiled = compiled
    options = dict(rules="heavy-ball", precisions="bfloat16", laws="D0,D2", backend="triton-ptx")
    result = verify("rayleigh", **options, out="runs/wrong")
    say(*ending(result))
    raise SystemExit(result.exit_code)
