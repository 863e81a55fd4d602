"""The pages of the laws, one for each letter: equation, bound, power, and what each must kill."""

from __future__ import annotations

import re
from pathlib import Path

from noether.labs.site.kept import judged, powers
from noether.labs.site.papers import rows_of
from noether.laws.law import Law
from noether.laws.registry import LAWS
from noether.report.page.page import SUBJECTS

FOLDER = "reference/laws"
KINDS = {
    "rounding": "**rounding**: the residual may be as large as rounding can make it, or for a solution as "
    "large as its known error. The bound is derived from the operations that were done, and spent is the "
    "residual in its units",
    "order": "**order**: an error must shrink as the stated power of the step size. The slope is judged, and "
    "the constant where the theory states it, within the uncertainty of the fit",
    "statistical": "**mean**: an average over many lanes, within its standard error at a declared rate of "
    "false alarms of $10^{-9}$ a cell",
    "bitwise": "**bits**: equal in every bit; there is no bound",
}
FIRST = """# Laws

A [law](../../glossary.md) is a statement about charges, steps or averages that a run decides. Each has a
number, under which tables, records and the [theory](../../theory.md) cite it, a bound that is derived and
not chosen, and faults that it must find. `noether laws` prints this list, `noether explain D2` one of them.
A prime in an equation means one step later, two primes two steps; letters are those of the
[theory](../../theory.md#1-notation).
"""


def place(law: str) -> str:
    """The page of a law, from the folder of all."""
    return f"{law[0]}.md"


def subjects() -> list[tuple[str, str, str, list[Law]]]:
    """Letter, title, what its laws are about, and the laws, as the report has them."""
    found = [(letter, title, words) for letter, title, words in SUBJECTS if letter]
    return [(*about, [law for key, law in LAWS.items() if key.startswith(about[0])]) for about in found]


def pages(root: Path) -> dict[str, str]:
    """Every page of the laws, by its place from docs/."""
    made = {f"{FOLDER}/index.md": index()}
    for letter, title, about, laws in subjects():
        parts = [f"# {letter} · {title}", about, *(section(law, root) for law in laws)]
        made[f"{FOLDER}/{place(letter)}"] = "\n\n".join(parts) + "\n"
    return made


def index() -> str:
    """The list of all laws, by letter."""
    parts = [FIRST]
    for letter, title, about, laws in subjects():
        rows = [["law", "", "it states"]]
        rows += [[f"[{x.key}]({place(x.key)}#{x.key})", x.title, f"${x.equation}$"] for x in laws]
        parts.append(f"## [{title}]({place(letter)})\n\n{about}\n\n{rows_of(rows)}")
    return "\n\n".join(parts) + "\n"


def section(law: Law, root: Path) -> str:
    """One law."""
    facts = [
        ["", ""],
        ["applies to", law.applies],
        ["verdict", f"{KINDS[law.kind]} ([glossary](../../glossary.md))"],
        ["bound and derivation", f"[{law.key} in the theory](../../{law.anchor})"],
        ["blind to", "; ".join(law.blind) or "nothing that is known"],
        ["power", power(law, root)],
        ["judged in the baseline run on", tried(law, root)],
    ]
    if law.on_request:
        facts.insert(2, ["only with", f"`{law.on_request}`"])
    adds = [law.adds[:1].upper() + law.adds[1:] + "."] if law.adds else []
    adds += [law.primes[:1].upper() + law.primes[1:] + "."] if law.primes else []
    parts = [f"## {law.key} {law.title} {{#{law.key}}}", equation(law), *adds]
    return "\n\n".join([*parts, rows_of(facts), killed(law)])


def equation(law: Law) -> str:
    """The equation of a law, its parts side by side where there is room."""
    parts = [f"$$\n{part.strip(' ,')}\n$$" for part in re.split(r"\\quad(?! *\\text)", law.equation)]
    return '<div class="equation" markdown>\n\n' + "\n\n".join(parts) + "\n\n</div>"


def power(law: Law, root: Path) -> str:
    """The smallest change that the newest measurement says the law would have seen."""
    source, found = powers(root)
    if law.key not in found:
        return "not measured"
    told = [f"{size} of `{name}` ({profile})" for profile, (name, size) in found[law.key].items()]
    link = f"[{Path(source).stem}](../../{source}#power)"
    return f"the smallest change that it sees: {', '.join(told)}, from {link}"


def tried(law: Law, root: Path) -> str:
    """What the kept run judged it on."""
    cases, rules = judged(root)[law.key]
    told = [f"[{name}](../cases/{name}.md)" for name in sorted(cases)]
    words = [f"{len(rules)} rules"] if len(rules) > 1 else sorted(rules)
    return " · ".join([*words, *told]) or "not in it"


def killed(law: Law) -> str:
    """The faults that it must kill, folded."""
    names = law.must_kill
    everywhere = set(law.everywhere)
    lines = [f"    - {name}{' (in each cell that shows it)' if name in everywhere else ''}" for name in names]
    lines += [f"    - {fault}, in {precision}" for fault, precision in law.promised if fault not in names]
    return f'??? note "{len(lines)} planted faults that it must find"\n\n' + "\n".join(lines)
