"""Generated faults are many, differ from the right thing, and D0 kills them; what it lets pass is told
apart."""

from fractions import Fraction

import numpy as np
import pytest

from noether.campaigns.kill_matrix import findings, generated, sensitivity, states
from noether.campaigns.kill_matrix.generated import SAME, SURVIVES, UNDER_ROUNDING, UNTOLD, GeneratedCell
from noether.cases import CATALOG, CORE
from noether.cases.exact_numbers import Number
from noether.cases.rules.adam import ADAM
from noether.cases.rules.heavy_ball import HEAVY_BALL
from noether.cases.rules.lion import LION
from noether.faults import operations
from noether.faults.same_formula import exact, same_formula
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision, parse
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.trace import gradient, gradient_program
from noether.kernels.programs.trace_rule import update_program
from noether.laws.exact.cell import LaunchCell, rules_of
from noether.mechanics import sweep
from noether.verdicts.record import INCONCLUSIVE, VIOLATED

CASES = {c.name: c for c in CORE}
ALL = {c.name: c for c in CATALOG}
HAT = CASES["mexican-hat"]
F64 = Precision("float64")
CELL = ("numpy", "exact", (), generated.LANES, 0, generated.STEPS)


def found(cell: GeneratedCell) -> dict:
    (record,) = cell.run()
    return record.data["generated"]


@pytest.mark.parametrize("case", CORE, ids=lambda c: c.name)
def test_d0_kills_every_changed_operation_of_a_traced_gradient(case):
    data = found(GeneratedCell(case, rules_of(case)[-1], "float64", "gradient", 8))
    assert data["killed"] == data["total"] > 20
    assert set(data["kinds"]) == {"operator", "operand", "constant", "rounding"}


RULES_CHANGED = """gradient-descent heavy-ball heavy-ball-decoupled mirror-descent nesterov
heavy-ball-dampened heavy-ball-maximize"""


@pytest.mark.parametrize("rule", RULES_CHANGED.split())
def test_d0_kills_every_changed_operation_of_the_update(rule):
    """But for a buffer that moves q before it is stored: a store of float64 does not round."""
    data = found(
        GeneratedCell(CASES["entropy-mirror"] if rule == "mirror-descent" else HAT, rule, "float64", "update")
    )
    assert data["killed"] + len(data[SAME]) == data["total"] > 100 and len(data[SAME]) <= 1


@pytest.mark.parametrize(
    ("rule", "case"),
    [
        ("lion", "mexican-hat"),
        ("signum", "mexican-hat"),
        ("normalised-gradient", "mexican-hat"),
        ("lars", "mexican-hat"),
        ("lamb", "mexican-hat"),
        ("orthogonal-descent", "linear-network-1"),
        ("shampoo", "linear-network-1"),
        ("muon", "linear-network-1"),
        ("accelerated-mirror-descent", "entropy-mirror"),
    ],
)
def test_no_changed_operation_of_a_rule_of_signs_sizes_or_matrices_survives(rule, case):
    """A sample of each."""
    stride = {"shampoo": 61, "muon": 307}.get(rule, 17)
    data = found(GeneratedCell(ALL[case], rule, "float64", "update", stride))
    assert not data[SURVIVES] and data["killed"] > 0.8 * data["total"] > 4


def test_there_are_thousands():
    count = sum(sum(1 for _ in operations.program_faults(gradient(c), F64)) for c in CORE)
    assert count > 4000


@pytest.mark.parametrize("what", ["gradient", "update"])
def test_a_fault_is_its_name(what):
    cell = GeneratedCell(HAT, "heavy-ball", "float64", what)
    names = [m.name for m in cell.faults()]
    assert len(set(names)) == len(names) > 50 and names == [
        m.name for m in GeneratedCell(HAT, "heavy-ball", "float64", what).faults()
    ]


@pytest.mark.parametrize("precision", ["float64", "bfloat16", "float16/eager"])
@pytest.mark.parametrize("rule", ["heavy-ball", "nesterov", "heavy-ball-dampened", "sign-descent"])
def test_the_step_of_the_right_program_is_the_right_step(rule, precision):
    cell = GeneratedCell(CASES["softmax"], rule, precision, "update")
    right = launch.run(cell.job, "numpy").wide()
    again = launch.run(cell.job, "numpy", operations.stepping(cell.right)).wide()
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(right, again, strict=True))


