"""Many parameters: what one matrix of all fields finds is found without it, and nothing is said that was not
shown."""

import json
from dataclasses import replace

import mpmath
import numpy as np
import pytest

from noether.campaigns.discovery.finding import of_all
from noether.campaigns.discovery.large import finding, sample
from noether.campaigns.discovery.large.estimate import MEMORY, WITHIN, estimate
from noether.campaigns.discovery.large.families import Family
from noether.campaigns.discovery.large.fields import Box, Fields, unboxed
from noether.campaigns.discovery.large.gradients import agreement, traced
from noether.campaigns.discovery.loss import Loss, load
from noether.campaigns.discovery.module import multiples
from noether.cases import CATALOG
from noether.cli.main import call
from noether.mechanics import wide
from noether.plan.casefiles.complaint import Origin
from noether.report.discovery_page import page, summary

SMALL = [c for c in CATALOG if c.dim <= 16]
D = 44


def loss_of(function, dim=D, low=-1.0, high=1.0):
    return Loss("loss", function, np.array([[low, high]] * dim), Origin("loss", None))


def found(loss, seed=0):
    return finding.found_in(loss, seed, WITHIN, MEMORY, lambda text: None, lambda text: None)


def rough(q, seed=0):
    """A loss that no affine field keeps: a sum of fourth powers and random products of three."""
    rng, d = np.random.default_rng(seed), len(q)
    terms = [(*map(int, rng.integers(0, d, 3)), round(float(rng.normal()), 3)) for _ in range(6 * d)]
    total = sum(x * x * x * x for x in q) / 4 + sum(q[i] * q[i - 1] for i in range(d))
    return total + sum(c * q[i] * q[j] * q[k] for i, j, k, c in terms)


@pytest.mark.parametrize("case", SMALL, ids=lambda c: c.name)
def test_what_one_matrix_finds_is_found_without_it(case):
    loss = load(case.name, None, None)
    whole, made = of_all(loss, 0), found(loss)
    generators = [*made.generators, *members(made.families, loss.dim)]
    assert not made.undecided and made.rest.is_nothing and len(generators) == len(whole.generators)
    assert all(g.error <= 1e-40 for g in generators)
    seen, fields = whole.spectrum, []
    for g in generators:
        fields += multiples(g.field) if g.name == "translation" else [g.field]
    rows = np.array([seen.scaled(f).ravel() for f in fields])
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    null = seen.null.reshape(seen.kept, -1)
    assert np.abs(rows - rows @ null.T @ null).max() < 1e-9
    assert np.linalg.matrix_rank(rows, 1e-9) == seen.kept


def members(families, dim):
    return [f.generator(dim, i, j) for f in families for j in range(len(f.members)) for i in range(j)]


def rotated(q, xp):
    r = sum((x - 0.25) * (x - 0.25) for x in q[3:13]) - 1
    return rough([r, *q[:3], *q[13:]])


def elliptic(q, xp):
    r = sum((k + 1) * x * x for k, x in enumerate(q[3:9])) - 1
    return rough([r, *q[:3], *q[9:]])


def moved(q, xp):
    return rough([q[0] - q[1], q[1] - q[2], *q[3:]])


def still(q, xp):
    return rough([*q[:5], *q[6:]])


def rescaled(q, xp):
    return rough([q[0] * q[1], q[2] * q[3] * q[3], *q[4:]])


def scaled(q, xp):
    r = sum(x * x for x in q)
    return rough([x / xp.sqrt(r) for x in q])


def matrices(q, xp):
    """U V^T of 2 columns: GL(2)."""
    rows = [(q[2 * i], q[2 * i + 1]) for i in range(6)]
    return rough([a * c + b * d for a, b in rows[:3] for c, d in rows[3:]] + list(q[12:]))


PLANTED = {
    rotated: (0, [45], set()),
    elliptic: (0, [15], set()),
    moved: (1, [], {"translation"}),
    still: (1, [], {"translation"}),
    rescaled: (2, [], {"rescale"}),
    scaled: (1, [], {"scale"}),
    matrices: (4, [], {"rescale", "general-linear"}),
}


