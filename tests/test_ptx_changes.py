"""Every change of one instruction of a compiled kernel is noticed."""

import pytest
from ptx_mutants import EQUIVALENT, fills, mutants
from test_ptx import compiled, outcome

from noether.kernels.ptx import parse


@pytest.mark.parametrize("kind", ["wander64", "wander32", "bits32", "exponential"])
def test_every_change_of_one_instruction_is_noticed(kind):
    ptx = compiled(kind).ptx
    right = outcome(ptx, kind)
    assert isinstance(right, bytes)
    kernel, tried, unnoticed = parse(ptx), 0, []
    dead = fills(kernel)  # a lane outside the mask stores nothing
    for i, text, what in mutants(ptx, kernel):
        tried += 1
        if i.line in dead or outcome(text, kind) != right:
            continue
        if not any(proof(kind, i, what) for proof in EQUIVALENT.values()):
            unnoticed.append(f"line {i.line}: {i.text}  ->  {what}")
    assert tried > 100, f"only {tried} changes were tried"
    assert not unnoticed, f"{len(unnoticed)} of {tried} unnoticed:\n" + "\n".join(unnoticed)
