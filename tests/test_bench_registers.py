"""The table of screens in one kernel and in shares counts what the machine code says."""

import pytest

from noether.cases import CORE
from noether.kernels.loops import launch
from noether.labs.bench import registers

BODY = [
    "STL.64 [R1+0x8], R2",
    "LDL.LU.64 R2, [R1+0x8]",
    "STG.E.128 [R2], R4",
    "LDG.E.U16 R1, [R2]",
    "DADD R2",
]


def test_bytes_are_those_of_the_width_of_each_instruction():
    assert registers.moved(BODY, "STL|LDL") == 16
    assert registers.moved(BODY, "STG|LDG") == 18
    assert registers.moved(BODY[-1:], "STG|LDG") == 0


def test_a_row_has_what_its_head_says(monkeypatch):
    pytest.importorskip("triton")
    if launch.missing("triton-ptx"):
        pytest.skip(launch.missing("triton-ptx"))
    case = next(c for c in CORE if c.name == "deformed-rayleigh")
    monkeypatch.setattr(registers, "CORE", (case,))
    monkeypatch.setattr(registers, "DEVICES", {90: registers.DEVICES[90]})
    rows = [dict(zip(registers.HEAD.split("|"), row, strict=True)) for row in registers.rows()]
    assert [row["way"] for row in rows] == ["one kernel"] * 2 + ["ordered", "shares"] + ["one kernel"] * 2
    first, _, second = (row for row in rows if row["laws"] == "all" and row["precision"] == "float64")
    assert int(first["spilled"]) > 0 == int(second["spilled"]) and int(first["kernels"]) == 1
