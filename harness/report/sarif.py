"""A run as SARIF 2.1.0, which code scanning of GitHub and many editors read (OASIS, Static Analysis Results
Interchange Format, 2020).

One rule a law, one result a place that is violated: where several verdicts of a place are, the worst is told.
A result keeps its fingerprint from run to run, for it is made of law, case, rule, precision, symmetry and
statement alone, never of a number or a line. What is known to be violated is suppressed, with its reason.
What keeps a run from deciding is a notification of its invocation.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from noether.report.github import Place, case_place, law_place
from noether.report.junit import details
from noether.runs.baseline import key
from noether.runs.records_file import plain
from noether.system import resources
from noether.system.machine import __version__
from noether.system.outside import lines
from noether.verdicts import exit_codes
from noether.verdicts.known import EXPIRED, GONE, Standing, excuse, of_about
from noether.verdicts.record import INCONCLUSIVE, VIOLATED, Record, where

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
PAPER = "https://arxiv.org/abs/2105.02716"
ROOT = "%SRCROOT%"
FINGERPRINT = "primaryLocationLineHash"
"""The one fingerprint that GitHub compares (docs.github.com, SARIF support for code scanning); without it all
violations of a case, which stand on one line, would be one alert."""
DIGITS = 16  # hexadecimal, of a fingerprint


def text(records: Sequence[Record], about: dict, errors: Mapping[str, str], **where_from) -> str:
    """The text of a SARIF file. about: run.json;  errors: cell -> why it has no verdict."""
    return json.dumps(plain(document(records, about, errors, **where_from)), allow_nan=False, indent=1) + "\n"


def document(
    records: Sequence[Record],
    about: dict,
    errors: Mapping[str, str],
    *,
    root: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> dict:
    """The SARIF log of a run as plain data.

    root  the folder to which places are relative; None is the workspace of GitHub Actions, else the working
          directory
    """
    from noether.plan.design import LAWS

    root = Path(root or environment.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    known, laws = of_about(about), list(about["laws"])
    rules = [rule(law, LAWS.get(law), environment) for law in laws]
    given = about.get("arguments") or {}
    run = {
        "tool": {"driver": {**TOOL, "rules": rules}},
        "automationDetails": {"id": f"noether/{given.get('profile', 'quick')}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the project."}}},
        "invocations": [invocation(records, about, errors, known)],
        "results": results(records, laws, known, root),
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


TOOL = {"name": "noether", "version": __version__, "semanticVersion": __version__, "informationUri": PAPER}


# ---- rules


def rule(law: str, info, environment: Mapping[str, str]) -> dict:
    """One law as a rule; `info` is None for a law that this version does not know."""
    if info is None:
        return {"id": law}
    full = f"{info.statement}. Applies to {info.applies}."
    told = f"{full}\n\nnoether explain {law} has its equation, its bound and what it cannot see."
    return {
        "id": law,
        "name": "".join(word.capitalize() for word in info.title.split() if word.isalpha()) or law,
        "shortDescription": {"text": info.title},
        "fullDescription": {"text": full},
        "help": {"text": told},
        "helpUri": theory(law, environment),
        "defaultConfiguration": {"level": "error"},
        "properties": {"kind": info.kind},
    }


def theory(law: str, environment: Mapping[str, str]) -> str:
    """Where the derivation of a law can be read: on GitHub where this project itself is built, else in the
    file that is installed."""
    file, workspace = resources.path("theory.md").resolve(), environment.get("GITHUB_WORKSPACE")
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA")
    if (
        workspace
        and all(environment.get(n) for n in names)
        and file.is_relative_to(Path(workspace).resolve())
    ):
        server, repository, commit = (environment[n] for n in names)
        path = file.relative_to(Path(workspace).resolve()).as_posix()
        return f"{server}/{repository}/blob/{commit}/{quote(path)}#{law}"
    return f"{file.as_uri()}#{law}"


# ---- results


def results(records: Iterable[Record], laws: list[str], known: list[Standing], root: Path) -> list[dict]:
    """One result a violated place, in the order of the laws."""
    places: dict[str, list[Record]] = {}
    for r in records:
        if r.verdict == VIOLATED and r.fault is None:
            places.setdefault(key(r), []).append(r)
    order = {law: n for n, law in enumerate(laws)}
    found = sorted(places.items(), key=lambda item: (order.get(item[1][0].law, len(order)), item[0]))
    return [result(place, mine, order, known, root) for place, mine in found]


def result(place: str, mine: list[Record], order: dict[str, int], known: list[Standing], root: Path) -> dict:
    """The violations of one place. A law that the run does not list has no index."""
    counting = [r for r in mine if excuse(r, known) is None]
    worst = max(counting or mine, key=lambda r: r.severity)
    entry = None if counting else excuse(worst, known)
    more = f"\nand {len(mine) - 1} more verdicts of this place" if len(mine) > 1 else ""
    numbers = {name: getattr(worst, name) for name in ("measured", "predicted", "bound", "spent")}
    accepted = [{"kind": "external", "status": "accepted", "justification": entry.told}] if entry else []
    return {
        "ruleId": worst.law,
        **({"ruleIndex": order[worst.law]} if worst.law in order else {}),
        "kind": "fail",
        "level": "error",
        "message": {"text": lines(details(worst) + more)},
        "locations": [location(worst, root)],
        "partialFingerprints": {FINGERPRINT: fingerprint(place)},
        "occurrenceCount": len(mine),
        "suppressions": accepted,
        "properties": {
            **{name: x if x is None or math.isfinite(x) else str(x) for name, x in numbers.items()},
            **{"case": worst.case, "rule": worst.rule, "precision": worst.precision},
            **{"backend": worst.backend, "replay": worst.replay or ""},
        },
    }


def fingerprint(place: str) -> str:
    """What tells a violated place from every other, in every run; ":1" ends it as GitHub's own do."""
    return hashlib.sha256(place.encode()).hexdigest()[:DIGITS] + ":1"


