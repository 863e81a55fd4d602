"""An option that nothing chosen reads is refused; where a part of the choice reads it, who does not is
told."""

import pytest

from noether.cases.rules import RULES
from noether.laws.exact import EXACT
from noether.plan.choices import Request, select
from noether.plan.unread import OPTION, has, reading
from noether.runs.planning import plan
from noether.system.usage import UsageError

REFUSED = {
    "sign descent has no decay": (dict(cases=("product",), rule="sign-descent", decay=0.1), "--decay is 0.1"),
    "gradient descent has no momentum": (
        dict(cases=("product",), rule="gradient-descent", beta=0.9),
        "gradient-descent has no momentum",
    ),
    "mirror descent has no decay": (
        dict(cases=("entropy-mirror",), rule="mirror-descent", decay=0.1),
        "mirror-descent has no decay",
    ),
    "a flow has no step size": (dict(law="T1", eta=0.1), "T1 does not; of the laws D0, D1"),
    "an order has steps of its own": (dict(law="O3", steps=8), "--steps is 8"),
    "an order has lanes of its own": (dict(law="O2", lanes=8), "O2 does not"),
    "a flow has no learning rule": (
        dict(cases=("product",), law="T1", rule="nesterov"),
        "--rule is nesterov",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_option_that_does_nothing_is_refused_in_one_line(what):
    words, said = REFUSED[what]
    with pytest.raises(UsageError) as error:
        plan(select(Request(**{"cases": ("mexican-hat", "entropy-mirror"), "backend": "numpy", **words})))
    assert (
        said in str(error.value)
        and "nothing chosen reads it" in str(error.value)
        and "\n" not in str(error.value)
    )


def test_who_does_not_read_an_option_is_told():
    words = dict(cases=("mexican-hat",), law="D0,T4", rule="gradient-descent,heavy-ball", backend="numpy")
    (note,) = plan(select(Request(beta=0.875, **words))).notes
    assert "law T4 does not read it" in note and "rule gradient-descent has no momentum" in note
    assert not plan(select(Request(eta=0.125, **{**words, "law": "D0,D2"}))).notes
    assert not plan(select(Request(lanes=5, **{**words, "law": "D0,E1"}))).notes


def test_a_parameter_that_is_read_changes_a_launch_and_one_that_is_not_changes_none():
    """What the table says of a rule is what its step does."""
    from noether.cases import CATALOG
    from noether.kernels.loops import launch
    from noether.kernels.programs.precision import parse
    from noether.laws.exact.cell import rules_of
    from noether.mechanics import sweep

    def states(case, rule, **given):
        fixed = {"beta": 0.5, "eps": 0.25, "k": 0.25, **given}
        return launch.run(
            sweep.draw(case, rule, parse("float64"), lanes=5, steps=3, seed=1, overrides=fixed), "numpy"
        )

    for rule in RULES.values():
        case = next(c for c in CATALOG if rule.name in rules_of(c))
        for name in OPTION:
            if name not in ("lanes", "steps"):
                mine, other = states(case, rule), states(case, rule, **{name: 0.0625})
                assert (launch.differing_bits(mine, other) == 0) != has(name, rule.name), (rule.name, name)


def test_what_reads_an_option_is_named():
    assert set(reading("eta")) == set(EXACT) and set(reading("lanes")) == {*EXACT, "D13", "E1"}
