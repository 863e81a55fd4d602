"""The entry of `python -m noether`: its exit code is the verdict, whatever else ends the process.

Worker processes import this file again. It imports next to nothing, for python ends with 1 when an import
fails, which means that a law is violated, and 1 must be decided.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys

from noether.system import leaving, outlet
from noether.verdicts import exit_codes


class Ending:
    """The exit code of this process. No other comes of a flush, an exit hook or a library that is torn
    down."""

    def __init__(self):
        self.code, self.process, self.exit = exit_codes.INTERNAL, os.getpid(), os._exit

    def keep(self) -> None:
        """Let nothing that is run here end the process with a code of its own.

        The hook is the last of all exit hooks, for it is registered first. os._exit is refused; C's exit()
        cannot be, but the code stays ours.
        """
        atexit.register(self.end)
        os._exit = self.refuse
        leaving.on_exit_of_c(self.ended)

    def end(self) -> None:
        if os.getpid() == self.process:  # a forked child has an end of its own
            outlet.flush()
            self.exit(self.code)

    def refuse(self, code: int) -> None:
        if os.getpid() != self.process:
            self.exit(code)
        raise SystemExit(f"os._exit({code}) was called")

    def ended(self, frame) -> None:
        """Say whose code let C end the process, and end it with the code that was decided, else with ours."""
        try:
            from noether.plan.casefiles.blame import at_fault
            from noether.runs.decision import CURRENT

            (place, kind), decided = at_fault(frame), CURRENT[0].code
            self.code = exit_codes.WRONG if place else self.code
            self.code = self.code if decided is None else decided
            who = f"a {kind} file ends the process, at {place}" if place else "C's exit() was called"
            what = "a step" if kind == "rule" else "a loss"
            print(f"noether: {who}: {what} must give a number and end nothing", file=sys.stderr)
        finally:
            self.end()


def interruptions() -> list:
    """Ctrl-C raises KeyboardInterrupt, as ever, and is noted in the list that is returned: while numpy is
    imported it comes out as another error."""
    heard = []

    def interrupted(*_):
        heard.append(True)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # where it is not ignored
        signal.signal(signal.SIGINT, interrupted)
    return heard


def main() -> None:
    """The console entry."""
    outlet.guard()
    heard = interruptions()
    ending = Ending()
    ending.keep()
    try:
        from noether.cli.main import call

        ending.code = call()
    except BaseException as error:  # an import failed, or a signal came while the last words were said
        if heard or isinstance(error, KeyboardInterrupt):
            ending.code = exit_codes.INTERRUPTED
            print("noether: interrupted", file=sys.stderr)
        else:
            is_end = type(error).__name__ == "Terminated"
            ending.code = exit_codes.TERMINATED if is_end else exit_codes.INTERNAL
            print(f"noether: internal error, {type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(ending.code)


if __name__ == "__main__":
    main()
