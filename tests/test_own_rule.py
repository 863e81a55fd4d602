"""A rule of the user's own is run, recorded, replayed and shown as one of the catalogue is."""

import json
import pickle
import subprocess
import sys
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import refused
from test_rulefile import GOOD, changed

from noether import simulate, verify
from noether.cases.rules import CATALOG, OWN, RULES
from noether.cli.main import call
from noether.kernels.loops import launch
from noether.plan import design
from noether.plan.casefiles import load, trust
from noether.plan.choices import Request, select
from noether.report import rulebook
from noether.runs.saved_run import read_run
from noether.system.machine import importable
from noether.system.usage import UsageError

FEW = dict(laws="D0", precisions="float64", backend="numpy")
WORDS = "--law D0 --precision float64 --backend numpy --jobs 1".split()
SLOW = "1 - (1 - p.beta) ** 2"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("aggmo.py").write_text(GOOD, encoding="utf-8")
    return tmp_path


def numbers(result) -> list[tuple]:
    """What a run says of the rule: verdicts, and what was spent."""
    return [(r.law, r.cell, r.verdict, r.spent) for r in result.records if not r.fault]


# ---- it is judged


def test_it_holds_in_every_precision_compiled_and_in_numpy(here):
    compiled = [] if launch.missing("triton-cpu") else ["triton-cpu"]
    for backend in ("numpy", *compiled):
        found = verify("mexican-hat-2", rules="aggmo.py", laws="D0", backend=backend)
        mine = [r for r in found.records if r.verdict == "holds"]
        assert found.exit_code == 0 and {(r.law, r.rule) for r in mine} == {("D0", "aggmo")}
        assert {r.precision for r in mine} == set(design.PRECISIONS)
        assert {r.backend for r in mine} == {backend}


def test_its_charge_obeys_the_balance_and_planted_faults_do_not(here):
    found = verify("mexican-hat-2", rules="aggmo.py", laws="D2", precisions="float64", backend="numpy")
    assert found.exit_code == 0
    assert all(row.faults and row.killed == row.faults for row in found.rows), found.rows


def test_a_rule_whose_lines_and_terms_differ_never_runs(here, capsys):
    Path("aggmo.py").write_text(changed("p.b * wi", "p.beta * wi"), encoding="utf-8")
    said = refused(capsys, "verify", "mexican-hat-2", "--rule", "aggmo.py")
    assert "rule file aggmo.py" in said and "the terms of w' do not add up" in said


