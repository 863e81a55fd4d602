"""A screen that is shared out finds what the one kernel finds, to the bit, and ptxas spills no more than is
stated."""

from dataclasses import replace

import numpy as np
import pytest
from test_screen_kernel import VALLEY, job_of, need, same

from noether.cases import CORE
from noether.cases.losses.mexican_hat import mexican_hat
from noether.kernels.loops import backends, launch, screen_shares
from noether.kernels.loops.compiled import Compiled
from noether.kernels.programs.fenced_text import source
from noether.kernels.programs.precision import Precision, parse
from noether.kernels.programs.pressure import alive, depth_first, largest_of, leaves, part
from noether.laws.exact.screen import prepare

pytest.importorskip("triton")
CASES = {case.name: case for case in CORE}
RULE = {"entropy-mirror": "mirror-descent"}
FLOAT64 = Precision("float64")
PTX = Compiled("", "", 128, 90, {})
each = pytest.mark.parametrize("precision", ("float64", "float32"))


def screen_of(case, precision="float64", rule="heavy-ball", laws=None, **options):
    job = job_of(case, RULE.get(case.name, rule), precision, **options)
    return prepare(case, replace(job, trace=False), laws)[0]


def programs():
    return [screen_of(case, p).residual for case in CORE for p in ("float64", "float32")]


def inputs_of(program, lanes=40):
    return list(np.random.default_rng(4).uniform(0.2, 1.0, (len(program.inputs), lanes)))


def bits_of(outputs) -> list[bytes]:
    return [np.ascontiguousarray(x).tobytes() for x in outputs]


def test_depth_first_every_operation_stays_and_fewer_numbers_are_alive():
    for program in programs():
        moved = depth_first(program)
        assert sorted(op.name for op in moved.ops) == sorted(op.name for op in program.ops)
        assert alive(moved) < alive(program)
        given = inputs_of(program)
        assert bits_of(moved.evaluate(given, FLOAT64)) == bits_of(program.evaluate(given, FLOAT64))


def test_parts_of_a_largest_have_it_as_their_largest_nan_too():
    program = screen_of(CASES["softmax"]).residual
    output = program.outputs[0]
    found = leaves(program, output)
    assert len(found) == 12 and not leaves(program, program.ops[output].args[0])
    parts = [largest_of(program, output, some) for some in (found[:5], found[5:])]
    for wrong in (None, np.nan):
        given = inputs_of(program)
        given[-1][3] = given[-1][3] if wrong is None else wrong
        whole = part(program, [output]).evaluate(given, FLOAT64)[0]
        a, b = (part(p, [p.outputs[-1]]).evaluate(given, FLOAT64)[0] for p in parts)
        assert np.isnan(whole).any() == (wrong is not None)
        assert bits_of([np.maximum(a, b)]) == bits_of([whole])


def test_shares_have_every_law_and_fit_where_they_can():
    for case in CORE:
        screen = screen_of(case)
        found = screen_shares.shares(screen.residual, screen.lags)
        assert {law for share in found for law in share.laws} == set(range(len(screen.lags)))
        room = screen_shares.REGISTERS - screen_shares.OTHERS
        for share in found:
            late = any(screen.lags[law] > 1 for law in share.laws)
            alone = len(share.laws) == 1 and not leaves(
                screen.residual, screen.residual.outputs[share.laws[0]]
            )
            assert alone or screen_shares.needed(share.program, len(share.laws), late) <= room
    assert len(found) < len(screen.lags), "the laws of a small case fit into one share"


@each
@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
def test_shares_find_what_the_one_kernel_finds(case, precision):
    need("triton-cpu")
    screen = screen_of(case, precision, lanes=131, steps=6)
    mine, plain = launch.run(replace(screen, shared=True), "triton-cpu"), launch.run(screen, "numpy")
    assert mine.notes["shares"] >= 1 and plain.moved.any() and (plain.spent > 0).any()
    same(mine, plain)


POINTS = [
    (mexican_hat(2), "heavy-ball-decoupled", "bfloat16", "triton-ptx"),
    (VALLEY, "heavy-ball", "float64", "triton-ptx"),
    (VALLEY, "gradient-descent", "float32", "triton-interpreted"),
    (mexican_hat(2), "heavy-ball", "float16", "triton-interpreted"),
]


