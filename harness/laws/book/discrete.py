"""Exact laws of a discrete step, and bit equality."""

from noether.laws.book.info import NEAR_ETA, LawInfo
from noether.laws.exact import EXACT
from noether.verdicts.record import BITWISE, ROUNDING

GRADIENTS = ("gradient x 2", "gradient x (1 + 2^-10)", "ascent", NEAR_ETA, "breaking term ignored")
STATES = ("no-op kernel", "NaN in one lane", "tail lanes not written", "state 8 ulp off", "buffer 8 ulp off")
POSITIONS = tuple(c for c in STATES if not c.startswith("buffer"))
DECAYS = ("k off by 1 %", "decay decoupled for coupled", "decay applied after the step")
METRICS = ("metric ignored", "kappa x (1 + 2^-10)", "metric of the last position")
SCHEDULES = ("schedule ignored", "schedule one step late", "schedule inside the buffer")
LATE_Q, LATE_V = "late values of q off by 2^-10", "late values of v off by 2^-10"
PLACED = (
    "another start than the one asked for",
    "one value 8 ulp off",
    "one buffer value off by 2^-10",
    "NaN at one place",
    "one lane stands still",
    "one step of one lane is skipped",
    "two lanes exchanged from a step on",
    LATE_Q,
    LATE_V,
    "eta x (1 + 2^-10) from a step on",
    "nothing from a step on",
    "momentum lost in one step",
    "decay ignored from a lane on",
    "breaking ignored from a lane on",
    "eta x (1 + 2^-10) from a lane on",
    "eta x 2 from the second block of lanes on",
)
"""At one step, lane or value, anywhere in a launch."""
DISCRETE_CONTROLS = {
    "D0": (
        *STATES,
        *GRADIENTS,
        *DECAYS,
        "another loss, same symmetry",
        "beta x (1 + 2^-10)",
        "decay coupled for decoupled",
        "eta as float32",
        "bfloat16 store truncated",
        "momentum narrowed to the store",
        "one lane in 10^4, last component",
        "Nesterov ignored",
        "dampening ignored",
        "first step dampened too",
        "maximize ignored",
        *METRICS,
        "velocity kept for momentum",
        *SCHEDULES,
        "sign ignored",
        "normalisation left out",
        *PLACED,
    ),
    "D2": (
        *STATES,
        *GRADIENTS,
        *DECAYS,
        "beta x (1 + 2^-10)",
        "dropped kinetic term",
        "doubled kinetic term",
        "kinetic term of heavy ball for Nesterov's",
        "eta as float32",
        *METRICS,
        "velocity kept for momentum",
        "kinetic term without its metric",
        *SCHEDULES[2:],
    ),
    "D3": (*STATES, "beta x (1 + 2^-10)", "decay coupled for decoupled"),
    "D4": (
        *STATES,
        *GRADIENTS,
        *DECAYS,
        "beta x (1 + 2^-10)",
        "mass eta/2 for eta(1+beta)/2",
        "dropped kinetic term",
    ),
    "D1": (
        *POSITIONS,
        *GRADIENTS,
        *DECAYS,
        "another loss, same symmetry",
        "beta x (1 + 2^-10)",
        "eta as float32",
        "mass eta/2 for eta(1+beta)/2",
        "friction off by 2^-10",
    ),
    "D5": (
        *POSITIONS,
        *GRADIENTS,
        *DECAYS,
        "beta x (1 + 2^-10)",
        "dropped kinetic term",
        "old kinetic term dropped",
    ),
    "D10": (
        *POSITIONS,
        *GRADIENTS,
        "another loss, same symmetry",
        "beta x (1 + 2^-10)",
        "k off by 1 %",
        "decay coupled for decoupled",
        "force g + k q for g + (1-beta) k q",
    ),
    "D11": (*POSITIONS, *GRADIENTS, "eta as float32", "dropped kinetic term"),
    "D6": (*POSITIONS, *GRADIENTS, "k off by 1 %", "schedule ignored", "translation law at a constant rate"),
    "D7": (
        *POSITIONS,
        *GRADIENTS,
        "eta as float32",
        *METRICS,
        "natural charge without its metric",
        "charge across the simplex",
    ),
    "D8": ("state 8 ulp off", "sign ignored", "squares for sizes"),
}
for law, seen in DISCRETE_CONTROLS.items():
    if law != "D0":
        DISCRETE_CONTROLS[law] = (*seen, LATE_Q, *((LATE_V,) if law in ("D2", "D3", "D4", "D5") else ()))
