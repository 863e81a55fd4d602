"""Folders for what is kept between runs, safe because only the user and root can have written there.

What lies in them is run: compiled libraries, Triton's kernels. A folder is used where it and every folder
above it belongs to the user or to root and cannot be written by others (a sticky one, as /tmp, can: nobody
renames there what is not theirs). What we make is 0700 whatever the umask. In order:

    NOETHER_CACHE_DIR     the folder itself; a process that had to take a private one tells its children so
    XDG_CACHE_HOME        noether/ in it; relative, it is ignored, as its specification says
    HOME                  .cache/noether/ in it, else in the home that the system knows
    private               a new folder in TMPDIR, /tmp, /var/tmp or /dev/shm, removed when the process ends

`notes` says in words what was not as it should be. On Windows, where owners are no numbers, nothing is
checked and only TMPDIR is asked for private folders.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

VARIABLE = "NOETHER_CACHE_DIR"
KINDS = ("native", "triton", "programs")  # programs: of versions before 1.1
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm") if os.name == "posix" else ()
PREFIX = "noether-cache-"
PLAINLY = sum(getattr(os, x, 0) for x in ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
OTHERS = stat.S_IWGRP | stat.S_IWOTH
_NOTES: dict[str, None] = {}


class NoFolder(OSError):
    """There is no folder in which something can be kept safely."""


PRIVATE: list[Path] = []
"""Temporary folders that this process made."""


def note(text: str) -> None:
    """Keep a sentence about what this process could not do in the usual way with its caches."""
    _NOTES[text] = None


def notes() -> list[str]:
    """What this process could not do in the usual way with its caches, in words, each once."""
    return list(_NOTES)


def folders() -> list[Path]:
    """What may be removed as a whole: the folder of each kind, and private ones whose process was killed."""
    found, (place, _) = [], wanted()
    if place is not None:
        found += [place / kind for kind in KINDS if (place / kind).is_dir()]
    for base in bases():
        with suppress(OSError):
            found += [Path(base, name) for name in sorted(os.listdir(base)) if left_behind(name)]
    return [place for place in found if not unsafe(place)]


def left_behind(name: str) -> bool:
    """Whether a name is that of a private folder whose process has ended."""
    pid = name.removeprefix(PREFIX).partition("-")[0]
    if not name.startswith(PREFIX) or not pid.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def bases() -> list[str]:
    """The folders in which a private folder may be made."""
    with suppress(OSError):  # gettempdir, where none can be written
        return list(dict.fromkeys((tempfile.gettempdir(), *TEMPORARY)))
    return list(TEMPORARY)


def places(kind: str) -> Iterator[Path]:
    """The folders for one kind of thing that could be written, best first: the user's, then private ones."""
    own = _own(kind, *(os.environ.get(name) for name in (VARIABLE, "XDG_CACHE_HOME", "HOME")))
    if own is not None:
        yield own
    for base in bases():
        room = _private(base)
        if room is None:
            continue
        with suppress(OSError):
            place = _made(room / kind)
            if own is None:  # child processes keep theirs there, and need not find out again
                os.environ[VARIABLE] = str(room)
            yield place


def folder(kind: str) -> Path:
    """The first of `places`. Raises NoFolder."""
    for place in places(kind):
        return place
    raise NoFolder("no folder is safe: neither the cache folder nor a temporary one")


def wanted() -> tuple[Path | None, str]:
    """The folder that the environment asks for, or None and why it cannot be one."""
    word = os.environ.get(VARIABLE)
    if word:
        if os.path.isabs(word):
            return Path(word), ""
        return None, f"{VARIABLE} is {word!r}, must be an absolute path"
    word = os.environ.get("XDG_CACHE_HOME")
    if word and os.path.isabs(word):
        return Path(word) / "noether", ""
    try:
        home = Path(os.environ["HOME"]) if os.environ.get("HOME") else Path.home()
    except RuntimeError:
        return None, "HOME is not set, and the system knows no home of this user"
    if not home.is_absolute():
        return None, f"HOME is {str(home)!r}, must be an absolute path"
    if not home.is_dir():
        return None, f"HOME is {home}, which is no folder"
    return home / ".cache" / "noether", ""


