"""What is true of whatever is launched: the laws, and all that must not matter. Each with a fault that it
finds.

A property is a function of a launch that asserts, so that its fault runs the same lines on a planted fault.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

import noether.kernels.programs.numpy_step
from noether.campaigns.fuzz.reproduction import about, reproduction
from noether.campaigns.fuzz.strategies import launches
from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision
from noether.laws.exact import EXACT
from noether.laws.exact.certified import judge_inside
from noether.laws.exact.judge import spent_of
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, VIOLATED

BY_NAME = {c.name: c for c in CORE}
HAT = BY_NAME["mexican-hat"]
EUCLIDEAN = [c for c in CORE if c.metric.kind != "bregman"]
HEAVY, DECOUPLED, DESCENT = RULES["heavy-ball"], RULES["heavy-ball-decoupled"], RULES["gradient-descent"]
FINITE = st.sampled_from(
    ["ordinary", "plain", "few-bits", "heavy-memory", "from-rest"]
)  # where no operation overflows
COMPILED = [b for b in ("triton-ptx", "triton-cpu") if b in launch.BACKENDS and not launch.missing(b)]
FAULT = settings(
    max_examples=60, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def fails(strategy, check):
    """The property must find the fault that is planted in it."""
    with pytest.raises(AssertionError) as caught:
        FAULT(given(strategy)(lambda drawn: check(drawn) and None))()
    return str(caught.value)


def moving(job) -> bool:
    q = launch.run(job, "numpy").q
    return bool((q[-1] != q[0]).any())


def wide(job, backend="numpy", **planted):
    return launch.run(job, backend, **planted).wide()


def selected(job, lanes):
    return replace(job, q0=job.q0[:, lanes], v0=job.v0[:, lanes], params=job.params[:, lanes])


def with_params(job, **values):
    params = job.params.copy()
    for name, value in values.items():
        params[("eta", "beta", "k", "eps").index(name)] = value
    return replace(job, params=params)


# ---- the exact laws


def laws_hold(drawn, backend="numpy", **planted):
    case, job = drawn
    t = Trajectory(case, job.rule, job.precision, *wide(job, backend, **planted), job.params)
    records = judge_inside(case, job, t, EXACT, about=about(case, job, backend))
    assert records, "no law covers this launch"
    for record in records:
        if record.verdict == VIOLATED:
            line = reproduction(job, record)
            note(line)
            raise AssertionError(f"{record.law} {record.symmetry or ''} {job}: {record.reason}\n    {line}")
    return records


@given(launches())
@settings(max_examples=150)
def test_no_exact_law_is_violated_whatever_is_launched(drawn):
    laws_hold(drawn)


@given(launches(precision=Precision("float64"), regime="ordinary"))
@settings(max_examples=30)
def test_an_ordinary_launch_in_float64_carries_evidence_for_its_update(drawn):
    (update,) = [r for r in laws_hold(drawn) if r.law == "D0"]
    assert update.verdict == HOLDS


def forgetful(n, q, v, params, *rest):
    """The momentum is 1 + 2^-10 of itself."""
    eta, beta, k, eps = params
    return noether.kernels.programs.numpy_step.step(
        q, v, (eta, beta * beta.dtype.type(1 + 2.0**-10), k, eps), *rest
    )


def test_laws_are_found_violated_by_a_planted_fault_and_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = fails(
        launches(rule=HEAVY, precision=Precision("float64"), regime="ordinary"),
        lambda drawn: laws_hold(drawn, advance=forgetful),
    )
    assert "\n    noether fuzz --replay runs/found/D0-" in told


# ---- the compiled kernels

POINTS = [
    (HAT, HEAVY, "float32"),
    (HAT, DECOUPLED, "bfloat16"),
    (BY_NAME["deformed-rayleigh"], DESCENT, "float64"),
    (BY_NAME["entropy-mirror"], RULES["mirror-descent"], "float16/mixed"),
    (HAT, HEAVY, "float16/eager"),
]


def compiled_launches(points=POINTS):
    """Launches of a few kernels: each compiles once."""
    from noether.kernels.programs.precision import parse

    return st.sampled_from(points).flatmap(lambda p: launches(case=p[0], rule=p[1], precision=parse(p[2])))


def agrees(drawn, backend, other="numpy", change=lambda job: job):
    case, job = drawn
    mine, plain = launch.run(change(job), backend), launch.run(job, other)
    assert mine.backend == backend and not mine.unwritten.any()
    assert launch.differing_bits(mine, plain) == 0, f"{backend} and {other} differ on {job}"


@pytest.mark.parametrize("backend", COMPILED)
def test_compiled_kernels_are_numpy_bit_for_bit_and_obey_the_laws(backend):
    @given(compiled_launches())
    @settings(max_examples=40)
    def checked(drawn):
        agrees(drawn, backend)
        laws_hold(drawn, backend)

    checked()


def test_the_interpreted_kernel_is_numpy_bit_for_bit():
    if launch.missing("triton-interpreted"):
        pytest.skip(launch.missing("triton-interpreted"))

    @given(launches(case=HAT, rule=HEAVY, precision=Precision("float32"), steps=st.integers(1, 3)))
    @settings(max_examples=6)
    def checked(drawn):
        agrees(drawn, "triton-interpreted")

    checked()


@pytest.mark.parametrize("backend", COMPILED)
def test_a_step_size_off_by_one_bit_is_no_agreement(backend):
    def nudged(job):
        return with_params(
            job, eta=np.nextafter(job.params[0].astype(np.float32), np.float32(np.inf)).astype(float)
        )

    assert "differ" in fails(
        compiled_launches(POINTS[:1]), lambda drawn: agrees(drawn, backend, change=nudged)
    )


# ---- lanes do not know each other


def lanes_are_apart(drawn, pick, backend="numpy", **planted):
    """Any lanes, in any order, some twice: what they do is what they did among the others, bit for bit, and
    so is what is found."""
    case, job = drawn
    lanes = np.array([i % job.lanes for i in pick])
    whole, part = launch.run(job, backend, **planted), launch.run(selected(job, lanes), backend, **planted)
    for x, y in ((whole.q, part.q), (whole.v, part.v)):
        assert np.array_equal(launch.bits(x[:, :, lanes]), launch.bits(y)), (
            f"lanes {lanes[:9]} of {job} differ when they are alone"
        )

    def spent_on(outcome, params):
        t = Trajectory(case, job.rule, job.precision, *outcome.wide(), params)
        return spent_of(EXACT["D0"].residual(t))

    with np.errstate(all="ignore"):
        spent = [spent_on(whole, job.params), spent_on(part, job.params[:, lanes])]
    assert np.array_equal(spent[0][..., lanes], spent[1])


PICKS = st.lists(st.integers(0, 2**10), min_size=1, max_size=140)


@given(launches(), PICKS)
@settings(max_examples=50)
def test_order_split_and_padding_of_lanes_change_no_bit(drawn, pick):
    lanes_are_apart(drawn, pick)


@given(launches(case=HAT, rule=HEAVY, precision=Precision("float32")), PICKS)
@settings(max_examples=15)
@pytest.mark.parametrize("backend", COMPILED)
def test_order_split_and_padding_change_no_bit_of_a_compiled_kernel(backend, drawn, pick):
    lanes_are_apart(drawn, pick, backend)


@given(launches(lanes=st.sampled_from([7, 33])), st.integers(1, 8))
@settings(max_examples=20)
def test_the_size_of_numpys_blocks_changes_no_bit(drawn, block):
    _, job = drawn
    whole, before = launch.run(job, "numpy"), noether.kernels.programs.numpy_step.BLOCK
    try:
        noether.kernels.programs.numpy_step.BLOCK = block
        assert launch.differing_bits(whole, launch.run(job, "numpy")) == 0
    finally:
        noether.kernels.programs.numpy_step.BLOCK = before


def sociable(n, q, v, params, *rest):
    """A step that looks at the first of its lanes."""
    q, v = noether.kernels.programs.numpy_step.step(q, v, params, *rest)
    return [x + x[:1] * x.dtype.type(2.0**-6) for x in q], v


def test_a_step_that_looks_at_its_neighbours_is_found():
    both = st.tuples(launches(regime="ordinary", lanes=7), PICKS)
    assert "when they are alone" in fails(both, lambda drawn: lanes_are_apart(*drawn, advance=sociable))


# ---- the stored state is all of it


def time_splits(drawn, share, backend="numpy", keep=lambda v: v):
    """N steps are k steps, and then N - k from what was stored."""
    case, job = drawn
    k = min(int(share * job.steps), job.steps - 1)
    whole = launch.run(job, backend)
    z, v = whole.wide()
    again = launch.run(replace(job, begun=k, q0=z[k], v0=keep(v[k]), steps=job.steps - k), backend)
    assert np.array_equal(again.wide()[0], z[k:], equal_nan=True), f"{job} from step {k} goes elsewhere"
    assert np.array_equal(again.wide()[1][1:], v[k + 1 :], equal_nan=True)


@given(launches(steps=st.integers(2, 12)), st.floats(0, 1))
@settings(max_examples=60)
def test_a_run_cut_in_two_is_the_run(drawn, share):
    time_splits(drawn, share)


@given(
    launches(case=HAT, rule=HEAVY, precision=Precision("float32"), steps=st.integers(2, 12)), st.floats(0, 1)
)
@settings(max_examples=15)
@pytest.mark.parametrize("backend", COMPILED)
def test_a_compiled_run_cut_in_two_is_the_run(backend, drawn, share):
    time_splits(drawn, share, backend)


def test_a_state_without_its_momentum_is_not_the_state():
    both = st.tuples(launches(rule=HEAVY, regime="ordinary", steps=6), st.floats(0.5, 1))
    assert "goes elsewhere" in fails(both, lambda drawn: time_splits(*drawn, keep=np.zeros_like))
