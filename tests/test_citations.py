"""Every citation of the theory leads somewhere, and the theory has each law once."""

import re
from pathlib import Path

import pytest
from imports import modules

from noether.laws.registry import LAWS

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("cases", "kernels", "harness")
NO_LAW = ["R0"]  # what is known of rounding, which the laws use


def anchors(theory: str) -> list[str]:
    return re.findall(r'<a id="(\w+)"></a>', theory)


def sections(theory: str) -> list[str]:
    return re.findall(r"^## (\d)\. ", theory, re.MULTILINE)


def slugs(theory: str) -> set[str]:
    """What a link calls the headings."""
    headings = re.findall(r"^##+ (.+)$", theory, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def dangling(root: Path, folder: str, theory: str) -> tuple[int, list[str]]:
    """How many citations of the theory a folder has, and those that lead nowhere."""
    known, found, wrong = {*anchors(theory), *slugs(theory)}, 0, []
    for path in modules(root, folder):
        text = path.read_text(encoding="utf-8")
        for kind, target in re.findall(r"theory\.md(#| section )([\w-]*\w)", text):
            found += 1
            is_there = target in known if kind == "#" else target in sections(theory)
            if not is_there:
                wrong.append(f"{path.relative_to(root)} cites theory.md{kind}{target}, which is not there")
    return found, wrong


@pytest.fixture(scope="module")
def theory() -> str:
    return (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")


def test_theory_has_each_law_once_and_each_section(theory):
    assert sorted(anchors(theory)) == sorted([*LAWS, *NO_LAW])
    assert sections(theory) == list("123456789")


def test_theory_links_lead_to_its_own_anchors_and_headings(theory):
    targets = set(re.findall(r"\]\(#([^)]+)\)", theory))
    assert targets, "theory.md links nothing: nothing was checked"
    assert not targets - slugs(theory) - set(anchors(theory))


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_every_citation_of_the_theory_leads_to_an_anchor(folder, theory):
    _, wrong = dangling(ROOT, folder, theory)
    assert not wrong, "\n".join(wrong)


def test_the_harness_cites_the_theory(theory):
    found, _ = dangling(ROOT, "harness", theory)
    assert found, "harness/ cites no law: the citation check is vacuous"


# ---- each check can fail


@pytest.fixture
def house(tmp_path):
    """A folder in which `plant(text)` writes the one module of cases/."""
    (tmp_path / "cases").mkdir()

    def plant(text: str) -> Path:
        (tmp_path / "cases" / "planted.py").write_text(text, encoding="utf-8")
        return tmp_path

    return plant


@pytest.mark.parametrize("target", ["#D99", " section 0"])
def test_a_citation_that_leads_nowhere_is_seen(house, theory, target):
    found, wrong = dangling(house(f"# theory.md{target}\n"), "cases", theory)
    assert found == 1 and len(wrong) == 1 and target in wrong[0]


@pytest.mark.parametrize("target", ["#D2", " section 4"])
def test_a_citation_that_leads_somewhere_is_let_pass(house, theory, target):
    assert dangling(house(f"# theory.md{target}\n"), "cases", theory) == (1, [])
