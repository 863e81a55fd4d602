"""Why a law covers nothing of a choice: the true reason, and what is asked for by name runs."""

import pytest

from noether.plan import design
from noether.plan.choices import Request, select
from noether.runs.planning import plan as planned
from noether.system.usage import UsageError


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            dict(cases=("rayleigh",), law="O1"),
            "its gradient has 152 operations, and third derivatives are taken up to 96 (rayleigh)",
        ),
        (
            dict(cases=("rayleigh",), law="D5", precision="bfloat16"),
            "its terms of second order in the step vanish in the rounding of bfloat16 (rayleigh)",
        ),
        (
            dict(cases=("rayleigh", "softmax"), law="D11", rule="heavy-ball"),
            "no symmetry under heavy-ball is one that it speaks of (rayleigh, softmax)",
        ),
        (
            dict(cases=("power-mirror",), law="D0"),
            "no kernel steps a bregman metric whose potential is not the entropy (power-mirror)",
        ),
        (dict(cases=("product",), law="O4"), "it has none of "),
    ],
)
def test_a_refusal_says_what_the_choice_lacks(words, told):
    with pytest.raises(UsageError) as refusal:
        planned(select(Request(**words)))
    assert told in str(refusal.value)


def test_a_precision_that_is_asked_for_by_name_runs_though_a_whole_run_leaves_it_out():
    cells = design.cells(
        select(Request(cases=("batch-norm",), law="D0", precision="bfloat16/eager", backend="numpy"))
    )
    assert {c.precision for c in cells if c.kind == "exact"} == {"bfloat16/eager"}
    assert not [
        c
        for c in design.cells(select(Request(cases=("batch-norm",), law="D0", backend="numpy")))
        if c.precision == "bfloat16/eager"
    ]
