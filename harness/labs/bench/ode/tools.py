"""The tools by name. A module solver_* has

missing()       why it cannot run here, '' when it can
environment()   {name: text} to be set before its process starts
settings(problem) -> {method: levels}    the ladder of each method, from coarse to fine
prepare(problem, method, level) -> run   run() -> y (n, lanes) at the end, or of the first lanes alone
"""

from __future__ import annotations

from types import ModuleType

from noether.labs.bench.ode import solver_diffrax, solver_heyoka, solver_noether, solver_scipy

OURS = "noether"
MODULES: dict[str, ModuleType] = {
    OURS: solver_noether,
    "heyoka": solver_heyoka,
    "diffrax": solver_diffrax,
    "scipy": solver_scipy,
}
TOOLS = tuple(MODULES)


def missing(tool: str) -> str:
    """Why a tool cannot run here; '' when it can. Imports nothing heavy."""
    return MODULES[tool].missing()
