"""What a loss may be written with: every operation on every backend, numbers of any kind, and a word for all
else."""

from pathlib import Path

import numpy as np
import plainest
import pytest
from test_cli import GOOD_CASE

from noether.cases.case import DIAGONAL, Case, CaseError, Metric, linear, scale, translation
from noether.cases.rules import RULES
from noether.cli import main
from noether.kernels.loops import launch
from noether.kernels.programs import trace
from noether.kernels.programs.operations import IN_A_LOSS
from noether.kernels.programs.precision import parse
from noether.kernels.programs.program import SOURCES
from noether.laws.exact import EXACT
from noether.laws.exact.judge import judge_all
from noether.mechanics import sweep, wide
from noether.mechanics.operation_rounding import constant_error
from noether.mechanics.symmetry_proof import prove
from noether.mechanics.trajectory import Trajectory
from noether.plan.casefiles import load, trial_process
from noether.plan.design import PRECISIONS
from noether.system.usage import UsageError


def loss(q, xp):
    u, w = q[0] + q[1], q[0] - q[1] * q[2]
    smooth = xp.exp(-q[0]) * xp.log(1 + q[1] ** 2) + xp.sqrt(1 + q[2] * q[2]) * xp.exp(0.5)
    return u * xp.step(u) * q[2] + w * w * xp.step(w) * xp.step(q[2] - q[1]) / (1 + q[0] * q[0]) + smooth


EVERY = plainest.case(
    "every-operation",
    loss,
    breaking=lambda q, xp: q[0] - q[1] / 3,
    kinks=lambda q, xp: [q[0] + q[1], q[0] - q[1] * q[2], q[2] - q[1]],
    box=((0.5, 1.5),) * 3,
    symmetries=(scale(3),),
    metric=Metric(DIAGONAL, entries=lambda q, kappa, xp: [1 + kappa * xp.exp(-x * x) for x in q]),
)


def test_the_case_of_every_operation_has_every_operation():
    """An operation that is new to the tracer belongs into the loss above: then every law and backend meets
    it."""
    names = {op.name for op in trace.gradient(EVERY).ops}
    assert names == {*SOURCES, *IN_A_LOSS}


NINE_RULES = """nesterov heavy-ball sign-descent heavy-ball-scheduled natural-gradient gradient-descent
nesterov heavy-ball-decoupled heavy-ball-dampened"""
RULE_OF = dict(zip(PRECISIONS, NINE_RULES.split(), strict=False))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    "backend", [b for b in ("triton-interpreted", *launch.ON_CPU) if not launch.missing(b)]
)
def test_every_operation_has_the_same_bits_on_every_backend(backend, precision):
    job = sweep.draw(EVERY, RULES[RULE_OF[precision]], parse(precision), lanes=9, steps=2, seed=1)
    mine, plain = launch.run(job, backend), launch.run(job, "numpy")
    assert not launch.differing_bits(mine, plain) and (plain.q[-1] != plain.q[0]).any()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    "rule", [r.name for r in RULES.values() if r.metric != "bregman" and r.fits(EVERY.dim)]
)
def test_every_operation_goes_through_every_exact_law(rule, precision):
    job = sweep.draw(EVERY, RULES[rule], parse(precision), lanes=9, steps=2, seed=1)
    t = Trajectory.launched(EVERY, job, *launch.run(job, "numpy").wide())
    laws = [
        k
        for k, law in EXACT.items()
        if law.concerns(EVERY, RULES[rule], precision) and not law.about_symmetry
    ]
    for record in judge_all(
        t, laws, about=dict(case="x", rule=rule, backend="numpy", precision=precision, parameters={})
    ):
        assert record.verdict != "violated", record.reason


def written(body: str) -> str:
    return GOOD_CASE.replace("def loss(q, xp):\n    return ", f"def loss(q, xp):\n    {body}\n    return ")


