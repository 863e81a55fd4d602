"""What may be declared of a learning rule: names that can be read, domains that have numbers, functions that
take what they are given."""

from __future__ import annotations

import inspect

from noether.cases.declared import NAME_PATTERN, RuleError, brief, is_finite

COMMON = ("eta", "beta", "k", "eps")
"""The parameters that every lane has: step size, momentum, decay, and the magnitude of the breaking."""
TAKEN = (*COMMON, "kappa", "G", "q", "g", "n")
"""Names that a rule cannot give to what is its own."""
METRICS = ("euclidean", "diagonal", "bregman", "maximum", "adaptive", "spectral")
WIDEST = 100  # characters of a line
TAKES = {
    "update": ("q", "buffers", "g", "p", "xp"),
    "terms": ("q", "buffers", "new", "g", "p", "xp"),
    "known": ("n", "p"),
    "place": ("z", "xp"),
    "torch": ("p",),
    "fits": ("d",),
}
"""The functions of a rule, and what each is given."""
OF_COVECTOR = {"kept": ("p",), "pull": ("p",), "force": ("q", "g", "p", "xp")}
OF_COVECTOR["scale"] = OF_COVECTOR["force"]
OF_CLAIMS = {
    "bounded": ({"by": ("n", "p"), "past": ("d", "u")}, "norm", ("max", "spectral")),
    "length": ({"by": ("q", "new", "g", "p", "xp")}, "of", ("move", "pull")),
}
"""What a claim of the size of a step has: functions, and a word with the words that it may be."""


def check(rule) -> None:
    """Refuse a rule that declares what cannot be, before it is proven. Raises RuleError."""
    if not isinstance(rule.name, str) or not NAME_PATTERN.fullmatch(rule.name):
        raise RuleError(f"name is {brief(rule.name)}, must be lower-case words joined by hyphens")
    where = f"rule {rule.name}"
    if not isinstance(rule.step, tuple) or not rule.step or not all(map(is_line, rule.step)):
        raise RuleError(
            f"{where}: step is {brief(rule.step)}, must be a tuple of its equations, a line each, of at most "
            f"{WIDEST} characters"
        )
    if not is_line(rule.source):
        raise RuleError(f"{where}: source is {brief(rule.source)}, must be a line of text")
    if rule.metric not in METRICS:
        raise RuleError(f"{where}: metric is {brief(rule.metric)}, must be one of {', '.join(METRICS)}")
    check_names(where, "buffers", rule.buffers)
    if not rule.buffers:
        raise RuleError(f"{where}: buffers is empty, must name one at least: what a step moves by is one")
    check_extra(where, rule.extra)
    for name, takes in TAKES.items():
        check_function(where, name, getattr(rule, name), takes, missing=name not in ("update", "terms"))
    if rule.covector is not None:
        for name, takes in OF_COVECTOR.items():
            given = getattr(rule.covector, name, None)
            check_function(f"{where}: covector", name, given, takes, missing=name == "scale")
    for name, claim in OF_CLAIMS.items():
        check_claim(f"{where}: {name}", getattr(rule, name), *claim)


def check_claim(where: str, claim, functions: dict, word: str, words: tuple[str, ...]) -> None:
    """Refuse a claim of the size of a step that says nothing. Raises RuleError."""
    if claim is None:
        return
    for name, takes in functions.items():
        check_function(where, name, getattr(claim, name, None), takes, missing=name == "past")
    said = getattr(claim, word, None)
    if said not in words:
        raise RuleError(f"{where}: {word} is {brief(said)}, must be one of {', '.join(words)}")


def is_line(text) -> bool:
    """Whether a text can stand on a line of a table."""
    return isinstance(text, str) and text.isprintable() and 1 <= len(text.strip()) <= len(text) <= WIDEST


def check_names(where: str, what: str, names) -> None:
    """Refuse names that lines of python could not read, or that mean something else. Raises RuleError."""
    if not isinstance(names, tuple) or not all(isinstance(x, str) and x.isidentifier() for x in names):
        raise RuleError(f"{where}: {what} is {brief(names)}, must be a tuple of names, as ('v',)")
    for name in names:
        if name in TAKEN or names.count(name) > 1:
            why = "which every rule has" if name in TAKEN else "twice"
            raise RuleError(f"{where}: {what} names {name!r}, {why}: must be a name of its own")


def check_extra(where: str, extra) -> None:
    """Refuse parameters without a domain. Raises RuleError."""
    of_rule = isinstance(extra, tuple) and all(hasattr(x, "choices") and hasattr(x, "low") for x in extra)
    if not of_rule:
        raise RuleError(f"{where}: extra is {brief(extra)}, must be a tuple of Parameter(...)")
    check_names(where, "extra", tuple(x.name for x in extra))
    for x in extra:
        said = f"{where}: parameter {x.name}"
        if not is_line(x.what):
            raise RuleError(f"{said}: what is {brief(x.what)}, must be a line of text that says what it is")
        if not (is_finite(x.low) and is_finite(x.high) and x.low <= x.high):
            raise RuleError(
                f"{said}: its domain is {brief(x.low)} to {brief(x.high)}, must be two finite numbers, the "
                "lower one first"
            )
        if not isinstance(x.choices, tuple) or not all(is_finite(c) for c in x.choices):
            raise RuleError(f"{said}: choices is {brief(x.choices)}, must be a tuple of finite numbers")
        outside = [c for c in x.choices if not x.low <= c <= x.high]
        if outside:
            raise RuleError(
                f"{said}: choice {outside[0]} lies outside its domain, must be from {x.low} to {x.high}"
            )


def check_function(where: str, name: str, function, takes: tuple[str, ...], *, missing=False) -> None:
    """Refuse what is no function of these arguments. Raises RuleError."""
    if function is None and missing:
        return
    if not callable(function):
        raise RuleError(f"{where}: {name} is {brief(function)}, must be a function({', '.join(takes)})")
    try:
        signature = inspect.signature(function)
        signature.bind(*takes)
    except ValueError:
        return  # a builtin tells nothing: calling it will
    except TypeError:
        raise RuleError(f"{where}: {name} takes {signature}, must take ({', '.join(takes)})") from None


def places(rule) -> str:
    """Where the lines of a rule stand, behind a complaint about them."""
    codes = [(name, getattr(getattr(rule, name), "__code__", None)) for name in ("update", "terms")]
    told = [f"{name} is at line {code.co_firstlineno}" for name, code in codes if code is not None]
    return f" ({', '.join(told)})" if told else ""


def every(d: int) -> bool:
    """Whether a rule that takes any number of parameters takes d."""
    return True
