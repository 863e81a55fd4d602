"""The screen sees what the host sees, no more than its own rounding apart, and never cries wolf."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch, screen_launch
from noether.kernels.programs.numpy_program import Registers
from noether.kernels.programs.precision import PRECISIONS, parse
from noether.laws.exact import EXACT, shown_faults
from noether.laws.exact.cell import rules_of
from noether.laws.exact.judge import judge
from noether.laws.exact.residuals import FLOAT64, residuals, speaking
from noether.laws.exact.screen import chosen, confirm, outside, prepare, screen, screen_states, some_lanes
from noether.mechanics import sweep
from noether.mechanics.domain import leaving
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import VIOLATED

LOOSER = {"float32": 8, "float64": 32}
HAT = next(c for c in CORE if c.name == "mexican-hat")
MODES = (*PRECISIONS, "bfloat16/mixed", "float16/eager")
EVERY = [
    (case, rule, MODES[(i + j) % len(MODES)])
    for i, case in enumerate(CORE)
    for j, rule in enumerate(rules_of(case))
    if RULES[rule].screened
]
EVERY += [
    (case, [r for r in rules_of(case) if RULES[r].screened][-1], p)
    for i, case in enumerate(CORE)
    for p in (MODES[i % len(MODES)], MODES[(i + 3) % len(MODES)])
]
each = pytest.mark.parametrize(("case", "rule", "precision"), EVERY, ids=lambda x: getattr(x, "name", str(x)))


def job_of(case, rule, precision, *, lanes=33, steps=12, seed=7, **overrides):
    if RULES[rule].maximize:
        steps = min(steps, sweep.horizon(RULES[rule], parse(precision)))
    return sweep.draw(
        case, RULES[rule], parse(precision), lanes=lanes, steps=steps, seed=seed, overrides=overrides
    )


def single_steps(case, job, q, v, lag):
    """Each step as a lane of its own, in wide arithmetic: what the laws of one step are on the host."""
    runs = job.steps - lag + 1

    def cut(x):
        return np.stack([np.concatenate([x[n + i] for n in range(runs)], axis=-1) for i in range(lag + 1)])

    # What a step knows of its number is, in the screen, that of a later one.
    return Trajectory(case, job.rule, job.precision, cut(q), cut(v), np.tile(job.params, runs), begun=1)


def test_the_first_step_of_a_dampened_rule_is_not_screened_and_the_others_are():
    """Its share of the force is another: judged like a later one it would be a false alarm in every lane."""
    job = job_of(HAT, "heavy-ball-dampened", "float64")
    q, v = launch.run(job, "numpy").wide()
    found = screen_states(HAT, job, q, v)
    assert found.worst <= 1 and (found.worst_step[found.covered] >= 1).all()
    for step in (1, 2, 9):
        wrong = v.copy()
        wrong[step, 0, 5] *= 1 + 2.0**-20
        assert screen_states(HAT, job, q, wrong).first_bad[0, 5] == max(step, 2) - 1
    assert found.checks == sum(int(lanes.sum()) * (job.steps - 1) for lanes in found.covered)


def parts_of(case, job, q, v, pair, lag):
    """|measured - predicted| and bound of one law in the screen's float64, (components, steps, lanes)."""
    program = residuals(case, job.rule, job.precision, (pair,), parts=True).program
    rows = [
        np.concatenate(x[lag - 1 + shift : job.steps + shift], axis=-1) for shift in (0, 1) for x in (q, v)
    ]
    old = [np.concatenate(x[lag - 2 : job.steps - 1], axis=-1) if lag == 2 else 0 * rows[0] for x in (q, v)]
    inputs = np.concatenate([*old, *rows, np.tile(job.params, job.steps - lag + 1)])
    with np.errstate(all="ignore"):
        out = np.array(program.evaluate(list(inputs), FLOAT64))
    return out[0::2], out[1::2]


