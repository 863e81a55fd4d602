"""What is found of a module: the families that a walk proposes, each checked, and what they leave out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from noether.campaigns.discovery.module import Discovered, discovered
from noether.campaigns.symmetries.judged import Judged, judged
from noether.campaigns.symmetries.subject import Subject
from noether.networks.check import BROKEN, EPS, KEPT, UNKNOWN, walked
from noether.networks.families import KINDS, Family
from noether.networks.twin import Call, NoTwin, outputs, own_gradients, run, twin
from noether.verdicts import exit_codes

TRAINING, EVAL, MIXED = "in training mode", "in eval mode", "in training mode in part"


@dataclass(frozen=True, eq=False)
class Row:
    """One family: what a check found, and in eval mode once more; None where modes make no difference."""

    judged: Judged
    in_eval: Judged | None = None

    @property
    def family(self) -> Family:
        return self.judged.checked.family

    @property
    def verdict(self) -> str:
        return self.judged.verdict

    @property
    def is_kept(self) -> bool:
        """Whether it is a symmetry, but for eps at most."""
        return self.verdict in (KEPT, EPS)

    @property
    def seen(self) -> int:
        """How many of its generators move something on which a gradient comes; of others nothing is known."""
        return int((self.judged.checked.size > 0).sum())

    def plain(self) -> dict:
        """The row as plain data for --json."""
        family, one = self.family, self.judged
        told = {"kind": family.kind, "count": family.count, "moves": family.words, "at": family.why}
        told |= {"of_loss": family.of_loss, "verdict": one.verdict, "change": one.change}
        told |= {"less_eps": one.less_eps, "spent": one.spent, "seen": self.seen}
        told["eps"] = [{"module": x.module, "eps": x.eps} for x in family.breaks]
        told["parameters"] = list(family.parameters)
        if self.in_eval is not None:
            told["in_eval"] = {"verdict": self.in_eval.verdict, "change": self.in_eval.change}
        return told


@dataclass(frozen=True, eq=False)
class Finding:
    """What was found.

    rows        one a family, scales and rescales first
    mode        in which mode the modules were; has_modes  whether that changes the outputs
    unknown     operations that the walk did not know: it proposes nothing that leads through them
    unmoved     trained parameters that no family moves
    unreached   trained parameters that no gradient reaches on these inputs: nothing is said of them
    not_of_loss generators that a softmax in the loss would have, and this loss has not
    discovered  all affine symmetries, where they were asked for
    undecided   why nothing can be said, or ''
    """

    subject: Subject
    rows: tuple[Row, ...] = ()
    mode: str = TRAINING
    has_modes: bool = False
    unknown: tuple[str, ...] = ()
    unmoved: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    not_of_loss: int = 0
    discovered: Discovered | None = None
    undecided: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def families(self) -> tuple[Family, ...]:
        """Those that are symmetries, but for eps at most."""
        return tuple(row.family for row in self.rows if row.is_kept)

    def counts(self) -> dict[str, int]:
        """Kind -> how many generators are symmetries, in the order of the kinds."""
        total = Counter()
        for family in self.families:
            total[family.kind] += family.count
        return {kind: total[kind] for kind in KINDS if total[kind]}

    def of(self, verdict: str) -> list[Row]:
        return [row for row in self.rows if row.verdict == verdict]

    @property
    def exit_code(self) -> int:
        """0 where everything is decided, else 3."""
        open_ones = self.undecided or self.of(UNKNOWN) or (self.discovered and self.discovered.undecided)
        return exit_codes.of(undecided=bool(open_ones))


def find(
    subject: Subject,
    *,
    discover: bool = False,
    seed: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> Finding:
    """The symmetries of a module.

    discover  also look for all affine ones, by brute force: for modules of few parameters
    tell      called with what is being done

    Raises UsageError where the module is too large for `discover`.
    """
    started = time.monotonic()
    mode = mode_of(subject.call)
    try:
        tell("walking through it")
        made = examined(subject, mode)
    except NoTwin as error:
        return Finding(subject, mode=mode, undecided=str(error), seconds=time.monotonic() - started)
    if discover:
        tell("looking for all affine symmetries")
        exact, nearly = (
            [row.family for row in made.of(verdict) if not row.family.of_loss] for verdict in (KEPT, EPS)
        )
        made = replace(made, discovered=discovered(subject.model, subject.call, exact, nearly, seed))
    return replace(made, seconds=time.monotonic() - started)


def examined(subject: Subject, mode: str) -> Finding:
    """The families, checked in both modes. Raises NoTwin."""
    model, call = subject.model, subject.call
    families, unknown = walked(model, call)
    gradients = own_gradients(model, [call])
    unreached = tuple(name for name in subject.trained if not bool(gradients[name].any()))
    families = [f for f in families if not set(f.parameters) <= set(unreached)]
    if not subject.has_loss:
        families = [f for f in families if not f.of_loss]
    results = judged(model, call, families)
    refused = [x for x in results if x.checked.family.of_loss and x.verdict == BROKEN]
    results = [x for x in results if x not in refused]
    has_modes, notes, other = in_eval(subject, mode, [x.checked.family for x in results])
    rows = tuple(Row(x, y) for x, y in zip(results, other, strict=True))
    moved = {name for row in rows if row.is_kept for name in row.family.parameters}
    unmoved = tuple(name for name in subject.trained if name not in moved and name not in unreached)
    lost = sum(x.checked.family.count for x in refused)
    return Finding(
        subject, rows, mode, has_modes, tuple(sorted(unknown)), unmoved, unreached, lost,
        notes=(*subject.notes, *notes),
    )  # fmt: skip


def mode_of(call: Call) -> str:
    """In which mode the modules are."""
    modes = set(call.training.values())
    return MIXED if len(modes) > 1 else TRAINING if True in modes else EVAL


def in_eval(subject: Subject, mode: str, families: list[Family]) -> tuple[bool, list[str], list]:
    """Whether eval mode changes the outputs, notes, and the families checked in it, or None for each."""
    if mode == EVAL:
        return False, [], [None] * len(families)
    model, call = subject.model, subject.call
    still = replace(call, training=dict.fromkeys(call.training, False))
    try:
        with torch.no_grad():
            pairs = zip(*(outputs(run(twin(model, None), x, None)) for x in (call, still)), strict=True)
        if all(torch.equal(a, b) for a, b in pairs):
            return False, [], [None] * len(families)
        return True, [], judged(model, still, families)
    except (NoTwin, ValueError) as error:  # it may give other outputs there
        return True, [f"in eval mode nothing could be checked: {error}"], [None] * len(families)
