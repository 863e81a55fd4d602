"""The code under audit runs in a process of its own: what it does there does not reach the audit."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import noether  # noqa: E402
from noether.api.audit import word_of  # noqa: E402
from noether.campaigns.audit import process, target  # noqa: E402
from noether.campaigns.audit.numpy_shadow import Shadowed  # noqa: E402
from noether.cli.pytest_plugin import Noether  # noqa: E402
from noether.system import named  # noqa: E402
from noether.system.usage import UsageError  # noqa: E402

RULE = ("rule",)
HEAD = "import os, sys, time, torch\n"
PLAIN = """
def step(q, g, state, lr=0.01, beta=0.9):
    state["b"] = beta * state.get("b", 0 * g) + g
    q -= lr * state["b"]
"""
BAD = {
    "prints": (
        "print('x' * 10_000_000); os.write(1, b'noise'); os.write(2, b'noise')\n" + PLAIN,
        "obeys",
        None,
    ),
    "leaves": (PLAIN.replace("    state", "    sys.exit(0)\n    state", 1), "not decided", "SystemExit"),
    "ends": (PLAIN.replace("    state", "    os._exit(0)\n    state", 1), "not decided", "ends its process"),
    "raises": (PLAIN.replace("    state", "    1 / 0\n    state", 1), "not decided", "ZeroDivisionError"),
    "imports nothing": ("import no_such_module\n" + PLAIN, "not decided", "ModuleNotFoundError"),
    "forks": ("os.fork()\n" + PLAIN, "obeys", None),
    "changes torch": ("torch.set_default_dtype(torch.float64)\n" + PLAIN, "obeys", None),
}


@pytest.fixture(scope="module", autouse=True)
def optimizers():
    """What torch loads for a first optimizer takes a second, which each fork of this process would spend."""
    import torch._dynamo  # noqa: F401

    from noether.campaigns.audit import examine  # noqa: F401


def forked(word: str):
    """The audit of a file, by one rule, in a fork of this process, which has torch already."""
    return process.audited_object(word, lambda: target.loaded(word, {}), "heavy-ball", 0, RULE)


def written(tmp_path, text: str) -> str:
    path = tmp_path / "mine.py"
    path.write_text(HEAD + text)
    return f"{path}:step"


@pytest.mark.parametrize("name", BAD)
def test_what_a_file_does_is_told_and_nothing_else_happens(name, tmp_path, capfd):
    text, verdict, trouble = BAD[name]
    found = forked(written(tmp_path, text))
    assert found.verdict == verdict, found
    assert trouble is None and found.trouble is None or trouble in found.trouble
    assert capfd.readouterr() == ("", "")


def test_what_hangs_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    monkeypatch.setenv(process.SECONDS_VARIABLE, "6")
    mark = f"30.{os.getpid()}"
    text = f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'])\ntime.sleep(60)\n" + PLAIN
    begun = time.monotonic()
    found = forked(written(tmp_path, text))
    assert time.monotonic() - begun < 20
    assert found.verdict == "not decided" and "does not finish within 6 s" in found.trouble
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert mark not in listed


def test_memory_past_the_limit_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv(process.MEMORY_VARIABLE, "2")
    text = PLAIN.replace("    state", "    b = bytearray(4 * 2**30)\n    state", 1)
    found = forked(written(tmp_path, text))
    assert found.verdict == "not decided" and "MemoryError" in found.trouble


def test_a_factory_that_only_this_process_has_is_audited_in_a_fork():
    rate = 0.05
    found = noether.audit(lambda parameters: torch.optim.SGD(parameters, lr=rate), like="sgd", parts=RULE)
    assert found.verdict == "obeys" and "lr 0.05" in found.rule.reason


def test_a_class_is_found_by_its_name_in_another_python_and_its_deviation_is_shown_by_torch_alone():
    assert word_of(torch.optim.SGD) == "torch.optim.sgd:SGD"
    found = noether.audit(torch.optim.AdamW, like="adam", weight_decay=0.1, parts=RULE)
    assert found.verdict == "deviates" and "shrinks the parameter by lr times k" in found.rule.reason
    assert found.exit_code == 1
    text = found.deviations[0].script
    assert len(text.splitlines()) < 20 and "noether" not in text
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 3 and done.stdout.startswith("got ")


@pytest.mark.parametrize(
    "word, options, words",
    [
        ("torch.optim", {}, "must be package.module:Name"),
        ("torch.optim:Nope", {}, "torch.optim has no Nope"),
        ("no_such_package:X", {}, "cannot be imported"),
        ("nothing.py:X", {}, "nothing.py is no file"),
        ("torch.optim:SGD", {"lr": "x"}, "cannot be made with lr='x'"),
        ("torch.optim:lr_scheduler", {}, "must be a class or a function"),
        ("torch.nn:Linear", {}, "must be an optimizer"),
    ],
)
def test_wrong_words_are_refused_in_one_line(word, options, words):
    with pytest.raises(UsageError, match=words) as caught:
        process.audited_object(word, lambda: target.loaded(word, options), None, 0, RULE)
    assert "\n" not in str(caught.value)


def test_an_option_that_cannot_be_told_to_another_python_is_refused():
    with pytest.raises(UsageError, match="must be a number, flag, text"):
        noether.audit("torch.optim:SGD", lr=object())


def test_wrong_parts_and_rules_are_refused():
    with pytest.raises(UsageError, match="part is 'nope', must be one of rule"):
        noether.audit("torch.optim:SGD", parts=["nope"])
    with pytest.raises(UsageError, match="like is 'nope', must be one of"):
        noether.audit(lambda p: torch.optim.SGD(p), like="nope", parts=RULE)


def test_options_are_read_as_python_writes_them():
    assert named.options_of(["lr=0.03", "betas=(0.9, 0.99)", "nesterov=True", "mode=fast"]) == {
        "lr": 0.03, "betas": (0.9, 0.99), "nesterov": True, "mode": "fast"
    }  # fmt: skip
    for wrong, words in (["lr"], "must be NAME=VALUE"), (["a=1", "a=2"], "given twice"):
        with pytest.raises(UsageError, match=words):
            named.options_of(wrong)


def test_a_step_function_of_arrays_is_audited_too(tmp_path):
    word = written(tmp_path, PLAIN + "step.arrays = True\n")
    parts = ("rule", "arithmetic")
    found = process.audited_object(word, lambda: target.loaded(word, {}), None, 0, parts)
    assert found.verdict == "obeys" and found.rule.name == "SGD with momentum"
    assert [x.verdict for x in found.findings if x.part == "arithmetic"] == ["holds"] * 4


def test_a_result_that_is_put_into_a_plain_array_is_refused_with_what_it_must_be():
    q = Shadowed(torch.ones(3))
    plain = np.zeros(3)
    with pytest.raises(TypeError, match="must be one like q, as of numpy.zeros_like"):
        plain += q
    kept = np.zeros_like(q)
    kept += q
    assert kept.tensor.tolist() == [1, 1, 1]


def test_the_fixture_fails_with_what_deviates(tmp_path):
    mine = Noether(tmp_path, tmp_path)
    assert mine.audit(lambda p: torch.optim.SGD(p), like="sgd", parts=RULE).verdict == "obeys"
    with pytest.raises(AssertionError, match="deviates\n.*shrinks the parameter by lr times k"):
        mine.audit(lambda p: torch.optim.AdamW(p, weight_decay=0.1), like="adam", parts=RULE)


RIGHT = """
class Counted(torch.optim.Optimizer):
    def __init__(self, params, lr=0.01):
        super().__init__(params, dict(lr=lr))

    def step(self, closure=None):
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                state = self.state[p]
                if not state:
                    state.update(count=torch.zeros(()), m=torch.zeros_like(p), v=torch.zeros_like(p))
                    state["h"] = torch.zeros_like(p)
                state["count"] += 1
                n = float(state["count"])
                state["m"].mul_(0.9).add_(p.grad, alpha=1 - 0.9)
                state["v"].mul_(0.99).addcmul_(p.grad, p.grad, value=1 - 0.99)
                state["h"] = torch.where(state["v"] > state["h"], state["v"], state["h"])
                below = (state["h"] / (1 - 0.99**n)).sqrt() + 1e-8
                p.sub_(self.param_groups[0]["lr"] * (state["m"] / (1 - 0.9**n)) / below)

