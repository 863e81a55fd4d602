"""Every option of every command does what it says: a table of them, and a check that none is missing in it.

The work behind most commands is replaced by something that keeps what it was asked for.
"""

import json
from inspect import signature
from pathlib import Path

import pytest
import typer

from noether.cli.commands import verify
from noether.cli.commands.app import app
from noether.cli.commands.defaults import Defaults
from noether.cli.main import call
from noether.plan.pyproject import Settings
from noether.system.usage import unknown

VERIFY = {  # option -> words, and what run.json or the output must then say
    "--profile": (["full"], ("profile", "full")),
    "--backend": (["numpy"], ("backend", "numpy")),
    "--precision": (["float32"], ("precision", "float32")),
    "--rule": (["heavy-ball"], ("rule", "heavy-ball")),
    "--law": (["D2"], ("law", "D2")),
    "--seed": (["7"], ("seed", 7)),
    "--eta": (["0.25"], ("eta", 0.25)),
    "--beta": (["0.5"], ("beta", 0.5)),
    "--decay": (["0.125"], ("decay", 0.125)),
    "--eps": (["0.5"], ("eps", 0.5)),
    "--steps": (["3"], ("steps", 3)),
    "--lanes": (["5"], ("lanes", 5)),
    "--reference": ([], ("reference", True)),
}
# what the other options of verify print, on stdout or stderr
TOLD = {"--jobs": ["1"], "-j": ["1"], "--executor": ["process"], "--cell-seconds": ["60"]}
TOLD |= {"--trust": [], "--strict": [], "--no-strict": []}
ELSEWHERE = {
    ("verify", "--out"): "below, in every test",
    ("verify", "--resume"): "test_resume_goes_on",
    ("verify", "--shard"): "test_parts_and_their_whole",
    ("merge", "--out"): "test_parts_and_their_whole",
    ("verify", "--json"): "test_commands.py",
    ("verify", "--baseline"): "tests/test_baseline.py",
    ("verify", "--update-baseline"): "tests/test_baseline.py",
    ("verify", "--no-update-baseline"): "tests/test_baseline.py",
    ("verify", "--accept-rise"): "tests/test_baseline.py",
    ("verify", "--no-accept-rise"): "tests/test_baseline.py",
    ("report", "--parquet"): "tests/test_frames.py",
    ("verify", "--no-config"): "tests/test_pyproject.py",
    ("merge", "--no-config"): "tests/test_known_told.py",
    ("verify", "--sarif"): "tests/test_sarif.py",
    ("report", "--sarif"): "tests/test_sarif.py",
    ("report", "--badge"): "tests/test_sarif.py",
}
"""Options that other tests are about."""
# command -> function that does its work, {option: (words, name or place of what it is given, value)}
KEPT = {
    "faults": (
        "noether.campaigns.kill_matrix.campaign.run",
        {
            "--profile": (["full"], "profile", "full"),
            "--seed": (["7"], "seed", 7),
            "--out": (["r"], "out", Path("r")),
            "--jobs": (["3"], "jobs", 3),
            "-j": (["3"], "jobs", 3),
        },
    ),
    "fuzz": (
        "noether.cli.fuzz_progress.run",
        {
            "--for": (["2m"], "seconds", 120.0),
            "--batches": (["4"], "batches", 4),
            "--seed": (["7"], "seed", 7),
            "--backend": (["numpy"], "probe.backend", "numpy"),
            "--rule": (["heavy-ball"], "rules", ("heavy-ball",)),
            "--precision": (["float32"], "precisions", ("float32",)),
            "--corpus": (["c"], "corpus", Path("c")),
            "--plant": (["ascent"], "probe.plant", "ascent"),
            "--out": (["r"], "out", Path("r")),
            "--jobs": (["3"], "jobs", 3),
            "-j": (["3"], "jobs", 3),
        },
    ),
    "bench": (
        "noether.labs.bench.campaign.run",
        {
            "--cases": (["rayleigh"], "cases", ("rayleigh",)),
            "--precision": (["float32"], "precisions", ("float32",)),
            "--work": (["update"], "kinds", ("update",)),
            "--tools": (["triton-cpu"], "names", ["triton-cpu"]),
            "--lanes": (["512"], "lanes", 512),
            "--steps": (["8"], "steps", 8),
            "--rounds": (["2"], "rounds", 2),
            "--quick": ([], "tune", False),
            "--no-quick": ([], "tune", True),
            "--scale": ([], "scale", True),
            "--no-scale": ([], "scale", False),
        },
    ),
    "discover": (
        "noether.campaigns.discovery.finding.discover",
        {
            "--seed": (["7"], 1, 7),
            "--box": (["-2,2"], "0.box.tolist", [[-2.0, 2.0]] * 8),
            "--within": (["30"], "within", 30.0),
            "--memory": (["2"], "memory", 2.0),
        },
    ),
    "map": (
        "noether.laws.map.cells.run_cell",
        {"--profile": (["full"], "profile", "full"), "--seed": (["7"], "seed", 7)},
    ),
}
FIRST = {"discover": ["rayleigh"], "fuzz": ["mexican-hat"]}
QUIET = ("--json", "--quiet", "-q", "--verbose", "-v")  # tests/test_commands.py and tests/test_progress.py


