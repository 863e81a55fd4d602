"""What a rule keeps beside its covector, from gradients alone (harness/mechanics/accumulated.py)."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from noether.cases import CATALOG
from noether.cases.rule import Covector, Rule, plain_force
from noether.cases.rules.adadelta import ADADELTA
from noether.cases.rules.adagrad import ADAGRAD
from noether.cases.rules.adam import ADAM
from noether.cases.rules.adamax import ADAMAX
from noether.cases.rules.adamw import ADAMW
from noether.cases.rules.amsgrad import AMSGRAD
from noether.cases.rules.lamb import LAMB
from noether.cases.rules.nadam import NADAM
from noether.cases.rules.radam import RADAM
from noether.cases.rules.rmsprop import RMSPROP
from noether.cases.rules.rmsprop_centred import RMSPROP_CENTRED
from noether.cases.rules.rmsprop_momentum import RMSPROP_MOMENTUM
from noether.cases.rules.shampoo import SHAMPOO
from noether.kernels.loops.launch import run
from noether.kernels.programs import carried
from noether.kernels.programs.precision import parse
from noether.kernels.programs.tape import TraceError
from noether.laws.exact.cell import fits
from noether.laws.exact.coefficients import parameter
from noether.mechanics import accumulated, sweep
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import UNROUNDED, Trajectory
from noether.mechanics.wide import U_WIDE
from noether.verdicts.judgement import spent_of

CASES = {case.name: case for case in CATALOG}
KEEPING = [
    ADADELTA,
    ADAGRAD,
    ADAM,
    ADAMAX,
    ADAMW,
    AMSGRAD,
    LAMB,
    NADAM,
    RADAM,
    RMSPROP,
    RMSPROP_CENTRED,
    RMSPROP_MOMENTUM,
    SHAMPOO,
]
PRECISIONS = (
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "float16/eager",
    "bfloat16/eager",
    "bfloat16/mixed",
)


def launched(rule, case="", precision="float64", seed=1, lanes=31, steps=16):
    """A job of a rule and the trajectory that numpy makes of it, on the first case that it fits."""
    kind = parse(precision)
    case = case or next(c.name for c in CATALOG if fits(rule, c))
    steps = min(steps, sweep.horizon(rule, kind))
    job = sweep.draw(CASES[case], rule, kind, lanes=lanes, steps=steps, seed=seed)
    return job, Trajectory.launched(CASES[case], job, *run(job, "numpy").wide())


def beside(t: Trajectory) -> np.ndarray:
    """The rows of the buffers beside the covector."""
    return np.setdiff1d(np.arange(t.v.shape[1]), np.arange(t.v.shape[1])[t.charged])


def off(t: Trajectory) -> np.ndarray:
    """How far the kernel's buffers are from what is accumulated, in bounds; (steps + 1, rows, lanes)."""
    return spent_of(*(x[:, beside(t)] for x in (t.v, t.v_apart, t.v_error)))


def by_hand(t: Trajectory) -> np.ndarray:
    """The same numbers, one step after the other by the terms of the rule, without a program."""
    out, rows = t.v.copy(), beside(t)
    split = lambda x: [list(x[i : i + t.dim]) for i in range(0, len(x), t.dim)]
    names = len(t.rule.parameters)
    for n in range(t.steps):
        numbers = [x if i < names else x[n] for i, x in enumerate(t.numbers)]
        p = t.rule.named([np.broadcast_to(x, t.lanes) for x in numbers])
        for _ in t.rule.buffers:
            new = split(out[n + 1])
            of_v = t.rule.terms(list(t.z[n]), split(out[n]), new, list(t.g[n]), p, UNROUNDED)[1]
            summed = np.concatenate([np.stack([sum(x) for x in zip(*b.values(), strict=True)]) for b in of_v])
            out[n + 1, rows] = summed[rows]
    return out


@pytest.mark.parametrize("rule", KEEPING, ids=lambda rule: rule.name)
def test_what_is_accumulated_is_the_recursion_of_the_rule(rule):
    _, t = launched(rule)
    mine, theirs = t.v_apart, by_hand(t)
    assert np.abs(mine[:, beside(t)]).max() > 0
    # Both round each of a few dozen terms a step in 64 bits, and carry what they round.
    assert (np.abs(mine - theirs) <= 64 * t.steps * U_WIDE * np.abs(theirs)).all()


@pytest.mark.parametrize("rule", KEEPING, ids=lambda rule: rule.name)
def test_nothing_that_a_kernel_keeps_beside_its_covector_is_read(rule):
    job, t = launched(rule)
    v = t.v.copy()
    v[1:, beside(t)] = 12345
    other = Trajectory.launched(t.case, job, t.z, v)
    assert np.array_equal(other.v_apart[:, beside(t)], t.v_apart[:, beside(t)])
    assert np.array_equal(other.v_error, t.v_error)
    assert np.array_equal(other.predicted_move, t.predicted_move)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(KEEPING),
    st.sampled_from(("product", "mexican-hat-2", "softmax")),
    st.sampled_from(PRECISIONS),
    st.integers(0, 2**32 - 1),
)
def test_a_right_kernel_is_within_the_carried_error(rule, case, precision, seed):
    assume(rule.fits(CASES[case].dim))
    job, t = launched(rule, case, precision, seed, lanes=13)
    spent = off(t)
    if not (spent <= 1).all():
        spent = spent[..., ~leaving(t.case, job)]
    assert (spent <= 1).all()


