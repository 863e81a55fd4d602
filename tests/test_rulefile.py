"""A user's own rule: whatever is wrong with its file is one clear line, also when it hangs or crashes."""

import re
from pathlib import Path

import pytest
from rulefiles import AT, ENDS, GOOD, changed, doing, refused

from noether.plan.casefiles import trial_process
from noether.system import memorylimit, timelimit


def ending(value: str) -> str:
    """The rule, whose update gives something else."""
    return changed(ENDS, f"    return {value}\n")


def with_field(text: str) -> str:
    return changed('    name="aggmo",\n', f'    name="aggmo",\n    {text},\n')


def with_extra(text: str) -> str:
    given = with_field(f"extra=({text},)")
    return changed("import HEAVY, Rule", "import HEAVY, Parameter, Rule", given)


def knowing(value: str) -> str:
    return changed('return {"b": 1 - (1 - p.beta) ** 2}', f"return {value}")


PLAIN = "a number of a step is no plain number, as abs(), float() and math need it"
WRONG = {
    # ---- the file
    "no python": ("def f(:\n", "is no valid python: invalid syntax, line 1"),
    "bytes of no text": ("x = '\0'\n", "is no valid python"),
    "nothing": ("", "declares no Rule: it must have NAME = Rule(...) at top level"),
    "no rule": ("AGGMO = 3\n", "declares no Rule"),
    "a case": ("from noether.cases import CATALOG\nX = CATALOG[0]\n", "declares no Rule"),
    "two": (
        GOOD + "from dataclasses import replace\nOTHER = replace(AGGMO, name='other')\n",
        "declares 2 rules: say which one, as rule.py:AGGMO; it has AGGMO, OTHER",
    ),
    "imports what is not there": ("import not_there\n", "raises ModuleNotFoundError at line 1"),
    "one of the catalogue": (
        "from noether.cases.rules import HEAVY_BALL\n",
        "name is 'heavy-ball', which a rule of the catalogue has: must be another one",
    ),
    # ---- its process
    "ends it": ("import os\nos._exit(0)\n", "ends its process by exit code 0 while loading it"),
    "ends it in update": (doing("import os; os._exit(3)"), "ends its process by exit code 3"),
    "asks to end": (doing("raise SystemExit('bye')"), f"raises SystemExit {AT}: bye"),
    "kills it": (doing("import os; os.kill(os.getpid(), 11)"), "kills its process by SIGSEGV"),
    "endless recursion": (doing("update(q, buffers, g, p, xp)"), f"raises RecursionError {AT}"),
    # ---- what it declares
    "name of the catalogue": (
        changed('"aggmo"', '"nesterov"'),
        "name is 'nesterov', which a rule of the catalogue has: must be another one",
    ),
    "name of a model": (
        changed('"aggmo"', '"lagrangian"'),
        "name is 'lagrangian', which a model in continuous time has: must be another one",
    ),
    "a class of its own": (
        changed(
            "AGGMO = Rule(",
            "class Mine(Rule):\n    def __post_init__(self):\n        pass\n\n\nAGGMO = Mine(",
        ),
        "aggmo is a Mine, must be a Rule itself",
    ),
    "a domain with NaN in it": (
        with_extra('Parameter("tau", "x", 0.0, 1.0)')
        .replace("+ wi) / 3", "+ wi) / 3 / p.tau")
        .replace("[x / 3 for", "[x / 3 / p.tau for"),
        "update gives q'[0] = -inf in step 1 from rest, at d = 1, tau = 0: must be finite",
    ),
    "name in capitals": (changed('"aggmo"', '"Agg Mo"'), "name is 'Agg Mo', must be lower-case words"),
    "step is text": (
        re.sub(r"step=\(.*?\n    \)", 'step="q"', GOOD, flags=re.S),
        "step is 'q', must be a tuple",
    ),
    "buffers are text": (changed('("u", "v", "w")', '"uvw"'), "buffers is 'uvw', must be a tuple of names"),
    "buffers of one name": (changed('("u", "v", "w")', '("u", "v", "u")'), "buffers names 'u', twice"),
    "no buffer": (changed('("u", "v", "w")', "()"), "buffers is empty, must name one at least"),
    "a metric of none": (with_field('metric="taxi"'), "metric is 'taxi', must be one of euclidean,"),
    "a metric not read": (with_field('metric="diagonal"'), "and update does not read p.G: it must"),
    "a mirror without place": (with_field('metric="bregman"'), "metric is 'bregman' without a place"),
    "parameter of every rule": (
        with_extra('Parameter("eta", "x")'),
        "extra names 'eta', which every rule has: must be a name of its own",
    ),
    "empty domain": (
        with_extra('Parameter("tau", "x", 1.0, 0.0)'),
        "parameter tau: its domain is 1.0 to 0.0, must be two finite numbers, the lower one first",
    ),
    "choice outside": (
        with_extra('Parameter("tau", "x", choices=(2.0,))'),
        "parameter tau: choice 2.0 lies outside its domain, must be from 0.0 to 1.0",
    ),
    "no Parameter": (with_extra('"tau"'), "extra is ('tau',), must be a tuple of Parameter(...)"),
    "other arguments": (
        changed("def update(q, buffers, g, p, xp)", "def update(q, buffers, g, p)"),
        "update takes (q, buffers, g, p), must take (q, buffers, g, p, xp)",
    ),
    "covector of no buffer": (
        changed('buffers=("u", "v", "w")', 'buffers=("a", "b", "c")'),
        "its covector is 'v', must be one of its buffers",
    ),
    "covector of another law": (changed("HEAVY", "LIGHT").replace("=HEAVY", "=LIGHT"), "v' is not a v - b f"),
    # ---- what a step knows
    "knows no dict": (knowing("1.0"), "known gives 1.0 in step 1, must be a dict of finite numbers by name"),
    "knows NaN": (knowing("{'b': float('nan')}"), "known gives {'b': nan} in step 1"),
    "knows a parameter": (
        knowing("{'eta': 1.0}"),
        "known gives a number named 'eta': must be a name of its own",
    ),
    "knows other names": (
        knowing("{'b': 1.0} if n == 1 else {'c': 1.0}"),
        "known gives c in step 2 and b in step 1",
    ),
    "knows other names late": (
        knowing("{'b': 1.0} if n != 97 else {'c': 1.0}"),
        "known gives c in step 97: must give b, as in step 1",
    ),
    "knows NaN late": (
        knowing("{'b': 1.0 if n != 97 else float('nan')}"),
        "known gives b = float nan in step 97",
    ),
    "branches on lanes": (
        knowing("{'b': 1.0 if p.beta > 0 else 0.5}"),
        "where each parameter is an array with an entry a lane",
    ),
    # ---- what update gives
    "nothing given": (ending("None"), "what update gives is None, must be a list of 2 things"),
    "no buffers given": (ending("[xp.store(x) for x in q]"), "what update gives is a list of 4, must be"),
    "a buffer short": (
        ending("q, [u, v]"),
        "update gives is a list of 2, must be a list of 3 lists, one a buffer",
    ),
    "too few numbers": (
        ending("[xp.store(q[0])], [u, v, w]"),
        "q' of update is a list of 1, must be a list of 4",
    ),
    "a generator": (ending("(xp.store(x) for x in q), [u, v, w]"), "q' of update is a generator"),
    "not stored": (
        ending("[x + y for x, y in zip(q, move)], [u, v, w]"),
        "q'[0] of update is not stored, must be xp.store(...)",
    ),
    "a buffer not stored": (
        changed("xp.store_buffer(-x)", "-x"),
        "u'[0] of update is not stored, must be xp.store_buffer(...)",
    ),
    "stored as q is": (
        changed("xp.store_buffer(-x)", "xp.store(-x)"),
        "u'[0] of update is stored by xp.store, must be xp.store_buffer",
    ),
    "writes": (doing("q[0] = q[0] + 1"), "update writes to q or to buffers: they must only be read"),
    "reads eps": (
        changed("p.eta * (gi", "p.eps * (gi")
        .replace("-p.eta * x for", "-p.eps * x for")
        .replace("-p.eta * p.k", "-p.eps * p.k"),
        "update reads p.eps, the magnitude of the term that breaks the symmetry",
    ),
    "only some d": (doing("assert len(q) != 3"), f"update raises AssertionError {AT}: no message, at d = 3"),
    "NaN": (
        changed("(ui + vi + wi) / 3", "(ui + vi + wi) / 3 * xp.log(-1.0)").replace(
            "[x / 3 for", "[x / 3 * xp.log(-1.0) for"
        ),
        "update gives q'[0] = nan in step 1 from rest, at d = 1: must be finite",
    ),
    "a kick of a second moment": (
        """
from noether.cases.rule import Rule


def update(q, buffers, g, p, xp):
    s = [xp.store_buffer(p.beta * x + gi * gi) for x, gi in zip(buffers[0], g)]
    return [xp.store(x - p.eta * gi / xp.sqrt(y)) for x, gi, y in zip(q, g, s)], [s]


def terms(q, buffers, new, g, p, xp):
    of_s = {"kept": [p.beta * x for x in buffers[0]], "square": [x * x for x in g]}
    return {"q": q, "step": [-p.eta * x / xp.sqrt(y) for x, y in zip(g, new[0])]}, [of_s]


PLAIN = Rule("plain", ("q' = q",), "nobody", update, terms, ("s",))
""",
        "= nan in step 1 from a kick of s, of either sign, at d = 1: must be finite",
    ),
    "chance": (
        doing(
            "import random; kind = type(q[0]).__name__; "
            "g = [x * (random.random() if kind in ('float64', 'Lanes') else 1) for x in g]"
        ),
        "it must depend on what it is given alone",
    ),
    # ---- what cannot be traced
    "a branch": (
        doing("q[0] > 0 or 1"),
        f"raises TypeError {AT}: a step branches on its numbers: write it with xp.step",
    ),
    "max": (doing("max(q[0], g[0])"), f"raises TypeError {AT}: a step branches on its numbers"),
    "abs": (doing("abs(q[0])"), f"raises TypeError {AT}: {PLAIN}"),
    "float": (doing("float(q[0])"), f"raises TypeError {AT}: {PLAIN}"),
    "math": (doing("import math; math.sqrt(q[0])"), f"raises TypeError {AT}: {PLAIN}"),
    "numpy": (doing("import numpy; numpy.sqrt(q[0])"), f"calls a function of numpy's {AT}: a step must use"),
    "a root as a power": (
        doing("q[0] ** .5"),
        f"raises TypeError {AT}: power is 0.5: must be whole and above 0",
    ),
    "a complex number": (doing("q[0] * 1j"), f"raises TypeError {AT}: 1j in the arithmetic of a step"),
    "tanh": (doing("xp.tanh(q[0])"), f"asks for tanh {AT}: p has eta, beta, k"),
    "a parameter undeclared": (doing("p.gamma"), f"asks for gamma {AT}: p has eta, beta, k"),
    # ---- what terms say
    "a memory off": (
        changed("memories = (0, p.beta, p.b)", "memories = (0, p.beta, p.beta)"),
        "the terms of w' do not add up to what update gives",
    ),
    "a beta of update off": (
        changed("p.beta * vi", "p.b * vi"),
        "the terms of v' do not add up to what update gives",
    ),
    "another share": (
        changed("(ui + vi + wi) / 3", "(ui + vi + wi) / 2"),
        "the terms of q' do not add up to what update gives",
    ),
    "no q among them": (changed('{"q": q, **', '{"p": q, **'), "one must be 'q', which is s q"),
    "no dict": (
        changed('return {"q": q, **thirds}', "return [q]"),
        "the terms of q' are a list of 1, must be a dict",
    ),
    "too few of them": (
        changed("[x / 3 for x in b]", "[x / 3 for x in b][:2]"),
        "the term \"u' / 3\" of q' is a list of 2, must be a list of 4",
    ),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text, told", WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_rule_is_one_line(here, text, told):
    Path("rule.py").write_text(text, encoding="utf-8")
    assert told in refused()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("rule.py:NO", "rule file rule.py: name is 'NO', must be one of AGGMO"),
        ("there/rule.py", "rule file there/rule.py does not exist"),
        ("folder.py", "rule file folder.py is a folder, must be a python file"),
        ("rule.txt", "rule file rule.txt ends in '.txt', must be a .py file"),
    ],
)
def test_a_word_that_means_no_rule_is_refused(here, word, told):
    for name in ("rule.py", "rule.txt"):
        Path(name).write_text(GOOD, encoding="utf-8")
    Path("folder.py").mkdir()
    assert told in refused(word)


HANGS = {
    "at import": ("while True:\n    pass\n", "it was at line"),
    "in update": (doing("import time; time.sleep(100)"), f"it was {AT}"),
    "outside python": (doing("import os; os.system('sleep 100')"), "it was still loading it"),
}


@pytest.mark.parametrize("text, told", HANGS.values(), ids=HANGS)
def test_a_rule_that_hangs_is_refused_within_its_time(here, monkeypatch, text, told):
    monkeypatch.setenv(timelimit.VARIABLE, "1")
    Path("rule.py").write_text(text, encoding="utf-8")
    trial_process.server()
    said = refused()
    assert "does not finish within 1 s" in said and told in said, said


def test_a_rule_that_takes_memory_without_end_is_refused(here, monkeypatch):
    monkeypatch.setenv(memorylimit.VARIABLE, "1")
    Path("rule.py").write_text(doing("[0] * 10**10"), encoding="utf-8")
    assert "needs more memory than 1 GiB" in refused() and AT in refused()
