"""What commands print: JSON, tables, theory, proofs, lists."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from noether.cases import CATALOG
from noether.cli.main import call

ROOT = Path(__file__).resolve().parent.parent


SMALL = ["verify", "rayleigh", "--precision", "float64", "--jobs", "1"]


def test_json_is_all_that_stdout_gets(plan, capsys):
    plan.wrong = {"D2": "nan"}
    assert call([*SMALL, "--json"]) == 1
    value = json.loads(capsys.readouterr().out, parse_constant=lambda x: pytest.fail(f"{x} is no JSON"))
    assert value["exit_code"] == 1 and value["violated"][0]["spent"] == "nan"
    assert [law["law"] for law in value["laws"]] == ["D0", "D2", "O3"]


@pytest.mark.parametrize("columns", [None, 80, 120, 160, 200, 300])
def test_the_table_fits_its_width(plan, capsys, monkeypatch, columns):
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    plan.wrong = {"D0": "violated"}
    longest = max((c.name for c in CATALOG), key=len)  # what is worst lies in it
    assert call(["verify", longest, "--jobs", "1"]) == 1
    lines = [
        x for x in capsys.readouterr().out.splitlines() if " noether " not in x
    ]  # those are to be copied
    assert max(map(len, lines)) <= min(columns or 120, 200)
    assert any(x.startswith("D2") and "holds" in x for x in lines), "every law keeps a readable row"
    assert not any("\x1b" in x for x in lines), "colours are for terminals"


def test_a_violation_ends_with_one_line_that_replays_it(plan, capsys):
    plan.wrong = {"D2": "violated"}
    assert (
        call(
            [
                *SMALL,
                "--out",
                "a-folder-with-a-name-that-is-much-longer-than-any-terminal-would-be-wide-enough-for",
            ]
        )
        == 1
    )
    lines = [x.strip() for x in capsys.readouterr().out.splitlines() if "noether replay" in x]
    assert len(lines) == 1 and lines[0].endswith("--law D2 --cell D2/rayleigh/float64 --symmetry scale")


def test_explain_prints_the_theory(capsys):
    assert call(["explain", "d2"]) == 0
    out = capsys.readouterr().out
    assert "blind to" in out and "The last term is the discrete kinetic" in " ".join(out.split())


def test_show_proves_the_symmetries(capsys):
    assert call(["show", "mexican-hat"]) == 0
    out = capsys.readouterr().out
    assert "rotation-01: xi(q) = (-q2, q1, 0)" in out and "<grad f, xi> = 0 exactly" in out


@pytest.mark.parametrize("command", [["cases"], ["laws"], ["--help"], ["verify", "--help"]])
def test_lists_start_without_torch_and_triton(command):
    program = (
        "import sys; sys.modules.update(torch=None, triton=None); sys.argv[0] = 'noether'; from "
        "noether.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout, done.stderr


def test_doctor_names_every_backend_and_what_keeps_it_away(capsys):
    assert call(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "63 mantissa bits" in out
    for backend in ("numpy", "triton-interpreted", "triton-ptx", "triton-cpu", "triton-gpu"):
        assert f"backend {backend}" in out
