"""A register that some path has not defined: refused where something needs it, else left out."""

import numpy as np
import pytest

from noether.kernels.ptx import OutOfBounds, Refused, evaluate
from noether.kernels.ptx.native import execute, missing

PTX = """.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 .ptr .global .align 1 k_0)
.reqntid 32
{{
.reg .pred %p<3>;
.reg .b32 %r<5>;
.reg .b64 %rd<4>;
.reg .f64 %fd<6>;
ld.param.b64 %rd1, [k_0];
mov.u32 %r1, %tid.x;
mul.wide.u32 %rd2, %r1, 8;
add.s64 %rd3, %rd1, %rd2;
mov.f64 %fd2, 0d3FF0000000000000;
mov.b32 %r2, 3;
// implicit-def: %fd1
$L1:
add.rn.f64 %fd2, %fd2, %fd2;
add.rn.f64 %fd1, %fd1, 0d7FF8000000000000;
{more}
add.s32 %r2, %r2, -1;
setp.ne.b32 %p1, %r2, 0;
@%p1 bra $L1;
st.global.f64 [%rd3], %fd2;
ret;
}}
"""


@pytest.fixture(params=[evaluate, execute], ids=["evaluated", "native"])
def run(request):
    if request.param is execute and missing():
        pytest.skip(missing())
    return request.param


@pytest.mark.parametrize("more", ["", "mul.rn.f64 %fd3, %fd1, %fd2;", "setp.gt.f64 %p2, %fd1, %fd1;"])
def test_a_sum_that_only_itself_reads_is_left_out(run, more):
    """LLVM leaves one of two equal sums so: where Shampoo has symmetric matrices, and a loss has its numbers
    in a certain order (Triton 3.7.1)."""
    found = np.zeros(32)
    run(PTX.format(more=more), [found], 1)
    assert (found == 8).all()


@pytest.mark.parametrize(
    "more",
    [
        "add.rn.f64 %fd2, %fd2, %fd1;",
        "st.global.f64 [%rd3], %fd1;",
        "setp.gt.f64 %p2, %fd1, %fd2;\n@%p2 add.rn.f64 %fd2, %fd2, %fd2;",
        "setp.gt.f64 %p2, %fd4, %fd2;\n@%p2 bra $L1;",
        "mul.rn.f64 %fd3, %fd1, %fd2;\nst.global.f64 [%rd3], %fd3;",
    ],
)
def test_one_that_something_needs_is_refused(run, more):
    with pytest.raises(Refused, match="is read before it is defined on every path"):
        run(PTX.format(more=more), [np.zeros(32)], 1)


def test_a_load_that_nothing_needs_is_still_checked(run):
    more = "ld.global.f64 %fd5, [%rd3+256];"
    with pytest.raises(OutOfBounds):
        run(PTX.format(more=more), [np.zeros(32)], 1)
