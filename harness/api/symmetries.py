"""`symmetries`: which symmetries a module of PyTorch has, from Python, as `noether symmetries` says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from noether.api.extras import needed

if TYPE_CHECKING:
    from noether.campaigns.symmetries.finding import Finding
    from noether.networks.families import Family


class Symmetries:
    """What was found of a module; printed it is the table of `noether symmetries`.

    families   the symmetries, as noether.networks.families.Family: which numbers each generator moves
    verdict    how many there are of which kinds, in a line
    exit_code  0 where everything is decided, else 3
    finding    everything that was measured
    """

    def __init__(self, finding: Finding):
        self.finding = finding

    @property
    def families(self) -> tuple[Family, ...]:
        """Those that are kept, but for eps at most."""
        return self.finding.families

    @property
    def verdict(self) -> str:
        from noether.report.symmetries_table import verdict

        return verdict(self.finding)

    @property
    def exit_code(self) -> int:
        return self.finding.exit_code

    def table(self) -> list[dict]:
        """A dict for each family that was proposed, kept or not: what pandas.DataFrame() takes."""
        return [row.plain() for row in self.finding.rows]

    def __str__(self) -> str:
        from noether.report.symmetries_table import page
        from noether.report.terminal import as_text

        return as_text(*page(self.finding)).rstrip("\n")

    def __repr__(self) -> str:
        return f"<Symmetries of {self.finding.subject.name}: {self.verdict}>"


def symmetries(
    model, inputs=None, loss: Callable | None = None, *, seed: int = 0, discover: bool = False, **options
) -> Symmetries:
    """Find the symmetries of a module of PyTorch and check each: as `noether symmetries`, from Python.

    model     a torch.nn.Module, a class of them, a function that gives one, or (module, inputs), or (module,
              inputs, loss); or a word of the command line: "relu-mlp", "package.module:Name",
              "path/to/file.py:Name"
    inputs    what forward() takes: a tensor, a tuple, or a dict by name; shapes as "16x1x8x8" or "16x7:100"
              are drawn at random
    loss      loss(outputs) gives a number; without it its derivative by the outputs is drawn at random, and
              symmetries of the loss alone, as those of a softmax, are not looked at
    seed      weights that are made here, inputs and derivatives derive from it
    discover  look for every affine symmetry too, by brute force: at most 40 trained numbers
    options   what a class or function is called with

    The module is copied; it and its random numbers are left as they are. Its code runs in this process.

    Raises noether.system.usage.UsageError for wrong input, and where torch is not installed; CannotRun for a
    module that cannot be copied.
    """
    needed("torch", "noether.symmetries")
    from noether.campaigns.symmetries.finding import find
    from noether.campaigns.symmetries.subject import asked

    return Symmetries(find(asked(model, inputs, loss, options, seed), discover=discover, seed=seed))
