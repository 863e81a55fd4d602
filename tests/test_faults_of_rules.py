"""Faults are planted in rules of any number of buffers, and where they would change nothing they say so."""

from dataclasses import replace

import numpy as np
import pytest

from noether import faults
from noether.cases import CORE
from noether.cases.rules.adam import ADAM
from noether.cases.rules.adamw import ADAMW
from noether.cases.rules.amsgrad import AMSGRAD
from noether.cases.rules.gradient_descent import GRADIENT_DESCENT
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.heavy_ball_decoupled import HEAVY_BALL_DECOUPLED
from noether.cases.rules.lars import LARS
from noether.cases.rules.lion import LION
from noether.cases.rules.nesterov import NESTEROV
from noether.cases.rules.nesterov_increasing import NESTEROV_INCREASING
from noether.cases.rules.rmsprop import RMSPROP
from noether.cases.rules.sign_descent import SIGN_DESCENT
from noether.faults.fault import storing
from noether.faults.reading import moved_by_buffers, names_read, places_of_stores, turns_with_its_force
from noether.kernels.loops import launch
from noether.kernels.programs.precision import narrow, parse
from noether.mechanics import sweep

HAT = next(c for c in CORE if c.name == "mexican-hat")
MANY = 1000


def drawn(rule, precision="float64", lanes=13, steps=12, seed=1):
    return sweep.draw(HAT, rule, parse(precision), lanes=lanes, steps=steps, seed=seed)


def same(a, b) -> bool:
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("precision", ["float64", "bfloat16/mixed"])
@pytest.mark.parametrize("rule", [RMSPROP, ADAM, AMSGRAD, LION], ids=lambda r: r.name)
def test_every_fault_that_applies_changes_a_launch_of_a_rule_with_other_buffers(rule, precision):
    rare = {"ties away from zero", *(f"beta {x}" for x in ("as float32", "as bfloat16", "x (1 + 2^-10)"))}
    planted = 0
    for fault in (f for f in faults.KERNEL if f.lanes < MANY and f.name not in faults.EQUIVALENT):
        job = drawn(rule, precision, steps=fault.steps)
        if fault.applies(job):
            planted += 1
            with np.errstate(all="ignore"):
                wrong = fault.outcome(HAT, job)
            assert not same(wrong, launch.run(job, "numpy").wide()) or fault.name in rare, fault.name
    assert planted >= 100


@pytest.mark.parametrize("rule", [HEAVY_BALL, NESTEROV, ADAM, AMSGRAD, LION], ids=lambda r: r.name)
def test_each_store_of_a_step_has_one_place_and_the_step_that_keeps_them_is_the_right_one(rule):
    places = places_of_stores(rule, HAT.dim)
    assert sorted(places) == sorted((word, i) for word in ("q", *rule.buffers) for i in range(HAT.dim))
    job = drawn(rule, "bfloat16")
    kept = launch.run(job, "numpy", storing(lambda x, kind, into: narrow(x, kind))).wide()
    assert same(kept, launch.run(job, "numpy").wide())


def test_what_a_step_reads_is_read_off_its_lines():
    d = HAT.dim
    assert names_read(ADAM, d) >= {
        "q",
        "v",
        "g",
        "eta",
        "beta",
        "k",
        "beta2",
        "stability",
        "correction",
        "root",
    }
    assert "beta" not in names_read(GRADIENT_DESCENT, d) | names_read(NESTEROV_INCREASING, d)
    assert "v" in names_read(RMSPROP, d) and "v" not in names_read(SIGN_DESCENT, d), "s of RMSprop is carried"
    assert moved_by_buffers(ADAM, d) and not moved_by_buffers(LION, d), (
        "Lion's step is not that of its buffer"
    )


TURNING = {HEAVY_BALL: True, NESTEROV: True, RMSPROP: True, ADAM: False, LARS: False, SIGN_DESCENT: False}


@pytest.mark.parametrize("rule", TURNING, ids=lambda r: r.name)
def test_both_signs_are_turned_only_where_that_is_proven_to_change_no_bit(rule):
    assert turns_with_its_force(rule, HAT.dim) == TURNING[rule]
    fault, job = faults.BY_NAME["both signs turned"], drawn(rule, "float32", lanes=61)
    assert fault.applies(job) == TURNING[rule]
    right = launch.run(job, "numpy").wide()
    with np.errstate(all="ignore"):
        wrong = fault.outcome(HAT, job)
    assert same(wrong, right) or not TURNING[rule]


@pytest.mark.parametrize("precision", ["float64", "bfloat16", "float16/eager"])
@pytest.mark.parametrize(
    ("name", "rule", "other"),
    [
        ("decay decoupled for coupled", HEAVY_BALL, HEAVY_BALL_DECOUPLED),
        ("decay coupled for decoupled", HEAVY_BALL_DECOUPLED, HEAVY_BALL),
        ("decay coupled for decoupled", ADAMW, ADAM),
    ],
    ids=lambda x: getattr(x, "name", x),
)
def test_decay_in_the_wrong_place_is_the_other_rule_bit_for_bit(name, rule, other, precision):
    job = drawn(rule, precision)
    assert faults.BY_NAME[name].applies(job)
    wrong = faults.BY_NAME[name].outcome(HAT, job)
    assert same(wrong, launch.run(replace(job, rule=other), "numpy").wide())