def test_an_operation_left_unrounded_is_told_from_one_that_needs_no_rounding():
    data = found(GeneratedCell(HAT, "gradient-descent", "float16/eager", "gradient"))
    assert (
        data["killed"] + sum(len(data[x]) for x in (SAME, UNDER_ROUNDING, UNTOLD)) == data["total"]
        and not data[SURVIVES]
    )
    assert data[UNDER_ROUNDING], "a rounding within the bound is B1's to see"


def test_no_fault_is_killed_by_a_lane_in_which_the_right_step_is_violated():
    """At the origin a Rayleigh quotient has no gradient: the lane that starts there is left out."""
    cell = GeneratedCell(CASES["rayleigh"], "heavy-ball", "float64", "update")
    whole = states.of_a_run(LaunchCell(CASES["rayleigh"], "heavy-ball", "float64", *CELL).job())
    q, v = launch.run(cell.job, "numpy").wide()
    assert np.isfinite(q).all() and np.isfinite(v).all()
    assert whole.lanes - states.APART <= cell.job.lanes < whole.lanes


@pytest.mark.parametrize("precision", ["float64", "bfloat16"])
def test_what_is_read_by_its_sign_comes_as_near_to_0_as_its_rounding_lets_it(precision):
    job = sweep.draw(HAT, LION, parse(precision), lanes=61, steps=8, seed=3)
    one, program = states.of_a_run(job), update_program(LION, HAT.dim)
    signs = [op.args[0] for op in program.ops if op.name == "sign"]
    assert len(signs) == HAT.dim and one.steps == 1
    for at in signs:
        value, size = (states.read(one, program, i) for i in (at, program.ops[at].args[0]))
        near = np.abs(value[size != 0] / size[size != 0])
        assert near.min() < 2.0**-10 and (value == 0).any() and (value > 0).any() and (value < 0).any()


@pytest.mark.parametrize("rule", [LION, ADAM, HEAVY_BALL], ids=lambda r: r.name)
def test_proof_what_only_goes_into_a_store_may_be_rounded_to_it_before(rule):
    """And what is read by its sign alone may be rounded, or be larger."""
    job = states.of_a_run(sweep.draw(HAT, rule, parse("bfloat16"), lanes=61, steps=8, seed=3))
    program, right = update_program(rule, HAT.dim), launch.run(job, "numpy").wide()
    told = 0
    for at, op in enumerate(program.ops):
        if op.name in ("input", "const"):
            continue
        harmless = [operations.Rounded(program, at, "bfloat16")] * operations.rounded_anyway(
            program, at, "bfloat16", job.precision
        )
        if generated.only_its_sign_counts(program, at):
            harmless += [operations.Off(program, at), operations.Rounded(program, at, "bfloat16")]
        for other in harmless:
            again = launch.run(job, "numpy", operations.stepping(other)).wide()
            assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(again, right, strict=True))
            told += 1
    assert told >= 4 * HAT.dim


# ---- equivalence


def program(*ops):
    return Program(2, (Op("input", (), 0), Op("input", (), 1), Op("input", (), 2), *ops), (len(ops) + 2, 0))


def test_the_same_formula_is_recognised_and_another_is_not():
    plain = program(Op("sub", (0, 1)))
    turned = program(Op("neg", (1,)), Op("add", (0, 3)))
    assert same_formula(plain, turned)
    assert not same_formula(plain, program(Op("add", (0, 1))))
    assert not same_formula(
        plain, program(Op("const", (), 1 + 2.0**-40), Op("mul", (0, 3)), Op("sub", (4, 1)))
    )
    assert same_formula(
        program(Op("exp", (0,)), Op("add", (3, 3))),
        program(Op("exp", (0,)), Op("const", (), 2.0), Op("mul", (3, 4))),
    )
    assert not same_formula(program(Op("exp", (0,))), program(Op("exp", (1,))))


