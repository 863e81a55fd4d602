"""Noether decides, with numbers, whether learning rules obey the laws of physics that are claimed of them.

The public names are here: `from noether import verify, Case`. Each is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what a type checker and an editor read; python runs __getattr__
    from noether.api.audit import audit as audit
    from noether.api.callbacks import lightning_callback as lightning_callback
    from noether.api.callbacks import trainer_callback as trainer_callback
    from noether.api.result import Result as Result
    from noether.api.simulate import simulate as simulate
    from noether.api.simulation import Simulation as Simulation
    from noether.api.symmetries import symmetries as symmetries
    from noether.api.verify import verify as verify
    from noether.api.watch import watch as watch
    from noether.campaigns.audit.triton_adapter import triton_adapter as triton_adapter
    from noether.campaigns.discovery.finding import discover as discover
    from noether.campaigns.fuzz import strategies as strategies
    from noether.cases import Case as Case
    from noether.cases.case import Metric as Metric
    from noether.cases.case import Symmetry as Symmetry
    from noether.cases.rule import Rule as Rule

__version__ = "0.2.0"

PUBLIC = {
    "verify": "noether.api.verify",
    "audit": "noether.api.audit",
    "watch": "noether.api.watch",
    "lightning_callback": "noether.api.callbacks",
    "trainer_callback": "noether.api.callbacks",
    "Result": "noether.api.result",
    "symmetries": "noether.api.symmetries",
    "simulate": "noether.api.simulate",
    "Simulation": "noether.api.simulation",
    "triton_adapter": "noether.campaigns.audit.triton_adapter",
    "discover": "noether.campaigns.discovery.finding",
    "Case": "noether.cases",
    "Symmetry": "noether.cases.case",
    "Metric": "noether.cases.case",
    "Rule": "noether.cases.rule",
    "strategies": "noether.campaigns.fuzz",
}
"""Name -> module that has it, or package whose module it is."""

# Not strategies: `from noether import *`, and whoever looks at every name, must not need hypothesis.
__all__ = ["__version__", "verify", "audit", "watch", "symmetries", "Result", "simulate", "Simulation"]
__all__ += ["discover", "triton_adapter", "Case", "Symmetry", "Metric", "Rule"]
__all__ += ["lightning_callback", "trainer_callback"]


if not TYPE_CHECKING:  # with it a type checker would take any name for one of ours

    def __getattr__(name: str):
        if name not in PUBLIC:
            raise AttributeError(f"module 'noether' has no attribute {name!r}")
        module = import_module(PUBLIC[name])
        return getattr(module, name) if hasattr(module, name) else import_module(f"{PUBLIC[name]}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
