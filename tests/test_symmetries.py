"""`noether symmetries` and noether.symmetries(): what is found of a module is told."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from processes import command_line  # noqa: E402
from test_commands import documented  # noqa: E402
from torch import nn  # noqa: E402

import noether  # noqa: E402
from noether.cli.commands.symmetries import known_networks  # noqa: E402
from noether.cli.main import call  # noqa: E402
from noether.networks.check import BROKEN, EPS, KEPT  # noqa: E402
from noether.system.machine import importable  # noqa: E402
from noether.system.usage import CannotRun  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
MINE = """
import sys, torch
from torch import nn
print("imported")

class Net(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.fc1, self.norm, self.fc2 = nn.Linear(6, width), nn.BatchNorm1d(width), nn.Linear(width, 3)

    def forward(self, x):
        print("called")
        return self.fc2(self.norm(self.fc1(x)).relu())

def with_loss():
    y = torch.arange(16) % 3
    return Net(), torch.randn(16, 6), lambda out: nn.functional.cross_entropy(out, y)

def by_name(scale=1.0):
    return Net(), {"x": scale * torch.randn(16, 6)}

def square():
    return Net(), torch.randn(16, 6), lambda out: out.square().mean()

def no_module():
    return 3, 4

def raises():
    raise KeyError("no such thing")

def leaves():
    sys.exit(3)

def bad_loss():
    return Net(), torch.randn(16, 6), lambda out: out

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(9, 4), nn.Linear(4, 2)

    def forward(self, tokens, scale=2):
        return self.out(self.table(tokens).mean(1)) * scale

frozen = nn.Linear(4, 2).requires_grad_(False)
plain = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
relu = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
number = 7
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A file of somebody's own networks in this folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    Path("mine.py").write_text(MINE)


def document(capsys, *words, code=0):
    """What --json prints of a module, and what is on stderr."""
    assert call(["symmetries", *words, "--json"]) == code
    out, err = capsys.readouterr()
    return json.loads(out), err


def counts(found) -> dict:
    return {kind: n for kind, n in found["counts"].items() if n}


# ---- what is found


def test_a_class_of_a_file_with_drawn_inputs(mine, capsys):
    found, err = document(capsys, "mine.py:Net", "--input", "16x6")
    assert counts(found) == {"scale": 5, "rescale": 5, "translation": 5}
    assert found["unmoved"] == ["fc2.bias"] and found["mode"] == "in training mode"
    assert [x["verdict"] for x in found["families"]] == [EPS, KEPT, KEPT]
    assert "imported" in err and "called" in err, "what user code prints goes to stderr"
    (scale,) = [x for x in found["families"] if x["kind"] == "scale"]
    assert scale["eps"] == [{"module": "norm", "eps": 1e-5}] and scale["less_eps"] < 1e-12 < scale["change"]
    assert scale["in_eval"]["verdict"] == BROKEN and scale["in_eval"]["change"] > 1e-3


def test_options_seeds_and_inputs_are_used(mine, capsys):
    wide, _ = document(capsys, "mine.py:Net", "--arg", "width=7", "--input", "16x6")
    assert counts(wide) == {"scale": 7, "rescale": 7, "translation": 7}
    first, again, other = (
        document(capsys, "mine.py:Net", "--input", "16x6", "--seed", seed)[0] for seed in ("1", "1", "2")
    )
    drop = lambda x: {key: value for key, value in x.items() if key != "seconds"}
    assert drop(first) == drop(again) != drop(other)
    words, _ = document(capsys, "mine.py:Words", "--input", "16x5:9")
    assert counts(words) == {"GL": 16}


def test_with_its_loss_the_symmetries_of_a_softmax_are_found_and_of_a_square_there_are_none(mine, capsys):
    found, _ = document(capsys, "mine.py:with_loss")
    assert counts(found) == {"scale": 5, "rescale": 5, "translation": 5 + 1 + 5}
    assert counts(document(capsys, "mine.py:square")[0]) == {"scale": 5, "rescale": 5, "translation": 5}
    assert counts(document(capsys, "mine.py:by_name", "--arg", "scale=2.0")[0])["scale"] == 5
    assert call(["symmetries", "mine.py:square"]) == 0
    assert "a softmax in the loss would have symmetries of the last layer" in capsys.readouterr().out


def test_the_page_names_what_moves_what_breaks_and_what_is_next(mine, capsys):
    assert call(["symmetries", "mine.py:Net", "--input", "16x6"]) == 0
    out = capsys.readouterr().out
    assert "mine.py:Net: 15 generators in 3 families: 5 scale, 5 rescale, 5 translation" in out
    for told in (
        "norm.weight norm.bias against fc2.weight",
        "kept but for eps",
        "in eval mode 2 families are broken",
        "no family moves fc2.bias",
        "no loss is known",
        "6 trained parameters, 63 numbers",
        "rescale: what a unit reads grows",
        "next, see what training does along them",
    ):
        assert told in out
    assert "GL:" not in out, "a legend of what is not there"


@pytest.mark.parametrize("word", ["-q", "--quiet"])
def test_quiet_is_the_verdict_alone(word, mine, capsys):
    assert call(["symmetries", "mine.py:relu", "--input", "16x4", word]) == 0
    out, err = capsys.readouterr()
    assert out == "mine.py:relu: 3 generators in 1 family: 3 rescale\n" and "noether:" not in err
    assert call(["symmetries", "mine.py:plain", "--input", "16x4", word]) == 0
    assert capsys.readouterr().out == "mine.py:plain: no symmetry is found\n"


@pytest.mark.parametrize("word", ["-v", "--verbose"])
def test_verbose_cuts_no_list(word, mine, capsys):
    Path("many.py").write_text(
        "import torch\nfrom torch import nn\n"
        "class Many(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        one = lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))\n"
        "        self.all = nn.ModuleList(one() for _ in range(44))\n"
        "    def forward(self, x):\n"
        "        return torch.cat([one(x) for one in self.all], 1)\n"
    )
    words = ["symmetries", "many.py:Many", "--input", "64x2"]
    cut, whole = (call(x) in (0, 3) and capsys.readouterr().out for x in (words, [*words, word]))
    assert "more that are kept: --verbose has all" in cut and "--verbose" not in whole
    assert len(whole.splitlines()) > len(cut.splitlines())


def test_a_network_of_the_zoo_has_its_own_data_and_loss(capsys):
    pytest.importorskip("sklearn")
    found, _ = document(capsys, "tanh-mlp")
    assert counts(found) == {"translation": 17} and found["loss"] == "as given"
    assert call(["symmetries", "tanh-mlp", "--input", "4x13"]) == 2
    assert "must be given none" in capsys.readouterr().err


def test_a_shell_completes_the_names_of_the_zoo():
    words = {"_NOETHER_COMPLETE": "complete_bash", "COMP_WORDS": "noether symmetries tan", "COMP_CWORD": "2"}
    done = command_line(env={**importable(), **words})
    assert done.returncode == 0 and done.stdout.split() == ["tanh-mlp"], done.stderr
    assert known_networks("mine.py:Net") == []


def test_the_page_of_commands_has_the_names_of_its_json(mine, capsys):
    found, _ = document(capsys, "mine.py:relu", "--input", "16x4")
    assert set(found) - {"schema"} == documented()["`symmetries`"]


# ---- from Python


def test_the_module_and_the_random_numbers_are_left_as_they_were():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2))
    before, state = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    noether.symmetries(model, torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert torch.equal(state, torch.get_rng_state()) and all(p.grad is None for p in model.parameters())


def test_what_comes_back_has_families_and_a_table():
    y = torch.randn(8, 2)
    found = noether.symmetries(
        nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)),
        torch.randn(8, 4),
        lambda out: nn.functional.mse_loss(out, y.to(out.dtype)),
    )
    assert [f.kind for f in found.families] == ["rescale"]
    (row,) = found.table()
    assert row["moves"] == "0.weight 0.bias against 2.weight" and row["verdict"] == KEPT and row["spent"] <= 1
    assert repr(found) == "<Symmetries of Sequential: 3 generators in 1 family: 3 rescale>"


