"""The page of the learning rules: how each takes a step, what it stores, and which laws speak of it."""

from __future__ import annotations

from pathlib import Path

from noether.cases.rules import RULES, Rule
from noether.labs.site.kept import judged_rules
from noether.labs.site.letters import latex
from noether.labs.site.papers import mixed, rows_of
from noether.laws.registry import LAWS
from noether.report.rulebook import options, takers

PLACE = "reference/rules.md"
MODELS = "O"
"""The letter of the laws that compare a rule with its models in continuous time."""
FIRST = """# Learning rules

A [rule](../glossary.md) says how a step is taken. Here $g$ is the gradient of the loss, $\\eta$ the step
size, $\\beta$ the momentum, $k$ the weight decay, $v$ the displacement of the momentum buffer, $G$ a
metric, and a prime is one step later. What this page says is read from `cases/rules/`, where kernels and
laws read it too; `noether rules` prints it.
"""
OPTIONS = {
    "looks_ahead": "the move of $q$ reads the force beside the new buffer",
    "timed": "steps know their number $n$",
    "maximize": "the loss is increased",
    "simplex": "the parameters sum to 1 after each step",
    "signed": "the sign of the gradient alone counts",
}
DECAY = {
    "coupled": "coupled: $k q$ is a part of the gradient",
    "decoupled": "decoupled: $q$ shrinks beside the step, as in AdamW",
    "none": "none",
}


def page(root: Path) -> str:
    """The page, from the catalogue of rules and the kept run."""
    seen = judged_rules(root)
    return "\n\n".join([FIRST, overview(), *(section(rule, seen) for rule in RULES.values())]) + "\n"


def step(rule: Rule) -> list[str]:
    """The lines of a step, in Markdown."""
    return [mixed(line) for line in rule.step]


def overview() -> str:
    """All rules in a table."""
    rows = [["rule", "step", ""]]
    rows += [[f"[{rule.name}](#{rule.name})", *step(rule)] for rule in RULES.values()]
    return rows_of(rows)


def section(rule: Rule, seen: dict[str, set[str]]) -> str:
    """One rule: its step as a formula, its facts, its models in continuous time."""
    lines = [part.strip(" ,") for line in rule.step for part in line.split(",  ")]
    formula = " \\\\ ".join(latex(line).replace("=", "&=", 1) for line in lines)
    names = {"eta": "$\\eta$", "beta": "$\\beta$", "k": "$k$", "eps": "$\\varepsilon$", "kappa": "$\\kappa$"}
    facts = [
        ["", ""],
        ["parameters of a lane", ", ".join(f"{names[name]} (`{name}`)" for name in rule.parameters)],
        ["state that is stored", ("$z = \\log q$" if rule.log_state else "$q$") + " and $v$"],
        ["momentum", "yes" if rule.momentum else "none: $\\beta = 0$"],
        ["weight decay", DECAY[rule.decay]],
        ["metric of its kinetic energy", rule.metric],
        ["options", "; ".join(OPTIONS[name] for name in options(rule)) or "none"],
        [
            "laws that judge it",
            ", ".join(link(law) for law in LAWS if rule.name in seen[law]) or "none in a quick run",
        ],
        [
            "cases",
            f"{len(takers()[rule.name])}: " + ", ".join(f"[{c}](cases/{c}.md)" for c in takers()[rule.name]),
        ],
    ]
    models = [
        f"| {link(law)} | {LAWS[law].title} | ${LAWS[law].equation}$ |"
        for law in LAWS
        if law.startswith(MODELS) and rule.name in seen[law]
    ]
    head = f"## {rule.name} {{#{rule.name}}}\n\n$$\n\\begin{{aligned}} {formula} \\end{{aligned}}\n$$\n"
    told = "\n".join(
        ["**In continuous time** it is compared with:", "", "| law | | |", "|---|---|---|", *models]
    )
    return "\n\n".join([head, rows_of(facts), *([told] if models else [])])


def link(law: str) -> str:
    """A law by its key, as a link to its section."""
    from noether.labs.site.law_pages import place

    return f"[{law}](laws/{place(law)}#{law})"
