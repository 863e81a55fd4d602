"""The orders of discrete updates against their continuous models, O1 to O15 (theory.md section 5)."""

from __future__ import annotations

from types import ModuleType

from noether.laws.law import Family, Law
from noether.laws.orders import adaptive, faults
from noether.verdicts.record import ORDER

LAWS = (
    Law(
        key="O1",
        title="gradient descent, gradient flow",
        equation=(
            r"|q_N - q(N \eta)| = O(\eta^p): \quad p = 1 \text{ for } \dot q = -g, \quad p = 2 \text{ for "
            r"} f + \frac{\eta}{4} |g|^2, \quad p = 3 \text{ one term further}"
        ),
        kind=ORDER,
        applies="gradient descent, Euclidean cases",
        blind=(),
        faults=(faults.TOO_LONG, faults.CONSTANT, *faults.WITHOUT_TERMS.values()),
    ),
    Law(
        key="O2",
        title="gradient descent has a mass",
        equation=r"|q_N - q(N \eta)| = O(\eta^2), \quad \frac{\eta}{2} \ddot q + \dot q + g = 0",
        adds="and never of order 3",
        kind=ORDER,
        applies="gradient descent, Euclidean cases",
        blind=(),
        faults=(faults.TOO_LONG, faults.CONSTANT, faults.START_ZERO, faults.THIRD_ORDER),
    ),
    Law(
        key="O3",
        title="heavy ball and its equation",
        equation=(
            r"|q_N - q(N \eta)| = O(\eta^2), \quad m \ddot q + \mu \dot q + g + k q = 0, \quad m = "
            r"\frac{\eta (1 + \beta)}{2}, \quad \mu = 1 - \beta"
        ),
        adds="from the start velocity of the model; from another of order 1",
        kind=ORDER,
        applies="heavy ball, Euclidean cases",
        blind=(),
        faults=(
            faults.TOO_LONG,
            faults.CONSTANT,
            faults.START_ZERO,
            faults.START_FORCE,
            faults.START_REST,
            faults.HALF_MASS,
            faults.IN_THE_LAYER,
            faults.OF_THE_FLOW,
            faults.MODIFIED_COLD,
            faults.MODIFIED_SHARE,
        ),
    ),
    Law(
        key="O4",
        title="rate at which a charge decays",
        equation=r"-\ln \beta = \frac{2 (1 - \beta)}{1 + \beta} + O((1 - \beta)^3) \quad \text{per step}",
        adds=r"the model's rate is the (1,1) Padé approximant of the exact one",
        kind=ORDER,
        applies="heavy ball, rotations and translations",
        blind=("the gradient: any symmetric loss will do",),
        faults=(
            faults.CONSTANT,
            faults.MODEL_EXACT,
            faults.PLAIN_DECAY,
            faults.HALF_MASS_DECAY,
            faults.MODEL_HALF_MASS,
            faults.MODEL_FULL_MASS,
        ),
    ),
    Law(
        key="O5",
        title="discrete and continuous charge",
        equation=(
            r"\frac{1}{\eta} \langle A q_n, v_n \rangle - \langle A q, \dot q \rangle = O(\eta), \quad "
            r"\frac{1}{2 \eta} \langle A q_n, v_n + v_{n+1} \rangle - \langle A q, \dot q \rangle = "
            r"O(\eta^2)"
        ),
        adds=r"under gradient descent $Q$ drifts at the rate $\frac{\eta}{2} \langle g, A g \rangle$",
        kind=ORDER,
        applies="heavy ball; gradient descent, symmetric generators",
        blind=(),
        faults=(faults.CONSTANT, faults.NOT_CENTRED, faults.CONSERVED, faults.HALF_DRIFT),
    ),
    Law(
        key="O6",
        title="decoupled decay and its equation",
        equation=(
            r"|q_N - q(N \eta)| = O(\eta^2), \quad m \ddot q + (\mu + \eta \beta k) \dot q + \mu k q + g "
            r"= 0"
        ),
        adds=r"from $\dot q(0) = \frac{2 \beta v_0/\eta - g}{1 + \beta} - k q_0$",
        kind=ORDER,
        applies="decoupled decay, Euclidean cases",
        blind=(),
        faults=(
            faults.TOO_LONG,
            faults.CONSTANT,
            faults.NO_DECAY_FRICTION,
            faults.SQUARE_FRICTION,
            faults.START_WITHOUT_DECAY,
            faults.START_COUPLED,
            faults.BUFFER_FORGOTTEN,
            faults.COUPLED_SPRING,
        ),
    ),
    Law(
        key="O7",
        title="Nesterov, dampening, schedules",
        equation=(
            r"|q_N - q(N \eta)| = O(\eta^2), \quad m \ddot q + (\mu + \eta \beta H) \dot q + g = 0 \text{ "
            r"(Nesterov)}, \quad m \ddot q + \left( \mu - c \eta \frac{\dot s}{s} \right) \dot q + s g = "
            r"0 \text{ (schedule } s)"
        ),
        adds=(
            r"dampening takes the time $\eta (1 - \tau)$; $c$ is $\beta$, $(1 + \beta)/2$ or 1 for "
            r"rates at the start, the middle or the end of a step"
        ),
        kind=ORDER,
        applies="options of heavy ball, Euclidean cases",
        blind=(),
        faults=(
            faults.TOO_LONG,
            faults.CONSTANT,
            faults.NO_CURVATURE,
            faults.OTHER_CURVATURE,
            faults.START_HEAVY_BALL,
            faults.FIRST_DAMPENED,
            faults.UNDAMPED_MASS,
            faults.UNDAMPED_TIME,
            faults.NO_SCHEDULE_FRICTION,
            faults.OTHER_BUFFER,
            faults.SCHEDULE_START_ZERO,
            *faults.OTHER_PLACE.values(),
        ),
    ),
    Law(
        key="O8",
        title="models on curved metrics",
        equation=(
            r"|q_N - q(N \eta)| = O(\eta^2): \quad \frac{\eta}{2} \frac{d}{dt} (G \dot q) + G \dot q + g "
            r"= 0 \text{ (mirror)}, \quad \frac{\eta}{2} \ddot q + \dot q + G^{-1} g = 0 \text{ (natural "
            r"gradient)}"
        ),
        adds=(
            "each against its own model, of order 1 against another's; the Bregman Lagrangian is "
            "of order 2 for mirror descent"
        ),
        kind=ORDER,
        applies="diagonal and Bregman metrics; sign descent: Euclidean cases",
        blind=("sign descent beyond a sign change",),
        faults=(
            faults.TOO_LONG,
            faults.CONSTANT,
            faults.OTHER_GDOT,
            *faults.OTHER_MODEL.values(),
            *faults.BREGMAN.values(),
            faults.EULER_LAGRANGE,
            faults.NO_GDOT,
            faults.START_NATURAL,
            faults.NO_KINETIC_MULTIPLIER,
            faults.START_ZERO,
            faults.GRADIENT_FOR_SIGN,
        ),
    ),
    Law(
        key="O9",
        title="state in the overdamped limit",
        equation=r"|q_m - q_{\text{flow}}| = O(m)",
        kind=ORDER,
        applies="every case",
        blind=("mu and G, as far as they enter both alike",),
        faults=(faults.CONSTANT, faults.LIMIT_SECOND, faults.FLOW_FRICTION, faults.START_LARGE),
    ),
    *adaptive.LAWS,
)


def measured() -> ModuleType:
    from noether.laws.orders import cells

    return cells


FAMILY = Family(LAWS, measured)
