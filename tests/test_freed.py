"""What a finished cell leaves behind: no interpreter, no freed memory, no instructions of kernels."""

import gc
import os

import numpy as np
import pytest

from noether.kernels.loops import backends, launch
from noether.kernels.ptx import native
from noether.kernels.ptx.parse import Instruction
from noether.laws.exact.cell import LaunchCell
from noether.runs.execute import FEW, run_cell, together
from noether.runs.known_answers import launch as smallest
from noether.system import freed
from noether.system.memorypeak import resident_set


def cell(backend: str, precision: str = "float64") -> LaunchCell:
    return LaunchCell(smallest()[0], "heavy-ball", precision, backend, "exact", ("D0",), 5, 1, 3)


@pytest.mark.skipif(bool(launch.missing("triton-interpreted")), reason="Triton does not interpret here")
def test_the_interpreter_stays_for_the_next_interpreted_cell_and_ends_with_the_first_other():
    assert run_cell(cell("triton-interpreted")).records
    kept = backends.interpreter()
    assert run_cell(cell("triton-interpreted", "float32")).records and backends.interpreter() is kept
    assert run_cell(cell("numpy")).records and backends._INTERPRETER is None


@pytest.mark.parametrize("many", [0, 1, FEW, FEW + 1, 3 * FEW])
def test_what_is_interpreted_goes_first_and_where_it_is_little_together(many):
    cells = [cell("numpy"), *(cell("triton-interpreted") for _ in range(many)), cell("numpy", "float32")]
    groups = together(cells)
    assert sorted(map(id, cells)) == sorted(id(c) for g in groups for c in g)
    kinds = [{c.backend for c in g} for g in groups]
    interpreted = min(many, 1) if many <= FEW else many
    assert kinds == [{"triton-interpreted"}] * interpreted + [{"numpy"}] * 2


@pytest.mark.skipif(freed.trim() is None, reason="this C library keeps what is freed")
def test_what_is_freed_goes_back_where_it_is_much(monkeypatch):
    before = resident_set(os.getpid())
    held = [np.ones(2**13) for _ in range(3 * 2**9)]  # 96 MiB in pieces that are no mappings of their own
    kept = held[::64]  # which hold the heap's end where it is
    with_them = resident_set(os.getpid())
    del held
    monkeypatch.setattr(freed, "_least", before)
    freed.give_back()
    after = resident_set(os.getpid())
    assert with_them - before > freed.ROOM > 2 * (after - before) and len(kept) == 24


@pytest.mark.skipif(bool(launch.missing("triton-cpu")), reason="no C compiler here")
def test_a_loaded_kernel_keeps_no_instructions():
    native.library.cache_clear()  # one that is loaded already would be parsed by nobody
    gc.collect()
    before = sum(isinstance(x, Instruction) for x in gc.get_objects())
    assert run_cell(cell("triton-cpu")).records
    gc.collect()
    assert sum(isinstance(x, Instruction) for x in gc.get_objects()) == before
    assert native.library.cache_info().misses == native.library.cache_info().currsize == 1
