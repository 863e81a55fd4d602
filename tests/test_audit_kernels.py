"""`noether audit` takes a Triton kernel by its name, as it takes an optimizer."""

import os
from pathlib import Path

import pytest

if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
    pytest.skip("TRITON_INTERPRET is set: this process cannot compile", allow_module_level=True)
pytest.importorskip("triton")
pytest.importorskip("torch")

import noether
from noether.campaigns.audit.examine import examined
from noether.campaigns.audit.finding import DEVIATES, HOLDS, OBEYS, UNDECIDED, VIOLATED, Audit
from noether.campaigns.audit.target import loaded
from noether.system.usage import UsageError

KERNEL = """
import noether
import triton
import triton.language as tl


@triton.jit
def descend(q_ptr, g_ptr, lr, weight_decay, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = at < n
    q = tl.load(q_ptr + at, mask=live)
    g = tl.load(g_ptr + at, mask=live)
    tl.store(q_ptr + at, (q - lr * STEP).to(q.dtype), mask=MASK)


audit_descend = noether.triton_adapter(
    descend,
    parameters="q_ptr",
    gradient="g_ptr",
    count="n",
    numbers={"lr": 0.125, "weight_decay": 0.1},
    constexpr={"BLOCK": 128},
    types=("float32", "bfloat16"),
)
"""
RIGHT = "(g + weight_decay * q)"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """write(name, step, mask) -> the path of a file with a kernel of these lines."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, step: str = RIGHT, mask: str = "live") -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(KERNEL.replace("STEP", step).replace("MASK", mask))
        return path

    return write


def found(path: Path, name: str = "descend", like="sgd", **options) -> Audit:
    return Audit(name, tuple(examined(loaded(f"{path}:{name}", options), like)))


@pytest.mark.parametrize("name", ("descend", "audit_descend"))
def test_a_kernel_that_is_right_obeys_its_rule(written, name):
    audit = found(written("right_one"), name)
    assert audit.verdict == OBEYS and audit.exit_code == 0
    verdicts = {(x.part, x.name): x.verdict for x in audit.findings}
    types = [name for (part, name), verdict in verdicts.items() if part == "arithmetic" and verdict == HOLDS]
    assert sorted(types) == ["bfloat16", "float32"] and ("arithmetic", "float64") not in verdicts
    assert verdicts["implementations", "launches float32"] == HOLDS
    assert all(x.spent is None or x.spent <= 1 for x in audit.findings)


@pytest.mark.parametrize(
    ("step", "mask", "part", "reason"),
    [
        ("g", "live", "rule", "it differs from sgd first in step 1"),
        ("(g + 2 * weight_decay * q)", "live", "rule", "it differs from sgd first in step 1"),
        ("(0.999 * g + weight_decay * q)", "live", "rule", "it differs from sgd first in step 1"),
        (RIGHT, "at < n + 1", "implementations", "elements outside q_ptr, first at 2064"),
        (RIGHT, "at < n - n % 2", "implementations", "1 elements, aligned: step 1 leaves out 1 parameters"),
    ],
)
def test_a_kernel_that_is_wrong_is_told_where(written, step, mask, part, reason):
    audit = found(written("wrong_one", step, mask))
    assert audit.verdict == DEVIATES and {x.part for x in audit.deviations} >= {part}
    assert any(reason in x.reason for x in audit.deviations if x.part == part)


def test_the_rule_of_a_kernel_is_found_without_a_claim(written):
    rule = found(written("right_one"), like=None, lr=0.5).rule
    assert rule.verdict == HOLDS and abs(rule.data["numbers"]["lr"][0] - 0.5) < 1e-9
    assert abs(rule.data["numbers"]["weight decay"][0] - 0.1) < 1e-9


def test_a_kernel_is_audited_in_a_process_of_its_own(written):
    path = written("right_one")
    audit = noether.audit(f"{path}:descend", like="sgd", parts=("rule",), lr=0.25)
    assert audit.verdict == OBEYS and audit.trouble is None and audit.rule.data["numbers"]["lr"][0] == 0.25
    with pytest.raises(UsageError, match="option is 'momentum', must be one of lr, weight_decay, BLOCK"):
        noether.audit(f"{path}:descend", momentum=0.5)


def test_an_adapter_of_this_process_is_audited(written):
    from importlib import import_module

    written("adapter_of_this_process")
    adapter = import_module("adapter_of_this_process").audit_descend
    audit = noether.audit(adapter, like="sgd", parts=("rule",))
    assert audit.verdict == OBEYS and audit.target == "descend"


def test_a_kernel_that_cannot_be_evaluated_is_not_decided(written):
    path = written("exchanging", "(g / tl.max(tl.abs(g)) + weight_decay * q)")
    audit = noether.audit(f"{path}:descend", like="sgd", parts=("rule",))
    assert audit.verdict == UNDECIDED and "cannot be evaluated on this CPU" in audit.trouble


def test_a_kernel_without_an_adapter_is_refused(written):
    path = written("bare")
    path.write_text(path.read_text().split("audit_descend =")[0])
    with pytest.raises(
        UsageError, match="the file has no adapter for descend: must have noether.triton_adapter"
    ):
        loaded(f"{path}:descend", {})


def test_violations_of_a_kernel_have_no_script_of_torch(written):
    audit = found(written("wrong_one", "g"))
    assert all(x.script is None for x in audit.findings if x.verdict == VIOLATED)
