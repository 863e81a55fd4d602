"""The hook of pre-commit: every law on the case files that it is given, quickly and without a run folder.

    python -m noether.cli.pre_commit [--precision float64] [--law D2,D4] [--profile quick] FILE ...

Known violations are those of the project's pyproject.toml. The exit code is that of `noether verify`.
"""

from __future__ import annotations

import argparse
import sys

from noether.cli.commands import complain
from noether.system.usage import UsageError
from noether.verdicts import exit_codes


def main(words: list[str] | None = None) -> int:
    """Verify the files and print the verdict, with what is violated; returns the exit code."""
    parser = argparse.ArgumentParser(prog="noether.cli.pre_commit", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--precision", default="float64", help="comma list, or all (default float64)")
    parser.add_argument("--law", help="comma list of laws (default all)")
    parser.add_argument("--profile", default="quick", help="quick (default), full or stress")
    given = parser.parse_args(words)
    from noether.api.verify import verify
    from noether.kernels.loops.launch import BackendMissing
    from noether.plan.pyproject import settings
    from noether.report.known_violations import told as known
    from noether.report.table import remainder, say, verdict

    precisions = None if given.precision == "all" else given.precision
    how = dict(profile=given.profile, laws=given.law, precisions=precisions, backend="numpy")
    try:
        result = verify(*given.files, **how, known=settings().known)
    except UsageError as error:
        complain(str(error))
        return exit_codes.WRONG
    except BackendMissing as error:
        complain(str(error))
        return exit_codes.UNDECIDED
    say(*(remainder(result) if result.exit_code else known(result)), verdict(result))
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