@cache
def _own(kind: str, *environment: str | None) -> Path | None:
    """The user's folder for one kind, made where it is missing; None, with a note, where that cannot be."""
    place, trouble = wanted()
    if place is not None:
        try:
            trouble = unsafe(place)
            place = None if trouble else _made(place / kind)
        except OSError as error:
            trouble = f"{error.filename or place}: {error.strerror}" if error.strerror else str(error)
            place = None
        except ValueError as error:  # a NUL
            place, trouble = None, f"{place!r}: {error}"
    if trouble:
        note(f"the cache folder cannot be used, a temporary one is: {trouble}")
    return place


def _made(place: Path) -> Path:
    """The folder, without links, made with what is missing above it, for the user alone. Raises OSError."""
    for part in (*reversed(place.parents), place):
        with suppress(FileExistsError):
            if not part.is_dir():
                os.mkdir(part, 0o700)
                os.chmod(part, 0o700)  # a umask may have taken our own rights
    trouble = unsafe(place)
    if trouble:
        raise PermissionError(trouble)
    place = place.resolve(strict=True)
    if place.stat().st_mode & 0o077:
        os.chmod(place, 0o700)
    with tempfile.TemporaryFile(dir=place):
        pass
    return place


def unsafe(place: Path) -> str:
    """Who else could write into a folder or replace it, in words; '' when nobody can.

    The path is looked at as it is written and as it is without links: a link that is not ours can be turned.
    What is not there yet is made by us. The folder itself must be ours.
    """
    if not hasattr(os, "geteuid"):
        return ""
    me, trusted = os.geteuid(), {0, os.geteuid(), os.stat("/").st_uid}
    place = Path(os.path.abspath(place))
    real = Path(os.path.realpath(place))
    for part in dict.fromkeys((*reversed(place.parents), place, *reversed(real.parents), real)):
        try:
            about = part.lstat()
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{part}: {error.strerror}"
        link = stat.S_ISLNK(about.st_mode)
        if about.st_uid not in trusted or (part == real and about.st_uid != me):
            return f"{part} belongs to user {about.st_uid}, must belong to user {me}"
        if not link and not stat.S_ISDIR(about.st_mode):
            return f"{part} is no folder"
        if not link and about.st_mode & OTHERS and (part == real or not about.st_mode & stat.S_ISVTX):
            rights = f"{stat.S_IMODE(about.st_mode):o}"
            return f"{part} can be written by others (mode {rights}): chmod go-w {part}"
    return ""


@cache
def _private(base: str) -> Path | None:
    """A folder of this process alone among temporary files, gone with it. None where that is not safe."""
    try:
        place = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base))
    except OSError:
        return None
    PRIVATE.append(place)
    atexit.register(_remove, place, os.getpid())
    try:
        os.chmod(place, 0o700)
        if unsafe(place):
            return None
    except OSError:
        return None
    return place.resolve()


def remove_private() -> None:
    """Remove the temporary folders of this process, which is about to end without python's exit hooks."""
    for place in PRIVATE:
        _remove(place, os.getpid())


def _remove(place: Path, owner: int) -> None:
    if os.getpid() == owner:  # not what a fork left
        shutil.rmtree(place, ignore_errors=True)


def read(path: Path) -> bytes | None:
    """The content of a file; None where it is not there, is no plain file, or somebody else can write it."""
    try:
        handle = os.open(path, PLAINLY)
    except OSError:
        return None
    try:
        about = os.fstat(handle)
        alien = hasattr(os, "geteuid") and (about.st_uid != os.geteuid() or about.st_mode & OTHERS)
        if alien or not stat.S_ISREG(about.st_mode):
            return None
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Put a file in place at once, for the user alone. Raises OSError, and leaves nothing then."""
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.chmod(draft, 0o600)
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise


def has_room(place: Path, size: int = 2**20) -> bool:
    """Whether a file of this size can be written there."""
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(size))
    except OSError:
        return False
    return True


def shrink(place: Path, limit: int) -> None:
    """Remove the oldest entries beyond the limit, drafts of killed runs too; others may do the same."""
    with suppress(OSError):
        found = []
        for entry in os.scandir(place):
            with suppress(OSError):
                age = entry.stat(follow_symlinks=False).st_mtime
                found.append((age, entry.path, entry.is_dir(follow_symlinks=False)))
        for _, path, is_folder in sorted(found)[: max(0, len(found) - limit)]:
            with suppress(OSError):
                shutil.rmtree(path, ignore_errors=True) if is_folder else os.unlink(path)
