"""The laws of rules with memories or a momentum that grows, O10 to O15 (theory.md section 5)."""

from __future__ import annotations

from noether.laws.law import Law
from noether.laws.orders import faults
from noether.verdicts.record import ORDER

LAWS = (
    Law(
        key="O10",
        title="Adam whose memories span a time",
        equation=(
            r"|q_N - q(N \eta + \frac{\eta}{2})| = O(\eta^2): \quad \dot q = - \frac{\hat m}{\sqrt{\hat s} + "
            r"E}, \quad \dot m = a_1 (g - m), \quad \dot s = a_2 (g^2 - s), \quad \hat m = \frac{m}{1 - "
            r"e^{-a_1 t}}, \quad \hat s = \frac{s}{1 - e^{-a_2 t}}"
        ),
        adds=(
            r"with $a_1 = -\frac{\ln \beta}{\eta}$, $a_2 = -\frac{\ln \beta_2}{\eta}$ that stay as $\eta \to "
            r"0$, from $q_0 + \frac{\eta}{2} \frac{g}{|g| + E}$; of order 1 at $N \eta$ from $q_0$, and of "
            r"order 0 without the corrections of bias. AdamW: $\dot q = -\left( \frac{\hat m}{\sqrt{\hat s} "
            r"+ E} + k q \right) \left( 1 + \frac{\eta k}{2} \right)$"
        ),
        kind=ORDER,
        applies="Adam and AdamW, Euclidean cases",
        blind=("m and s themselves: q alone is compared",),
        faults=(
            faults.TOO_LONG,
            faults.SECOND_OF_MEMORIES,
            faults.THIRD_OF_MEMORIES,
            faults.RATES,
            faults.FROM_Q0,
            faults.NO_CORRECTION,
            faults.NO_ROOT,
            faults.OTHER_MEMORY,
            faults.NO_EARLY_DECAY,
            faults.DECAY_COUPLED,
            faults.NO_MEMORY,
        ),
    ),
    Law(
        key="O11",
        title="Adam whose memories span steps",
        equation=(
            r"|q_N - q(N \eta)| = O(\eta^2): \quad \dot q = w + \eta \frac{b_1 (|g| + E) - b_2 |g| + "
            r"E/2}{(|g| + E)^2} H w, \quad w = - \frac{g}{|g| + E}, \quad b_1 = \frac{\beta}{1 - \beta}, "
            r"\quad b_2 = \frac{\beta_2}{1 - \beta_2}"
        ),
        adds=(
            r"by components, for fixed $\beta$ and $\beta_2$; of order 1 for $\dot q = w$, and without the "
            r"corrections of bias"
        ),
        kind=ORDER,
        applies="Adam, Euclidean cases",
        blind=("what comes after a component of the gradient changes its sign",),
        faults=(
            faults.TOO_LONG,
            faults.SECOND_OF_STEPS,
            faults.THIRD_OF_STEPS,
            faults.EQUAL_MEMORIES,
            faults.NO_CORRECTION,
            faults.LONG_MEMORY,
        ),
    ),
    Law(
        key="O12",
        title="Adagrad, RMSprop and their equation",
        equation=(
            r"|q_N - q(N h + \frac{h}{2})| = O(h^2): \quad \dot q = -D (g + \frac{h}{2} H D g), \quad \dot S "
            r"= a (g^2 - l S), \quad D = \frac{1}{\sqrt S + e}"
        ),
        adds=(
            r"Adagrad: $h = \eta^2$, $S = h s$, $a = 1$, $l = 0$, $e = \eta E$; RMSprop: $h = \eta$, $S = "
            r"s$, $a = -\frac{\ln \beta_2}{\eta}$, $l = 1$, $e = E$; of order 1 at $N h$ from $q_0$. From $s "
            r"= 0$ and $E = 0$ it is of order $\frac{1}{2}$ in $h$, and of order 1 from $q_0 - "
            r"\zeta(\frac{1}{2}) \sqrt{h/a}$ sign $g_0$"
        ),
        kind=ORDER,
        applies="Adagrad and RMSprop, Euclidean cases",
        blind=("from s = 0: cases where a component of the gradient is small",),
        faults=(
            faults.TOO_LONG,
            faults.FOURTH_OF_SQUARES,
            faults.NO_EULER,
            faults.OTHER_SQUARES,
            faults.NO_STABILITY,
            faults.NO_ZETA,
        ),
    ),
    Law(
        key="O13",
        title="Nesterov's increasing momentum",
        equation=(
            r"|q_N - q(N h + \frac{3 h}{2})| = O(h^2), \quad h = \sqrt \eta: \quad \ddot q + \left( "
            r"\frac{3}{t} + h H \right) \dot q + \left( 1 + \frac{3 h}{2 t} \right) g = 0"
        ),
        adds=(
            r"from $q_0$ at $t = 0$; of order 1 at $N h$ for $\ddot q + \frac{3}{t} \dot q + g = 0$, of "
            r"order 0 for $\frac{2}{t}$ or $\frac{4}{t}$"
        ),
        kind=ORDER,
        applies="Nesterov with increasing momentum, Euclidean cases",
        blind=(),
        faults=(
            faults.TOO_LONG,
            faults.SECOND_OF_FRICTION,
            faults.OF_X,
            faults.LOW_RESOLUTION,
            *faults.OTHER_FRICTIONS.values(),
        ),
    ),
    Law(
        key="O14",
        title="quasi-hyperbolic momentum",
        equation=(
            r"|q_N - q(N \eta)| = O(\eta^2), \quad m \ddot q + (1 + c (H + k)) \dot q + g + k q = 0, \quad m "
            r"= \frac{\eta (1 + \beta)}{2 (1 - \beta)}, \quad c = \frac{\eta \beta (1 - \nu)}{1 - \beta}"
        ),
        adds=(
            r"from $\dot q(0) = -(g + k q) + \frac{2 \nu \beta}{1 + \beta} (g + k q + \frac{v_0}{\eta})$; "
            r"from another of order 1"
        ),
        kind=ORDER,
        applies="quasi-hyperbolic momentum, Euclidean cases",
        blind=(),
        faults=(
            faults.TOO_LONG,
            faults.CONSTANT,
            faults.NO_CURVATURE,
            faults.OF_NESTEROV,
            faults.START_HEAVY_BALL,
        ),
    ),
    Law(
        key="O15",
        title="Adam with a large stability",
        equation=(
            r"|q_N^{\text{Adam}} - q_N^{\text{heavy ball}}| = O(E^{-1}), \quad \eta_{\text{Adam}} = \eta E, "
            r"\quad q' = q - \eta \frac{m'}{1 - \beta^n}"
        ),
        adds=(
            r"of order 2 in $1/E$ with the factor $1 - \sqrt{\hat s}/E$, and of order 0 without the "
            r"correction of bias"
        ),
        kind=ORDER,
        applies="Adam, Euclidean cases",
        blind=(),
        faults=(faults.TOO_LONG, faults.SECOND_OF_CROSSOVER, faults.NO_CORRECTION, faults.INSIDE),
    ),
)
"""Adam in its limits, Adagrad and RMSprop, increasing and quasi-hyperbolic momentum."""
