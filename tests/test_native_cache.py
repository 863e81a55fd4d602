"""Compiled libraries: never a damaged one loaded, never two runs in each other's way, and no compiler is no
crash."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache as cache_of
from pathlib import Path

import numpy as np
import pytest
from processes import PIPES, python

from noether.kernels import cache_folders
from noether.kernels.ptx import native
from noether.kernels.ptx.native import compiler, compiler_search, library_cache
from noether.kernels.ptx.native.execute import library

if native.missing():
    pytest.skip(f"nothing can be compiled: {native.missing()}", allow_module_level=True)

ROOT = Path(__file__).resolve().parent.parent
TEXT = "int run(void) { return %d; }\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "noether" / "native"


def test_a_library_is_built_once(place, monkeypatch):
    tool = native.find_compiler()
    assert library_cache.load(tool, TEXT % 41)[0].run() == 41
    (path,) = place.glob("*.so")
    monkeypatch.setattr(compiler.Compiler, "build", lambda *_: pytest.fail("built again"))
    assert library_cache.load(tool, TEXT % 41)[0].run() == 41
    assert [*place.iterdir()] == [path], "drafts were left"


DAMAGE = {
    "cut": lambda b: b[: len(b) // 2],
    "empty": lambda b: b"",
    "flipped": lambda b: b[:900] + bytes([b[900] ^ 1]) + b[901:],
    "one byte short": lambda b: b[:-1],
    "one byte long": lambda b: b + b"x",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_library_is_built_again_and_never_loaded(place, damage):
    text, program = (
        TEXT % 8,
        "from noether.kernels.ptx.native import library_cache as cache, compiler_search; "
        "print(cache.load(compiler_search.find(), {!r})[0].run())",
    )
    library_cache.load(native.find_compiler(), text)
    (path,) = place.glob("*.so")
    path.write_bytes(damage(path.read_bytes()))
    assert library_cache.intact(path) is None
    # Loaded in another process: this one keeps the library that it has.
    done = python("-c", program.format(text), cwd=ROOT, env=os.environ)
    assert done.stdout == "8\n", done.stderr
    assert library_cache.intact(path) is not None


def test_the_library_of_another_text_is_damage_too(place):
    tool = native.find_compiler()
    assert library_cache.load(tool, TEXT % 50)[0].run() == 50
    (one,) = place.glob("*.so")
    assert library_cache.load(tool, TEXT % 51)[0].run() == 51
    (other,) = (path for path in place.glob("*.so") if path != one)
    other.write_bytes(one.read_bytes())
    assert library_cache.intact(one) is not None and library_cache.intact(other) is None
    assert library_cache.load(tool, TEXT % 51)[0].run() == 51


def test_a_link_in_place_of_a_library_is_not_followed(place, tmp_path):
    tool = native.find_compiler()
    assert library_cache.load(tool, TEXT % 52)[0].run() == 52
    (path,) = place.glob("*.so")
    moved = path.rename(tmp_path / path.name)
    path.symlink_to(moved)
    assert (
        library_cache.intact(path) is None
        and library_cache.load(tool, TEXT % 52)[0].run() == 52
        and not path.is_symlink()
    )


def test_a_library_in_use_outlives_its_file(place):
    """Cut short under a running process, a mapped file kills it with SIGBUS, at the latest when the process
    ends."""
    program = f"""
from noether.kernels.ptx import native
from noether.kernels.ptx.native import library_cache as cache
library = cache.load(native.find_compiler(), {TEXT % 9!r})[0]
for path in cache.Path({str(place)!r}).glob("*.so"):
    path.write_bytes(b"")
