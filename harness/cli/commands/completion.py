"""`noether completion`: what makes a shell complete commands, options, cases and laws."""

from __future__ import annotations

import os

from noether.cli.commands import argument
from noether.system.usage import unknown

# Through which the shell asks.
VARIABLE = "_NOETHER_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

Shell = argument(str, "SHELL", f"{', '.join(SHELLS)}.")


def completion(shell: Shell):
    """Print what makes a shell complete commands, cases and laws.

    They go where the shell reads them: bash, ~/.bashrc; zsh, ~/.zfunc/_noether (a folder of fpath, before
    compinit); fish, ~/.config/fish/completions/noether.fish.
    """
    from typer.completion import get_completion_script

    if shell not in SHELLS:
        raise unknown("shell", shell, SHELLS)
    print(get_completion_script(prog_name="noether", complete_var=VARIABLE, shell=shell))


def prepare() -> None:
    """Before a shell is answered; nothing where none asks."""
    if VARIABLE in os.environ:
        from typer.completion import completion_init

        completion_init()
