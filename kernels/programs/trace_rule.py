"""Tracing a learning rule: from its lines to the program of a step, which the Triton kernel calls.

The inputs of a step's program are the stored state q[i], v[i], the gradient g[i], and p[i]: the numbers of
Rule.inputs in order, then the entries of a metric. All buffers are one vector v, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace

from noether.cases.rule import Rule
from noether.kernels.programs.namespaces import is_number, plain
from noether.kernels.programs.operations import FUNCTIONS, IN_A_RULE, STORES
from noether.kernels.programs.program import Op, Program
from noether.kernels.programs.tape import Tape, TraceError, pruned
from noether.kernels.programs.trace import Node


class Step(Node):
    """A traced number of a rule."""

    __slots__ = ()
    BRANCH = (
        "a rule that branches on its numbers (if, max, min, abs, a comparison) cannot be traced: write it "
        "with xp.step, xp.sign, xp.absolute or xp.maximum"
    )


def call(name: str):
    """A function of the namespace xp of a traced rule."""
    row = IN_A_RULE[name]

    def function(*args):
        if all(is_number(x) for x in args):
            return plain(name, *args) if name in FUNCTIONS else row.plain(*map(float, args))
        one = next(x for x in args if isinstance(x, Step))
        return one.enter(row.name, *(one.lift(x) for x in args))

    return function


TRACED = SimpleNamespace(**{name: call(name) for name in IN_A_RULE})
"""The namespace xp under which a rule is traced."""


class Inputs:
    """The inputs of a step on a tape, by their letters, with as many as each has.

    count  how many parameters q has;  tape  where they stand
    """

    def __init__(self, rule: Rule, d: int, letters: str = "qvgp"):
        self.rule, self.d, self.tape = rule, d, Tape()
        sizes = {"q": d, "v": d * len(rule.buffers), "g": d, "w": d * len(rule.buffers), "x": d}
        sizes["p"] = len(rule.inputs) + (d if rule.on_metric else 0)
        self.names = tuple(f"{letter}[{i}]" for letter in letters for i in range(sizes[letter]))
        self.at = {name: i for i, name in enumerate(self.names)}
        self.size = sizes

    def vector(self, letter: str) -> list[Step]:
        """The numbers of one letter."""
        return [Step.input(self.tape, self.at[f"{letter}[{i}]"]) for i in range(self.size[letter])]

    def buffers(self, letter: str = "v") -> list[list[Step]]:
        """The buffers, each a list of d numbers."""
        return split(self.vector(letter), self.d)

    def parameters(self) -> SimpleNamespace:
        return self.rule.named(self.vector("p"))

    def program(self, outputs: list) -> Program:
        """The part of the tape that these outputs need. Raises TraceError for one that is no number."""
        one = self.vector("q")[0]
        return pruned(self.d, self.tape, [one.lift(x).at for x in outputs], self.names)


def split(values: list, d: int) -> list[list]:
    """A vector of all buffers as a list of buffers of d numbers."""
    return [list(values[i : i + d]) for i in range(0, len(values), d)]


def run(rule: Rule, here: Inputs, xp) -> tuple[list, list]:
    """q' and the new buffers of a traced step. Raises TraceError where their number is not that of the
    rule."""
    q, new = rule.update(here.vector("q"), here.buffers(), here.vector("g"), here.parameters(), xp)
    if len(q) != here.d or [len(x) for x in new] != [here.d] * len(rule.buffers):
        raise TraceError(
            f"rule {rule.name} gives {len(q)} parameters and buffers of {[len(x) for x in new]}: must give "
            f"{here.d}, and {len(rule.buffers)} buffers of {here.d}"
        )
    return list(q), [x for buffer in new for x in buffer]


@dataclass(frozen=True)
class Apart:
    """What a kernel needs of a rule for d parameters: its names, and the programs of its lines. It goes to a
    process that cannot import the file of the rule."""

    name: str
    buffers: tuple[str, ...]
    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    on_metric: bool
    screened: bool
    update: Program
    place: Program | None

    @classmethod
    def of(cls, rule: Rule, d: int) -> Apart:
        """That of a rule. Raises TraceError."""
        names = (rule.name, rule.buffers, rule.parameters, rule.inputs, rule.on_metric, rule.screened)
        return cls(*names, update_program(rule, d), place_program(rule, d))

    def index(self, name: str) -> int:
        """The position of an input by its name."""
        return self.inputs.index(name)


@cache
def update_program(rule: Rule | Apart, d: int) -> Program:
    """The program of a step of d parameters: q', then the new buffers. Raises TraceError."""
    if isinstance(rule, Apart):
        return rule.update
    here = Inputs(rule, d)
    q, new = run(rule, here, TRACED)
    stored(rule, here, "q", q, STORES[0])
    stored(rule, here, "buffers", new, STORES[1])
    return here.program([*q, *new])


