"""docs/architecture.md is what the code gives, and every path that a page names is there.

Each check is a function of texts that returns what is wrong in them, so that it can be shown a planted fault.
"""

import re
from pathlib import Path

import pytest

from noether.labs import house, house_picture

ROOT = Path(__file__).resolve().parent.parent
PATH = re.compile(r"(?<![\w./*-])((?:cases|kernels|harness|tests|docs|corpus)/[\w./-]*[\w/])")
EXAMPLE = re.compile(r"NAME|/x\.py$")  # any file


def pages() -> list[Path]:
    """Every page that must be true today: not the measurements and not the changelog, which are history."""
    kept = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return kept + [p for p in sorted((ROOT / "docs").rglob("*.md")) if "measurements" not in p.parts]


def lost(text: str, root: Path) -> list[str]:
    """The paths of our folders that a text names and that are not there."""
    return sorted({p for p in PATH.findall(text) if not EXAMPLE.search(p) and not (root / p).exists()})


def test_the_page_and_its_picture_are_what_the_code_gives():
    for target, text in house.written(ROOT).items():
        assert (ROOT / target).read_text(encoding="utf-8") == text, f"{target}: run make architecture"


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_path_that_a_page_names_is_there(page):
    assert lost(page.read_text(encoding="utf-8"), ROOT) == []


def test_every_module_of_a_room_is_a_window_of_the_picture():
    drawn = (ROOT / house.PICTURE).read_text(encoding="utf-8")
    assert drawn.count('class="window') == sum(len(room.windows) for room in house.rooms(ROOT)) > 100


def test_letters_of_the_picture_have_at_least_13_units_of_its_width():
    sizes = [float(s) for s in re.findall(r"font(?:-size)?:\s*(?:\d+ )?([\d.]+)px", house_picture.STYLE)]
    assert sizes and min(sizes) >= 13 and house_picture.WIDTH == 900


def test_words_stay_in_their_room():
    drawn = (ROOT / house.PICTURE).read_text(encoding="utf-8")
    starts = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="start">([^<]+)</text>', drawn)
    assert len(starts) > 30
    wide = max(float(x) + len(words) * house_picture.LETTER for x, words in starts)
    assert wide < house_picture.RIGHT


def test_contributing_stays_within_a_hundred_lines():
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 100


# ---- each check can fail


def test_a_path_that_is_gone_is_seen():
    assert lost("see `harness/gone.py` and harness/labs/house.py.", ROOT) == ["harness/gone.py"]
    assert lost("harness/runs/, `tests/test_x_gone.py`; docs/theory.md#D2", ROOT) == ["tests/test_x_gone.py"]


@pytest.mark.parametrize("path, name", [("harness/gone.py", "x"), ("harness/labs/house.py", "gone")])
def test_a_place_that_is_gone_is_refused(path, name):
    with pytest.raises(LookupError, match="must say where it went"):
        house.place(ROOT, path, name)


def test_an_import_against_the_order_is_told_on_page_and_picture(tmp_path):
    for folder in house.FOLDERS.values():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text('"""A room."""\n')
    (tmp_path / "cases" / "wrong.py").write_text("def late():\n    from noether import cli\n")
    crossed = house.crossings(tmp_path)
    assert crossed == {("cases", "cli"): 1} and house.against(crossed) == [("cases", "cli")]
    assert "imports that go up: cases to cli" in house_picture.picture(
        house.rooms(tmp_path), [name for name, *_ in house.WAY], crossed
    )


def test_a_room_without_a_docstring_is_refused(tmp_path):
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "__init__.py").write_text("X = 1\n")
    with pytest.raises(LookupError, match="no docstring"):
        house.rooms(tmp_path)
