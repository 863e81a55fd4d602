"""The pytest fixture `noether`, with which a user's test decides laws on the user's own case.

    def test_my_loss(noether):
        noether.verify("my_case.py")
        noether.holds("my_case.py", law="D2")

Loaded with pytest by its entry point, in every project of that environment: nothing is imported here before
the fixture is used.
"""

from __future__ import annotations

from pathlib import Path

import pytest


class Noether:
    """Verification that fails a test: an AssertionError carries the lines of what is violated, and how to
    replay it.

    folder   where run folders go, so that a violation can be replayed after the test
    beside   the folder of the test file: a relative path of a case file means a file beside the test, or one
             of the
             working directory
    """

    def __init__(self, folder: Path, beside: Path):
        self.folder, self.beside, self.runs = folder, beside, 0

    def verify(self, case, **options):
        """Every law on `case`, a name, a file or a Case, with the options of noether.verify; gives its
        Result."""
        __tracebackhide__ = True
        return self.decided(case, options)

    def holds(self, case, law: str, **options):
        """One law, or a comma list of laws."""
        __tracebackhide__ = True
        return self.decided(case, {"laws": law, **options})

    def audit(self, target, like: str | None = None, **options):
        """An optimizer obeys a rule, the one that it is said to be like where one is named, and deviates in
        nothing; gives its Audit. A file of a word is found beside the test."""
        from noether.api.audit import audit
        from noether.system.usage import UsageError

        __tracebackhide__ = True
        target = self.found(target) if isinstance(target, str) else target
        try:
            found = audit(target, like=like, **options)
        except UsageError as error:
            raise UsageError(str(error)) from None
        if found.exit_code:
            raise AssertionError(told_audit(found))
        return found

    def decided(self, case, options: dict):
        """The Result of a verification. Raises AssertionError where it does not hold, UsageError."""
        from noether.api.verify import verify
        from noether.system.usage import UsageError

        __tracebackhide__ = True
        case = case if not isinstance(case, (str, Path)) else self.found(str(case))
        rules = self.found_rules(options["rules"]) if options.get("rules") is not None else []
        options = {**options, **({"rules": rules} if rules else {})}
        if "out" not in options and all(isinstance(x, str) for x in (case, *rules)):
            self.runs += 1
            options = {**options, "out": self.folder / f"run{self.runs}"}
        try:
            result = verify(case, **options)
        except UsageError as error:
            raise UsageError(str(error)) from None  # its frames are of no interest to whoever wrote the case
        if result.exit_code:
            raise AssertionError(told(result))
        return result

    def found_rules(self, rules) -> list:
        """The rules of an option, those that are files found as `found` finds them."""
        from noether.plan.casefiles.rule_words import parts

        several = rules if isinstance(rules, (str, list, tuple)) else [rules]
        return [self.found(x) if isinstance(x, str) else x for x in parts(several)]

    def found(self, word: str) -> str:
        """A word with its file found beside the test, or where pytest runs."""
        from noether.plan.casefiles.load import is_file_word, split

        if not is_file_word(word):
            return word
        path, name = split(word)
        there = self.beside / path
        path = (there if there.exists() else path).resolve()
        return f"{path}:{name}" if name else str(path)


def told(result) -> str:
    """The verdict, then what is violated or undecided, a line each, with what replays it."""
    from noether.report import table
    from noether.report.remainder import remainder
    from noether.system import outside

    lines = [f"noether: {table.verdict(result)}"]
    for part in remainder(result):
        lines.append(part if isinstance(part, str) else part.plain)
    return outside.lines("\n".join(lines))


def told_audit(found) -> str:
    """The verdict of an audit, then what deviates or is not decided, with the scripts that show it."""
    from noether.system import outside

    lines = [f"noether: {found.target} {found.verdict}" + (f": {found.trouble}" if found.trouble else "")]
    for x in found.deviations or [x for x in found.findings if x.verdict == "inconclusive"]:
        lines.append(f"{x.part}, {x.name}: {x.reason}")
        lines += [f"    {line}" for line in (x.script or "").splitlines()]
    return outside.lines("\n".join(lines))


@pytest.fixture
def noether(request, tmp_path):
    """A fixture: noether.verify(case) and noether.holds(case, law="D2") fail with the violated record and its
    replay."""
    return Noether(tmp_path, request.path.parent)
