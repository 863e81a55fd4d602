"""Triton's cache: damaged, foreign and changed files are written again."""

import os
from pathlib import Path

import pytest
from test_caches import found_by, fresh, room  # noqa: F401

from noether.kernels import cache_folders

DAMAGE = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "a bit flipped": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
    "can be written by others": lambda path: path.chmod(0o666),
    "a link": lambda path: (
        path.rename(path.with_suffix(".moved")) and path.symlink_to(path.with_suffix(".moved"))
    ),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "another kernel's": lambda path: path.write_bytes((path.parents[1] / "other" / path.name).read_bytes()),
}


def filled(key: str):
    from noether.kernels.loops.triton_cache import manager

    group = {}
    for name, content in (
        ("k.ptx", f"text of {key}"),
        ("k.cubin", b"\0" + key.encode()),
        ("k.json", '{"a": 1}'),
    ):
        group[name] = manager()(key).put(content, name)
    manager()(key).put_group("k.json", group)
    return manager()(key), group


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_of_triton_is_not_there_and_is_written_again(room, found_by, damage):
    pytest.importorskip("triton")
    found_by(room)
    filled("other")
    mine, group = filled("mine")
    assert mine.get_group("k.json") == group and Path(group["k.ptx"]).read_text() == "text of mine"
    paths = sorted(Path(group["k.ptx"]).parent.iterdir())
    assert len(paths) == 2 * 4  # each with its sum, and the list of the group
    for path in paths:
        before = path.read_bytes()
        DAMAGE[damage](path)
        if before != (path.parents[1] / "other" / path.name).read_bytes() or damage != "another kernel's":
            assert mine.get_group("k.json") is None, f"{path.name} is {damage} and was taken"
        if path.is_dir():
            path.rmdir()  # what is no file in the way of a file is not ours to remove
        assert filled("mine")[1] == group and mine.get_group("k.json") == group


def test_a_changed_kernel_of_triton_is_compiled_again(room, found_by, monkeypatch):
    pytest.importorskip("triton")
    import ptx_kernels

    from noether.kernels.loops import compiled

    found_by(room)
    signature = {"x_ptr": "*fp64", "trace_ptr": "*fp64", "n": "i32", "steps": "i32"}
    made = []
    for _ in range(3):
        monkeypatch.setattr(compiled, "_MEMO", {})
        made.append(compiled.compile_ptx(ptx_kernels.wander64, signature, {"D": 2, "BLOCK": 128}))
        (path,) = room.glob(".cache/noether/triton/*/wander64.ptx")
        path.write_text(path.read_text().replace("add.", "sub.")) if len(made) == 1 else None
    assert "add." in made[0].ptx and made[0] == made[1] == made[2] and path.read_text() == made[0].ptx


def test_tritons_own_folder_is_used_where_it_is_safe(room, found_by, monkeypatch):
    pytest.importorskip("triton")
    from noether.kernels.loops import triton_cache

    found_by(room)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(room / "mine"))
    assert next(triton_cache.places()) == room / "mine" and not cache_folders.notes()
    (room / "theirs").mkdir()
    (room / "theirs").chmod(0o777)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(room / "theirs"))
    assert next(triton_cache.places()) == room / ".cache/noether/triton"
    assert (
        f"TRITON_CACHE_DIR is not used: {room / 'theirs'} can be written by others"
        in cache_folders.notes()[0]
    )


def test_the_cache_of_a_users_own_triton_kernels_is_left_alone():
    pytest.importorskip("triton")
    from triton import knobs

    from noether.kernels.loops.triton_cache import checked, manager

    before, environment = knobs.cache.manager_class, dict(os.environ)
    with checked():
        assert knobs.cache.manager_class is manager() and dict(os.environ) == environment
    assert knobs.cache.manager_class is before


def test_a_full_disk_is_met_by_the_next_folder(room, found_by, monkeypatch):
    pytest.importorskip("triton")
    place, _ = found_by(room)
    real = cache_folders.write

    def full(path, content):
        if room in path.parents:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(cache_folders, "write", full)
    mine, group = filled("mine")
    assert mine.get_group("k.json") == group and room not in Path(group["k.ptx"]).parents
    assert "No space left on device" in cache_folders.notes()[0]