def test_it_stands_beside_rules_of_the_catalogue_and_is_none(here):
    chosen = select(Request(rule="nesterov,aggmo.py,heavy-ball"))
    assert chosen.rules == ("heavy-ball", "nesterov", "aggmo") and chosen.rule_files == ("aggmo.py",)
    assert select(Request(rule="aggmo.py,aggmo.py")).rule_files == ("aggmo.py",), "twice is once"
    assert "aggmo" not in RULES and RULES["aggmo"] is OWN["aggmo"]
    assert select(Request()).rules == tuple(RULES) == tuple(r.name for r in CATALOG)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("aggmo", "rule is 'aggmo', must be one of"),
        (",", "--rule is empty"),
        ("aggmo.py,other.py", "two different rules are named 'aggmo'"),
        ("missing.py", "rule file missing.py does not exist"),
    ],
)
def test_words_that_mean_no_choice_of_rules_are_refused(here, words, told):
    Path("other.py").write_text(GOOD, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        select(Request(rule=words))


def test_a_case_that_it_does_not_fit_is_told(here):
    with pytest.raises(UsageError, match="rule aggmo fits none of the chosen cases, entropy-mirror"):
        select(Request(cases=("entropy-mirror",), rule="aggmo.py"))


def test_another_text_of_the_same_name_is_another_rule(here):
    cell = lambda: simulate("mexican-hat-2", "aggmo.py", steps=4, lanes=3, backend="numpy").q
    before = cell()
    assert (before == cell()).all()
    Path("aggmo.py").write_text(changed(SLOW, "1 - (1 - p.beta) ** 3"), encoding="utf-8")
    assert (before != cell()).any()


# ---- its file


def test_a_run_replays_its_own_text_alone_and_for_whom_it_was_run(here, capsys, monkeypatch):
    assert call(["verify", "mexican-hat-2", "--rule", "aggmo.py", *WORDS, "--out", "run"]) == 0
    arguments = read_run(Path("run")).about["arguments"]
    assert arguments["rule"] == "aggmo.py" and set(arguments["files"]) == {"aggmo.py"}
    (here / "elsewhere").mkdir()
    with chdir(here / "elsewhere"):
        assert call(["replay", str(here / "run"), "--law", "D0", "--fault", "no-op kernel"]) == 0
    capsys.readouterr()
    with monkeypatch.context() as somebody:
        somebody.setenv("XDG_STATE_HOME", str(here / "nobody"))
        for words in (["replay", "run", "--law", "D0"], ["verify", "--resume", "run"]):
            assert "which you have not run from there: none of it was run" in refused(capsys, *words)
        assert call(["replay", "run", "--law", "D0", "--trust"]) == 0 and not trust.remembered()
    assert "w' = b w - eta (g + k q)" in capsys.readouterr().out, "D0 states the step of the rule"
    Path("aggmo.py").write_text(GOOD + "\n", encoding="utf-8")
    assert "has changed since run" in refused(capsys, "replay", "run", "--law", "D0")


def test_a_project_names_it_beside_its_pyproject(here, capsys):
    Path("pyproject.toml").write_text(
        '[tool.noether]\ncases = ["mexican-hat-2"]\nrules = ["optimizers/aggmo.py", "heavy-ball"]\n'
        '[[tool.noether.known]]\nlaw = "D2"\ncase = "mexican-hat-2"\nrule = "aggmo"\nreason = "none"\n',
        encoding="utf-8",
    )
    Path("optimizers").mkdir()
    Path("aggmo.py").rename("optimizers/aggmo.py")
    (here / "sub").mkdir()
    subprocess.run(["git", "init", "-q"], check=True)
    with chdir("sub"):
        assert call(["verify", *WORDS, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == 0
    Path("pyproject.toml").write_text('[tool.noether]\nrules = ["hevy-ball"]\n', encoding="utf-8")
    assert "did you mean heavy-ball" in refused(capsys, "verify", *WORDS)


WORKER = """
import pickle, sys
from noether.cases.rules import RULES
from noether.plan.casefiles import load
sources = pickle.load(sys.stdin.buffer)
print(load.install(sources), load.install(sources), RULES["aggmo"].buffers)
"""


def worker(sources) -> subprocess.CompletedProcess:
    """A new process that is sent the texts of rules and looks one up."""
    sent = pickle.dumps(tuple(sources))
    return subprocess.run([sys.executable, "-c", WORKER], input=sent, capture_output=True, env=importable())


def test_a_worker_runs_the_text_that_it_was_sent_and_not_the_file(here):
    select(Request(rule="aggmo.py"))
    sources = load.own((), ("aggmo.py",)).values()
    Path("aggmo.py").write_text("open('ran', 'w').write('evil')\n", encoding="utf-8")
    assert worker(sources).stdout.decode().strip() == "[] [] ('u', 'v', 'w')" and not Path("ran").exists()


def test_a_worker_with_other_data_fails_by_name_where_the_rule_is_used(here):
    Path("share.txt").write_text("3", encoding="utf-8")
    text = "SHARE = float(open('share.txt').read())\n" + GOOD.replace(" / 3 for", " / SHARE for")
    Path("aggmo.py").write_text(text, encoding="utf-8")
    select(Request(rule="aggmo.py"))
    sources = load.own((), ("aggmo.py",)).values()
    Path("share.txt").write_text("4", encoding="utf-8")
    assert b"share.txt, which is another one here" in worker(sources).stderr


# ---- from Python


def test_an_object_goes_to_workers_as_it_is_and_not_as_its_file_has_it(here):
    select(Request(rule="aggmo.py"))
    given = replace(OWN["aggmo"], known=cubed)
    alone = numbers(verify("mexican-hat-2", rules=given, **FEW))
    assert alone == numbers(verify("mexican-hat-2", rules=[given], jobs=2, **FEW))
    assert alone != numbers(verify("mexican-hat-2", rules="aggmo.py", **FEW))


def cubed(n, p):
    return {"b": 1 - (1 - p.beta) ** 3}


def test_an_object_whose_functions_cannot_travel_runs_here(here):
    select(Request(rule="aggmo.py"))
    given = replace(OWN["aggmo"], known=lambda n, p: cubed(n, p))
    found = verify("mexican-hat-2", rules=given, laws="D0,B1", precisions="float64", jobs=2)
    assert found.exit_code == 0 and {r.rule for r in found.records if r.law == "D0"} == {"aggmo"}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([3], "rules has int 3, must be names, files or Rule objects"),
        (replace(RULES["heavy-ball"], known=None, source="mine"), "which a rule of the catalogue has"),
    ],
)
def test_what_is_no_rule_is_refused_from_python(rules, told):
    with pytest.raises(UsageError, match=told):
        verify("mexican-hat-2", rules=rules)


def test_it_is_simulated_from_a_start_that_goes_into_the_buffer_of_its_covector(here):
    start = dict(v0=[0.125, 0.25], q0=[0.5, 0.75], eta=0.0625, beta=0.5)
    found = simulate("mexican-hat-2", "aggmo.py", steps=4, lanes=3, **start)
    assert found.v.shape == (5, 2, 3) and (found.v[0] == [[0.125] * 3, [0.25] * 3]).all()
    # The exponents of the paper: of a = 1/2 the memories are 0, 1/2 and 3/4. u is read off v, and w from u.
    u = found.v[1:] - 0.5 * found.v[:-1]
    w, moved = np.zeros_like(u[0]), found.q[1:] - found.q[:-1]
    for step in range(4):
        w = 0.75 * w + u[step]
        # 2^-49: at most sixteen roundings by 2^-53, of numbers of order 1.
        assert np.abs(moved[step] - (u[step] + found.v[step + 1] + w) / 3).max() < 2.0**-49


def test_a_run_of_objects_is_not_recorded(here):
    select(Request(rule="aggmo.py"))
    with pytest.raises(UsageError, match="a run with Rule objects cannot be recorded"):
        verify("mexican-hat-2", rules=OWN["aggmo"], out="run")


# ---- what is told of rules


def test_show_tells_of_a_rule_what_it_says_and_what_was_read_off_it(here, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert call(["show", "aggmo.py"]) == 0
    out = capsys.readouterr().out
    for line in (
        "Aggregated momentum: three displacements",
        "w' = b w - eta (g + k q),  b = 1 - (1 - beta)^2",
        "stored    q u v w",
        "read off  momentum",
        "coupled decay",
        "covector  v: p' = a p - b f with a = beta, b = eta, f = g + k q",
    ):
        assert line in out, line
    assert call(["show", "nesterov"]) == 0
    out = capsys.readouterr().out
    assert "torch.optim.SGD(lr=eta, momentum=beta, weight_decay=k, nesterov=True)" in out
    assert [x["law"] for x in rulebook.shown(RULES["adam"])["models"]] == ["O10", "O11", "O15"]


def test_show_takes_a_file_for_what_it_declares(here, capsys):
    Path("none.py").write_text("x = 1\n", encoding="utf-8")
    assert "case file none.py declares no Case" in refused(capsys, "show", "none.py")
    assert "case or rule is 'nothing'" in refused(capsys, "show", "nothing")
    assert "rule file aggmo.py: name is 'NO'" in refused(capsys, "show", "aggmo.py:NO")


@pytest.mark.parametrize("rule", CATALOG, ids=lambda rule: rule.name)
def test_what_is_shown_of_a_rule_is_what_it_is(rule):
    told = rulebook.shown(rule)
    json.dumps(told)
    assert told["step"] == list(rule.step) and told["cases"] and "D0" in told["laws"]
    law = told["covector"]
    assert (law is None) == (rule.covector is None)
    if law:
        assert law["p"] in rule.buffers and law["b"] != "0", "a covector that no force pulls has no charge"
        assert (law["a"] != "0") == rule.momentum


def test_what_a_force_is_scaled_by_stands_in_its_law_and_a_rule_of_matrices_alone_is_shown_too():
    heavy_ball = RULES["heavy-ball"]
    size = lambda x, xp: xp.sqrt(sum(y * y for y in x))
    scaled = replace(
        heavy_ball,
        update=lambda q, buffers, g, p, xp: stepped(q, buffers, g, p, xp, 1 / size(g, xp)),
        terms=lambda q, buffers, new, g, p, xp: summed(q, buffers, new, g, p, size(g, xp)),
        covector=replace(heavy_ball.covector, scale=lambda q, g, p, xp: 1 / size(g, xp)),
    )
    assert rulebook.covector(scaled) == {"p": "v", "a": "beta", "b": "eta/|g|", "f": "g + k q"}
    two = replace(heavy_ball.covector, force=lambda q, g, p, xp: [g[0] + p.k * q[0], *pairs(q, g, p)])
    assert rulebook.covector(replace(heavy_ball, covector=two))["f"] == "the force of its file"


def pairs(q, g, p):
    """The force g + k q of all components but the first, of which there must be one."""
    assert len(q) > 1
    return [gi + p.k * qi for qi, gi in zip(q[1:], g[1:], strict=True)]


def stepped(q, buffers, g, p, xp, share):
    force = [p.eta * share * (gi + p.k * qi) for qi, gi in zip(q, g, strict=True)]
    w = [xp.store_buffer(p.beta * vi - x) for vi, x in zip(buffers[0], force, strict=True)]
    return [xp.store(qi + wi) for qi, wi in zip(q, w, strict=True)], [w]


def summed(q, buffers, new, g, p, size):
    force = {"gradient": [-p.eta * x / size for x in g], "decay": [-p.eta * p.k * x / size for x in q]}
    return {"q": q, "v'": new[0]}, [{"momentum": [p.beta * x for x in buffers[0]], **force}]
