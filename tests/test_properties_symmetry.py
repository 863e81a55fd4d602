"""Equivariance: a rule whose kinetic energy has a symmetry of the loss maps mapped starts to mapped ends;
others do not.

    map                                        bit for bit where
    sign flips that keep the loss              the traced program is odd under them: rounding to nearest is
                                               odd too
    quarter turns I + A + A^2 of a rotation A  never asked: sums are taken in another order
    translations by a power of two             never asked: sums have another size

Where bits are not asked, one step from Q q is Q of one step from q within the two steps' derived bounds
(theory.md#R0): each is off the exact step, which is equivariant, by at most its own delta and sigma. Every
state of a trajectory is a start of such a step. Scalings keep the loss but no kinetic energy here: there the
same comparison must fail.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_properties import EUCLIDEAN, FINITE, fails, with_params

import noether.kernels.programs.numpy_step
from noether.campaigns.fuzz.strategies import launches
from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import launch
from noether.kernels.programs.precision import Precision, representable
from noether.mechanics.domain import leaving, normal_steps
from noether.mechanics.trajectory import Trajectory

BY_NAME = {c.name: c for c in CORE}
HAT, NETWORK, RAYLEIGH, MIRROR = (
    BY_NAME[n] for n in ("mexican-hat", "linear-network", "rayleigh", "entropy-mirror")
)
HEAVY = RULES["heavy-ball"]


# ---- isometries, within the bounds of one step


def steps_from(job):
    """Every finite state of a run as the start of a launch of one step; None where there is none."""
    z, v = launch.run(job, "numpy").wide()
    finite = np.isfinite(z).all(axis=1) & np.isfinite(v).all(axis=1)
    fine = (finite[:-1] & finite[1:]).ravel()
    flat = lambda x: np.moveaxis(x[:-1], 1, 0).reshape(x.shape[1], -1)[:, fine]
    return (
        replace(job, q0=flat(z), v0=flat(v), params=np.tile(job.params, (1, job.steps))[:, fine], steps=1)
        if fine.any()
        else None
    )


def one_step(case, job, **planted):
    return Trajectory(case, job.rule, job.precision, *launch.run(job, "numpy", **planted).wide(), job.params)


def apart(case, job, map_q, map_v, **planted):
    """(lanes,) how far one step of the mapped start is from the mapped step, in units of the two steps'
    bounds; where a state is inside."""
    q0, v0 = map_q(job.q0), map_v(job.v0)
    exact = (representable(q0, job.precision.q_store) == q0).all(axis=0) & (
        representable(v0, job.precision.v_store) == v0
    ).all(axis=0)
    if not exact.any():
        return np.zeros(0)
    pick = lambda x: x[:, exact]
    here = replace(job, q0=pick(job.q0), v0=pick(job.v0), params=pick(job.params))
    there = replace(here, q0=pick(q0), v0=pick(v0))
    a, b = one_step(case, here, **planted), one_step(case, there, **planted)
    with np.errstate(all="ignore"):
        off = np.concatenate([map_v(a.v[1]) - b.v[1], map_q(a.z[1]) - b.z[1]])
        bound = lambda t: (t.delta[0], (t.delta + t.sigma)[0])
        spread = lambda x: np.abs(map_v(np.eye(len(x)))) @ x.astype(np.longdouble)
        room = np.concatenate([spread(x) + y for x, y in zip(bound(a), bound(b), strict=True)])
        # The maps are formed in wide arithmetic from stored numbers: two roundings of 2^-64 each.
        room = room + 2.0**-62 * np.concatenate([np.abs(map_v(a.v[1])), np.abs(map_q(a.z[1]))])
        spent = np.where(off == 0, 0.0, np.abs(off) / room).max(axis=0)
    inside = (
        ~(leaving(case, here) | leaving(case, there)) if not (spent <= 1).all() else np.ones(len(spent), bool)
    )
    return spent[inside].astype(float)


def quarter_turn(symmetry) -> np.ndarray:
    """exp(A pi/2) for A^3 = -A: a signed permutation."""
    A = symmetry.matrix
    assert np.array_equal(A @ A @ A, -A)
    return np.eye(len(A)) + A + A @ A


TURNS = [(c, s) for c in EUCLIDEAN for s in c.symmetries if s.is_rotation]
SHIFTS = [(c, s) for c in EUCLIDEAN for s in c.symmetries if s.is_translation]
GROWTHS = [
    (c, s)
    for c in EUCLIDEAN
    for s in c.symmetries
    if s.is_symmetric and np.array_equal(s.matrix, np.diag(np.diag(s.matrix)))
]


def turned_alike(drawn, **planted):
    case, symmetry, job = drawn
    R = quarter_turn(symmetry)
    starts = steps_from(with_params(job, eps=0.0))
    if starts is None:
        return
    spent = apart(case, starts, lambda q: R @ q, lambda v: R @ v, **planted)
    assert (spent <= 1).all(), f"{job}: a quarter turn by {symmetry.name} is {spent.max():.3g} bounds off"


def of(pairs, **given_):
    return st.sampled_from(pairs).flatmap(
        lambda p: launches(case=p[0], **given_).map(lambda drawn: (p[0], p[1], drawn[1]))
    )


@given(of(TURNS, lanes=st.sampled_from([1, 3, 7]), steps=st.integers(1, 6)))
@settings(max_examples=40)
def test_quarter_turns_of_a_symmetric_loss_turn_the_run(drawn):
    turned_alike(drawn)


def stretched(n, q, v, params, gradient, rule, precision):
    """A diagonal metric: the first component's mass is 1 + 2^-6 of the others'."""

    def tilted(at, eps):
        return [g * g.dtype.type(1 + 2.0**-6 * (i == 0)) for i, g in enumerate(gradient(at, eps))]

    return noether.kernels.programs.numpy_step.step(q, v, params, tilted, rule, precision)


def test_a_diagonal_metric_does_not_turn():
    strategy = of(
        [p for p in TURNS if p[0] is HAT and p[1].matrix[0].any()],
        regime="ordinary",
        precision=Precision("float64"),
    )
    assert "bounds off" in fails(strategy, lambda drawn: turned_alike(drawn, advance=stretched))


def shifted_alike(drawn, j, k=0.0):
    case, symmetry, job = drawn
    by = symmetry.shift[:, None] * 2.0**j
    spent = apart(case, replace(with_params(job, eps=0.0, k=k), steps=1), lambda q: q + by, lambda v: v)
    assert (spent <= 1).all(), (
        f"{job}: a shift of 2^{j} along {symmetry.name} is {spent.max():.3g} bounds off"
    )
    return len(spent)


@given(of(SHIFTS, regime="few-bits"), st.integers(-3, 2))
@settings(max_examples=40)
def test_translations_of_a_symmetric_loss_translate_the_step(drawn, j):
    assert shifted_alike(drawn, j), "no start could be shifted exactly: nothing was compared"


def test_a_decaying_step_does_not_translate():
    """Weight decay pulls towards the origin: the potential, not the kinetic energy, breaks the
    translation."""
    assert "bounds off" in fails(of(SHIFTS, regime="few-bits"), lambda drawn: shifted_alike(drawn, 0, k=0.25))


@pytest.mark.parametrize("pair", GROWTHS, ids=lambda p: f"{p[0].name}-{p[1].name}")
def test_scalings_keep_the_loss_and_not_the_kinetic_energy(pair):
    """f(S q) = f(q) for S = 2^A, and yet one step of S q is no S of the step, by more than the bounds, in
    every ordinary lane."""
    case, symmetry = pair
    S = np.exp2(np.diag(symmetry.matrix))[:, None]

    @given(launches(case=case, regime="ordinary", precision=Precision("float64"), steps=1, eps=0.0, k=0.0))
    @settings(max_examples=10)
    def checked(drawn):
        _, job = drawn
        q = job.q0
        assert np.allclose(
            case.loss(S * q, np), case.loss(q, np), rtol=2.0**-40, atol=0
        )  # d^2 roundings of 2^-53
        spent = apart(case, job, lambda x: S * x, lambda x: S * x)
        assert len(spent) and (spent > 1).all()

    checked()


@given(launches(case=MIRROR, regime="few-bits", precision=Precision("float64"), steps=1, eps=0.0))
@settings(max_examples=10)
def test_mirror_descent_keeps_no_scaling_either(drawn):
    """log q + 1/2 is another point of the same loss; the entropy's metric is 1/q, and a step of it another
    one."""
    case, job = drawn
    spent = apart(case, job, lambda z: z + 0.5, lambda v: v)
    assert (spent > 1).all()


def test_there_is_something_to_turn_shift_and_scale():
    assert len(TURNS) >= 4 and len(SHIFTS) >= 2 and len(GROWTHS) >= 3


# ---- covariance, D13


def covariant(drawn, j, power=2):
    """D13: run(a q0, a v0; a^2 eta, k/a^2) = a run(q0, v0; eta, k) for a = 2^j, to the first subnormal
    number."""
    case, job = drawn
    a = 2.0**j
    other = replace(
        job, q0=a * job.q0, v0=a * job.v0, params=job.params * np.array([[a**power], [1], [a**-2], [1]])
    )
    normal = (normal_steps(case, job) & normal_steps(case, other))[:, None, :]
    z, v = launch.run(job, "numpy").wide()
    for mine, theirs in zip((z, v), launch.run(other, "numpy").wide(), strict=True):
        with np.errstate(all="ignore"):
            wrong = (a * mine != theirs) & normal & np.isfinite(theirs)
        assert not wrong.any(), f"{job} scaled by 2^{j} is another run"


COVARIANT = st.sampled_from(
    [r for r in RULES.values() if r.metric == "euclidean" and r.screened]
)  # a metric of its own does not scale along
SCALE_FREE = launches(
    case=st.sampled_from([c for c in EUCLIDEAN if c.scale_free]), rule=COVARIANT, regime=FINITE, eps=0.0
)


@given(SCALE_FREE, st.integers(-4, 4))
@settings(max_examples=50)
def test_scale_free_losses_are_covariant_under_powers_of_two(drawn, j):
    covariant(drawn, j)


def test_eta_scaled_as_a_is_not_covariant():
    strategy = launches(case=RAYLEIGH, regime="ordinary", precision=Precision("float64"), eps=0.0)
    assert "is another run" in fails(strategy, lambda drawn: covariant(drawn, 1, power=1))
