"""Faults of rules with moments: bias corrections, the root and what stabilises it, decay, memories.

    m' = beta m + (1 - beta) f,   s' = beta2 s + (1 - beta2) f^2
    q' = q - eta / (1 - beta^n) m' / (sqrt(s' / (1 - beta2^n)) + stability)

Each wrong line stands beside the right one (noether.faults.lines), in every rule that has the right one.
"""

from __future__ import annotations

import numpy as np

from noether.faults.fault import on
from noether.faults.lines import line, numbers

CORRECTION, STABILISED, MOMENT, MEMORY = "bias correction", "stability", "moment", "memory"
DECAY = "decay"


# ---- bias corrections: known of the step's number

FIRST_POWER, SECOND_POWER = "power(p.beta, n)", "power(p.beta2, n)"
CORRECTIONS = (
    line(
        "first moment not corrected",
        CORRECTION,
        "1 for 1 - beta^n",
        {"1 - power(p.beta, n)": "1.0"},
        {"1 - p.beta**n": "1.0"},
        {"1.0 - M": "1.0", "1.0 - M * next_mu": "1.0"},
    ),
    line(
        "second moment not corrected",
        CORRECTION,
        "1 for 1 - beta2^n",
        {"power(1 - power(p.beta2, n), 0.5)": "1.0"},
        {"power(1 - kept, 0.5)": "1.0"},
        {"1 - power(p.beta2, n)": "1.0"},
        {"1 - p.beta2**n": "1.0"},
    ),
    *(
        line(
            f"{moment} moment corrected one step {word}",
            CORRECTION,
            f"{letter}^(n {sign} 1) for {letter}^n",
            {f"power(p.{letter}, n)": f"power(p.{letter}, {other})"},
            {f"p.{letter}**n": f"p.{letter} ** {other}"},
        )
        for moment, letter in (("first", "beta"), ("second", "beta2"))
        for word, sign, other in (("late", "-", "max(n - 1, 1)"), ("early", "+", "(n + 1)"))
    ),
    line(
        "second correction without its root",
        CORRECTION,
        "1 - beta2^n for its root",
        {"power(1 - power(p.beta2, n), 0.5)": "1 - power(p.beta2, n)"},
        {"power(1 - kept, 0.5)": "1 - kept"},
        {"xp.sqrt(_x / p.c2)": "xp.sqrt(_x) / p.c2"},
        {"xp.sqrt(_x / p.correction)": "xp.sqrt(_x) / p.correction"},
    ),
    line(
        "corrections exchanged",
        CORRECTION,
        "beta for beta2 in what is known of the step",
        {FIRST_POWER: SECOND_POWER, SECOND_POWER: FIRST_POWER},
        {"p.beta**n": "p.beta2**n", "p.beta2**n": "p.beta**n"},
    ),
)

# ---- the root and its stability

ROOTS = (
    line(
        "stability inside the root",
        STABILISED,
        "sqrt(s + stability) for sqrt s + stability",
        {"xp.sqrt(_x) / _c + p.stability": "xp.sqrt(_x / (_c * _c) + p.stability)"},
        {"xp.sqrt(_x) + p.stability": "xp.sqrt(_x + p.stability)"},
    ),
    line(
        "stability outside the root",
        STABILISED,
        "sqrt s + stability for sqrt(s + stability)",
        {"xp.sqrt(_x + p.stability)": "xp.sqrt(_x) + p.stability"},
    ),
    line(
        "stability corrected too",
        STABILISED,
        "(sqrt s + stability)/root for sqrt s/root + stability",
        {"xp.sqrt(_x) / _c + p.stability": "(xp.sqrt(_x) + p.stability) / _c"},
        {"xp.sqrt(_x / _c) + p.stability": "(xp.sqrt(_x) + p.stability) / xp.sqrt(_c)"},
    ),
    line("stability ignored", STABILISED, "0 for stability", {"_x + p.stability": "_x"}),
    line(
        "root left out",
        MOMENT,
        "s for sqrt s",
        {"xp.sqrt(_x) / _c + p.stability": "_x / (_c * _c) + p.stability"},
        {"xp.sqrt(_x) + p.stability": "_x + p.stability"},
        {"xp.sqrt(_x + p.stability)": "_x + p.stability"},
    ),
)

# ---- the moments