def signs(q, g, state, lr=0.01):
    m = state.get("m", 0 * g)
    c = 0.9 * m + (1 - 0.9) * g
    q -= lr * ((c > 0).to(q.dtype) - (c < 0).to(q.dtype))
    state["m"] = 0.99 * m + (1 - 0.99) * g

class Trusting(Counted):
    def __init__(self, params, lr=0.01, weight_decay=0.01):
        torch.optim.Optimizer.__init__(self, params, dict(lr=lr, weight_decay=weight_decay))

    def step(self, closure=None):
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                state = self.state[p]
                if not state:
                    state.update(n=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                state["n"] += 1
                state["m"].lerp_(p.grad, 1 - 0.9)
                state["v"].mul_(0.999).addcmul_(p.grad, p.grad, value=1 - 0.999)
                m, v = state["m"] / (1 - 0.9 ** state["n"]), state["v"] / (1 - 0.999 ** state["n"])
                u = m / (v.sqrt() + 1e-6) + self.defaults['weight_decay'] * p
                p.sub_(self.param_groups[0]["lr"] * p.norm() / u.norm() * u)
"""


@pytest.mark.parametrize("name, like", [("Counted", "amsgrad"), ("signs", "lion"), ("Trusting", "lamb")])
def test_right_optimizers_that_are_written_otherwise_obey(name, like, tmp_path):
    """Counters of another name, choices by comparison, signs of what vanishes, numbers that nobody gave."""
    path = tmp_path / "mine.py"
    path.write_text(HEAD + RIGHT)
    word, parts = f"{path}:{name}", ("rule", "arithmetic")
    found = process.audited_object(word, lambda: target.loaded(word, {}), like, 0, parts)
    assert found.verdict == "obeys", [(x.name, x.verdict, x.reason) for x in found.findings]
