"""`noether clean` removes caches of ours and runs that were named, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from noether.cli import cleaning
from noether.cli.main import call
from noether.kernels import cache_folders
from noether.system.lock import Lock

VERIFY = ["verify", "rayleigh", "--law", "D2", "--precision", "float64", "--jobs", "1"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of ours with a file in each kind, and files of others beside and behind a link."""
    place = tmp_path / "cache"
    monkeypatch.setenv(cache_folders.VARIABLE, str(place))
    monkeypatch.setattr(cache_folders, "bases", lambda: [str(tmp_path / "tmp")])
    (tmp_path / "tmp").mkdir()
    for kind in cache_folders.KINDS:
        (place / kind / "inner").mkdir(parents=True)
        (place / kind / "inner" / "file").write_bytes(bytes(1500))
    (place / "others").mkdir()
    (place / "others" / "file").write_text("theirs")
    (tmp_path / "precious").write_text("precious")
    os.symlink(tmp_path, place / "native" / "link")
    return place


def there(place: Path) -> set[str]:
    return {str(p.relative_to(place)) for p in place.rglob("*")}


def test_a_dry_run_says_everything_and_removes_nothing(cache, capsys):
    before = there(cache.parent)
    assert call(["clean", "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {Path(item["path"]).name for item in told["items"]} == set(cache_folders.KINDS)
    assert told["dry_run"] and told["bytes"] == 1500 * len(cache_folders.KINDS)
    assert call(["clean", "-n"]) == 0
    out = capsys.readouterr().out
    assert out.count("would be removed") == len(cache_folders.KINDS) + 1 and "1.5 kB" in out
    assert there(cache.parent) == before


def test_caches_go_and_what_is_beside_them_or_behind_a_link_stays(cache, capsys):
    assert call(["clean"]) == 0
    assert there(cache) == {"others", "others/file"}
    assert (cache.parent / "precious").read_text() == "precious"
    assert call(["clean"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 folders removed, 0 B"


def test_what_killed_runs_left_goes_and_what_a_process_uses_stays(cache, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")  # of paths as long as temporary folders of a test may be
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, used = (
        cache.parent / "tmp" / f"{cache_folders.PREFIX}{pid}-abc" for pid in (ended.pid, os.getpid())
    )
    for place in (left, used):
        place.mkdir(mode=0o700)
    assert call(["clean"]) == 0
    assert not left.exists() and used.exists()
    assert f"{cache_folders.PREFIX}*" in capsys.readouterr().out


@pytest.fixture
def runs(plan, cache, tmp_path, monkeypatch):
    """Two runs in runs/, one of them with something that is not of the run."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        assert call([*VERIFY, "--out", f"runs/{name}"]) == 0
    Path("runs/b/mine.txt").write_text("mine")
    Path("runs/c").mkdir()
    Path("runs/c/results.csv").write_text("mine")
    return Path("runs")


def test_no_run_is_touched_unless_it_is_named(runs):
    before = there(runs)
    assert call(["clean"]) == 0
    assert there(runs) == before


def test_of_a_named_run_what_the_run_wrote_goes(runs, capsys):
    assert call(["clean", "--runs", "runs/a"]) == 0
    assert not Path("runs/a").exists() and Path("runs/b/run.json").exists()
    assert call(["clean", "--runs", "runs"]) == 0
    assert there(runs) == {"b", "b/mine.txt", "c", "c/results.csv"}


def test_a_run_that_is_being_written_stays(runs, capsys):
    lock = Lock(Path("runs/a"))
    try:
        assert call(["clean", "--runs", "runs/a", "--runs", "runs/b"]) == 2
    finally:
        lock.release()
    assert "being written by process" in " ".join(capsys.readouterr().out.split())
    assert Path("runs/a/records.jsonl").exists() and not Path("runs/b/run.json").exists()


@pytest.mark.parametrize("spoil", ["damaged", "link"])
def test_what_is_not_certainly_a_run_folder_stays(runs, spoil, capsys):
    if spoil == "damaged":
        Path("runs/a/run.json").write_text("{")
        named = "runs/a"
    else:
        os.symlink("a", "runs/link")
        named = "runs/link"
    before = there(runs)
    assert call(["clean", "--runs", named]) == 2
    assert "kept: " in capsys.readouterr().out
    assert there(runs) == before


@pytest.mark.parametrize("place", ["runs/c", "nowhere", "runs/b/mine.txt", "x" * 5000, "a\0b"])
def test_a_place_without_a_run_is_refused_before_anything_is_removed(runs, cache, place, capsys):
    (cache / "native").mkdir(exist_ok=True)
    assert call(["clean", "--runs", place]) == 2
    err = capsys.readouterr().err
    assert (
        err.startswith("noether: ")
        and ("--runs" in err or "word 3" in err)
        and "Traceback" not in err
        and err.count("\n") == 1
    )
    assert (cache / "native").exists()


def test_what_cannot_be_removed_is_said(cache, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "300")  # the path of a temporary folder is long

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(cleaning.shutil, "rmtree", refuse)
    assert call(["clean"]) == 2
    out = " ".join(capsys.readouterr().out.split())
    assert "cannot be removed: Permission denied" in out and out.endswith("0 folders removed, 0 B; 3 kept")


def test_sizes_are_readable():
    told = ["0 B", "999 B", "1.5 kB", "2.5 MB", "3 GB", "4e+03 TB"]
    assert [cleaning.readable(x) for x in (0, 999, 1500, 2.5e6, 3e9, 4e15)] == told