MOMENTS = (
    line(
        "first moment without 1 - beta",
        MOMENT,
        "m' = beta m + f",
        {"mi + (1 - p.beta) * (fi - mi)": "p.beta * mi + fi"},
        {"p.beta * mi + (1 - p.beta) * gi": "p.beta * mi + gi"},
    ),
    line(
        "second moment without 1 - beta2",
        MOMENT,
        "s' = beta2 s + f^2",
        {"p.beta2 * si + (1 - p.beta2) * fi * fi": "p.beta2 * si + fi * fi"},
        {"p.beta2 * si + (1 - p.beta2) * (gi * gi)": "p.beta2 * si + gi * gi"},
    ),
    line(
        "second moment without the decay",
        MOMENT,
        "g^2 for (g + k q)^2",
        {"second_moment(_s, f, p, xp)": "second_moment(_s, g, p, xp)"},
        where=on(decays=True),
    ),
    line(
        "maximum of corrected moments",
        MOMENT,
        "max(h, s'/(1 - beta2^n)), corrected before it is compared",
        {"xp.maximum(x, y)": "xp.maximum(x, y / (p.root * p.root))", "xp.sqrt(x) / p.root": "xp.sqrt(x)"},
        where=on(rule="amsgrad"),
    ),
    line(
        "maximum left out", MOMENT, "s' for max(h, s')", {"xp.maximum(x, y)": "y"}, where=on(rule="amsgrad")
    ),
    line(
        "maximum that does not fade",
        MOMENT,
        "max(h, |f|) for max(beta2 h, |f|)",
        {"xp.maximum(p.beta2 * _x, _y)": "xp.maximum(_x, _y)"},
    ),
    line(
        "sum of squares as an average",
        MOMENT,
        "9/10 s + 1/10 f^2",
        {"si + fi * fi": "0.9 * si + 0.1 * fi * fi"},
    ),
    line("variance not centred", MOMENT, "s for s - m^2", {"si - mi * mi": "si"}),
    line("variance about twice the mean", MOMENT, "s - 2 m^2", {"si - mi * mi": "si - 2 * mi * mi"}),
    line(
        "momentum of the force",
        MOMENT,
        "b' = beta b + f, divided after it is added",
        {
            "fi / (xp.sqrt(si) + p.stability)": "fi",
            "p.eta * bi": "p.eta * bi / (xp.sqrt(s[0]) + p.stability)",
        },
    ),
    line(
        "accumulators in the other order",
        MOMENT,
        "sqrt s for sqrt s' below the step",
        {"zip(buffers[2], s, strict=True)": "zip(buffers[2], buffers[1], strict=True)"},
    ),
    line(
        "accumulators exchanged",
        MOMENT,
        "sqrt s'/sqrt a for sqrt a/sqrt s'",
        {"zip(buffers[2], s, strict=True)": "zip(s, buffers[2], strict=True)"},
    ),
    line(
        "steps accumulated with their rate",
        MOMENT,
        "(eta delta)^2 for delta^2",
        {
            "second_moment(buffers[2], delta, p, xp)": "second_moment(buffers[2], [p.eta * x for x in delta],"
            " p, xp)"
        },
    ),
)

# ---- schedules that a rule brings along

SCHEDULES = (
    line("momentum schedule too fast", "schedule", "psi = 1 for .004", {"n * MOMENTUM_DECAY": "n"}),
    line("momentum schedule stands still", "schedule", "mu_n = beta/2", {"n * MOMENTUM_DECAY": "0"}),
    line(
        "momentum schedule one step late",
        "schedule",
        "mu_n for mu_(n+1)",
        {"momentum(n + 1, _b)": "momentum(n, _b)"},
    ),
    line(
        "rectification ignored",
        "ignored option",
        "r = 1",
        {"np.where(enough, rectification, 1.0)": "np.ones_like(rectification)"},
    ),
    line(
        "rectified one step early", "schedule", "rho_n > 4 for rho_n > 5", {"length > ENOUGH": "length > 4.0"}
    ),
    line(
        "never rectified",
        "schedule",
        "m' alone, as in the first steps",
        {"length > ENOUGH": "length > np.inf"},
    ),
)

# ---- parameters

PARAMETERS = (
    line("decay without the step size", DECAY, "k for eta k", {"p.eta * p.k": "p.k"}, where=on(decays=True)),
    numbers(
        "beta and beta2 exchanged", MEMORY, "each for the other", ("beta", "beta2"), lambda rows: rows[::-1]
    ),
    numbers("root of beta2", MEMORY, "sqrt beta2 for beta2", ("beta2",), np.sqrt),
    numbers(
        "beta2 x (1 - 2^-10)",
        MEMORY,
        "the memory of the second moment",
        ("beta2",),
        lambda x: x * (1 - 2.0**-10),
    ),
    numbers("stability x 2", STABILISED, "twice the stability", ("stability",), lambda x: 2 * x),
)

FAULTS = (*CORRECTIONS, *ROOTS, *MOMENTS, *SCHEDULES, *PARAMETERS)