def stored(rule: Rule, here: Inputs, word: str, values: list, store: str) -> None:
    """Raise TraceError unless each of these numbers is what a store gives."""
    for i, x in enumerate(values):
        if not isinstance(x, Step) or x.op.name != store:
            raise TraceError(
                f"rule {rule.name} returns {word}'[{i}] as it was computed: must be xp.{store} of a number, "
                "the only place where it is rounded to its stored type"
            )


@cache
def buffers_program(rule: Rule, d: int) -> Program:
    """The program of the new buffers alone."""
    here = Inputs(rule, d)
    return here.program(run(rule, here, TRACED)[1])


@cache
def position_program(rule: Rule, d: int) -> Program:
    """The program of q' from the new buffers w[i] as they are stored, beside the inputs of a step."""
    return reading_stores(rule, d, tuple(range(d * len(rule.buffers))), tuple(range(d)))


def reading_stores(rule: Rule, d: int, rows: tuple[int, ...], outputs: tuple[int, ...]) -> Program:
    """The program of some outputs of a step, by their positions in update_program.

    Wherever the lines of the rule read a number that they have stored in one of these rows of the buffers,
    this reads w.
    """
    here = Inputs(rule, d, "qvgwp")
    whole = update_program(rule, d)
    places = here.vector("w")
    given = {whole.outputs[d + i]: places[i] for i in rows}
    values: list = []
    for at, op in enumerate(whole.ops):
        if at in given:
            values.append(given[at])
        elif op.name == "input":
            values.append(Step.input(here.tape, here.at[whole.inputs[op.value]]))
        elif op.name == "const":
            values.append(places[0].number(op.value))
        else:
            args = [values[a] for a in op.args]
            values.append(args[0].enter(op.name, *args))
    return here.program([values[whole.outputs[o]] for o in outputs])


def rows_of(buffers, d: int) -> list[int]:
    """The rows of some buffers, by their positions, in the vector of all of them."""
    return [d * i + j for i in buffers for j in range(d)]


@cache
def iterated_programs(rule: Rule, d: int) -> tuple[Program, Program, Program]:
    """The programs of the three parts of a step that iterates: the first matrix from the new buffers w, the
    next one from the numbers x of one, and q' from the last one."""
    part, outputs = rule.iteration, []
    for letters, numbers in (
        (
            "qgwp",
            lambda here, p: part.start(here.vector("q"), here.buffers("w"), here.vector("g"), p, TRACED),
        ),
        ("qx", lambda here, p: part.once(here.vector("x"))),
        ("qxp", lambda here, p: map(TRACED.store, part.finish(here.vector("q"), here.vector("x"), p))),
    ):
        here = Inputs(rule, d, letters)
        outputs.append(here.program(list(numbers(here, here.parameters() if "p" in letters else None))))
    return tuple(outputs)


@cache
def place_program(rule: Rule | Apart, d: int) -> Program | None:
    """The program of the parameters at which the gradient is taken, where a rule stores others."""
    if isinstance(rule, Apart):
        return rule.place
    if rule.place is None:
        return None
    tape = Tape()
    names = tuple(f"q[{i}]" for i in range(d))
    values = rule.place([Step.input(tape, i) for i in range(d)], TRACED)
    return pruned(d, tape, [x.at for x in values], names)


def whole_program(rule: Rule, gradient: Program, metric: Program | None = None) -> Program:
    """The program of a whole step, gradient and metric in it: q' and the new buffers of q, v and the numbers
    of Rule.inputs. What is added up across these parts is one sum of it, as a compiler sees it."""
    d = gradient.dim
    counts = {"q": d, "v": d * len(rule.buffers)}
    names = (*(f"{letter}[{i}]" for letter, n in counts.items() for i in range(n)), *rule.inputs)
    ops = [Op("input", value=i) for i in range(len(names))]
    at = {name: i for i, name in enumerate(names)}
    q = [at[f"q[{i}]"] for i in range(d)]
    place = place_program(rule, d)
    where = inlined(ops, place, q) if place else q
    g = inlined(ops, gradient, [*where, at["eps"]])
    G = inlined(ops, metric, [*q, at["kappa"]]) if metric else []
    given = [*q, *(at[f"v[{i}]"] for i in range(counts["v"])), *g]
    given += [*(at[name] for name in rule.inputs), *G]
    outputs = inlined(ops, update_program(rule, d), given)
    return Program(d, tuple(ops), tuple(outputs), names)


def inlined(ops: list[Op], program: Program, inputs: list[int]) -> list[int]:
    """Append the operations of a program, its inputs being those at `inputs`; where its outputs are then."""
    place: list[int] = []
    for op in program.ops:
        if op.name == "input":
            place.append(inputs[op.value])
        else:
            ops.append(replace(op, args=tuple(place[a] for a in op.args)))
            place.append(len(ops) - 1)
    return [place[o] for o in program.outputs]
