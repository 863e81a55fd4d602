"""[tool.noether] in a user's pyproject.toml: defaults for the options of `noether verify`, and the known
violations of the project.

    [tool.noether]
    cases = ["physics/my_case.py"]
    profile = "full"
    baseline = "noether-baseline.json"

    [[tool.noether.known]]
    law = "D2"
    case = "my-case"
    reason = "the fused kernel adds in another order"
    until = 2027-01-31

The file is looked for in the working directory; inside a git repository also in the folders above, up to its
root. Paths in it are those of its own folder.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from noether.cases.declared import NAME_PATTERN
from noether.plan.casefiles import rule_words
from noether.plan.casefiles.load import is_file_word, split
from noether.system.fields import FINITE, NAME, TRUTH, Kind, check, is_whole, list_of, whole
from noether.system.files import in_the_way
from noether.system.strict_reading import first_line, read_bytes
from noether.system.usage import UsageError, unknown
from noether.verdicts.known import Known, entry

FILE = "pyproject.toml"
LARGEST = 2**22  # bytes of a pyproject.toml
TEXTS = list_of(NAME)
WORDS = Kind("text or a list of texts", lambda x: NAME.fits(x) or TEXTS.fits(x))
WORKERS = Kind('"auto" or a whole number from 1 to 1024', lambda x: x == "auto" or is_whole(x, 1, 1024))
OPTIONS = {
    **{"cases": TEXTS, "profile": NAME, "backend": NAME, "laws": WORDS, "rules": WORDS},
    **{"precisions": WORDS, "seed": whole(), "eta": FINITE, "beta": FINITE, "decay": FINITE, "eps": FINITE},
    **{"steps": whole(1), "lanes": whole(1), "reference": TRUTH, "jobs": WORKERS, "executor": NAME},
    **{"cell-seconds": FINITE, "strict": TRUTH, "baseline": NAME},
}
"""What [tool.noether] may have, beside `known`."""
OPTIONS = {name: kind.optional for name, kind in OPTIONS.items()}
PARAMETERS = {"laws": "law", "rules": "rule", "precisions": "precision", "cell-seconds": "cell_seconds"}
"""Key -> the parameter of the command that it is the default of, where that has another name."""
KEYS = {parameter: key for key, parameter in PARAMETERS.items()}


@dataclass(frozen=True)
class Settings:
    """What a pyproject.toml says.

    path     the file, None where there is none
    options  parameter of `noether verify` -> its default
    known    the known violations
    """

    path: Path | None = None
    options: dict = field(default_factory=dict)
    known: tuple[Known, ...] = ()


def settings(start: Path | None = None) -> Settings:
    """What holds in the folder `start`, the working directory if None. Raises UsageError."""
    for folder in folders(Path(start or ".").resolve()):
        check_file(folder / FILE)
        if (folder / FILE).is_file():
            said = table(folder / FILE)
            if said is not None:
                return checked(folder / FILE, said)
    return Settings()


def check_file(path: Path) -> None:
    """Raises UsageError where a folder, a pipe or a link that leads nowhere has the name of the file."""
    with suppress(PermissionError):
        if there := in_the_way(path):
            raise UsageError(f"{path} is {there}, must be a file (--no-config leaves it out)")


def folders(start: Path) -> list[Path]:
    """Where the file is looked for: beyond a git repository stands what others wrote."""
    above = [start, *start.parents]
    root = next((n for n, folder in enumerate(above) if (folder / ".git").exists()), 0)
    return above[: root + 1]


def table(path: Path) -> dict | None:
    """The table [tool.noether] of a file, None where it has none. Raises UsageError."""
    raw = read_bytes(path, str(path), most=LARGEST)
    try:
        tool = tomllib.loads(raw.decode("utf-8")).get("tool", {})
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML: {first_line(error)} (--no-config leaves it out)") from None
    said = tool.get("noether") if isinstance(tool, dict) else None
    if said is not None and not isinstance(said, dict):
        raise UsageError(f"{path}: tool.noether is {type(said).__name__}, must be a table")
    return said


def checked(path: Path, said: dict) -> Settings:
    """The settings of a table, each checked. Raises UsageError naming the key, the file and what it must
    be."""
    entries = said.get("known", [])
    for name in said:
        if name not in (*OPTIONS, "known"):
            raise unknown(f"{path}: a key of [tool.noether]", name, (*OPTIONS, "known"))
    try:
        check({k: v for k, v in said.items() if k != "known"}, OPTIONS)
    except ValueError as error:
        raise UsageError(f"{path}: [tool.noether]: {first_line(error)}") from None
    if not isinstance(entries, list):
        raise UsageError(f"{path}: known must be tables [[tool.noether.known]], is {type(entries).__name__}")
    found = {PARAMETERS.get(k, k): v for k, v in said.items() if k != "known"}
    for name in ("law", "precision"):
        if isinstance(found.get(name), list):
            found[name] = ",".join(found[name])
    if "rule" in found:
        found["rule"] = ",".join(placed(path.parent, word) for word in rule_words.parts(found["rule"]))
    if "cases" in found:
        found["cases"] = tuple(placed(path.parent, word) for word in found["cases"])
    if "baseline" in found:
        found["baseline"] = Path(relative(path.parent / found["baseline"]))
    if "jobs" in found:
        found["jobs"] = str(found["jobs"])
    try:
        check_words(found)
    except UsageError as error:
        raise UsageError(f"{path}: [tool.noether]: {error}") from None
    own = rule_words.has_own(found.get("rule"))
    return Settings(path, found, read_known(entries, f"{path}: [[tool.noether.known]]", own_rules=own))


def relative(path: Path) -> str:
    """A path as it is typed in the working directory."""
    return os.path.relpath(path)


def placed(folder: Path, word: str) -> str:
    """A word of `cases` or `rules`: a file is one of the folder of pyproject.toml."""
    if not is_file_word(word):
        return word
    file, name = split(word)
    return relative(folder / file) + (f":{name}" if name else "")


def check_words(found: Mapping) -> None:
    """Raises UsageError for a profile, backend, law, rule or precision that is none, and for a number out of
    its range."""
    from noether.plan import choices, design

    for name in ("law", "rule", "precision"):
        if name in found and not found[name].replace(",", " ").strip():
            raise UsageError(f"{KEYS[name]} is empty, must name one or more, or be left out")
    for word, (_, *must) in choices.PARAMETERS.items():
        if word in found:
            choices.real(word, found[word], *must)
    if "cell_seconds" in found:
        choices.real("cell-seconds", found["cell_seconds"], "above 0, at most 1e7", lambda x: 0 < x <= 1e7)
    if "seed" in found:
        choices.whole("seed", found["seed"], 0, 2**63 - 1)
    size = [
        choices.whole(word, found[word], 1, choices.LARGEST) for word in ("lanes", "steps") if word in found
    ]
    if prod(size) > choices.LARGEST:
        raise UsageError(f"lanes x steps is {prod(size)}, must be at most {choices.LARGEST}")

    if "profile" in found:
        choices.one("profile", found["profile"], choices.PROFILES)
    if "backend" in found:
        choices.one("backend", found["backend"], ("auto", *choices.backends()))
    choices.several("laws", found.get("law"), tuple(design.LAWS), fold=str.upper)
    for word in rule_words.parts(found.get("rule")):
        if not is_file_word(word):
            choices.several("rules", word, tuple(design.RULES))
    choices.several("precisions", found.get("precision"), tuple(design.PRECISIONS))


def read_known(values: Iterable, where: str, *, own_rules: bool = False) -> tuple[Known, ...]:
    """Entries from plain data. Raises UsageError that begins with `where` and the number of the entry.

    own_rules  there are rules beside the catalogue, whose names nobody knows before they are loaded
    """
    from noether.plan import choices, design

    out = []
    for number, value in enumerate(values, 1):
        try:
            e = value if isinstance(value, Known) else entry(value)
            choices.one("law", e.law, tuple(design.LAWS))
            if e.rule is not None and not (own_rules and NAME_PATTERN.fullmatch(e.rule)):
                choices.one("rule", e.rule, rule_names())
            if e.precision is not None:
                choices.one("precision", e.precision, tuple(design.PRECISIONS))
            check_new(e, out)
        except ValueError as error:  # a UsageError is one
            raise UsageError(f"{where}: entry {number}: {first_line(error)}") from None
        out.append(e)
    return tuple(out)


def rule_names() -> tuple[str, ...]:
    """What a record may have as its rule: a learning rule, one that is shown noise, a model in continuous
    time, a column of the map of symmetries and rules."""
    from noether.laws.map.table import COLUMNS
    from noether.plan import design

    noisy = (f"noisy {rule}" for rule in design.RULES)
    return (*design.RULES, *noisy, *rule_words.MODELS, *COLUMNS, "all")


def check_new(e: Known, before: Iterable[Known]) -> None:
    """Raises UsageError for an entry that names what an entry before it names."""
    for number, other in enumerate(before, 1):
        if (e.law, e.case, e.rule, e.precision) == (other.law, other.case, other.rule, other.precision):
            raise UsageError(f"names {e.place}, as entry {number} does: one of the two must go")


def known(source: str | Path | Iterable[Known | Mapping], *, own_rules: bool = False) -> tuple[Known, ...]:
    """Known violations: of a pyproject.toml, or from plain data, as `read_known` has them. Raises
    UsageError."""
    if isinstance(source, str | Path):
        said = table(Path(source)) or {}
        return checked(Path(source), said).known
    if isinstance(source, Mapping) or not isinstance(source, Iterable):
        raise UsageError(f"known is {type(source).__name__}, must be a list of entries, or a pyproject.toml")
    return read_known(source, "known", own_rules=own_rules)
