"""Each case of the catalogue is what its docstring says: loss, breaking, generators, metric, charges,
sources.

The docstring is quoted in tests/words/, word for word, beside a second expression of each quoted line. A
case without such words fails, and so does one whose docstring no longer says what is quoted.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy
from words import IRISES, WORDS

from noether import cases
from noether.cases import CATALOG, Metric
from noether.kernels.programs import namespaces
from noether.mechanics import wide

each = pytest.mark.parametrize("case", CATALOG, ids=lambda c: c.name)
ROOM = 2.0**-40  # of a few hundred roundings of 2^-53 in numbers of order 1; a constant off by 2^-30 shows


def module_of(case):
    """The module that defines it: beside the package itself the only one that holds it."""
    (found,) = [
        m
        for name, m in sys.modules.items()
        if name.startswith("noether.cases.") and any(x is case for x in vars(m).values())
    ]
    return found


def points(case, count=6):
    """(count, d) starts, and as many velocities and strengths of a metric."""
    rng = np.random.default_rng(len(case.name))
    return case.draw(rng, count).T, rng.normal(size=(count, case.dim)), rng.uniform(0.25, 1, count)


def near(a, b):
    return np.abs(np.asarray(a, float) - np.asarray(b, float)).max() <= ROOM * (
        1 + np.abs(np.asarray(b, float)).max()
    )


def told(case, words) -> list[str]:
    """What of a case is not as its words say."""
    wrong = set()
    for q, p, kappa in zip(*points(case), strict=True):
        exact = list(q)
        xp = namespaces.NUMPY
        pairs = [
            ("loss", case.loss(exact, xp), words.f(q)),
            ("breaking", case.breaking(exact, xp), words.b(q)),
        ]
        if case.samples or words.samples:
            losses = case.samples(exact, xp)
            pairs += [
                ("samples", losses, words.samples(q)),
                ("mean of samples", np.mean(losses), case.loss(exact, xp)),
            ]
        if case.kinks or words.kinks:
            pairs.append(("kinks", case.kinks(exact, xp), words.kinks(q)))
        if [s.name for s in case.symmetries] != list(words.xi):
            return [f"symmetries are {[s.name for s in case.symmetries]}, must be {list(words.xi)}"]
        if case.metric.entries or words.G:
            pairs.append(("metric", case.metric.entries(exact, kappa, xp), words.G(q, kappa)))
        if case.metric.potential or words.dh:
            pairs.append(("grad h", wide.gradient(case.metric.potential, q[:, None])[:, 0], words.dh(q)))
        for s in case.symmetries:
            pairs += [
                (f"xi of {s.name}", s.generator(exact), words.xi[s.name](q)),
                *of_symmetry(case, words, s, q, p, kappa),
            ]
        wrong |= {name for name, mine, said in pairs if not near(mine, said)}
    return sorted(wrong)


def of_symmetry(case, words, s, q, p, kappa):
    """Charge, source and charge of gradient flow, from the case's own generator and metric and by its
    table."""
    xi, A = words.xi[s.name](q), s.matrix
    if case.metric.kind != "bregman":
        G, along = metric_along(case, q, xi, kappa)
        source = (G * p) @ (A @ p) + along @ p**2 / 2  # T1 of docs/theory.md
        yield f"source of {s.name}", source, words.ksb.get(s.name, lambda *_: 0.0)(q, p, kappa)
        if s.name in words.charge:
            yield f"charge of {s.name}", (G * p) @ xi, words.charge[s.name](q, p, kappa)
    if s.name in words.flow:
        yield f"charge of gradient flow of {s.name}", q @ A @ q, words.flow[s.name](q)


def metric_along(case, q, xi, kappa):
    """The entries of G at q, and their derivative along xi by central differences of order 4, in 64 bits."""
    if not case.metric.entries:
        return np.ones(case.dim), np.zeros(case.dim)

    def at(t):
        moved = [a + t * b for a, b in zip(q.astype(wide.WIDE), xi, strict=True)]
        return np.array([x + 0 * t for x in case.metric.entries(moved, kappa, np)])

    h = wide.WIDE(2.0**-13)  # of 1/|q|^2: h^4 720/30 and 2^-64/h, both below 2^-46
    return at(0 * h).astype(float), ((8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)).astype(
        float
    )


def test_the_catalogue_has_words_for_every_case_and_no_others():
    assert set(WORDS) == {c.name for c in CATALOG}


@each
def test_a_case_is_what_its_docstring_says(case):
    assert told(case, WORDS[case.name]) == []


def joined(text: str) -> str:
    return " ".join(text.split())


@each
def test_the_docstring_says_what_is_quoted_of_it(case):
    text = module_of(case).__doc__
    told, says = joined(text), [joined(line) for line in WORDS[case.name].says]  # wherever its lines end
    assert not [line for line in says if line not in told]
    said = " ".join(says)
    assert "Breaking: b = " in said and "xi" in said + text, "loss, breaking and generators must be quoted"
    begins = ("xi", "f(", "G(", "h(")
    indented = [joined(line) for line in text.splitlines() if line.startswith("    ")]
    stated = [line for line in indented if "f = " in line or line.startswith(begins)]
    unquoted = [line for line in stated if not any(quote in line or line in quote for quote in says)]
    assert stated and not unquoted, f"the docstring states what has no second expression: {unquoted}"


def irises_told(irises) -> list[str]:
    """Fisher's table and its species."""
    tables = {"TENTHS": np.round(IRISES * 10), "SPECIES": [0, 0, 1, 1, 2, 2]}
    return [name for name, said in tables.items() if not np.array_equal(getattr(irises, name), said)]


