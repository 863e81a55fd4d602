"""The symmetries of a module on a terminal: what was asked, a row a family, what is left out, what next."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from noether.campaigns.symmetries.finding import EVAL, Finding, Row
from noether.campaigns.symmetries.judged import Judged
from noether.networks.check import BROKEN, EPS, KEPT, UNKNOWN
from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION
from noether.report.terminal import console, listing
from noether.system.outside import plural

ROWS = 40
"""Families that are printed; those that are broken or open are, whatever their number."""
NAMED = 12
"""Names in a line."""
WHAT, AT, LEAST, FOLDED, NARROW = "what moves", "at", 16, 8, 100
"""Two columns, and how wide they are at least; where the terminal is narrower than NARROW, verdicts are
folded and the column `at` is left to --json."""
STYLE = {KEPT: "green", EPS: "green", BROKEN: "bold red", UNKNOWN: "yellow"}
WORDS = {
    SCALE: "scale: all numbers of a channel grow together, by any factor",
    RESCALE: "rescale: what a unit reads grows, what reads the unit shrinks",
    TRANSLATION: "translation: one number is added to all of these",
    GL: "GL: W becomes M W, and what reads it V M^-1, for every matrix M with an inverse",
}
COLUMNS = {
    "change": "change: how fast the loss changes along the family, as a part of its terms before they cancel",
    "less eps": "less eps: the same without what the eps of a normalisation explains to the last digit",
    "spent": "spent: the change in the network's own numbers, in units of what rounding may cause: at most 1",
    "in eval": "in eval: the change in eval mode, where the family is broken there",
}


def page(found: Finding, *, whole: bool = False) -> list:
    """All that is printed.

    whole  every family, and every name of a list
    """
    parts: list = [heading(found), *about(found), Text()]
    if found.rows:
        parts += [table(found, whole), Text(), *legend(found), Text()]
    rest = remainder(found, whole)
    parts += [*rest, Text()] if rest else []
    parts += [*discovery(found, whole), Text()] if found.discovered else []
    return [*parts, Text(next_step(found)), Text(footing(found), style="dim")]


def verdict(found: Finding) -> str:
    """How many generators of which kinds there are, or why that is not known."""
    if found.undecided:
        return f"could not decide: {found.undecided}"
    counts = found.counts()
    total = sum(counts.values())
    kinds = ", ".join(f"{n} {kind}" for kind, n in counts.items())
    said = f"{plural(total, 'generator')} in {plural(len(found.families), 'family', 'families')}: {kinds}"
    parts = [said if total else "no symmetry is found"]
    for word, one in ((BROKEN, "proposal is broken"), (UNKNOWN, "proposal is not decided")):
        many = len(found.of(word))
        parts += [plural(many, one, one.replace("proposal is", "proposals are"))] if many else []
    missed = found.discovered.missed if found.discovered else ()
    parts += [f"{plural(len(missed), 'generator')} more by --discover"] if missed else []
    return "; ".join(parts)


def heading(found: Finding) -> Text:
    """The module and the verdict."""
    bad = bool(found.of(BROKEN))
    style = "yellow" if found.exit_code else "bold red" if bad else "bold green"
    return Text(found.subject.name, style="bold").append(": ").append(verdict(found), style=style)


def about(found: Finding) -> list[Text]:
    """What was looked at, and how."""
    trained = found.subject.trained
    size = sum(p.numel() for p in trained.values())
    lines = [
        f"{plural(len(trained), 'trained parameter')}, {plural(size, 'number')}; {found.mode}; "
        f"loss: {found.subject.loss}"
    ]
    lines += [f"note: {note}" for note in found.notes]
    return [Text(line, style="dim") for line in lines]


def table(found: Finding, whole: bool) -> Table:
    """A row for each family: broken and open ones whatever their number."""
    names = ["kind", "count", WHAT, AT, "verdict", *list(COLUMNS)[: 4 if found.has_modes else 3]]
    narrow = console().width < NARROW
    shown = [n for n, name in enumerate(names) if name != AT or not narrow]
    made = listing(*(names[n] for n in shown))
    for column in made.columns:
        if column.header in ("count", *COLUMNS):
            column.justify, column.no_wrap = "right", True
        column.min_width = LEAST if column.header == WHAT else None
        column.max_width = FOLDED if narrow and column.header == "verdict" else None
    left = ROWS
    for row in found.rows:
        if whole or left > 0 or not row.is_kept:
            texts = cells(found, row)
            made.add_row(*(texts[n] for n in shown))
            left -= 1
    return made


def cells(found: Finding, row: Row) -> list:
    """The columns of a row."""
    family, one = row.family, row.judged
    at = family.why or "-"
    said = (
        one.verdict if row.seen in (0, family.count) else f"{one.verdict}, {row.seen} of {family.count} seen"
    )
    texts: list = [family.kind, str(family.count), family.words, at, Text(said, style=STYLE[one.verdict])]
    texts += [short(one.change), short(one.less_eps) if family.breaks else "-", short(one.spent)]
    if found.has_modes:
        texts.append("-" if row.in_eval is None else eval_words(row.in_eval))
    return texts


def eval_words(other: Judged) -> str:
    """What became of a family in eval mode: its change where it is broken, else its verdict in a word."""
    return short(other.change) if other.verdict == BROKEN else "open" if other.verdict == UNKNOWN else KEPT


def short(x: float) -> str:
    """A number in at most six characters: of a small one its size matters, not its digits."""
    return f"{x:.3f}" if x == 0 or 0.001 <= x < 100 else f"{x:.0e}"


def legend(found: Finding) -> list[Text]:
    """The words of the table, those alone that stand in it."""
    kinds = dict.fromkeys(row.family.kind for row in found.rows)
    columns = list(COLUMNS)[: 4 if found.has_modes else 3]
    lines = [*(WORDS[kind] for kind in kinds), *(COLUMNS[name] for name in columns)]
    if any(row.seen not in (0, row.family.count) for row in found.rows):
        lines.append("seen: on so many a gradient comes with these inputs; of the others nothing is known")
    return [Text(f"  {line}", style="dim") for line in lines]


def remainder(found: Finding, whole: bool) -> list[Text]:
    """What the table does not have: what broke, what was not known, what is not moved."""
    out = []
    hidden = len(found.rows) - ROWS - sum(not row.is_kept for row in found.rows[ROWS:])
    if hidden > 0 and not whole:
        out.append(f"and {plural(hidden, 'family', 'families')} more that are kept: --verbose has all")
    if found.has_modes and any(x.in_eval and x.in_eval.verdict == BROKEN for x in found.rows):
        broken = [x.in_eval for x in found.rows if x.in_eval and x.in_eval.verdict == BROKEN]
        worst = short(max(x.change for x in broken))
        most = plural(len(broken), "family is", "families are")
        out.append(f"in eval mode {most} broken, by up to {worst}: there averages do not come from the batch")
    if found.unknown:
        out.append(
            f"operations that the walk does not know: {some(found.unknown, whole)}; it proposes nothing that "
            "leads through them"
        )
    if found.unmoved:
        out.append(f"no family moves {some(found.unmoved, whole)}")
    if found.unreached:
        out.append(f"no gradient reaches {some(found.unreached, whole)} with these inputs: nothing is said")
    if not found.subject.has_loss and not found.undecided:
        out.append("symmetries of the loss alone, as those of a softmax, are not looked at: no loss is known")
    if found.not_of_loss:
        out.append("a softmax in the loss would have symmetries of the last layer: this loss has none")
    return [Text(line) for line in out]


def some(names: tuple[str, ...], whole: bool) -> str:
    """Names in a line, at most NAMED of them."""
    more = "" if whole or len(names) <= NAMED else f" and {len(names) - NAMED} more"
    return " ".join(names if whole else names[:NAMED]) + more


def discovery(found: Finding, whole: bool) -> list[Text]:
    """What brute force found beside the walk."""
    made = found.discovered
    if made.undecided:
        return [Text(f"--discover could not decide: {made.undecided}", style="yellow")]
    seen = made.spectrum
    broken = "none" if seen.smallest_broken is None else f"{seen.smallest_broken:.2g}"
    kept = "none" if seen.largest_kept is None else f"{seen.largest_kept:.2g}"
    lines = [
        f"--discover: {seen.kept} of {plural(len(seen.values), 'affine field')} leave the outputs alone "
        f"(singular values: kept at most {kept}, broken at least {broken}): "
        f"{plural(made.kept, 'generator')} and their multiples"
    ]
    weak = sum(row.family.count for row in found.rows if row.verdict == EPS)
    if weak:
        lines.append(f"the {plural(weak, 'generator')} that eps breaks a little count as broken there")
    if not made.missed:
        return [Text(line) for line in (*lines, "the walk missed none of them")]
    lines.append(f"the walk missed {len(made.missed)} of them:")
    shown = made.missed if whole else made.missed[:ROWS]
    lines += [f"  {g.name}: {made.formula(g)}" for g in shown]
    lines += (
        [f"  and {len(made.missed) - ROWS} more: --verbose has all"] if len(shown) < len(made.missed) else []
    )
    return [Text(line) for line in lines]


def next_step(found: Finding) -> str:
    """One line: what to do with what was found."""
    if found.undecided:
        return "next, give it other inputs, or a smaller module of the same layers"
    if found.of(BROKEN):
        return (
            "next, look for detach(), torch.no_grad() or a backward() of its own where the broken row says: "
            "the outputs have this symmetry, and the gradient has not"
        )
    if found.of(UNKNOWN):
        return "next, give it more samples: a gradient must come to every channel that is to be decided"
    if found.discovered and found.discovered.missed:
        return "next, decide what should fix the directions that it missed: weight decay, or fewer parameters"
    if found.mode == EVAL:
        return "next, ask in training mode too: there normalisations have symmetries that eval mode breaks"
    if not found.families:
        return "next, compare with a network that has symmetries: noether symmetries batchnorm-mlp"
    return "next, see what training does along them: noether.watch(model, optimizer)"


def footing(found: Finding) -> str:
    """How much was looked at, and how long it took."""
    return f"{plural(len(found.rows), 'family', 'families')} checked, {found.seconds:.1f} s"


def summary(found: Finding) -> dict:
    """The result as plain data: what --json prints."""
    subject = found.subject
    return {
        "module": subject.name,
        "exit_code": found.exit_code,
        "verdict": verdict(found),
        "undecided": found.undecided,
        "parameters": {name: list(p.shape) for name, p in subject.trained.items()},
        "mode": found.mode,
        "loss": subject.loss,
        "counts": found.counts(),
        "families": [row.plain() for row in found.rows],
        "unknown_operations": list(found.unknown),
        "unmoved": list(found.unmoved),
        "unreached": list(found.unreached),
        "discovered": found.discovered.plain() if found.discovered else None,
        "notes": list(found.notes),
        "seconds": round(found.seconds, 3),
    }
