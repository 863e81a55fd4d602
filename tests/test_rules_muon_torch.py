"""Muon is torch.optim.Muon: momentum and decay, and its five steps where PyTorch's rounding is put in."""

import numpy as np
import pytest
from rule_steps import FLOATS, parameters, step

from noether.cases.matrices import flat, matrix, norm, shape
from noether.cases.rules.muon import MUON, STEPS, newton_schulz
from noether.kernels.programs.precision import representable

torch = pytest.importorskip("torch")
each_shape = pytest.mark.parametrize("d", [2, 4, 6, 8, 9], ids=lambda d: "{}x{}".format(*shape(d)))
U = 2.0**-53
GIVEN = dict(eta=2.0**-4, beta=0.5, k=0.25, stability=2.0**-20)


pytestmark = pytest.mark.usefixtures("one_thread")


def optimised(q, gradients, dtype, **given):
    """q and the buffer of torch.optim.Muon before the first step and after each, float64 of (d,)."""
    weight = torch.nn.Parameter(torch.tensor(q.reshape(shape(len(q))), dtype=dtype))
    name, options = MUON.torch(parameters(MUON, 1, **given))
    optimizer = getattr(torch.optim, name)([weight], **options)
    now = lambda x: x.detach().double().numpy().ravel().copy()
    yield now(weight), np.zeros(len(q))
    for g in gradients:
        weight.grad = torch.tensor(g.reshape(shape(len(q))), dtype=dtype)
        optimizer.step()
        yield now(weight), now(optimizer.state[weight]["momentum_buffer"])


DOUBT = 2.0**-18
"""How far single precision may take a number before it is rounded to bfloat16.

With |X|_2 <= 1.21 the parts of b A + c A A and of a X + P X add up to less than 12 in size, and their sums of
at most four exact products round less than five times: 12 * 5 * 2^-24.
"""


class Bfloat16:
    """Rounds matrices to bfloat16, and says whether single precision could have gone another way anywhere."""

    def __init__(self):
        self.certain = True

    def __call__(self, X):
        x = np.array(X, float)
        kept = representable(x, "bfloat16")
        for side in (x - DOUBT, x + DOUBT):
            self.certain &= np.array_equal(representable(side, "bfloat16"), kept)
        return kept.tolist()


def in_bfloat16(ahead):
    """The matrix of the step along `ahead`, by the rule's own iteration in bfloat16, and whether certain."""
    kept = Bfloat16()
    X = kept(matrix(list(ahead)))
    ((size,),) = kept([[norm(flat(X), FLOATS)]])
    X = kept([[x / size for x in row] for row in X])
    for _ in range(STEPS):
        X = newton_schulz(X, kept)
    return np.array(flat(X)), kept.certain


@each_shape
def test_every_step_is_pytorchs_with_its_roundings_to_bfloat16_to_the_bit(d):
    """On numbers of few digits q and m are exact in float64, so that the step can be read off. It is compared
    where no rounding to bfloat16 is in doubt; without these roundings q moves to other numbers."""
    rng = np.random.default_rng(d)
    seen = 0
    for _ in range(40):
        q, g = rng.integers(-64, 65, (2, d)) / 32
        (_, _), (after, m) = optimised(q, [g], torch.float64, **GIVEN)
        unrounded, (mine,) = step(MUON, q, [np.zeros(d)], g, **GIVEN)
        assert np.array_equal(m, mine) and not np.array_equal(after, unrounded)
        O, certain = in_bfloat16((1 - GIVEN["beta"]) * g + GIVEN["beta"] * m)
        if certain:
            seen += 1
            assert np.array_equal(after, (1 - GIVEN["eta"] * GIVEN["k"]) * q - GIVEN["eta"] * O)
    assert seen >= 5, f"only {seen} of 40 steps could be compared"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_a_hundred_steps_are_pytorchs_within_the_roundings_of_both(dtype):
    """m rounds three times in each of both, q four times."""
    rng, u = np.random.default_rng(1), torch.finfo(dtype).eps / 2
    given = dict(eta=float(np.float32(0.02)), beta=0.953125, k=0.125, stability=2.0**-20)
    gradients = rng.normal(size=(100, 6)).astype(np.float32).astype(float)
    path = list(optimised(rng.normal(size=6), gradients, dtype, **given))
    seen = []
    for n, ((q, m), g, (after, new)) in enumerate(zip(path[:-1], gradients, path[1:], strict=True), 1):
        mine = step(MUON, q, [m], g, n, **given)[1][0]
        assert np.all(np.abs(mine - new) <= 6 * u * (np.abs(m) + np.abs(g)))
        O, certain = in_bfloat16((1 - given["beta"]) * g + given["beta"] * new)
        if certain and dtype == torch.float64:
            seen.append(n)
            want = (1 - given["eta"] * given["k"]) * q - given["eta"] * O
            assert np.all(np.abs(after - want) <= 8 * u * (np.abs(q) + given["eta"] * np.abs(O)))
    assert dtype == torch.float32 or len(seen) > 20
