"""The benchmark of trajectories compares solutions of the same equations at one measured accuracy."""

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest

from noether.labs.bench.ode import comparison, reference, report, tools
from noether.labs.bench.ode.comparison import Campaign, Comparison, Setting, fastest
from noether.labs.bench.ode.problem import CASES, Problem
from noether.labs.bench.ode.solver_noether import CERTIFIED, DOP853
from noether.labs.bench.ode.tools import MODULES, OURS, TOOLS
from noether.runs.records_file import plain

SMALL = Problem("mexican-hat", 9, time=1.0)
FINEST = {"noether": (DOP853, 1e-12), "scipy": ("DOP853", 1e-12)}
FINEST |= {"heyoka": ("batch, compact", 1e-14), "diffrax": ("Dopri8", 1e-12)}


@pytest.fixture(scope="module")
def known():
    return reference.solve(SMALL)


def solved(tool: str, problem: Problem) -> np.ndarray:
    if why := tools.missing(tool):
        pytest.skip(why)
    if tool == "diffrax":
        import jax

        jax.config.update("jax_enable_x64", True)
    return MODULES[tool].prepare(problem, *FINEST[tool])()


# ---- the same equations


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_solves_the_equations_of_the_reference(tool, known):
    assert known.error(solved(tool, SMALL)) <= 1e-11  # a hundred times the tolerance of the state


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_with_a_mass_off_by_a_thousandth_is_refused(tool, known):
    wrong = solved(tool, replace(SMALL, flaw=2.0**-10))
    found = Comparison(SMALL, (tool,), [Setting(tool, "any", 1e-12, error=known.error(wrong), once=1.0)])
    assert "other equations" in found.refused(tool)
    assert found.chosen(tool, 1e-6) is None and Campaign((tool,), comparisons=[found]).disagreements


@pytest.mark.parametrize("method", MODULES[OURS].settings(SMALL))
def test_each_of_our_methods_reaches_the_reference(method, known):
    run = MODULES[OURS].prepare(SMALL, method, MODULES[OURS].settings(SMALL)[method][-1])
    assert known.error(run()) <= 1e-11


@pytest.mark.parametrize("case", CASES)
def test_the_reference_is_known_far_better_than_the_finest_accuracy(case):
    found = reference.solve(Problem(case, 5))
    assert np.isfinite(found.y).all()
    assert 0 < found.halved <= comparison.ROOM * comparison.TARGETS[-1]
    if found.second is not None:
        assert 0 < found.second <= comparison.ROOM * comparison.TARGETS[-1]


def test_extrapolation_has_the_exponential_to_its_rounding():
    y, steps, rows = np.ones((1, 1), dtype=np.longdouble), 4, np.arange(1, reference.ROWS + 1)
    e = reference.extrapolated(lambda x: x, y, 1.0, steps)[0, 0]
    # The result is sum c_j T_j with c_j = prod_i j^2 / (j^2 - i^2): a rounding of a T_j counts |c_j| times.
    c = [np.prod([j**2 / (j**2 - i**2) for i in rows if i != j]) for j in rows]
    assert abs(e / np.exp(np.longdouble(1)) - 1) <= steps * np.abs(c).sum() * np.finfo(np.longdouble).eps


def test_a_value_that_is_not_finite_is_an_infinite_error(known):
    assert known.error(known.y * np.nan) == np.inf


def test_lanes_are_the_same_in_every_process_and_differ():
    again = Problem(**SMALL.__getstate__())
    assert np.array_equal(again.y0, SMALL.y0) and len(np.unique(SMALL.y0[0])) == SMALL.lanes
    assert len(np.unique(SMALL.parameters.mu)) == SMALL.lanes


# ---- the choice


def made(tool, *pairs):
    return [Setting(tool, "m", n, error=e, once=s, seconds=[s]) for n, (e, s) in enumerate(pairs)]


def test_of_those_that_reach_the_accuracy_the_fastest_is_chosen():
    settings = made("a", (1e-4, 1.0), (1e-7, 3.0), (1e-8, 2.0), (1e-10, 5.0))
    assert fastest(settings, 1e-6).once == 2.0  # the finer of two may be the faster
    assert fastest(settings, 1e-7) is settings[2]
    assert fastest(settings, 1e-9).once == 5.0
    assert fastest(settings, 1e-12) is None


def test_ours_with_error_bars_is_no_choice():
    assert fastest([Setting(OURS, CERTIFIED, 1e-12, error=0.0, once=1e-9)], 1e-6) is None


def test_ratios_are_formed_within_a_round_and_below_one_the_other_is_faster():
    ours, other = Setting(OURS, "m", 1, error=1e-13), Setting("scipy", "m", 1, error=1e-13)
    ours.seconds, other.seconds = [1.0, 10.0, 100.0], [0.5, 5.0, 50.0]
    c = Comparison(SMALL, (OURS, "scipy"), [ours, other])
    assert c.ratio("scipy", 1e-6) == (0.5, 0.5, 0.5)


