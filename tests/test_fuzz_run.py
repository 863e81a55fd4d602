"""A fuzzing run as a whole: what the screen is checked by, its folder, its command."""

import json
import shlex
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from processes import NOETHER, PIPES
from test_fuzz import (
    campaign,
    small,  # noqa: F401
)
from waiting import lines, until

from noether.campaigns.fuzz import batch as batches
from noether.campaigns.fuzz import campaign as campaigns
from noether.campaigns.fuzz.batch import run_batch
from noether.campaigns.fuzz.campaign import run
from noether.campaigns.fuzz.next_batch import LAG, Batch, GridPoint, size_of
from noether.campaigns.fuzz.probe import Probe
from noether.cli import main
from noether.report.fuzz_table import summary
from noether.runs.saved_run import read_run
from noether.verdicts.record import HOLDS, VIOLATED

ROOT = Path(__file__).resolve().parent.parent


def test_an_alarm_that_the_host_does_not_confirm_ends_blind(monkeypatch):
    right = batches.screen.screen

    def alarming(case, job, **how):
        found = right(case, job, **how)
        found.spent[0, 0], found.first_bad[0, 0] = 2.0, 0
        return found

    monkeypatch.setattr(batches.screen, "screen", alarming)
    outcome = run(campaign("mexican-hat", rules=("heavy-ball",), batches=6))
    assert (
        outcome.false_alarms and outcome.exit_code == 3 and "does not confirm" in summary(outcome)["verdict"]
    )


def test_final_states_that_do_not_come_back_end_blind(monkeypatch):
    right = batches.screen.screen

    def other(case, job, **how):
        found = right(case, job, **how)
        found.q[:] = 0
        return found

    monkeypatch.setattr(batches.screen, "screen", other)
    outcome = run(campaign("mexican-hat", precisions=("float32",), batches=1))
    assert outcome.exit_code == 3 and "not those of the replay" in outcome.false_alarms[0]


def test_a_residual_that_float64_cannot_form_is_judged_by_the_host_and_no_check():
    """Softmax with logits of 1e238: exp's bound overflows in the screen, not in the host's longdouble."""
    cell = GridPoint("softmax", "heavy-ball", "float64", "whole-range")
    found = run_batch(Batch(0, cell, 200, 3, 8), Probe("numpy"))
    assert found.error is None and found.unscreened > 0 and not found.false_alarms and not found.violations
    counted = max(count.lanes for count in found.laws.values())
    assert counted + found.unscreened + found.outside + found.frozen <= found.lanes


def test_a_screen_that_sees_nothing_is_caught_by_the_sample(monkeypatch):
    right = batches.screen.screen_states

    def blind(case, job, q, v, **how):
        found = right(case, job, q, v, **how)
        found.spent[:] = np.where(found.covered, 0.5, np.nan)
        return found

    monkeypatch.setattr(batches.screen, "screen_states", blind)
    assert run(campaign("mexican-hat", plant="gradient x 2", batches=10)).exit_code == 1


def test_a_crash_in_a_batch_is_internal_and_the_batch_is_saved(monkeypatch, tmp_path):
    def broken(*_, **__):
        raise ZeroDivisionError("planted in a batch")

    monkeypatch.setattr(batches.screen, "screen", broken)
    outcome = run(campaign("mexican-hat", batches=5, record=True, out=tmp_path / "r"))
    assert outcome.exit_code == 70 and len(outcome.errors) >= campaigns.CRASHES
    saved = json.loads((tmp_path / "r" / "crash-0.json").read_text())
    assert (
        "planted in a batch" in saved["error"]
        and saved["run seed"] == 0
        and saved["cell"]["case"] == "mexican-hat"
    )