def test_the_irises_are_fishers():
    assert irises_told(cases.losses.irises) == []


# ---- metrics that have a source


def test_a_gaussians_metric_is_the_expected_square_of_its_score():
    """E of the score's outer product under N(mu, e^{2u}) by Gauss and Hermite, 8 nodes: exact to degree
    15."""
    x, mu, u = sympy.symbols("x mu u")
    density = -((x - mu) ** 2) / (2 * sympy.exp(2 * u)) - u - sympy.log(2 * sympy.pi) / 2
    score = sympy.lambdify((x, mu, u), [sympy.diff(density, mu), sympy.diff(density, u)])
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    case = next(c for c in CATALOG if c.name == "gaussian-fisher")
    for q in points(case)[0]:
        information = np.zeros((4, 4))
        for at in (0, 2):
            s = np.array(
                [
                    np.broadcast_to(y, nodes.shape)
                    for y in score(q[at] + np.exp(q[at + 1]) * nodes, q[at], q[at + 1])
                ]
            )
            information[at : at + 2, at : at + 2] = (s * weights / weights.sum()) @ s.T
        assert near(np.diag(case.metric.entries(list(q), 0.0, np)), information)


def test_a_categorical_metric_on_the_orthant_is_the_information_of_independent_counts():
    """Counts n_i with means q_i (Poisson): E (n/q - 1)^2 = 1/q, summed to where nothing is left."""
    case = next(c for c in CATALOG if c.name == "categorical-fisher")
    for q in points(case)[0]:
        n = np.arange(64)[:, None]
        log_p = n * np.log(q) - q - np.cumsum(np.log(np.maximum(n, 1)), axis=0)
        assert near(case.metric.entries(list(q), 0.0, np), (np.exp(log_p) * (n / q - 1) ** 2).sum(axis=0))
        # On the simplex, sum q = 1, it is that of one draw of a category: E (d log p)^2 = sum d_i^2 / q_i.
        share, move = q / q.sum(), np.array([1, -1, 0.5, -0.5])
        assert near(((move / share) ** 2 * share).sum(), move**2 @ case.metric.entries(list(share), 0.0, np))


# ---- wrong cases are seen


def test_a_wrong_fisher_metric_is_seen():
    case = next(c for c in CATALOG if c.name == "gaussian-fisher")
    wrong = lambda q, kappa, xp: [xp.exp(-2 * q[1]) + kappa, 1 + kappa, xp.exp(-2 * q[3]) + kappa, 1 + kappa]
    assert "metric" in told(replace(case, metric=Metric("diagonal", entries=wrong)), WORDS[case.name])


@each
def test_a_loss_or_a_breaking_that_is_a_little_off_is_seen(case):
    words, f, b = WORDS[case.name], case.loss, case.breaking
    assert "loss" in told(replace(case, loss=lambda q, xp: f(q, xp) + 2.0**-30 * q[0]), words)
    assert "breaking" in told(replace(case, breaking=lambda q, xp: b(q, xp) * (1 + 2.0**-30)), words)
    turned = [
        replace(s, A=tuple(tuple(2 * x for x in row) for row in s.A), a=tuple(2 * x for x in s.a))
        for s in case.symmetries
    ]
    assert any(line.startswith("xi of") for line in told(replace(case, symmetries=tuple(turned)), words))


def test_a_changed_number_of_a_case_file_is_noticed():
    """All of one file, in a process of its own; q[-1] is q[1] where there are two."""
    script = Path(__file__).parent / "case_mutants.py"
    done = subprocess.run(
        [sys.executable, str(script), "product"], capture_output=True, text=True, timeout=120
    )
    count, *survivors = done.stdout.splitlines()
    assert count == "36 changed numbers, 33 noticed", done.stdout + done.stderr
    assert all(f"{n} -> -{n}" in line for line in survivors for n in [line.split()[1]])
