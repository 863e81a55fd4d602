"""The page of the learning rules: how each takes a step, what it stores, and which laws speak of it."""

from __future__ import annotations

from pathlib import Path

from noether.cases.rules import RULES, Rule
from noether.labs.site.kept import judged_rules
from noether.labs.site.letters import latex
from noether.labs.site.papers import mixed, rows_of
from noether.laws.registry import LAWS
from noether.report import rulebook

PLACE = "reference/rules.md"
MODELS = "O"
"""The letter of the laws that compare a rule with its models in continuous time."""
FIRST = """# Learning rules

A [rule](../glossary.md) says how a step is taken. Here $g$ is the gradient of the loss, $\\eta$ the step
size, $\\beta$ the momentum, $k$ the weight decay, $v$ the displacement of the momentum buffer, $G$ a
metric, and a prime is one step later. What this page says is read from the file of each rule in
`cases/rules/`, where kernels and laws read it too; `noether rules` and `noether show RULE` print it, and
[a rule of your own](../own_rule.md) is one file more.
"""
DECAY = {
    "coupled": "coupled: $k q$ is a part of the gradient",
    "decoupled": "decoupled: $q$ shrinks beside the step, as in AdamW",
    "both": "coupled and decoupled",
    "none": "none",
}
LETTERS = {"eta": "$\\eta$", "beta": "$\\beta$", "k": "$k$", "eps": "$\\varepsilon$", "kappa": "$\\kappa$"}


def page(root: Path) -> str:
    """The page, from the catalogue of rules and the kept run."""
    seen = judged_rules(root)
    return "\n\n".join([FIRST, overview(), *(section(rule, seen) for rule in RULES.values())]) + "\n"


def overview() -> str:
    """All rules in a table."""
    rows = [["rule", "step", "source"]]
    rows += [
        [f"[{rule.name}](#{rule.name})", " <br> ".join(map(mixed, rule.step)), rule.source]
        for rule in RULES.values()
    ]
    return rows_of(rows)


def parameters(rule: Rule) -> str:
    """The parameters of a lane, those of the rule alone with what they are."""
    own = {x.name: f" {x.what}, {rulebook.domain(x)}" for x in rule.extra}
    told = lambda name: f"{LETTERS[name]} (`{name}`)" if name in LETTERS else f"`{name}`{own.get(name, '')}"
    return "; ".join(map(told, rule.parameters))


def covector(rule: Rule) -> str:
    """The law of the covector of the charge, in Markdown."""
    law = rulebook.covector(rule)
    if law is None:
        return "none"
    a, b, f = (mixed(law[x]) if law[x].startswith("the ") else f"${latex(law[x])}$" for x in "abf")
    return f"$p = {latex(law['p'])}$, $p' = a p - b f$ with $a$ = {a}, $b$ = {b}, $f$ = {f}"


def section(rule: Rule, seen: dict[str, set[str]]) -> str:
    """One rule: its step as a formula, its facts, its models in continuous time."""
    lines = [part.strip(" ,") for line in rule.step for part in line.split(",  ")]
    formula = " \\\\ ".join(latex(line).replace("=", "&=", 1) for line in lines)
    state = ("$z = \\log q$" if rule.log_state else "$q$", *(f"${latex(b)}$" for b in rule.buffers))
    more = [x for x in rulebook.read_off(rule) if x != "momentum" and not x.endswith(" decay")]
    call, takers = rulebook.in_torch(rule), rulebook.takers(rule)
    facts = [
        ["", ""],
        ["source", rule.source],
        ["parameters of a lane", parameters(rule)],
        ["state that is stored", ", ".join(state)],
        ["momentum", "yes" if rule.momentum else "none: $\\beta = 0$"],
        ["weight decay", DECAY[rule.decay]],
        ["metric of its kinetic energy", rule.metric],
        ["read off its lines", "; ".join(more) or "nothing more"],
        ["covector of its charge", covector(rule)],
        ["PyTorch", f"`{call}`" if call else "has none of this name"],
        [
            "laws that judge it",
            ", ".join(link(law) for law in LAWS if rule.name in seen[law]) or "none in a quick run",
        ],
        ["cases", f"{len(takers)}: " + ", ".join(f"[{c}](cases/{c}.md)" for c in takers)],
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
