"""`noether symmetries`: which symmetries a module of PyTorch has, and what breaks them."""

from __future__ import annotations

from noether.cli.commands import AsJson, Quiet, Verbose, argument, option, printed
from noether.system.usage import UsageError

CODES = (
    "Exit codes: 0 decided (also: none), 2 wrong usage or input, 3 something could not be decided, 70 "
    "internal error."
)
WHAT = (
    "A network of the zoo, as relu-mlp; package.module:Name or path/to/file.py:Name of a module, of a class, "
    "or of a function that gives a module, (module, inputs) or (module, inputs, loss)."
)


def known_networks(incomplete: str) -> list[str]:
    """The names of the zoo, for the completion of a shell; none without torch, which loads for seconds."""
    if set(incomplete) & set("./:"):
        return []
    try:
        from noether.networks.zoo import NETWORKS
    except ModuleNotFoundError:
        return []
    return [name for name in NETWORKS if name.startswith(incomplete)]


Module = argument(str, "MODULE", WHAT, autocompletion=known_networks)
Arg = option(list[str] | None, "NAME=VALUE: what a class or function is called with; repeatable.", "--arg")
Input = option(
    list[str] | None,
    "16x1x8x8: a shape, drawn at random; 16x7:100: whole numbers below 100. Once for each input.",
    "--input",
)
Seed = option(int, "Weights, inputs and derivatives derive from it (default 0).")
Discover = option(bool, "Look for every affine symmetry too: at most 40 trained numbers.", "--discover")


def symmetries(
    module: Module,
    arg: Arg = None,
    inputs: Input = None,
    seed: Seed = 0,
    discover: Discover = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
):
    """Find the symmetries of a network, and check each.

    It is run once to see what its operations leave alone; whether the loss really stays the same along each
    family is then seen from two precisions. The code of the module runs in this process.
    """
    from noether.cli.progress import busy
    from noether.plan.casefiles.load import to_stderr
    from noether.plan.choices import whole
    from noether.runs.decision import decide
    from noether.system.named import options_of

    require_torch()
    seed = whole("--seed", seed, 0, 2**62 - 1)
    options = options_of(arg or [])
    with busy(f"looking at {module}", quiet=quiet) as progress, to_stderr():
        from noether.campaigns.symmetries.finding import find
        from noether.campaigns.symmetries.subject import asked

        one = asked(module, inputs, None, options, seed)
        found = find(one, discover=discover, seed=seed, tell=progress.stage)
    from noether.report.symmetries_table import heading, page, summary, verdict
    from noether.report.table import say

    decide(found.exit_code, verdict(found))
    if as_json:
        return printed(summary(found))
    say(heading(found)) if quiet else say(*page(found, whole=verbose))


def require_torch() -> None:
    """Raises UsageError where torch is not installed."""
    from noether.system.machine import remedy

    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise UsageError(
            f"noether symmetries needs torch, which is not installed: {remedy('torch')}"
        ) from None
