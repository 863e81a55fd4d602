"""The benchmark compares nothing that is not the same work, and forms its ratios within a round."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from noether.kernels.loops import launch
from noether.labs.bench import agreement, peers, printing, static
from noether.labs.bench.agreement import FLAW, judge, reference
from noether.labs.bench.campaign import CASES, Campaign
from noether.labs.bench.measurement import Failed, Measurement, Peer, Timing
from noether.labs.bench.page import document, picture
from noether.labs.bench.peers import OURS
from noether.labs.bench.printing import Dialect
from noether.labs.bench.results import means
from noether.labs.bench.work import CHECKED, KINDS, UPDATE, Work

NUMPY = Dialect(
    lambda value, kind: f"np.{kind}({value!r})",
    {"exp": "elementary.exp", "sqrt": "np.sqrt", "abs": "np.abs", "max": "np.maximum"},
    lambda text, kind: f"{text}.astype(np.{kind})",
)
HEADER = "import numpy as np\nfrom noether.kernels.programs import elementary\n"


def printed(work, again, before=lambda state: state):
    """q, v, worst of the printed step, run on numpy arrays as a tool would. `before` may tamper with the
    state."""
    step = printing.load(printing.function(work, NUMPY, HEADER), "numpy").step
    q, v, params = work.arrays()
    state = (*q, *v, np.zeros(work.lanes))
    with np.errstate(all="ignore"):
        for _ in range(work.steps):
            state = step(before(state), tuple(params), tuple(again))
    d = work.dim
    return np.stack(state[:d]).astype(float), np.stack(state[d : 2 * d]).astype(float), state[-1]


def sampled(work, known, *args, **more):
    return tuple(x[..., known.lanes] for x in printed(work, *args, **more))


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_the_printed_step_is_the_kernels_step_bit_for_bit(case, precision):
    work = Work(case, precision, 40, 6)
    q, v, worst = printed(work, work.again())
    there = launch.run(work.job, "numpy").wide()
    assert np.array_equal(q, there[0][-1]) and np.array_equal(v, there[1][-1])
    assert np.array_equal(worst, work.screen.plain().spent.max(axis=0))


def test_the_printed_update_has_no_residual():
    work = Work("mexican-hat", "float64", 40, 3, UPDATE)
    assert not printed(work, work.again())[2].any()
    assert work.operations < Work("mexican-hat", "float64", 40, 3, CHECKED).operations


def test_an_operation_without_a_word_is_refused():
    with pytest.raises(ValueError, match="'exp': this tool has only"):
        printing.step(Work("softmax", "float64", 8, 1), replace(NUMPY, call={}))


# ---- agreement


@pytest.fixture(scope="module")
def work():
    return Work("mexican-hat", "float32", 64, 12)


@pytest.fixture(scope="module")
def known(work):
    return reference(work)


@pytest.fixture(scope="module")
def honest(work, known):
    return sampled(work, known, work.again()), sampled(work, known, work.again(FLAW))


def test_the_right_work_agrees(work, known, honest):
    found = judge(work, known, *honest)
    assert found.problem == "" and found.spent == 0 and found.most == 0 and 0 < found.worst <= 1


def test_another_rounding_of_each_step_is_within_the_carried_bound(work, known, honest):
    d, rng = work.dim, np.random.default_rng(0)

    def nudged(state):  # half an ulp of q more or less at every step: what sigma allows
        up = [np.where(rng.random(x.shape) < 0.5, np.nextafter(x, np.float32(np.inf)), x) for x in state[:d]]
        return (*up, *state[d:])

    found = judge(work, known, sampled(work, known, work.again(), before=nudged), honest[1])
    assert 0 < found.spent <= 2 and found.most > 0  # a whole ulp is two half ulps


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda q, v, worst, f: ((q * (1 + 2e-5), v, worst), f), "bounds from the numpy step"),
        (lambda q, v, worst, f: ((q, v * np.nan, worst), f), "bounds from the numpy step"),
        (lambda q, v, worst, f: ((q, v, worst * 0), f), "it was not computed"),
        (lambda q, v, worst, f: ((q, v, worst + 1), f), "must be at most 1"),
        (lambda q, v, worst, f: ((q, v, worst), (q, v, worst)), "with a wrong momentum"),
        (lambda q, v, worst, f: ((q, v, worst), (q, v, f[2] * np.nan)), "with a wrong momentum"),
    ],
)
def test_other_work_is_refused(work, known, honest, tamper, said):
    result, flawed = tamper(*honest[0], honest[1])
    assert said in judge(work, known, result, flawed).problem


def test_lanes_that_leave_the_finite_decide_nothing(work, known, honest):
    assert "leaves the finite" in judge(work, replace(known, sound=False), *honest).problem


def test_a_residual_that_no_flaw_moves_decides_nothing(work, known, honest):
    quiet = replace(known, flawed=known.flawed * 0)
    assert "nothing was decided" in agreement.residual_problem(quiet, honest[0][2], quiet.flawed)


# ---- measurement


def measured(ours, other, lanes=4096):
    a, b = Timing(OURS, seconds=ours, cpu=ours), Timing("numba", seconds=other, cpu=other)
    return Measurement(Work("rayleigh", "float64", lanes, 10), [a, b])


def test_ratios_are_formed_within_a_round():
    m = measured([1.0, 10.0, 100.0], [2.0, 20.0, 200.0])  # a machine that slows down a hundredfold
    assert m.ratio(m.of("numba")) == (2.0, 2.0, 2.0) and not m.is_slower


@pytest.mark.parametrize(
    ("other", "slower"), [([0.9, 0.95, 1.1], False), ([0.9, 0.95, 0.99], True), ([1.5, 2.0, 0.5], False)]
)
def test_slower_means_beyond_the_spread(other, slower):
    assert measured([1.0, 1.0, 1.0], other).is_slower is slower


def test_a_tool_without_timings_is_no_best():
    m = measured([1.0], [])
    assert m.best is None and not m.is_slower


def test_a_worker_that_fails_or_dies_says_why():
    peer = Peer(OURS)
    try:
        with pytest.raises(Failed, match="AttributeError"):
            peer.ask("nonsense")
        peer.process.kill()
        peer.process.wait()
        with pytest.raises(Failed, match="ended with"):
            peer.ask("memory")
    finally:
        peer.close()


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_kernel_does_the_work(kind):
    if peers.missing(OURS):
        pytest.skip(peers.missing(OURS))
    from noether.labs.bench.peers import triton_cpu

    work = Work("mexican-hat", "float64", 200, 6, kind)
    send, run = triton_cpu.prepare(work, triton_cpu.variants(work)[0])
    right, flawed = (
        tuple(x[..., reference(work).lanes] for x in run(send(work.again(flaw)))()) for flaw in (0.0, FLAW)
    )
    found = judge(work, reference(work), right, flawed)
    assert found.problem == "" and found.most == 0


def test_torch_compiles_as_many_shapes_as_a_campaign_has():
    pytest.importorskip("torch")
    from torch._dynamo import config

    from noether.labs.bench.peers import compiled_torch

    compiled_torch.configure()
    assert min(config.recompile_limit, config.accumulated_recompile_limit) >= Campaign([OURS]).expected


def test_small_works_make_no_claim():
    few, many = measured([1.0], [2.0], lanes=256), measured([1.0], [8.0])
    assert means(Campaign([OURS, "numba"], measurements=[few, many])) == {
        "numba": pytest.approx(8),
        "the best of each": pytest.approx(8),
    }


def test_the_document_tells_ratios_problems_and_scaling():
    m = measured([1.0, 1.0], [3.0, 3.0], lanes=16384)
    m.of("numba").variant, m.of("numba").tried = "64 lanes", {"64 lanes": 1.0, "one lane": 3.0}
    m.of("numba").agreed = agreement.Agreement(0.5, 1.0, 2.0, 0.25, "")
    m.timings.append(Timing("jax", problem="its process ended with 1"))
    found = Campaign(
        [OURS, "numba", "jax"],
        kinds=KINDS[:1],
        measurements=[m],
        scaling=[replace_lanes(m, n) for n in (256, 4096)],
    )
    text = document(found, "picture.svg")
    assert (
        "64 lanes (one lane: 3.0 x)" in text
        and "3.00 (3.00 .. 3.00)" in text
        and "its process ended with 1" in text
        and "(picture.svg)" in text
    )
    svg = picture(found)
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and svg.count("<path") > 2


def replace_lanes(m, lanes):
    return Measurement(replace(m.work, lanes=lanes, steps=64), m.timings)


# ---- the machine code


SASS = """
        /*0000*/                   MOV R1, c[0x0][0x28] ;                    /* 0x0 */
        /*0010*/                   DADD R2, R2, R4 ;
        /*0020*/              @!P0 DFMA R2, R2, R4, R6 ;
        /*0030*/                   FADD R8, R8, R9 ;
        /*0040*/               @P1 BRA 0x10 ;
        /*0050*/                   EXIT ;
        /*0060*/                   BRA 0x60;
