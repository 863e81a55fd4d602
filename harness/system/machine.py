"""Versions and facts of this machine, found without importing torch or triton."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

try:
    from noether import __version__
    from noether.system import resources
except ImportError as error:
    raise ImportError(
        "the package noether is not this project's: another distribution, perhaps the one named noether on "
        "the index, "
        "has overwritten it: pip uninstall noether, then pip install --force-reinstall --no-deps "
        "noether-harness"
    ) from error
from noether.system.jobs import processors

PACKAGES = ("numpy", "scipy", "sympy", "mpmath", "torch", "triton", "heyoka")
DISTRIBUTION = "noether-harness"
EXTRAS = {"triton": "triton", "torch": "torch", "hypothesis": "fuzz", "heyoka": "reference"}
EXTRAS |= {"jax": "bench", "diffrax": "bench", "numba": "bench", "scikit-learn": "networks"}
EXTRAS |= dict.fromkeys(("matplotlib", "pandas", "pyarrow", "xarray"), "data")
"""Package -> the extra of pyproject.toml that has it; every other is of the core."""


def importable(*before: Path) -> dict[str, str]:
    """The environment of a child process in which python finds this package as it is found here.

    before   folders that come first
    An editable install is found by itself. Else the package is a folder named noether, in site-packages or
    one of links.
    """
    package = Path(__file__).parent.parent
    own = [package.parent] if package.name == "noether" else []
    paths = [str(x) for x in (*before, *own)] + [os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(x for x in paths if x)}


def remedy(package: str) -> str:
    """The command that installs a package which is missing: with the extra that has it."""
    return (
        f"pip install '{DISTRIBUTION}[{EXTRAS[package]}]'"
        if package in EXTRAS
        else f"pip install {DISTRIBUTION}"
    )


@cache
def version_of(package: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def strangers() -> list[str]:
    """Other installed distributions that also bring a package `noether`; the last one installed has
    overwritten the rest."""
    owners = metadata.packages_distributions().get("noether", [])
    return sorted({name for name in owners if name.lower().replace("_", "-") != DISTRIBUTION})


@cache
def commit() -> str | None:
    """The commit of the sources, when they stand in a git working tree of their own."""
    root = resources.tree()
    if root is None or not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def versions() -> dict:
    """The versions of everything on which a number may depend, by name."""
    packages = {package: version_of(package) for package in PACKAGES}
    own = {"python": platform.python_version(), "noether": __version__}
    return {**own, **packages, "commit": commit()}


def processor() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(":", 1)[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cpus() -> int:
    """How many processors this process may use at once."""
    return processors()


def instructions() -> dict:
    """What decides the last bits of a result on this machine: what numpy was built for, and a compiler's
    vector width."""
    import numpy as np

    from noether.kernels.ptx.native.compiler import vectors

    try:
        found = np.show_config(mode="dicts")["SIMD Extensions"]
        numpy = [*found.get("baseline", ()), *found.get("found", ())]
    except (TypeError, KeyError, AttributeError):
        numpy = []
    return {"architecture": platform.machine(), "numpy": " ".join(numpy) or "unknown", "compiler": vectors()}


def machine() -> dict:
    """What run.json says of this machine."""
    said = {"platform": platform.platform(), "architecture": platform.machine(), "processor": processor()}
    return {**said, "cpus": cpus(), "instructions": instructions()}
