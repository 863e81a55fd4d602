"""`noether laws RUN` says of every law what its run says, slopes by the order that was stated."""

from plainest import record

from noether.cli import main
from noether.report.standing import between, slopes, standing_table
from noether.verdicts.record import HOLDS, ORDER, VIOLATED


def order(stated, measured, fault=None, verdict=HOLDS):
    spent = 0.5 if verdict == HOLDS else 9.0
    about = dict(kind=ORDER, predicted=stated, measured=measured, bound=0.1)
    return record("O1", **about, spent=spent, verdict=verdict, fault=fault)


def test_slopes_stand_by_the_order_that_was_stated_and_faults_are_no_slopes():
    records = [
        order(1.0, 0.9981),
        order(1.0, 1.0012),
        order(2.0, 2.0),
        order(2.0, 1.0, "start velocity 0", VIOLATED),
    ]
    assert slopes(records) == "1: 0.998 to 1.001, 2: 2.000"
    assert slopes([]) == "" and between(-1e-9, 1e-9) == "0.000"


def test_a_violated_law_and_one_without_a_killed_fault_do_not_hold():
    killed = order(2.0, 1.0, "a fault", VIOLATED)
    said = lambda records: list(standing_table(records, ["O1"]).columns[-1].cells)[0].plain
    assert said([order(1.0, 1.0), killed]) == "holds"
    assert said([order(1.0, 1.5, verdict=VIOLATED), killed]) == "violated"
    assert said([order(1.0, 1.0)]) == "inconclusive" == said([])


def test_the_book_counts_cases_rules_and_laws_and_a_run_that_is_not_there_is_refused(capsys, tmp_path):
    from noether.cases import CATALOG
    from noether.cases.rules import RULES

    assert main.call(["laws"]) == 0
    assert (
        f"{len(CATALOG)} cases" in (out := capsys.readouterr().out)
        and f"{len(RULES)} learning rules" in out
        and "D0 " in out
    )
    assert main.call(["laws", str(tmp_path / "none")]) == 2 and "not there" in capsys.readouterr().err


def test_a_recorded_run_is_told_law_by_law(plan, capsys, tmp_path, monkeypatch):
    assert main.call(["verify", "--out", str(tmp_path / "run"), "--jobs", "1"]) == 0
    capsys.readouterr()
    assert main.call(["laws", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "D0" in out and "holds" in out and "slopes: the stated order" in out
    monkeypatch.setenv("COLUMNS", "80")
    assert main.call(["laws", str(tmp_path / "run")]) == 0
    assert "slopes" not in capsys.readouterr().out, "no legend of a column that is not shown"
