"""What a case declares of its loss, and whether it is so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import GOOD_CASE, refused

from noether.cases import CATALOG
from noether.cases.case import Symmetry
from noether.cli import main
from noether.mechanics import kinks, stiffness
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


KINKS = {
    "a number": ("q[0]", "kinks gives ndarray array("),
    "nothing": ("[None]", "kinks gives NoneType None, must be a number"),
    "beyond the box": ("[q[2]]", "kinks reads q[2], but box declares 2"),
}


@pytest.mark.parametrize("value, told", KINKS.values(), ids=KINKS)
def test_kinks_are_a_list_of_numbers_and_may_be_none(plan, capsys, value, told):
    text = GOOD_CASE.replace("def br", f"def kinks(q, xp):\n    return {value}\n\ndef br")
    text = text.replace("loss=loss", "loss=loss, kinks=kinks")
    Path("case.py").write_text(text)
    assert told in refused(capsys, "verify", "case.py")
    Path("case.py").write_text(text.replace(f"return {value}\n\ndef br", "return []\n\ndef br"))
    assert main.call(["show", "case.py"]) == 0


def test_a_case_that_declares_that_it_has_no_kink_is_as_stiff_as_without():
    case = next(c for c in CATALOG if c.name == "product")
    none = replace(case, kinks=lambda q, xp: [])
    assert stiffness.step_curvature(none) == stiffness.step_curvature(case)
    assert not kinks.met(none, np.ones((3, case.dim, 5))).any()
