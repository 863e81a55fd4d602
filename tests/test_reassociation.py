"""B1 names the first value that differs, and the order of a sum that is not as written, where that is it."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.loops import launch, noisy_launch
from noether.kernels.programs.trace_rule import whole_program
from noether.laws.exact import disagreement, reassociation
from noether.laws.exact.cell import LaunchCell
from noether.laws.exact.parity import compared, turned
from noether.report.remainder import explained, unsaid
from noether.verdicts.record import VIOLATED

CASE = {c.name: c for c in CATALOG}
ON_CPU = [b for b in launch.ON_CPU if not launch.missing(b)]
compiles = pytest.mark.skipif(
    not ON_CPU, reason="nothing here executes compiled kernels: triton or a C compiler is missing"
)
LAST = r"add\.rn\.(f16|f32|f64)\s+(%\w+), (%\w+), (%\w+);"


def cell(case="rayleigh", rule="nesterov", precision="float64", backend="triton-ptx", lanes=61, steps=4):
    return LaunchCell(CASE[case], rule, precision, backend, "parity", ("B1",), lanes, 0, steps)


def chains(lines: list[str]) -> list[list[int]]:
    """Lines that add to the result of the one before, which nothing else reads: one list a sum."""
    found, adds = [], {i: m.groups() for i, line in enumerate(lines) if (m := re.search(LAST, line))}
    text = "\n".join(lines)
    by_result = {r: i for i, (_, r, _, _) in adds.items()}
    once = lambda r: len(re.findall(rf"{re.escape(r)}\b", text.split("ENTRY")[-1])) == 2
    inner = set()
    for i in sorted(adds, reverse=True):
        if i not in inner:
            chain = [i]
            while (
                before := next(
                    (by_result[x] for x in adds[chain[-1]][2:] if x in by_result and once(x)), None
                )
            ) is not None:
                chain.append(before)
                inner.add(before)
            found.append(chain[::-1])
    return [c for c in found if len(c) > 1]


def planting(order_of):
    """A sabotage: the longest chain of adds, added as order_of(how many terms) says."""

    def sabotage(ptx: str) -> str:
        lines = ptx.splitlines()
        chain = max(chains(lines), key=lambda c: (len(c), c))
        kind, result = re.search(LAST, lines[chain[-1]]).group(1, 2)
        made = {re.search(LAST, lines[i])[2] for i in chain}
        leaves = [x for i in chain for x in re.search(LAST, lines[i]).group(3, 4) if x not in made]
        parts, count = [], itertools.count()
        registers = {"f16": "b16", "f32": "f32", "f64": "f64"}[kind]

        def put(tree) -> str:
            if isinstance(tree, int):
                return leaves[tree]
            a, b = put(tree[0]), put(tree[1])
            name = f"%planted{next(count)}"
            parts.append(f"\t.reg .{registers} {name};\n\tadd.rn.{kind} {name}, {a}, {b};")
            return name

        last = put(order_of(len(leaves)))
        move = {"f16": "mov.b16", "f32": "mov.f32", "f64": "mov.f64"}[kind]
        lines[chain[-1]] = "\n".join([*parts, f"\t{move} {result}, {last};"])
        for i in chain[:-1]:
            lines[i] = ""
        return "\n".join(lines)

    return sabotage


def chain_of(order):
    tree = order[0]
    for k in order[1:]:
        tree = (tree, k)
    return tree


def backwards(n):
    return chain_of([*range(n)][::-1])


def pairs(n):
    trees = list(range(n))
    while len(trees) > 1:
        trees = [
            (trees[i], trees[i + 1]) if i + 1 < len(trees) else trees[i] for i in range(0, len(trees), 2)
        ]
    return trees[0]


def judged(c, sabotage=None):
    job = c.job()
    mine, plain = launch.run(job, c.backend, sabotage=sabotage), launch.run(job, "numpy")
    return compared(c, job, mine, plain, None)


@compiles
@pytest.mark.parametrize("backend", ON_CPU)
@pytest.mark.parametrize("order", [backwards, pairs])
def test_a_sum_in_another_order_is_named_with_its_order(backend, order):
    found = judged(cell(backend=backend), planting(order))
    assert found.verdict == VIOLATED and found.data["diagnosis"]["explained"]
    assert "agrees in every bit: the compiler reassociates a strict sum" in found.reason
    assert len(found.data["diagnosis"]["orders"]) == 1 and re.search(
        r"the 9 terms of .* in the order ", found.reason
    )
    assert explained(found) in found.reason and not unsaid(found)  # said once
    if order is pairs:
        assert "in the order (" in found.reason or " (" in found.reason.split("in the order ")[1]


@compiles
@pytest.mark.parametrize(
    "case, rule, precision",
    [
        ("rayleigh", "heavy-ball", "float32"),
        ("mexican-hat-8", "gradient-descent", "float16/eager"),
        ("mexican-hat-8", "heavy-ball", "bfloat16/mixed"),
    ],
)
def test_every_precision_has_its_sums_named(case, rule, precision):
    found = judged(cell(case, rule, precision, steps=12), planting(backwards))
    assert found.verdict == VIOLATED and found.data["diagnosis"]["explained"], found.reason


@compiles
@given(st.permutations(range(9)))
@settings(max_examples=8)
def test_any_order_is_found_or_makes_no_difference(order):
    found = judged(cell(steps=2), planting(lambda n: chain_of(order)))
    assert found.verdict != VIOLATED or found.data["diagnosis"]["explained"], found.reason


@compiles
def test_an_order_is_named_under_a_rule_that_knows_the_number_of_its_step():
    # The share of the first step comes from memory as that of any other: one loop, one order.
    found = judged(cell("deformed-rayleigh", "heavy-ball-dampened", steps=6), planting(backwards))
    assert found.verdict == VIOLATED and found.data["diagnosis"]["explained"], found.reason
    assert found.data["diagnosis"]["first"]["step"] == 0 and "agrees in every bit" in found.reason
    assert "k*q[0]" in found.reason  # a sum that goes on in the rule


@pytest.mark.parametrize("rule", [r.name for r in RULES.values() if r.metric == "euclidean"])
@pytest.mark.parametrize("precision", ["float64", "float16/eager", "bfloat16"])
def test_the_whole_step_as_one_program_steps_as_the_rule_does(rule, precision):
    job = cell("mexican-hat", rule, precision, "numpy", lanes=9, steps=5).job()
    whole = replace(job, program=whole_program(job.rule, job.program, job.metric))
    assert launch.differing_bits(reassociation.stepped(whole), launch.run(job, "numpy")) == 0
    assert len(whole.program.ops) > len(job.program.ops)


@compiles
def test_another_fault_is_not_called_an_order():
    found = judged(cell(), turned)
    assert (
        found.verdict == VIOLATED
        and not found.data["diagnosis"]["explained"]
        and "reassociates" not in found.reason
    )
    assert "as written" in unsaid(found)


@compiles
def test_an_order_beside_another_fault_is_not_the_whole_explanation():
    found = judged(cell(), lambda ptx: turned(planting(backwards)(ptx)))
    assert (
        found.verdict == VIOLATED
        and not found.data["diagnosis"]["explained"]
        and "reassociates" not in found.reason
    )
    assert "that is not all" in unsaid(found)


@compiles
def test_a_launch_that_agrees_has_no_diagnosis():
    found = judged(cell())
    assert found.verdict != VIOLATED and found.data == {} and "first at" not in found.reason


@compiles
def test_a_search_that_fails_says_so_and_loses_no_verdict(monkeypatch):
    monkeypatch.setattr(reassociation, "additions", lambda job, ptx, step: 1 / 0)
    found = judged(cell(), turned)
    assert found.verdict == VIOLATED and "the search for another order failed, ZeroDivisionError" in unsaid(
        found
    )


# ---- the first value


def outcomes(precision="float32"):
    job = cell("mexican-hat", "heavy-ball", precision, lanes=9).job()
    plain = launch.run(job, "numpy")
    return job, plain, replace(plain, q=plain.q.copy(), v=plain.v.copy())


def test_the_first_value_is_of_the_earliest_step_then_of_the_first_lane():
    job, plain, mine = outcomes()
    for row, component, lane in ((3, 0, 0), (2, 1, 7), (2, 0, 4)):
        mine.q[row, component, lane] = np.nextafter(plain.q[row, component, lane], np.float32(np.inf))
    found = disagreement.first(mine, plain, job.steps)
    assert (found["step"], found["lane"], found["component"], found["of"], found["ulp"]) == (1, 4, 0, "q'", 1)
    mine.v[2, 1, 4] = np.nan
    found = disagreement.first(mine, plain, job.steps)
    assert (found["of"], found["ulp"]) == ("v'", None) and "one is no number" in disagreement.place(found)
    assert disagreement.first(plain, plain, job.steps) is None


@pytest.mark.parametrize(
    "kind, dtype", [("float64", np.float64), ("float32", np.float32), ("float16", np.float16)]
)
@given(k=st.integers(0, 40), start=st.floats(-2.0, 2.0, width=16))
def test_ulp_counts_the_numbers_between(kind, dtype, k, start):
    x = y = dtype(start)
    for _ in range(k):
        y = np.nextafter(y, dtype(np.inf))
    assert disagreement.ulp(x, y, kind) == disagreement.ulp(y, x, kind) == k


def test_ulp_of_both_zeros_is_none_and_bfloat16_counts_its_own():
    assert disagreement.ulp(np.float32(-0.0), np.float32(0.0), "float32") == 0
    assert disagreement.ulp(np.uint16(0x3F80), np.uint16(0x3F82), "bfloat16") == 2
    assert disagreement.ulp(np.uint16(0x8001), np.uint16(0x0001), "bfloat16") == 2


def test_zeros_of_the_other_sign_are_told():
    job, plain, mine = outcomes()
    mine.q[1, 0, 3], plain.q[1, 0, 3] = -0.0, 0.0
    assert (
        "every one of them is a zero of the other sign" in reassociation.explained(job, mine, plain)["line"]
    )
    mine.q[1, 0, 4] += 1
    assert (
        "zero" not in reassociation.explained(job, replace(mine, backend="triton-interpreted"), plain)["line"]
    )


def test_the_first_sum_of_a_noisy_launch_is_named():
    q, sums = np.ones((2, 5)), np.arange(1.0, 61.0).reshape(2, 6, 5)
    plain = noisy_launch.Sums(sums, q, q.copy(), 4, "numpy")
    assert disagreement.first_sum(plain, plain) == ""
    end = replace(plain, q=q + [[0, 0, 0, 0, 0], [0, 0, 0, 2.0**-52, 0]])
    assert disagreement.first_sum(end, plain).startswith(
        "first in the end, lane 3, q[1]: is 0x1.0000000000001p+0"
    )
    other = sums.copy()
    other[1, 0, 0] = np.nextafter(other[1, 0, 0], 99)
    assert "window 1, lane 0, sum r2: " in disagreement.first_sum(replace(end, sums=other), plain)
    other[0, 5, 4] = np.nan
    told = disagreement.first_sum(replace(end, sums=other), plain)
    assert "window 0, lane 4, sum turn: " in told and "one is no number" in told