BRANCHES, NUMBER, ARRAY = (
    "a loss that branches on its parameters",
    "a parameter is no plain number here",
    "makes a numpy array of parameters",
)
REFUSED = {
    "if q[0] > q[1]: pass": BRANCHES,
    "if q[0] == 1: pass": BRANCHES,
    "max(q[0], 1)": BRANCHES,
    "abs(q[0])": BRANCHES,
    "import numpy as np; np.exp(q[0])": "np.exp on a parameter: a kernel has + - * /",
    "import numpy as np; np.maximum(q[0], 0)": "np.maximum on a parameter",
    "import numpy as np; np.where(q[0] > 0, 1, 0)": BRANCHES,
    "import math; math.exp(q[0])": NUMBER,
    "float(q[0])": NUMBER,
    "round(q[0])": NUMBER,
    "q[0] // 2": NUMBER,
    "q[0] % 2": NUMBER,
    "2 ** q[0]": NUMBER,
    "q[0] ** 0.5": "whole powers from 1 to 16 only",
    "q[0] ** -2": "whole powers",
    "import numpy as np; np.sum([q[0], 1.0])": ARRAY,
    "import numpy as np; np.array([[1]]) @ np.array([q[0], 1])": "loss",
    "xp.tanh(q[0])": (
        "xp has no tanh: a loss cannot be traced but with xp.exp, xp.log, xp.sqrt and xp.step; write tanh "
        "as 1 - 2 / (xp.exp(2 * x) + 1)"
    ),
    "xp.relu(q[0])": "write relu as x * xp.step(x), with x in kinks",
    "xp.sin(q[0])": "xp has no sin",
    "xp.maximum(q[0], 0)": "y + (x - y)",
    "from decimal import Decimal; q[0] * Decimal('0.1')": "decimal",
    "q[0] * 'a'": "loss",
    "q[0] * None": "NoneType",
    "open('nowhere.csv')": "loss cannot be read at line 5",
    "import nowhere": "No module named 'nowhere'",
    "import data; data.X": "No module named",
}


