"""From the words of a user to a selection of cases, rules, precisions and laws; wrong words are refused in
one line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from numbers import Integral

from noether.cases import CATALOG, Case
from noether.cases.rules import RULES, Rule
from noether.mechanics import own_units
from noether.plan import chosen_rules, groups
from noether.plan.casefiles import load, trial, trial_process
from noether.plan.casefiles.travel import check_travels
from noether.system import processstate
from noether.system.usage import UsageError, brief, unknown

PROFILES = ("quick", "full", "stress")
# Lanes x steps of one launch: at d = 8 a trajectory in wide arithmetic then stays within 1.5 GB.
LARGEST = 2**21

PARAMETERS = {
    "eta": ("eta", "above 0", lambda x: x > 0),
    "beta": ("beta", "at least 0 and below 1", lambda x: 0 <= x < 1),
    "decay": ("k", "at least 0", lambda x: x >= 0),
    "eps": ("eps", "at least 0", lambda x: x >= 0),
}
"""Word: the parameter of a launch that it gives a value, what that must be, and whether a number is so."""


@dataclass(frozen=True)
class Request:
    """The words as they were given; None means "not said". This is what run.json keeps.

    Cases and rules may be objects, from Python; then nothing is recorded.
    """

    cases: tuple[str | Case, ...] = ()
    law: str | None = None
    rule: str | tuple[str | Rule, ...] | None = None
    precision: str | None = None
    backend: str = "auto"
    profile: str = "quick"
    seed: int = 0
    eta: float | None = None
    beta: float | None = None
    decay: float | None = None
    eps: float | None = None
    steps: int | None = None
    lanes: int | None = None
    reference: bool = False

    def as_dict(self) -> dict:
        words = replace(self, cases=(), rule=None)
        return {**asdict(words), "cases": list(self.cases), "rule": self.rule}


@dataclass(frozen=True)
class Selection:
    """What `cells` of harness/plan/design.py is given.

    overrides  {"eta", "beta", "k", "eps": float, "steps", "lanes": int}, only what was said
    asked      the names among "cases", "laws", "rules", "precisions", "backend", "overrides" that the user
               narrowed
    files      words of case files, which worker processes load again
    rule_files words of files of rules, which they load too
    groups     families of laws about no case that were asked for by their words; then there are no cases
    """

    cases: tuple[Case, ...]
    laws: tuple[str, ...]
    rules: tuple[str, ...]
    precisions: tuple[str, ...]
    backend: str = "auto"
    profile: str = "quick"
    seed: int = 0
    overrides: dict = field(default_factory=dict, hash=False)
    asked: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    rule_files: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def select(request: Request) -> Selection:
    """The selection that a request asks for. Raises UsageError; BackendMissing is left to the plan."""
    backend = one("backend", request.backend, ("auto", *backends()))
    profile = one("profile", request.profile, PROFILES)
    seed = whole("--seed", request.seed, 0, 2**63 - 1)
    overrides = overridden(request)
    grouped = groups.chosen(request.cases)
    cases, files = ((), ()) if grouped else chosen_cases(request.cases, beside=groups.words())
    for word in files:
        check_travels(case_named(load.named(word)), load.split(word)[0])
    from noether.plan import design

    laws = chosen_laws(request, design.LAWS, grouped)
    rules, rule_files = chosen_rules.chosen(request.rule)
    precisions = several("precision", request.precision, tuple(design.PRECISIONS))
    asked = narrowed(request)
    cases = as_judged(cases, overrides)
    if "rules" in asked and not grouped:
        refuse_impossible_rules(cases, rules, named="cases" in asked)
    how = (precisions, backend, profile, seed, overrides, asked)
    return Selection(cases, laws, rules, *how, files, rule_files, grouped)


def as_judged(cases: tuple[Case, ...], overrides: dict) -> tuple[Case, ...]:
    """These cases, those of the user's own in units in which their numbers are near one; as they are written
    where a number is given, for it is one of theirs."""
    if overrides or all(case in CATALOG for case in cases):
        return cases
    with processstate.kept(harmless=False):  # a case is asked for numbers
        return tuple(case if case in CATALOG else own_units.of_order_one(case) for case in cases)


def narrowed(request: Request) -> frozenset[str]:
    """By which words a request narrows what is run, as Selection.asked has them. Raises UsageError."""
    said = {"cases": request.cases, "laws": request.law, "rules": request.rule}
    said |= {"precisions": request.precision, "overrides": overridden(request)}
    said |= {"backend": request.backend != "auto"}
    return frozenset(name for name, value in said.items() if value)


def chosen_laws(request: Request, book: dict, grouped: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The laws that were named, or all but those that wait for an option; with the option, these too.

    A quick run leaves out what only a full one has. A group that was asked for has its own laws, all of them.
    """
    waiting = {key for key, info in book.items() if getattr(info, "on_request", "")}
    named = several("law", request.law, tuple(book), fold=str.upper)
    slow = {key for key, info in book.items() if getattr(info, "only_full", False)}
    others = (
        set(book) - set(groups.laws(grouped)) if grouped else slow if request.profile == "quick" else set()
    )
    left_out = waiting | others if request.law is None else waiting - set(named)
    return tuple(
        k for k in book if (k in named and k not in left_out) or (k in waiting and request.reference)
    )


