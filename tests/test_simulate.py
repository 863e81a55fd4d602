"""What simulate returns is what verdicts rest on: the charge obeys its law within the bound, and a wrong step
does not."""

import math

import numpy as np
import pytest

import noether
from noether.api.asked import asked
from noether.api.simulate import job_of, shown
from noether.cases import CATALOG
from noether.cases.rules import RULES
from noether.kernels.loops.launch import run
from noether.laws.exact import EXACT, planted
from noether.laws.exact.cell import rules_of
from noether.laws.exact.course import course
from noether.laws.exact.shown_faults import wrong_trajectory
from noether.mechanics.trajectory import Trajectory
from noether.system.usage import CannotRun, UsageError
from noether.verdicts.judgement import spent_of

NUMPY = dict(backend="numpy")
SMALL = dict(lanes=6, steps=4, **NUMPY)
CASES = {c.name: c for c in CATALOG}
UNTOLD = ("sign-descent", "rmsprop-momentum", "accelerated-mirror-descent")  # no law predicts a charge there


def finite(s) -> np.ndarray:
    return np.isfinite(s.q).all(axis=(0, 1)) & np.isfinite(s.v).all(axis=(0, 1))


# ---- the law


@pytest.mark.parametrize(
    "name", ["mexican-hat", "product", "entropy-simplex", "deformed-rayleigh", "softmax"]
)
def test_every_charge_stays_on_its_prediction_under_every_rule(name):
    for rule in rules_of(CASES[name]):
        for precision in ("float64", "bfloat16", "float16/eager"):
            words = dict(precision=precision, eps=None, decay=None, lanes=12, steps=12)
            s = noether.simulate(name, rule, **words, **NUMPY)
            told = [i for i, law in enumerate(s.laws) if law]
            assert np.nanmax(s.spent[:, told][..., finite(s)], initial=0) <= 1, (rule, precision)
            assert bool(told) != (rule in UNTOLD)
            # A buffer that is not shown may overflow too, and an iteration may have no bound in 16 bits.
            more = finite(s).sum() + len(s.notes) - s.lanes
            hidden = len(RULES[rule].buffers) > 1 or RULES[rule].iteration is not None
            assert more == 0 or more > 0 and hidden, (rule, precision)


def test_the_charge_of_a_rotation_is_the_angular_momentum_and_decays_as_beta_to_the_n():
    s = noether.simulate("mexican-hat-2", eta=[0.01, 0.02], beta=[0.5, 0.9], steps=40, **NUMPY)
    by_hand = s.q[:, 0] * s.v[:, 1] - s.q[:, 1] * s.v[:, 0]
    assert np.abs(s.J[:, 0] - by_hand).max() <= 2.0**-52 * np.abs(s.q * s.v).sum(axis=1).max()
    decayed = by_hand[0] * np.array([0.5, 0.9]) ** np.arange(41)[:, None]
    assert (np.abs(s.J[:, 0] - decayed) <= s.bound[:, 0] + 2.0**-48 * np.abs(decayed)).all()
    assert (np.abs(s.J[0]) > 16 * s.bound[-1]).all(), "a charge of nothing would show nothing"


def test_breaking_moves_the_charge_by_what_the_law_says():
    start = dict(q0=[1, 0.4, 0.3], v0=[0, 0.1, 0])
    s = noether.simulate("mexican-hat", eps=[0.0, 0.25], eta=0.01, beta=0.9, **start, **NUMPY)
    apart = np.abs(s.J[..., 1] - s.J[..., 0]).max(axis=0)
    assert (apart > 1e6 * s.bound[-1].max(axis=-1)).any() and s.spent.max() <= 1


@pytest.mark.parametrize(
    "fault, rule, precision",
    [
        (planted.BETA_OFF, "heavy-ball", "float64"),
        (planted.DOUBLED, "nesterov", "float32"),
        (planted.STEP_OFF, "gradient-descent", "float64"),
        (planted.NO_METRIC, "heavy-ball-metric", "float64"),
    ],
)
def test_a_planted_wrong_step_leaves_the_band(fault, rule, precision):
    case = CASES["deformed-rayleigh"]
    job = job_of(asked_for(case, eps=0.25, decay=0.1), RULES[rule], precision)
    assert fault.applies(job)
    right = Trajectory.launched(case, job, *run(job, "numpy").wide())
    wrong = wrong_trajectory(case, job, fault)
    assert shown(right, backend="numpy").spent.max() <= 1 < shown(wrong, backend="numpy").spent.max()


def asked_for(case, **words):
    return asked(case, words, q0=None, v0=None, lanes=24, steps=12, seed=3)


