"""`verify`: a run from Python, with the options of `noether verify`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from noether.api.result import Result
from noether.cases import Case
from noether.cases.rule import Rule
from noether.plan import pyproject
from noether.plan.casefiles import rule_words
from noether.plan.choices import Request
from noether.runs import executors
from noether.runs import run as running
from noether.runs.result import How
from noether.system.jobs import jobs as how_many
from noether.system.usage import UsageError, brief
from noether.verdicts.known import Known


def verify(
    *cases: str | Case,
    profile: str = "quick",
    laws: Iterable[str] | str | None = None,
    rules: Iterable[str | Path | Rule] | str | Path | Rule | None = None,
    precisions: Iterable[str] | str | None = None,
    backend: str = "auto",
    seed: int = 0,
    out: str | Path | None = None,
    strict: bool = False,
    jobs: int | str = 1,
    executor=None,
    cell_seconds: float | None = None,
    known: str | Path | Iterable[Known | Mapping] = (),
    **overrides,
) -> Result:
    """Verify cases and return what was found: the same as `noether verify`, from Python.

    cases       names of the catalogue, files, or Case objects; none is the whole catalogue
    profile     how much: "quick", "full" or "stress"
    laws, precisions   only these, as "D2,D4" or a list; None is all
    rules       names of the catalogue, files, or Rule objects, as cases are; None is the whole catalogue
    backend     what executes kernels: "auto" is the best that is here; noether.kernels.loops.launch.BACKENDS
                has them
    seed        every random start derives from it
    out         a run folder that does not exist yet; nothing is written without one
    strict      whatever could not be decided gives exit code 3, not only a law of which nothing holds
    jobs        worker processes, a number or "auto"; cells of files always run in processes of their own.
                Above 1, Case and Rule objects that the caller's own script defines need the usual
                `if __name__ == "__main__":` in it
    executor    a name as --executor takes it, or an executor of concurrent.futures, which the caller starts
                and ends
    cell_seconds   how long one cell may take before it is given up
    known       violations that are known and do not count: mappings with law, case and reason, and rule,
                precision, until and strict where wanted; or the path of a pyproject.toml, of which the
                entries [[tool.noether.known]] are taken. No other setting is ever read from such a file here
    overrides   eta, beta, decay, eps, steps, lanes, reference: as the options of the command line

    Raises noether.system.usage.UsageError for wrong words, noether.kernels.loops.launch.BackendMissing where
    a backend is not here.
    """
    if not isinstance(out, str | Path | None) or out == "":
        raise UsageError(f"out is {brief(out)}, must be a folder")
    if not isinstance(strict, bool):
        raise UsageError(f"strict is {brief(strict)}, must be True or False")
    narrowed = dict(law=comma("laws", laws), rule=chosen_rules(rules))
    narrowed |= dict(precision=comma("precisions", precisions))
    request = requested(cases, overrides, **narrowed, backend=backend, profile=profile, seed=seed)
    objects = [x for x in (*cases, *rule_words.parts(request.rule)) if isinstance(x, Case | Rule)]
    if out is not None and objects:
        kind = type(objects[0]).__name__
        why = f"a run with {kind} objects cannot be recorded, for it could not be replayed"
        raise UsageError(f"{why}: pass file names, or no out")
    how = How(jobs, cell_seconds, executors.of(executor, how_many(jobs)))
    place = Path(out) if out is not None else None
    excused = pyproject.known(known, own_rules=rule_words.has_own(request.rule))
    how = dict(strict=strict, how=how, known=excused)
    return Result.of(running.run(request, out=place, record=out is not None, **how))


def requested(cases: Sequence, overrides: dict, **narrowed) -> Request:
    """What `verify` was asked for. Raises UsageError."""
    for wrong in (c for c in cases if not isinstance(c, str | Path | Case)):
        what = f"case is {type(wrong).__name__} {brief(wrong)}"
        raise UsageError(f"{what}, must be a name, a file or a Case")
    known = set(Request.__dataclass_fields__) - {"cases", *narrowed}
    strange = ", ".join(sorted(set(overrides) - known))
    if strange:
        raise UsageError(f"verify has no {strange}: it must be one of {', '.join(sorted(known))}")
    return Request(tuple(str(c) if isinstance(c, Path) else c for c in cases), **narrowed, **overrides)


def chosen_rules(rules) -> str | tuple[str | Rule, ...] | None:
    """What Request.rule takes. Raises UsageError."""
    if isinstance(rules, Rule | Path):
        rules = [rules]
    if rules is None or isinstance(rules, str):
        return rules
    try:
        words = [str(x) if isinstance(x, Path) else x for x in rules]
    except TypeError:
        words = [rules]
    for wrong in (x for x in words if not isinstance(x, str | Rule)):
        raise UsageError(
            f"rules has {type(wrong).__name__} {brief(wrong)}, must be names, files or Rule objects"
        )
    if not any(isinstance(x, Rule) or "," in x for x in words):
        return ",".join(words)
    return tuple(words)


def comma(name: str, words) -> str | None:
    """Text or a sequence of texts as one comma list. Raises UsageError."""
    if words is None or isinstance(words, str):
        return words
    try:
        parts = list(words)
    except TypeError:
        parts = [words]
    if not all(isinstance(part, str) for part in parts):
        raise UsageError(f"{name} is {brief(words)}, must be text or a sequence of texts")
    return ",".join(parts)
