"""What verifying losses of many parameters takes: the cases of docs/examples/large, one run each.

python -m noether.labs.large_table   prints a table in Markdown, progress on stderr
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = (
    ("linear_network.py:D64", "linear network 4 x 8 x 4"),
    ("linear_network.py:D256", "linear network 8 x 16 x 8"),
    ("linear_network.py:D1024", "linear network 32 x 16 x 32"),
    ("attention.py:ATTENTION", "attention, two heads of 16"),
    ("batch_norm.py:UNIT", "batch normalisation, 1797 digits"),
)
FOLDER = Path("docs/examples/large")
HEAD = "| case | parameters | operations | cells | holds | faults killed | seconds | MB | exit code |"


def operations(word: str) -> tuple[int, int]:
    """The parameters of a case and the operations of its gradient, counted in a process of its own."""
    text = (
        "import sys; from noether.plan.casefiles.load import load; "
        "from noether.kernels.programs.trace import gradient; "
        "case = load(sys.argv[1]); print(case.dim, gradient(case).work)"
    )
    found = subprocess.run([sys.executable, "-c", text, word], capture_output=True, text=True, check=True)
    return tuple(map(int, found.stdout.split()))


def row(word: str, title: str) -> str:
    """The row of one case."""
    path = str(FOLDER / word)
    with tempfile.TemporaryDirectory() as folder:
        out, begin = Path(folder) / "run", time.perf_counter()
        command = [sys.executable, "-m", "noether", "verify", path, "--trust", "--out", str(out), "-q"]
        code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        seconds = time.perf_counter() - begin
        about = json.loads((out / "run.json").read_text())
        records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    verdicts = [r for r in records if not r.get("fault")]
    faults = {(r["fault"], r["case"]) for r in records if r.get("fault")}
    killed = {(r["fault"], r["case"]) for r in records if r.get("fault") and r["verdict"] == "violated"}
    held = sum(r["verdict"] == "holds" for r in verdicts)
    cells = len({r["cell"] for r in records})
    d, work = operations(path)
    memory = f"{about['memory'] / 1e6:.0f}" if about.get("memory") else ""
    return (
        f"| {title} | {d} | {work} | {cells} | {held} of {len(verdicts)} | {len(killed)} of {len(faults)} | "
        f"{seconds:.0f} | {memory} | {code} |"
    )


def main() -> None:
    """Print the table."""
    print(HEAD)
    print("|---|" + "---:|" * (HEAD.count("|") - 2))
    for word, title in CASES:
        print(f"verifying {word}", file=sys.stderr)
        print(row(word, title), flush=True)


if __name__ == "__main__":
    main()
