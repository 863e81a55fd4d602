"""`noether map`: measure which learning rule keeps which charge."""

from __future__ import annotations

from noether.cli.commands import AsJson, Quiet, option
from noether.cli.commands import printed as print_json
from noether.system.usage import UsageError
from noether.verdicts import exit_codes

Profile = option(str, "quick (default), full or stress: how far the step sizes go down.")
Seed = option(int, "The starts derive from it (default 0).")


def map_(profile: Profile = "quick", seed: Seed = 0, as_json: AsJson = False, quiet: Quiet = False):
    """Measure which learning rule keeps which charge (law M1).

    Exit code: 0 as theory.md section 7 says, 1 a cell differs, 3 a cell could not be decided.
    """
    from noether.cases import CORE
    from noether.cli.progress import busy
    from noether.laws.map import cells, printed
    from noether.mechanics.wide import require_wide
    from noether.plan.choices import whole
    from noether.report.table import say
    from noether.runs.decision import decide

    if profile not in cells.PROFILES:
        raise UsageError(f"--profile is {profile!r}, must be one of {', '.join(cells.PROFILES)}")
    require_wide()
    (cell,) = cells.cells(CORE, profile, whole("--seed", seed, 0, 2**63 - 1))
    with busy("measuring the map", quiet=quiet):
        records = cells.run_cell(cell)
    verdicts = {r.verdict for r in records if not r.fault}
    code = exit_codes.of(violated="violated" in verdicts, undecided="inconclusive" in verdicts)
    decide(code, printed.map_of(records).reason)
    if as_json:
        print_json(printed.summary(records))
    elif quiet:
        say(printed.map_of(records).reason)
    else:
        say(printed.table(printed.map_of(records)), *printed.LEGEND.splitlines(), "")
        others = [r for r in records if not r.fault and r.verdict != "holds"]
        say(*(f"{r.verdict}: {r.symmetry}, {r.rule}: {r.reason}" for r in others))
        say(printed.map_of(records).reason)
