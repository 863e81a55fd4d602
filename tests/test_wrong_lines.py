"""A line of a rule that is written wrongly is another rule, and D0 sees it wherever it stands."""

from dataclasses import replace

import numpy as np
import pytest

from noether import faults
from noether.cases import CATALOG, CORE
from noether.cases.rules import RULES
from noether.cases.rules.adadelta import ADADELTA
from noether.cases.rules.adam import ADAM
from noether.cases.rules.adamw import ADAMW
from noether.cases.rules.amsgrad import AMSGRAD
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.rmsprop import RMSPROP
from noether.cases.rules.rmsprop_centred import RMSPROP_CENTRED
from noether.faults import lines
from noether.kernels.loops import launch
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT
from noether.laws.exact.cell import fits
from noether.laws.exact.judge import spent_of
from noether.mechanics import sweep
from noether.mechanics.trajectory import Trajectory

HAT = next(c for c in CORE if c.name == "mexican-hat")
OF_LINES = (*faults.adaptive.FAULTS, *faults.momenta.FAULTS, *faults.whole_steps.FAULTS)
CASES = (HAT, *(next(c for c in CATALOG if c.name == name) for name in ("complex-phase", "entropy-mirror")))
"""Where a rule is tried: three parameters, four, which are a square matrix, and positive ones."""
MINE = [(rule, case) for rule in RULES.values() for case in CASES if fits(rule, case)]
each_of_mine = pytest.mark.parametrize(("rule", "case"), MINE, ids=lambda x: x.name)


def drawn(rule, case=HAT, precision="float64", lanes=31):
    steps = min(12, sweep.horizon(rule, parse(precision)))
    return sweep.draw(case, rule, parse(precision), lanes=lanes, steps=steps, seed=2)


def states(job):
    return launch.run(job, "numpy").wide()


@pytest.mark.parametrize("fault", OF_LINES, ids=lambda f: f.name)
def test_d0_sees_a_wrong_line_under_the_first_rule_that_has_it_and_under_the_last(fault):
    found = [(case, job) for rule, case in MINE if fault.applies(job := drawn(rule, case))]
    assert found, "no rule has the right line"
    for case, job in found[:: max(1, len(found) - 1)]:
        t = Trajectory.launched(case, job, *fault.outcome(case, job))
        with np.errstate(all="ignore"):
            spent = spent_of(EXACT["D0"].residual(t))
        assert (spent > 1).any(axis=(0, 1)).sum() >= 2, f"under {job.rule.name} in at most one lane"


@each_of_mine
def test_d0_holds_of_the_right_lines(rule, case):
    job = drawn(rule, case)
    with np.errstate(all="ignore"):
        assert (spent_of(EXACT["D0"].residual(Trajectory.launched(case, job, *states(job)))) <= 1).all()


@pytest.mark.parametrize("rule", [ADAM, ADAMW, AMSGRAD, RMSPROP, ADADELTA], ids=lambda r: r.name)
@pytest.mark.parametrize("precision", ["float64", "float16/eager"])
def test_a_file_that_is_read_with_the_right_words_is_the_right_rule(rule, precision):
    words = (("xp.sqrt(_x)", "xp.sqrt(_x)"),)
    names = lines.namespace(lines.inspect.getmodule(rule.update), words)
    assert names["update"] is not rule.update
    again = lines.standing_in(
        rule, update=names["update"], **({"known": names[rule.known.__name__]} if rule.known else {})
    )
    job = drawn(rule, precision=precision)
    pairs = zip(states(job), states(replace(job, rule=again)), strict=True)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    assert lines.misread(rule, dict(words)) is None, "it is no fault"


def test_words_that_do_not_stand_there_or_change_nothing_are_no_fault():
    assert lines.misread(HEAVY_BALL, {"xp.sqrt(_x)": "_x"}) is None
    assert lines.misread(ADAM, {"xp.sqrt(_x) / p.root": "xp.sqrt(_x / p.root)"}) is not None
    assert lines.misread(ADAM, {"p.eta / p.correction": "p.eta * (1 / p.correction)"}) is None, (
        "the same number"
    )
    assert lines.misread(ADAM, {"xp.sqrt(_x) * _x": "_x"}) is None, "a name stands for one expression"


@pytest.mark.parametrize(
    ("name", "rule", "other"),
    [("maximum left out", AMSGRAD, ADAM), ("variance not centred", RMSPROP_CENTRED, RMSPROP)],
    ids=lambda x: getattr(x, "name", x),
)
def test_a_rule_without_its_option_is_the_rule_that_has_none_bit_for_bit(name, rule, other):
    job = drawn(rule, precision="bfloat16")
    plain = replace(job, rule=other, v0=job.v0[: len(other.buffers) * HAT.dim])
    q, v = faults.BY_NAME[name].outcome(HAT, job)
    right_q, right_v = states(plain)
    assert np.array_equal(q, right_q) and np.array_equal(v[:, : right_v.shape[1]], right_v)
