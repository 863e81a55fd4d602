"""The commands in the order in which `noether --help` lists them, and the options of `noether` itself."""

from __future__ import annotations

import typer

from noether.cli.commands import EXITS, option
from noether.cli.commands.audit import CODES as AUDIT_CODES
from noether.cli.commands.audit import audit
from noether.cli.commands.bench import bench
from noether.cli.commands.clean import clean
from noether.cli.commands.completion import completion
from noether.cli.commands.discover import CODES as DISCOVER_CODES
from noether.cli.commands.discover import discover
from noether.cli.commands.doctor import doctor
from noether.cli.commands.faults import faults
from noether.cli.commands.findings import findings
from noether.cli.commands.fuzz import fuzz
from noether.cli.commands.history import history
from noether.cli.commands.laws import laws
from noether.cli.commands.lists import cases, explain, rules, show
from noether.cli.commands.map import map_
from noether.cli.commands.merge import merge
from noether.cli.commands.replay import replay
from noether.cli.commands.report import CODES, report
from noether.cli.commands.symmetries import CODES as SYMMETRIES_CODES
from noether.cli.commands.symmetries import symmetries
from noether.cli.commands.verify import verify
from noether.system.machine import __version__

app = typer.Typer(
    name="noether",
    add_completion=False,  # `noether completion` says it without a shell to look for
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXITS,
)


def tell_version(asked: bool) -> None:
    """Print the version and leave, where it is asked for."""
    if asked:
        print(f"noether {__version__}")
        raise typer.Exit()


Version = option(bool, "Print the version and exit.", "--version", callback=tell_version, is_eager=True)


@app.callback()
def root(version: Version = False):
    """Decides numerically whether learning rules obey the generalized Noether theorem."""


app.command(epilog=EXITS)(verify)
app.command()(merge)
app.command()(laws)
app.command()(cases)
app.command()(rules)
app.command()(show)
app.command()(explain)
app.command()(replay)
app.command(epilog=CODES)(report)
app.command()(history)
app.command()(faults)
app.command()(fuzz)
app.command(epilog=DISCOVER_CODES)(discover)
app.command(epilog=SYMMETRIES_CODES)(symmetries)
app.command(epilog=AUDIT_CODES)(audit)
app.command("map")(map_)
app.command()(findings)
app.command()(bench)
app.command()(doctor)
app.command()(clean)
app.command()(completion)
