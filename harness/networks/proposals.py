"""Families of generators that the walk through a network proposes; each is checked before it is used.

Solutions of the equations between exponents are scales, where every number that moves grows, and rescales.
Channels that are read by one sum and pass through nothing but linear maps may be mixed as well: then the
family is GL. Biases before a mean is subtracted, of keys, and of outputs before a softmax, may be moved.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import torch
from scipy import sparse

from noether.networks.exponents import Solution, distinct
from noether.networks.families import GL, RESCALE, SCALE, TRANSLATION, Break, Family, Part
from noether.networks.walk import Walk

Entries = list[tuple[str, float, np.ndarray]]
"""Of one solution: parameter, exponent, and flat places of the numbers that have it."""


def proposed(walk: Walk) -> list[Family]:
    """All families, scales and rescales first."""
    solution = walk.equations.solve()
    moved = solution.of_parameters()
    bends = bent_classes(walk, solution)
    table = {int(f): entries(walk, moved, f) for f in np.flatnonzero(np.diff(moved.indptr))}
    found: list[Family] = []
    for group in alike(walk, solution, table, bends).values():
        parts = parts_of([table[f] for f in group])
        mixed = [] if set(group) & bends else linear_maps(walk, solution, parts, group)
        found += mixed or [diagonal(walk, solution, parts, group)]
    return found + translations(walk)


def alike(walk: Walk, solution: Solution, table: dict[int, Entries], bends: set[int]) -> dict:
    """Solutions of one form: of the same numbers of the same parameters, read by the same sums."""
    reads = readers(walk, solution)
    groups: dict[tuple, list[int]] = defaultdict(list)
    for f, own in table.items():
        form = tuple((name, power, len(at)) for name, power, at in own)
        groups[form, tuple(sorted(reads.get(f, ()))), f in bends].append(f)
    joined: dict[tuple, list[list[int]]] = {}
    for (form, sums, is_bent), members in groups.items():
        if is_bent:  # what is never mixed needs no one sum
            joined.setdefault((form, True), [[]])[0].extend(members)
        else:
            joined[(form, sums)] = [members]
    return {key: sorted(members) for key, lists in joined.items() for members in lists}


def entries(walk: Walk, moved: sparse.csc_matrix, f: int) -> Entries:
    """What one solution moves, in the order of parameters and exponents."""
    inside = slice(moved.indptr[f], moved.indptr[f + 1])
    rows, values = moved.indices[inside], moved.data[inside]
    names, starts = list(walk.starts), np.array(list(walk.starts.values())) - walk.equations.first
    homes = np.searchsorted(starts, rows, side="right") - 1
    order = np.lexsort((rows, values, homes))
    rows, values, homes = rows[order], values[order], homes[order]
    cuts = np.flatnonzero((np.diff(homes) != 0) | (np.diff(values) != 0)) + 1
    return [
        (names[homes[i]], float(values[i]), rows[i:j].astype(np.int64) - starts[homes[i]])
        for i, j in zip([0, *cuts], [*cuts, len(rows)], strict=True)
    ]


def readers(walk: Walk, solution: Solution) -> dict[int, set[tuple]]:
    """Free class -> the sums that read it and the maps that it goes through, each by a number and the sign
    with which it is read."""
    found: dict[int, set] = defaultdict(set)
    for what, sets in (("sum", walk.together), ("map", walk.maps)):
        seen: dict[bytes, int] = {}
        for row in sets.values():
            classes = solution.label[row[row >= 0]]
            if len(set(classes.tolist())) < 2:  # over places, of one channel
                continue
            number = seen.setdefault(classes.tobytes(), len(seen))
            powers = solution.of_variables(row[row >= 0]).tocoo()
            for f, x in zip(powers.col.tolist(), powers.data.tolist(), strict=True):
                found[f].add((what, number, x))
    return found


def bent_classes(walk: Walk, solution: Solution) -> set[int]:
    """Free classes of which something passes through more than linear maps."""
    if not walk.bends:
        return set()
    powers = solution.of_variables(np.unique(np.concatenate(walk.bends))).tocoo()
    normed = [n.variables[n.variables >= 0] for n in walk.norms]
    more = solution.of_variables(np.concatenate(normed)).tocoo().col.tolist() if normed else []
    return {*powers.col.tolist(), *more}


def parts_of(columns: list[Entries]) -> tuple[Part, ...]:
    """One part for each parameter and exponent that the members of a group have in common."""
    return tuple(
        Part(name, torch.from_numpy(np.stack([c[i][2] for c in columns])), power)
        for i, (name, power, _) in enumerate(columns[0])
    )


def diagonal(walk: Walk, solution: Solution, parts: tuple[Part, ...], group: list[int]) -> Family:
    """The scale or rescale of a group."""
    biggest = max(abs(part.sign) for part in parts)
    why, towards = producer(walk, solution, group)
    parts = tuple(Part(p.parameter, p.where, towards * p.sign / biggest) for p in parts)
    kind = SCALE if all(part.sign > 0 for part in parts) else RESCALE
    breaks = breaks_of(walk, solution, group, towards / biggest)
    why = ", ".join(dict.fromkeys(b.module for b in breaks)) or why
    return Family(kind, words(walk, kind, parts), parts, why, breaks)


def breaks_of(walk: Walk, solution: Solution, group: list[int], factor: float) -> tuple[Break, ...]:
    """The normalisations whose eps such a scale does not scale along."""
    found, times = [], Counter()
    for norm in walk.norms:
        time, times[norm.module] = times[norm.module], times[norm.module] + 1
        powers = solution.of_variables(norm.variables)[:, group].tocoo()
        if powers.nnz:
            table = np.zeros((len(group), len(norm.variables)))
            table[powers.col, powers.row] = powers.data * norm.power * factor
            found.append(Break(norm.module, norm.eps, torch.from_numpy(table), time))
    return tuple(found)


def linear_maps(walk: Walk, solution: Solution, parts: tuple[Part, ...], group: list[int]) -> list[Family]:
    """The GL family of a group, in a list; nothing where its channels cannot be mixed."""
    if len(group) < 2 or {abs(part.sign) for part in parts} != {1.0}:
        return []
    if len({part.sign for part in parts}) < 2:
        return []
    why, towards = producer(walk, solution, group)
    parts = tuple(Part(p.parameter, p.where, towards * p.sign) for p in parts)
    return [Family(GL, words(walk, GL, parts), parts, why, ())]


def producer(walk: Walk, solution: Solution, group: list[int]) -> tuple[str, int]:
    """The module whose outputs a solution scales first, and the sign with which it does."""
    for module, variables in walk.axes:
        powers = solution.of_variables(variables[variables >= 0])[:, group]
        if powers.nnz:
            return module, 1 if powers.data[0] > 0 else -1
    return "", 1


def translations(walk: Walk) -> list[Family]:
    """Biases, and columns of weights, that may be moved together."""
    found: dict[tuple, Family] = {}
    for shift in walk.shifts:
        part = located(walk, shift.variables)
        if part is not None:
            said = words(walk, TRANSLATION, (part,))
            key = (part.parameter, part.where.numpy().tobytes())
            found.setdefault(key, Family(TRANSLATION, said, (part,), shift.module, (), shift.of_loss))
    return list(found.values())


def located(walk: Walk, variables: np.ndarray) -> Part | None:
    """Variables of one parameter as places in it; None where they are of several."""
    for name, p in walk.parameters.items():
        places = variables - walk.starts[name]
        if ((places >= 0) & (places < p.numel())).all():
            return Part(name, torch.from_numpy(places.astype(np.int64)), 1)
    return None


def words(walk: Walk, kind: str, parts: tuple[Part, ...]) -> str:
    """What a family moves, in a line."""
    up, down = (
        " ".join(dict.fromkeys(named(walk, p) for p in parts if (p.sign > 0) is wanted))
        for wanted in (True, False)
    )
    mixed = f", mixed by any {len(parts[0].where)} x {len(parts[0].where)} matrix" if kind == GL else ""
    return (f"{up} against {down}" if down else up) + mixed


def named(walk: Walk, part: Part) -> str:
    """A parameter, and which rows or columns of it where it is not all."""
    shape = tuple(walk.parameters[part.parameter].shape)
    places = distinct(part.where.numpy())
    if len(places) == np.prod(shape):
        return part.parameter
    axes = [distinct(axis) for axis in np.unravel_index(places, shape)]
    told = [
        ":" if len(a) == n else f"{a[0]}:{a[-1] + 1}" if len(a) == a[-1] - a[0] + 1 else "..."
        for a, n in zip(axes, shape, strict=True)
    ]
    while told and told[-1] == ":":
        told.pop()
    return f"{part.parameter}[{', '.join(told)}]" if told else f"{part.parameter} in part"
