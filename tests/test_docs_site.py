"""The site of the documentation: it builds without a warning, and nothing in it is fetched from elsewhere."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import python

from noether.labs.site import formulas, links, navigation

ROOT = Path(__file__).resolve().parent.parent
LOADED = {"script": "src", "img": "src", "source": "srcset", "link": "href", "iframe": "src", "image": "href"}
CSS_FETCH = re.compile(r"url\(\s*[\"']?((?:https?:)?//[^)\"']+)|@import\s+[\"']((?:https?:)?//[^\"']+)")


class Loaded(HTMLParser):
    """What a page loads by itself: not the links that a reader may follow."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        value = dict(attrs).get(LOADED.get(tag, ""), "") or ""
        if tag in LOADED and re.match(r"(https?:)?//", value) and dict(attrs).get("rel") != "canonical":
            self.found.append(value)


def fetched(text: str, kind: str) -> list[str]:
    """The addresses elsewhere that a page (.html, .svg) or a sheet (.css) loads."""
    if kind == ".css":
        return [a or b for a, b in CSS_FETCH.findall(text)]
    reader = Loaded()
    reader.feed(text)
    return reader.found + [a or b for a, b in CSS_FETCH.findall(text)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install 'noether-harness[docs]'")
    folder = tmp_path_factory.mktemp("site")
    words = ("-m", "mkdocs", "build", "--strict", "--site-dir", str(folder))
    done = python(*words, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_has_every_page_of_the_documentation(site):
    wanted = [
        p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*") if p.suffix in (".md", ".ipynb")
    ]
    assert len(wanted) > 20 and [p for p in wanted if not (site / p.with_suffix(".html")).is_file()] == []
    assert "<title>noether</title>" in (site / "index.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(site):
    files = [p for p in site.rglob("*") if p.suffix in (".html", ".svg", ".css")]
    assert len(files) > 40
    found = {str(p.relative_to(site)): fetched(p.read_text(encoding="utf-8"), p.suffix) for p in files}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}


def test_no_formula_is_left_as_latex(site):
    pages = {str(p.relative_to(site)): left(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}
    assert {name: found for name, found in pages.items() if found} == {}


def left(html: str) -> list[str]:
    """What of a page is still LaTeX, outside of code."""
    text = re.sub(r"<(pre|code|script)\b.*?</\1>", "", html, flags=re.DOTALL)
    return re.findall(r'class="arithmatex"|\$[^$<>\n]*\\[a-z]+', text)


# ---- each check can fail


@pytest.mark.parametrize(
    "text, kind",
    [
        ('<script src="https://unpkg.com/x.js"></script>', ".html"),
        ('<link rel="stylesheet" href="//fonts.example/css">', ".html"),
        ('<img src="http://x.example/a.png">', ".html"),
        ("@font-face { src: url(https://x.example/a.woff2) }", ".css"),
        ('<style>@import "https://x.example/a.css";</style>', ".html"),
    ],
)
def test_what_is_loaded_from_elsewhere_is_seen(text, kind):
    assert len(fetched(text, kind)) == 1


def test_what_a_reader_may_follow_is_not_loaded():
    assert fetched('<a href="https://arxiv.org">x</a><img src="images/a.png">', ".html") == []


def test_latex_that_is_left_is_seen():
    assert left("<p>$\\eta q $</p>") and not left("<code>$\\eta$</code><p>costs $5 or $6</p>")


def test_what_is_wrong_in_a_page_is_a_warning_that_ends_the_build(caplog):
    hooks = pytest.importorskip("noether.labs.site.hooks", reason="mkdocs is not installed")
    page = SimpleNamespace(file=SimpleNamespace(src_uri="x.md"))
    hooks.on_page_content('<span class="arithmatex">\\(\\frac{a\\)</span>', page, None, None)
    (record,) = caplog.records
    assert record.levelname == "WARNING" and record.name.startswith("mkdocs.") and "x.md" in record.message


# ---- links


KNOWN = {"index.md": "noether", "ci.md": "In CI", "sub/a.md": "A", "contributing.md": "", "images/a.png": ""}


def led(text: str, page: str, repository: str = "") -> str:
    return links.led(text, page, KNOWN, ROOT, repository)


def test_a_link_of_the_readme_leads_to_the_page_of_the_site():
    assert led("[so](docs/ci.md#x)", "index.md") == "[so](ci.md#x)"
    assert led("![p](docs/images/a.png)", "index.md") == "![p](images/a.png)"
    assert led('<img src="docs/images/a.png">', "index.md") == '<img src="images/a.png">'


def test_a_link_to_a_page_of_the_root_leads_to_the_page_of_the_site():
    assert led("[so](../../CONTRIBUTING.md) [home](../../README.md)", "sub/a.md") == (
        "[so](../contributing.md) [home](../index.md)"
    )


def test_a_link_to_a_notebook_leads_to_its_page_and_from_there_to_the_file():
    known = {"notebooks/t.md": "T", "notebooks/t.ipynb": "", "ci.md": ""}
    there = "[x](notebooks/t.md) [T](notebooks/t.md)"
    assert links.led("[x](notebooks/t.ipynb) [t.ipynb](notebooks/t.ipynb)", "ci.md", known, ROOT, "") == there
    assert links.led("[x](t.ipynb)", "notebooks/t.md", known, ROOT, "") == "[x](t.ipynb)"


def test_a_link_to_code_leads_to_the_repository_or_is_a_name():
    text = "[`law.py`](../harness/laws/law.py) and [the rules](../cases/rules)"
    assert led(text, "ci.md") == "`law.py` and `the rules`"
    assert led(text, "ci.md", "https://x.example/r/") == (
        "[`law.py`](https://x.example/r/blob/main/harness/laws/law.py) and "
        "[the rules](https://x.example/r/blob/main/cases/rules)"
    )


def test_a_link_named_by_its_path_is_named_by_its_title():
    assert led("[docs/ci.md](docs/ci.md)", "index.md") == "[In CI](ci.md)"
    assert led("[ci.md](../ci.md)", "sub/a.md") == "[In CI](../ci.md)"


def test_a_link_that_is_lost_stays_so_that_the_build_fails():
    assert led("[x](gone.md)", "ci.md") == "[x](gone.md)"


def test_code_keeps_its_links():
    text = "a\n\n    [x](../harness/laws/law.py)\n\n```\n[x](../harness/laws/law.py)\n```"
    assert led(text, "ci.md") == text


# ---- formulas and navigation


def test_a_formula_becomes_mathml():
    pytest.importorskip("latex2mathml")
    made, wrong = formulas.typeset('<p><span class="arithmatex">\\(a &lt; \\eta\\)</span></p>')
    assert wrong == [] and "<math" in made and "&#x0003C;" in made and "\\" not in made


def test_a_formula_that_is_not_understood_is_told():
    pytest.importorskip("latex2mathml")
    made, wrong = formulas.typeset('<div class="arithmatex">\\[\\frac{a\\]</div>')
    assert len(wrong) == 1 and "arithmatex" in made
    assert len(formulas.typeset('<span class="arithmatex">\\(\\nosuchthing\\)</span>')[1]) == 1


def test_a_folder_of_the_navigation_is_its_pages_newest_first():
    there = ["index.md", "m/2026-01-01-a.md", "m/2026-02-01-b.md", "x/b.md", "x/a.md", "x/y/c.md"]
    nav = [{"Home": "index.md"}, {"M": ["m/*"]}, {"X": ["x/b.md", "x/*"]}, {"Gone": ["gone.md"]}]
    assert navigation.complete(nav, there) == (
        [
            {"Home": "index.md"},
            {"M": ["m/2026-02-01-b.md", "m/2026-01-01-a.md"]},
            {"X": ["x/b.md", "x/a.md"]},
        ],
        ["gone.md"],
    )
