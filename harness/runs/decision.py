"""The exit code of a command, decided before the first word of it is printed and kept whatever printing does.

A verdict that could not be printed is told on stderr and in unprinted.txt of the run folder.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path

from noether.system import outlet

UNPRINTED = "unprinted.txt"
TOLD = 20  # violations that an unfinished run names on stderr


@dataclass
class Decision:
    """What a command has decided.

    code    None until then
    words   the verdict in a line
    faults  why it was not printed
    """

    code: int | None = None
    words: str = ""
    folder: Path | None = None
    faults: list[str] = field(default_factory=list)

    def unprintable(self, what: str, error: BaseException) -> None:
        """Keep why something of a decided verdict could not be shown; a fault of ours also as a traceback."""
        first = (str(error).strip() or "no message").splitlines()[0]
        self.faults.append(f"{what}: {type(error).__name__}: {first}")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            traceback.print_exception(error)


CURRENT = [Decision()]


def fresh() -> Decision:
    """Forget the decision of the last command and begin a new one."""
    CURRENT[0] = Decision()
    return CURRENT[0]


def decide(code: int, words: str = "", folder: Path | None = None) -> int:
    """From here on the command ends with `code`, whatever becomes of its tables and pages. Returns it."""
    outlet.restore()
    made = CURRENT[0]
    made.code, made.words, made.folder = code, words, folder and Path(folder).absolute()
    return code


def shown(what: str, function, *arguments) -> None:
    """Call a function that shows what is decided; that it fails is kept, and changes nothing."""
    try:
        function(*arguments)
    except Exception as error:
        CURRENT[0].unprintable(what, error)


def conclude(complain) -> None:
    """After the last word: say what was not printed, on stderr and in the run folder."""
    made, broken = CURRENT[0], outlet.faults()
    why = [*(f"{name} could not be written: {text}" for name, text in broken.items()), *made.faults]
    if made.code is None or not why:
        if "stdout" in broken and not outlet.reader_left():
            complain(f"stdout could not be written: {broken['stdout']}")
        if made.code is not None and made.folder:
            clear(made.folder)
        return
    place = write(made, why)
    if made.words or made.faults or not outlet.reader_left():
        complain("; ".join(x for x in (made.words, *why, f"exit code {made.code}", place) if x))


def write(made: Decision, why: list[str]) -> str:
    """Write unprinted.txt into the run folder; returns where it is, or why it is not."""
    from noether.system.files import write_whole

    if made.folder is None or not made.folder.is_dir():
        return ""
    lines = [
        f"exit code {made.code}: {made.words}",
        *why,
        "The verdict stands in run.json and records.jsonl; noether report writes its page.",
    ]
    try:
        write_whole(made.folder / UNPRINTED, "\n".join(lines) + "\n")
    except OSError as error:
        return f"{made.folder / UNPRINTED} cannot be written: {error.strerror or error}"
    return str(made.folder / UNPRINTED)


def clear(folder: Path) -> None:
    """Remove the unprinted.txt of an earlier command on the same run, whose verdict is printed now."""
    try:
        (folder / UNPRINTED).unlink(missing_ok=True)
    except OSError:
        pass


# ---- runs that end before their verdict


def carry(error: BaseException, records: list, *lines: str) -> None:
    """Let the exception that ends a run carry what the run had found, so that it is told, and `lines` after
    it."""
    error.noether_records, error.noether_lines = records, lines


def carried(error: BaseException) -> list[str]:
    """The violations that a run had found before this ended it, a line each; none that was planted."""
    from noether.verdicts.record import VIOLATED, where

    found = [r for r in getattr(error, "noether_records", ()) if r.verdict == VIOLATED and not r.fault]
    lines = [f"violated: {where(r)}: {r.reason}" for r in found[:TOLD]]
    lines += [f"and {len(found) - TOLD} more violations"] if len(found) > TOLD else []
    return [*lines, *getattr(error, "noether_lines", ())]
