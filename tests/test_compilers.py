"""A compiler that is not the tested one is named, and one that is known to be wrong is named as that."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from noether.cli import doctor
from noether.cli.main import call
from noether.plan.choices import Request, select
from noether.runs.planning import plan
from noether.system import compilers

ROOT = Path(__file__).resolve().parent.parent


def pretend(monkeypatch, tmp_path, version):
    """A folder `triton` of that version, before every other; or none at all."""
    monkeypatch.setattr(compilers.importlib.util, "find_spec", lambda name: None)
    if version:
        (tmp_path / "triton").mkdir()
        (tmp_path / "triton" / "__init__.py").write_text(
            f'"""isort:skip_file"""\n__version__ = {version!r}\n'
        )
        spec = SimpleNamespace(origin=str(tmp_path / "triton" / "__init__.py"))
        monkeypatch.setattr(compilers.importlib.util, "find_spec", lambda name: spec)


def test_the_tested_compiler_is_that_of_the_constraints():
    pinned = dict(
        re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)
    )
    assert compilers.TESTED == pinned["triton"] and compilers.TESTED not in compilers.WRONG


def test_every_release_that_is_known_to_be_wrong_is_excluded_and_has_a_page():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (said,) = re.findall(r'"triton(>=[^";]+)', project)
    packaging = pytest.importorskip("packaging.specifiers")
    for version, what in compilers.WRONG.items():
        assert version not in packaging.SpecifierSet(said), f"{said} lets Triton {version} in"
        (page,) = re.findall(r"docs/findings/[\w.-]+\.md", what)
        assert version in (ROOT / page).read_text(encoding="utf-8")
    assert compilers.TESTED in packaging.SpecifierSet(said)


@pytest.mark.parametrize(
    "version, words",
    [
        ("3.8.0", "Triton 3.8.0 is known to be wrong: it adds the terms"),
        ("3.8.0+git675c5987", "Triton 3.8.0+git675c5987 is known to be wrong"),
        ("3.9.0", "Triton 3.9.0 is not the tested one, which is "),
        (compilers.TESTED, ""),
        (f"{compilers.TESTED}+cpu", ""),
    ],
)
def test_what_is_said_of_a_version(monkeypatch, tmp_path, version, words):
    pretend(monkeypatch, tmp_path, version)
    assert compilers.release() == version
    said = compilers.told([SimpleNamespace(backend="triton-ptx")])
    assert (said[0].startswith(words) if words else not said) and len(said) <= 1
    found = doctor.kernel_compiler()
    assert [f.value for f in found] == said and all(
        compilers.TESTED in f.remedy and not f.fine for f in found
    )


@pytest.fixture
def shown(monkeypatch):
    """docs/findings/triton_3_8_kernel.py as a module."""
    pytest.importorskip("triton")
    spec = importlib.util.spec_from_file_location(
        "triton_3_8_kernel", ROOT / "docs/findings/triton_3_8_kernel.py"
    )
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # triton.jit reads it there
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(
    not (compilers.release() or "").startswith(compilers.TESTED), reason="another Triton is here"
)
def test_the_kernel_of_the_page_is_added_as_written_by_the_tested_compiler(shown):
    from noether.kernels.ptx import evaluate

    text = shown.compiled("fp64", 90)
    assert shown.order(text) == [0, 1, 2, 3]
    x = np.random.default_rng(0).standard_normal((5, 1000))
    y = np.zeros(1000)
    evaluate(text, [x, y, 1000], 8)
    assert (y == shown.added([x[k] * x[k + 1] for k in range(4)])).all()


def test_the_page_reads_another_order_where_there_is_one(shown):
    loads = "".join(f"ld.global.b64 {{ %x{k} }}, [ %p + 0 ];\n" for k in range(5))
    products = "".join(f"mul.rn.f64 \t%t{k}, %x{k + 1}, %x{k};\n" for k in range(4))
    adds = "add.rn.f64 \t%s1, %t3, %t0;\nadd.rn.f64 \t%s2, %s1, %t1;\nadd.rn.f64 \t%s3, %s2, %t2;\n"
    assert shown.order(loads + products + adds) == [3, 0, 1, 2]


def test_nothing_is_said_where_nothing_is_compiled(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, "3.8.0")
    assert compilers.told([SimpleNamespace(backend="numpy"), SimpleNamespace(rule="")]) == []


def test_nothing_is_said_without_triton(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, None)
    assert compilers.release() is None and compilers.told([SimpleNamespace(backend="triton-gpu")]) == []
    assert doctor.kernel_compiler() == []


def test_the_version_that_is_read_is_the_one_that_is_imported():
    triton = pytest.importorskip("triton")
    assert compilers.release() == triton.__version__ and "triton" in sys.modules


def test_a_plan_with_compiled_kernels_names_their_compiler(monkeypatch, tmp_path):
    pytest.importorskip("triton")
    request = Request(("mexican-hat",), law="B1")
    assert (
        not any("Triton" in note for note in plan(select(request)).notes)
        or compilers.release() != compilers.TESTED
    )
    monkeypatch.setattr(compilers, "release", lambda: "3.8.0")
    assert any("known to be wrong" in note for note in plan(select(request)).notes)
    numpy = Request(("mexican-hat",), law="D2", backend="numpy")
    assert not any("Triton" in note for note in plan(select(numpy)).notes)


def test_the_compiler_is_named_behind_the_verdict(monkeypatch, tmp_path, capsys):
    pytest.importorskip("triton")
    monkeypatch.setattr(compilers, "release", lambda: "3.8.0")
    small = "free-particle --law D0 --rule gradient-descent --precision float64 --lanes 8 --steps 2 --jobs 1"
    call(["verify", *small.split(), "--backend", "triton-ptx", "--out", str(tmp_path / "r")])
    assert "note: Triton 3.8.0 is known to be wrong" in capsys.readouterr().err


def test_make_newest_takes_what_the_index_gives_even_an_excluded_release():
    done = subprocess.run(["make", "-n", "newest"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "build/newest/bin/python -m noether verify --profile quick" in done.stdout
    assert " -c " not in done.stdout and " .venv" not in done.stdout and "-e . torch triton" in done.stdout
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [
        x for x in about["dependencies"] if re.match("torch|triton", x)
    ]  # else it would be excluded there too