print(library.run())
"""
    done = python("-c", program, cwd=ROOT, env=os.environ)
    assert (done.returncode, done.stdout) == (0, "9\n"), done.stderr


def test_libraries_loaded_one_after_the_other_are_not_mistaken_for_each_other(place):
    tool = native.find_compiler()
    loaded = [library_cache.load(tool, TEXT % n)[0] for n in range(20, 26)]
    assert [library.run() for library in loaded] == list(range(20, 26))


def test_the_name_of_a_library_holds_compiler_flags_and_processor(monkeypatch):
    tool = native.find_compiler()
    keys = {
        tool.key,
        replace(tool, version="gcc 99").key,
        replace(tool, flags=(*tool.flags, "-O0")).key,
        replace(tool, path="/x/gcc").key,
    }
    monkeypatch.setattr(compiler, "features", lambda: "another processor")
    assert len({*keys, tool.key}) == 5


def test_processes_that_build_the_same_at_once_all_get_it(place):
    program = (
        "from noether.kernels.ptx import native; from noether.kernels.ptx.native import library_cache as "
        f"cache; print(cache.load(native.find_compiler(), {TEXT % 5!r})[0].run())"
    )
    racers = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, **PIPES) for _ in range(4)]
    for racer in racers:
        out, err = racer.communicate(timeout=120)
        assert out == "5\n", err
    assert len([*place.glob("*.so")]) == 2 == len([*place.iterdir()])  # the probe and this one


def test_a_home_that_cannot_be_written_is_no_obstacle(tmp_path):
    (tmp_path / "file").write_text("")
    program = (
        "from noether.kernels.ptx import native; from noether.kernels.ptx.native import library_cache as "
        f"cache; print(cache.load(native.find_compiler(), {TEXT % 6!r})[0].run())"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout == "6\n", done.stderr


def test_the_cache_is_bounded(tmp_path):
    for k in range(9):
        (tmp_path / f"{k}.so").mkdir() if k == 3 else (tmp_path / f"{k}.so").write_text("")
        os.utime(tmp_path / f"{k}.so", (k, k))
    cache_folders.shrink(tmp_path, 4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["5.so", "6.so", "7.so", "8.so"]


def test_without_a_compiler_the_backend_is_missing_and_numpy_is_chosen():
    program = (
        "from noether.kernels.loops import launch; print(launch.missing('triton-cpu')); "
        "print(launch.automatic())"
    )
    env = {**os.environ, "CC": "no-such-compiler"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True)
    said, chosen = done.stdout.splitlines()
    assert "no-such-compiler: not on PATH" in said and chosen in ("numpy", "triton-gpu")


def test_a_compiler_that_cannot_compile_is_named(tmp_path):
    fake = tmp_path / "gcc"
    fake.write_text("#!/bin/sh\necho 'gcc 1'; echo 'it is broken' >&2; [ \"$1\" = --version ]\n")
    fake.chmod(0o755)
    program = "from noether.kernels.ptx import native; print(native.missing())"
    done = python("-c", program, cwd=ROOT, env={**os.environ, "CC": str(fake)})
    assert f"{fake}: it is broken" in done.stdout, done.stdout + done.stderr


BROKEN = {
    "is not there": (None, "no-such-compiler: not on PATH"),
    "fails": ("exit 1", "ended with 1"),
    "writes nothing": ("exit 0", "wrote nothing"),
    "hangs": ("sleep 100", "did not end within 0.5 s"),
    "hangs in a child": ("sleep 100 & wait", "did not end within 0.5 s"),
    "hangs when it compiles": ('[ "$1" = --version ] || sleep 100', "did not end within 0.5 s"),
    "writes text": ('while [ "$1" != -o ] && shift; do :; done; echo garbage > "$2"', "file too short"),
    "cuts what it writes": (
        'REAL "$@"; while [ $# -gt 0 ] && [ "$1" != -o ]; do shift; done; [ $# = 0 ] || truncate -s 9000 '
        '"$2"',
        "signal",
    ),
    "writes another library": (
        'while [ $# -gt 0 ] && [ "$1" != -o ]; do shift; done; echo "int f;" | REAL -shared -x c -o "$2" -',
        "run",
    ),
    "speaks no UTF-8": ("printf '\\377\\376'; printf '\\377' >&2; exit 3", "\ufffd"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_compiler_that_does_not_work_is_named_with_the_reason(tmp_path, monkeypatch, what, place):
    body, told = BROKEN[what]
    name = "no-such-compiler"
    if body is not None:
        name = str(tmp_path / "my gcc")
        Path(name).write_text("#!/bin/sh\n" + body.replace("REAL", shutil.which("gcc") or "cc") + "\n")
        Path(name).chmod(0o755)
    monkeypatch.setenv("CC", shlex.quote(name))
    monkeypatch.setattr(compiler_search, "PATIENCE", 0.5 if "hangs" in what else 30)
    monkeypatch.setattr(compiler_search, "_searched", cache_of(compiler_search._searched.__wrapped__))
    for _ in range(2):  # what was built and ends a process is not in the cache the second time
        with pytest.raises(native.CompilerMissing, match=re.escape(told)) as caught:
            compiler_search.find()
        compiler_search._searched.cache_clear() if what == "cuts what it writes" else None
    assert Path(name).name in str(caught.value)
    assert not [*place.glob("*.so")] or what in (
        "cuts what it writes",
        "writes text",
        "writes another library",
    )


def test_words_behind_a_compiler_are_its_first_flags(monkeypatch, place):
    tool = native.find_compiler()
    monkeypatch.setenv("CC", f"{tool.path} -DWORD=6")
    found = compiler_search._searched.__wrapped__()
    assert found.path == tool.path and found.flags[0] == "-DWORD=6"
    assert library_cache.load(found, "int run(void) { return WORD; }")[0].run() == 6


def test_without_openmp_one_thread_gives_the_same_bits_and_a_note(monkeypatch):
    from native_rows import arguments, kernel
    from test_native import ROWS

    text, about = kernel(ROWS[100:110])
    mine, other = (arguments(about, 640, np.random.default_rng(1)) for _ in range(2))
    assert not native.execute(text, mine[0], 5).notes or native.find_compiler().openmp is False
    tool = native.find_compiler()
    serial = replace(
        tool, flags=tuple("-fopenmp-simd" if f == "-fopenmp" else f for f in tool.flags), openmp=False
    )
    monkeypatch.setattr(compiler_search, "find", lambda: serial)
    library.cache_clear()
    report = native.execute(text, other[0], 5, threads=2)
    library.cache_clear()
    assert report.workers == 1 and report.notes == ["no OpenMP: one thread"]
    assert all((a[2] == b[2]).all() for a, b in zip(mine[1], other[1], strict=True)) and mine[1]


def test_a_loaded_library_does_not_flush_subnormals():
    native.find_compiler()
    assert np.float64(5e-324) * np.float64(1) > 0


def test_threads_follow_the_environment_and_the_affinity(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert native.workers() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1000")
    assert native.workers() == len(os.sched_getaffinity(0))
    for word in ("", "x", "0"):
        monkeypatch.setenv("OMP_NUM_THREADS", word)
        assert native.workers() == len(os.sched_getaffinity(0))