@each
def test_screen_and_host_differ_by_less_than_the_screens_own_rounding(case, rule, precision):
    job = job_of(case, rule, precision)
    q, v = launch.run(job, "numpy").wide()
    symmetries = {s.name: s for s in case.symmetries} | {None: None}
    judged = 0
    for pair in speaking(case, job.rule):
        lag = EXACT[pair[0]].lag
        r = EXACT[pair[0]].residual(single_steps(case, job, q, v, lag), symmetries[pair[1]])
        off, bound = np.abs(r.measured - r.predicted)[-1], r.bound[-1]
        mine, mine_bound = parts_of(case, job, q, v, pair, lag)
        room = mine_bound * (1 + 2.0**-30) - bound
        assert (np.abs(mine - off) <= room).all(), (
            f"{pair}: off by {np.max(np.abs(mine - off) / room)} of the difference of the bounds"
        )
        # Magnitudes for running errors, and in float64 a dozen roundings of the residual beside the one or
        # two of the update.
        typical, most = np.median(mine_bound / bound), LOOSER[job.precision.arith]
        assert typical <= most, f"{pair}: {typical} times the host's bound, at most {most}"
        judged += mine.size
    assert judged


@each
def test_honest_launches_never_show_more_than_one(case, rule, precision):
    job = job_of(case, rule, precision, lanes=257, steps=100, seed=11)
    found = screen(case, job, backend="numpy")
    assert found.checks and found.moved.any()
    assert not (found.alarmed & ~outside(case, job, found)).any()
    assert ((found.worst_step >= 0) == (found.spent > 0))[found.covered].all()


def test_a_trajectory_that_parts_from_its_references_is_excused_where_it_overflows_and_only_there():
    """Rounding every operation in bfloat16: some lanes overflow where both references stay; the step itself
    says so."""
    case = next(c for c in CORE if c.name == "linear-network")
    job = job_of(case, "heavy-ball", "bfloat16/eager", lanes=1025, steps=100, seed=0)
    found = screen(case, job, backend="numpy")
    lanes = np.flatnonzero(found.alarmed)
    alone = lanes[~leaving(case, some_lanes(job, lanes))]
    assert len(alone) and outside(case, job, found)[lanes].all()
    assert not [r for r in confirm(case, job, alone, found=found) if r.verdict == VIOLATED]
    early = replace(
        found, first_bad=np.where(found.first_bad > 3, 3, found.first_bad)
    )  # as if it had alarmed before it grew
    assert not outside(case, job, early)[alone].any()


KILLERS = [
    ("mexican-hat", "heavy-ball-decoupled", "float64"),
    ("rayleigh", "heavy-ball", "bfloat16"),
    ("softmax", "gradient-descent", "float32"),
    ("entropy-mirror", "mirror-descent", "float32"),
    ("mexican-hat", "heavy-ball", "float16/mixed"),
]


@pytest.mark.parametrize(("case", "rule", "precision"), KILLERS)
def test_what_the_host_kills_the_screen_sees(case, rule, precision):
    case = next(c for c in CORE if c.name == case)
    job = job_of(case, rule, precision, lanes=61, steps=8)
    compared = 0
    for fault in shown_faults.KERNEL_FAULTS:
        if not fault.applies(job):
            continue
        q, v = fault.outcome(case, job)
        t = Trajectory(case, job.rule, job.precision, q, v, job.params)
        seen = screen_states(case, job, q, v)
        for (key, name), spent, covered in zip(seen.laws, seen.spent, seen.covered, strict=True):
            symmetry = next((s for s in case.symmetries if s.name == name), None)
            record = judge(
                t, EXACT[key], symmetry, about=dict(case="", rule="", backend="", precision="", parameters={})
            )
            if record.verdict == VIOLATED and record.spent > 2 * LOOSER[job.precision.arith]:
                assert spent[covered].max() > 1, (
                    f"{fault.name}: {key} {name} spends {record.spent} on the host, "
                    f"{spent[covered].max()} here"
                )
                compared += 1
    assert compared >= 10


