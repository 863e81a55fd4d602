"""docs/networks.md prints what it shows, but for the digits of what machines round differently."""

import re
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn", reason="the page trains on its digits")

from test_symmetries_page import rough  # noqa: E402
from test_tutorial import SAVED, blocks  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")
PAGE = "networks.md"


def printed(capsys) -> list[tuple[str, str]]:
    """Each output that the page shows, beside what its blocks print here."""
    found, out = [], ""
    for before, kind, text in blocks(PAGE):
        name = SAVED.search(before)
        capsys.readouterr()
        if kind == "python" and name:
            Path(name[1]).write_text(text, encoding="utf-8")
        elif kind == "python":
            exec(compile(text, PAGE, "exec"), {"__name__": "__main__"})
            out = capsys.readouterr().out
        else:
            found.append((text, out))
    return found


def skeleton(text: str) -> list[str]:
    """The lines in an order of their own, without measured digits and without the places where most is spent:
    which of two numbers near their bounds comes first is the processor's."""
    lines = [line for line in rough(text).splitlines() if line.strip() and not line.startswith(" " * 20)]
    lines = [re.sub(r"^(N\d .*?\d+ +\d+) .*", r"\1", line) for line in lines]
    lines = [re.sub(r"\d+ % of the training", "# % of the training", line) for line in lines]
    lines = [re.sub(r"the gradient of \S+ most", "the gradient of # most", line) for line in lines]
    return sorted(" ".join(line.split()) for line in lines)


def test_the_page_prints_what_it_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "train", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    found = printed(capsys)
    sys.modules.pop("train", None)
    assert len(found) == 3
    for shown, out in found:
        assert skeleton(shown) == skeleton(out)


def test_another_verdict_is_seen_and_another_place_is_not():
    row = (
        "N1 the optimizer's update      ✓      10       30     0.961  0.weight: step 2: number 1267 is within"
    )
    assert skeleton(row) == skeleton(row.replace("0.961  0.weight: step 2", "0.5  6.weight: step 9"))
    assert skeleton(row) != skeleton(row.replace("✓", "✗")) and skeleton(row) != skeleton(
        row.replace("10", "9")
    )