@pytest.mark.parametrize("rule", KEEPING, ids=lambda rule: rule.name)
def test_a_program_cut_in_two_gives_the_numbers_of_the_whole(rule):
    d = 4
    program = carried.by_terms(rule, d, (0,))
    names = tuple(f"v[{i}]" for i in range(d, d * len(rule.buffers)))
    first, then = carried.cut(program, names)
    rng = np.random.default_rng(5)
    at = {name: rng.uniform(0.25, 1, 7).astype(np.longdouble) for name in program.inputs}
    whole = accumulated.evaluated(program, [at[name] for name in program.inputs])
    fixed = accumulated.evaluated(first, [at[name] for name in first.inputs])
    parts = accumulated.evaluated(then, [*(at[name] for name in names), *fixed])
    assert not {first.inputs[op.value] for op in first.ops if op.name == "input"} & {*names}
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_the_layers_of_a_program_hold_each_operation_once_and_none_reads_its_own():
    program = carried.by_lines(ADAM, 4, (0,))
    layers, done = carried.layers(program), {i for i, op in enumerate(program.ops) if not op.args}
    for layer in layers:
        assert {*layer.args.ravel()} <= done
        assert {program.ops[i].name for i in layer.at} == {layer.name}
        done |= {*layer.at.tolist()}
    assert done == {*range(len(program.ops))}


def circular(q, buffers, g, p, xp):
    v = [xp.store_buffer(-(p.eta * x)) for x in g]
    return [xp.store(x + y) for x, y in zip(q, v, strict=True)], [v, v, v]


def test_buffers_that_need_each_other_are_refused():
    rule = Rule(
        name="circular",
        step=("v' = -eta g",),
        source="made up",
        update=circular,
        terms=lambda q, b, new, g, p, xp: (
            {"q": q, "v": new[0]},
            [{"g": [-p.eta * x for x in g]}, {"w": new[2]}, {"v": new[1]}],
        ),
        buffers=("v", "w", "x"),
        covector=Covector("v", kept=lambda p: 0, pull=lambda p: p.eta, force=plain_force),
    )
    with pytest.raises(TraceError, match="new buffers need themselves"):
        carried.by_terms(rule, 2, (0,))


def test_a_changed_parameter_is_accumulated_anew_where_it_is_read_and_only_there():
    _, t = launched(ADAM)
    before, error = t.v_apart, t.v_error
    assert parameter(t, "eta", 2.0).v_apart is before
    assert not np.array_equal(parameter(t, "beta2", 0.5).v_apart, before)
    assert not np.array_equal(parameter(t, "eps", 2.0).v_apart, before)
    assert parameter(t, "beta2", 0.5).v_error is error


def test_each_step_adds_a_rounding_of_what_is_kept_to_the_error():
    """A sum rounds once a step, by u of what it is then, and forgets nothing."""
    _, t = launched(ADAGRAD, steps=64)
    rows, u = beside(t), 2.0**-53
    assert (t.v_error[:, rows] >= 0.99 * u * np.cumsum(t.v_apart[:, rows], axis=0)).all()
    assert t.v_error[-1, rows].min() > 0 and not t.v_error[:, t.charged].any()


def test_a_launch_that_goes_on_from_the_middle_accumulates_from_there():
    job, t = launched(ADAM, steps=16)
    half = replace(job, q0=t.z[8].astype(float), v0=t.v[8].astype(float), steps=8, begun=8)
    later = Trajectory.launched(t.case, half, *run(half, "numpy").wide())
    assert (off(later) <= 1).all()
    assert np.array_equal(later.v[1:], t.v[9:])


def test_the_bound_of_an_average_forgets_as_the_average_does():
    """m + w (f - m) keeps 1 - w of an error. A running error would pass on 1 + w of it: 10^5 times as much
    after 60 steps with w = 1/4."""
    _, t = launched(RMSPROP_CENTRED, "rayleigh", steps=72)
    m = slice(2 * t.dim, 3 * t.dim)
    error = t.v_error[:, m].max(axis=1)
    with np.errstate(all="ignore"):
        growth = np.nan_to_num(error[-1] / error[10:20].max(axis=0))
    assert 0 < growth.max() < 2.0**12


def test_the_lines_of_an_average_pass_on_more_than_its_terms_and_no_others_do():
    more = lambda rule, taken: accumulated.passes_more(rule, 2, taken).tolist()
    assert more(RMSPROP_CENTRED, (0,)) == [False] * 2 + [True] * 2
    assert more(ADAM, (0,)) == [False] * 2
    assert more(AMSGRAD, ()) == [True] * 2 + [False] * 4
