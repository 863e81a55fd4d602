"""Wrong trajectories that are judged side by side: what is said of each is what is said of it alone."""

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.programs.precision import parse
from noether.laws.exact import EXACT, shown_faults, together
from noether.laws.exact.certified import Domain, judge_inside
from noether.mechanics import sweep
from noether.mechanics.domain import leaving
from noether.verdicts.record import VIOLATED

BY_NAME = {case.name: case for case in CATALOG}
POINTS = (
    ("mexican-hat", "heavy-ball", "float64"),
    ("mexican-hat", "heavy-ball", "float16"),  # some lanes of which overflow
    ("softmax", "adam", "float64"),
    ("entropy-simplex", "exponentiated-gradient", "float64"),
    ("gaussian-fisher", "heavy-ball-metric", "float32"),
)


def planted(case, job):
    faults = [f for f in shown_faults.KERNEL_FAULTS if shown_faults.shown(f, job)]
    return [shown_faults.wrong_trajectory(case, job, f) for f in faults]


@pytest.mark.parametrize("name, rule, precision", POINTS)
def test_side_by_side_each_is_judged_as_alone(name, rule, precision, monkeypatch):
    case = BY_NAME[name]
    job = sweep.draw(case, RULES[rule], parse(precision), lanes=13, steps=8, seed=3)
    laws = tuple(k for k, law in EXACT.items() if law.concerns(case, RULES[rule], precision))
    leaves, about = (
        lambda: leaving(case, job),
        dict(case=name, rule=rule, backend="numpy", precision=precision),
    )
    about["parameters"] = {}
    monkeypatch.setattr(
        together, "NUMBERS", 5 * job.q0.size * job.steps
    )  # several groups, the last one smaller
    found = planted(case, job)
    assert len(found) > 6
    beside = together.judged_together(case, job, found, laws, about=about, leaves=leaves)
    wrong = 0
    for t, records in zip(planted(case, job), beside, strict=True):
        alone = judge_inside(case, job, t, laws, about=about, domain=Domain(case, job, t, leaves))
        assert [repr(r) for r in records] == [repr(r) for r in alone]
        wrong += any(r.verdict == VIOLATED for r in records)
    assert wrong > len(found) // 2


def test_the_lanes_of_one_stay_its_own():
    case, rule = BY_NAME["mexican-hat"], RULES["heavy-ball"]
    job = sweep.draw(case, rule, parse("float64"), lanes=5, steps=4, seed=0)
    found = planted(case, job)[:3]
    wide = together.side_by_side(found)
    assert wide.lanes == 15 and wide.steps == 4
    for i, t in enumerate(found):
        mine = slice(5 * i, 5 * i + 5)
        np.testing.assert_array_equal(wide.z[..., mine], t.z)
        np.testing.assert_array_equal(wide.sigma[..., mine], t.sigma)
        np.testing.assert_array_equal(wide.path[mine], t.path)
