"""How stiff a case is, and the pace that follows from it."""

from dataclasses import replace

import numpy as np
import plainest
import pytest

from noether.cases import CATALOG
from noether.cases.case import rotation
from noether.cases.rules import RULES
from noether.kernels.programs.precision import PRECISIONS, parse
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.mechanics import sweep
from noether.mechanics.stiffness import edge, largest_curvature, step_curvature
from noether.plan import design
from noether.plan.choices import Request, select
from noether.runs.planning import plan as planned
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE

BOWL = plainest.case(
    "bowl",
    loss=lambda q, xp: 3 * (q[0] * q[0] + q[1] * q[1]) / 2,
    breaking=lambda q, xp: q[0] * q[0],
    box=((0.5, 1.0), (0.5, 1.0)),
    symmetries=(rotation(2, 0, 1),),
)
NAMED = {c.name: c for c in CATALOG}


def stiff(c, **fields):
    """c (u v - 1)^2/2: on the corner u = v = 3/2 its largest curvature is c (|q|^2 + 2 (u v - 1) ...) = 5.75
    c."""
    loss = lambda q, xp: c * (q[0] * q[1] - 1) ** 2 / 2
    return plainest.case(f"stiff-{c}", loss, breaking=lambda q, xp: q[0] + q[1] * q[1] / 4, **fields)


def test_the_curvature_of_a_quadratic_loss_is_its_own():
    assert largest_curvature(BOWL) == pytest.approx(3, rel=1e-6) and largest_curvature(
        BOWL, 0.5
    ) == pytest.approx(4, rel=1e-6)
    assert edge(BOWL, 0.5) == pytest.approx(1, rel=1e-6)
    assert largest_curvature(stiff(10)) == pytest.approx(57.5, rel=1e-6)


def test_a_rule_in_other_coordinates_has_another_curvature():
    """Of the entropy's metric H diag(q), of the Fisher metric G^-1 H: each at most its factor times H's."""
    mirror, fisher = NAMED["entropy-mirror"], NAMED["gaussian-fisher"]
    assert 0 < step_curvature(mirror) <= 1.5 * largest_curvature(mirror) and step_curvature(
        mirror
    ) != largest_curvature(mirror)
    assert step_curvature(fisher) >= largest_curvature(fisher)


def test_a_kink_is_no_curvature():
    """The corners of the box lie on the kink of this loss, where its gradient jumps."""
    u = lambda q: q[0] + q[1]
    relu = replace(
        BOWL,
        loss=lambda q, xp: u(q) * xp.step(u(q)) + q[0] * q[0],
        box=((-1, 1), (-1, 1)),
        kinks=lambda q, xp: [u(q)],
    )
    assert largest_curvature(relu) == pytest.approx(2, rel=1e-6)
    assert largest_curvature(replace(relu, kinks=None)) > 1e5


@pytest.mark.parametrize("c", [1e-3, 1, 4, 20, 100, 1e6])
def test_the_pace_that_no_case_gives_keeps_the_largest_step_stable(c):
    pace = sweep.pace(stiff(c))
    assert np.frexp(pace)[0] == 0.5 and pace <= 1
    reach = sweep.largest_step() * pace * (5.75 * c)
    assert reach <= 1 and (reach > 0.4 or pace == 1)


def test_the_largest_step_is_that_of_the_launches():
    case = stiff(1)
    most = max(
        sweep.draw(case, RULES["heavy-ball"], parse(p), lanes=999, steps=1, seed=0).params[0].max()
        for p in PRECISIONS
    )
    assert 0.97 < most / (sweep.pace(case) * sweep.largest_step()) <= 1


def test_a_pace_that_is_given_stays_and_the_catalogue_gives_its_own():
    assert sweep.pace(stiff(100, pace=1.0)) == 1.0 and all(c.pace is not None for c in CATALOG)


def test_a_line_says_what_the_pace_is_and_where_a_given_one_is_past_the_edge():
    assert (
        "gives no pace" in sweep.told(stiff(10))
        and "57.5" in sweep.told(stiff(10))
        and "0.015625" in sweep.told(stiff(10))
    )
    assert "past" not in sweep.told(stiff(1, pace=0.25)) == "" and "unstable from 0.0348" in sweep.told(
        stiff(10, pace=1.0)
    )
    notes = planned(select(Request(cases=(stiff(10),), law="D0", backend="numpy"))).notes
    assert notes == [sweep.told(stiff(10))]
    assert not planned(select(Request(cases=("mexican-hat",), law="D0", backend="numpy"))).notes


def test_a_line_says_that_a_loss_is_too_flat_for_its_steps():
    flat, given = stiff(1e-6), stiff(1e-6, pace=1.0)
    assert "on so flat a loss" in sweep.told(flat) and "on so flat" not in sweep.told(stiff(1)) + sweep.told(
        given
    )


@pytest.mark.parametrize("c", [4, 20])
@pytest.mark.parametrize("given", [None, 1.0])
def test_right_steps_on_a_stiff_loss_are_never_accused(c, given):
    """With the pace of its own every law holds somewhere; past the edge, too, nothing is violated."""
    case, seen = stiff(c, pace=given), {}
    for rule in ("heavy-ball", "nesterov", "gradient-descent", "heavy-ball-decoupled"):
        for precision in ("float64", "float32", "float16/eager", "bfloat16"):
            laws = tuple(k for k, law in EXACT.items() if law.concerns(case, RULES[rule], precision))
            for record in LaunchCell(case, rule, precision, "numpy", "exact", laws, 41, 3).run():
                seen.setdefault(record.law, set()).add(record.verdict)
    assert set().union(*seen.values()) <= {HOLDS, INCONCLUSIVE, OUTSIDE}
    assert (
        all(HOLDS in found for found in seen.values())
        and set(rules_of(case)) >= {"nesterov"}
        and design.RULES
    )
