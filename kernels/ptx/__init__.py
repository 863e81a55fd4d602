"""What Triton compiled, run on a CPU: PTX parsed, then evaluated in numpy or translated to C.

table      every accepted mnemonic, one row each, and whether PTX fixes its bits
parse      text -> typed instructions
control    uniformity, and where lanes part and meet; affine: what rises by the same from lane to lane
semantics  what each row computes, in numpy; fma, bfloat: rounded once
memory     loads and stores, checked
binding    registers as buffers, instructions as calls bound to them
evaluate   running it
"""

from noether.kernels.ptx.binding import Endless
from noether.kernels.ptx.evaluate import Report, evaluate
from noether.kernels.ptx.memory import OutOfBounds
from noether.kernels.ptx.parse import Kernel, parse
from noether.kernels.ptx.table import TABLE, Op, Refused

__all__ = ["TABLE", "Endless", "Kernel", "Op", "OutOfBounds", "Refused", "Report", "evaluate", "parse"]
