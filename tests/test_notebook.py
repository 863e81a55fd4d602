"""The notebook for theorists runs from top to bottom, and is kept without what it printed."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(path: Path, kind: str) -> list[dict]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_explains_every_cell(path):
    code, words = cells(path, "code"), cells(path, "markdown")
    assert len(code) > 8 and len(words) > 8
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
    assert sum("assert " in "".join(cell["source"]) for cell in code) >= 4, "nothing is held to be true"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is in the extra dev")
    for package in ("ipykernel", "matplotlib", "pandas"):
        pytest.importorskip(package, reason=f"{package} is in the extra dev")
    import nbformat

    book = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [out.get("data", {}) for cell in book.cells if cell.cell_type == "code" for out in cell.outputs]
    assert sum("image/png" in data for data in shown) >= 5
    assert any("everything holds" in data.get("text/html", "") for data in shown)


def test_there_is_a_notebook():
    assert [path.name for path in NOTEBOOKS] == ["theorist.ipynb"]
