"""The remarks of a watch, in words: from what was read of its optimizers, networks and schedulers."""

from __future__ import annotations

from collections.abc import Iterator

from noether.campaigns.watch import observed
from noether.campaigns.watch.remarks import Remark, listed
from noether.campaigns.watch.seat import Seat
from noether.networks.families import SCALE
from noether.system.outside import plural

FEWEST = 3  # samples in which the same rows have no slope


def remarks(watcher) -> list[Remark]:
    """All of them: odd ones first, each by the step it was first seen in."""
    found = [*of_outsiders(watcher)]
    for seat in watcher.seats:
        for part in (gradients, held, written, rates, schedules, clipped, rows, decays):
            found += part(seat)
        found += strangers(watcher, seat)
    return sorted(found, key=lambda x: (not x.odd, x.step or 0))


def of_outsiders(watcher) -> Iterator[Remark]:
    """Parameters that no optimizer holds."""
    loose, hidden = (watcher.outsiders.still(x) for x in (False, True))
    if loose:
        names = listed(x.name for x in loose)
        said = f"no optimizer holds {names}: a gradient is formed, and the numbers stay as they are"
        do = "give them to the optimizer, or call requires_grad_(False)"
        yield Remark(min(x.step for x in loose), names, f"{said}; {do}", odd=True)
    if hidden:
        names = listed(x.name for x in hidden)
        said = f"{names} are in a plain list or dict, where parameters() does not find them: they do not move"
        do = "use torch.nn.ModuleList, ModuleDict or ParameterList"
        yield Remark(min(x.step for x in hidden), names, f"{said}; {do}", odd=True)


def strangers(watcher, seat: Seat) -> Iterator[Remark]:
    """Parameters of an optimizer that are of no network."""
    known = {id(p) for net in watcher.nets for p in net.inner.parameters()}
    without = seat.facts.without or ()
    found = [
        name for name, p in seat.names.items() if name in without and p.requires_grad and id(p) not in known
    ]
    if watcher.nets and found:
        said = f"{seat.word} holds {listed(found)}: each is no parameter of the network and had no gradient"
        yield Remark(
            None, seat.word, f"{said}; make the optimizer when the network is as it will be", odd=True
        )


def gradients(seat: Seat) -> Iterator[Remark]:
    """What was wrong with whole gradients."""
    of = seat.observer.diary.of
    if x := of(observed.NONE):
        said = (
            f"{seat.word} was given no gradient although the loss has one: it was taken away before the step"
        )
        yield Remark(
            x.first, seat.word, f"{said}; call zero_grad() after step() or before backward()", odd=True
        )
    if x := of(observed.ZERO):
        said = f"{seat.word} was given a gradient of 0 although the loss has another: it was filled with 0"
        yield Remark(
            x.first, seat.word, f"{said}; call zero_grad() after step() or before backward()", odd=True
        )
    if x := of(observed.STALE):
        said = f"the gradient of the step before was still there when backward() began, in {x.times} samples"
        yield Remark(x.first, seat.word, f"{said}: they add up; call {seat.word}'s zero_grad()", odd=True)
    if x := of(observed.EVALUATED):
        said = f"the network is in evaluation mode in {x.times} of {len(seat.facts.sampled)} samples"
        more = (
            f"{listed(x.names)} do not do what they do in training, and running statistics stay as they are"
        )
        yield Remark(x.first, listed(x.names), f"{said}: {more}; call train() before the next step", odd=True)


def held(seat: Seat) -> Iterator[Remark]:
    """What becomes of the parameters that the optimizer holds."""
    of, without = seat.observer.diary.of, seat.facts.without or set()
    if x := of(observed.FROZEN):
        steps, names = len(seat.facts.sampled), listed(x.names)
        some = f" in {x.times} of {steps} samples" if x.times < steps else ": it is not trained"
        yield Remark(x.first, names, f"{names} does not require a gradient{some}")
    frozen = set(x.names) if (x := of(observed.FROZEN)) else set()
    mine = {name for net in seat.nets for name in shown(net)}  # of others strangers() tells
    left = [name for name in seat.names if name in without - frozen and (name in mine or not seat.nets)]
    if left:
        yield Remark(None, listed(left), f"no gradient in any step that was looked at: {listed(left)}")
    yield from still(seat)


def shown(net) -> list[str]:
    """The names of the parameters of a network, as they are told."""
    return [net.prefix + name for name, _ in net.inner.named_parameters()]


def still(seat: Seat) -> Iterator[Remark]:
    """Parameters most of whose numbers stand still although the rule moves them. Where rounding is all of a
    gradient, as of a bias before a normalisation, that is nothing."""
    facts = seat.facts
    real = lambda name: facts.rounding.get(name, 0.0) < 1
    found = {name: course for name, course in facts.still.items() if course[-1][1] >= 0.5 and real(name)}
    if not found:
        return
    top = max(found, key=lambda name: found[name][-1][1])
    first = min(next(step for step, share in course if share >= 0.5) for course in found.values())
    others = f", and most of {listed(x for x in found if x != top)}" if len(found) > 1 else ""
    share = f"{100 * found[top][-1][1]:.3g} % of the numbers"
    said = f"{share} of {top}{others} stand still although the rule moves them"
    why = "the step is less than half a unit in their last place; keep them in a wider type beside"
    yield Remark(first, listed(found), f"{said}: {why}", odd=True)


