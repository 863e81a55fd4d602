"""The learning rules as `noether rules` lists them and `noether show RULE` shows one: what a rule says, and
what was read off its lines."""

from __future__ import annotations

import re
import sys
from functools import cache
from types import SimpleNamespace

from rich.console import Group
from rich.text import Text

from noether.cases import CATALOG
from noether.cases.rule import Parameter, Rule
from noether.cases.rules import RULES
from noether.cases.turns import commutes, turns
from noether.cases.units import LOSS, PLACE, scaling
from noether.laws.exact import EXACT
from noether.laws.exact.cell import fits
from noether.laws.latex import plain
from noether.laws.orders.cells import SUBJECTS
from noether.laws.registry import LAWS
from noether.report.catalogue import field
from noether.report.terminal import listing

MOVES = {
    "by": "q' - q is {0}' itself, but for decoupled decay",
    "along": "q' - q is parallel to {0}', but for decoupled decay",
    "ahead": "q' - q is made of {0}' and the force, as Nesterov's step is",
}
"""How q moves (noether.cases.exact_numbers.Reading), in words."""
METRICS = {
    "euclidean": "euclidean",
    "diagonal": "diagonal: that of a case, G(q)",
    "bregman": "bregman: that of a mirror map",
    "maximum": "maximum: the size of a step is that of its largest component",
    "adaptive": "adaptive: each component has the scale of its own past gradients",
    "spectral": "spectral: the size of a step is that of its largest singular value",
}


@cache
def takers(rule: Rule) -> list[str]:
    """The cases of the catalogue that take a rule."""
    return [case.name for case in CATALOG if fits(rule, case)]


@cache
def judges(rule: Rule) -> list[str]:
    """The exact laws that judge a rule on any case of the catalogue."""
    mine = [case for case in CATALOG if fits(rule, case)]
    return [key for key, law in EXACT.items() if any(law.concerns(case, rule) for case in mine)]


DECAY = {"both": "coupled and decoupled"}


def read_off(rule: Rule) -> list[str]:
    """What was read off the lines of a rule, in words: of the gradient signs alone, steps that know their
    number (timed), components that read each other (mixing)."""
    said = {
        "momentum": rule.momentum,
        f"{DECAY.get(rule.decay, rule.decay)} decay": rule.decay != "none",
        "decoupled decay by a number of its own": rule.shrinks and rule.decay in ("none", "coupled"),
        "signs alone": rule.signed,
        "ascent": rule.maximize,
        "timed": rule.timed,
        "mixing": rule.reads.mixes,
    }
    return [words for words, so in said.items() if so]


def domain(parameter: Parameter) -> str:
    """The domain of a parameter, in words."""
    if parameter.choices:
        return f"one of {', '.join(f'{x:g}' for x in parameter.choices)}"
    return f"from {parameter.low:g} to {parameter.high:g}"


def probed(rule: Rule) -> int:
    """How many parameters its scales and turns are read off at: a matrix of two rows where it takes one."""
    return next((d for d in (4, 6, *range(2, 17)) if rule.fits(d)), 0)


def scales(rule: Rule) -> dict[str, dict[str, str] | None]:
    """What must be multiplied by which power of a so that a rule goes the same way again (theory.md#D17)."""
    found = {change: scaling(rule, probed(rule), change) for change in (LOSS, PLACE) if probed(rule)}
    return {c: s and {x: str(y) for x, y in s.told().items()} for c, s in found.items()}


def scale_told(change: str, powers: dict[str, str] | None) -> str:
    """A change of scale in words."""
    if powers is None:
        return f"{change}: none"
    beside = {x: y for x, y in powers.items() if x not in "qg"}
    named = ", ".join(f"{x} by {'a' if y == '1' else f'a^{y}'}" for x, y in beside.items())
    return f"{change}: {named or 'nothing else changes'}"


def commuting(rule: Rule) -> list[str]:
    """The turns that a rule commutes with, by their names."""
    return [turn.name for turn in turns(probed(rule)) if commutes(rule, turn)] if probed(rule) else []


# ---- letters: a rule's small functions on symbols


def letters(rule: Rule) -> SimpleNamespace:
    """What a rule is given as p, each number a symbol of its name."""
    import sympy

    return SimpleNamespace(**{name: sympy.Symbol(name, positive=True) for name in rule.inputs}, G=[])


def spelled(formula) -> str:
    """A formula as it is written here: products by a space, sizes between bars."""
    return re.sub(r"Abs\((\w+)\)", r"|\1|", str(formula).replace("**", "^").replace("*", " "))


