"""What is killed, doubled, starved or damaged loses nothing and says so; the long form is `make stress`."""

import json
from pathlib import Path

import numpy as np
import pytest

from noether.kernels.loops import launch
from noether.labs.stress import campaign, damage, disturbed, mutations, sizes, workers
from noether.labs.stress.disturbed import refused_well
from noether.labs.stress.trials import differences, environment, found, mangled, told

WORDS = "verify rayleigh mexican-hat --law D0,D2 --precision float64,float32 --jobs 1 --out r"
FAKED = dict(words=tuple(WORDS.split()), module="fakes")
SLOW = environment(FAKE="D0=slow,D2=slow")


def test_a_run_killed_at_any_moment_is_resumed_without_a_lost_or_doubled_record(tmp_path):
    assert disturbed.kills(tmp_path, seed=1, count=2, **FAKED, env=SLOW) == []


def test_workers_killed_at_any_moment_lose_and_double_no_record(tmp_path):
    words = tuple("2" if word == "1" else word for word in FAKED["words"])
    assert workers.workers(tmp_path, seed=1, count=2, **{**FAKED, "words": words}, env=SLOW) == []


def test_two_runs_started_at_once_into_one_folder_are_kept_apart(tmp_path):
    assert disturbed.doubles(tmp_path, count=1, **FAKED, env=environment(FAKE="D0=slow")) == []


def test_a_full_disk_keeps_what_was_found_and_is_resumed(tmp_path):
    assert disturbed.starved(tmp_path, sizes=(3000,), disk=False, **FAKED) == []


def test_mutations_of_every_kind_of_file_are_refused_or_mean_the_same(tmp_path):
    assert mutations.mutations(tmp_path, seed=3, count=15) == []


def test_a_reader_that_believes_damage_and_one_that_falls_over_it_are_seen():
    assert mutations.outcome(lambda: 5, 6, "x") == "x: accepted, and it means something else"
    assert mutations.outcome(lambda: [][0], None, "x").startswith("x: IndexError")
    assert mutations.outcome(lambda: 5, 5, "x") == mutations.outcome(lambda: 5, None, "x") == ""


def test_damaged_files_are_met_in_one_line(tmp_path):
    assert damage.damaged(tmp_path, seed=2, count=12) == []


@pytest.mark.parametrize("backend", [b for b in ("numpy", "triton-cpu") if not launch.missing(b)])
def test_one_to_many_lanes_raise_no_false_alarm(tmp_path, backend):
    checks = 0
    for count in (1, 33, 1025, 30_011):
        found_checks, alarms, moved, worst, _ = sizes.one_size(
            backend, "mexican-hat", "heavy-ball", "float32", count, 6
        )
        checks += found_checks
        assert not alarms and moved * 2 >= count and 0 < worst <= 1
    assert checks > 10**6


@pytest.mark.skipif(bool(launch.missing("triton-cpu")), reason="no C compiler")
def test_a_long_horizon_in_a_narrow_type_raises_no_false_alarm_and_tells_what_froze(tmp_path, capsys):
    assert sizes.horizons(tmp_path, until=(1000, 20_000), lanes=64, precisions=("bfloat16",)) == []
    told_of = capsys.readouterr().out
    assert "lanes frozen over the stretch that ends at step 1e+03: 0%, 2e+04: " in told_of


# ---- and the checkers can fail


def finished(folder: Path, records):
    folder.mkdir(exist_ok=True)
    (folder / "records.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    (folder / "run.json").write_text(json.dumps({"records": len(records)}))
    return folder


def test_lost_doubled_and_other_records_are_told(tmp_path):
    records = [{"law": "D0", "spent": x, "seconds": x} for x in (0.25, 0.5)]
    want = found(finished(tmp_path / "r", records))
    again = [{**r, "seconds": 9.0} for r in reversed(records)]
    assert differences(finished(tmp_path / "r", again), want) == []
    for wrong, word in (
        (records[:1], "lost"),
        ([*records, records[0]], "doubled"),
        ([records[0], {**records[1], "spent": 0.75}], "other"),
    ):
        assert any(word in x for x in differences(finished(tmp_path / "r", wrong), want))


def test_a_traceback_a_wrong_code_and_a_second_line_are_told():
    assert told(2, "noether: corrupt\n", (0, 2)) == "" and told(0, "", (0, 2)) == ""
    assert (
        told(70, "Traceback (most recent call last):\nX\n", (70,))
        and told(1, "", (0, 2))
        and told(2, "one\ntwo\n", (2,))
    )
    assert (
        refused_well(Path("r"), 1, "", 0)
        and refused_well(Path("r"), 70, "Traceback", 0)
        and not refused_well(Path("r"), 0, "", 0)
    )


def test_damage_is_always_damage():
    rng = np.random.default_rng(0)
    for text in (b"", b"a", b"a" * 50, bytes(range(200))):
        assert all(mangled(text, rng) != text for _ in range(200))


def test_a_size_that_alarms_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sizes, "alarms", lambda *about: 3)
    if not launch.missing("triton-cpu"):
        assert "3 false alarms" in sizes.horizons(tmp_path, until=(64,), lanes=8, precisions=("bfloat16",))[0]


def test_the_parts_have_names_and_an_unknown_one_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        campaign.main(["sleep"])
    assert end.value.code == 2 and "must be one of kills, workers, doubles" in capsys.readouterr().err