def location(r: Record, root: Path) -> dict:
    """Where a violation stands: the loss of its case, or its law where the case has no file."""
    file, line = loss_place(r.case) or law_place(r.law) or (resources.path("theory.md"), 1)
    file = Path(file).resolve()
    inside = file.is_relative_to(root)
    if inside:  # a URI has no blank and no letter beyond ASCII (RFC 3986, section 2.1); as_uri knows that
        at = {"uri": quote(file.relative_to(root).as_posix()), "uriBaseId": ROOT}
    else:
        at = {"uri": file.as_uri()}
    return {
        "physicalLocation": {"artifactLocation": at, "region": {"startLine": line}},
        "logicalLocations": [{"name": r.case, "fullyQualifiedName": where(r), "kind": "module"}],
    }


def loss_place(name: str) -> Place:
    """The line on which the loss of a case begins, or that of its `Case(`."""
    from noether.plan.choices import case_named
    from noether.system.usage import UsageError

    try:
        code = case_named(name).loss.__code__
    except (UsageError, AttributeError):
        return case_place(name)
    file = Path(code.co_filename)
    return (file, code.co_firstlineno) if file.is_file() else case_place(name)


# ---- what kept the run from deciding


def invocation(records, about: dict, errors: Mapping[str, str], known: list[Standing]) -> dict:
    """The run itself: its exit code, when it was, and what it could not decide."""
    code = about.get("exit_code")
    decided = (exit_codes.HOLDS, exit_codes.VIOLATED)
    notes = [
        notification("error", f"{cell}: {told.strip().splitlines()[-1]}") for cell, told in errors.items()
    ]
    notes += [notification("error", f"blind: {line}") for line in about.get("blind") or []]
    notes += [notification("error", s.line) for s in known if s.status in (GONE, EXPIRED)]
    notes += [
        notification("warning", f"{where(r)}: {r.verdict}: {r.reason}")
        for r in records
        if r.verdict == INCONCLUSIVE and r.fault is None
    ]
    out = {"executionSuccessful": code in decided, "toolExecutionNotifications": notes}
    out |= {} if code is None else {"exitCode": code}
    for name, said in (("startTimeUtc", about.get("start")), ("endTimeUtc", about.get("end"))):
        out |= {name: said.replace("+00:00", "Z")} if said else {}
    return out


def notification(level: str, words: str) -> dict:
    """One of them."""
    return {"level": level, "message": {"text": lines(words)}}
