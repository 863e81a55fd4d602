"""The pages of the reference, made of the code: each thing is there, and what is drawn of a loss is true."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import typer

from noether.cases import CATALOG
from noether.cases.case import linear
from noether.cases.rules import RULES
from noether.cli.commands.app import app
from noether.labs.site import (
    case_pages,
    command_page,
    contours,
    kept,
    landscape,
    law_pages,
    record_page,
    rule_page,
)
from noether.labs.site.letters import latex
from noether.labs.site.papers import paper
from noether.labs.site.slices import is_invariant, plane_of
from noether.laws.registry import LAWS
from noether.verdicts.record import Record

ROOT = Path(__file__).resolve().parent.parent


# ---- everything is there


def test_every_law_has_its_section_with_its_equation_and_its_faults():
    pages = law_pages.pages(ROOT)
    assert set(pages) == {f"{law_pages.FOLDER}/{x}.md" for x in ("index", *{key[0] for key in LAWS})}
    for key, law in LAWS.items():
        page = pages[f"{law_pages.FOLDER}/{law_pages.place(key)}"]
        section = page.split(f"{{#{key}}}")[1].split("\n## ")[0]
        assert law.applies in section and f"theory.md#{key}" in section
        assert all(f"- {name}" in section for name in law.must_kill)
        assert f"[{key}]({law_pages.place(key)}#{key})" in pages[f"{law_pages.FOLDER}/index.md"]


def test_the_power_of_every_law_of_a_run_was_measured():
    _, found = kept.powers(ROOT)
    left_out = {key for key, law in LAWS.items() if law.on_request or law.only_full}
    assert set(LAWS) - set(found) <= left_out  # in no quick run
    assert all("%" in size for row in found.values() for _, size in row.values())


def test_power_without_a_measurement_is_refused(tmp_path):
    with pytest.raises(LookupError, match="no file of docs/measurements"):
        kept.powers(tmp_path)


def test_every_rule_has_its_step_and_its_laws():
    page = rule_page.page(ROOT)
    for name in RULES:
        section = page.split(f"{{#{name}}}")[1].split("\n## ")[0]
        assert "\\begin{aligned}" in section and "[D0](laws/D.md#D0)" in section
    assert "[O3]" in page.split("{#heavy-ball}")[1].split("\n## ")[0]


def test_every_command_and_option_is_on_its_page():
    page = command_page.page()
    for name, command in typer.main.get_command(app).commands.items():
        section = page.split(f"{{#{name}}}")[1].split("\n## ")[0]
        options = [option for p in command.params if p.param_type_name == "option" for option in p.opts]
        assert [option for option in options if option not in section] == []
    assert all(f"`{code}`" in command_page.codes() for code in (0, 1, 2, 3, 70, 130, 143))


def test_every_field_of_a_record_is_on_its_page():
    page = record_page.page(ROOT)
    assert [f.name for f in dataclasses.fields(Record) if f"`{f.name}`" not in page] == []
    assert all(f"`{name}`" in page for name in ("run.json", "records.jsonl", "cells.jsonl"))


def test_a_schema_says_what_a_field_is():
    about = {"a": {"type": ["number", "null"], "description": "one"}, "b": {"items": {"enum": ["x"]}}}
    about["b"]["type"] = "array"
    made = record_page.section({"required": ["a"], "properties": about})
    assert "| `a` | number or null | one |" in made and '| `b` | list of `"x"` |  *May be absent.* |' in made


# ---- pictures


@pytest.mark.parametrize("case", CATALOG, ids=lambda c: c.name)
def test_the_loss_is_level_along_every_orbit_that_is_drawn(case):
    planes = [plane for symmetry in case_pages.unlike(case) if (plane := plane_of(case, symmetry))]
    assert planes, "a case without a picture"
    for plane in planes:
        (x0, x1), (y0, y1) = plane.window
        lines = landscape.orbits(plane)
        assert len(lines) >= 3
        for line in lines:
            shares = line / landscape.SIZE
            heights = plane.loss(x0 + shares[:, 0] * (x1 - x0), y1 - shares[:, 1] * (y1 - y0))
            moved = np.abs(heights - heights[len(heights) // 2])
            # Between two points that are computed a line is straight: off by STEP^2/8 over its radius.
            assert np.nanmax(moved) < 2e-3 * spread(plane)


def spread(plane) -> float:
    (x0, x1), (y0, y1) = plane.window
    x, y = np.meshgrid(np.linspace(x0, x1, 30), np.linspace(y0, y1, 30))
    return float(np.nanmax(plane.loss(x, y)) - np.nanmin(plane.loss(x, y)))


def test_a_plane_that_a_symmetry_leaves_is_refused():
    turn = linear([[0, -1, 0], [1, 0, 0], [0, 0, 0]], "rotation")
    assert is_invariant(turn, np.array([0, 0, 1.0]), np.eye(3)[:2])
    assert not is_invariant(turn, np.zeros(3), np.eye(3)[1:])
    assert not is_invariant(turn, np.array([1.0, 0, 0]), np.eye(3)[1:])


def test_a_region_has_the_area_of_the_disc_that_it_is():
    x = np.linspace(-1.5, 1.5, 121)
    (loop,) = contours.regions(1 - x[:, None] ** 2 - x[None, :] ** 2, 0.0, x[1] - x[0])
    a, b = loop[:, 0], loop[:, 1]
    assert abs(np.sum(a * np.roll(b, 1) - b * np.roll(a, 1))) / 2 == pytest.approx(np.pi, rel=1e-3)


def test_a_region_at_the_border_closes_along_it_and_a_saddle_is_two_regions_or_one():
    slope = np.tile(np.arange(11.0), (11, 1))
    (loop,) = contours.regions(slope, 4.5, 1.0)
    assert loop[:, 0].min() == 4.5 and loop[:, 0].max() == 10 and np.ptp(loop[:, 1]) == 10
    saddle = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert [len(contours.regions(saddle, level, 1.0)) for level in (0.6, 0.4)] == [2, 1]


# ---- docstrings


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("f(q) = (|q|^2 - 1)^2 / 4", "f(q) = \\frac{(|q|^{2} - 1)^{2}}{4}"),
        ("v' = -eta (g + k q)", "v' = -\\eta (g + k q)"),
        ("q' = q + v' / G(q)", "q' = q + \\frac{v'}{G(q)}"),
        ("z_sc = <W_c, x_s>", "z_{sc} = \\langle W_{c}, x_{s} \\rangle"),
        ("m <qdot, q>", "m \\langle \\dot{q}, q \\rangle"),
        ("sum_i q_i q_{i+1} / 4", "\\sum_{i} \\frac{q_{i} q_{i+1}}{4}"),
        ("(u_s - mean u) / sqrt(var u + e)", None),
        ("(u, v) -> (e^s u, e^-s v)", "(u, v) \\to (e^{s} u, e^{-s} v)"),
        ("p = (1, 2) / 8", "p = \\frac{(1, 2)}{8}"),
    ],
)
def test_a_formula_of_a_docstring_in_latex(text, wanted):
    made = latex(text)
    assert made == wanted or (wanted is None and made.startswith("\\frac{u_{s} - ") and "\\sqrt{" in made)


def test_a_docstring_is_formulas_tables_and_paragraphs():
    text = """A claim.

    f(q) = q_1^2 / 2           invariant under q -> -q

    metric       charge J
    euclidean    m qdot

Prose about q and theory.md#D2.
Breaking: b = q_1.
Source: Noether (1918).
"""
    first, formulas, table, prose, breaking, source = paper(text, "../")
    assert (
        first == "A claim." and "$f(q) = \\frac{q_{1}^{2}}{2}$" in formulas and "invariant under" in formulas
    )
    assert table.splitlines()[0] == "| metric | charge $J$ |" and "| euclidean | $m \\dot{q}$ |" in table
    assert prose == "Prose about $q$ and [D2](../theory.md#D2)." and breaking == "**Breaking.** $b = q_{1}$."
    assert source == "**Source.** Noether (1918)."


def test_names_of_a_docstring_become_a_table_and_a_bar_in_it_ends_no_cell():
    text = "What it takes.\n\nout    a folder, |x| at most\n       as long as this\nseed   a number"
    _, table = paper(text, "", is_code=True)
    assert table.splitlines()[2:] == [
        "| `out` | a folder, \\|x\\| at most as long as this |",
        "| `seed` | a number |",
    ]