def test_an_error_of_one_step_is_carried_on_and_not_begun_anew():
    """What D2 says of a step begins anew from every charge; the course begins once."""
    case, rule = CASES["mexican-hat-2"], RULES["heavy-ball"]
    job = job_of(asked_for(case, eps=0.0, decay=0.0, beta=0.99), rule, "float64")
    z, v = run(job, "numpy").wide()
    v[6:] *= 1.5  # the charge of a rotation jumps once, and decays as before
    t = Trajectory.launched(case, job, z, v)
    step, whole = EXACT["D2"].residual(t, case.symmetries[0]), course(t, case.symmetries[0])
    seen = [spent_of(r.measured, r.predicted, r.bound).max(axis=1) > 1 for r in (step, whole)]
    assert list(np.flatnonzero(seen[0])) == [5] and list(np.flatnonzero(seen[1])) == list(range(6, 13))


def test_the_arrays_are_those_that_the_laws_judge():
    case, (symmetry,) = CASES["product"], CASES["product"].symmetries
    job = job_of(asked_for(case, eps=None, decay=0.1), RULES["heavy-ball"], "float64")
    t = Trajectory.launched(case, job, *run(job, "numpy").wide())
    s, r = shown(t, backend="numpy"), EXACT["D2"].residual(t, symmetry)
    assert np.array_equal(s.J[1:, 0], r.measured.astype(float)) and np.array_equal(s.q, t.z.astype(float))
    first = (s.bound[1, 0] - r.bound[0].astype(float)) / s.bound[1, 0]
    assert (0 < first).all() and np.array_equal(s.predicted[1, 0], r.predicted[0].astype(float))


def test_where_no_law_predicts_a_charge_nothing_is_said_of_it():
    s = noether.simulate("product", "sign-descent", **SMALL)
    assert s.laws == ("",) and np.isnan(s.predicted).all() and np.isnan(s.spent).all()
    assert np.isfinite(s.J).all() and "no law predicts it" in repr(s)


def test_what_overflows_is_told_with_its_step():
    s = noether.simulate("mexican-hat-2", "gradient-descent", eta=[4.0, 0.01], steps=20, **NUMPY)
    (told,) = s.notes
    gone = int(np.flatnonzero(~np.isfinite(s.q[:, :, 0]).all(axis=1))[0])
    assert told.startswith("lane 0 is not finite from step") and str(gone) in told
    assert np.isnan(s.spent[gone:, 0, 0]).all() and np.isinf(s.bound[gone:, 0, 0]).all()
    assert np.nanmax(s.spent[:, 0]) <= 1 and np.isfinite(s.spent[:, 0, 1]).all()


# ---- what is asked for


def test_numbers_of_every_lane_are_taken_as_given_and_rounded_to_the_precision():
    eta = [0.1, 0.2, 0.3]
    s = noether.simulate("rayleigh", eta=eta, beta=0.9, precision="bfloat16", steps=3, **NUMPY)
    assert s.lanes == 3 and s.steps == 3 and s.q.shape == (4, 8, 3) and s.J.shape == (4, 1, 3)
    assert np.array_equal(s.parameters["eta"], np.float32(eta))  # what bfloat16 computes in is float32
    assert not s.parameters["eps"].any() and not s.parameters["k"].any()
    assert np.array_equal(s.q, s.q.astype(np.float32)) and s.precision == "bfloat16"


def test_starts_are_taken_as_given_and_what_is_not_given_is_drawn_from_the_seed():
    q0, v0 = np.array([[1.0, 2.0], [0.5, 0.25]]), [0.125, -0.5]
    s = noether.simulate("product", q0=q0, v0=v0, steps=1, **NUMPY)
    assert np.array_equal(s.q[0], q0) and np.array_equal(s.v[0].T, [v0, v0])
    a, b, c = (noether.simulate("product", seed=seed, **SMALL) for seed in (7, 7, 8))
    assert np.array_equal(a.q, b.q) and not np.array_equal(a.q, c.q)


def test_starts_of_mirror_descent_are_parameters_and_on_the_simplex_shares():
    s = noether.simulate("entropy-mirror", "mirror-descent", q0=[1, 2, 3, 4], steps=2, **NUMPY)
    off = lambda q: np.abs(s.q[0].T / q - 1).max()
    assert off([1, 2, 3, 4]) <= (1 + math.log(4)) * 2.0**-52  # exp and log round, and exp carries log's on
    assert not s.J[0].any() and s.laws == ("D7",)
    s = noether.simulate("entropy-simplex", "exponentiated-gradient", q0=[1, 1, 1, 1, 4], steps=2, **NUMPY)
    assert off([0.125] * 4 + [0.5]) <= (1 + math.log(8)) * 2.0**-52


