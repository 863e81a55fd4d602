"""What one step of a kernel asks of each pipe, counted in its PTX, and the least time that this takes.

    time >= lanes steps max over pipes (operations of a step on the pipe / their rate)          (1)
    time >= bytes of its arrays / rate of the stream, where these are larger than caches        (2)

Counted are the operations that differ between lanes inside the loop over steps. What is done once a launch,
and what is done alike for all lanes, is not; nor are loads and stores of the state between steps, which
another implementation may not need. A sum and a product are two operations, since nothing is contracted.
Quotients and roots share one divider. `vector` takes everything, as fast as the faster of sums beside
products and of whole numbers. What a processor may do two of in one instruction counts half there: choices,
comparisons, bits. So (1) can only be too small: a kernel that is faster shows a wrong count or a wrong rate.
"""

from __future__ import annotations

from collections import Counter

from noether.kernels.ptx import parse
from noether.kernels.ptx.control import Flow, analyse
from noether.kernels.ptx.table import width
from noether.labs.bench.ceilings import FAR

PIPE = {"add": "add", "sub": "add", "mul": "mul", "fma": "mul", "div": "div", "rcp": "div", "sqrt": "root"}
PIPE |= {"iadd": "whole", "isub": "whole", "shl": "shift", "shr": "shift"}
NOTHING = {"mov", "param", "load", "store", "bra", "ret", "pack", "unpack"}
"""No arithmetic. What is in neither table is a choice, a comparison, bits or a conversion: `other`."""
Mix = dict[str, dict[str, int]]
"""type, float64 or float32 -> pipe -> operations of one step of one lane."""


def counted(ptx: str) -> Mix:
    """What a step of a kernel asks of each pipe. Raises ValueError where there is not one loop over steps."""
    flow = analyse(parse(ptx))
    found: dict[str, Counter] = {"float64": Counter(), "float32": Counter()}
    for index in repeated(flow):
        for i in flow.blocks[index].instructions:
            if i.op.meaning in NOTHING or not any(r in flow.varying for r in i.results):
                continue
            of = i.op.sources[0] if i.op.result == ("pred",) else i.op.result[0]
            kind = "float64" if width(of) == 64 else "float32"
            found[kind][PIPE.get(i.op.meaning, "other")] += 1
    return {kind: dict(pipes) for kind, pipes in found.items() if pipes}


def repeated(flow: Flow) -> set[int]:
    """The blocks of the one loop. Raises ValueError where there is none or more."""
    after = {b.index: {t for _, t in b.edges} for b in flow.blocks}
    backward = [(b, t) for b, targets in after.items() for t in targets if t <= b]
    if len(backward) != 1:
        raise ValueError(f"the kernel has {len(backward)} backward branches, must have one: its steps")
    last, first = backward[0]
    return set(range(first, last + 1))


def least(mix: Mix, rates: dict, bytes_moved: int, lane_steps: int, which: str) -> tuple[float, str]:
    """The larger of (1) and (2) in seconds, and what sets it.

    rates  as noether.labs.bench.ceilings.rates;  which  "seconds" or "cpu"
    """
    cost: Counter = Counter()
    for kind, pipes in mix.items():
        rate = {pipe: of[which] for pipe, of in rates[kind].items()}
        for pipe, many in pipes.items():
            if pipe not in ("whole", "other"):
                cost["divider" if pipe in ("div", "root") else pipe] += many / rate[pipe]
        whole = sum(pipes.values()) - pipes.get("other", 0) / 2
        cost["vector"] += whole / max(rate["arithmetic"], rate["whole"])
    times = {pipe: seconds * lane_steps for pipe, seconds in cost.items()}
    if bytes_moved >= FAR:
        times["memory"] = bytes_moved / max(of["stream"][which] for of in rates.values())
    limit = max(times, key=times.get)
    return times[limit], limit
