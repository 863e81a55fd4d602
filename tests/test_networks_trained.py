"""N1 to N4 hold in the training of a real network, and each sees the faults that it promises to see."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from noether.laws.networks import trained_faults as faults  # noqa: E402
from noether.laws.networks.looked import looks  # noqa: E402
from noether.laws.networks.trained import numbers_of, records  # noqa: E402
from noether.laws.networks.trained_cells import (  # noqa: E402
    NAMES,
    QUICK,
    RULES,
    WITHOUT_EPS,
    TrainedCell,
    trainings,
)
from noether.laws.networks.trained_laws import LAWS  # noqa: E402
from noether.networks.recipes import OPTIMIZERS, Recipe  # noqa: E402
from noether.networks.zoo import NETWORKS  # noqa: E402
from noether.verdicts import judgement  # noqa: E402
from noether.verdicts.record import HOLDS, INCONCLUSIVE, VIOLATED  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def found():
    """The records of the training of a quick run."""
    (cell,) = trainings("quick", 0)
    return records(cell)


@pytest.mark.parametrize("law", [law.key for law in LAWS])
def test_it_holds_on_a_batch_normalised_network(found, law):
    (record,) = [r for r in found if r.law == law and r.fault is None]
    assert record.verdict == HOLDS and record.spent > 0 and record.powers


@pytest.mark.parametrize("law, fault", [(law.key, fault.name) for law in LAWS for fault in law.faults])
def test_it_sees_the_fault(found, law, fault):
    (record,) = [r for r in found if r.law == law and r.fault == fault]
    assert record.verdict == VIOLATED


def test_every_network_of_the_zoo_is_trained_in_a_full_run():
    assert sorted((*NAMES, QUICK[0])) == sorted(NETWORKS) and set(RULES) <= set(OPTIMIZERS)
    cells = trainings("full", 0)
    assert {c.network for c in cells} == set(NETWORKS) and {c.optimizer for c in cells} == set(RULES)
    assert len({c.name for c in cells}) == len(cells)


def test_a_training_is_asked_about_eps_where_one_breaks_a_symmetry():
    assert sorted(WITHOUT_EPS) == sorted(name for name in NETWORKS if not NETWORKS[name].broken)
    for cell in trainings("full", 0):
        assert ("N4" in cell.laws) == (cell.network not in WITHOUT_EPS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "name, optimizer, precision",
    [
        ("relu-mlp", "adamw", "float32"),
        ("layernorm-mlp", "sgd", "float32"),
        ("deep-linear", "decay", "float32"),
        ("batchnorm-mlp", "momentum", "float64"),
    ],
)
def test_nothing_right_is_called_violated(name, optimizer, precision, seed):
    found = records(TrainedCell(name, optimizer, precision, "full", seed, steps=20, every=10))
    assert [r.verdict for r in found if r.law in ("N1", "N2")] == [HOLDS, HOLDS]
    assert all(r.verdict in (HOLDS, INCONCLUSIVE) for r in found)


def test_in_bfloat16_a_gradient_is_not_decided_and_the_optimizer_is():
    found = records(
        TrainedCell("batchnorm-mlp", "momentum", "bfloat16-autocast", "full", 0, steps=10, every=5)
    )
    verdicts = {r.law: r.verdict for r in found}
    assert verdicts["N1"] == verdicts["N2"] == verdicts["N4"] == HOLDS
    (gradient,) = [r for r in found if r.law == "N3"]
    assert gradient.spent <= 1 and gradient.verdict in (HOLDS, INCONCLUSIVE)


def test_a_network_without_normalisations_has_no_record_of_eps():
    found = records(TrainedCell("relu-mlp", "sgd", "float32", "full", 0, steps=4, every=4))
    assert {r.law for r in found} == {"N1", "N2", "N3"}
    assert numbers_of("N4", []).measured.size == 0


def test_what_is_planted_has_a_law():
    shown = {(law, one.fault.name) for one in faults.STEPS for law in one.laws}
    shown |= {(law, fault.name) for law, fault in faults.STATEMENTS}
    assert shown == {(law.key, fault.name) for law in LAWS for fault in law.faults}


class Leaning(torch.autograd.Function):
    """A ReLU whose backward pass is off by a part in 1024 where it is on."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(context, slope):
        (x,) = context.saved_tensors
        return slope * (x > 0) * (1 + 2.0**-10)


class Bent(torch.nn.Module):
    """A hidden layer with it, or with a right one."""

    def __init__(self, wrong: bool):
        super().__init__()
        self.a, self.b, self.wrong = torch.nn.Linear(64, 16), torch.nn.Linear(16, 10), wrong

    def forward(self, x):
        h = self.a(x)
        return self.b(Leaning.apply(h) if self.wrong else h.clamp(min=0))


@pytest.mark.parametrize("wrong", [False, True])
def test_a_wrong_backward_pass_does_not_excuse_itself(wrong):
    """In float64 it is as wrong as in float32, so that the check of a first minibatch refuses its family."""
    one = replace(NETWORKS["relu-mlp"], build=lambda: Bent(wrong))
    seen, families = looks(one, Recipe("sgd", "float32"), 4, 4, 0)
    x = numbers_of("N3", seen)
    assert sum(f.count for f in families if f.kind == "rescale") == 16
    assert (judgement.worst(x.measured, x.predicted, x.bound).spent > 1) is wrong


def test_what_is_not_judged_is_counted(found):
    for record in found:
        assert record.parameters["left out"] == record.parameters["without bound"] == 0
