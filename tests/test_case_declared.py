"""What a case declares of its loss, and whether it is so."""

import pytest

from noether.cases.case import Symmetry
from noether.cli import main
from noether.plan.casefiles import load

DECLARED = """
from noether.cases.case import BREGMAN, Case, Metric, Symmetry, translation


def loss(q, xp):
    return (q[0] - q[1]) * (q[0] - q[1])


def breaking(q, xp):
    return q[0] * q[0]


def samples(q, xp):
    return [SAMPLES]


def potential(q, xp):
    return q[0] * q[1] + q[0] * q[0] + q[1] * q[1]


CASE = Case(name="declared", title="t", source="s", loss=loss, breaking=breaking,
            box=((0.5, 1.0), (-1.0, -0.5)), symmetries=(translation((1, 1)),), EXTRA)
"""


@pytest.mark.parametrize(
    ("samples", "extra", "words"),
    [
        ("30 * loss(q, xp), -5 * loss(q, xp)", "samples=samples", "the mean of its 2 samples is"),
        ("loss(q, xp)", "samples=samples", "of two samples at least"),
        ("xp.log(q[1]), 1.0", "samples=samples", "samples is nan"),
        ("1.0", "scale_free=True", "scale_free is True, but the loss is"),
        ("1.0", "metric=Metric(BREGMAN, potential=potential)", "not separable"),
    ],
)
def test_what_is_declared_of_a_loss_and_is_not_so_is_refused(tmp_path, capsys, samples, extra, words):
    path = tmp_path / "case.py"
    path.write_text(DECLARED.replace("SAMPLES", samples).replace("EXTRA", extra))
    assert main.call(["verify", str(path), "--law", "D2", "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1 and not (tmp_path / "run").exists()


def test_samples_whose_mean_is_the_loss_and_a_rotation_about_another_centre_are_taken(tmp_path):
    from noether.cases.rules import RULES
    from noether.laws.exact.law_faults import curved, turning

    path = tmp_path / "case.py"
    path.write_text(
        DECLARED.replace("SAMPLES", "3 * loss(q, xp), -loss(q, xp)").replace("EXTRA", "samples=samples")
    )
    assert load.load(str(path)).name == "declared"
    elsewhere = Symmetry("elsewhere", ((0, -1), (1, 0)), (2, -1))
    assert turning(elsewhere) and not elsewhere.is_rotation
    assert not curved(RULES["heavy-ball"], elsewhere) and curved(RULES["nesterov"], elsewhere)
