"""The symmetries that an optimizer keeps are those of its rule's lines, and what breaks one is measured."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from noether.campaigns.audit import symmetry_part as part  # noqa: E402
from noether.campaigns.audit import turned  # noqa: E402
from noether.campaigns.audit.finding import HOLDS, INCONCLUSIVE, OUTSIDE  # noqa: E402
from noether.campaigns.audit.subject import Subject  # noqa: E402
from noether.cases.rules import RULES  # noqa: E402
from noether.cases.turns import commutes, turns  # noqa: E402
from noether.optimizers.running import UNITS, WIDE, rounding_as  # noqa: E402
from noether.optimizers.shadow import Shadow  # noqa: E402

MATRIX = turned.SHAPES["matrix"]
GIVEN = SimpleNamespace(
    eta=0.0625, beta=0.9, beta2=0.99, stability=1e-8, k=0.03, tau=0.25, psi=0.004, trust=0.5, nu=0.7
)
AS_TURNS = {"two parameters exchanged": "permutation", "sign of one parameter": "sign flip",
            "rotation of two parameters": "rotation", "rotation of two columns": "right rotation",
            "rotation of two rows": "left rotation"}  # fmt: skip
OF_TORCH = [name for name, rule in RULES.items() if rule.torch is not None and rule.torch(GIVEN) is not None]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As in an audit: for 24 numbers several threads take fifteen times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def subject(made, **options):
    return Subject(f"torch.optim:{made.__name__}", made, options)


def row(made, **options):
    return {name: x.found for name, x in part.row(subject(made, **options), MATRIX).items()}


class Skew(torch.optim.SGD):
    """Descent that steps a little farther in the first number."""

    def __init__(self, params, more=2.0**-20, **options):
        super().__init__(params, **options)
        self.more = more

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.grad.view(-1)[0].mul_(1 + self.more)
        super().step()


class Unknown(torch.optim.SGD):
    """Descent whose pace is read off singular values, by operations that the tables have no meaning of."""

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            size = torch.linalg.svdvals(p.grad).sum()
            p.grad.mul_(2 + torch.sin(2.0**12 * size))  # what rounded is larger now than errors of float64
        super().step()


@pytest.mark.parametrize("name", OF_TORCH)
def test_a_class_keeps_the_turns_that_commute_with_the_lines_of_its_rule(name):
    word, options = RULES[name].torch(GIVEN)
    found = row(getattr(torch.optim, word), **options)
    predicted = {AS_TURNS[turn.name]: commutes(RULES[name], turn) for turn in turns(24)}
    assert {key: found[key] for key in predicted} == {
        key: part.KEPT if kept else part.BROKEN for key, kept in predicted.items()
    }


def test_many_rules_are_compared_with_their_classes():
    kinds = {tuple(commutes(RULES[name], turn) for turn in turns(24)) for name in OF_TORCH}
    assert len(OF_TORCH) >= 15 and len(kinds) >= 3  # all turns, none but exchange and sign, of sides


def test_every_turn_is_exact_and_conserves_the_work_of_the_gradient():
    """<L^-T g, L x> = <g, x>, and no number is rounded in float32."""
    for shape in turned.SHAPES.values():
        plain = turned.script(shape)
        assert (plain.q0 != 0).all() and (plain.gradients != 0).all()
        names = [turn.name for turn in turned.turns(shape)]
        assert len(set(names)) == len(names) == (14 if len(shape) == 2 else 6)
        for turn in turned.turns(shape):
            whole = lambda x: (np.array(x) * 2**20).astype(object)
            pull, matrix = whole(turn.pull), whole(turn.matrix)
            assert (pull / 2.0**20 == turn.pull).all() and (matrix / 2.0**20 == turn.matrix).all()
            product = np.vectorize(int)(pull).astype(object).T @ np.vectorize(int)(matrix).astype(object)
            assert (product == np.eye(len(product), dtype=int).astype(object) * 2**40).all(), turn.name
            moved = turn.of(plain)
            for x in (moved.q0, moved.gradients):
                assert (x.astype(np.float32) == x).all(), turn.name
            again = np.vectorize(Fraction)(turn.matrix) @ np.vectorize(Fraction)(plain.q0.ravel())
            assert (again + turn.shift == np.vectorize(Fraction)(moved.q0.ravel())).all(), turn.name


def test_decay_breaks_translation_alone_and_scale_stays_broken():
    off, on = row(torch.optim.SGD, lr=0.1), row(torch.optim.SGD, lr=0.1, weight_decay=0.5)
    assert {key for key in off if off[key] != on[key]} == {"translation"}
    assert (off["translation"], off["scale"], on["rotation"]) == (part.KEPT, part.BROKEN, part.KEPT)


def test_the_breaking_of_scale_is_that_of_the_step():
    """q -> 2 q: a step of -lr g/2 where one of -2 lr g would commute, apart by 3/4 of the longer one."""
    found = part.row(subject(torch.optim.SGD, lr=0.1), MATRIX)["scale"]
    assert found.found == part.BROKEN and found.size == pytest.approx(0.75, rel=1e-12)


@pytest.mark.parametrize("j", [10, 20, 30])
def test_a_small_breaking_is_seen_in_its_size(j):
    found = part.row(subject(Skew, lr=0.1, more=2.0**-j), MATRIX)
    assert found["permutation"].found == found["rotation"].found == part.BROKEN
    assert found["translation"].found == found["sign flip"].found == part.KEPT
    # one number of 24 steps farther, and where it was moved to another one does not
    assert 0 < found["permutation"].size < 2.0**-j * 2 and found["permutation"].size > 2.0**-j / 100


def test_what_is_below_the_errors_is_not_told_to_be_broken():
    found = part.row(subject(Skew, lr=0.1, more=0.0), MATRIX)
    assert found["permutation"].found == part.KEPT
    assert found["permutation"].spent <= 1


def test_an_operation_without_a_meaning_is_judged_by_two_types():
    found = part.row(subject(Unknown, lr=0.1), MATRIX)
    assert found["left rotation"].found == found["right rotation"].found == part.KEPT
    assert "float32" in found["left rotation"].reason and found["left rotation"].spent is None
    assert found["translation"].found == part.KEPT and found["translation"].spent <= 1
    assert found["rotation"].found == found["permutation"].found == part.BROKEN


class Narrow(Unknown):
    """The same, with gradients that went through float32."""

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.grad.copy_(p.grad.float().mul(torch.linalg.svdvals(p.grad.float()).sum()).to(p.dtype))
        torch.optim.SGD.step(self)


def test_a_rounding_that_is_no_smaller_in_float64_is_not_told_to_break_a_symmetry():
    found = part.row(subject(Narrow, lr=0.1), MATRIX)
    for name in ("left rotation", "right rotation"):
        assert found[name].found in (part.KEPT, part.UNDECIDED) and found[name].size < 1e-6
    assert part.UNDECIDED in {x.found for x in found.values()}
    assert "a type of 24 bits in both" in " ".join(x.reason for x in found.values())
    assert found["rotation"].found == found["permutation"].found == part.BROKEN


def test_what_there_is_no_time_for_is_left_out_and_told():
    found = part.row(subject(torch.optim.SGD, lr=0.1), MATRIX, seconds=0)
    assert {(x.found, x.reason) for x in found.values()} == {
        (part.UNDECIDED, "left out, the others took 0 s")
    }


def test_findings_are_a_matrix_a_vector_and_decay_switched():
    found = list(part.symmetries(subject(torch.optim.AdamW)))
    assert [x.name for x in found] == ["matrix", "vector", "matrix, weight_decay 0"]
    assert all(x.verdict == HOLDS and x.part == "symmetries" for x in found)
    matrix, _, free = (x.data["row"] for x in found)
    assert [key for key in matrix if matrix[key]["found"] != free[key]["found"]] == ["translation"]
    assert "keeps permutation" in found[0].reason and "breaks translation (0.0" in found[0].reason


def test_what_treats_a_matrix_otherwise_than_a_vector_is_remarked():
    matrix, vector, *_ = part.symmetries(subject(torch.optim.Adafactor))
    assert vector.data["remarks"] == ["a matrix breaks permutation, a vector keeps it"]
    assert all("remarks" not in x.data for x in part.symmetries(subject(torch.optim.Adam)))
    assert matrix.data["row"]["permutation"]["found"] == part.BROKEN


def test_a_refusal_and_a_standstill_are_told():
    refused = list(part.symmetries(subject(torch.optim.Muon)))[1]
    assert refused.verdict == OUTSIDE and "only supports 2D" in refused.reason
    still = next(part.symmetries(subject(torch.optim.SGD, lr=0.0)))
    assert still.verdict == INCONCLUSIVE and "does not move" in still.reason


def test_an_error_as_in_float64_bounds_the_meaning_of_16_bits_and_is_far_below_them():
    a = torch.tensor([[1.5, -0.75], [0.375, 1.0]], dtype=torch.bfloat16)
    with rounding_as("float64"), Shadow() as shadow:
        b = (a @ a.T) * 3.4445 + a / 3
    found = shadow.of(b)
    exact = [[Fraction(float(x)) for x in line] for line in a]
    whole = lambda x: Fraction(float(x)) + Fraction(float(x - WIDE(float(x))))
    for i in range(2):
        for k in range(2):
            want = sum(exact[i][n] * exact[k][n] for n in range(2)) * Fraction(3.4445) + exact[i][k] / 3
            assert abs(whole(found.value[i, k]) - want) <= whole(found.error[i, k])
    # fewer than 2^5 roundings of numbers below 2^4
    assert (found.error > 0).all() and found.error.max() < 2.0**9 * UNITS["float64"] < UNITS["bfloat16"] / 4
