"""The defaults that [tool.noether] of a user's pyproject.toml gives the options of a command: what stands on
the command line wins over them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import typer


def said(context: typer.Context, name: str) -> bool:
    """Whether an option or argument stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@dataclass
class Defaults:
    """What a pyproject.toml says (a noether.plan.pyproject.Settings), beside one command line."""

    context: typer.Context
    settings: object
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: typer.Context, no_config: bool) -> Defaults:
        """The defaults of this working directory; none with --no-config. Raises UsageError."""
        from noether.plan.pyproject import Settings, settings

        return cls(context, Settings() if no_config else settings())

    def over(self, given: dict) -> dict:
        """The parameters of a command, those that were not said replaced by the defaults."""
        usual = self.settings.options
        return {k: usual[k] if k in usual and not said(self.context, k) else v for k, v in given.items()}

    def note(self, unused: Collection[str] = ()) -> None:
        """Keep a note of what was taken from the file, apart from what this command does not use."""
        taken = [k for k in self.settings.options if k not in unused and not said(self.context, k)]
        if taken:
            self.notes.append(f"{', '.join(taken)} as {self.settings.path} says (--no-config leaves it out)")

    def leave_baseline(self, spoken: dict, shard: str | None, resume: Path | None) -> None:
        """Forget the baseline of the file where the command line asks for another choice than the file does,
        or for a part of a run: nothing there could be compared."""
        from noether.runs.baseline import CHOICE
        from noether.runs.saved_run import read_about

        if "baseline" not in self.settings.options or said(self.context, "baseline"):
            return
        other = [name for name in CHOICE if name in spoken]
        part = shard is not None or (resume is not None and read_about(resume).get("shard"))
        if not (other or part):
            return
        kept = {k: v for k, v in self.settings.options.items() if k != "baseline"}
        why = f"{', '.join(other)} of the command line make another choice" if other else "this is a part"
        self.notes.append(f"the baseline of {self.settings.path} was not compared: {why}")
        self.settings = type(self.settings)(self.settings.path, kept, self.settings.known)
