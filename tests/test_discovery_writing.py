"""A case file of what was found passes its own trial, says every symmetry, and writes over nothing."""

from pathlib import Path

import pytest

from noether.campaigns.discovery.finding import discover
from noether.campaigns.discovery.loss import load
from noether.campaigns.discovery.writing import BROKEN, NAME, write
from noether.cli.commands import discover as command
from noether.cli.main import call
from noether.mechanics.symmetry_proof import prove
from noether.plan.casefiles import load as casefile
from noether.runs.decision import decide
from noether.system.usage import UsageError

LOSSES = """
def product(q, xp):
    r = q[0] * q[1] - 1
    return r * r / 2

def softmax(q, xp):
    return xp.log(sum(xp.exp(x) for x in q)) - q[0]

def tensor(q, xp):
    r = q[0] * q[1] * q[2] - 1
    return r * r / 2

def relu(q, xp):
    r = q[1] * q[0] * xp.step(q[0] - q[1] / 2) - 1
    return r * r / 2

def tenths(q, xp):
    return (0.1 * q[0] + 0.3 * q[1] - 1) ** 2 / 2

def batch_norm(q, xp):
    z = [q[0] * a + q[1] * b for a, b in ((1.0, 0.5), (-0.5, 1.0), (0.25, -1.0))]
    mean = sum(z) / 3
    spread = xp.sqrt(sum((x - mean) * (x - mean) for x in z) / 3)
    return sum((x - mean) / spread * y for x, y in zip(z, (1, -1, 0.5)))

def hat(q, xp):
    r = sum(x * x for x in q) - 1
    return r * r / 4

def none(q, xp):
    return q[0] ** 4 + q[1] ** 2 * q[0] + q[1]
"""
DIMS = {"product": 2, "softmax": 3, "tensor": 3, "relu": 2, "tenths": 2, "batch_norm": 2, "hat": 4}


@pytest.fixture
def losses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("losses.py").write_text(LOSSES)


@pytest.mark.parametrize("name", DIMS)
def test_what_is_written_passes_its_trial_with_every_symmetry_broken(name, losses):
    box = "0.5,0.75" if name == "relu" else None
    found = discover(load(f"losses.py:{name}", DIMS[name], box))
    word = write(found, Path(f"{name}_case.py"), box is not None)
    case = casefile.load(word)
    assert (
        word == f"{name}_case.py:{NAME}"
        and case.pace is None
        and (case.kinks is not None) == (name == "relu")
    )
    proofs = prove(case)
    assert len(proofs) == len(found.generators) and min(p.broken for p in proofs) >= BROKEN


def test_nothing_is_written_over_and_nothing_is_left_behind(losses, capsys):
    Path("mine.py").write_text("x = 1\n")
    for words, said in (
        (["--write", "mine.py"], "is there already"),
        (["--write", "a/b.py"], "in a folder that is there"),
        (["--write", "b.txt"], "must be a .py file"),
        (["--write", "c.py", "--json"], "--json"),
    ):
        assert call(["discover", "losses.py:product", "--dim", "2", *words]) == 2
        assert said in capsys.readouterr().err
    assert Path("mine.py").read_text() == "x = 1\n"
    found = discover(load("losses.py:none", 2, None))
    with pytest.raises(UsageError, match="no symmetry was found"):
        write(found, Path("new.py"), False)
    assert {p.name for p in Path.cwd().iterdir() if p.is_file()} == {"losses.py", "mine.py"}


def test_the_exit_code_is_that_of_the_verification(losses, monkeypatch, capsys):
    monkeypatch.setattr(
        command, "verified", lambda found, path, boxed, quiet: (write(found, path, boxed), decide(3))
    )
    assert call(["discover", "losses.py:product", "--dim", "2", "--write", "new.py"]) == 3
    assert casefile.load(f"new.py:{NAME}").dim == 2
