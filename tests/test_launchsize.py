"""A launch that does not fit into memory is refused with the estimate before it runs."""

import pytest

from noether.plan.choices import Request, select
from noether.runs import launchsize, run
from noether.system import memorylimit
from noether.system.usage import UsageError


def planned(**asked):
    usual = dict(law="D0", rule="heavy-ball", precision="float64", backend="numpy")
    return run.plan(select(Request(cases=("mexican-hat-8",), **usual, **asked)))


@pytest.mark.parametrize("asked", [{"lanes": 2**21, "steps": 1}, {"lanes": 2**14}, {"steps": 2**15}])
def test_a_launch_that_does_not_fit_is_refused_with_the_estimate(asked):
    with pytest.raises(
        UsageError,
        match=r"needs about \d+\.\d GiB, must stay within 1.25 GiB: lanes x steps must be at most \d+",
    ):
        planned(**asked)


def test_what_the_message_allows_is_allowed(monkeypatch):
    most = launchsize.PROMISED // (launchsize.BYTES * 8)
    assert planned(lanes=most, steps=1).cells
    with pytest.raises(UsageError):
        planned(lanes=most + 1, steps=1)
    monkeypatch.setenv(memorylimit.VARIABLE, "20")
    assert planned(lanes=2**21, steps=1).cells


def test_nothing_that_was_not_asked_for_is_refused():
    assert run.plan(select(Request(profile="quick", backend="numpy"))).cells