def test_a_nan_is_infinitely_spent_in_every_law_from_its_step_on():
    job = job_of(HAT, "heavy-ball", "float32", eps=0.0, k=0.0)
    q, v = launch.run(job, "numpy").wide()
    q[5:, 2, 4] = np.nan  # the third component: rotation-01 never reads it
    found = screen_states(HAT, job, q, v)
    assert len(found.laws) == 7
    assert (
        np.isinf(found.spent[:, 4]).all()
        and (found.first_bad[:, 4] == 4).all()
        and (found.worst_step[:, 4] == 4).all()
    )
    others = np.delete(np.arange(33), 4)
    assert (found.spent[:, others] <= 1).all() and (found.first_bad[:, others] == -1).all()


def test_a_step_size_demoted_on_its_way_into_the_update_shows():
    job = job_of(HAT, "heavy-ball", "float64")
    prepared, pairs, _ = prepare(HAT, job)
    wrong = job.params.copy()
    wrong[0] = wrong[0].astype(np.float32)
    found = launch.run(replace(prepared, job=replace(job, params=wrong)), "numpy")
    assert pairs[0] == ("D0", None) and (found.spent[0] > 1e3).all()
    with pytest.raises(ValueError, match="of its own"):
        replace(prepared, params=job.params)


def test_what_a_law_does_not_cover_is_neither_judged_nor_counted():
    job = job_of(HAT, "heavy-ball", "float64")
    found = screen(HAT, job, backend="numpy")
    assert found.laws[-1][0] == "D3"
    still = job.params[3] == 0
    assert 0 < still.sum() < job.lanes
    assert (found.covered[-1] == still).all() and (np.isnan(found.spent[-1]) == ~still).all()
    assert found.checks == job.steps * (4 * job.lanes + 3 * still.sum())


def test_a_lane_that_stands_still_has_not_moved():
    job = job_of(HAT, "gradient-descent", "bfloat16", eta=2.0**-40)
    assert not screen(HAT, job, backend="numpy").moved.any()


@given(st.integers(1, 70), st.integers(1, 40), st.integers(0, 2**32))
@settings(max_examples=15)
def test_lanes_screened_in_blocks_are_as_lanes_screened_together(lanes, block, seed):
    prepared, _, _ = prepare(HAT, job_of(HAT, "heavy-ball", "float32", lanes=lanes, steps=4, seed=seed))
    whole, split = prepared.plain(), prepared.plain(block=block)
    for name in ("spent", "worst_step", "first_bad", "moved", "q", "v"):
        assert np.array_equal(getattr(whole, name), getattr(split, name)), name


@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
def test_a_program_run_in_registers_has_the_bits_of_the_program(case):
    rule = RULES[rules_of(case)[0]]
    program = residuals(case, rule, parse("float32"), tuple(speaking(case, rule))).program
    rng = np.random.default_rng(3)
    registers = Registers(program, 50, frozenset(screen_launch.PARAMETERS))
    for _ in range(2):  # what the first run leaves in the buffers must not matter
        registers.inputs[...] = rng.uniform(0.2, 1.0, registers.inputs.shape)
        registers.prepare()
        registers.run()
        for mine, plain in zip(
            registers.outputs, program.evaluate(list(registers.inputs), FLOAT64), strict=True
        ):
            assert np.array_equal(mine, plain) and np.isfinite(mine).all()


def test_the_worst_lanes_and_a_sample_are_confirmed_on_the_host():
    job = job_of(HAT, "heavy-ball", "float32", lanes=99)
    found = screen(HAT, job, backend="numpy")
    lanes = chosen(found, seed=1)
    assert {int(x) for x in np.where(found.covered, found.spent, -1).argmax(axis=1)} <= set(
        lanes.tolist()
    ) and len(lanes) >= 4
    records = confirm(HAT, job, lanes, found=found)
    assert {r.law for r in records} == {"D0", "D1", "D2", "D3"} and not [
        r for r in records if r.verdict == VIOLATED
    ]
    update = next(r for r in records if r.law == "D0")
    assert (
        update.worst["lane"] in lanes and 1 <= update.spent / found.spent[0, lanes].max() < LOOSER["float32"]
    )
    found.q[0, lanes[0]] += 1
    assert [r.law for r in confirm(HAT, job, lanes, found=found) if r.verdict == VIOLATED] == ["B1"]
