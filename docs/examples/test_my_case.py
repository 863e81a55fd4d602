"""A test of one's own: `pytest -p noether.cli.pytest_plugin`; where noether is installed, `pytest` alone."""


def test_the_norm_moves_as_the_law_says(noether):
    noether.holds("my_case.py", law="D4", precisions="float64", backend="numpy")


def test_every_step_in_two_precisions(noether):
    result = noether.holds(
        "my_case.py", law="D0,D2", rules="heavy-ball", precisions="float64,bfloat16", backend="numpy"
    )
    assert {row.law for row in result.rows} == {"D0", "D2"}
