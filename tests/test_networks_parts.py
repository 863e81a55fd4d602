"""Some numbers of large tensors, judged as if all were: what is followed costs, the rest costs nothing."""

import pytest

torch = pytest.importorskip("torch")

from stepping import judged, made  # noqa: E402
from test_networks_charges import FAMILIES, HIDDEN, IN, trained  # noqa: E402
from test_networks_steps import FUSED, LONGER, OPTIONS, ways  # noqa: E402

from noether.networks.charges import balance  # noqa: E402
from noether.networks.families import GL, RESCALE, SCALE  # noqa: E402
from noether.networks.step_rule import Unjudged  # noqa: E402
from noether.networks.steps import StepJudge  # noqa: E402
from noether.optimizers.parts import Partial  # noqa: E402
from noether.optimizers.scope import Chosen  # noqa: E402

SIZES = [(37,), (6, 7)]
AT = {"p0": torch.tensor([3, 0, 36, 17]), "p1": torch.tensor([41, 5, 6])}
WHOLE = {"Adafactor", "Muon"}


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("name", sorted(OPTIONS.keys() - WHOLE))
def test_some_numbers_are_judged_as_they_are_among_all(name, dtype):
    kind, steps = getattr(torch.optim, name), LONGER.get(name, 3)
    for options in OPTIONS[name]:
        for way in ways(name):
            if dtype == "bfloat16" and name in FUSED and "fused" in way:
                continue
            few = judged(*made(kind, dtype, SIZES, **options, **way), steps, chosen=AT)
            whole = judged(*made(kind, dtype, SIZES, **options, **way), steps)
            assert not any(s.unjudged or s.unknown for s in few) and max(s.spent for s in few) <= 1
            for a, b in zip(few, whole, strict=True):
                for p, at in AT.items():
                    assert a.moved[p].components.keys() == b.moved[p].components.keys()
                    for key, mine in a.moved[p].components.items():
                        other = b.moved[p].components[key]
                        pick = at.numpy() if other.after.size > 1 else slice(None)
                        assert (mine.after == other.after[pick]).all()
                        if mine.predicted is not None:
                            assert (mine.predicted.value == other.predicted.value[pick]).all()
                            assert (mine.predicted.error == other.predicted.error[pick]).all()


def test_a_wrong_number_is_seen_at_its_place_and_one_that_is_not_followed_is_not():
    class SGD(torch.optim.SGD):
        place = 17

        @torch.no_grad()
        def step(self, closure=None):
            super().step()
            p = self.param_groups[0]["params"][0]
            p.mul_(1 + 1e-6 * (torch.arange(p.numel()) == self.place))

    seen = judged(*made(SGD, "float64", SIZES, lr=0.1), chosen=AT)
    assert all(s.worst.name == "p0" and s.worst.worst[1].at == 17 and s.spent > 1e6 for s in seen)
    SGD.place = 18
    assert all(s.spent <= 1 for s in judged(*made(SGD, "float64", SIZES, lr=0.1), chosen=AT))


def test_a_rule_that_reads_whole_tensors_is_not_judged_by_some_numbers():
    seen = judged(*made(torch.optim.Adafactor, "float32", SIZES), chosen={"p0": AT["p0"], "p1": None})
    assert all("reads whole tensors" in s.unjudged["p0"] and s.moved["p1"].spent <= 1 for s in seen)

    class Scaled(torch.optim.SGD):
        @torch.no_grad()
        def step(self, closure=None):
            for p in self.param_groups[0]["params"]:
                p.sub_(p.grad / p.grad.norm())

    (step,) = judged(*made(Scaled, "float32", SIZES, lr=0.1), steps=1, chosen=AT)
    assert step.unknown and all("not known" in m.why and m.spent <= 1 for m in step.moved.values())


def test_generators_of_which_every_number_is_followed_have_their_charges_judged():
    rows = torch.cat([torch.arange(i * IN, (i + 1) * IN) for i in (1, 4)])
    columns = torch.cat([torch.arange(3) * HIDDEN + i for i in (1, 4, 5)])
    chosen = {"0.weight": rows, "0.bias": torch.tensor([1, 4]), "2.weight": columns}
    options = dict(lr=0.1, momentum=0.9, weight_decay=0.01)
    few = trained(torch.optim.SGD, chosen=chosen, **options)
    whole = trained(torch.optim.SGD, **options)
    for a, b in zip(few, whole, strict=True):
        for kind, pick in ((RESCALE, [1, 4]), (SCALE, [1, 4]), (GL, ([[1], [4]], [[1, 4]]))):
            mine, other = balance(FAMILIES[kind], a.moved), balance(FAMILIES[kind], b.moved)
            assert mine.generators.tolist() == [1, 4] and (mine.spent <= 1).all()
            assert (mine.after == other.after[pick]).all() and set(mine.worst) <= {1, 4}
    with pytest.raises(Unjudged, match="of no generator"):
        nothing = trained(torch.optim.SGD, steps=1, chosen={"0.weight": torch.tensor([0, 7])}, **options)
        balance(FAMILIES[SCALE], nothing[0].moved)


def test_operations_that_are_not_elementwise_are_unknown_and_end_as_they_stand():
    x = torch.arange(12.0).reshape(3, 4) / 7
    at = torch.tensor([1, 5])
    shadow = Partial(scope=Chosen([], [], [(x, at)]))
    shadow.forget()
    with shadow:
        y = x * 3 + 1  # followed
        y.t().mul_(2)  # read otherwise than it was begun
        z = x + x.sum()
    assert shadow.told.unknown.keys() == {"mul of some numbers", "sum of some numbers"}
    assert shadow.of(z).value.shape == (2,) and (abs(shadow.of(z).error) > 0).all()
    assert abs(shadow.of(z).value - z.reshape(-1)[at].numpy()).max() <= shadow.of(z).error.max()
    assert (shadow.of(y).value == y.reshape(-1)[at].numpy()).all() and not shadow.of(y).error.any()


def test_what_is_not_followed_is_not_held():
    for way in ways("AdamW"):
        optimizer, names = made(torch.optim.AdamW, "float32", [(10**5,)], **way)
        (p,) = names
        p.grad = torch.ones_like(p)
        judge = StepJudge(optimizer, names, {"p0": torch.arange(10)})
        for _ in range(2):
            judge.before()
            optimizer.step()
            shadow = judge._shadow
            assert max(x.value.size for y in (shadow, *shadow.beside) for x in y.entries.values()) == 10
            assert judge.after().spent <= 1