def options() -> dict[str, set[str]]:
    commands = typer.main.get_command(app).commands
    return {
        name: {
            word
            for p in command.params
            if p.param_type_name == "option"
            for word in (*p.opts, *p.secondary_opts)
        }
        for name, command in commands.items()
    }


def test_every_option_of_every_command_is_tried_here_or_where_it_is_said():
    tried = {
        "verify": {*VERIFY, *TOLD},
        "replay": {*CHOICES, "--trust"},
        "clean": {"--dry-run", "-n", "--runs"},
        "findings": {"--out"},
    }
    tried["merge"] = {"--strict", "--no-strict", "--baseline", "--out"}  # tests/test_shards.py
    tried["history"] = {"--to", "--git", "--profile", "--seed", "--backend", "--page"}  # test_history.py
    tried |= {command: set(table) for command, (_, table) in KEPT.items()}
    tried["fuzz"] |= {"--replay", "--trust"}  # tests/test_corpus.py, tests/test_trust.py
    tried["discover"] |= {"--dim", "--write"}  # tests/test_discovery.py, tests/test_discovery_writing.py
    tried["bench"] |= {"--out"}  # tests/test_bench.py
    tried["symmetries"] = {"--arg", "--input", "--seed", "--discover"}  # tests/test_symmetries.py
    tried["audit"] = {
        "--all",
        "--arg",
        "--like",
        "--part",
        "--seed",
        "--out",
        "--jobs",
        "-j",
    }  # test_audit_command
    for command, words in options().items():
        known = tried.get(command, set()) | {o for c, o in ELSEWHERE if c == command} | set(QUIET)
        assert words <= known, f"{command}: {sorted(words - known)} are tried nowhere"


@pytest.mark.parametrize("option", VERIFY)
def test_verify_keeps_what_it_was_asked_for_in_run_json(plan, option):
    words, (name, value) = VERIFY[option]
    assert call(["verify", "rayleigh", option, *words, "--jobs", "1", "--out", "r"]) == 0
    assert json.loads(Path("r/run.json").read_text())["arguments"][name] == value


@pytest.mark.parametrize("option", TOLD)
def test_verify_takes_the_options_of_how_it_is_run(plan, option, capsys):
    assert call(["verify", "rayleigh", "--law", "D2", option, *TOLD[option], "--out", "r"]) == 0
    assert "everything holds" in capsys.readouterr().out


def test_resume_goes_on(plan, capsys):
    assert call(["verify", "rayleigh", "--law", "D2", "--out", "r", "--jobs", "1"]) == 0
    assert call(["verify", "--resume", "r", "--jobs", "1"]) == 0
    assert call(["verify", "--resume", "r", "--law", "D0"]) == 2
    assert "argument law was" in capsys.readouterr().err


