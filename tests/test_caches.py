"""Caches: nobody else's code runs, damage is compiled again, and what could not be used is told."""

import os
import pickle
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from noether.kernels import cache_folders

ROOT = Path(__file__).resolve().parent.parent
OTHER = 65534  # the number of nobody
needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can play another user"
)


def as_user(number: int, work):
    """work() in a child process with the rights of another user; its result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(number)
            os.setuid(number)
            found = (True, work())
        except BaseException as error:
            found = (False, repr(error))
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(found, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        well, found = pickle.load(pipe)
    os.waitpid(child, 0)
    assert well, found
    return found


@pytest.fixture
def room():
    """A folder that every user can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o755)
        yield Path(place)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nothing known, nothing told, no variable set; private folders of the test are removed."""
    for name in (cache_folders.VARIABLE, "XDG_CACHE_HOME", "TRITON_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cache_folders, "_NOTES", {})
    cache_folders._own.cache_clear()
    cache_folders._private.cache_clear()
    yield
    os.environ.pop(cache_folders.VARIABLE, None)  # a private folder is told to children


def found(home, **environment) -> tuple[Path, list[str]]:
    """Where a process with this home keeps its libraries, and what it says."""
    os.environ.update({"HOME": str(home), **environment})
    os.environ.pop(cache_folders.VARIABLE, None)
    return cache_folders.folder("native"), cache_folders.notes()


@pytest.fixture
def found_by(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077, 0o777])
def test_what_is_made_is_the_users_alone_whatever_the_umask(room, found_by, umask):
    before = os.umask(umask)
    try:
        place, told = found_by(room)
        cache_folders.write(place / "x", b"1")
    finally:
        os.umask(before)
    assert place == room / ".cache/noether/native" and not told
    assert [mode(p) for p in (place, place.parent, place.parent.parent)] == [0o700] * 3 and mode(
        place / "x"
    ) == 0o600
    assert cache_folders.read(place / "x") == b"1"


@pytest.mark.parametrize("kept", ["", ".cache", ".cache/noether", ".cache/noether/native"])
@pytest.mark.parametrize("rights", [0o777, 0o775, 0o757, 0o702])
def test_a_folder_that_others_can_write_is_not_used_wherever_it_is_in_the_path(room, found_by, kept, rights):
    (room / "home" / kept).mkdir(parents=True)
    (room / "home" / kept).chmod(rights)
    place, told = found_by(room / "home")
    assert room not in place.parents and mode(place) == 0o700 and not cache_folders.unsafe(place)
    assert f"{room / 'home' / kept} can be written by others" in told[0] and "chmod go-w" in told[0]
    assert os.environ[cache_folders.VARIABLE] == str(place.parent), "children must find the same"


def test_a_sticky_folder_above_is_used_and_one_that_is_the_cache_is_not(room, found_by):
    (room / "home").mkdir()
    (room / "home").chmod(0o1777)
    place, told = found_by(room / "home")
    assert place == room / "home/.cache/noether/native" and not told
    (room / "home/.cache/noether").chmod(0o1777)
    assert cache_folders.unsafe(room / "home/.cache/noether")


@needs_root
@pytest.mark.parametrize("kept", ["home", "home/.cache", "home/.cache/noether", "home/.cache/noether/native"])
def test_a_folder_of_another_user_is_not_used_wherever_it_is_in_the_path(room, found_by, kept):
    (room / kept).mkdir(parents=True)
    os.chown(room / kept, OTHER, OTHER)
    place, told = found_by(room / "home")
    assert room not in place.parents and f"{room / kept} belongs to user {OTHER}" in told[0]


@needs_root
@pytest.mark.parametrize("rights", [0o777, 0o1777])
def test_what_another_user_put_in_place_beforehand_is_never_run(room, found_by, rights):
    """The home can be written by all; the other makes the folders and links that we would make."""
    home = room / "home"
    home.mkdir()
    home.chmod(rights)
    (room / "ours").mkdir(0o700)

    def plant():
        (home / ".cache").symlink_to(room / "ours")
        os.makedirs(home / "x/noether/native")

    as_user(OTHER, plant)
    place, told = found_by(home)
    assert not {room, home} & set(place.parents) and told
    os.environ.pop(cache_folders.VARIABLE)
    place, told = found_by(home, XDG_CACHE_HOME=str(home / "x"))
    assert not {room, home} & set(place.parents) and told


@needs_root
def test_an_ordinary_user_with_a_home_of_root_takes_a_private_folder(room):
    def ordinary():
        place, told = found(room)
        cache_folders.write(place / "x", b"1")
        return place, told, mode(place), cache_folders.read(place / "x"), place.stat().st_uid

    place, told, rights, content, owner = as_user(OTHER, ordinary)
    assert (
        room not in place.parents
        and (rights, content, owner) == (0o700, b"1", OTHER)
        and "ermission" in told[0]
    )


@needs_root
def test_root_with_the_home_of_a_user_takes_a_private_folder(room, found_by):
    """As `sudo` leaves it."""
    os.chown(room, OTHER, OTHER)
    place, told = as_user(OTHER, lambda: found(room))
    assert place == room / ".cache/noether/native" and not told
    place, told = found_by(room)
    assert room not in place.parents and f"{room} belongs to user {OTHER}" in told[0]


def test_ones_own_links_are_followed_to_where_they_lead(room, found_by):
    (room / "far").mkdir()
    (room / "home").mkdir()
    (room / "home/.cache").symlink_to(room / "far")
    place, told = found_by(room / "home")
    assert place == room / "far/noether/native" and not told
    (room / "far").chmod(0o777)
    assert str(room / "far") in cache_folders.unsafe(room / "home/.cache/noether")


@pytest.mark.parametrize("word", ["relative/home", "/nonexistent-home", "/dev/null", "/proc/home", "nul"])
def test_a_home_that_is_none_is_told(found_by, word, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    place, told = found_by(tmp_path / "gone" if word == "nul" else word)
    assert place.name == "native" and place.parent.name.startswith(cache_folders.PREFIX) and len(told) == 1
    assert not [*tmp_path.iterdir()] and not os.path.exists("/nonexistent-home")


def test_without_a_home_the_system_is_asked_for_it(monkeypatch, room):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(Path, "home", lambda: room)
    assert cache_folders.folder("native") == room / ".cache/noether/native" and not cache_folders.notes()
    monkeypatch.setenv("HOME", "")
    assert cache_folders.folder("native") == room / ".cache/noether/native" and not cache_folders.notes()


@pytest.mark.parametrize("word", ["", "relative", "./x"])
def test_a_relative_or_empty_cache_home_is_ignored_as_its_specification_says(room, found_by, word):
    place, told = found_by(room, XDG_CACHE_HOME=word)
    assert place == room / ".cache/noether/native" and not told


def test_a_private_folder_is_not_made_where_others_could_take_its_place(room, monkeypatch):
    (room / "tmp").mkdir()
    (room / "tmp").chmod(0o777)
    assert cache_folders._private(str(room / "tmp")) is None
    (room / "tmp").chmod(0o1777)
    assert cache_folders._private.__wrapped__(str(room / "tmp")).parent == room / "tmp"


def test_a_private_folder_goes_with_its_process_and_serves_its_children(room):
    program = (
        "import os, subprocess, sys; from noether.kernels import cache_folders as caches;"
        "place = caches.folder('native'); print(place);"
        "sys.stdout.flush(); len(sys.argv) > 1 or"
        " subprocess.run([sys.executable, '-c', sys.orig_argv[2], 'child']);"
        "print(place.is_dir(), len(caches.notes()))"
    )
    env = {**os.environ, "HOME": "relative", "TMPDIR": str(room)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    first, second, childs, own = done.stdout.splitlines()
    assert first == second and (childs, own) == ("True 0", "True 1")
    assert Path(first).parent.parent == room and not [*room.iterdir()]


def test_what_may_be_removed_is_told_and_no_more(room, monkeypatch):
    monkeypatch.setenv("HOME", str(room))
    monkeypatch.setattr(cache_folders, "bases", lambda: [str(room)])
    assert cache_folders.folders() == []
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, live = room / f"{cache_folders.PREFIX}{dead.pid}-x", room / f"{cache_folders.PREFIX}{os.getpid()}-x"
    for place in (
        left,
        live,
        room / f"{cache_folders.PREFIX}x",
        room / ".cache/noether/programs",
        room / ".cache/noether/mine",
    ):
        place.mkdir(parents=True)
    kept = cache_folders.folder("native")
    assert cache_folders.folders() == [kept, room / ".cache/noether/programs", left]


@pytest.mark.parametrize("what", ["link", "pipe", "folder", "written by others", "of another user", "gone"])
def test_only_a_plain_file_of_ones_own_is_read(tmp_path, what):
    path = tmp_path / "x"
    if what not in ("gone", "folder", "pipe"):
        path.write_bytes(b"1")
    if what == "link":
        path = tmp_path / "y"
        path.symlink_to(tmp_path / "x")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "written by others":
        path.chmod(0o662)
    elif what == "of another user":
        if os.geteuid() != 0:
            pytest.skip("only root can play another user")
        os.chown(path, OTHER, OTHER)
    assert cache_folders.read(path) is None


def test_a_generated_source_is_what_was_asked_for_and_lies_nowhere(room, found_by):
    pytest.importorskip("triton")
    import inspect

    from noether.cases import CORE
    from noether.kernels.programs.precision import Precision
    from noether.kernels.programs.trace import gradient
    from noether.kernels.programs.triton_text import function, source

    found_by(room)
    program, precision = gradient(CORE[0]), Precision("float32")
    made = function.__wrapped__(program, precision)
    text = source(program, precision)
    assert inspect.getsource(getattr(made, "fn", made)) == text[text.index("@triton.jit") :]
    assert not [path for path in room.rglob("*") if path.is_file()], "a source was written"
