"""The exit code is the verdict, whatever becomes of what is printed, and a verdict that was not printed says
so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from attacks import ATTACKS
from processes import command_line
from waiting import PATIENCE

from noether.system.machine import importable

ROOT = Path(__file__).resolve().parent.parent
VERIFY = "verify rayleigh --precision float64 --jobs 1 --out NEW"
FUZZ = "fuzz --batches 1 --backend numpy"
CODES = [
    # words, what goes wrong in the laws or what is found, the only exit code
    (VERIFY, "", 0),
    (VERIFY, "D2=violated", 1),
    (VERIFY, "D2=inconclusive", 3),
    (VERIFY, "D2=raises", 70),
    (VERIFY + " --json", "D2=violated", 1),
    ("verify raleigh", "", 2),
    ("verify --no-such-option", "", 2),
    ("no-such-command", "", 2),
    ("verify --backend triton-gpu", "", 3),
    *(
        (words, found, code)
        for words in (FUZZ, "map", "map --json")
        for found, code in (("holds", 0), ("violated", 1), ("undecided", 3))
    ),
    ("faults", "holds", 0),
    ("faults", "violated", 1),
    ("faults", "undecided", 3),
    ("bench --quick", "holds", 0),
    ("bench --quick", "violated", 1),
    ("discover rayleigh", "", 0),
    ("discover nothing.py:loss --dim 2", "", 2),
    ("findings RUN --out findings.md", "", 0),
    ("report RUN", "", 0),
    ("report RUN RUN", "", 0),
    ("report nowhere", "", 2),
    ("replay RUN", "holds", 0),
    ("replay VIOLATED", "holds", 1),
    ("replay VIOLATED", "undecided", 3),
    ("laws", "", 0),
    ("laws RUN --json", "", 0),
    ("cases", "", 0),
    ("rules", "", 0),
    ("show rayleigh", "", 0),
    ("explain D2", "", 0),
    ("explain D1000", "", 2),
    ("doctor", "", 0),
    ("completion bash", "", 0),
    ("--version", "", 0),
    ("verify --help", "", 0),
    ("", "", 0),
]


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """ask(words, fake, attack) -> {"code", "stdout", "stderr", "folder"}."""
    place = tmp_path_factory.mktemp("attacks")
    command = [sys.executable, "-c", "import attacks; attacks.serve()"]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    server = subprocess.Popen(command, env=importable(ROOT / "tests"), **pipes)
    server.stdin.write(f"{place}\n")
    count = iter(range(10**6))

    def ask(words, fake="", attack="none", work=""):
        folder = f"r{next(count)}"
        words = [{"NEW": folder, "RUN": "run", "VIOLATED": "violated"}.get(w, w) for w in words.split()]
        found = fake if fake in ("violated", "undecided") else "holds"
        planned = fake if "=" in fake else ""
        request = dict(words=words, fake=planned, found=found, attack=attack, work=work, cwd=str(place))
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        return {**json.loads(server.stdout.readline()), "folder": place / folder}

    assert ask("verify rayleigh --precision float64 --jobs 1 --out run")["code"] == 0
    assert ask("verify rayleigh --precision float64 --jobs 1 --out violated", "D2=violated")["code"] == 1
    yield ask
    server.stdin.close()
    server.wait(PATIENCE)


EVERY_COMMAND = (">/dev/full 2>/dev/full", "<&- >&- 2>&-")
FEW = [
    (VERIFY, "D2=violated", 1),
    ("verify raleigh", "", 2),
    (FUZZ, "violated", 1),
    ("map --json", "undecided", 3),
    ("show rayleigh", "", 0),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_exit_code_is_the_verdict_whatever_becomes_of_the_streams(ask, attack):
    wrong = []
    for words, fake, code in CODES if attack in EVERY_COMMAND else FEW:
        done = ask(words, fake, attack)
        if done["code"] != code or "Traceback" in done["stderr"]:
            wrong.append(f"{words} ({fake}): {done['code']}, must be {code}: {done['stderr'][-300:]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("attack", [">/dev/full", ">&-", "read-only", "| true", "ulimit -f"])
def test_a_verdict_that_was_not_printed_is_told_on_stderr_and_in_the_run_folder(ask, attack):
    done = ask(VERIFY, "D2=violated", attack)
    note = done["folder"] / "unprinted.txt"
    if attack == "ulimit -f":  # the page is a note; the verdict was printed
        assert (
            "cannot be written: File too large" in done["stderr"]
            and "a law is violated: D2" in done["stdout"]
            and not note.exists()
        )
        return
    assert done["stdout"] == "" and "a law is violated: D2; stdout could not be written" in done["stderr"]
    assert note.read_text().startswith("exit code 1: a law is violated: D2\nstdout could not be written: ")


def test_a_stderr_that_is_full_is_told_in_the_run_folder_and_a_printed_verdict_takes_the_note_away(ask):
    done = ask(VERIFY, "", "<&- >/dev/full 2>&-")
    text = (done["folder"] / "unprinted.txt").read_text()
    assert (
        text.startswith("exit code 0: everything holds\n")
        and "stderr could not be written: it is closed" in text
    )
    assert ask(f"verify --jobs 1 --resume {done['folder'].name}")["code"] == 0
    assert not (done["folder"] / "unprinted.txt").exists()


def test_what_a_slow_reader_of_a_nonblocking_pipe_gets_is_whole(ask):
    assert (
        ask("show rayleigh", attack="non-blocking")["stdout"]
        == ask("show rayleigh")["stdout"]
        == "shown\n" * 2000 + "\n"
    )


def test_letters_that_the_encoding_lacks_are_escaped(ask):
    done = ask("discover rayleigh --json", attack="ascii")
    assert done["code"] == 0 and json.loads(done["stdout"])
    assert ask("explain D2", attack="ascii")["stdout"].isascii() and not ask("explain D2")["stdout"].isascii()


# ---- processes of their own, as a shell starts them

SHELL = [
    ("verify rayleigh --precision float64 --jobs 2 --out r | head -c 5", "D2=violated", 1),
    ("verify rayleigh --precision float64 --jobs 1 --out r >&- 2>&- <&-", "D2=violated", 1),
]


@pytest.mark.parametrize("line, fake, code", SHELL)
def test_the_shell_gets_the_verdict(tmp_path, line, fake, code):
    program = f"{sys.executable} -c 'import fakes; fakes.main()'"
    done = subprocess.run(
        ["bash", "-c", f"{program} {line}; exit ${{PIPESTATUS[0]}}"],
        env={**importable(ROOT / "tests"), "FAKE": fake},
        cwd=tmp_path,
        timeout=PATIENCE,
    )
    assert done.returncode == code


INSIDE = [
    ("raise SystemExit(0)", 70),
    ("import os; os._exit(0)", 70),
    ("raise BrokenPipeError(32, 'Broken pipe')", 70),
    ("raise GeneratorExit", 70),
    ("raise KeyboardInterrupt", 130),
    ("import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(99)", 143),
    ("import atexit, os; atexit.register(os._exit, 0); atexit.register(sys.exit, 0); raise SystemExit", 70),
    ("sys.stdout = sys.stderr = None; raise ZeroDivisionError", 70),
    ("sys.stdout.close(); sys.stderr.close()", 3),
]


@pytest.mark.parametrize("what, code", INSIDE)
def test_nothing_that_runs_inside_a_run_chooses_the_exit_code(ask, what, code):
    assert ask(VERIFY, work=what)["code"] == code


SWALLOWED = """import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
except KeyboardInterrupt:
    raise AttributeError("module 'numpy' has no attribute 'logical_or'") from None
"""
"""What numpy makes of Ctrl-C that comes while it is imported."""


@pytest.mark.parametrize(
    "what, code",
    [
        ("import noether.cli.main", 70),
        ("raise KeyboardInterrupt", 130),
        ("raise MemoryError", 70),
        (SWALLOWED, 130),
    ],
)
def test_a_command_that_cannot_be_imported_is_no_violated_law(tmp_path, what, code):
    (tmp_path / "typer.py").write_text(
        what.replace("import noether.cli.main", "import no_such_module") + "\n"
    )
    done = command_line("laws", env=importable(tmp_path), cwd=tmp_path, timeout=PATIENCE)
    assert done.returncode == code and done.stderr.startswith("noether: "), done.stderr
