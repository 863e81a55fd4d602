"""Every law has a title that fits a column, and an equation that a browser and a paper can set."""

import re

import pytest

from noether.laws.registry import LAWS


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_a_law_has_a_short_title_and_an_equation_in_latex(law):
    assert 5 <= len(law.title) <= 45 and law.title == law.title.strip(" .:")
    opened = 0
    for brace in re.findall(r"(?<!\\)[{}]", law.equation):
        opened += 1 if brace == "{" else -1
        assert opened >= 0
    assert opened == 0 and "$" not in law.equation
    assert law.equation.count(r"\left") == law.equation.count(r"\right")
    assert law.equation.count(r"\langle") == law.equation.count(r"\rangle")


def test_titles_tell_laws_apart():
    assert len({law.title for law in LAWS.values()}) == len(LAWS)
