"""How long a cell will roughly take, so that the longest go first and no worker ends with one of them.

Only the order matters: a cell costs what those of its law took on average in a full run (two cores,
2026-11-27).
"""

from __future__ import annotations

import re

LAWS = {
    **dict(exact=0.47, faults=0.26, covariance=0.11, parity=0.09, response=0.73),
    **dict(B1=0.09, D9=0.97, D12=0.33, E2=0.74, E3=1.02, E4=1.85, M1=3.56),
    **dict(O1=0.46, O2=0.38, O3=0.69, O4=0.02, O5=1.17, O6=0.37, O7=0.34, O8=0.31, O9=0.13),
    **dict(O10=0.2, O11=0.3, O12=0.36, O13=0.1, O14=0.5, O15=0.03),
    **dict(P1=0.09, P2=0.17, P3=0.17, P4=0.0, P5=0.0, P6=0.16),
    **dict(N5=10.0, N6=4.0, N7=8.0, N8=4.0, N9=4.0),
    **dict(S1=0.06, S2=0.34, S3=0.21, S4=0.6, T1=0.44, T2=0.34, T3=0.28, T5=0.64),
}
"""Mean seconds of a cell in a full run, by the first word of its name."""
SIZE = re.compile(r"/(\d+)x(\d+)(/|$)")
USUAL = 251 * 96  # lanes x steps of a launch in a full run
UNTOLD = 0.3  # seconds, of a law that is not listed


def cost(cell) -> float:
    """Seconds, to a factor of a few: over the 679 cells of a full run its rank correlation with what they
    took is .74.

    Compiling is most of an exact cell: in the eager modes every operation is rounded, four times the code.
    A cell that no run of `noether verify` has says in `usual_seconds` what it takes.
    """
    if hasattr(cell, "usual_seconds"):
        return cell.usual_seconds
    name, backend = cell.name, str(getattr(cell, "backend", ""))
    family, size = name.split("/")[0], SIZE.search(name)
    seconds = LAWS.get(family, UNTOLD)
    if backend.startswith("triton"):
        seconds *= 4 if "eager" in name else 2 if "mixed" in name else 1
    elif family == "exact":
        seconds *= 0.3
    if family in ("exact", "parity") and size:
        seconds *= max(1.0, int(size[1]) * int(size[2]) / USUAL)
    return seconds
