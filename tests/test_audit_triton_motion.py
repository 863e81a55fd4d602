"""An audit names the rule that a Triton kernel obeys, from its PTX alone, and what it does otherwise."""

import os
import re
from dataclasses import replace

import numpy as np
import pytest

if os.environ.get("TRITON_INTERPRET", "0") not in ("", "0"):
    pytest.skip("TRITON_INTERPRET is set: this process cannot compile", allow_module_level=True)
pytest.importorskip("triton")
pytest.importorskip("torch")

import ptx_audit_kernels as kernels
from adamw_adapter import KINDS, adamw

import noether
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, VIOLATED
from noether.campaigns.audit.fitting import worst
from noether.campaigns.audit.fused_subject import FusedSubject
from noether.campaigns.audit.identify import identify, name_of
from noether.campaigns.audit.scripted import script
from noether.campaigns.audit.subject import TargetError
from noether.campaigns.audit.target import loaded
from noether.campaigns.audit.triton_motion import TritonSubject
from noether.campaigns.audit.triton_target import TritonTarget
from noether.kernels import fused
from noether.optimizers.claims import claimed
from noether.system.usage import UsageError

ADAMW = dict(lr=1e-2, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_moves_as_the_rule_that_it_is(kind):
    motion = TritonSubject(adamw()).observed(script(), kind)
    assert 0.5 < motion.spent <= 1 and not motion.told.unknown
    assert worst(claimed("adamw", ADAMW), motion.seen) <= 1
    assert motion.states == {"m_ptr": "float32", "s_ptr": "float32"}
    assert set(motion.told.kinds) == {"float32", kind} - {"float64"}  # its arithmetic is float32
    # What it means is known to far less than float32 rounds, whatever it is stored in.
    assert (motion.seen.error <= 2.0**-48 * motion.seen.size).all()


@pytest.mark.parametrize(
    ("options", "known"),
    [
        (dict(ADAMW, betas=(0.9, 0.99 * (1 + 2.0**-20))), {}),
        (dict(ADAMW, weight_decay=0.1 * (1 + 2.0**-20)), {}),
        (ADAMW, {"c1": lambda step, numbers: 1 - numbers["beta1"] ** (step + 1)}),
        (ADAMW, {"c2": lambda step, numbers: 1.0}),
    ],
)
def test_another_rule_than_is_claimed_is_seen_in_every_type(options, known):
    for kind in ("float32", "bfloat16"):
        motion = TritonSubject(adamw(**known)).observed(script(), kind)
        assert motion.spent <= 1 < worst(claimed("adamw", options), motion.seen)


def test_the_rule_of_a_kernel_is_found_with_its_numbers():
    motion = TritonSubject(adamw()).observed(script(), "bfloat16")
    found = identify(motion.seen, dict(k=0.1, eta=0.01), ())
    assert found.fits and name_of(found.anatomy) == "AdamW"
    for name, value in dict(eta=0.01, beta=0.9, beta2=0.99, k=0.1, stability=1e-8).items():
        assert abs(found.anatomy.values[name] - value) < 2.0**-30 * value


def test_a_subject_with_other_numbers_moves_by_them():
    subject = TritonSubject(adamw()).having(lr=0.02, BLOCK=64)
    assert subject.word == "adamw" and subject.options["lr"] == 0.02
    assert subject.adapter.constexpr == {"CAST": False, "BLOCK": 64}
    motion = subject.observed(script(), "float32")
    assert worst(claimed("adamw", dict(ADAMW, lr=0.02)), motion.seen) <= 1
    assert worst(claimed("adamw", ADAMW), motion.seen) > 1
    with pytest.raises(UsageError, match="option is 'momentum', must be one of lr, beta1, beta2"):
        subject.having(momentum=0.9)


def test_a_state_that_goes_through_bfloat16_is_told_by_its_instruction():
    target = TritonTarget(adamw(cast=True), np.ones(16))
    target.step(np.ones(16))
    assert set(target.kinds) == {"float32", "bfloat16"} and "cvt.rn.bf16" in target.kinds["bfloat16"]
    motion = TritonSubject(adamw(cast=True), misaligned=True).observed(script(), "float32")
    assert motion.spent <= 1 and "bfloat16" in motion.told.kinds


CLAIMS = (
    (fused.AdamW, "adamw", ADAMW),
    (fused.AdamW, "adam", dict(ADAMW, decoupled=False)),
    (fused.SGD, "sgd", dict(lr=0.01, momentum=0.9, dampening=0.25, weight_decay=0.1)),
    (fused.SGD, "sgd", dict(lr=0.01, momentum=0.9, nesterov=True, maximize=True)),
    (fused.SGD, "sgd", dict(lr=0.01, weight_decay=0.1)),
    (fused.Lion, "lion", dict(lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)),
)


@pytest.mark.parametrize(
    ("kind", "misaligned"), [("float64", False), ("float32", True), ("bfloat16", False), ("float16", True)]
)
def test_our_own_optimizers_obey_their_rules(kind, misaligned):
    for optimizer, name, given in CLAIMS:
        subject = replace(FusedSubject.of(optimizer, given), misaligned=misaligned)
        motion = subject.observed(script(), kind)
        claim = claimed(name, {key: x for key, x in given.items() if key != "decoupled"})
        assert 0.5 < motion.spent <= 1 and not motion.told.unknown, given
        assert worst(claim, motion.seen) <= 1, given
        assert bool(motion.states) == (optimizer is not fused.SGD or "momentum" in given)


def test_an_audit_takes_our_own_optimizers_by_their_kernels():
    subject = loaded("noether.kernels.fused:SGD", dict(lr=0.5))
    assert isinstance(subject, FusedSubject) and subject.options["lr"] == 0.5 and subject.widest == "float64"
    assert subject.having(momentum=0.5).options == {**subject.options, "momentum": 0.5}
    found = list(subject.launches(0))
    assert len(found) == 4 and {x.verdict for x in found} == {HOLDS}
    with pytest.raises(UsageError, match="SGD cannot be made with .*: lr is -1, must be a finite number"):
        subject.having(lr=-1)


def test_rounding_at_random_is_seen_as_rounding_in_one_direction():
    subject = FusedSubject.of(fused.SGD, dict(lr=0.01, stochastic=True, seed=3))
    assert subject.widest == "bfloat16"
    target = TritonTarget(subject.adapter, np.linspace(-1, 1, 500), "bfloat16")
    target.step(np.linspace(1, 2, 500))
    real, value, error = target.parameters()
    assert not target.undecided and target.executed[0].notes.directed
    most = np.max(np.abs(real - value) / error)
    assert 0.9 < most <= 1
    motion = subject.observed(script(), "bfloat16")
    assert motion.spent <= 1 and worst(claimed("sgd", dict(lr=0.01)), motion.seen) <= 1


def test_arrays_of_a_type_that_no_kernel_reads_are_refused():
    given = dict(
        parameters="q_ptr", gradient="g_ptr", state={"v_ptr": 0.0}, count="n", constexpr={"BLOCK": 128}
    )
    adapter = noether.triton_adapter(
        kernels.momentum, **given, tensors={"lr_ptr": lambda step, numbers: np.array(["much"])}
    )
    with pytest.raises(UsageError, match="tensors lr_ptr gives .*: must be float64, float32, int32, int64"):
        TritonTarget(adapter, np.ones(3)).step(np.ones(3))


def integers(how, **changes):
    given = dict(
        parameters="q_ptr", gradient="g_ptr", count="n", numbers={"lr": 0.5}, kinds={"g_ptr": "float32"}
    )
    given |= dict(raw_bfloat16=True, types="bfloat16", constexpr={"HOW": how, "BLOCK": 128})
    return noether.triton_adapter(kernels.descent_in_integers, **{**given, **changes})


def test_what_is_not_understood_is_never_a_motion():
    motion = TritonSubject(integers("nearest")).observed(script(), "bfloat16")
    assert motion.spent <= 1 and worst(claimed("sgd", dict(lr=0.5)), motion.seen) <= 1
    with pytest.raises(
        TargetError, match="it is evaluated on this CPU: CannotRun: not decided: PTX line .* xor"
    ):
        TritonSubject(integers("another")).observed(script(), "bfloat16")


def test_a_type_that_a_kernel_is_not_written_for_is_refused():
    subject = TritonSubject(integers("nearest"))
    assert subject.widest == "bfloat16" and TritonSubject(adamw()).widest == "float64"
    with pytest.raises(
        TargetError, match="it is compiled: UsageError: its adapter says that it is for bfloat16"
    ):
        subject.observed(script(), "float32")
    with pytest.raises(UsageError, match=r"types are \('int8',\), must be some of float64, float32"):
        integers("nearest", types=("int8",))


@pytest.mark.parametrize("block", (128, 1024))
@pytest.mark.parametrize("arch", (80, 90))
def test_arithmetic_of_bfloat16_itself_is_followed(arch, block):
    given = dict(lr=0.01, beta1=0.9, beta2=0.99, decay=0.1)
    adapter = noether.triton_adapter(
        kernels.lion,
        parameters="q_ptr",
        gradient="g_ptr",
        state={"m_ptr": 0.0},
        count="n",
        numbers=given,
        constexpr={"BLOCK": block},
    )
    target = TritonTarget(adapter, np.linspace(-1, 1, 1008), "bfloat16", arch=arch)
    for seed in range(3):
        target.step(np.random.default_rng(seed).normal(size=1008))
    assert not target.undecided and not target.general and "bf16" in target.kinds["bfloat16"]
    for real, value, error in (target.parameters(), *target.state().values()):
        assert 0.5 < np.max(np.abs(real - value) / error) <= 1
    motion = TritonSubject(adapter).observed(script(), "bfloat16")
    claim = claimed("lion", dict(lr=0.01, betas=(0.9, 0.99), weight_decay=0.1))
    assert motion.spent <= 1 and worst(claim, motion.seen) <= 1


def descent(**changes):
    given = dict(parameters="q_ptr", gradient="g_ptr", count="n", numbers={"lr": 0.5}, types="float32")
    return noether.triton_adapter(kernels.without_mask, **{**given, "constexpr": {"BLOCK": 16}, **changes})


def test_every_launch_of_a_right_kernel_steps_its_elements_alike():
    found = list(TritonSubject(adamw()).launches(0))
    assert {x.name for x in found} == {f"launches {kind}" for kind in KINDS}
    assert {x.verdict for x in found} == {HOLDS}


@pytest.mark.parametrize(
    ("adapter", "reason"),
    [
        (
            descent,
            r"1 elements, aligned: step 1 stores 15 elements outside q_ptr, first at 1: must store within",
        ),
        (lambda: descent(grid=lambda n: 1), "2064 elements, aligned: step 1 leaves out 2048 parameters"),
        (lambda: adamw(c2=lambda step, numbers: 1.0 + sizes.pop()), "are others than in a launch of 2064"),
    ],
)
def test_a_launch_that_does_otherwise_is_named(adapter, reason):
    sizes[:] = np.linspace(0, 1, 200)  # a number that is another one in every launch
    found = next(TritonSubject(adapter()).launches(0))
    assert found.verdict == VIOLATED and re.search(reason, found.reason), found.reason


sizes: list[float] = []


def test_a_launch_that_cannot_be_evaluated_is_not_decided():
    given = dict(
        parameters="q_ptr", gradient="g_ptr", count="n", numbers={"lr": 0.5}, constexpr={"BLOCK": 128}
    )
    found = list(TritonSubject(noether.triton_adapter(kernels.clipped, **given)).launches(0))
    assert {x.verdict for x in found} == {INCONCLUSIVE} and len(found) == 3
