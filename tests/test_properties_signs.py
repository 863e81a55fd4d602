"""Sign flips that keep the loss keep every bit of the run."""

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_properties import EUCLIDEAN, fails, with_params

import noether.kernels.programs.numpy_step
from noether.campaigns.fuzz.strategies import launches
from noether.kernels.loops import launch
from noether.kernels.programs.trace import gradient_program


def parities(program, signs) -> list:
    """For each operation 1 or -1 where flipping the inputs by `signs` flips its rounded value so, else
    None."""
    found: list = []
    for op in program.ops:
        a = [found[i] for i in op.args]
        if op.name == "input":
            sign = signs[op.value] if op.value < len(signs) else 1
        elif op.name == "const":
            sign = 1
        elif None in a:
            sign = None
        elif op.name in ("add", "sub"):
            sign = a[0] if a[0] == a[1] else None
        elif op.name in ("mul", "div"):
            sign = a[0] * a[1]
        elif op.name == "neg":
            sign = a[0]
        else:
            sign = 1 if set(a) == {1} else None
        found.append(sign)
    return found


def unbroken(case):
    return gradient_program(case.dim, lambda q, eps, xp: case.loss(q, xp))


def flips(case) -> list:
    """The sign flips, the identity apart, under which the traced gradient of the loss is odd in every
    rounding."""
    program = unbroken(case)
    found = []
    for signs in product((1, -1), repeat=case.dim):
        at = parities(program, signs)
        if -1 in signs and [at[i] for i in program.outputs] == list(signs):
            found.append(signs)
    return found


FLIPPED = {c.name: flips(c) for c in EUCLIDEAN}


EVEN = [c for c in EUCLIDEAN if FLIPPED[c.name]]


def test_the_parities_are_those_of_the_losses():
    """Hat: each sign alone. Rayleigh with neighbour terms: all together. Network: each column of U with that
    of V. Softmax: none."""
    known = {"mexican-hat": 7, "rayleigh": 1, "deformed-rayleigh": 15, "linear-network": 3, "softmax": 0}
    assert {name: len(FLIPPED[name]) for name in known} == known


def flipped_alike(drawn, **planted):
    (case, job), choice = drawn
    signs = FLIPPED[case.name][choice % len(FLIPPED[case.name])]
    D = np.array(signs, float)[:, None]
    job = with_params(replace(job, program=unbroken(case)), eps=0.0)
    z, v = launch.run(job, "numpy", **planted).wide()
    other = launch.run(replace(job, q0=D * job.q0, v0=D * job.v0), "numpy", **planted)
    for mine, theirs in zip((z, v), other.wide(), strict=True):
        assert np.array_equal(D * mine, theirs, equal_nan=True), (
            f"{job} with signs {signs} is not the flipped run"
        )


WITH_FLIP = st.tuples(launches(case=st.sampled_from(EVEN)), st.integers(0, 2**8))


@given(WITH_FLIP)
@settings(max_examples=60)
def test_sign_flips_that_keep_the_loss_keep_every_bit_of_the_run(drawn):
    flipped_alike(drawn)


def downwards(n, q, v, params, gradient, rule, precision):
    """Stores that round towards minus infinity by one part in 2^6."""

    def store(x, kind):
        return noether.kernels.programs.numpy_step.narrow(x - np.abs(x) * x.dtype.type(2.0**-6), kind)

    return noether.kernels.programs.numpy_step.step(q, v, params, gradient, rule, precision, store=store)


def test_a_store_that_rounds_downwards_is_no_even_one():
    assert "is not the flipped run" in fails(WITH_FLIP, lambda drawn: flipped_alike(drawn, advance=downwards))