def test_exact_arithmetic_agrees_with_numpy():
    right = gradient(HAT)
    point = [Fraction(3, 8), Fraction(-5, 8), Fraction(1, 2), Fraction(1, 4)]
    mine = exact(right, [Number(x.numerator) / x.denominator for x in point])
    floats = right.run([np.array([float(x)]) for x in point[:3]], np.array([0.25]), F64)
    assert all(x == float(y[0]) for x, y in zip(mine, floats, strict=True))


@pytest.mark.parametrize("scale", [-1.0, 0.25, 8.0])
def test_proof_a_power_of_two_and_a_sign_need_no_rounding(scale):
    x = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    x = x[np.isfinite(x) & (np.abs(x) > 2.0**-11) & (np.abs(x) < 2.0**12)]
    assert len(x) > 40_000
    product = np.float32(scale) * x
    assert np.array_equal(product.astype(np.float16).astype(np.float32), product)


def test_a_fault_that_nothing_tells_from_the_right_gradient_is_a_survivor_and_fails_the_run(monkeypatch):
    """A judge that sees nothing, and bits that never differ."""
    monkeypatch.setattr(generated, "spent_of", lambda r: np.zeros(np.shape(r.measured)))
    monkeypatch.setattr(generated, "same_bits", lambda a, b: True)
    (record,) = GeneratedCell(HAT, "heavy-ball", "float64", "gradient", 16).run()
    assert record.verdict == INCONCLUSIVE and record.data["generated"][SURVIVES]
    verdict = findings.verdict([record], whole=False)
    assert verdict.exit_code == 3 and "generated fault survives" in verdict.reasons[0]


def test_a_rearranged_gradient_is_no_survivor():
    def total(q, eps, xp):
        return ((q[2] * q[2] + q[1] * q[1] + q[0] * q[0]) - 1) ** 2 / 4 + eps * HAT.breaking(q, xp)

    other = gradient_program(3, total)
    assert other != gradient(HAT) and same_formula(other, gradient(HAT))


# ---- sensitivity


def test_each_law_sees_the_last_bits_and_the_table_keeps_how_many():
    cell = sensitivity.SensitivityCell(HAT, "heavy-ball", "float64")
    (record,) = cell.run()
    graded = record.data["graded"]
    assert record.verdict == VIOLATED and not record.data["lost"]
    assert set(graded) >= {"gradient", "eta", "beta", "k", "eps", "q store", "v store"}
    assert graded["q store"]["D0"] > graded["gradient"]["D0"] >= 43


@pytest.mark.parametrize(("rule", "terms"), [("adam", {"beta2", "stability"}), ("qhm", {"nu"})])
def test_the_parameters_that_a_rule_has_of_its_own_are_graded(rule, terms):
    (record,) = sensitivity.SensitivityCell(HAT, rule, "float64").run()
    graded = record.data["graded"]
    assert not record.data["lost"] and all(graded[term]["D0"] >= 40 for term in terms)
    assert {"beta2", "stability", "nu", "trust"} & set(graded) == terms


@pytest.mark.parametrize("precision", ["float64", "bfloat16"])
def test_a_bound_too_wide_by_a_thousand_is_lost_sensitivity(precision, monkeypatch):
    from noether.campaigns.kill_matrix.harness_plantings import wider

    with wider("delta")():
        (record,) = sensitivity.SensitivityCell(HAT, "heavy-ball", precision).run()
    assert record.verdict == INCONCLUSIVE and findings.verdict([record], whole=False).exit_code == 3
    assert any("must see" in told for told in record.data["lost"])


def test_the_kinetic_term_of_the_law_is_graded_too(monkeypatch):
    monkeypatch.setattr(sensitivity, "TERMS", {})
    (record,) = sensitivity.SensitivityCell(CASES["rayleigh"], "heavy-ball", "float64").run()
    assert set(record.data["graded"]) == {sensitivity.KINETIC}
    assert all(j >= 40 for j in record.data["graded"][sensitivity.KINETIC].values()) and set(
        record.data["graded"][sensitivity.KINETIC]
    ) == {"D2", "D4"}
    assert record.verdict == INCONCLUSIVE, "and no other term was graded: that is a loss"
