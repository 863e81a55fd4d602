"""How small the steps of the map are: as small as an order needs to be decided."""

from functools import partial

from noether.laws.map import cells, stepping, table
from noether.laws.map.scenes import scenes
from noether.verdicts.record import HOLDS, INCONCLUSIVE


def test_an_order_that_its_step_sizes_do_not_decide_is_asked_of_smaller_ones():
    """The p_j of Muon along a rotation still bend at 2^-9 from these starts."""
    scene, seed = scenes()["rotation"], 1052
    runs = cells.stepped(scene, seed, [stepping.STEPPED["Muon"]], 6)
    ask = partial(
        cells.one, cells.Cell("quick", 0), scene, "Muon", table.entry("rotation", "Muon"), runs, few=True
    )
    assert ask().verdict == INCONCLUSIVE
    found = ask(smaller=cells.SmallerSteps(seed, "quick"))
    assert found.verdict == HOLDS and found.steps == 256 and len(found.data["x"]) == 7
