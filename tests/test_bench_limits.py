"""What the machine can do at most, and how near to it a kernel is: the counts are those of a kernel that was
counted by hand, and a share above 1 is told as a wrong limit."""

from dataclasses import replace

import numpy as np
import pytest

from noether.kernels.ptx import native
from noether.labs.bench import campaign as campaigns
from noether.labs.bench import ceilings, mix, peers
from noether.labs.bench.agreement import Agreement
from noether.labs.bench.campaign import Campaign
from noether.labs.bench.measurement import Measurement, Timing
from noether.labs.bench.page import document
from noether.labs.bench.peers import OURS
from noether.labs.bench.results import plain, sentences, share
from noether.labs.bench.work import UPDATE, Work

# x' = (x x + y) / y, 8 times shifted and compared, y alike in all steps; what is alike in all lanes is no
# vector's work, and what stands before the loop is done once.
HAND = """
.version 8.0
.target sm_90a
.address_size 64
.visible .entry hand(.param .u64 .ptr .global .align 1 hand_0, .param .u32 hand_1)
.reqntid 128
{
 .reg .pred %p<3>; .reg .b32 %r<6>; .reg .b64 %rd<5>; .reg .f64 %fd<6>; .reg .f32 %f<3>;
 ld.param.b64 %rd1, [hand_0];
 ld.param.b32 %r1, [hand_1];
 mov.u32 %r2, %tid.x;
 cvt.rn.f64.u32 %fd1, %r2;
 mul.rn.f64 %fd2, %fd1, %fd1;
 mov.u32 %r3, 0;
 mov.u32 %r4, %r2;
 cvt.rn.f32.u32 %f1, %r2;
LOOP:
 mul.rn.f64 %fd3, %fd1, %fd1;
 add.rn.f64 %fd4, %fd3, %fd2;
 sub.rn.f64 %fd4, %fd4, %fd1;
 div.rn.f64 %fd5, %fd4, %fd2;
 sqrt.rn.f64 %fd1, %fd5;
 setp.lt.f64 %p1, %fd1, %fd2;
 selp.f64 %fd1, %fd1, %fd2, %p1;
 shl.b32 %r4, %r4, 1;
 add.s32 %r4, %r4, %r2;
 add.rn.f32 %f1, %f1, %f1;
 add.s32 %r3, %r3, 1;
 setp.lt.s32 %p2, %r3, %r1;
 @%p2 bra LOOP;
 cvt.u64.u32 %rd2, %r2;
 shl.b64 %rd3, %rd2, 3;
 add.s64 %rd4, %rd1, %rd3;
 st.global.f64 [%rd4], %fd1;
 ret;
}
"""
BY_HAND = {
    "float64": {"mul": 1, "add": 2, "div": 1, "root": 1, "other": 2},
    "float32": {"shift": 1, "whole": 1, "add": 1},
}
ONE = {pipe: {"seconds": 1.0, "cpu": 1.0} for pipe in (*ceilings.PIPES, "stream")}


def rates(**of_float64):
    """One operation a second on every pipe but some of float64."""
    changed = {pipe: {"seconds": rate, "cpu": rate} for pipe, rate in of_float64.items()}
    return {"float64": ONE | changed, "float32": ONE}


def test_a_kernel_that_was_counted_by_hand():
    assert mix.counted(HAND) == BY_HAND


def test_a_kernel_without_one_loop_is_refused():
    with pytest.raises(ValueError, match="0 backward branches"):
        mix.counted(HAND.replace("@%p2 bra LOOP;", ""))


@pytest.mark.parametrize(
    ("of_float64", "seconds", "by"),
    [
        ({}, 7 - 2 / 2 + 3, "vector"),  # all of both types, choices and comparisons half
        ({"arithmetic": 100.0}, 3 + 6 / 100, "vector"),
        ({"arithmetic": 100.0, "div": 0.25}, 4 + 1, "divider"),
        ({"arithmetic": 100.0, "add": 0.5}, 2 / 0.5 + 1, "add"),  # on one pipe both types follow each other
    ],
)
def test_the_least_time_is_that_of_the_busiest_pipe(of_float64, seconds, by):
    found = mix.least(BY_HAND, rates(**of_float64), 0, 5, "cpu")
    assert found == (pytest.approx(5 * seconds), by)


def test_memory_limits_only_what_is_in_no_cache():
    few, many = (mix.least(BY_HAND, rates(), n, 5, "seconds") for n in (ceilings.FAR - 1, ceilings.FAR))
    assert few[1] == "vector" and many == (ceilings.FAR, "memory")


