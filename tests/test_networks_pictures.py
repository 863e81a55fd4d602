"""The page of the papers' statements shows every picture that is drawn for it, and no other."""

import re
from pathlib import Path

import pytest

from noether.labs.network_pictures import FOLDER, SHOWN, pictures

ROOT = Path(__file__).resolve().parent.parent
RECORD = {
    "law": "N5",
    "fault": None,
    "parameters": {"statement": "equilibrium", "beta": 0.9, "batch": 32},
    "data": {
        "plot": "lines",
        "x": [1.0, 2.0],
        "series": {"measured": [1.0, 2.0]},
        "xlabel": "x",
        "ylabel": "y",
    },
}


def test_the_page_shows_each_picture_once_and_each_is_there():
    page = (ROOT / "docs" / "networks" / "paper.md").read_text(encoding="utf-8")
    shown = re.findall(r"\(\.\./images/networks/([\w-]+)\.svg\)", page)
    assert sorted(shown) == sorted(SHOWN)
    assert {path.stem for path in (ROOT / FOLDER).glob("*.svg")} == set(SHOWN)


def test_a_run_without_a_picture_is_refused(monkeypatch):
    monkeypatch.setattr("noether.labs.network_pictures.SHOWN", {"N5": SHOWN["N5"]})
    assert pictures([RECORD])["N5"].startswith("<svg")
    for change in ({"fault": "planted"}, {"data": {}}, {"law": "N6"}):
        with pytest.raises(LookupError, match="no record of N5"):
            pictures([{**RECORD, **change}])
