"""What a law would have seen, and how it is told."""

import json
import math

import plainest
import pytest

from noether.cli import main
from noether.report.standing import standing, standing_table
from noether.verdicts import power
from noether.verdicts.record import INCONCLUSIVE


def record(powers, law="D2", case="hat", **facts):
    return plainest.record(law, powers=powers, case=case, rule="heavy-ball", **facts)


RECORDS = [
    record({"eta": 0.02, "friction": 0.3}, case="hat"),
    record({"eta": 1e-3, "friction": 0.008}, case="softmax"),
    record({"eta": 0.5}, precision="bfloat16"),
    record({"eta": 1e-9}, verdict=INCONCLUSIVE),
    record({"eta": 1e-9}, fault="a fault"),
    record({"eta": 1e-9}, law="D3"),
]


def test_the_power_of_a_coefficient_is_its_best_record_and_that_of_a_law_its_weakest_coefficient():
    found = power.of_law(RECORDS, "D2")
    assert found.coefficients == {"friction": 0.008, "eta": 1e-3} and found.weakest == ("friction", 0.008)
    assert found.told == "0.8 % of friction" and found.places["eta"] == "softmax heavy-ball float64"
    by = power.by_precision(RECORDS, "D2")
    assert by["bfloat16"].coefficients == {"eta": 0.5} and by["float64"].coefficients == found.coefficients


def test_a_law_that_holds_and_measured_nothing_says_so_and_one_that_holds_nowhere_says_nothing():
    assert power.of_law([record({})], "D2").told == "not measured"
    assert power.of_law([record({}, verdict=INCONCLUSIVE)], "D2").told == ""
    assert power.unmeasured([record({}), *RECORDS, record({}, law="T1")], ["D2", "D3", "T1", "S1"]) == ["T1"]


def test_a_coefficient_that_could_be_a_tenth_off_is_named_and_so_is_one_that_nothing_sees():
    (line,) = power.weak([record({"eta": 0.01, "mass": 0.25})], ["D2"])
    assert "D2" in line and "mass changed by 25 %" in line
    for nothing in (math.inf, math.nan):
        (line,) = power.weak([record({"mass": nothing})], ["D2"])
        assert "no change of mass" in line
    assert power.weak(RECORDS, ["D2", "D3"], 0.01) == [] != power.weak(RECORDS, ["D2"], 0.001)


@pytest.mark.parametrize(
    "x, told", [(0.008, "0.8 %"), (0.124, "12 %"), (2.0, "200 %"), (3e-14, "3e-12 %"), (1e5, "1e+07 %")]
)
def test_a_power_is_told_in_two_digits(x, told):
    assert power.percent(x) == told


def test_the_table_of_a_run_has_its_powers_and_json_every_coefficient():
    table = standing_table(RECORDS, ["D2", "T1"])
    column = next(c for c in table.columns if c.header == "power")
    assert list(column.cells) == ["0.8 % of friction", ""]
    d2, _ = standing(RECORDS, ["D2", "T1"])
    assert d2["power"]["coefficients"] == {"friction": 0.008, "eta": 1e-3}
    assert d2["power_by_precision"]["bfloat16"]["power"] == 0.5


def test_a_recorded_run_tells_its_powers(plan, capsys, tmp_path):
    from noether.runs.saved_run import read_run

    folder = str(tmp_path / "run")
    assert main.call(["verify", "--out", folder, "--jobs", "1"]) == 0
    capsys.readouterr()
    assert main.call(["laws", folder, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["laws"]
    assert [r["law"] for r in rows] == read_run(tmp_path / "run").about["laws"] and all(
        "power" in r for r in rows
    )
    assert main.call(["explain", rows[0]["law"], folder]) == 0
    assert "power" in capsys.readouterr().out
    assert main.call(["laws", "--json"]) == 0 and len(json.loads(capsys.readouterr().out)["laws"]) == len(
        plan.LAWS
    )
