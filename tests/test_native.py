"""The translation to C has the bits of the evaluator and of plain numpy; it is refused or stopped where they are."""

import numpy as np
import pytest
from test_kernels import agree, each_point, job_of
from test_ptx import ODD_LANES, blocks, compiled, same_bits, starts

from kernels import native
from kernels.ptx import evaluate

if native.missing():
    pytest.skip(f"no compiler: {native.missing()}", allow_module_level=True)


@each_point
def test_the_translated_loop_is_the_plain_step(case, precision, turn):
    agree(job_of(case, precision, turn, lanes=131), "triton-cpu")


@pytest.mark.parametrize("arch", [80, 90])
@pytest.mark.parametrize("lanes", ODD_LANES)
def test_a_translated_time_loop_has_the_bits_of_the_evaluator(lanes, arch):
    x = np.array([starts(lanes, 1), starts(lanes, 2)[::-1]])
    mine, other = np.full((7, 2, lanes), 5.0), np.full((7, 2, lanes), 5.0)
    native.execute(compiled("wander64", arch), [x, mine, lanes, 7], blocks(lanes))
    evaluate(compiled("wander64", arch), [x, other, lanes, 7], blocks(lanes))
    same_bits(mine, other, f"{lanes} lanes, sm_{arch}")