def test_a_setting_that_failed_has_no_error_and_is_told():
    c = Comparison(SMALL, (OURS,), [Setting(OURS, "m", 1, problem="it stopped")])
    assert c.of(OURS) == [] and c.refused(OURS) == ""
    assert any(comparison.OURS_FAILED in text for text in Campaign((OURS,), comparisons=[c]).failures)
    assert report.told(c, OURS, 1e-6) == "it could not run"


def test_a_tool_that_had_no_time_for_a_fine_tolerance_is_not_accused():
    slow = Comparison(SMALL, ("scipy",), [Setting("scipy", "Radau", 1e-4, error=3e-5, once=9.0)])
    assert slow.refused("scipy") == "" and slow.chosen("scipy", 1e-6) is None
    slow.settings.append(Setting("scipy", "Radau", 1e-8, error=3e-5, once=99.0))
    assert "other equations" in slow.refused("scipy")


def test_a_reference_that_is_too_coarse_decides_nothing():
    assert Campaign((OURS,), comparisons=[Comparison(SMALL, (OURS,), halved=1e-13)]).beyond
    assert not Campaign((OURS,), comparisons=[Comparison(SMALL, (OURS,), halved=1e-16)]).beyond


# ---- what is told


@pytest.fixture
def campaign():
    fast = made("heyoka", (1e-7, 0.1), (1e-13, 0.2))
    mine, slow = made(OURS, (1e-8, 1.0), (1e-13, 2.0)), made("scipy", (1e-7, 30.0), (1e-10, 40.0))
    c = Comparison(SMALL, (OURS, "heyoka", "scipy"), [*mine, *fast, *slow], 1e-17, None)
    for s in c.settings:
        s.cpu = s.seconds
    missing = {"diffrax": "diffrax is not installed"}
    return Campaign(c.tools, missing, ("mexican-hat",), (SMALL.lanes,), comparisons=[c])


def test_the_page_says_what_is_missing_and_what_is_never_reached(campaign):
    text = report.document(campaign, "picture.svg")
    assert "missing: diffrax: diffrax is not installed" in text
    assert "never: 1e-10 at best" in text and "heyoka is not installed" in text
    assert "(picture.svg)" in text and "0.1 [0.1 (0.1 .. 0.1)]" in text


def test_the_picture_has_a_line_for_each_tool_and_only_what_is_not_beaten(campaign):
    assert report.picture(campaign).startswith("<svg ")
    for tool in campaign.tools:
        assert tool in report.picture(campaign)
    beaten = Comparison(SMALL, (OURS,), made(OURS, (1e-4, 2.0), (1e-7, 1.0), (1e-9, 3.0)))
    assert report.front(beaten, OURS) == [(1e-9, 3.0), (1e-7, 1.0)]


def test_json_tells_the_choice_and_has_no_number_that_it_cannot_say(campaign):
    campaign.comparisons[0].settings.append(Setting("scipy", "Radau", 1e-8, problem="it stopped"))
    told = json.loads(json.dumps(plain(report.plain(campaign)), allow_nan=False))
    assert told["works"][0]["chosen"]["1e-12"] == {OURS: "m 1", "heyoka": "m 1", "scipy": None}


# ---- the command


@pytest.mark.parametrize(
    "words",
    [
        ("--work", "ode,update"),
        *(("--work", "ode", *more) for more in (("--steps", "8"), ("--tools", "jax"), ("--no-scale",))),
    ],
)
def test_wrong_words_are_refused(words):
    from noether.cli.main import call

    assert call(["bench", *words]) == 2


def test_the_command_measures_ours_and_says_what_is_left_out(tmp_path, monkeypatch, capsys):
    from noether.cli.main import call

    real = importlib.util.find_spec
    gone = lambda name, *a: None if name in ("heyoka", "diffrax") else real(name, *a)
    monkeypatch.setattr(importlib.util, "find_spec", gone)
    monkeypatch.setattr(MODULES[OURS], "settings", lambda problem: {DOP853: (1e-6, 1e-12)})
    monkeypatch.setattr(MODULES["scipy"], "settings", lambda problem: {"DOP853": (1e-6,)})
    out = tmp_path / "page.md"
    words = ["--work", "ode", "--quick", "--lanes", "8", "--rounds", "2", "--out", str(out), "--json"]
    assert call(["bench", *words]) == 0
    said = capsys.readouterr()
    assert "heyoka is left out" in said.err and "pip install" in said.err
    told = json.loads(said.out)
    assert set(told["missing"]) == {"heyoka", "diffrax"}
    assert told["works"][0]["ratio"]["seconds"]["1e-06"]["scipy"][1] > 0
    assert "missing: diffrax" in out.read_text() and out.with_suffix(".svg").exists()
