"""The files that people and their CI read (report.html, junit.xml, errors.txt), made from records at any
time."""

from __future__ import annotations

from pathlib import Path

from noether.report.junit import document as junit
from noether.report.page.page import render
from noether.runs.result import Result
from noether.runs.saved_run import Run, read_about, read_run
from noether.system.files import write_whole
from noether.system.usage import UsageError


def write(path: Path, records: list, errors: dict[str, str], laws: list[str], about: dict) -> None:
    """Write junit.xml, report.html and, where there are errors, errors.txt. Raises OSError."""
    from noether.plan.design import LAWS

    titles = {law: info.title for law, info in LAWS.items()}
    write_whole(path / "junit.xml", junit(records, errors, titles=titles, about=about))
    if errors:
        write_whole(path / "errors.txt", "\n".join(f"{cell}\n{text}" for cell, text in errors.items()))
    write_whole(path / "report.html", page(records, laws, about))


def page(records: list, laws: list[str], about: dict) -> str:
    """The text of report.html, by the command that recorded."""
    if about.get("command") == "faults":
        from noether.report.faults.page import render as matrix

        return matrix(records, about)
    return render(records, laws, about)


def publish_faults(result) -> None:
    """Write report.html, errors.txt and faults.md of a run of `noether faults`."""
    if result.folder is not None:
        from noether.report.faults.document import document

        run = read_run(result.folder)
        write(run.path, run.records, result.errors, run.about["laws"], run.about)
        write_whole(run.path / "faults.md", document(run.records, run.about))


def publish(result: Result) -> None:
    """Write these files into the run folder. A disk that refuses is a note: no record is lost by it."""
    if result.folder is None:
        return
    try:
        if read_about(result.folder).get("id") != result.about.get("id"):
            raise UsageError(f"{result.folder} holds another run by now")
        errors = {**result.errors, **result.lost}
        write(result.folder, result.records, errors, list(result.laws), result.about)
    except UsageError as error:
        result.notes.append(f"no report was written: {error}")
    except OSError as error:
        what = f"{error.filename or result.folder} cannot be written: {error.strerror}"
        result.notes.append(f"{what}; noether report {result.folder} writes it again")


def write_beside(path: Path, text: str, what: str) -> None:
    """Write a file that was asked for by name. Raises UsageError where the disk refuses."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise UsageError(f"{what} {path} cannot be written: {error.strerror or error}") from None


def publish_comparison(difference) -> Path:
    """Write compare.html into the second run folder. Raises UsageError."""
    from noether.report.page.compare import render as changes

    page = difference.b.path / "compare.html"
    try:
        write_whole(page, changes(difference))
    except OSError as error:
        raise UsageError(f"{page} cannot be written: {error.strerror}") from None
    return page


def republish(path: Path) -> Run:
    """Write these files of a run folder again. Raises UsageError."""
    run = read_run(path)
    try:
        write(run.path, run.records, run.errors, run.about["laws"], run.about)
    except OSError as error:
        raise UsageError(f"{run.path}/report.html cannot be written: {error.strerror}") from None
    return run
