"""What is claimed of an optimizer: the anatomy that a name and its arguments stand for.

Arguments have the names that PyTorch gives them, and a few that other packages use for the same thing.
"""

from __future__ import annotations

from noether.optimizers.anatomy import Anatomy
from noether.optimizers.features import GUESS
from noether.optimizers.well_known import WELL_KNOWN
from noether.system.usage import UsageError

NUMBERS = {
    "lr": "eta", "learning_rate": "eta", "eps": "stability", "epsilon": "stability", "eps1": "stability",
    "weight_decay": "k", "wd": "k", "momentum": "beta", "beta": "beta", "beta1": "beta", "b1": "beta",
    "beta2": "beta2", "b2": "beta2", "alpha": "beta2", "rho": "beta2", "dampening": "tau",
    "lambd": "lambd", "power": "power", "lr_decay": "rate_decay", "initial_accumulator_value": "initial",
    "momentum_decay": "psi",
}  # fmt: skip
"""Name of an argument -> the number of an anatomy that it sets."""
SWITCHES = {
    "maximize": ("direction", "ascent"), "amsgrad": ("largest", "amsgrad"),
    "ams_bound": ("largest", "amsgrad"), "nesterov": ("ahead", "nesterov"), "centered": ("second", "centred"),
    "decoupled": ("decay", "decoupled"), "decoupled_weight_decay": ("decay", "decoupled"),
    "weight_decouple": ("decay", "decoupled"),
}  # fmt: skip
"""Name of an argument that is a flag -> the option that it stands for."""
DECAYS = {"AdamW": "decoupled", "Lion": "decoupled", "Signum": "decoupled", "Adafactor": "decoupled",
          "Muon": "decoupled", "LAMB": "late"}  # fmt: skip
"""Where decay enters, where it is not added to the gradient."""
LIKE = {
    "sgd": "gradient descent", "gradient-descent": "gradient descent", "heavy-ball": "SGD with momentum",
    "nesterov": "SGD with Nesterov momentum", "adam": "Adam", "adamw": "AdamW", "amsgrad": "AMSGrad",
    "nadam": "NAdam", "radam": "RAdam", "adamax": "Adamax", "adagrad": "Adagrad", "rmsprop": "RMSprop",
    "rmsprop-centred": "centred RMSprop", "rmsprop-momentum": "RMSprop with momentum", "lion": "Lion",
    "adadelta": "Adadelta", "asgd": "ASGD", "rprop": "Rprop", "lamb": "LAMB", "adafactor": "Adafactor",
    "muon": "Muon", "signum": "Signum", "adabelief": "AdaBelief", "normalised-gradient": "normalised descent",
}  # fmt: skip
"""What --like takes -> the well-known anatomy."""


def numbers_of(arguments: dict, like: str | None = None) -> dict[str, float]:
    """The numbers of an anatomy that arguments set, by their names there."""
    found = OF_PAIRS[like](arguments) if like in OF_PAIRS else {}
    if like == "asgd":
        arguments = {("power" if name == "alpha" else name): x for name, x in arguments.items()}
    for name, x in arguments.items():
        if name == "betas" and isinstance(x, (tuple, list)) and len(x) >= 2:
            found |= {"beta": float(x[0]), "beta2": float(x[1])}
        elif name in NUMBERS and (value := number(x)) is not None:
            found[NUMBERS[name]] = value
    return found


def of_adafactor(arguments: dict) -> dict[str, float]:
    """torch's Adafactor: eps is a pair, of which the first may be the machine epsilon of the type."""
    eps, floor = arguments.get("eps", (None, 1e-3))
    found = {"stability": 2.0**-52 if eps is None else eps, "floor": floor, "clip": arguments.get("d", 1.0)}
    return {**found, "beta2_power": arguments.get("beta2_decay", -0.8)}


def of_rprop(arguments: dict) -> dict[str, float]:
    """torch's Rprop: two factors and two bounds of the step size."""
    (shrink, grow), (least, most) = arguments.get("etas", (0.5, 1.2)), arguments.get("step_sizes", (1e-6, 50))
    return {"shrink": shrink, "grow": grow, "least": least, "most": most}


OF_PAIRS = {"adafactor": of_adafactor, "rprop": of_rprop}


def number(x) -> float | None:
    """A number of python's or a tensor of one element, None for anything else."""
    if isinstance(x, bool) or not isinstance(x, (int, float)) and not hasattr(x, "item"):
        return None
    try:
        return float(x)
    except (TypeError, ValueError, RuntimeError):
        return None


def claimed(like: str, arguments: dict, chosen: dict | None = None) -> Anatomy:
    """The anatomy of a name with these arguments. Raises UsageError for a name that nobody knows.

    chosen  the arguments that the caller gave, all by default. Where decay enters is what the name says, and
            no default of the class says otherwise: AdamW is not Adam because it has such a flag
    """
    chosen = arguments if chosen is None else chosen
    if like not in LIKE:
        raise UsageError(f"like is {like!r}, must be one of {', '.join(sorted(LIKE))}")
    name, numbers = LIKE[like], numbers_of(arguments, like)
    options = dict(WELL_KNOWN[name])
    if numbers.get("k", 0):
        options["decay"] = DECAYS.get(name, "coupled")
    if numbers.get("beta", 0) and like in ("sgd", "rmsprop", "rmsprop-centred"):
        options |= {"momentum": "sum"} | ({"carried": "update"} if like != "sgd" else {})
        if numbers.get("tau", 0):
            options["momentum"] = "dampened"
    if numbers.get("rate_decay", 0):
        options["rate"] = "falling"
    if numbers.get("initial", 0) and "second" in options:
        options["start"] = "given"
    for argument, (feature, option) in SWITCHES.items():
        asked = chosen if feature == "decay" else arguments
        if asked.get(argument) is True and (feature != "decay" or numbers.get("k", 0)):
            options[feature] = option
    return Anatomy.of(GUESS | numbers, **options)


def meanings(like: str, arguments: dict, chosen: dict | None = None) -> list[Anatomy]:
    """The anatomies that a name may stand for, the first being `claimed`.

    The authors of AdaBelief add eps in every step; Muon looks ahead unless somebody says otherwise.
    """
    first = claimed(like, arguments, chosen)
    others = {"adabelief": ("eps", "kept"), "muon": ("ahead", "nesterov")}
    return [first, first.with_option(*others[like])] if like in others else [first]


def like_of(word: str) -> str | None:
    """The name of LIKE that the name of a class says, None where it says none."""
    plain = word.rsplit(":", 1)[-1].rsplit(".", 1)[-1].lower().replace("_", "")
    return {name.replace("-", ""): name for name in LIKE}.get(plain)
