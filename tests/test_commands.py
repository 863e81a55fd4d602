"""What every command promises: it is there, it explains itself, and --json is one strict document and nothing
else."""

import json
import os
import re
from pathlib import Path

import pytest
from processes import command_line, python

from noether import __version__
from noether.cli.main import call
from noether.system.machine import importable

ROOT = Path(__file__).resolve().parent.parent
PROMISED = (
    "verify merge laws cases rules show explain replay report history doctor faults fuzz discover symmetries "
    "map findings bench clean completion"
).split()
VERIFY = ["verify", "product", "--law", "D8", "--backend", "numpy", "--jobs", "1"]
TABLES = [c for c in PROMISED if c != "completion"]


def command(*words, **options):
    """The command line in a process of its own, with the paths of this one."""
    environment = {**importable(ROOT / "tests"), **options.pop("env", {})}
    return command_line(*words, env=environment, timeout=60, **options)


def strictly(text):
    """One JSON document without NaN and Infinity."""
    return json.loads(text, parse_constant=lambda x: pytest.fail(f"{x} is no JSON"))


def test_the_page_says_what_each_command_is_for():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    table = text.partition("## Which command for what")[2].partition("\n## ")[0]
    assert [name for name in PROMISED if f"`noether {name}" not in table] == []


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_has_every_promised_command_on_a_line_of_its_own(words, capsys):
    assert call(words) == 0
    out, err = capsys.readouterr()
    listed = [
        line.split()[0]
        for line in out.partition("Commands:")[2].splitlines()
        if line.startswith("  ") and line.split()
    ]
    assert set(PROMISED) <= set(listed), set(PROMISED) - set(listed)
    assert err == ""