@pytest.mark.parametrize("function", PLANTED, ids=lambda f: f.__name__)
def test_a_planted_symmetry_is_found_and_nothing_else(function):
    made = found(loss_of(function))
    count, families, names = PLANTED[function]
    assert not made.undecided and made.rest.is_nothing
    assert len(made.generators) == count and [f.count for f in made.families] == families
    assert {g.name for g in made.generators} == names
    assert all(g.error <= 1e-40 for g in [*made.generators, *made.families])


def test_families_are_those_of_their_quadratic_form():
    (round_one,), (long_one,) = found(loss_of(rotated)).families, found(loss_of(elliptic)).families
    assert round_one.is_killing and np.array_equal(round_one.centre, [0.25] * 10)
    assert np.array_equal(round_one.members, range(3, 13))
    assert not long_one.is_killing and np.array_equal(long_one.weights, range(1, 7))
    assert long_one.formula == "q3^2 + 2 q4^2 + 3 q5^2 + 4 q6^2 + 5 q7^2 + 6 q8^2"


@pytest.mark.parametrize("seed", range(4))
def test_no_symmetry_is_found_where_there_is_none(seed):
    made = found(loss_of(lambda q, xp: rough(q, seed), 24), seed)
    assert not made.generators and not made.families and not made.weak and not made.undecided


def test_what_is_broken_weakly_is_called_broken_and_sized():
    made = found(loss_of(lambda q, xp: rotated(q, xp) + q[3] * q[3] * q[3] / 10**6))
    assert [f.count for f in made.families] == [36] and not made.generators
    assert len(made.weak) == 9 and all(1e-9 < size < 1e-4 for _, size in made.weak)
    assert all(1e-10 < g.error < 1e-4 for g, _ in made.weak)


def test_a_constant_loss_is_no_answer():
    assert "constant" in found(loss_of(lambda q, xp: q[0] - q[0])).undecided


# ---- each check can fail


def test_symmetries_that_were_not_taken_out_stay_in_the_sample_and_are_counted():
    """|p|^2 is a chi-square number of 45 degrees: outside 45 +- 5 sqrt(90) once in 10^6."""
    loss = loss_of(rotated)
    box, ready = Box.of(loss.box), traced(loss)
    rows = sample.rows_of(ready, box, 0, 45, np.random.default_rng(1))
    left = sample.Sample.start(rows, Fields.none(D), box, np.random.default_rng(2))
    left.advance(400, 1e-6)
    assert abs(left.dimension - 45) < 5 * 90**0.5 and left.broken < 1e-10
    assert left.bound() > finding.ENOUGH


def test_a_sample_that_was_not_taken_apart_proves_nothing(monkeypatch):
    monkeypatch.setattr(finding, "iterations", lambda rows, unknowns: 3)
    made = found(loss_of(lambda q, xp: rough(q), 24))
    assert not made.rest.is_nothing and "there may be others" in made.undecided


def test_a_class_that_is_overlooked_is_missed_aloud(monkeypatch):
    honest = finding.searched

    def blind(*arguments):
        seen = honest(*arguments)
        return replace(seen, fields=Fields.none(D), starts=(0, 0))

    monkeypatch.setattr(finding, "searched", blind)
    monkeypatch.setattr(finding, "SMALL", ())
    monkeypatch.setattr(finding, "read_off", lambda *arguments: (Fields.none(D), ""))
    assert "is kept to" in found(loss_of(rotated)).undecided


def test_a_field_that_is_no_symmetry_is_told(monkeypatch):
    honest = finding.searched

    def wrong(*arguments):
        seen = honest(*arguments)
        turned = np.zeros((D, D + 1))
        turned[0, 1], turned[1, 0] = 1, -1
        return replace(seen, fields=seen.fields + Fields.dense([turned]))

    monkeypatch.setattr(finding, "searched", wrong)
    assert "are no symmetries at new points" in found(loss_of(rotated)).undecided


