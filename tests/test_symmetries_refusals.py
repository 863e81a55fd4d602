"""`noether symmetries` of wrong input: one line with what is, what it must be, and where; exit code 2."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from processes import python  # noqa: E402
from test_symmetries import MINE  # noqa: E402
from torch import nn  # noqa: E402

import noether  # noqa: E402
from noether.campaigns.symmetries import inputs  # noqa: E402
from noether.cli.main import call  # noqa: E402
from noether.system.machine import importable  # noqa: E402
from noether.system.usage import UsageError  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
REFUSED = [
    ("relu-mpl", "did you mean relu-mlp", "path/to/file.py:Name"),
    ("mine.py", "must be package.module:Name or path/to/file.py:Name", "mine.py:Net"),
    ("absent.py:Net", "absent.py is no file"),
    ("no.such.package:Net", "no.such.package cannot be imported", "must be installed here"),
    ("mine.py:Nett", "mine.py has no Nett, must be one of", "Net"),
    ("broken.py:Net", "broken.py cannot be imported: ZeroDivisionError", "(broken.py, line 2)"),
    ("mine.py:number", "mine.py:number is 7, must be a module of PyTorch"),
    ("mine.py:no_module", "gives (int, int), must give a torch.nn.Module"),
    ("mine.py:raises", "cannot be made with no options: KeyError: 'no such thing'", "(mine.py, line"),
    ("mine.py:leaves", "cannot be made", "SystemExit: 3"),
    ("mine.py:bad_loss", "must give one number with its graph"),
    ("mine.py:frozen --input 8x4", "has no parameter that is trained"),
    ("mine.py:plain --arg width=3 --input 8x4", "is a module that is made already, must be given no options"),
    ("mine.py:Net --arg widht=3 --input 8x6", "cannot be made with {'widht': 3}: TypeError"),
    ("mine.py:Net --arg width --input 8x6", "must be NAME=VALUE"),
    ("mine.py:Net", "forward(x): must be given --input for each, as --input 16x6"),
    ("mine.py:Words", "forward(tokens, scale=2)", "--input 16x7:9"),
    ("mine.py:Words --input 8x5", "fails on float32[8, 5]", "whole numbers below 100 are --input 16x7:100"),
    ("mine.py:Words --input 8x5:90", "fails on int64[8, 5]: IndexError"),
    ("mine.py:Net --input 16x7", "fails on float32[16, 7]: RuntimeError: mat1 and mat2", "(mine.py, line"),
    ("mine.py:Net --input 16x6 --input 3", "fails on float32[16, 6], float32[3]: TypeError"),
    ("mine.py:with_loss --input 16x6", "gives its own inputs, must be given none"),
    ("mine.py:Net --input 16by6", "--input is '16by6', must be a shape as 16x1x8x8"),
    ("mine.py:Net --input 0x6", "must be a shape"),
    ("mine.py:Net --input 99999x99999", "must have at most"),
    ("mine.py:Net --input 16x6 --seed -1", "--seed is -1"),
    ("mine.py:Net --input 16x6 --discover", "has 63 numbers that are trained, must have at most 40"),
]


@pytest.mark.parametrize(
    "words, told", [(words, told) for words, *told in REFUSED], ids=lambda x: str(x)[:40]
)
def test_wrong_input_is_one_line_and_exit_code_2(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    Path("broken.py").write_text("x = 1\nx / 0\n")
    assert call(["symmetries", *words.split()]) == 2
    out, err = capsys.readouterr()
    said = [line for line in err.splitlines() if line.startswith("noether:")]
    assert out == "" and len(said) == 1 and all(x in said[0] for x in told), err


@pytest.mark.parametrize("package, word", [("torch", "relu-mlp"), ("sklearn", "relu-mlp")])
def test_what_is_not_installed_is_named_with_its_extra(package, word):
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from noether.cli.main import call; sys.exit(call(['symmetries', {word!r}]))"
    )
    done = python("-c", program, env=importable())
    extra = {"torch": "[torch]", "sklearn": "[networks]"}[package]
    assert done.returncode == 2 and "not installed" in done.stderr and extra in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_from_python_too():
    for given, told in (
        ((nn.Linear(3, 2), 5), "the inputs of Linear are 5, must be a tensor"),
        ((nn.Linear(3, 2), torch.randn(4, 3), 7), "the loss of Linear is 7, must be a function"),
        ((7, torch.randn(3)), "must be a module of PyTorch"),
        ((nn.Linear(3, 2), torch.full((4, 3), float("nan"))), "outputs that are not finite"),
    ):
        with pytest.raises(UsageError, match="(?s)" + told.replace("(", r"\(")):
            noether.symmetries(*given)


def test_a_hint_for_inputs_is_what_the_first_layer_reads():
    for module, hint in (
        (nn.Linear(7, 2), "16x7"),
        (nn.Embedding(50, 2), "16x7:50"),
        (nn.Conv2d(3, 4, 3), "16x3x8x8"),
        (nn.LSTM(5, 4), "16x7x5"),
        (nn.ReLU(), "16x3x8x8"),
    ):
        assert inputs.likely(module) == hint
    assert str(inputs.wanted(["16x7:100"])[0]) == "16x7:100"
