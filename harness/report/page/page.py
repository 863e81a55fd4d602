"""The text of report.html, put together from its parts."""

from __future__ import annotations

import shlex

from noether.cases.rules import RULES
from noether.plan.pyproject import rule_names
from noether.report.causes import MEMBERS, Cause, causes, diagnosis
from noether.report.figures.strip import HIGHEST
from noether.report.html import environment
from noether.report.page.book import SYMBOL, Book
from noether.report.page.exhibits import exhibits
from noether.report.page.law import section
from noether.report.page.overview import faults, grid, law_rows
from noether.report.table import PARTLY, WORD, inconclusive
from noether.verdicts import exit_codes
from noether.verdicts.known import SEEN, of_about, proving
from noether.verdicts.power import ENOUGH, weak
from noether.verdicts.record import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED, Record, summarise

LISTED = 200
UNFINISHED = "nothing is decided yet"
TONE = {exit_codes.HOLDS: "good", exit_codes.VIOLATED: "bad"}
STEP = (
    "What an update does to a charge, to rounding, whatever the gradient. The bound is derived, so spent ≤ 1 "
    "is the whole test."
)
MODELS = "How fast a discrete rule approaches its model as the step size falls; a wrong model falls slower."
BALANCE = "Charges of certified solutions of the equations of motion, against the theorem's balance."
ANSWER = "The loss is broken by a known amount; the charge must answer by the predicted one."
SUBJECTS = (
    ("T", "The theorem in continuous time", BALANCE),
    ("D", "One discrete step, exactly", STEP),
    ("E", "Broken symmetry, measured back", ANSWER),
    ("S", "Normalisation", "A scale-invariant loss makes the norm an adaptive learning rate."),
    ("O", "Continuous models and their orders", MODELS),
    ("M", "Which rule keeps what", "The symmetry × rule map."),
    ("P", "Published claims", "Statements of the literature, measured."),
    ("N", "Networks in training", "Real minibatch gradients, on data that scikit-learn carries."),
    ("V", "References", "How well the references themselves are known."),
    ("B", "Backends", "The same bits from every way of running a kernel."),
    ("", "Other laws", ""),
)
"""First letter of a law -> heading and first sentence of its part of the page."""
OPTIONS = ("profile", "backend", "precision", "rule", "law", "seed")
OPTIONS += ("eta", "beta", "decay", "eps", "steps", "lanes")
"""The options of `noether verify` that a run may have been given."""


def render(records: list[Record], laws: list[str], about: dict) -> str:
    """The whole page of a run, of which `about` is run.json."""
    from noether.plan.design import LAWS as infos

    records = proving(records, of_about(about))
    rows, drawn = summarise(records, laws), set()
    real = [r for r in records if not r.fault]
    titles = {law: info.title for law, info in infos.items() if law in laws}
    book, shown = Book(records, titles), exhibits(records, drawn)
    of_law = lambda law: [r for r in real if r.law == law]
    sections = {row.law: section(row, infos.get(row.law), of_law(row.law), drawn, book) for row in rows}
    given = dict(about=about, command=command(about), facts=facts(about), titles=titles, symbol=SYMBOL)
    tables = dict(
        overview=law_rows(rows, infos, records, book), subjects=by_subject(sections), exhibits=shown
    )
    tables |= dict(grid=grid(rows, records), faults=faults(records, laws), counts=counts(records, rows))
    tables |= dict(thin=weak(real, laws), enough=ENOUGH, highest_order=HIGHEST)
    tables |= dict(groups=groups(real), book=book, diagnosis=diagnosis, members=MEMBERS)
    template = environment().get_template("report.html")
    return template.render(**given, **tables, **decided(records, laws, about))


def groups(real: list[Record]) -> list[tuple[str, list[Cause], int]]:
    """What does not hold: the verdict, its causes and how many records they are."""
    found = [(v, [r for r in real if r.verdict == v]) for v in (VIOLATED, INCONCLUSIVE, OUTSIDE)]
    return [(v, causes(mine)[:LISTED], len(mine)) for v, mine in found if mine]