def test_a_case_is_a_name_a_file_or_an_object(tmp_path):
    from pathlib import Path

    file = Path(__file__).parent.parent / "docs" / "examples" / "my_case.py"
    s = noether.simulate(file, steps=4, lanes=3, **NUMPY)
    assert s.q.shape[0] == 5 and s.spent.max() <= 1
    of_name, of_object = (noether.simulate(c, **SMALL) for c in ("product", CASES["product"]))
    assert np.array_equal(of_name.q, of_object.q)


@pytest.mark.parametrize(
    "words, said",
    [
        (dict(case=3), "case is int 3, must be a name, a file or a Case"),
        (dict(case="prodct"), "did you mean product"),
        (dict(rule="heavy"), "rule is 'heavy', must be one of"),
        (dict(rule="mirror-descent"), "rule mirror-descent fits none"),
        (dict(precision="float8"), "precision is 'float8'"),
        (dict(backend="gpu"), "backend is 'gpu'"),
        (dict(steps=0), "steps is 0, must be a whole number from 1"),
        (dict(lanes=2.0), "lanes is 2.0, must be a whole number"),
        (dict(lanes=2**21, steps=2), "steps is 2, must be a whole number from 1 to 1"),
        (dict(lanes=2**20, steps=2), "1048576 lanes x 2 steps of product.* must stay within 1.25 GiB"),
        (dict(seed=-1), "seed is -1"),
        (dict(eta=0), "eta is 0, must be a finite number above 0"),
        (dict(eta=[0.1, math.nan]), "eta is .* must be a finite number above 0"),
        (dict(eta="x"), "eta is 'x'"),
        (dict(beta=[[0.1]]), "beta is .* at least 0 and below 1, or an array of one for each lane"),
        (dict(beta=1.0), "beta is 1.0"),
        (dict(eta=[0.1, 0.2], beta=[0.1, 0.2, 0.3]), "numbers of lanes differ: eta 2, beta 3"),
        (dict(eta=[0.1, 0.2], lanes=3), "numbers of lanes differ: lanes 3, eta 2"),
        (dict(eta=[]), "eta is"),
        (dict(q0=[1, 2, 3]), r"q0 has shape \(3,\), must be \(2,\)"),
        (dict(q0=[1, math.inf]), "q0 has a number that is not finite"),
        (dict(q0="ab"), "q0 is 'ab', must be an array of numbers"),
        (dict(rule="gradient-descent", beta=0.9), "beta is given but rule gradient-descent has none"),
        (dict(rule="gradient-descent", v0=[1, 1]), "v0 is given but rule gradient-descent has no momentum"),
        (dict(kappa=0.5), "kappa is given but rule heavy-ball has none"),
        (dict(mass=1.0), "mass is given but rule heavy-ball has none"),
        (dict(case="entropy-mirror", rule="mirror-descent", q0=[1, 1, 1, 0]), "not above 0"),
        (dict(rule="lagrangian", eta=0.1), "eta is given but rule lagrangian has none"),
        (dict(rule="lagrangian", precision="float32"), "precision is given but rule lagrangian"),
        (dict(rule="bregman-lagrangian"), "rule is bregman-lagrangian, must be lagrangian for case product"),
        (dict(rule="lagrangian", time=-1), "time is -1, must be a finite number above 0"),
        (dict(rule="lagrangian", mass=0), "mass is 0, must be a finite number above 0"),
        (dict(rule="lagrangian", time=1e9), "time 1e.09 needs .* intervals"),
    ],
)
def test_wrong_words_are_refused_in_one_line(words, said):
    words = {"case": "product", **words}
    with pytest.raises(UsageError, match=said) as error:
        noether.simulate(words.pop("case"), words.pop("rule", "heavy-ball"), **words)
    assert "\n" not in str(error.value)


# ---- continuous time


def test_a_solution_obeys_the_theorem_within_its_bound():
    for name, rule in (("mexican-hat-2", "lagrangian"), ("entropy-mirror", "bregman-lagrangian")):
        s = noether.simulate(name, rule, mass=[0.9, 0.05], eps=0.1, steps=12, time=1.5)
        assert s.spent.max() <= 1 and set(s.laws) <= {"T1", "T2"} and not s.notes
        assert s.q.shape == (13, s.q.shape[1], 2) and np.array_equal(s.time[-1], [1.5, 1.5])


