"""How many workers there are: processors by affinity and cgroup, capped by the memory that is free; a number
overrides."""

import pytest

from noether.cli.main import call
from noether.system import jobs
from noether.system.usage import UsageError

GIB = 2**30


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine as its files say: machine(cores, free GiB, membership, {file of the cgroups: text})."""

    def make(cores=64, free=1024.0, membership="0::/", files=()):
        mount = tmp_path / "cgroup"
        for name, text in dict(files).items():
            (mount / name).parent.mkdir(parents=True, exist_ok=True)
            (mount / name).write_text(text)
        (tmp_path / "membership").write_text(membership + "\n")
        (tmp_path / "meminfo").write_text(f"MemTotal: 999 kB\nMemAvailable:   {int(free * 2**20)} kB\n")
        monkeypatch.setattr(jobs, "MOUNT", mount)
        monkeypatch.setattr(jobs, "MEMBERSHIP", tmp_path / "membership")
        monkeypatch.setattr(jobs, "MEMORY_INFO", tmp_path / "meminfo")
        monkeypatch.setattr(jobs.os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
        return jobs.automatic()

    return make


def test_a_worker_for_each_processor_of_the_affinity_mask(machine):
    assert machine(cores=3) == 3
    assert machine(cores=1) == 1


def test_the_free_memory_caps_them_and_leaves_one(machine):
    room = (jobs.HERE + 5 * jobs.WORKER) / GIB
    assert machine(free=room + 0.01) == 5
    assert machine(free=0.1) == 1


@pytest.mark.parametrize(
    "membership, files",
    [
        ("0::/", {"cpu.max": "250000 100000"}),
        ("0::/job/step", {"job/cpu.max": "250000 100000", "job/step/cpu.max": "max 100000"}),
        ("0::/not/seen/from/here", {"cpu.max": "250000 100000"}),
        ("4:memory:/x\n2:cpu:/x", {"cpu/x/cpu.cfs_quota_us": "250000", "cpu/x/cpu.cfs_period_us": "100000"}),
        (
            "2:cpu,cpuacct:/x",
            {"cpu,cpuacct/x/cpu.cfs_quota_us": "250000", "cpu,cpuacct/x/cpu.cfs_period_us": "100000"},
        ),
    ],
    ids=["root", "group around", "container", "version 1", "version 1, joined"],
)
def test_a_share_of_time_counts_as_so_many_processors_rounded_up(machine, membership, files):
    assert machine(membership=membership, files=files) == 3


@pytest.mark.parametrize("quota", ["max 100000", "-1", "", "garbage", "0 0", "100000 0"])
def test_a_share_without_a_limit_or_without_sense_is_none(machine, quota):
    assert machine(cores=7, files={"cpu.max": quota}) == 7


def test_the_memory_that_a_cgroup_leaves_caps_them(machine):
    left = int(jobs.HERE + 2.5 * jobs.WORKER)
    limit, used, files = 8 * GIB, 8 * GIB - left + GIB, f"inactive_file {GIB}\nactive_file 7"
    two = {"memory.max": str(limit), "memory.current": str(used), "memory.stat": files}
    assert machine(files=two) == 2, "what the kernel keeps of files is free"
    one = {"memory/a/memory.limit_in_bytes": str(limit), "memory/a/memory.usage_in_bytes": str(limit - left)}
    assert machine(membership="3:memory:/a", files=one) == 2
    unlimited = {"memory/a/memory.limit_in_bytes": str(2**63 - 4096), "memory/a/memory.usage_in_bytes": "1"}
    assert machine(cores=9, membership="3:memory:/a", files=unlimited) == 9


def test_where_nothing_says_anything_the_processors_decide(machine, monkeypatch, tmp_path):
    machine(cores=5)
    for name in ("MOUNT", "MEMBERSHIP", "MEMORY_INFO"):
        monkeypatch.setattr(jobs, name, tmp_path / "nothing")
    assert jobs.automatic() == 5


def test_a_number_of_workers_that_was_asked_for_is_taken(machine):
    machine(cores=2)
    assert [jobs.jobs(x) for x in (7, "7", "auto", None)] == [7, 7, 2, 2]


@pytest.mark.parametrize("word", ["0", "-1", "1025", "1.5", "two", "", True, 2.0, "9" * 5000, "٣٣٣٣"])
def test_a_number_of_workers_that_is_none_is_refused(word):
    with pytest.raises(UsageError, match="must be auto or a whole number from 1 to 1024"):
        jobs.jobs(word)


def test_the_number_of_workers_may_be_auto_in_python_too(plan):
    from noether import verify

    assert verify("rayleigh", laws="D2", jobs="auto").exit_code == 0
    with pytest.raises(UsageError, match="--jobs is 0"):
        verify("rayleigh", laws="D2", jobs=0)


@pytest.mark.parametrize("command", ["verify", "faults", "fuzz"])
@pytest.mark.parametrize("option", ["-j", "--jobs"])
def test_every_command_with_workers_refuses_a_wrong_number(command, option, capsys):
    assert call([command, option, "many"]) == 2
    assert "--jobs is 'many'" in capsys.readouterr().err