def written(seat: Seat) -> Iterator[Remark]:
    """What somebody else than the optimizer wrote."""
    of = seat.observer.diary.of
    if x := of(observed.WRITTEN):
        said = (
            f"{listed(x.names)} was written to between the network's call and the step, in {x.times} samples"
        )
        more = "the gradient is that of other numbers, as methods that look ahead mean it"
        yield Remark(x.first, listed(x.names), f"{said}: {more}")
    if x := of(observed.CHANGED):
        said = f"{listed(x.names)} was changed between steps by something else than its optimizer"
        yield Remark(
            x.first, listed(x.names), f"{said}, in {x.times} cases, as by clipping or averaging weights"
        )
    if x := of(observed.CAST):
        said = f"{listed(x.names)} became {x.data['now']} and was {x.data['was']}"
        more = f"what {seat.word} keeps of them stays as it was; cast first, then make the optimizer"
        yield Remark(x.first, listed(x.names), f"{said}: {more}", odd=True)
    if x := of(observed.NARROW):
        where = f"{listed(x.names)} in {x.data['own']}"
        said = f"{seat.word} keeps {x.data['word']} in {x.data['kept']}, and {where}"
        yield Remark(x.first, listed(x.names), said)


def rates(seat: Seat) -> Iterator[Remark]:
    """Groups whose rate is 0 at every step."""
    for n, group in enumerate(seat.optimizer.param_groups):
        if seat.observer.rates.get(n) == {0.0}:
            names = listed(seat.of.get(id(p), "?") for p in group["params"])
            yield Remark(
                None,
                names,
                f"lr is 0 in every step in group {n}, of {names}: no gradient moves them",
                odd=True,
            )


def schedules(seat: Seat) -> Iterator[Remark]:
    """How often schedulers were stepped."""
    found = seat.observer.schedules
    for name in found.never:
        lr = ", ".join(f"{x:g}" for x in sorted(set().union(*seat.observer.rates.values())))
        yield Remark(
            None, seat.word, f"{name} was never stepped in these {seat.number - 1} steps: lr stays {lr}"
        )
    steady = len(found.jumps) >= seat.number - 2
    for name in dict.fromkeys(x[1] for x in found.jumps):
        step, _, times = next(x for x in found.jumps if x[1] == name)
        count = sum(x[1] == name for x in found.jumps)
        said = f"{name} was stepped {times} times between steps {step - 1} and {step}"
        if steady:
            yield Remark(step, seat.word, f"{said}, as between all others")
        else:
            said += f", and in {count} places in all, with no call of the network between"
            yield Remark(step, seat.word, f"{said}; step it by batch or by epoch, not both", odd=True)


def clipped(seat: Seat) -> Iterator[Remark]:
    """Whether all gradients were clipped to one norm."""
    found = seat.observer.clipping
    if found.to is None:
        return
    said = f"the gradient was clipped to the norm {found.to[0]:.4g} in every sample"
    if found.of_scaled is None:
        yield Remark(None, seat.word, said)
        return
    scale, short = found.of_scaled
    more = f"that is {short:g} divided by the scale of the loss, {scale:g}, so it was clipped before unscale_"
    yield Remark(
        None, seat.word, f"{said}: {more}; call scaler.unscale_(optimizer) before clipping", odd=True
    )


def rows(seat: Seat) -> Iterator[Remark]:
    """Rows of outputs that never mattered."""
    for (call, output), (zero, times) in seat.observer.rows.items():
        if times < FEWEST or not zero.any():
            continue
        which = f"output {output} of call {call + 1} in a step" if call or output else "the network's output"
        places = spans(zero.nonzero().flatten().tolist())
        said = f"the loss did not depend on {places} of {len(zero)} of {which}"
        yield Remark(None, which, f"{said}: the slope there was exactly 0 in all {times} samples")


def spans(places: list[int]) -> str:
    """rows 0 to 3, 7."""
    found: list[list[int]] = []
    for n in places:
        if found and found[-1][1] == n - 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    told = [f"{a} to {b}" if b > a else f"{a}" for a, b in found]
    return ("rows " if len(places) > 1 else "row ") + listed(told)


def decays(seat: Seat) -> Iterator[Remark]:
    """Which parameters decay."""
    kinds: dict[float, list[str]] = {}
    for name, group in seat.groups().items():
        kinds.setdefault(float(group.get("weight_decay") or 0.0), []).append(name)
    if set(kinds) == {0.0}:
        return
    scaled = {x for net in seat.nets for f in net.shown if f.kind == SCALE for x in f.parameters}
    told = []
    for decay in sorted(kinds, reverse=True):
        matrices = [name for name in kinds[decay] if seat.names[name].ndim > 1]
        parts = [f"{len(matrices)} {'matrix' if len(matrices) == 1 else 'matrices'}"] if matrices else []
        if free := sum(name in scaled for name in matrices):
            parts[0] += f", {free} of them of a length that the loss does not know"
        if others := len(kinds[decay]) - len(matrices):
            parts.append(plural(others, "vector"))
        told.append(f"{decay:g} on {' and '.join(parts)}")
    yield Remark(None, seat.word, f"weight decay {'; '.join(told)}")