def test_a_gradient_that_its_witness_denies_is_an_error():
    q, g, v = [mpmath.mpf(1)] * 2, [mpmath.mpf(3), mpmath.mpf(4)], [mpmath.mpf(1), mpmath.mpf(2)]
    assert agreement(q, g, v, mpmath.mpf(11)) == 0
    with pytest.raises(ArithmeticError, match="disagree"):
        agreement(q, g, v, mpmath.mpf(11) + mpmath.mpf(10) ** -9)


def test_the_sweep_gives_the_gradient_of_dual_numbers():
    loss = loss_of(scaled, 12)
    q = np.random.default_rng(3).uniform(-1, 1, (12, 5))
    right = wide.gradient(loss.function, q)
    assert np.abs(traced(loss).at(q) - right).max() < 2.0**-50 * np.abs(right).max()


def test_coordinates_of_the_box_and_back():
    box = Box(np.array([0.5, 2.0]), np.array([0.5, 4.0]))
    field = np.array([[0.0, 3.0, 1.0], [-2.0, 0.0, 5.0]])
    there = Fields.dense([field]).in_box(box).toarray().reshape(2, 3)
    assert np.array_equal(unboxed(there, box), field)  # a box of powers of two rounds nothing


# ---- the command


TEXT = """
def hat(q, xp):
    r = sum(x * x for x in q) - 1
    return r * r / 4
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "hat.py").write_text(TEXT, encoding="utf-8")
    return tmp_path / "hat.py"


def test_a_round_valley_of_many_parameters_is_one_family(file, capsys):
    assert call(["discover", f"{file}:hat", "--dim", "48"]) == 0
    out = capsys.readouterr().out
    assert "so(48), 1128 rotations of q0 to q47" in out and "1128 symmetries, 1128 of them" in out
    assert "chance that a symmetry was missed" in out
    assert call(["discover", f"{file}:hat", "--dim", "48", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["families"][0]["generators"] == 1128 and told["others"]["chance"] < 1e-3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--dim", "1024"], "--memory GB allows more than 1 GB"),
        (["--dim", "200", "--within", "1"], "--within SECONDS allows more than 1 s"),
        (["--dim", "200", "--within", "0"], "--within is 0, must be a number above 0"),
        (["--dim", "200", "--memory", "-1"], "--memory is -1, must be a number above 0"),
        (["--dim", "48", "--write", "new.py"], "a case file is written for at most 40"),
    ],
)
def test_what_is_too_large_is_refused_beforehand(words, told, file, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(finding, "searched", None)  # nothing may be begun
    assert call(["discover", f"{file}:hat", *words]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


def test_an_estimate_grows_with_what_it_counts():
    small, large = estimate(64, 1000), estimate(128, 1000)
    assert small.seconds < large.seconds < large.most and small.gigabytes < large.gigabytes < MEMORY
    assert estimate(128, 100_000).seconds > large.seconds > estimate(128, 1000, known=8000).seconds


def test_a_family_is_told_with_its_form_and_its_parameters():
    members = np.array([0, 1, 2, 5])
    family = Family(members, np.ones(4), np.array([0, 0.5, 0, -1]), 0.0)
    assert family.count == 6 and family.formula == "q0^2 + (q1 - 0.5)^2 + q2^2 + (q5 + 1)^2"
    field = family.generator(6, 1, 3).field
    assert field[1, 5] == 1 and field[1, 6] == 1 and field[5, 1] == -1 and field[5, 6] == 0.5


def test_the_page_has_families_and_what_is_left():
    from noether.campaigns.discovery.finding import discover

    made = discover(loss_of(rotated))
    text = "\n".join(map(str, page(made)))
    assert "so(10), 45 rotations of q3 to q12" in text and "(q3 - 0.25)^2" in text
    assert summary(made)["kept"] is None and made.count == 45 == made.killing
