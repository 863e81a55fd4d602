"""The text of report.html, put together from its parts."""

from __future__ import annotations

import shlex

from noether.report.html import environment
from noether.report.page.exhibits import exhibits
from noether.report.page.law import section
from noether.report.page.overview import SYMBOL, faults, grid, law_rows
from noether.report.table import WORD
from noether.verdicts import exit_codes
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record, summarise

LISTED = 200
UNFINISHED = "nothing is decided yet"
TONE = {exit_codes.HOLDS: "good", exit_codes.VIOLATED: "bad"}
SUBJECTS = (
    (
        "T",
        "The theorem in continuous time",
        "Charges of certified solutions of the equations of motion, against the theorem's balance.",
    ),
    (
        "D",
        "One discrete step, exactly",
        "What an update does to a charge, to rounding, whatever the gradient. The bound is derived, so "
        "spent ≤ 1 is the whole test.",
    ),
    (
        "E",
        "Broken symmetry, measured back",
        "The loss is broken by a known amount; the charge must answer by the predicted one.",
    ),
    ("S", "Normalisation", "A scale-invariant loss makes the norm an adaptive learning rate."),
    (
        "O",
        "Continuous models and their orders",
        "How fast a discrete rule approaches its model as the step size falls; a wrong model falls slower.",
    ),
    ("M", "Which rule keeps what", "The symmetry × rule map."),
    ("P", "Published claims", "Statements of the literature, measured."),
    ("V", "References", "How well the references themselves are known."),
    ("B", "Backends", "The same bits from every way of running a kernel."),
    ("", "Other laws", ""),
)


def render(records: list[Record], laws: list[str], about: dict) -> str:
    """The whole page. about: run.json."""
    from noether.plan.design import LAWS as infos

    rows, drawn = summarise(records, laws), set()
    real = [r for r in records if not r.fault]
    shown = exhibits(records, drawn)
    planted = [r for r in records if r.fault]
    sections = {
        row.law: section(
            row,
            infos.get(row.law),
            [r for r in real if r.law == row.law],
            [r for r in planted if r.law == row.law],
            drawn,
        )
        for row in rows
    }
    code, unfinished = about.get("exit_code"), about.get("end") is None
    code = exit_codes.of_records(records, laws) if code is None else code
    verdict = UNFINISHED if unfinished and code == exit_codes.HOLDS else WORD.get(code, f"exit code {code}")
    groups = [(v, [r for r in real if r.verdict == v]) for v in (VIOLATED, INCONCLUSIVE, OUTSIDE)]
    return environment().get_template("report.html").render(
        about=about, command=command(about), facts=facts(about), overview=law_rows(rows, infos, records),
        subjects=by_subject(sections), exhibits=shown,
        grid=grid(rows, records), faults=faults(records, laws), counts=counts(records, rows), infos=infos,
        symbol=SYMBOL,
        groups=[(v, mine[:LISTED], len(mine)) for v, mine in groups if mine], unfinished=unfinished,
        blind=about.get("blind") or [],
        verdict=verdict,
        tone="unsure" if unfinished and code == exit_codes.HOLDS else TONE.get(code, "unsure"),
    )  # fmt: skip


def counts(records: list[Record], rows: list) -> dict:
    real = [r for r in records if not r.fault]
    seen = {r.fault: False for r in records if r.fault}
    for r in records:
        if r.fault and r.verdict == VIOLATED:
            seen[r.fault] = True
    return {"real": len(real), "planted": len(records) - len(real), "laws": len(rows),
        "hold": sum(row.verdict == HOLDS for row in rows), "cases": len({r.case for r in real}),
            "rules": len({r.rule for r in real}), "precisions": len({r.precision for r in real}),
            "faults": len(seen), "killed": sum(seen.values()),
            **{v: sum(r.verdict == v for r in real) for v in (HOLDS, VIOLATED, INCONCLUSIVE,
            OUTSIDE)}}  # fmt: skip


def by_subject(sections: dict[str, dict]) -> list[tuple[str, str, list[dict]]]:
    left, out = dict(sections), []
    for letter, title, words in SUBJECTS:
        mine = [left.pop(law) for law in list(left) if law.startswith(letter)]
        if mine:
            out.append((title, words, mine))
    return out


def command(about: dict) -> str:
    """The line that makes this run again."""
    given = about.get("arguments") or {}
    words = ["noether", "verify", *map(str, given.get("cases") or [])]
    usual = {"profile": "quick", "backend": "auto", "seed": 0}
    for name in (
        "profile",
        "backend",
        "precision",
        "rule",
        "law",
        "seed",
        "eta",
        "beta",
        "decay",
        "eps",
        "steps",
        "lanes",
    ):
        value = given.get(name)
        if value is not None and value != usual.get(name):
            words += [f"--{name}", ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    return shlex.join([*words, *(["--strict"] if about.get("strict") else [])])


def facts(about: dict) -> list[tuple[str, str]]:
    """The few that decide whether two runs can be compared; all stand at the end of the page."""
    machine, versions = about.get("machine") or {}, about.get("versions") or {}
    told = [("profile", (about.get("arguments") or {}).get("profile")), ("seed", about.get("seed")),
        ("backend", about.get("backend")),
            ("machine", ", ".join(str(x) for x in (machine.get("processor") or machine.get("architecture"),
            f"{machine['cpus']} cores" if machine.get("cpus") else "") if x)),
            ("versions", ", ".join(f"{n} {versions[n]}" for n in ("noether", "python", "numpy", "torch",
            "triton") if versions.get(n))),
            ("commit", str(versions.get("commit") or "")[:12]), ("started", about.get("start")), ("resumed",
            ", ".join(about.get("resumed") or [])),
            ("took since it was resumed" if about.get("resumed") else "took",
            f"{about['seconds']:.1f} s" if isinstance(about.get("seconds"),
            int | float) else None)]  # fmt: skip
    return [(name, str(value)) for name, value in told if value not in (None, "")]
