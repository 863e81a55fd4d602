"""Faults of momenta that look ahead: the share of the plain gradient, a momentum that grows with n.

    quasi-hyperbolic   v' = beta v - eta (1 - beta) f,   q' = q + nu v' - (1 - nu) eta f
    increasing         v' = c_(n-1) v - eta f,           q' = q + c_n v' - eta f,   c_n = (n - 1)/(n + 2)

Each wrong line stands beside the right one (noether.faults.lines).
"""

from __future__ import annotations

from noether.faults.lines import line, numbers

AHEAD = "momentum that looks ahead"
FAULTS = (
    line(
        "momentum n/(n + 3) one step off",
        AHEAD,
        "n/(n + 3) for (n - 1)/(n + 2)",
        {"max(n - 1, 0) / (n + 2)": "n / (n + 3)"},
    ),
    line(
        "momentum (n - 1)/(n + 3)",
        AHEAD,
        "n + 3 for n + 2",
        {"max(n - 1, 0) / (n + 2)": "max(n - 1, 0) / (n + 3)"},
    ),
    line("momentum of this step carried", AHEAD, "c_n for c_(n-1)", {"momentum(n - 1)": "momentum(n)"}),
    line(
        "shares exchanged",
        AHEAD,
        "1 - nu for nu",
        {"p.nu * wi - (1 - p.nu) * x": "(1 - p.nu) * wi - p.nu * x"},
    ),
    line(
        "gradient of the momentum not scaled",
        AHEAD,
        "eta f for (1 - beta) eta f",
        {"p.beta * vi - (1 - p.beta) * x": "p.beta * vi - x"},
    ),
    numbers("nu ignored", "ignored option", "nu = 1, the momentum alone", ("nu",), lambda rows: 0 * rows + 1),
    numbers(
        "nu x (1 - 2^-10)", AHEAD, "the share of the momentum", ("nu",), lambda rows: rows * (1 - 2.0**-10)
    ),
)
