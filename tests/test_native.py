"""The translation to C has the bits of the evaluator and of plain numpy; it is refused or stopped where they
are."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from native_rows import arguments, kernel, same, variants
from ptx_mutants import EQUIVALENT, fills, mutants
from test_kernels import agree, each_point, job_of
from test_ptx import ODD_LANES, blocks, compiled, outcome, same_bits, starts

from noether.cases import CORE
from noether.kernels.loops import backends
from noether.kernels.ptx import TABLE, Endless, OutOfBounds, Refused, evaluate, native, parse
from noether.kernels.ptx.native import layout
from noether.kernels.ptx.native.expression import refusal

if native.missing():
    pytest.skip(f"nothing can be compiled: {native.missing()}", allow_module_level=True)

alone = partial(native.execute, threads=1)
one_block = partial(evaluate, batch=1)  # in the order in which a translated kernel runs with one thread


@each_point
def test_the_translated_loop_is_the_plain_step(case, precision, turn):
    agree(job_of(case, precision, turn, lanes=131), "triton-cpu")


@pytest.mark.parametrize("lanes", ODD_LANES)
def test_a_translated_time_loop_has_the_bits_of_the_evaluator(lanes):
    x = np.array([starts(lanes, 1), starts(lanes, 2)[::-1]])
    mine, other = np.full((7, 2, lanes), 5.0), np.full((7, 2, lanes), 5.0)
    native.execute(compiled("wander64"), [x, mine, lanes, 7], blocks(lanes))
    evaluate(compiled("wander64"), [x, other, lanes, 7], blocks(lanes))
    same_bits(mine, other, f"{lanes} lanes")


def test_the_number_of_threads_changes_nothing():
    lanes = 10_007
    x = np.array([starts(lanes, 1), starts(lanes, 2)])
    traces = [np.zeros((3, 2, lanes)) for _ in range(3)]
    for threads, trace in zip((1, 2, 5), traces, strict=True):
        assert (
            native.execute(compiled("wander64"), [x, trace, lanes, 3], blocks(lanes), threads=threads).lanes
            >= lanes
        )
    same_bits(traces[0], traces[1], "two threads")
    same_bits(traces[0], traces[2], "five threads")


def test_a_kernel_too_large_for_a_stack_runs_in_smaller_pieces_with_the_same_bits(monkeypatch):
    lanes = 1025
    x, text = np.array([starts(lanes, 1), starts(lanes, 2)]), compiled("wander64").ptx
    whole, pieces = np.zeros((3, 2, lanes)), np.zeros((3, 2, lanes))
    native.execute(text, [x, whole, lanes, 3], blocks(lanes))
    assert native.library(text).translation.lanes == layout.LANES
    monkeypatch.setattr(layout, "STACK", 4096)
    small = text + "\n"  # another text, so that it is translated again
    assert native.library(small).translation.lanes < layout.LANES
    native.execute(small, [x, pieces, lanes, 3], blocks(lanes))
    same_bits(whole, pieces, "smaller work items")


ROWS = [
    v for op in TABLE.values() if op.meaning not in ("bra", "ret") and not refusal(op) for v in variants(op)
]
CHUNK = 48


@pytest.mark.parametrize("at", range(0, len(ROWS), CHUNK))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_row_has_the_bits_of_the_evaluator(at):
    text, about = kernel(ROWS[at : at + CHUNK])
    mine, theirs = (arguments(about, 1280, np.random.default_rng(at)) for _ in range(2))
    native.execute(text, mine[0], 10)
    evaluate(text, theirs[0], 10)
    assert mine[1]
    for (op, kind, got), (_, _, want) in zip(mine[1], theirs[1], strict=True):
        equal = same(kind, got, want).all(axis=1)
        k = int(np.argmin(equal))
        assert equal.all(), (
            f"{op.mnemonic}: {(~equal).sum()} of {len(equal)} differ, first {got[k][0]:#x}, must be "
            f"{want[k][0]:#x}"
        )
        assert want.any() or op.meaning in ("bfe", "param"), (
            f"{op.mnemonic} gave zeros only: nothing was compared"
        )


def test_every_row_is_translated_or_refused_by_name():
    translated = {op.mnemonic for op, _ in ROWS}
    refused = {op.mnemonic: op for op in TABLE.values() if refusal(op)}
    assert translated | set(refused) | {"bra", "bra.uni", "ret", "exit"} == set(TABLE)
    fixed = [op.mnemonic for op in refused.values() if op.pinned]
    assert refused and all("bf16" in name for name in fixed)  # what else PTX fixes is translated
    for mnemonic, op in refused.items():
        text = kernel([(op, ())])[0]
        with pytest.raises(Refused) as error:
            native.translate(text)
        assert error.value.opcode == mnemonic and mnemonic in text.splitlines()[error.value.line - 1]


@pytest.mark.parametrize("name, opcode", [("total", "shfl"), ("tally", "atom"), ("seek", "bra")])
def test_kernels_whose_lanes_are_not_alone_are_refused_by_name_and_line(name, opcode):
    ptx = compiled(name).ptx
    with pytest.raises(Refused) as error:
        native.execute(ptx, [np.ones(4096, np.float32), np.zeros(4096, np.float32), 1], 2)
    assert error.value.opcode.startswith(opcode) and opcode in ptx.splitlines()[error.value.line - 1]


def test_accesses_beyond_an_array_are_stopped_and_named_and_write_nothing_outside():
    lanes = 500
    whole = np.full(2 * 2 * lanes + 4096, 7.0)
    x, trace = np.ones((2, lanes)), whole[: 2 * 2 * lanes].reshape(2, 2, lanes)
    with pytest.raises(
        OutOfBounds, match=r"PTX line \d+, block 0: bytes .* of argument 1, which has 16000 .*st\.global"
    ):
        native.execute(compiled("wander64"), [x, trace, lanes, 3], blocks(lanes))
    assert (whole[2 * 2 * lanes :] == 7.0).all()
    with pytest.raises(OutOfBounds, match=r"argument 0.*ld\.global"):
        native.execute(compiled("wander64"), [x[0], trace, lanes, 2], blocks(lanes))


def test_the_first_faulty_block_is_named_whatever_the_threads():
    lanes = 128 * 64
    x, trace = np.ones((2, lanes)), np.zeros((1, 2, lanes))
    short = trace.reshape(-1)[: lanes + 128 * 40]  # the second component of blocks 40, 41, ... does not fit
    for threads in (1, 2, 7):
        with pytest.raises(OutOfBounds, match="block 40:"):
            native.execute(compiled("wander64"), [x, short, lanes, 1], 64, threads=threads)


def test_an_endless_kernel_is_stopped():
    x, trace = np.ones((2, 31)), np.zeros((9, 2, 31))
    native.execute(compiled("wander64"), [x, trace, 31, 9], 1, visits=200)
    for run in (native.execute, evaluate):
        with pytest.raises(Endless, match="more than 5 basic blocks"):
            run(compiled("wander64"), [x, trace, 31, 9], 1, visits=5)


def test_wrong_arguments_are_refused():
    kernel, x, trace = compiled("wander64"), np.ones((2, 4)), np.zeros((1, 2, 4))
    wrong = [[x, trace, 4], [x, trace, 4, x], [x, 5, 4, 1], [x, trace, 2**33, 1], [x[:, ::2], trace, 2, 1]]
    for args in wrong:
        with pytest.raises(TypeError):
            native.execute(kernel, args, 1)
    with pytest.raises(ValueError):
        native.execute(kernel, [x, trace, 4, 1], 0)


NOT_MODELLED = {
    # Of the 976 changes of the four kernels, 5 (Triton 3.7.1).
    "a NaN of binary16 read as an integer shows its payload": lambda i, what: "f16x2" in what,
}
"""Changes after which the two may differ, because PTX does not fix the bits."""
SAMPLE = 17  # every so many changes; all of them take minutes


@pytest.mark.parametrize("kind", ["wander64", "wander32", "bits32", "exponential"])
def test_a_changed_instruction_is_refused_or_stopped_or_has_the_bits_of_the_evaluator(kind):
    ptx = compiled(kind).ptx
    dead = fills(parse(ptx))
    right = outcome(ptx, kind, alone)
    assert isinstance(right, bytes) and right == outcome(ptx, kind, one_block)
    changes = list(mutants(ptx, parse(ptx)))[::SAMPLE]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda c: built(c[1]), changes))
    noticed = 0
    for (i, text, what), _ in zip(changes, found, strict=True):
        mine, theirs = outcome(text, kind, alone), outcome(text, kind, one_block)
        assert mine == theirs or any(p(i, what) for p in NOT_MODELLED.values()), (
            f"line {i.line}: {i.text}  ->  {what}"
        )
        noticed += mine != right
        assert mine != right or i.line in dead or any(p(kind, i, what) for p in EQUIVALENT.values()), (
            f"unnoticed: {i.text}  ->  {what}"
        )
    assert noticed * 2 > len(changes) > 5


def built(text):
    """Compile ahead, two at a time; a refusal comes again when it runs."""
    try:
        native.library(text)
    except Refused:
        pass


VECTORISED = [
    (case, precision) for case in CORE for precision in ("float64", "float32", "bfloat16", "float16")
]


@pytest.mark.parametrize(("case", "precision"), VECTORISED[::3], ids=lambda x: getattr(x, "name", str(x)))
def test_the_time_loop_of_every_case_is_vectorised(case, precision):
    job = job_of(case, precision, 1)
    library = native.library(backends.compiled(job).ptx)
    hot = [x for x in library.loops if x.hot]
    assert hot and all(x.bytes >= 16 for x in hot), library.loops
    assert all(x.bytes for x in library.loops), f"a loop outside the time loop is scalar: {library.loops}"


def test_a_loop_that_does_not_vectorise_is_told():
    text = kernel([(TABLE["mul.hi.u64"], ())])[0]
    from noether.kernels.ptx.native.execute import loops

    translation = native.translate(text)
    assert all(x.bytes == 0 for x in loops(translation, ""))
    first = translation.loops[0][0]
    assert (
        loops(translation, f"<stdin>:{first + 1}:5: optimized: loop vectorized using 32 byte vectors\n")[
            0
        ].bytes
        == 32
    )