def test_parts_and_their_whole(plan, capsys):
    for part in ("1/2", "2/2"):
        call(["verify", "rayleigh", "--law", "D2", "--jobs", "1", "--shard", part, "--out", f"p{part[0]}"])
    capsys.readouterr()
    for words in ([], ["--strict"], ["--no-strict"], ["-v"]):
        assert call(["merge", "p1", "p2", "--out", f"whole{len(words)}{''.join(words)}", *words]) == 0
        assert "everything holds" in capsys.readouterr().out
    assert call(["merge", "p1", "p2", "--out", "quiet", "-q"]) == 0
    assert capsys.readouterr().out == "everything holds\n"
    assert call(["merge", "p1", "p2", "--out", "machine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exit_code"] == 0


CASES = [(command, option) for command, (_, table) in KEPT.items() for option in table]


@pytest.mark.parametrize("command, option", CASES, ids=lambda x: x)
def test_what_a_command_is_asked_for_reaches_its_work(command, option, monkeypatch, tmp_path):
    from noether.system.usage import UsageError

    if command == "bench":
        pytest.importorskip("triton")
    asked = {}

    def keep(*arguments, **words):
        asked.update(words)
        asked.update(enumerate(arguments))
        raise UsageError("enough")

    monkeypatch.chdir(tmp_path)
    where, table = KEPT[command]
    words, at, value = table[option]
    monkeypatch.setattr(where, keep)
    assert call([command, *FIRST.get(command, []), option, *words]) == 2
    assert found(asked, at) == value


def found(asked: dict, at):
    """What stands there: a name or a place among the arguments, or a name in the first of them."""
    if at in asked:
        return asked[at]
    first, *rest = str(at).split(".") if str(at)[0].isdigit() else ("0", *str(at).split("."))
    value = asked[int(first)]
    for name in rest:
        value = getattr(value, name)
    return value() if callable(value) else value


CHOICES = {
    "--record": ["1"],
    "--law": ["D2"],
    "--cell": ["D2/rayleigh/float64"],
    "--symmetry": ["scale"],
    "--fault": ["no-op kernel"],
    "--nth": ["1"],
}


@pytest.mark.parametrize("option", CHOICES)
def test_replay_picks_what_it_was_asked_for(plan, option, monkeypatch):
    picked = []

    def again(self, record):
        picked.append(record)
        return True, "equal"

    monkeypatch.setattr("noether.runs.replaying.Replays.again", again)
    assert (
        call(["verify", "rayleigh", "--law", "D2", "--precision", "float64", "--jobs", "1", "--out", "r"])
        == 0
    )
    assert call(["replay", "r", option, *CHOICES[option]]) == 0
    assert len(picked) == 1 and bool(picked[0].fault) == (option == "--fault")


def test_of_many_names_the_nearest_are_told_and_where_all_are():
    few = str(unknown("law", "D22", ["D1", "D2"]))
    assert few == "law is 'D22', must be one of D1, D2; did you mean D2?"
    names = [f"step {n}" for n in range(300)]
    many = str(unknown("fault", "steep 7", names, listed="noether faults lists them"))
    assert "must be one of 300 names; did you mean step 7" in many and many.endswith("faults lists them")
    assert len(many) < 200


def test_a_command_reads_what_it_was_given_and_not_what_typer_keeps():
    """Under some versions typer keeps the words of the command line: a path is text there, and --resume ended
    with 70."""

    class Context:
        """What is left of a typer.Context."""

        def get_parameter_source(self, name):
            return None

    given = {name: p.default for name, p in signature(verify.verify).parameters.items() if name != "context"}
    asked = verify.wanted(Context(), Defaults(Context(), Settings()), {**given, "resume": Path("r")})
    assert asked.resume == Path("r") and asked.words["seed"] == 0 and asked.spoken == {}
