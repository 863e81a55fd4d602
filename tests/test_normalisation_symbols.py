"""Every symbol of every statement on normalised weights is noticed."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from test_normalisation import (
    cell,
    records,  # noqa: F401
)

from noether.cases import CORE
from noether.kernels.loops import launch, noise, noisy_launch
from noether.laws.normalisation import (
    balance,
    correlation,
    equilibrium,
    fourth_power,
    norm_equation,
    relaxation,
    twin,
    white_noise,
    white_twin,
)
from noether.laws.normalisation import cell as cell_constants
from noether.laws.normalisation.cell import Cell
from noether.verdicts.record import VIOLATED


def perturbed(name: str, factor: float):
    """launch.run, executing a launch in which one parameter of every lane is so many times as large."""
    right = launch.run

    def wrong(j, backend="numpy"):
        params, q0, counters = j.params.copy(), j.q0, j.counters
        if name in noisy_launch.PARAMETERS:
            params[noisy_launch.PARAMETERS.index(name)] *= factor
        elif name == "|ghat|":
            params[3:5] *= factor
        elif name == "start":
            q0 = q0 * factor
        else:
            counters = counters.copy()
            counters[2] = np.minimum(counters[2].astype(float) * factor, noise.WHITE).astype(np.uint32)
        return right(replace(j, params=params, q0=q0, counters=counters), backend)

    return wrong


NOTICED = {
    "S2": (
        ("eta", 1.01),
        ("eta", 0.99),
        ("beta", 0.99),
        ("beta", 1.01),
        ("k", 1.01),
        ("|ghat|", 0.99),
        ("start", 1.005),
        ("flips", 0.97),
    ),
    "S3": (("eta", 1.0001), ("beta", 0.9999), ("k", 1.0001), ("|ghat|", 0.9999)),
    "S4": (
        ("eta", 1.01),
        ("beta", 0.99),
        ("k", 1.01),
        ("k", 0.99),
        ("|ghat|", 0.99),
        ("start", 1.005),
        ("drift", 1.01),
    ),
}


FIRST = {
    "S2": ("coherent", "relaxation", "correlation", "memory"),
    "S3": ("settled", "fluctuating"),
    "S4": ("white_drift", "coherent_twin", "white_memory"),
}


MODULES = {"S2": (fourth_power, correlation), "S3": (equilibrium, white_noise), "S4": (white_twin, twin)}


def home(law, part):
    return next(m for m in MODULES[law] if hasattr(m, part))


@pytest.mark.parametrize(("law", "name", "factor"), [(law, *x) for law, xs in NOTICED.items() for x in xs])
def test_a_launch_with_one_parameter_off_by_a_percent_is_noticed(law, name, factor, monkeypatch):
    """Of S3, whose statements are exact, by 1e-4; r_0 by half a percent is 2 % of r^4."""
    monkeypatch.setattr(launch, "run", perturbed(name, factor))
    for part in FIRST[law]:
        if any(
            r.verdict == VIOLATED for r in getattr(home(law, part), part)(cell(law, part)) if r.fault is None
        ):
            return
    pytest.fail(f"{law} does not notice {name} x {factor}")


def test_every_coefficient_of_every_statement_has_a_stated_power(records):
    found = {}
    for r in (r for rs in records.values() for r in rs if r.fault is None):
        for name, x in r.powers.items():
            found.setdefault(r.law, {})[name] = min(x, found.get(r.law, {}).get(name, np.inf))
    assert set(found["S1"]) == {"prediction", "m", "mu", "k", "kinetic term", "|ghat|^2", "R"}
    assert set(found["S2"]) == {"prediction", "rho", "correlation of the noise", *relaxation.SYMBOLS}
    assert set(found["S3"]) == {"prediction", *balance.NAMES}
    assert set(found["S4"]) == {
        "prediction",
        "<ghat>",
        "lr, white",
        *twin.TWIN,
        *(f"{x}, white" for x in twin.TWIN if x != "lr"),
    }
    assert all(x < 0.01 for law in found.values() for x in law.values()), found


@pytest.mark.parametrize("name", ["m", "mu", "k", "kinetic"])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_symbol_of_the_norm_equation_is_noticed(name, sign, flows):
    case, runs, true, times = flows
    law = dict(zip(("m", "mu", "k"), true, strict=True)) | {"kinetic": 2.0}
    law[name] = law[name] * (1 + sign * 2.0**-30)
    c = Cell("S1", case, "flow", "quick", 0, "scipy")
    assert norm_equation.balanced(c, runs, law, true, times, None).verdict == VIOLATED


@pytest.fixture(scope="module")
def flows():
    case = next(c for c in CORE if c.name == "rayleigh")
    true = np.array(list(product(norm_equation.MASSES, norm_equation.FRICTIONS, norm_equation.DECAYS))).T
    rng = np.random.default_rng(0)
    q0 = case.draw(rng, true.shape[1])
    times = np.linspace(0, 0.5, 3)
    return (
        case,
        norm_equation.solved(case, 0.0, np.concatenate([q0, rng.uniform(-1, 1, q0.shape)]), *true, times),
        tuple(true),
        times,
    )


def test_parameters_are_in_general_position():
    """No two of beta, 1 - beta, 1 + beta, k, |ghat|, |ghat|^2, rho, 1 - rho, 1 and eta k are equal, or twice
    or half of each other."""
    for beta, exponent in cell_constants.SETTINGS["quick"]:
        K, G = cell_constants.K, cell_constants.G
        values = [beta, 1 - beta, 1 + beta, K, G, G**2, 1.0, 2.0**-exponent]
        values += [x for rho in correlation.RHO["quick"][1:] for x in (rho, 1 - rho)]
        ratios = [abs(np.log2(a / b)) for i, a in enumerate(values) for b in values[:i]]
        assert min(min(x, abs(x - 1)) for x in ratios) > 0.015