"""


def test_the_loop_is_the_longest_backward_branch():
    body = static.loop(static.listing(SASS))
    assert [x.split()[0] for x in body] == ["DADD", "DFMA", "FADD", "BRA"]


def test_no_loop_is_refused():
    with pytest.raises(ValueError, match="no backward branch"):
        static.loop(static.listing("        /*0000*/   EXIT ;\n"))


def test_the_bound_is_that_of_the_busiest_pipe():
    device = static.Device("one", 1, 1e-9, 128, {"fp64": 32, "fp32": 64})
    from collections import Counter

    assert static.implied(Counter(fp64=64, fp32=64), 128, device) == (0.5, "fp64")
    assert static.implied(Counter(fp64=1), 1280, device) == (0.1, "issue")


def test_the_compiled_kernel_is_counted():
    pytest.importorskip("triton")
    shape = static.shape(Work("mexican-hat", "float64", 128, 1, UPDATE), 90)
    # 38 operations are written and nothing is fused: as many double-precision instructions, less what is
    # folded.
    assert 30 <= shape.pipes["fp64"] <= 38 and shape.spills == 0 and shape.limit == "fp64"


# ---- the command


def run(*words):
    from noether.cli.main import app

    return CliRunner().invoke(app, ["bench", *words])


def test_a_tool_that_was_asked_for_and_is_missing_ends_with_3(monkeypatch):
    monkeypatch.setattr(peers, "missing", lambda name: "not installed" if name == "jax" else "")
    assert run("--tools", "jax", "--quick").exit_code == 3


@pytest.mark.parametrize(
    "words", [("--tools", "cuda"), ("--cases", "entropy-mirror"), ("--lanes", "0"), ("--work", "all")]
)
def test_wrong_words_are_refused(words):
    from noether.cli.main import call

    assert call(["bench", *words]) == 2
