"""Probes of shapes, of how tensors lie in memory, and of their types."""

from __future__ import annotations

from collections.abc import Callable

import torch

from noether.campaigns.audit.course import Beginning, Course, Place, gradients, normal, same
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE, VIOLATED
from noether.campaigns.audit.probes.probe import Outcome, Probe, Stand, agree, halves, untold
from noether.campaigns.audit.subject import TargetError
from noether.system.outside import plural

SIZES = (1, 2, 3, 17, 257, 1023)
LARGE = 2**20 + 1
SHAPES = ((4, 6), (1, 5), (5, 1), (2, 3, 4), (2, 3, 4, 5))
NOT_SINGLE = "its elements do not move each by itself"


def sizes(stand: Stand) -> Outcome:
    """Tensors of 0 and 1 axes: each element moves as in a long one."""
    if not stand.elementwise:
        return untold(NOT_SINGLE)

    def experiment(begin: Beginning) -> list:
        start, pulls = normal([5, 0], max(SIZES)), gradients(5, max(SIZES))
        whole, single = begin([start]), begin([start[0].clone()])
        parts = {size: begin([start[:size]]) for size in SIZES[:-1]}
        pairs = []
        for g in pulls:
            whole.step([g])
            pairs.append((whole.place().at(0), single.step([g[0].clone()]).place()))
            pairs += [(whole.place().at(slice(n)), x.step([g[:n].clone()]).place()) for n, x in parts.items()]
        return pairs

    return agree(
        stand.subject,
        experiment,
        f"tensors without axes and of {', '.join(map(str, SIZES))} elements move alike",
        "an element moves otherwise in a tensor of another length",
        stand.wrong,
    )


def split(stand: Stand) -> Outcome:
    """One tensor in two pieces moves as the whole."""
    if not stand.elementwise:
        return untold(NOT_SINGLE)

    def experiment(begin: Beginning) -> list:
        return [pair for cut in (1, 5, 8) for pair in halves(begin, stand.ground, cut, "float32")]

    return agree(
        stand.subject,
        experiment,
        "one tensor in two pieces moves as the whole",
        "one tensor in two pieces moves otherwise than the whole",
        stand.wrong,
    )


def large(stand: Stand) -> Outcome:
    """A tensor of 2^20 + 1 elements: those at both ends and in the middle move as alone."""
    if not stand.elementwise:
        return untold(NOT_SINGLE)
    at = torch.tensor([0, 1, 2**16 - 1, 2**16, 2**19, LARGE - 3, LARGE - 2, LARGE - 1])
    start, pulls = normal([6, 0], LARGE), gradients(6, LARGE, steps=2)
    whole = Course(stand.subject, [start]).through([[g] for g in pulls]).place().real[at]
    few = Course(stand.subject, [start[at]], shadow=True).through([[g[at]] for g in pulls])
    if same(whole, few.place().real):
        return Outcome(HOLDS, f"elements of a tensor of {LARGE} move as alone, bit for bit", 0.0)
    error = few.place().error
    apart = abs(whole.double().numpy() - few.place().real.double().numpy())
    spent = float((apart[apart > 0] / (2 * error[apart > 0])).max())
    if few.shadow.told.unknown or few.shadow.told.left:
        return Outcome(INCONCLUSIVE, f"elements of a tensor of {LARGE} have other bits than alone")
    if spent <= 1:
        return Outcome(HOLDS, f"elements of a tensor of {LARGE} move as alone, within rounding", spent)
    return Outcome(stand.wrong, f"elements of a tensor of {LARGE} move otherwise than alone", spent)


def axes(stand: Stand) -> Outcome:
    """Tensors of more axes: whether each element moves as in one axis."""
    if not stand.elementwise:
        return untold(NOT_SINGLE)
    refused, other = [], []
    for shape in SHAPES:

        def experiment(begin: Beginning, shape=shape) -> list:
            start, pulls = normal([7, 0], *shape), gradients(7, *shape)
            shaped, flat = begin([start]), begin([start.reshape(-1)])
            return [(shaped.step([g]).place().laid(-1), flat.step([g.reshape(-1)]).place()) for g in pulls]

        try:
            if agree(stand.subject, experiment, "", "").verdict != HOLDS:
                other.append(list(shape))
        except TargetError:
            refused.append(list(shape))
    if other:
        return Outcome(OUTSIDE, f"its rule looks at shapes: tensors {other} do not move as their elements")
    if refused:
        return Outcome(OUTSIDE, f"tensors {refused} are refused")
    return Outcome(HOLDS, f"elements of tensors {[list(x) for x in SHAPES]} move as in one axis")


