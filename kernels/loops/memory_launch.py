"""What a launch of many parameters hands to its kernel: a memory for each lane, a table and constants.

A job of kernels/loops/launch.py whose gradient has loops is one of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from noether.cases.rule import Rule
from noether.kernels.programs.loop_program import LoopProgram
from noether.kernels.programs.loop_text import constants_of, memory_size, printed
from noether.kernels.programs.precision import Precision
from noether.kernels.programs.step_loops import step_loops
from noether.kernels.programs.trace_rule import Apart


@dataclass(frozen=True, eq=False)
class Memory:
    """The step of a launch as text, with all that it reads.

    text  of its function;  slots  how many numbers the memory of a lane has;  table, constants  arrays
    """

    text: str
    slots: int
    table: np.ndarray
    constants: np.ndarray


@cache
def memory(program: LoopProgram, metric, rule: Rule | Apart, precision: Precision) -> Memory:
    """The step of a launch. Raises TraceError where a rule has a part that iterates."""
    step = step_loops(program, metric, rule, rule.inputs)
    text = printed(step, precision)
    table = np.concatenate(text.table)
    return Memory(text.text, memory_size(step), table, constants_of(step, precision))


def in_memory(program) -> bool:
    """Whether a launch of this gradient keeps its state in memory."""
    return isinstance(program, LoopProgram)


def pointers(precision: Precision) -> dict[str, str]:
    """The further arrays of the kernel, by name, with the kind of their buffers."""
    return {"mem_ptr": precision.arith, "table_ptr": "int32", "constants_ptr": "float64"}


def buffers(of: Memory, precision: Precision, lanes: int) -> list[np.ndarray]:
    """Fresh ones for these."""
    return [np.zeros((of.slots, lanes), precision.arith), of.table, of.constants]


def kernel():
    """The @triton.jit function."""
    from noether.kernels.loops.memory_loop import trajectory

    return trajectory


def stepping(of: Memory, rule: Rule, d: int, precision: Precision) -> dict:
    """The compile-time parameters of the kernel that say what a step is."""
    import triton.language as tl

    from noether.kernels.programs.triton_text import compiled_text

    return {
        "STEP": compiled_text(of.text),
        "D": d,
        "V": d * len(rule.buffers),
        "ARITH": getattr(tl, precision.arith),
        "Q_KIND": precision.q_store,
        "V_KIND": precision.v_store,
    }