def test_the_charge_of_a_kept_symmetry_decays_by_friction_and_no_other_rate():
    s = noether.simulate("mexican-hat-2", "lagrangian", mass=0.7, friction=1.1, steps=16)
    decayed = lambda mu: s.J[0] * np.exp(-mu / 0.7 * s.time)[:, None]
    off = lambda mu: np.abs(s.J - decayed(mu))
    assert (off(1.1) <= s.bound).all() and (off(1.1 * (1 + 1e-6)) > s.bound)[1:].all()


def test_kinetic_energy_without_the_symmetry_moves_the_charge_as_predicted():
    s = noether.simulate("deformed-hat", "lagrangian", kappa=[0.0, 0.6], steps=16)
    alone = s.J[0] * np.exp(-s.parameters["mu"] / s.parameters["m"] * s.time)[:, None]
    off = np.abs(s.J - alone)
    assert (off[..., 0] <= s.bound[..., 0]).all() and (off[..., 1] > 1e6 * s.bound[..., 1]).any()
    assert s.spent.max() <= 1


def test_a_solution_starts_where_it_is_told_with_the_velocity_that_it_is_told():
    s = noether.simulate("deformed-hat", "lagrangian", kappa=0.5, q0=[1, 0.5, 0.25], v0=[0, 1, 0], steps=8)
    assert np.array_equal(s.q[0, :, 0], [1, 0.5, 0.25])
    assert np.abs(s.v[0, :, 0] - [0, 1, 0]).max() <= 2.0**-52  # p = G qdot, and back
    assert s.spent.max() <= 1


def test_a_solution_that_meets_a_kink_is_none():
    with pytest.raises(CannotRun, match="case leaky-network has no solution here"):
        noether.simulate("leaky-network", "lagrangian", q0=[1, -1, 1, 1, 1, 1], v0=[-9] * 6, time=9.0)


# ---- shown


def test_a_dataset_has_named_dimensions():
    xarray = pytest.importorskip("xarray", reason="xarray is in the extra data")
    s = noether.simulate("mexican-hat", eta=[0.01, 0.02], steps=5, **NUMPY)
    data = s.to_xarray()
    assert isinstance(data, xarray.Dataset)
    assert dict(data.sizes) == {"step": 6, "parameter": 3, "lane": 2, "symmetry": 3}
    rotation = data.J.sel(symmetry="rotation-12", lane=1)
    assert np.array_equal(rotation, s.J[:, s.symmetries.index("rotation-12"), 1])
    assert np.array_equal(data.eta, s.parameters["eta"]) and data.attrs["rule"] == "heavy-ball"
    assert all(data[name].attrs["long_name"] for name in data.data_vars) and data.attrs["notes"] == ""
    solved = noether.simulate("mexican-hat-2", "lagrangian", steps=4).to_xarray()
    assert solved.time.dims == ("step", "lane") and set(solved.law.values) == {"T1"}


def test_a_frame_has_one_row_for_each_step_of_each_lane():
    pytest.importorskip("pandas", reason="pandas is in the extra data")
    s = noether.simulate("product", eta=[0.01, 0.02], steps=5, **NUMPY)
    table = s.to_frame()
    assert len(table) == 12 and list(table.columns[:3]) == ["lane", "step", "eta"]
    row = table[(table.lane == 1) & (table.step == 3)].iloc[0]
    assert row["q[1]"] == s.q[3, 1, 1] and row["J[rescale]"] == s.J[3, 0, 1] and row.eta == 0.02
    assert row["bound[rescale]"] == s.bound[3, 0, 1] and row["predicted[rescale]"] == s.predicted[3, 0, 1]


def test_a_plot_has_dots_on_a_line_in_a_band():
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is in the extra data")
    matplotlib.use("Agg")
    s = noether.simulate("mexican-hat", lanes=9, steps=5, **NUMPY)
    ax = s.plot("rotation-02", lanes=[2, 8])
    (_, first, _, _) = ax.lines
    i = s.symmetries.index("rotation-02")
    assert np.array_equal(first.get_ydata(), s.J[:, i, 2]) and len(ax.collections) == 2
    assert len(s.plot().lines) == 2 * 6 and "rotation-02" in ax.get_ylabel()
    for wrong, said in (
        (dict(symmetry="r"), "symmetry is 'r'"),
        (dict(lanes=9), "lanes is 9, must be whole numbers from 0 to 8"),
    ):
        with pytest.raises(UsageError, match=said):
            s.plot(**wrong)
    matplotlib.pyplot.close("all")


def test_a_simulation_is_told_in_a_line_a_charge():
    told = repr(noether.simulate("mexican-hat", **SMALL))
    assert told.count("D2 spends") == 3 and "6 lanes" in told and len(told.splitlines()) == 4
