"""Whether the theorem holds: laws, bounds, verdicts, and the command line around them."""

from __future__ import annotations


def __getattr__(name: str):
    """`from harness import verify`, without loading a run for those who only need a law."""
    if name == "verify":
        from harness.run import verify

        return verify
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