def test_a_loss_that_takes_no_float64_is_taken_by_its_slopes():
    def loss(out):
        if out.dtype != torch.float32:
            raise TypeError("float32 alone")
        return out.square().mean()

    found = noether.symmetries(
        nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.randn(8, 4), loss
    )
    assert [f.kind for f in found.families] == ["rescale"]
    assert "does not take outputs of float64 (TypeError: float32 alone)" in found.finding.notes[0]


def test_float64_and_lazy_modules_are_taken():
    double = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    found = noether.symmetries(double, torch.randn(8, 4, dtype=torch.float64))
    assert [f.kind for f in found.families] == ["rescale"] and "checked in float32" in found.finding.notes[0]
    lazy = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2))
    assert noether.symmetries(lazy, torch.randn(8, 4)).families[0].count == 3


def test_a_module_that_cannot_be_copied_cannot_be_asked_about():
    model = nn.Linear(3, 2)
    model.lock = __import__("threading").Lock()
    with pytest.raises(CannotRun, match="cannot be copied"):
        noether.symmetries(model, torch.randn(4, 3))


@pytest.mark.parametrize("columns", [80, 120])
def test_no_number_is_cut_off_at_the_edge_of_a_narrow_terminal(columns, mine, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert call(["symmetries", "mine.py:Net", "--input", "16x6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (head,) = [line for line in lines if line.startswith("kind")]
    (row,) = [line for line in lines if line.startswith("translation   ")]
    assert head.split()[-2:] == ["in", "eval"] and row.split()[-1][:2] in ("0.", "1.")
    assert (" at " in head) == (columns == 120)