def covector(rule: Rule) -> dict[str, str] | None:
    """The law of the covector p' = a p - b f in letters: p, a, b and f; None where there is none.

    |q| and |g| are the sizes of all components.
    """
    import sympy

    c = rule.covector
    if c is None:
        return None
    p, q, g = letters(rule), [sympy.Symbol("q", real=True)], [sympy.Symbol("g", real=True)]
    functions = dict(sqrt=sympy.sqrt, exp=sympy.exp, log=sympy.log, sign=sympy.sign, absolute=sympy.Abs)
    xp = SimpleNamespace(**functions, maximum=sympy.Max)
    b = c.pull(p)
    try:
        b = b if c.scale is None else b * c.scale(q, g, p, xp)
        (f,) = c.force(q, g, p, xp)
    except Exception:  # of a rule that takes no single component
        f = "the force of its file"
    return {"p": c.buffer, "a": spelled(c.kept(p)), "b": spelled(b), "f": spelled(f)}


def in_torch(rule: Rule) -> str:
    """The call that makes the same optimizer in PyTorch, '' where there is none."""
    if rule.torch is None:
        return ""
    name, options = rule.torch(letters(rule))
    return f"torch.optim.{name}({', '.join(f'{k}={spelled(v)}' for k, v in options.items())})"


# ---- the list


def rules_table():
    """The table of rules."""
    table = listing("rule", "step", "metric, state", "cases")
    for rule in RULES.values():
        about = [f"{rule.metric}, {' '.join(rule.buffers)}", *read_off(rule)]
        table.add_row(rule.name, "\n".join(rule.step), "\n".join(about), str(len(takers(rule))))
    return table


def rules_listed() -> list[dict]:
    """The rules as plain data for --json."""
    return [shown(rule) for rule in RULES.values()]


# ---- one rule


def models(rule: Rule) -> list[dict]:
    """The laws that hold a rule against its model in continuous time, each with its equation."""
    mine = dict.fromkeys(law for law, name, _ in SUBJECTS if name == rule.name)
    return [{"law": key, "title": LAWS[key].title, "equation": plain(LAWS[key].equation)} for key in mine]


def shown(rule: Rule) -> dict:
    """A rule as plain data, for --json."""
    told = {"rule": rule.name, "step": list(rule.step), "source": rule.source, "metric": rule.metric}
    extra = [
        {"name": x.name, "what": x.what, "low": x.low, "high": x.high, "choices": list(x.choices)}
        for x in rule.extra
    ]
    reads = {"momentum": rule.momentum, "decay": rule.decay, "signed": rule.signed, "ascent": rule.maximize}
    reads |= {"moves": rule.reads.moves, "mixes": rule.reads.mixes}
    return {
        **told,
        "buffers": list(rule.buffers),
        "parameters": list(rule.parameters),
        "extra": extra,
        "known": list(rule.known_names),
        **reads,
        "stored": "log q" if rule.log_state else "q",
        "scales": scales(rule),
        "turns": commuting(rule),
        "covector": covector(rule),
        "torch": in_torch(rule) or None,
        "fuzzed": rule.screened,
        "laws": judges(rule),
        "models": models(rule),
        "cases": takers(rule),
    }


def show(rule: Rule) -> Group:
    """What a rule says of itself, and what was read off its lines."""
    paper = (getattr(sys.modules.get(rule.update.__module__), "__doc__", None) or rule.name).strip()
    law = covector(rule)
    charge = "none: no law speaks of a charge under it"
    if law:
        charge = f"{law['p']}: p' = a p - b f with a = {law['a']}, b = {law['b']}, f = {law['f']}"
    rows = [
        field("rule", rule.name),
        field("step", "\n".join(rule.step)),
        field("source", rule.source),
        field("stored", " ".join(("log q" if rule.log_state else "q", *rule.buffers))),
        field("metric", METRICS.get(rule.metric, rule.metric)),
        field("of a lane", ", ".join(rule.parameters)),
        *(field("", f"{x.name}: {x.what}, {domain(x)}") for x in rule.extra),
    ]
    if rule.known_names:
        rows.append(field("of step n", f"{', '.join(rule.known_names)}: known from the number of the step"))
    rows += [field("read off" if i == 0 else "", words) for i, words in enumerate(read_off(rule))]
    if rule.reads.moves:
        rows.append(field("", MOVES[rule.reads.moves].format(rule.covector.buffer)))
    rows += [field("scales" if i == 0 else "", scale_told(*x)) for i, x in enumerate(scales(rule).items())]
    rows += [
        field("commutes", f"with: {', '.join(commuting(rule)) or 'no turn of its parameters'}"),
        field("covector", charge),
        field("PyTorch", in_torch(rule) or "has none of this name"),
        field("laws", " ".join(judges(rule)) or "none"),
        *(
            field("in time" if i == 0 else "", f"{x['law']}  {x['equation']}")
            for i, x in enumerate(models(rule))
        ),
        field("cases", f"{len(takers(rule))}: {', '.join(takers(rule))}"),
    ]
    return Group(Text(paper), Text(), *rows)