def backends() -> tuple[str, ...]:
    """The names of all backends, whether or not they are here."""
    from noether.kernels.loops.launch import BACKENDS

    return BACKENDS


def one(kind: str, word: str, known: Iterable[str]) -> str:
    """The word, if it is known. Raises UsageError, with the nearest known one."""
    word = str(word).strip()
    if word not in known:
        raise unknown(kind, word, known)
    return word


def several(
    kind: str, words: str | Iterable[str] | None, known: tuple[str, ...], fold=str.lower
) -> tuple[str, ...]:
    """The words of a comma list or a sequence, in the order of `known`; None is all. Raises UsageError."""
    if words is None:
        return known
    parts = words.split(",") if isinstance(words, str) else list(words)
    found = {one(kind, fold(str(part).strip()), known) for part in parts if str(part).strip()}
    if not found:
        raise UsageError(f"--{kind} is empty: it must be one or more of {', '.join(known)}")
    return tuple(k for k in known if k in found)


def chosen_cases(
    words: Iterable[str | Case], beside: tuple[str, ...] = ()
) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The cases and the words that are files; no word is the whole catalogue.

    beside  words that may stand here too, of which a refusal tells
    """
    cases, files = [], []
    for word in words:
        if isinstance(word, Case):
            if not any(word is case for case in CATALOG):
                trial.try_object(word)
                load.LOADED[word.name] = word
            cases.append(word)
        elif load.is_file_word(word):
            if word in files:  # the same file twice is once, as a name is
                continue
            cases.append(load.load(word, trial_process.tried(word)))
            files.append(word)
        else:
            cases.append(catalogued(word, beside))
    unique = list(dict.fromkeys(cases)) or list(CATALOG)
    names = [c.name for c in unique]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two different cases are named {name!r}: names must differ within a run")
    return tuple(unique), tuple(files)


def catalogued(word: str, beside: tuple[str, ...] = ()) -> Case:
    """The case of the catalogue with this name. Raises UsageError, which knows the words `beside` too."""
    known = {c.name: c for c in CATALOG}
    if word not in known:
        error = unknown("case", word, [*known, *beside])
        raise UsageError(f"{error} (or a file: path/to/case.py)")
    return known[word]


def case_named(name: str) -> Case:
    """A case of the catalogue, or one that was loaded from a file in this process."""
    return load.LOADED[name] if name in load.LOADED else catalogued(name)


def refuse_impossible_rules(cases: tuple[Case, ...], rules: tuple[str, ...], *, named: bool) -> None:
    """Refuse a rule that fits no chosen case, and a case that was named and fits no chosen rule.

    Raises UsageError.
    """
    from noether.laws.exact.cell import fits as goes
    from noether.laws.exact.cell import rules_of

    fits = {case.name: set(rules_of(case, dict.fromkeys((*RULES, *rules)))) for case in cases}
    kinds = {case.name: case.metric.kind for case in cases}
    for rule in rules:
        if not any(rule in takes for takes in fits.values()):
            able = [c.name for c in CATALOG if goes(RULES[rule], c)]
            have = ", ".join(f"{name} ({kinds[name]} metric)" for name in fits)
            raise UsageError(
                f"rule {rule} fits none of the chosen cases, {have}: it goes with "
                f"{', '.join(able) or 'no case of the catalogue'}"
            )
    for name, takes in fits.items():
        if named and not takes & set(rules):
            raise UsageError(
                f"case {name} has a {kinds[name]} metric and takes the rules {', '.join(sorted(takes))}: "
                f"--rule is {', '.join(rules)}"
            )


def overridden(request: Request) -> dict:
    """The numbers that replace those of a sweep, by name. Raises UsageError for one out of its range."""
    out = {}
    for word, (name, *ends) in PARAMETERS.items():
        if getattr(request, word) is not None:
            out[name] = real(f"--{word}", getattr(request, word), *ends)
    if request.steps is not None:
        out["steps"] = whole("--steps", request.steps, 1, LARGEST)
    if request.lanes is not None:
        out["lanes"] = whole("--lanes", request.lanes, 1, LARGEST)
    if out.get("steps", 1) * out.get("lanes", 1) > LARGEST:
        size = out["lanes"] * out["steps"]
        raise UsageError(f"--lanes x --steps is {size}: must be at most {LARGEST}, or memory runs out")
    return out


def real(option: str, value, must: str, fits) -> float:
    """A finite number for which fits(number) is true. Raises UsageError, which says what it `must` be."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{option} is {brief(value)}, must be a finite number {must}") from None
    if not math.isfinite(number) or not fits(number):
        raise UsageError(f"{option} is {value}, must be a finite number {must}")
    return number


def whole(option: str, value, low: int, high: int) -> int:
    """A whole number from low to high. Raises UsageError."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= value <= high:
        raise UsageError(f"{option} is {brief(value)}, must be a whole number from {low} to {high}")
    return int(value)
