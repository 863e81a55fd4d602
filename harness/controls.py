"""Near-miss controls: the planted faults that every run of `verify` shows to its laws. Each must be killed.

A kernel control runs a wrong trajectory, in numpy, and hands it to the laws as if it were the declared one. A
law control judges a right trajectory by a wrong law. None of them touches the kernels that are under test. The
faults themselves are those of harness/faults; `noether faults` shows all of them, these are the near misses.
"""

from __future__ import annotations

from cases.case import Case
from harness import faults
from harness.faults.fault import Fault, LawFault
from harness.trajectory import Trajectory
from kernels.launch import Job
from kernels.rules import Rule

KERNEL_CONTROLS: tuple[Fault, ...] = faults.named(
    "no-op kernel", "gradient x 2", "gradient x (1 + 2^-10)", "ascent", "another loss, same symmetry", "breaking term ignored",
    "eta x (1 + 2^-10)", "beta x (1 + 2^-10)", "k off by 1 %", "decay coupled for decoupled", "decay decoupled for coupled",
    "decay applied after the step", "state 8 ulp off", "buffer 8 ulp off", "eta as float32", "bfloat16 store truncated", "momentum narrowed to the store",
    "Nesterov ignored", "dampening ignored", "first step dampened too", "maximize ignored",
    "metric ignored", "kappa x (1 + 2^-10)", "metric of the last position", "velocity kept for momentum",
    "schedule ignored", "schedule one step late", "schedule inside the buffer", "sign ignored", "normalisation left out",
    "tail lanes not written", "one lane in 10^4, last component", "NaN in one lane",
) + faults.placed.FAULTS  # fmt: skip
OWN = {f.name for f in (*faults.curved.FAULTS, *faults.rules.FAULTS)}
OF_RARE = ("no-op kernel", "ascent", "gradient x (1 + 2^-10)", "eta x (1 + 2^-10)", "state 8 ulp off", "NaN in one lane")
"""What a rare rule is shown beside its own near misses; the others are those of the common rules, and `noether faults` shows them."""
PLACED = tuple(f.name for f in faults.placed.FAULTS)
"""What a launch of the whole horizon is for."""
LANEWISE = ("tail lanes not written", "one lane in 10^4, last component", "NaN in one lane", *faults.placed.LANEWISE)
"""What a wide launch is for; the other controls are as visible on 61 lanes."""

NEAR_LAWS = ("dropped kinetic term", "doubled kinetic term", "kinetic term of heavy ball for Nesterov's", "mass eta/2 for eta(1+beta)/2",
             "friction off by 2^-10", "force g + k q for g + (1-beta) k q", "old kinetic term dropped",
             "kinetic term without its metric", "natural charge without its metric",
             "kinetic term without its schedule", "translation law at a constant rate", "squares for sizes", "charge across the simplex")  # fmt: skip
LAW_CONTROLS: tuple[LawFault, ...] = tuple(fault for fault in faults.LAW if fault.name in NEAR_LAWS)


def shown(control: Fault, rule: Rule, tag: str = "") -> bool:
    """Whether a cell shows a control: one that is tagged, what it is for, the others what is seen in a few steps."""
    if tag:
        return control.name in {"wide": LANEWISE, "placed": PLACED, "late": faults.placed.LATER}[tag]
    return control.name not in PLACED and (not rule.rare or control.name in OWN or control.name in OF_RARE)


def controlled(case: Case, job: Job, control: Fault) -> Trajectory:
    """The wrong trajectory, presented as the declared one."""
    return Trajectory.launched(case, job, *control.outcome(case, job))