def decided(records: list[Record], laws: list[str], about: dict) -> dict:
    """The verdict of a run in words and as a tone, whether it is unfinished, and the promises it broke."""
    code, unfinished = about.get("exit_code"), about.get("end") is None
    code = exit_codes.of_records(records, laws) if code is None else code
    is_open = unfinished and code == exit_codes.HOLDS
    known = of_about(about)
    verdict = UNFINISHED if is_open else WORD.get(code, f"exit code {code}")
    if code == exit_codes.HOLDS and not is_open:
        left, has_known = inconclusive(records, laws), any(s.status == SEEN for s in known)
        verdict = "everything but known violations holds" if has_known else PARTLY if left else verdict
        verdict += f"; {left}" if left else ""
    tone = "unsure" if is_open else TONE.get(code, "unsure")
    told = dict(verdict=verdict, tone=tone, unfinished=unfinished, known=known)
    return {**told, "blind": about.get("blind") or []}


def counts(records: list[Record], rows: list) -> dict:
    """How many there are of what the page shows."""
    real = [r for r in records if not r.fault]
    seen = {r.fault: False for r in records if r.fault}
    for r in records:
        if r.fault and r.verdict == VIOLATED:
            seen[r.fault] = True
    different = lambda name: len({getattr(r, name) for r in real})
    verdicts = {v: sum(r.verdict == v for r in real) for v in (HOLDS, VIOLATED, INCONCLUSIVE, OUTSIDE)}
    told = dict(real=len(real), planted=len(records) - len(real), laws=len(rows))
    told |= dict(hold=sum(row.verdict == HOLDS for row in rows), cases=different("case"))
    told |= dict(
        rules=different("rule"), kinds=kinds({r.rule for r in real}), precisions=different("precision")
    )
    return {**told, "faults": len(seen), "killed": sum(seen.values()), **verdicts}


def kinds(names: set[str]) -> str:
    """What these are that records name as their rule: learning rules, continuous models of some, or both."""
    models = {*rule_names()} - {*RULES}
    rules = names - models
    return "learning rule" if rules == names else "learning rules and models" if rules else "model"


def by_subject(sections: dict[str, dict]) -> list[dict]:
    """Heading, first sentence and sections of each part of the page; open where one of its laws is."""
    left, out = dict(sections), []
    for letter, title, words in SUBJECTS:
        mine = [left.pop(law) for law in list(left) if law.startswith(letter)]
        if mine:
            hold = sum(s["row"].verdict == HOLDS for s in mine)
            told = dict(title=title, words=words, laws=mine, hold=hold, key=letter or "other")
            out.append({**told, "open": any(s["open"] for s in mine)})
    return out


def command(about: dict) -> str:
    """The line that makes this run again."""
    given = about.get("arguments") or {}
    if about.get("command") == "watch":
        return f"noether.watch({given.get('model')}, {', '.join(given.get('optimizers') or [])})"
    words = ["noether", "verify", *map(str, given.get("cases") or [])]
    usual = {"profile": "quick", "backend": "auto", "seed": 0}
    for name in OPTIONS:
        value = given.get(name)
        if value is not None and value != usual.get(name):
            words += [f"--{name}", ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    return shlex.join([*words, *(["--strict"] if about.get("strict") else [])])


def facts(about: dict) -> list[tuple[str, str]]:
    """The few that decide whether two runs can be compared; all stand at the end of the page."""
    machine, versions = about.get("machine") or {}, about.get("versions") or {}
    cores = f"{machine['cpus']} cores" if machine.get("cpus") else ""
    hardware = (machine.get("processor") or machine.get("architecture"), cores)
    named = ("noether", "python", "numpy", "torch", "triton")
    resumed, seconds = about.get("resumed") or [], about.get("seconds")
    told = [
        ("profile", (about.get("arguments") or {}).get("profile")),
        ("seed", about.get("seed")),
        ("backend", about.get("backend")),
        ("machine", ", ".join(str(x) for x in hardware if x)),
        ("versions", ", ".join(f"{name} {versions[name]}" for name in named if versions.get(name))),
        ("commit", str(versions.get("commit") or "")[:12]),
        ("started", about.get("start")),
        ("resumed", ", ".join(resumed)),
    ]
    took = "took since it was resumed" if resumed else "took"
    told.append((took, f"{seconds:.1f} s" if isinstance(seconds, int | float) else None))
    return [(name, str(value)) for name, value in told if value not in (None, "")]