def measured(seconds, rate=100.0, lanes=4096):
    """One work of 10 steps in so many seconds, on a machine that does so many operations a second."""
    pipes = {pipe: {"seconds": rate, "cpu": rate} for pipe in ONE}
    timing = Timing(OURS, seconds=seconds, cpu=seconds, agreed=Agreement(0.0, 0.0, 0.0, 0.5, ""))
    work = Work("mexican-hat", "float64", lanes, 10, UPDATE)
    return Measurement(work, [timing], {"float64": {"add": 1}}, [{"float64": pipes}] * len(seconds))


LEAST = 4096 * 10 / 100.0


def test_a_share_is_formed_within_a_round():
    m = measured([2 * LEAST, 4 * LEAST])
    m.rates[1] = {"float64": {pipe: {"seconds": 50.0, "cpu": 50.0} for pipe in ONE}}  # half as fast a machine
    assert m.share() == (0.5, 0.5, 0.5) and not m.is_beyond and "wrong" not in share(m)


def test_what_is_faster_than_the_machine_shows_a_wrong_limit_and_no_success():
    beyond = measured([LEAST / 1.1, LEAST / 1.2, LEAST / 1.3])
    found = Campaign([OURS], kinds=(UPDATE,), measurements=[beyond], scale=False)
    assert beyond.is_beyond and share(beyond).startswith("the limit is wrong")
    said = " ".join(sentences(found))
    assert "the limit is wrong, nothing follows" in said and "of what the machine can do" not in said
    assert plain(found)["works"][0]["limit"]["is_wrong"] and "the limit is wrong" in document(found)


def test_a_share_above_1_within_the_spread_is_none():
    assert not measured([LEAST / 1.1, 1.1 * LEAST, 1.2 * LEAST]).is_beyond


def test_without_rates_nothing_is_said():
    m = replace(measured([1.0]), rates=[])
    found = Campaign([OURS], kinds=(UPDATE,), measurements=[m])
    assert share(m) == "" and plain(found)["works"][0]["limit"] is None and not found.beyond


def test_a_wrong_limit_ends_the_command_with_3(monkeypatch, capsys):
    from noether.cli.main import call

    def run(campaign, **more):
        campaign.measurements = [measured([LEAST / 2])]
        return campaign

    monkeypatch.setattr(campaigns, "run", run)
    monkeypatch.setattr(peers, "missing", lambda name: "" if name == OURS else "not here")
    assert call(["bench", "--work", "update", "--no-scale"]) == 3
    assert "the limit is wrong" in capsys.readouterr().err


needs_a_compiler = pytest.mark.skipif(bool(native.missing()), reason=native.missing())
TINY = 2.0**-60


@pytest.fixture
def near(monkeypatch):
    """Arrays of the stream of 1 MiB: those of a library that is loaded stay for good, 128 MiB of them."""
    monkeypatch.setattr(ceilings, "FAR", 1 << 20)
    for kept in (ceilings.library, ceilings.turns):
        kept.cache_clear()
    yield
    for kept in (ceilings.library, ceilings.turns):
        kept.cache_clear()


@needs_a_compiler
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_every_operation_of_a_pipe_is_done(kind, near):
    """A pipe whose loop a compiler left out would be the fastest of all: what it computes is compared."""
    real, chains = np.dtype(kind).type, ceilings.shape()[1]
    steps, threads = 37, 2
    c, d = real(TINY), real(TINY) + real(1)
    x = [d + real(k * TINY) for k in range(2 * chains)]
    step = {
        "add": lambda v, half: v + (c, d)[half],
        "mul": lambda v, half: v * d,
        "arithmetic": lambda v, half: v + c if half == 0 else v * d,
        "div": lambda v, half: d / v,
        "root": lambda v, half: np.sqrt(v),
    }
    for pipe, one in step.items():
        ends = [float(after(one, v, half, steps)) for half in (0, 1) for v in x[half * chains :][:chains]]
        whole = sum(np.array([c, d]).view(f"i{d.itemsize}").astype(float))
        ends[0] = float(real(real(ends[0]) + real(c + d + whole)))
        got = ceilings.run(kind, pipe, steps, threads)[2]
        assert got == pytest.approx(threads * sum(ends), rel=1e-6), pipe


def after(one, value, half, steps):
    for _ in range(steps):
        value = one(value, half)
    return value


@needs_a_compiler
def test_rates_are_of_every_pipe_and_type(near):
    found = ceilings.rates(1, ("float32",))
    assert set(found) == {"float32"} and set(found["float32"]) == {*ceilings.PIPES, "stream"}
    assert all(rate > 0 for of in found["float32"].values() for rate in of.values())


@needs_a_compiler
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_the_kernels_own_steps_are_counted(kind):
    pytest.importorskip("triton")
    from noether.labs.bench import static

    asked = mix.counted(static.kernel(Work("mexican-hat", kind, 128, 1, UPDATE), 90))
    # 38 operations are written; a compiler folds what is alike.
    assert set(asked) == {kind} and 30 <= sum(asked[kind].values()) <= 38
