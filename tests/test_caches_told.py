"""A run that could not keep its caches says so."""

import subprocess
import sys

import pytest
from test_caches import found_by, fresh  # noqa: F401

from noether.kernels import cache_folders

VERIFY = ("verify", "mexican-hat", "--law", "D2", "--rule", "gradient-descent", "--precision", "float64")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        (
            {"CC": "/bin/false"},
            "backend auto is numpy: triton-cpu is not here: no C compiler that works: /bin/false",
        ),
        ({"HOME": "relative"}, "the cache folder cannot be used, a temporary one is: HOME is 'relative'"),
    ],
)
def test_a_run_that_had_to_do_otherwise_says_so_in_its_last_lines(tmp_path, environment, told):
    from noether.system.machine import importable

    env = {**importable(), **environment, "TMPDIR": str(tmp_path)}
    for name in ("XDG_CACHE_HOME", cache_folders.VARIABLE):
        env.pop(name, None)
    command = [sys.executable, "-m", "noether", *VERIFY, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0 and f"note: {told}" in done.stderr, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("word", ["CC", "HOME"])
def test_doctor_says_the_same(monkeypatch, found_by, word):
    from noether.cli import doctor

    found_by("relative") if word == "HOME" else monkeypatch.setattr(
        doctor, "backends", lambda: [doctor.Finding("backend auto", "numpy", False)]
    )
    bad = {f.what: f for f in (*doctor.backends(), *doctor.places()) if not f.fine}
    assert ("HOME is 'relative'" in bad["cache"].value) if word == "HOME" else "backend auto" in bad