def test_a_run_leaves_a_folder_whose_worst_lane_replays(tmp_path):
    outcome = run(campaign("mexican-hat", batches=12, record=True, out=tmp_path / "r"))
    found = read_run(tmp_path / "r")
    assert found.about["exit_code"] == 0 and len(found.cells) == outcome.batches and found.records
    assert {r.verdict for r in found.records} == {HOLDS}
    assert main.call(["replay", str(tmp_path / "r"), "--law", "D0"]) == 0
    for r in found.records:
        assert main.call(shlex.split(r.replay)[1:]) == 0


def test_a_run_with_a_violation_keeps_it_in_its_folder(tmp_path):
    run(campaign("mexican-hat", plant="gradient x 2", batches=10, record=True, out=tmp_path / "r"))
    found = read_run(tmp_path / "r")
    assert found.about["exit_code"] == 1 and any(
        r.verdict == VIOLATED and r.fault == "gradient x 2" for r in found.records
    )


def test_sizes_differ_by_backend():
    assert (
        size_of("numpy", "").volume < size_of("triton-cpu", "").volume
        and size_of("numpy", "x").volume < size_of("numpy", "").volume
    )
    assert LAG >= 2


def test_the_command_prints_laws_coverage_and_rate(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = "fuzz mexican-hat --batches 6 --jobs 1 --backend numpy --precision float32,bfloat16"
    code = main.call(words.split())
    out = capsys.readouterr().out
    assert (
        code == 0
        and "nothing false" in out
        and "never visited" in out
        and "checks in" in out
        and " on numpy (" in out
    )


def test_the_command_keeps_planted_findings_out_of_the_corpus(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["fuzz", "mexican-hat", "--plant", "gradient x 2", "--batches", "8", "--jobs", "1"]
    assert main.call(words) == 1 and "planted fault found: gradient x 2" in capsys.readouterr().out
    assert not (tmp_path / "corpus").exists()
    assert main.call([*words, "--corpus", "kept"]) == 1
    capsys.readouterr()
    (kept, *_) = (tmp_path / "kept").glob("D0*.json")
    assert main.call(["fuzz", "--replay", str(kept)]) == 1 and "violated again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--for", "soon"], "--for is 'soon', must be a time such as 60s"),
        (["--plant", "gremlin"], "fault is 'gremlin', must be one of"),
        (["--plant", "ascent", "--backend", "triton-ptx"], "planted in the numpy step"),
        (["--batches", "0"], "--batches is 0, must be a whole number from 1"),
        (["--seed", "-1"], "--seed is -1"),
        (["--rule", "adamx"], "rule is 'adamx'"),
        (
            ["--rule", "sign-descent"],
            "nothing to fuzz: the laws of sign-descent do not run beside the step; of the rules on",
        ),
        (
            ["--rule", "heavy-ball-scheduled"],
            "these can be fuzzed: gradient-descent, heavy-ball, heavy-ball-decoupled",
        ),
        (
            ["power-mirror"],
            "no chosen rule goes with power-mirror; of the rules on power-mirror these can be fuzzed: none",
        ),
        (["atlantis"], "case is 'atlantis'"),
        (["--replay", "nowhere.json"], "corpus file nowhere.json does not exist"),
    ],
)
def test_wrong_words_are_told_in_one_line(capsys, tmp_path, monkeypatch, words, what):
    monkeypatch.chdir(tmp_path)
    assert main.call(["fuzz", *words]) == 2
    told = capsys.readouterr().err
    assert what in told and len(told.splitlines()) == 1 and not list(tmp_path.iterdir())


def test_ctrl_c_keeps_what_was_found(tmp_path):
    words = "fuzz mexican-hat --for 600s --backend numpy --jobs 1 --out".split()
    process = subprocess.Popen([*NOETHER, *words, str(tmp_path / "r")], cwd=ROOT, **PIPES)
    try:
        until(lines(tmp_path / "r" / "cells.jsonl", 3), "three cells are done")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "interrupted" in err and "checks in" in out
    assert read_run(tmp_path / "r").about["exit_code"] == 130
