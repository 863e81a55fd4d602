"""The catalogue beside the core: every claim is true, is broken by its breaking term, and moves as the
theorem says."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from noether.cases import CATALOG, CORE, Metric
from noether.cases.case import BREGMAN, CaseError, linear
from noether.cases.losses.batch_norm import BATCH_NORM, LAYER_EPS, centred, squared_error, variance
from noether.cases.losses.entropy_simplex import ENTROPY_SIMPLEX
from noether.cases.losses.irises import LENGTHS, PETALS, SEPAL_WIDTH_PETAL_LENGTH, TENTHS, WIDTHS
from noether.cases.losses.power_mirror import POWER_MIRROR
from noether.cases.rules import RULES
from noether.kernels.programs.precision import PRECISIONS
from noether.kernels.programs.trace import gradient
from noether.laws.continuous import cells
from noether.laws.exact import EXACT
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.mechanics import wide
from noether.mechanics.symmetry_proof import FalseSymmetry, prove
from noether.verdicts.record import HOLDS, VIOLATED

REST = [c for c in CATALOG if c not in CORE]
each = pytest.mark.parametrize("case", REST, ids=lambda c: c.name)


def test_the_catalogue_has_every_case_of_the_plan_behind_the_core():
    assert CATALOG[: len(CORE)] == CORE and len(REST) >= 24
    assert max(c.dim for c in CATALOG) <= 16 and len({c.name for c in CATALOG}) == len(CATALOG)


@each
def test_the_continuous_laws_hold_at_mass_one_and_their_faults_fail(case):
    (cell,) = cells.cells((case,), "glance")
    records = cells.run_cell(cell)  # the symmetries are proven first
    judged = [r for r in records if r.fault is None]
    assert {r.symmetry for r in judged} >= {s.name for s in case.symmetries}
    assert {r.verdict for r in judged} == {HOLDS}, [r.reason for r in judged]
    assert {r.verdict for r in records if r.fault} == {VIOLATED}


@each
def test_every_exact_law_holds_on_one_launch(case):
    for i, rule in enumerate(rules_of(case)[:2]):
        precision = PRECISIONS[(REST.index(case) + 2 * i) % 4]
        laws = tuple(k for k, law in EXACT.items() if law.concerns(case, RULES[rule], precision))
        records = LaunchCell(case, rule, precision, "numpy", "exact", laws, 33, 1, 12).run()
        assert {"D0", "D7" if case.metric.kind == BREGMAN else "D2"} <= {r.law for r in records}
        wrong = [r for r in records if r.verdict == VIOLATED or (r.law == "D0" and r.verdict != HOLDS)]
        assert not wrong, [(r.law, r.symmetry, precision, r.reason) for r in wrong]


@each
def test_a_generator_that_is_none_is_refused(case):
    false = linear(np.arange(1, case.dim**2 + 1).reshape(case.dim, case.dim), "false")
    with pytest.raises(FalseSymmetry, match=f"case {case.name}: symmetry false is false"):
        prove(replace(case, symmetries=(*case.symmetries, false)))


@each
def test_the_breaking_term_breaks_and_the_paper_says_what(case):
    assert max(p.broken for p in prove(case)) > 0.01
    assert len(gradient(case).ops) > 10


def test_the_irises_are_binary_fractions_of_fishers_numbers():
    for rows in (PETALS, LENGTHS, SEPAL_WIDTH_PETAL_LENGTH, [(x,) for x in WIDTHS]):
        assert len(rows) == len(TENTHS) == 6
        assert all(Fraction(x).denominator in (1, 2, 4, 8, 16, 32, 64) for row in rows for x in row)


def test_the_eps_of_a_batch_normalisation_pulls_the_weights_by_twice_its_derivative():
    """<grad f_e, w> = -2 e df_e/de, with df_e/de by a central difference at 64 bits."""

    def layer(q, xp, e=LAYER_EPS):
        u = centred(q)
        return squared_error(u, q[3] / xp.sqrt(variance(u) + e))

    q = BATCH_NORM.draw(np.random.default_rng(0), 5).astype(wide.WIDE)
    both = wide.gradient(lambda x, xp: BATCH_NORM.total(x, 0.5, xp), q)
    pull = (both[:2] * q[:2]).sum(axis=0)
    h = wide.WIDE(2.0**-16)
    slope = (layer(q, np, LAYER_EPS + h) - layer(q, np, LAYER_EPS - h)) / (2 * h)
    # The difference errs by h^2 f'''/6 < 2^-32 * 15/8 * e^-3 / 6 and by 2^-64/h: below 2^-26.
    assert np.abs(slope).min() > 1e-3
    assert np.abs(pull + 2 * LAYER_EPS * slope).max() < 2.0**-26


def test_starts_on_the_simplex_sum_to_one_and_only_a_bregman_rule_stays_there():
    q = ENTROPY_SIMPLEX.draw(np.random.default_rng(0), 100)
    assert np.abs(q.sum(axis=0) - 1).max() <= 4 * 2.0**-53 and q.min() > 0
    with pytest.raises(CaseError, match="on the simplex: must be 'bregman'"):
        Metric(simplex=True)
    with pytest.raises(CaseError, match="every low must be above 0"):
        replace(ENTROPY_SIMPLEX, box=((0.0, 1.0),) * 5)


def test_a_bregman_metric_has_a_kernel_where_its_potential_is_the_entropy():
    assert rules_of(POWER_MIRROR) == () and "mirror-descent" in rules_of(ENTROPY_SIMPLEX)
    shifted = replace(
        ENTROPY_SIMPLEX, metric=Metric(BREGMAN, potential=lambda q, xp: sum(x * xp.log(x) for x in q))
    )
    assert "mirror-descent" in rules_of(shifted), "grad h = log q + 1 moves log q just so"
    bent = replace(
        ENTROPY_SIMPLEX,
        metric=Metric(BREGMAN, potential=lambda q, xp: sum(x * xp.log(x) * (1 + 2.0**-40) for x in q)),
    )
    assert rules_of(bent) == ()