@pytest.mark.parametrize("width", ["80", "160"])
def test_no_help_of_a_command_is_cut(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    assert call([]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert listed and "..." not in listed


@pytest.mark.parametrize("name", PROMISED)
@pytest.mark.parametrize("word", ["-h", "--help"])
def test_every_command_explains_itself(name, word, capsys):
    assert call([name, word]) == 0
    assert f"noether {name}" in capsys.readouterr().out


def test_the_version_is_said(capsys):
    assert call(["--version"]) == 0
    assert capsys.readouterr().out == f"noether {__version__}\n"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_form_for_machines(name, capsys):
    assert call([name, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


RULED = [
    (["cases"], "cases"),
    (["rules"], "rules"),
    (["laws"], "laws"),
    (["show", "rayleigh"], "symmetries"),
    (["explain", "D2"], "statement"),
    (["doctor"], "found"),
    (["discover", "rayleigh"], "generators"),
]


@pytest.mark.parametrize("words, key", RULED, ids=lambda x: x[0] if isinstance(x, list) else "")
def test_json_of_a_list_is_one_strict_document(words, key, capsys):
    assert call([*words, "--json"]) == 0
    value = strictly(capsys.readouterr().out)
    assert value["schema"] == 2 and value[key]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small honest run, and another of the same words."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("a", "b"):
        assert call([*VERIFY, "--out", str(folder / name)]) == 0
    return folder


RUNS = [
    (["report", "a"], ("run", "verdict", "exit_code", "pages")),
    (["report", "a", "b"], ("a", "b", "worse", "laws", "violated", "rises", "page")),
    (["laws", "a"], ("run", "laws")),
    (["explain", "D8", "a"], ("law", "power")),
    (["replay", "a"], ("run", "equal", "record", "text")),
    (VERIFY, ("exit_code", "verdict", "laws", "run")),
]


@pytest.mark.parametrize("words, keys", RUNS, ids=lambda x: " ".join(x)[:20])
def test_json_about_a_run_is_one_strict_document(run, words, keys, capsys, monkeypatch):
    monkeypatch.chdir(run)
    assert call([*words, "--json"]) == 0
    value = strictly(capsys.readouterr().out)
    assert value["schema"] == 2 and all(value[key] is not None for key in keys), value


def test_json_of_a_refusal_is_empty(run, capsys, monkeypatch):
    monkeypatch.chdir(run)
    for words in (
        ["findings", "a", "--out", "f.md"],
        ["explain", "D99"],
        ["report", "nowhere"],
        ["show", "nothing"],
    ):
        assert call([*words, "--json"]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("noether: ")


def test_rules_lists_each_rule_with_the_step_that_its_kernel_takes(capsys):
    from noether.cases.rules import RULES

    assert call(["rules", "--json"]) == 0
    rows = strictly(capsys.readouterr().out)["rules"]
    assert [row["rule"] for row in rows] == list(RULES)
    assert all(len(row["step"]) >= 2 and row["cases"] for row in rows)
    assert call(["rules"]) == 0
    out = capsys.readouterr().out
    assert not [name for name in RULES if name not in out]


# ---- completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell, capsys):
    assert call(["completion", shell]) == 0
    assert "_NOETHER_COMPLETE" in capsys.readouterr().out


def test_completion_needs_no_shell_around_it():
    bare = {name: "" for name in ("SHELL", "TERM")}
    assert command("completion", "bash", env=bare).returncode == 0
    done = command("completion", "tcsh", env=bare)
    assert (
        done.returncode == 2
        and "must be one of bash, zsh, fish" in done.stderr
        and "Traceback" not in done.stderr
    )


@pytest.mark.parametrize(
    "words, found",
    [
        ("noether ru", "rules"),
        ("noether show ray", "rayleigh"),
        ("noether explain D1", "D13"),
        ("noether verify --pro", "--profile"),
    ],
)
def test_a_shell_that_asks_is_answered(words, found):
    count = str(len(words.split()) - 1)
    done = command(env={"_NOETHER_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count})
    assert done.returncode == 0 and found in done.stdout.split(), done.stderr


def test_help_loads_nothing_heavy():
    heavy = "torch triton sympy scipy mpmath pandas hypothesis jinja2 noether.plan.design".split()
    program = (
        "import sys; from noether.cli.main import call; code = call(['--help']); "
        f"sys.exit(', '.join(x for x in {heavy} if x in sys.modules) or code)"
    )
    done = python("-c", program, cwd=ROOT, env=dict(os.environ), timeout=60)
    assert done.returncode == 0, done.stderr


# ---- docs/commands.md


def documented() -> dict[str, set[str]]:
    """The table of docs/commands.md: command -> the names at the top of its JSON."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = [
        line.strip("| ").split(" | ")
        for line in text.partition("## Machines")[2].splitlines()
        if line.startswith("| `")
    ]
    return {command: set(re.findall(r"`([a-z_]+)`", names)) for command, names in rows}


def test_the_docs_name_every_command():
    named = " ".join(documented())
    assert not [command for command in TABLES if f"`{command}" not in named]


ROW_OF = {
    "cases": "`cases`",
    "rules": "`rules`",
    "laws": "`laws`",
    "show rayleigh": "`show`",
    "explain D2": "`explain`",
    "discover rayleigh": "`discover`",
    "clean --dry-run": "`clean`",
    "report a": "`report` of one run",
    "report a b": "`report` of two runs",
    "history .": "`history`",
    "replay a": "`replay`",
    "laws a": "`laws`",
    " ".join(VERIFY): "`verify`, `merge`",
}


@pytest.mark.parametrize("asked, row", ROW_OF.items())
def test_the_names_of_the_docs_are_those_that_are_printed(run, asked, row, capsys, monkeypatch):
    words = asked.split()
    monkeypatch.chdir(run)
    assert call([*words, "--json"]) == 0
    have, told = set(strictly(capsys.readouterr().out)), documented()[row]
    if row == "`laws`":
        told = told & {"laws"} if "a" not in words else told
    assert told <= have, told - have
    if row != "`discover`":
        assert have - {"schema"} <= told | {"of", "run"}, have - told


@pytest.mark.parametrize(
    "words, last",
    [
        ("discover rayleigh", "1 symmetry, 0 of them kept by the kinetic energy (Killing)\n"),
        ("fuzz --batches 1 --jobs 1 --backend numpy --corpus none", "nothing false\n"),
    ],
)
def test_quiet_leaves_the_verdict_alone(words, last, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert call([*words.split(), "-q"]) == 0
    assert capsys.readouterr() == (last, "")