APPLIES = {
    "D0": "every rule, every case, every precision",
    "D2": "Euclidean rules and rules on a metric, every affine symmetry",
    "D3": "heavy ball and its options, eps = 0, rotations (not Nesterov, no metric); translations without "
    "coupled decay",
    "D4": "gradient descent and heavy ball with coupled decay, dampened and maximising too, symmetric A",
    "D6": "Euclidean rules, translations",
    "D7": "mirror descent; natural gradient on a diagonal metric; exponentiated gradient, generators along "
    "the simplex",
    "D8": "sign descent, eps = 0, generators that scale one factor up and one down",
    "D1": "gradient descent and heavy ball with coupled decay, dampened and maximising too; beta = 0 "
    "included",
    "D5": "heavy ball with coupled decay, dampened and maximising too, scale-invariant losses, float64 and "
    "float32",
    "D10": "heavy ball with decoupled decay, at every beta and 1 - eta k",
    "D11": "gradient descent, scale-invariant losses, float64 and float32",
}

# Eight units in the last place are some ten bounds: a bound that became much wider in one precision lets them
# pass. A mixed buffer's are units of float32, which only D0 sees beside the roundings of q.
PROMISED = {
    "float64": {
        "state 8 ulp off": ("D0", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D10", "D11"),
        "buffer 8 ulp off": ("D0", "D2", "D3", "D4"),
    },
    "bfloat16": {"state 8 ulp off": ("D0", "D2", "D3"), "buffer 8 ulp off": ("D0", "D2", "D3")},
    "bfloat16/mixed": {"state 8 ulp off": ("D0", "D2", "D3"), "buffer 8 ulp off": ("D0",)},
}


def promised(key: str) -> tuple[tuple[str, str], ...]:
    """(control, precision) that a law must kill there."""
    return tuple(
        (control, precision)
        for precision, controls in PROMISED.items()
        for control, laws in controls.items()
        if key in laws
    )


DISCRETE = tuple(
    LawInfo(
        key=k,
        title=law.title,
        equation=law.equation,
        kind=ROUNDING,
        blind=law.blind,
        controls=DISCRETE_CONTROLS[k],
        applies=APPLIES[k],
        promised=promised(k),
        everywhere=PLACED if k == "D0" else (),
    )
    for k, law in EXACT.items()
) + (
    LawInfo(
        key="D9",
        title="minibatch noise has no component along a symmetry",
        equation="<grad f_B, xi> = 0: J obeys the balance of the whole loss",
        kind=ROUNDING,
        blind=("what D2 is blind to",),
        controls=("minibatches that are not symmetric", "noise in every direction"),
        applies="cases that name their samples",
    ),
    LawInfo(
        key="D12",
        title="sums and stationary averages of a scale-invariant loss",
        equation=(
            "sum |v'|^2 = rho sum |q|^2 + ends of the window, rho = 2 eta k/(1+beta), <q, q'>/<|q|^2> = 1 "
            "- eta k/(1+beta); decoupled (1-a^2)(1-a beta)/(1+a beta)"
        ),
        kind=ROUNDING,
        blind=("everything that keeps D5",),
        controls=(
            "no-op kernel",
            "momentum left out of the average",
            "decay x (1 + 2^-10)",
            "decoupled decay's average for coupled decay's",
            "coupled decay's average for decoupled decay's",
        ),
        applies="heavy ball with decay on scale-invariant losses, long runs",
    ),
    LawInfo(
        key="D13",
        title="scale covariance, bitwise",
        equation="run(a q0, a v0; a^2 eta, k/a^2) = a run(q0, v0; eta, k), a = 2^j",
        kind=BITWISE,
        blind=("everything that scales as it should",),
        controls=("eta scaled as a, not a^2",),
        applies="scale-invariant losses without eps, Euclidean rules",
    ),
    LawInfo(
        key="E1",
        title="the response of a charge to eps is the predicted one",
        equation="J_N - beta^N J_0 - sum beta^(N-1-n) <A v', v'> = -eta eps sum beta^(N-1-n) <grad b, xi>",
        kind=ROUNDING,
        blind=("faults in g that keep the symmetry",),
        controls=("breaking term ignored", "eps off by 2^-10"),
        applies="heavy ball without decay, eps over 15 decades and 0",
    ),
    LawInfo(
        key="B1",
        title="backends agree bit for bit",
        equation="bits(backend) = bits(numpy), and known ties are stored as IEEE 754 has them",
        kind=BITWISE,
        blind=("a fault in the traced program, which all of them run",),
        controls=(
            "eta x (1 + 2^-10)",
            "one lane in 10^4, last component",
            "the buffer of the last step but one",
            "noise of another seed",
        ),
        applies="every Triton backend, the noisy loop too",
    ),
)
