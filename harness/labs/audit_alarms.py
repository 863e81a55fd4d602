"""How often an audit accuses a right optimizer: torch's own under random settings, which must never happen.

Run as `python -m noether.labs.audit_alarms COUNT [SEED]`: it prints what it counted, and every alarm in full.
Each setting draws a class, its options, an implementation, a type and the script of gradients; the claim is
the class's own documentation, as claims.py has it.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch

from noether.campaigns.audit.arithmetic_part import judged
from noether.campaigns.audit.finding import INCONCLUSIVE, VIOLATED, Finding
from noether.campaigns.audit.rule_part import default_type, fitting_script
from noether.campaigns.audit.subject import DTYPES, Subject, observed
from noether.optimizers.claims import claimed

HALF = ("bfloat16", "float16")
LIKE = {
    "SGD": "sgd", "Adam": "adam", "AdamW": "adamw", "NAdam": "nadam", "RAdam": "radam", "Adamax": "adamax",
    "Adagrad": "adagrad", "RMSprop": "rmsprop", "Adadelta": "adadelta", "ASGD": "asgd", "Rprop": "rprop",
    "Adafactor": "adafactor",
}  # fmt: skip
FUSED = ("SGD", "Adam", "AdamW", "Adagrad")


def order(rng, low: float, high: float) -> float:
    """A number of a random order of magnitude."""
    return float(10.0 ** rng.uniform(low, high))


def memory(rng) -> float:
    """A memory between 0 and nearly 1, near 1 as often as not."""
    return float(rng.choice([rng.uniform(0.01, 0.99), 1 - order(rng, -4, -1), 0.9, 0.999]))


def with_moments(rng) -> dict:
    """Options of the Adam family."""
    return {"betas": (memory(rng), memory(rng)), "eps": order(rng, -12, -2), "maximize": coin(rng)}


def coin(rng) -> bool:
    """True or False."""
    return bool(rng.integers(2))


def of_sgd(rng) -> dict:
    """Options of SGD; Nesterov needs momentum and no dampening."""
    momentum = memory(rng) if coin(rng) else 0.0
    nesterov = momentum > 0 and coin(rng)
    dampening = float(rng.uniform(0, 0.9)) if momentum and not nesterov and coin(rng) else 0.0
    return dict(momentum=momentum, nesterov=nesterov, dampening=dampening, maximize=coin(rng))


def of_rmsprop(rng) -> dict:
    """Options of RMSprop."""
    momentum = memory(rng) if coin(rng) else 0.0
    return dict(alpha=memory(rng), eps=order(rng, -12, -2), momentum=momentum, centered=coin(rng))


def of_adagrad(rng) -> dict:
    """Options of Adagrad."""
    given = dict(lr_decay=order(rng, -4, 0)) if coin(rng) else {}
    given |= dict(initial_accumulator_value=order(rng, -4, 0)) if coin(rng) else {}
    return dict(eps=order(rng, -12, -2), maximize=coin(rng), **given)


OPTIONS: dict[str, Callable] = {
    "SGD": of_sgd, "RMSprop": of_rmsprop, "Adagrad": of_adagrad,
    "Adam": lambda rng: {**with_moments(rng), "amsgrad": coin(rng)},
    "AdamW": lambda rng: {**with_moments(rng), "amsgrad": coin(rng)},
    "NAdam": lambda rng: {**with_moments(rng), "decoupled_weight_decay": coin(rng)},
    "RAdam": lambda rng: {**with_moments(rng), "decoupled_weight_decay": coin(rng)},
    "Adamax": with_moments,
    "Adadelta": lambda rng: dict(rho=memory(rng), eps=order(rng, -12, -2), maximize=coin(rng)),
    "ASGD": lambda rng: dict(lambd=order(rng, -6, -1), alpha=float(rng.uniform(0.1, 1)), maximize=coin(rng)),
    "Rprop": lambda rng: dict(etas=(float(rng.uniform(0.1, 0.9)), float(rng.uniform(1.1, 2)))),
    "Adafactor": lambda rng: dict(d=order(rng, 0, 1), maximize=coin(rng)),
}  # fmt: skip


def drawn(rng) -> tuple[str, dict, str]:
    """A class, its options and a type."""
    name = str(rng.choice(list(OPTIONS)))
    given = {"lr": order(rng, -6, 0), **OPTIONS[name](rng)}
    if name != "Rprop":
        given["weight_decay"] = order(rng, -6, 0) if coin(rng) else 0.0
    dtype = str(rng.choice(list(DTYPES)))
    ways = ["for-loop", "foreach"] + (["fused"] if name in FUSED else [])
    way = str(rng.choice(ways))
    if name == "SGD" and dtype in HALF and way == "fused":  # wrong in torch 2.13: docs/audits
        way = "foreach"
    given |= {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}[way]
    return name, given, dtype


def judge(name: str, given: dict, dtype: str, seed: int) -> Finding:
    """The finding of one setting against the claim of its class."""
    subject = Subject(f"torch.optim:{name}", getattr(torch.optim, name), given)
    text, given = fitting_script(subject, seed)
    claim = claimed(LIKE[name], given)
    return judged("arithmetic", dtype, dtype, observed(subject, text, dtype), claim)


def main(words: list[str]) -> int:
    """Draw and judge; the exit code is 1 where a right optimizer was accused."""
    count, seed = int(words[0]), int(words[1]) if len(words) > 1 else 0
    torch.set_num_threads(1)
    # NAdam and ASGD keep numbers in the default type: docs/audits
    with default_type(torch.float64), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return counted(count, seed)


def counted(count: int, seed: int) -> int:
    """Judge so many settings, and print what came out."""
    rng, found, begun = np.random.default_rng(seed), Counter(), time.monotonic()
    for i in range(count):
        name, given, dtype = drawn(rng)
        finding = judge(name, given, dtype, int(rng.integers(2**31)))
        found[finding.verdict] += 1
        found[f"{name} {finding.verdict}"] += finding.verdict == INCONCLUSIVE
        if finding.verdict == VIOLATED:
            print("ALARM", name, given, dtype, finding.spent, finding.reason, flush=True)
        if (i + 1) % 1000 == 0:
            print(f"{i + 1} settings, {time.monotonic() - begun:.0f} s: {dict(found)}", flush=True)
    print(f"{count} settings of seed {seed}: {dict(found)}")
    return int(found[VIOLATED] > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
