"""Two small kernels that ask the GPU what no CPU can answer: how it stores bfloat16, how a float argument
arrives.

Only `make gpu` launches them; the product itself uses neither construct (kernels/loops/triton_rounding.py
rounds in integers, parameters travel in float64 memory).
"""

import triton
import triton.language as tl


@triton.jit
def native_bfloat16(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """out = x, converted by the hardware's own float32 to bfloat16 conversion."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    tl.store(out_ptr + at, tl.load(x_ptr + at, mask=live).to(tl.bfloat16), mask=live)


@triton.jit
def float_argument(out_ptr, value):
    """out[0] = value, a Python float, stored as float64."""
    tl.store(out_ptr, value.to(tl.float64))
