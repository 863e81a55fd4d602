"""The workflows that docs/ci.md and docs/history.md show are whole; every make target, option and input that
they name exists."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from noether.cli.main import app
from noether.runs.seed_scatter import SCATTER, entry_factor, mean_factor

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
EVERY = TEXT + (ROOT / "docs" / "history.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", EVERY, re.DOTALL)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands
ACTION = r"actions/[a-z-]+@v\d+|github/codeql-action/upload-sarif@v\d+|OWNER/noether@TAG"
OF_TARGET = {"newest": "verify"}  # whose options ARGS are, where it is not the name of the target


# ---- the part of YAML in which workflows are written (PyYAML is no dependency)


def parse(text: str):
    """Mappings, lists and block scalars by indentation; other values as they stand. Raises ValueError."""
    lines = [(len(x) - len(x.lstrip(" ")), x.strip()) for x in text.splitlines() if x.strip()]
    if "\t" in text:
        raise ValueError("a tab")
    value, rest = node(lines, lines[0][0])
    if rest:
        raise ValueError(f"{rest[0][1]!r} is indented as nothing above it")
    return value


def node(lines, depth):
    if lines[0][1].startswith("- "):
        return items(lines, depth)
    found = {}
    while lines and lines[0][0] == depth:
        key, colon, value = lines[0][1].partition(":")
        if not colon or (value and not value.startswith(" ")) or key in found:
            raise ValueError(f"{lines[0][1]!r} is no new key")
        lines = lines[1:]
        deeper = lines and lines[0][0] > depth
        if value.strip() == "|":
            block = [x for i, (d, x) in enumerate(lines) if all(e > depth for e, _ in lines[: i + 1])]
            found[key], lines = block, lines[len(block) :]
        elif value.strip():
            if deeper:
                raise ValueError(f"{key} has a value and a block")
            quoted = re.fullmatch('"([^"]*)"', value.strip())
            found[key] = quoted[1] if quoted else value.strip()
        elif deeper:
            found[key], lines = node(lines, lines[0][0])
        else:
            found[key] = None
    if lines and lines[0][0] > depth:
        raise ValueError(f"{lines[0][1]!r} is indented as nothing above it")
    return found, lines


def items(lines, depth):
    found = []
    while lines and lines[0][0] == depth and lines[0][1].startswith("- "):
        first = lines[0][1][2:]
        if re.match(r"[\w-]+:( |$)", first):
            value, lines = node([(depth + 2, first), *lines[1:]], depth + 2)
        else:
            value, lines = first, lines[1:]
        found.append(value)
    return found, lines


def named(text: str) -> list[str]:
    """The commands of a workflow: its `run:` lines, and the items of a `script:`."""
    return [m.strip() for m in re.findall(r"(?:run: |^ +- (?=make |noether ))(.+)$", text, re.MULTILINE)]


def wrong_in(command: str) -> list[str]:
    """What a command line of make or noether names that is not there."""
    words = shlex.split(command)
    if words[0] == "make":
        target, given = words[1], dict(w.split("=", 1) for w in words[2:])
        wrong = [] if re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE) else [f"make has no {target}"]
        wrong += [f"make knows no {v}" for v in given if not re.search(rf"\$\({v}\)", MAKEFILE)]
        return wrong + options(OF_TARGET.get(target, target), shlex.split(given.get("ARGS", "")))
    return options(words[1], words[2:]) if words[0] == "noether" else []


def options(name: str, words: list[str]) -> list[str]:
    if name not in COMMANDS:
        return [] if not words else [f"noether has no {name}"]
    known = {o for p in COMMANDS[name].params for o in p.opts}
    return [
        f"noether {name} has no {w}" for w in words if w.startswith("--") and w.partition("=")[0] not in known
    ]


WORKFLOWS = [text for text in BLOCKS if re.search(r"^jobs:$", text, re.MULTILINE)]
OURS = "OWNER/noether@TAG"


def uses(text: str) -> bool:
    """Whether a block takes the action, the component or the hook of this repository."""
    return OURS in text or "component: " in text or "repos:" in text


def test_there_are_workflows_to_copy():
    assert len(BLOCKS) >= 8 and len(WORKFLOWS) >= 5 and sum(map(uses, BLOCKS)) >= 4


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_every_target_and_option_that_is_named_exists(text):
    commands = named(text)
    assert any(c.startswith(("make", "noether")) for c in commands) or uses(text)
    assert [w for c in commands for w in wrong_in(c)] == []


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_every_block_is_yaml(text):
    yaml = pytest.importorskip("yaml", reason="the docs extra has it")
    assert isinstance(yaml.safe_load(text), dict) and parse(text)


def test_what_is_given_to_the_action_the_component_and_the_hook_is_what_they_take():
    action = parse((ROOT / "action.yml").read_text())["inputs"]
    spec = parse((ROOT / "templates/noether/template.yml").read_text().split("\n---\n")[0])["spec"]["inputs"]
    seen = []
    for flow in map(parse, filter(uses, BLOCKS)):
        for job in flow.get("jobs", {}).values():
            seen += [("action", set(s["with"]), action) for s in job["steps"] if s.get("uses") == OURS]
        for entry in flow.get("include", ()):
            assert entry["component"].endswith("/OWNER/noether/noether@TAG")
            seen.append(("component", set(entry["inputs"]), spec))
        for repo in flow.get("repos", ()):
            (hook,) = repo["hooks"]
            assert hook["id"] == parse((ROOT / ".pre-commit-hooks.yaml").read_text())[0]["id"]
            seen.append(("hook", set(), {}))
    assert {kind for kind, *_ in seen} == {"action", "component", "hook"}
    assert [(kind, given - set(known)) for kind, given, known in seen if given - set(known)] == []
    table = re.findall(
        r"^\| (`[a-z`, -]+`) \|", TEXT.partition("| input |")[2].partition("\n\n")[0], re.MULTILINE
    )
    assert {x.strip("` ") for row in table for x in row.split(",")} == set(action), (
        "the table has every input"
    )


@pytest.mark.parametrize("prose", re.findall(r"`((?:noether|make) [a-z]+[^`]*)`", TEXT))
def test_every_command_in_the_prose_exists(prose):
    assert wrong_in(prose.replace("[FILE.json]", "")) == []


@pytest.mark.parametrize("text", WORKFLOWS)
def test_a_workflow_is_whole_and_pins_its_actions_by_major(text):
    flow = parse(text)
    assert set(flow) >= {"name", "on", "jobs"}
    for job in flow["jobs"].values():
        assert job["runs-on"] and len(job["steps"]) >= 2
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), step
            assert re.fullmatch(ACTION, step.get("uses", "actions/x@v1"))
        assert job["steps"][0]["uses"].startswith("actions/checkout@")
        if any(step.get("uses") == OURS for step in job["steps"]):
            continue  # which uploads by itself: tests/test_ci_files.py
        upload = next(s for s in job["steps"] if s.get("uses", "").startswith("actions/upload-artifact"))
        assert upload["if"] == "always()", "a failed run is the one that is wanted"


def test_the_workflow_verifies_tests_and_fuzzes():
    (flow,) = (parse(text) for text in WORKFLOWS if "newest:" in text)
    runs = {
        name: [s["run"].split()[1] for s in job["steps"] if "run" in s] for name, job in flow["jobs"].items()
    }
    assert runs == {
        "verify": ["verify", "test"],
        "nightly": ["verify", "faults", "fuzz"],
        "newest": ["newest"],
    }
    caches = [
        p for s in flow["jobs"]["verify"]["steps"] if "cache@" in s.get("uses", "") for p in s["with"]["path"]
    ]
    assert caches == ["~/.triton/cache", "~/.cache/noether"]


@pytest.mark.parametrize(
    "text", ["a:\n\tb: 1", "a: 1\na: 2", "a: 1\n  b: 2", "a:\n    b: 1\n  c: 2", "a", "- a\nb: 1"]
)
def test_what_is_no_workflow_is_refused(text):
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize(
    "command",
    [
        "make no-such-target",
        "make verify NOSUCH=1",
        'make verify ARGS="--no-such"',
        "noether verify x.py --no-such",
        "noether nothing --x",
    ],
)
def test_a_wrong_command_is_seen(command):
    assert wrong_in(command)


def test_the_table_of_allowances_is_what_the_code_allows():
    rows = re.findall(
        r"^\| (\w+) \| (wide|narrow|eager) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| \d+ \| ([\d.]+) \|$",
        TEXT,
        re.MULTILINE,
    )
    assert {(law, width) for law, width, *_ in rows} == set(SCATTER)
    precision = {"wide": "float64", "narrow": "float16", "eager": "float16/eager"}
    told = int(re.search(r"n = (\d+)", TEXT).group(1))
    for law, width, entries, b, one, mean in rows:
        assert f"{SCATTER[law, width].entry:.3f}" == b
        assert f"{entry_factor(f'{law} a b {precision[width]}', told):.2f}" == one
        assert f"{mean_factor((law, width), int(entries), len(rows)):.3f}" == mean