@pytest.mark.parametrize(("case", "rule", "precision", "backend"), POINTS)
def test_shares_are_the_plain_screen_evaluated_and_interpreted(case, rule, precision, backend):
    need(backend)
    screen = screen_of(case, precision, rule, steps=4)
    found = launch.run(replace(screen, shared=True), backend)
    same(found, launch.run(screen, "numpy"))
    assert found.backend == backend


@pytest.mark.parametrize("backend", ("triton-cpu", "triton-interpreted"))
def test_shares_see_a_fault_where_the_one_kernel_sees_it(backend, monkeypatch):
    """The momentum of the update is off by 2^-10 in each second lane, that of the residual is not."""
    need(backend)
    case = mexican_hat(2)
    screen = screen_of(case, "float32", "heavy-ball", steps=6)
    wrong, start = screen.job.params.copy(), screen.job.q0.copy()
    wrong[0, ::2] *= 1 + 2.0**-10
    start[1, 7] = np.nan
    screen = replace(screen, job=replace(screen.job, params=wrong, q0=start))
    monkeypatch.setattr(screen_shares, "OTHERS", screen_shares.REGISTERS - 20)
    screen_shares.shares.cache_clear()
    try:
        mine = launch.run(replace(screen, shared=True), backend)
    finally:
        screen_shares.shares.cache_clear()
    plain = launch.run(screen, "numpy")
    same(mine, plain)
    assert mine.notes["shares"] > len(screen.lags), "the update's law is in parts"
    assert (plain.spent[0, ::2] > 1).all() and (np.delete(plain.spent[0, 1::2], 3) <= 1).all()
    assert np.isinf(mine.spent[:, 7]).all()


def test_shares_that_took_different_steps_are_refused():
    screen = screen_of(CASES["rayleigh"], lanes=5, steps=2)
    launches = screen_shares.shared(screen)
    found = [share.plain() for share in launches]
    found[-1].q[0, 0] += 1
    with pytest.raises(RuntimeError, match="took different steps"):
        screen.joined(launches, found)


def test_only_a_gpu_on_which_one_kernel_spills_takes_another_way(monkeypatch):
    screen, charge = screen_of(CASES["rayleigh"]), screen_of(CASES["rayleigh"], laws=("D2",))
    assert not screen.shares("triton-cpu") and not screen.shares("triton-ptx")
    monkeypatch.setattr(backends, "architecture", lambda: 90)
    monkeypatch.setattr(backends, "compiled", lambda launch, arch: replace(PTX, ptx=launch))
    bytes_of = {"whole": 0, "ordered": 0}
    monkeypatch.setattr(screen_shares, "spills", lambda x: bytes_of["ordered" if x.fenced else "whole"])
    assert not screen.shares("triton-gpu")
    bytes_of["whole"] = 1700
    assert [x.of for x in charge.shares("triton-gpu")] == [(0,)], "all laws fit into one share"
    assert [x.of for x in screen.shares("triton-gpu")] == [(0, 1, 2)], "shares compute more than is spilled"
    bytes_of |= {"whole": 10**5, "ordered": 10**4}
    assert len(screen.shares("triton-gpu")) == 3
    monkeypatch.setattr(backends, "architecture", lambda: 0)
    assert not screen.shares("triton-gpu")


def test_the_ordered_kernel_finds_what_the_one_kernel_finds():
    need("triton-cpu")
    screen = screen_of(CASES["rayleigh"], steps=6)
    whole = screen_shares.ordered(screen)
    same(screen.joined([whole], [launch.run(whole, "triton-cpu")]), launch.run(screen, "numpy"))


@pytest.mark.parametrize("arch", (80, 90, 100))
def test_the_charge_law_of_rayleigh_spills_in_one_kernel_and_not_in_its_share(arch):
    """Float64; 408 bytes in the one kernel of the bench."""
    screen = screen_of(CASES["rayleigh"], laws=("D2",))
    (share,) = screen_shares.shared(screen)
    assert screen_shares.spills(backends.compiled(screen, arch).ptx) > 0
    assert screen_shares.spills(backends.compiled(share, arch).ptx) == 0


def test_a_program_that_rounds_to_a_store_has_no_fences():
    program = screen_of(CASES["rayleigh"]).residual
    with pytest.raises(ValueError, match="not printed with fences"):
        source(program, parse("bfloat16/eager"))
