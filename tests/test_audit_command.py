"""The command `noether audit`: its options reach the audit, tables and pages are written, codes are right."""

import json
import threading
from pathlib import Path

import pytest
from waiting import PATIENCE

pytest.importorskip("torch")

from noether.campaigns.audit import process
from noether.campaigns.audit.finding import Audit, Finding
from noether.cli.main import call

PACKAGE = """
import torch

class Right(torch.optim.SGD):
    pass

class Wrong(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))

    def step(self, closure=None):
        raise RuntimeError("never steps")

class Needs(torch.optim.SGD):
    def __init__(self, params, strange):
        raise TypeError("cannot be guessed")
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of three optimizers and a module that cannot be imported."""
    folder = tmp_path / "some_optimizers"
    folder.mkdir()
    (folder / "__init__.py").write_text(PACKAGE)
    (folder / "broken.py").write_text("import no_such_module\n")
    monkeypatch.chdir(tmp_path)
    return folder


def test_every_option_reaches_the_audit(monkeypatch, capsys, tmp_path):
    asked = []

    def audited(*given):
        asked.append(given)
        return Audit("x:y", (Finding("rule", "AdamW", "holds", "it moves as AdamW", 0.5),), seconds=1.0)

    monkeypatch.setattr(process, "audited", audited)
    page = tmp_path / "page.html"
    words = [
        "x:y",
        "--like",
        "adam",
        "--arg",
        "lr=0.5",
        "--arg",
        "betas=(0.9, 0.99)",
        "--part",
        "rule,probes",
    ]
    assert call(["audit", *words, "--seed", "7", "--out", str(page), "--json"]) == 0
    assert asked == [("x:y", {"lr": 0.5, "betas": (0.9, 0.99)}, "adam", 7, ("rule", "probes"))]
    assert json.loads(capsys.readouterr().out)["verdict"] == "obeys"
    assert "x:y" in page.read_text(encoding="utf-8")


def test_a_package_is_a_row_each_whatever_its_optimizers_do(package, capsys):
    page = Path("all.html")
    words = ["--all", "some_optimizers", "--jobs", "2", "--part", "rule", "--out", str(page)]
    assert call(["audit", *words, "--json"]) == 0
    out, err = capsys.readouterr()
    found = {x["target"].rpartition(":")[2]: x for x in json.loads(out)["audits"]}
    assert {name: x["verdict"] for name, x in found.items()} == {
        "Right": "obeys", "Wrong": "not decided", "Needs": "not decided"
    }  # fmt: skip
    assert "never steps" in found["Wrong"]["trouble"] and "strange" in found["Needs"]["trouble"]
    assert "some_optimizers.broken cannot be imported: ModuleNotFoundError" in err
    assert page.exists()


@pytest.mark.parametrize("option", ["--jobs", "-j"])
def test_so_many_optimizers_are_audited_at_once(option, monkeypatch, capsys):
    three, at_once = [{"word": f"some:{name}"} for name in "ABC"], threading.Barrier(3, timeout=PATIENCE)
    monkeypatch.setattr(process, "package_of", lambda name: (three, {}))

    def audited(listed, *more):
        at_once.wait()  # for ever with fewer
        return Audit(listed["word"], (Finding("rule", "SGD", "holds", "it moves as SGD", 0.5),))

    monkeypatch.setattr(process, "audited_class", audited)
    assert call(["audit", "--all", "some", option, "3"]) == 0, capsys.readouterr().err


def test_a_fault_of_ours_in_one_optimizer_ends_no_other_and_is_exit_code_70(package, capsys, monkeypatch):
    def audited(listed, *more):
        fault = "Traceback: KeyError" if listed["word"].endswith("Wrong") else None
        return Audit(listed["word"], (), "the harness failed" if fault else None, fault=fault)

    monkeypatch.setattr(process, "audited_class", audited)
    assert call(["audit", "--all", "some_optimizers"]) == 70
    out, err = capsys.readouterr()
    assert "please report this" in err and "Right" in out and "Needs" in out


@pytest.mark.parametrize(
    "words, told",
    [
        ([], "must be given one of them"),
        (["a:b", "--all", "c"], "must be given one of them"),
        (["--all", "c", "--like", "sgd"], "must not be given with --all"),
        (["a:b", "--arg", "lr"], "must be NAME=VALUE"),
        (["a:b", "--part", "nonsense"], "part is 'nonsense', must be one of"),
        (["--all", "no_such_package"], "must be an installed package"),
        (
            ["a:b", "--out", "no_such_folder/page.html"],
            "must be the name of a file in a folder that is there",
        ),
    ],
)
def test_wrong_words_are_exit_code_2(words, told, capsys):
    assert call(["audit", *words]) == 2
    assert told in capsys.readouterr().err
