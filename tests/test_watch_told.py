"""What a watch refuses, what it writes, and what it tells while a training goes on."""

import io
import json
import sys
from contextlib import redirect_stderr

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from watched import ADAMW, SGD, Training  # noqa: E402

import noether  # noqa: E402
from noether.campaigns.watch import live  # noqa: E402
from noether.campaigns.watch.budget import Account, Clock, Schedule  # noqa: E402
from noether.cli.main import call  # noqa: E402
from noether.runs.saved_run import read_run  # noqa: E402
from noether.system.usage import UsageError  # noqa: E402


def watching(**options):
    return lambda net, optimizer: noether.watch(net, optimizer, **{"live": False, "every": 1, **options})


def test_a_watch_writes_a_run_folder_that_reports_read(tmp_path, capsys):
    _, w = Training(ADAMW).run(watching(out=tmp_path / "run"))
    found = read_run(tmp_path / "run")
    assert found.about["command"] == "watch" and found.about["exit_code"] == w.exit_code == 0
    assert {r.law for r in found.records} >= {"N1", "N3"} and found.about["end"]
    assert len(found.records) == len(w.result.records) > 14
    assert all(r.verdict == "violated" for r in found.records if r.fault)
    for name in ("report.html", "junit.xml"):
        assert "first.0.weight" in (tmp_path / "run" / name).read_text("utf-8") or name == "junit.xml"
    assert call(["report", str(tmp_path / "run")]) == 0
    again = noether.Result.load(tmp_path / "run")
    assert again.exit_code == 0 and len(again.records) == len(found.records)
    assert str(tmp_path / "run") in w.report()
    with pytest.raises(UsageError, match="already holds a run"):
        Training(ADAMW).run(watching(out=tmp_path / "run"))


def test_a_violation_is_on_disk_when_it_was_found(tmp_path):
    class SGD(torch.optim.SGD):
        @torch.no_grad()
        def step(self, closure=None):
            super().step(closure)
            self.param_groups[0]["params"][-1].mul_(1.001)
            self.seen = (tmp_path / "run" / "records.jsonl").read_text("utf-8")

    kept = []

    def make(parameters):
        kept.append(SGD(parameters, lr=0.05))
        return kept[0]

    _, w = Training(make).run(watching(out=tmp_path / "run"), steps=3)
    (line,) = kept[0].seen.splitlines()
    assert json.loads(line)["verdict"] == "violated" and "head.bias" in json.loads(line)["reason"]
    assert w.exit_code == 1 and sum(r.verdict == "violated" and not r.fault for r in w.result.records) == 1
    assert len(read_run(tmp_path / "run").records) == len(w.result.records)


def test_without_out_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Training(SGD).run(watching())
    assert list(tmp_path.iterdir()) == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_is_told_on_a_terminal_and_nowhere_else(monkeypatch):
    monkeypatch.setattr(live, "SOON", 0.0)
    monkeypatch.setattr(live, "SECONDS", 1e6)
    for stream, lines in ((Terminal(), 1), (io.StringIO(), 0)):
        monkeypatch.setattr(sys, "stdout", Terminal())
        with redirect_stderr(stream):
            Training(SGD).run(watching(live=True))
        told = stream.getvalue().splitlines()
        assert len(told) == lines and all("SGD step" in line and "N1" in line for line in told)


def test_scalars_go_to_a_writer():
    class Writer:
        def __init__(self):
            self.told = {}

        def add_scalar(self, tag, value, step):
            self.told.setdefault(tag, []).append((step, value))

    writer = Writer()
    Training(SGD).run(watching(tensorboard=writer))
    assert [step for step, _ in writer.told["noether/spent of N1"]] == list(range(1, 9))
    assert all(0 < x <= 1 for _, x in writer.told["noether/spent of N1"])
    assert "noether/angle/head.weight" in writer.told
    assert "noether/effective learning rate/first.0.weight" in writer.told


# ---- the budget


def test_samples_keep_within_the_share():
    account, now = Account(Schedule(share=0.1)), 0.0
    for step in range(1, 1001):
        now += 0.01
        if account.wants(step, now):
            account.took(0.1)
            assert account.spent <= 0.1 * now + 1e-9
    assert account.first == 0.1 and 9 <= account.samples <= 11


def test_what_is_done_once_is_not_expected_again():
    account = Account(Schedule(share=0.1))
    account.took(5.0, once=4.0)
    assert account.spent == 0 and account.cost == 1.0
    assert not account.wants(3, 9.0) and account.wants(3, 10.0)
    assert not account.wants(3, 10.0, hooks=0.1) and account.wants(3, 11.0, hooks=0.1)


def test_steps_that_are_asked_for_are_looked_at_whatever_they_take():
    every, some = Account(Schedule.of(0.1, 3, None)), Account(Schedule.of(0.1, None, [2, 7]))
    assert [n for n in range(1, 10) if every.wants(n, 0.0)] == [3, 6, 9]
    assert [n for n in range(1, 10) if some.wants(n, 0.0)] == [2, 7]


def test_blocks_of_our_own_time_count_once():
    times = iter(range(100))
    clock = Clock(now=lambda: float(next(times)))
    with clock.ours():
        with clock.ours():
            pass
    assert clock.own == 1.0 and not clock.inside


def test_within_a_small_budget_a_long_training_is_looked_at_now_and_then():
    _, w = Training(SGD).run(watching(every=None, budget=0.5), steps=150)
    seat = w._watcher.seats[0]
    later = [account for account in seat.accounts.values() if account.samples > 1]
    for account in later:
        assert account.spent <= 0.5 * w._watcher.clock.training
    assert 1 <= len(seat.facts.sampled) < 150 and seat.facts.sampled[0] == 2


# ---- what is refused


@pytest.mark.parametrize(
    "given, options, said",
    [
        (("net", None), {}, "optimizer is None"),
        ((3, "sgd"), {}, "model is 3"),
        (("net", "sgd"), {"budget": 0}, "budget is"),
        (("net", "sgd"), {"every": 0}, "every is"),
        (("net", "sgd"), {"every": 2, "steps": [1]}, "give one of them"),
        (("net", "sgd"), {"steps": [0]}, "steps is"),
        (("net", "sgd"), {"memory": "much"}, "memory is"),
        (("net", "sgd"), {"out": ""}, "out is"),
        (("net", "sgd"), {"strict": 1}, "strict is"),
        (("net", "sgd"), {"tensorboard": "runs"}, "must have add_scalar"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(given, options, said):
    net = nn.Linear(2, 2)
    known = {"net": net, "sgd": torch.optim.SGD(net.parameters(), lr=0.1)}
    with pytest.raises(UsageError) as caught:
        noether.watch(*(known.get(x, x) for x in given), **options)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert not net._forward_hooks
