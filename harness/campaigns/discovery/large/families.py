"""Rotations of every two of many parameters as one family: the rotations of a quadratic form.

    sum_i s_i (q_i - m_i)^2  is kept by  dq_i = s_j (q_j - m_j), dq_j = -s_i (q_i - m_i)  for all i < j    (1)

Such a family of n parameters has n (n - 1) / 2 generators; where all s are 1 it is so(n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from noether.campaigns.discovery.generator import EXACTLY, TERMS, Generator, joined
from noether.campaigns.discovery.large.fields import Fields

FEWEST = 4  # parameters of a family; fewer are shown as the generators that they are


@dataclass(frozen=True)
class Family:
    """The rotations of a quadratic form.

    members  the parameters, rising
    weights  s of (1), 1 for the first;  centre  m
    error    the largest of its generators, each checked on its own
    """

    members: np.ndarray
    weights: np.ndarray
    centre: np.ndarray
    error: float

    @property
    def count(self) -> int:
        """How many generators it has."""
        return len(self.members) * (len(self.members) - 1) // 2

    @property
    def is_killing(self) -> bool:
        """Whether they are Killing fields of the Euclidean metric."""
        return bool((self.weights == 1).all())

    @property
    def is_plain(self) -> bool:
        """Whether the form is the sum of squares."""
        return self.is_killing and not self.centre.any()

    @property
    def formula(self) -> str:
        """The quadratic form that is kept, its first terms."""
        shown = len(self.members) if len(self.members) <= TERMS else TERMS - 1
        members, centre = self.members[:shown].tolist(), self.centre[:shown].tolist()
        signs = ("-" if m > 0 else "+" for m in centre)
        about = (
            f"(q{i} {sign} {abs(m):.6g})^2" if m else f"q{i}^2"
            for i, m, sign in zip(members, centre, signs, strict=True)
        )
        text = joined(list(zip(self.weights.tolist(), about, strict=False)))
        return text if shown == len(self.members) else f"{text} + ... ({len(self.members)} terms)"

    @property
    def proof(self) -> str:
        return "exact" if self.error <= EXACTLY else f"to {self.error:.1g}"

    def generator(self, dim: int, i: int, j: int) -> Generator:
        """The one that turns the members number i and j, as a field of `dim` parameters."""
        field, (p, q) = np.zeros((dim, dim + 1)), self.members[[i, j]]
        field[p, q], field[p, dim] = self.weights[j], -self.weights[j] * self.centre[j]
        field[q, p], field[q, dim] = -self.weights[i], self.weights[i] * self.centre[i]
        return Generator(field, self.error)

    def as_dict(self) -> dict:
        """The family as plain data for --json."""
        return {
            "name": "rotations",
            "parameters": self.members.tolist(),
            "weights": self.weights.tolist(),
            "about": self.centre.tolist(),
            "generators": self.count,
            "killing": self.is_killing,
            "error": self.error,
            "exact": self.error <= EXACTLY,
        }


def families(fields: Fields, errors: np.ndarray, start: int) -> tuple[list[Family], np.ndarray]:
    """The families among the fields of pairs, which begin at `start`; and which fields belong to none."""
    alone = np.ones(fields.count, bool)
    turns = turning(fields, start)
    if not len(turns):
        return [], alone
    number, i, j = turns[:, 0].astype(int), turns[:, 1].astype(int), turns[:, 2].astype(int)
    graph = coo_array((np.ones(len(turns)), (i, j)), shape=(fields.dim, fields.dim))
    _, label = connected_components(graph, directed=False)
    out = []
    for one in np.unique(label[i]):
        members, inside = np.flatnonzero(label == one), label[i] == one
        if len(members) < FEWEST or inside.sum() != len(members) * (len(members) - 1) // 2:
            continue
        made = fitted(members, turns[inside], float(errors[number[inside]].max()))
        if made is not None:
            out.append(made)
            alone[number[inside]] = False
    return out, alone


def turning(fields: Fields, start: int) -> np.ndarray:
    """(m, 7) of the fields that turn two parameters: number, i, j, dq_i by q_j and by 1, dq_j by q_i and
    by 1."""
    d, table = fields.dim, np.zeros((fields.count, 4))
    pair = np.full((fields.count, 2), -1)
    inside = (fields.j < d) & (fields.i < fields.j)
    pair[fields.of[inside]] = np.stack([fields.i[inside], fields.j[inside]], axis=1)
    first, second = pair[fields.of].T
    places = ((first, second), (first, d), (second, first), (second, d))
    taken = np.zeros(len(fields.of), bool)
    for column, (i, j) in enumerate(places):
        here = (fields.i == i) & (fields.j == j)
        table[fields.of[here], column] = fields.x[here]
        taken |= here
    only = np.ones(fields.count, bool)
    only[fields.of[~taken]] = False  # a field with another entry is no turn
    only[:start] = False
    number = np.flatnonzero(only & (table[:, 0] != 0) & (table[:, 2] != 0))
    return np.column_stack([number, pair[number], table[number]])


def fitted(members: np.ndarray, turns: np.ndarray, error: float) -> Family | None:
    """The family of (1) that these turns are; None where they are those of no one quadratic form."""
    place = {int(m): k for k, m in enumerate(members)}
    _, i, j, by_j, shift_i, by_i, shift_j = turns.T
    i, j = (np.array([place[int(m)] for m in x]) for x in (i, j))
    weights, centre = np.ones(len(members)), np.full(len(members), np.nan)
    from_first = i == 0  # s_0 = 1: dq_0 = s_j (q_j - m_j), dq_j = -(q_0 - m_0), up to a factor
    weights[j[from_first]] = -(by_j / by_i)[from_first]
    centre[j], centre[i] = -shift_i / by_j, -shift_j / by_i
    close = lambda x, y: bool((np.abs(x - y) <= 1e-9 * np.maximum(np.abs(y), 1)).all())
    same = close(-by_j / by_i, weights[j] / weights[i])
    same = same and close(-shift_i / by_j, centre[j]) and close(-shift_j / by_i, centre[i])
    return Family(members, weights, centre + 0.0, error) if same else None