def transposed(x: torch.Tensor) -> torch.Tensor:
    """The same numbers with the last two axes the other way round in memory."""
    return x.transpose(-1, -2).contiguous().transpose(-1, -2)


def every_second(x: torch.Tensor) -> torch.Tensor:
    """The same numbers, every second one in memory."""
    room = torch.zeros((*x.shape, 2), dtype=x.dtype)
    room[..., 0] = x
    return room[..., 0]


def channels_last(x: torch.Tensor) -> torch.Tensor:
    """The same numbers with the second of four axes last in memory."""
    return x.contiguous(memory_format=torch.channels_last)


def part_of_more(x: torch.Tensor) -> torch.Tensor:
    """The same numbers as a view into the middle of a longer storage."""
    room = torch.zeros(x.numel() + 5, dtype=x.dtype)
    room[3 : 3 + x.numel()] = x.reshape(-1)
    return room[3 : 3 + x.numel()].view(x.shape)


def as_it_is(x: torch.Tensor) -> torch.Tensor:
    """A tensor as it is."""
    return x


SPACED = "a tensor that takes every second number of its storage"
LAYOUTS: tuple[tuple[str, tuple[int, ...], Callable, Callable], ...] = (
    ("a transposed tensor", (4, 6), transposed, transposed),
    (SPACED, (16,), every_second, as_it_is),
    (SPACED, (4, 6), every_second, every_second),
    ("a tensor with its channels last", (2, 3, 4, 5), channels_last, channels_last),
    ("a tensor that is a part of a longer storage", (4, 6), part_of_more, as_it_is),
    ("a contiguous parameter with a transposed gradient", (4, 6), as_it_is, transposed),
)
"""What a layout is called, the shape, and how the parameter and its gradient are laid."""


def layouts(stand: Stand) -> Outcome:
    """How a tensor and its gradient lie in memory does not change how it moves."""
    if stand.ground.sparse:
        return untold("it takes sparse gradients only")
    refused, done, wrong, worst = [], [], [], 0.0
    for name, shape, laid, laid_gradient in LAYOUTS:

        def experiment(begin: Beginning, shape=shape, laid=laid, laid_gradient=laid_gradient) -> list:
            plain = begin([normal([8, 0], *shape)])
            other = begin([laid(normal([8, 0], *shape))], keep=True)
            pulls = gradients(8, *shape)
            return [(plain.step([g]).place(), other.step([laid_gradient(g)]).place()) for g in pulls]

        try:
            found = agree(stand.subject, experiment, "", "")
        except TargetError as error:
            refused.append(f"{name} ({error})")
            continue
        if found.verdict == INCONCLUSIVE:
            return found
        (done if found.verdict == HOLDS else wrong).append(name)
        worst = max(worst, found.spent)
    if wrong:
        said = list(dict.fromkeys(wrong))
        moves = "moves" if len(said) == 1 else "move"
        count = f"{plural(len(said), 'layout')} in memory {moves} otherwise than a contiguous tensor"
        return Outcome(VIOLATED, f"{count}: {'; '.join(said)}", worst)
    if not done:
        return untold(f"refused: {refused[0]}")
    said = f"these layouts in memory move as a contiguous tensor: {'; '.join(dict.fromkeys(done))}"
    return Outcome(HOLDS, said + (f"; refused: {', '.join(refused)}" if refused else ""), worst)


