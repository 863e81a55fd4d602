"""A right file of a rule is loaded from wherever it lies, and every rule of the catalogue is one."""

from pathlib import Path

import pytest

from noether.cases.rules import CATALOG, OWN
from noether.plan.casefiles import load, rule_trial, trial_process
from noether.plan.casefiles.complaint import Origin
from noether.plan.casefiles.kind import RULE
from noether.system.usage import UsageError

GOOD = (Path(__file__).resolve().parent.parent / "docs/examples/aggmo.py").read_text(encoding="utf-8")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("place", ["rule.py", "mein ordner/régel.py", "rule.py:AGGMO", "rule.py:aggmo"])
def test_a_right_rule_is_loaded_from_wherever_it_lies(here, place):
    path = Path(place.removesuffix(":AGGMO").removesuffix(":aggmo"))
    path.parent.mkdir(exist_ok=True)
    path.write_text(GOOD, encoding="utf-8")
    rule = load.load(place, trial_process.tried_rule(place), RULE)
    assert rule.name == "aggmo" and OWN["aggmo"] is rule and rule.momentum and rule.decay == "coupled"


def test_a_rule_may_import_what_lies_beside_it(here):
    Path("memory.py").write_text("SQUARE = 2\n", encoding="utf-8")
    Path("rule.py").write_text(
        "from memory import SQUARE\n" + GOOD.replace("** 2", "** SQUARE"), encoding="utf-8"
    )
    report = trial_process.tried_rule("rule.py")
    assert sorted(Path(p).name for p in report.files) == ["memory.py", "rule.py"]
    Path("memory.py").write_text("SQUARE = 3\n", encoding="utf-8")
    with pytest.raises(UsageError, match="memory.py, which has changed"):
        load.load("rule.py", report, RULE)


def test_a_case_and_a_rule_may_stand_in_one_file(here):
    from test_cli import GOOD_CASE

    Path("both.py").write_text(GOOD_CASE + GOOD, encoding="utf-8")
    case = load.load("both.py", trial_process.tried("both.py"))
    rule = load.load("both.py", trial_process.tried_rule("both.py"), RULE)
    assert case.loss.__globals__ is rule.update.__globals__


@pytest.mark.parametrize("rule", CATALOG, ids=lambda rule: rule.name)
def test_every_rule_of_the_catalogue_passes_the_trial_but_for_its_name(rule):
    origin = Origin.of_object(rule)
    with pytest.raises(UsageError, match="which a rule of the catalogue has"):
        rule_trial.try_rule(rule)
    for _, work in list(rule_trial.stages(rule, origin))[1:]:
        work()
