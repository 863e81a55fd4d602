"""What all tests share: a Hypothesis profile, compiled python, and a plan of fake cells for tests of the
command line."""

import gc
import itertools
import os
import shutil
import sys

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

# pytest rewrites the asserts of every module of a package that brings a plugin. Of ours these are 770, which
# takes seconds of each worker in a fresh checkout: hence nothing of noether is imported before this.
for finder in sys.meta_path:
    getattr(finder, "_must_rewrite", set()).discard("noether")

# No deadline: the first example of a test compiles a kernel. On CI the examples are the same every time, so
# that a red build is about the change.
settings.register_profile("noether", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "noether")

# Python keeps what it compiles, as it does by itself, also where the environment asks it not to: else every
# worker and each of the hundreds of interpreters that tests start would compile all modules again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def in_memory(folder: str = "/dev/shm", needed: int = 2**32) -> bool:
    """Whether files can be kept in memory, with 4 GiB left: the tests need a twentieth of that. What is kept
    there must also be loaded from there, as compiled libraries are."""
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < needed:
        return False
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC


# A run syncs every record to the disk, thousands of times in the tests, and a worker that waits for the disk
# computes nothing. pytest's own variable for where temporary folders are made; whoever sets it keeps it.
if "PYTEST_DEBUG_TEMPROOT" not in os.environ and sys.platform == "linux" and in_memory():
    os.environ["PYTEST_DEBUG_TEMPROOT"] = "/dev/shm"


def pytest_collection_finish():
    """What was imported computes with one thread, as in a run (harness/runs/execute.py). What is there by now
    stays: the garbage collector need not look at it again."""
    threadpool_limits(1, user_api="blas")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    gc.collect()
    gc.freeze()


@pytest.fixture
def one_thread():
    """torch on one thread: threads that wait for each other take most of the time of small tensors."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def plan(monkeypatch, tmp_path):
    """noether.plan.design replaced by fakes.Plan; runs/ in an empty folder."""
    import fakes

    import noether.plan

    fake = fakes.Plan("noether.plan.design")
    monkeypatch.setitem(sys.modules, "noether.plan.design", fake)
    monkeypatch.setattr(noether.plan, "design", fake, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return fake


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The Result of a small run that holds, with records of three families, kept in a folder."""
    from noether import verify

    narrow = dict(rules="heavy-ball", precisions="float64", backend="numpy", lanes=24, steps=16)
    return verify("product", laws="D2,D4,O3", **narrow, out=tmp_path_factory.mktemp("run") / "kept")


@pytest.fixture(scope="session")
def states(tmp_path_factory):
    return tmp_path_factory.mktemp("states"), itertools.count()


@pytest.fixture(scope="module", autouse=True)
def given_back():
    """What the tests of a file have freed goes back to the system: glibc would keep a third of what a worker
    holds."""
    from noether.system import freed

    yield
    freed.give_back(room=0)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch, states):
    """What was run is remembered for each test alone, and never among the user's own; what it freed is given
    back where it is much."""
    from noether.system import freed

    folder, numbers = states
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / str(next(numbers))))
    yield
    freed.give_back()