def one_storage(stand: Stand) -> Outcome:
    """Two parameters that are views of one storage do not touch each other."""
    if stand.ground.sparse:
        return untold("it takes sparse gradients only")
    size = normal(0, *stand.ground.shape).numel()

    def experiment(begin: Beginning) -> list:
        room = normal([9, 0], 2 * size + 3)
        views = [room[:size].view(stand.ground.shape), room[size : 2 * size].view(stand.ground.shape)]
        plain, other = begin([x.clone() for x in views]), begin(views, keep=True)
        pairs = []
        for row in zip(gradients(9, *stand.ground.shape), gradients(10, *stand.ground.shape), strict=True):
            plain.step(row)
            other.step(row)
            pairs += zip(plain.places(), other.places(), strict=True)
        rest = Place(room[2 * size :].clone())
        begun = Place(normal([9, 0], 2 * size + 3)[2 * size :])
        return pairs if begin.shadow else [*pairs, (rest, begun)]

    return agree(
        stand.subject,
        experiment,
        "views of one storage move as tensors of their own",
        "views of one storage move otherwise than tensors of their own",
    )


def empty(stand: Stand) -> Outcome:
    """A tensor without elements does no harm to another one."""
    if not stand.ground.plain:
        return untold(stand.ground.why)

    def experiment(begin: Beginning) -> list:
        start, none = stand.ground.start(), torch.zeros(0)
        both, alone = begin([none, start]), begin([start])
        return [(both.step([none, g]).place(1), alone.step([g]).place()) for g in stand.ground.pulls()]

    return agree(
        stand.subject,
        experiment,
        "a tensor without elements does no harm to another one",
        "a tensor moves otherwise when one without elements is in the same optimizer",
        stand.wrong,
    )


def complexes(stand: Stand) -> Outcome:
    """Complex parameters move as pairs of real ones, where they are taken."""
    if not stand.elementwise:
        return untold(NOT_SINGLE)
    pairs, pulls = normal([11, 0], 7, 2), gradients(11, 7, 2)
    real = Course(stand.subject, [pairs.reshape(-1)])
    complex_ = Course(stand.subject, [torch.view_as_complex(pairs.clone())])
    for g in pulls:
        real.step([g.reshape(-1)])
        complex_.step([torch.view_as_complex(g)])
    there = torch.view_as_real(complex_.place().real).reshape(-1)
    if same(real.place().real, there):
        return Outcome(HOLDS, "complex parameters move as pairs of real ones, bit for bit", 0.0)
    return Outcome(OUTSIDE, "complex parameters are taken, and do not move as pairs of real ones")


def mixed(stand: Stand) -> Outcome:
    """Tensors of three types in one optimizer move as each alone."""
    if not stand.alone:
        return untold("a tensor moves otherwise beside another one: its rule looks at all of them")

    def experiment(begin: Beginning) -> list:
        types = ("float64", "bfloat16", "float32")
        starts = [stand.ground.start(i, dtype=x) for i, x in enumerate(types)]
        pulls = zip(*(stand.ground.pulls(i, dtype=x) for i, x in enumerate(types)), strict=True)
        both, alone = begin(starts), [begin([x]) for x in starts]
        found = []
        for row in pulls:
            both.step(row)
            for i in range(3):
                there = alone[i].step([row[i]]).place()
                # The bound is that of the tensor alone: a narrower type beside it is no excuse.
                found.append((Place(both.place(i).real, there.error), there))
        return found

    return agree(
        stand.subject,
        experiment,
        "tensors of float64, bfloat16 and float32 in one optimizer move as each alone",
        "a tensor moves otherwise beside tensors of other types",
        stand.wrong,
    )


PROBES = (
    Probe("sizes", "errors at the ends of vectors and blocks", "lengths above 1023", sizes),
    Probe("one tensor in two", "state or counts that depend on how parameters are cut", "other cuts", split),
    Probe(f"{LARGE} elements", "blocks that are left out", "elements that are not looked at", large),
    Probe("axes", "tensors of several axes that are treated otherwise", "why they are", axes),
    Probe(
        "layouts in memory",
        "steps that take numbers in the order of memory, and reach beside them",
        "tensors whose elements overlap, which torch refuses",
        layouts,
    ),
    Probe("views of one storage", "steps that reach beyond a view", "views that overlap", one_storage),
    Probe("an empty tensor", "a mean or a norm over nothing", "optimizers of empty tensors only", empty),
    Probe("complex parameters", "imaginary parts left out", "rules of complex numbers", complexes),
    Probe("mixed types", "a type that is taken from the first tensor", "types on other devices", mixed),
)
"""In the order in which they are told."""