@pytest.mark.parametrize("body", REFUSED)
def test_what_a_kernel_has_not_is_told_in_one_line_with_its_place(body, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("case.py").write_text(written(body))
    with pytest.raises(UsageError) as error:
        trial_process.tried("case.py")
    text = str(error.value)
    assert (
        REFUSED[body] in text
        and "line 5" in text
        and "\n" not in text
        and not any(x in text for x in ("Node", "Dual", "Exact"))
    ), text


def test_a_data_file_beside_the_case_file_is_named_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/data.csv").write_text("0.5\n")
    (tmp_path / "there/case.py").write_text(written("open('data.csv')"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError,
        match=r"it lies beside the case file, and must be named as Path\(__file__\)\.parent / 'data.csv'",
    ):
        trial_process.tried("there/case.py")


def of(function, symmetry, **more) -> Case:
    given = dict(name="own", loss=function, breaking=lambda q, xp: q[0] + q[1] * q[1] / 4)
    return plainest.case(**{**given, **more}, symmetries=(symmetry,))


@pytest.mark.parametrize(
    "number",
    [np.int64(3), np.float32(0.3), np.float16(0.3), np.bool_(True), np.array(0.7), 3, 0.1, True],
    ids=repr,
)
def test_a_number_of_numpy_is_a_number(number):
    both = [
        of(f, translation((1, 1)))
        for f in (
            lambda q, xp: (number * (q[0] - q[1]) + number) ** 2,
            lambda q, xp: (float(number) * (q[0] - q[1]) + float(number)) ** 2,
        )
    ]
    a, b = (trace.gradient(c) for c in both)
    assert a.digest == b.digest and prove(both[0])
    q = np.array([[0.7, 1.1], [0.9, 0.6]])
    assert (wide.gradient(both[0].loss, q) == wide.gradient(both[1].loss, q)).all()


def test_a_function_of_a_plain_number_is_the_same_float_everywhere():
    case = of(
        lambda q, xp: (q[0] - q[1]) ** 2 * xp.sqrt(2) * xp.exp(1.0) * xp.log(3) * xp.step(2),
        translation((1, 1)),
    )
    plain = of(
        lambda q, xp: (q[0] - q[1]) ** 2 * 2.0**0.5 * np.e * float(np.log(3)) * 1.0, translation((1, 1))
    )
    assert trace.gradient(case).digest == trace.gradient(plain).digest and prove(case)
    q = np.array([[0.7], [0.9]])
    assert (wide.gradient(case.loss, q) == wide.gradient(plain.loss, q)).all()


# ---- decimals


def tenths(c=0.3, xi=(3, -1)) -> Case:
    return of(lambda q, xp: (0.1 * q[0] + c * q[1] - 1) ** 2 / 2, translation(xi))


def test_decimals_mean_what_they_say_and_a_wrong_digit_is_seen():
    assert prove(tenths())[0].exact
    for wrong in (0.3 * (1 + 1e-10), 0.3 + 2.0**-52):
        with pytest.raises(CaseError, match="symmetry translation is false"):
            prove(tenths(wrong))
    with pytest.raises(
        CaseError, match="is false"
    ):  # a generator runs as the floats that it has, and no bound knows others
        prove(of(lambda q, xp: (q[0] + 3 * q[1] - 1) ** 2 / 2, translation((0.3, -0.1))))


def test_a_breaking_breaks_however_unlike_the_parameters_are_and_not_by_the_roundings_of_constants():
    """Where q0 is 10^4 times q1, grad b = (0, 1) has 1e-4 of |grad b| |xi| along xi = (q0, -q1): that is not
    nothing."""
    rescale = linear(np.diag([1.0, -1.0]), "rescale")
    product = dict(loss=lambda q, xp: (q[0] * q[1] - 1) ** 2 / 2, box=((50, 150), (0.005, 0.015)))
    (proof,) = prove(of(symmetry=rescale, function=None, **product, breaking=lambda q, xp: q[1]))
    assert 1e-5 < proof.broken < 1e-3
    with pytest.raises(CaseError, match="must break at least one"):
        prove(of(symmetry=rescale, function=None, **product, breaking=lambda q, xp: xp.exp(q[0] * q[1])))
    with pytest.raises(CaseError, match="must break at least one"):  # 0.3 + 0.6 is not 0.9 by a rounding
        prove(
            of(
                lambda q, xp: (q[0] - q[1]) ** 2,
                translation((1, 1)),
                breaking=lambda q, xp: (0.3 + 0.6) * q[0] - 0.9 * q[1],
            )
        )


def test_numbers_that_are_symmetric_as_floats_stay_so():
    x = 0.12345678901234567
    assert 2 * x != float(f"{2 * float(repr(x)):.1f}")
    assert prove(of(lambda q, xp: (x * q[0] + 2 * x * q[1] - 1) ** 2 / 2, translation((2, -1))))[0].exact


def test_the_bound_of_a_gradient_has_what_its_constants_lack():
    """<grad f, xi> of the floats is no more than the bound's part for constants, which is not idle."""
    case, F64 = tenths(), parse("float64")
    assert constant_error(0.5, F64) == 0 < constant_error(0.1, F64) < 2.0**-53 * 0.1
    rng = np.random.default_rng(0)
    q = rng.uniform(0.5, 1.5, (2, 200))
    g = wide.gradient(case.loss, q)
    r = np.abs(wide.WIDE(0.1) * q[0] + wide.WIDE(0.3) * q[1] - 1)
    missing = np.abs(3 * g[0] - g[1])
    room = r * (3 * constant_error(0.1, F64) + constant_error(0.3, F64))
    assert (missing <= room + 2.0**-60 * r).all() and (missing > room / 8).mean() > 0.9


# ---- modules beside the file


def test_a_module_beside_the_file_is_imported_in_workers_and_in_a_replay(tmp_path, monkeypatch, capsys):
    for folder, low in (("a", 0.5), ("b", 0.75)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "beside_it.py").write_text(f"LOW = {low}\n")
        (tmp_path / folder / "case.py").write_text(
            "from beside_it import LOW\n" + GOOD_CASE.replace("0.5", "LOW")
        )
    monkeypatch.chdir(tmp_path)
    trial_process.tried("a/case.py")
    boxes = {f: load.load(f"{f}/case.py").box[0][0] for f in ("a", "b", "a")}
    assert boxes == {"a": 0.5, "b": 0.75}
    assert list(load.files(["a/case.py"])) == ["a/case.py", "a/beside_it.py"]
    words = "verify a/case.py --law D0 --rule gradient-descent --precision float64 --backend numpy --jobs 2"
    assert main.call([*words.split(), "--out", "r"]) in (0, 3)
    assert main.call(["replay", "r"]) == 0
    (tmp_path / "a/beside_it.py").write_text("LOW = 0.25\n")
    assert main.call(["replay", "r"]) == 2 and "beside_it.py has changed since" in capsys.readouterr().err
