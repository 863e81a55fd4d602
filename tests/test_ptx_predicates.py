"""A predicate that PTX moves from a whole number: 0 is false, anything else true (PTX ISA 9.7.9)."""

import numpy as np
import pytest

from noether.kernels.ptx import evaluate
from noether.kernels.ptx.native import execute, missing

PTX = """.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 .ptr .global .align 1 k_0)
.reqntid 32
{{
.reg .pred %p<2>;
.reg .b32 %r<3>;
.reg .b64 %rd<4>;
ld.param.b64 %rd1, [k_0];
mov.u32 %r1, %tid.x;
mul.wide.u32 %rd2, %r1, 4;
add.s64 %rd3, %rd1, %rd2;
mov.pred %p1, {number};
selp.b32 %r2, 7, 5, %p1;
st.global.b32 [%rd3], %r2;
ret;
}}
"""


@pytest.mark.parametrize("number, chosen", [(-1, 7), (1, 7), (2, 7), (0, 5)])
@pytest.mark.parametrize("run", [evaluate, execute], ids=["evaluated", "native"])
def test_a_whole_number_is_read_as_a_predicate(run, number, chosen):
    if run is execute and missing():
        pytest.skip(missing())
    found = np.zeros(32, np.int32)
    run(PTX.format(number=number), [found], 1)
    assert (found == chosen).all()
