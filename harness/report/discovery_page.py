"""The result of `noether discover` as tables, and as plain data."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from rich.text import Text

from noether.campaigns.discovery.finding import Finding
from noether.campaigns.discovery.nullspace import GAP
from noether.system.outside import plural

SHOWN = 40  # generators that are printed
RUNS = 4  # of neighbouring parameters of a family that are printed


def page(found: Finding) -> list:
    """The whole result, from the spectrum to the verdict."""
    out: list = [heading(found), *spectrum_lines(found), *rest_lines(found), Text()]
    if found.families:
        out += [*families(found), Text()]
    if found.generators:
        out += [*generators(found), Text()]
    if found.weak:
        out += [*weak(found), Text()]
    return [*out, verdict(found)]


def heading(found: Finding) -> str:
    """What was looked at, and where."""
    low, high = found.loss.box.min(), found.loss.box.max()
    return f"{found.loss.name}: {plural(found.loss.dim, 'parameter')}, points drawn in [{low:g}, {high:g}]"


def spectrum_lines(found: Finding) -> list[str]:
    """The singular values on both sides of the gap; nothing where there was no matrix."""
    seen = found.spectrum
    if seen is None:
        return []
    kept = "none" if seen.largest_kept is None else f"{seen.kept}, at most {seen.largest_kept:.2g}"
    broken = "none"
    if seen.smallest_broken is not None:
        broken = f"{len(seen.values) - seen.kept}, at least {seen.smallest_broken:.2g}"
    values = f"{plural(len(seen.values), 'affine field')}, singular values: kept {kept}; broken {broken}"
    return [f"{values}; gap {seen.gap:.1e}, needed {GAP:.0e}"]


def rest_lines(found: Finding) -> list[str]:
    """What was searched of a loss of many parameters; nothing of one of few."""
    rest, d = found.rest, found.loss.dim
    if rest is None:
        return []
    pairs = f"{d * (d - 1) // 2 - rest.unseen} pairs of parameters"
    return [
        f"{plural(d * (d + 1), 'affine field')}. Searched wholly: translations, diagonal fields, and the "
        f"fields of each of {pairs}.",
        f"Of all others a random one was taken apart at {rest.rows} points, in "
        f"{plural(rest.iterations, 'iteration')}: {left(rest)}",
    ]


def left(rest) -> str:
    """What became of a random field."""
    if rest.is_nothing:
        return f"nothing of it is kept. The chance that a symmetry was missed is below {rest.chance:.0e}."
    return f"what is left of it is not nothing, and is broken by {rest.broken:.1g}."


def families(found: Finding) -> list[str]:
    """Each family of rotations in two lines."""
    out = []
    for f in found.families:
        kinetic = "Killing: no kinetic breaking; laws D2 D3" if f.is_killing else "kinetic breaking <A v, v>"
        group = f"so({len(f.members)}), " if f.is_killing else ""
        proof = f"each {f.proof} at new points"
        out += [f"     {group}{f.count} rotations of {parameters(f.members)}; {kinetic}; {proof}"]
        out += [f"       they keep {f.formula}"]
    return out


def parameters(members) -> str:
    """Parameters by number, neighbours as a range."""
    runs = np.split(members, np.flatnonzero(np.diff(members) > 1) + 1)
    told = [f"q{r[0]}" if len(r) == 1 else f"q{r[0]} to q{r[-1]}" for r in runs]
    return ", ".join(told if len(told) <= RUNS else [*told[:RUNS], f"... ({len(members)} parameters)"])


def generators(found: Finding) -> list[str]:
    """Each generator with its charge, at most SHOWN."""
    out = []
    for number, g in enumerate(found.generators[:SHOWN], 1):
        kinetic = "Killing: no kinetic breaking" if g.is_killing else "kinetic breaking <A v, v>"
        out.append(f"{number:3}  {g.name}; {kinetic}; laws {' '.join(g.laws)}; {g.proof} at new points")
        out += [f"       xi    {g.formula}", f"       J/m   {g.charge}"]
        out += [f"       flow  {g.conserved}"] if g.conserved else []
    if len(found.generators) > SHOWN:
        out.append(f"     ... {len(found.generators)} in all, every one with --json")
    return out


def weak(found: Finding) -> list[str]:
    """The fields that nearly keep the loss, each with how far it is off."""
    out = ["broken, but weakly:"]
    for w in found.weak:
        size = f"rms of <grad f, xi>/|grad f| {w.size:.2g} of the field"
        error = f"at new points up to {w.generator.error:.2g} of |grad f||xi|"
        out += [f"     {w.generator.name}; {size}; {error}", f"       xi    {w.generator.formula}"]
    return out


def verdict(found: Finding) -> str:
    """The last line: how many symmetries there are, or why that is not decided."""
    if found.undecided:
        return f"could not decide: {found.undecided}"
    if not found.count:
        nearly = f"; {len(found.weak)} nearly do" if found.weak else ""
        return f"none: no affine field keeps this loss{nearly}"
    d, moves, seen = found.loss.dim, found.translations, found.spectrum
    module = ""
    if seen and moves and moves * (d + 1) <= seen.kept:
        multiples = f"{moves} translations times {d} + 1 affine functions"
        module = f"; with {multiples} they span the {seen.kept} fields kept"
    closing = f"; brackets close to {found.unclosed:.1g}" if seen and found.count > 1 else ""
    named = plural(found.count, "symmetry", "symmetries")
    return f"{named}, {found.killing} of them kept by the kinetic energy (Killing){module}{closing}"


def summary(found: Finding) -> dict:
    """The result as plain data for --json."""
    seen = found.spectrum
    return {
        "loss": found.loss.name,
        "dim": found.loss.dim,
        "box": found.loss.box.tolist(),
        "verdict": verdict(found),
        "undecided": found.undecided,
        "kept": seen.kept if seen else None,
        "largest_kept": seen.largest_kept if seen else None,
        "smallest_broken": seen.smallest_broken if seen else None,
        "gap": seen.gap if seen and np.isfinite(seen.gap) else None,
        "gap_needed": GAP,
        "rounding": seen.floor if seen else None,
        "singular_values": seen.values.tolist() if seen else [],
        "bracket_outside": found.unclosed,
        "families": [f.as_dict() for f in found.families],
        "others": asdict(found.rest) if found.rest else None,
        "generators": [g.as_dict() for g in found.generators],
        "weakly_broken": [{"size": w.size, **w.generator.as_dict()} for w in found.weak],
    }
