"""The features of an optimizer's step, each with its options: a table that motion.py carries out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Feature:
    """One feature: its options, the first being the plainest, and what a report says of each.

    needs   feature -> options of it, one of which must be there for this feature to have a meaning
    only    option -> the same for this option alone: without it the option says what another one says
    """

    name: str
    options: dict[str, str]
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    only: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)


MOMENTUM = {
    "none": "no momentum",
    "sum": "a sum of gradients, b' = beta b + g",
    "dampened": "a dampened sum, b' = beta b + (1 - tau) g, whose first is the gradient itself",
    "average": "an average of gradients, m' = beta m + (1 - beta) g, from 0",
    "average from the first": "an average of gradients whose first is the gradient itself",
    "dampened throughout": "a dampened sum, b' = beta b + (1 - tau) g, from 0",
}
CARRIES = tuple(x for x in MOMENTUM if x != "none")
SECOND = {
    "none": "nothing divides",
    "average": "the average of squared gradients, s' = beta2 s + (1 - beta2) g^2",
    "sum": "the sum of squared gradients",
    "maximum": "a fading maximum, s' = max(beta2 s, |g| + stability)",
    "centred": "the variance of the gradients",
    "belief": "the average square of what the momentum did not foresee, (g - m')^2",
    "of the momentum": "the average of the squared momentum",
    "from the first": "the average of squared gradients whose first is the first square itself",
    "absolute": "the average of the size of gradients, unsquared",
    "weighted": "s' = beta2 s + c g^2: the share of a new square is not 1 - beta2",
    "typical": "squared gradients and squared steps are averaged, their ratio is the step (Adadelta)",
}
FAMILIES = {
    "elementwise": "each parameter moves by itself",
    "adafactor": "Adafactor: factored second moments, steps relative to the parameters",
    "muon": "Muon: the momentum of a matrix, orthogonalised by Newton and Schulz",
}
OF_FAMILY = {
    "adafactor": ("direction", "decay"),
    "muon": ("decay", "ahead"),
}
"""The features that a family has of all; the others have no meaning in it."""
SIZED = {"form": ("plain",)}  # under the sign, or over the norm, a factor of the update says nothing
BEFORE = {"momentum": CARRIES, "carried": ("gradient",)}
CORRECTED = ("yes", "twice", "by another")
CORRECTS = {"second correction": CORRECTED}
AVERAGES = ("average", "centred", "belief", "of the momentum", "from the first", "absolute", "weighted")
DIVIDES = tuple(x for x in SECOND if x != "none")
FEATURES = (
    Feature("family", FAMILIES),
    Feature("direction", {"descent": "the loss falls", "ascent": "the loss grows (maximize)"}),
    Feature(
        "decay",
        {
            "none": "no decay",
            "coupled": "decay is added to the gradient",
            "decoupled": "decay shrinks the parameter by lr times k, before the step",
            "after": "decay shrinks the parameter by lr times k, after the step",
            "unscaled": "decay shrinks the parameter by k, not times lr",
            "both": "decay enters twice: it is added to the gradient and shrinks the parameter too",
            "of the momentum": "decay is added to the momentum, after it was averaged",
            "growing": "decay has the wrong sign: the parameter grows by lr times k",
            "coupled growing": "decay has the wrong sign: it is taken from the gradient",
            "shift": "decay takes lr times k from the parameter, whatever its size",
            "late": "decay is added to the update, after the division",
        },
        only={"late": {"form": ("trust", "normalised")}},
    ),
    Feature("momentum", MOMENTUM, only={"sum": SIZED, "dampened throughout": SIZED}),
    Feature(
        "ahead",
        {
            "no": "the step follows the momentum",
            "nesterov": "the step looks ahead (Nesterov)",
            "lion": "the step follows a look ahead, the momentum is kept by beta2 (Lion)",
            "old": "the step follows the momentum of the step before",
            "scheduled": "the step looks ahead with a momentum that grows (NAdam)",
        },
        {"momentum": CARRIES},
    ),
    Feature(
        "carried",
        {"gradient": "momentum is of gradients", "update": "momentum is of updates, after the division"},
        {"momentum": CARRIES, "second": DIVIDES},
    ),
    Feature(
        "second",
        SECOND,
        {"form": ("plain", "normalised", "trust")},
        {"belief": BEFORE, "of the momentum": BEFORE},
    ),
    Feature(
        "start",
        {"zero": "the second moment starts at 0", "given": "the second moment starts at a given number"},
        {"second": ("average", "sum")},
    ),
    Feature(
        "scope",
        {"each": "each parameter has a second moment", "tensor": "one second moment for all of a tensor"},
        {"second": ("average", "sum")},
    ),
    Feature(
        "divides",
        {"present": "the second moment of this step divides",
         "previous": "the second moment of the step before divides, the first step only begins it (ADOPT)"},
        {"second": ("average", "sum"), "rectified": ("no",)},
    ),
    Feature(
        "largest",
        {
            "no": "the present second moment divides",
            "amsgrad": "the largest second moment so far divides, corrected afterwards (amsgrad)",
            "amsgrad corrected": "the largest corrected second moment so far divides (amsgrad)",
        },
        {"second": ("average", "belief", "of the momentum"), "rectified": ("no",)},
        {"amsgrad corrected": CORRECTS},
    ),
    Feature(
        "first correction",
        {"no": "the start of the momentum is not corrected", "yes": "the start of the momentum is corrected",
         "twice": "the start of the momentum is corrected twice",
         "by another": "the start of the momentum is corrected by another memory than its own"},
        {"momentum": ("average",), "ahead": ("no", "nesterov", "old"), "carried": ("gradient",),
         "form": ("plain", "trust")},
    ),
    Feature(
        "second correction",
        {"no": "the start of the second moment is not corrected",
         "yes": "the start of the second moment is corrected",
         "twice": "the start of the second moment is corrected twice",
         "by another": "the start of the second moment is corrected by another memory than its own"},
        {"second": ("average", "belief", "of the momentum", "absolute", "centred", "weighted")},
    ),
    Feature(
        "eps",
        {
            "outside": "eps is added to the root",
            "before": "eps is added to the root before its correction",
            "inside": "eps is added inside the root",
            "inside uncorrected": "eps is added inside the root, before its correction",
            "floor": "the root is at least eps",
            "twice": "eps is added inside the root, and to the root",
            "kept": "eps is added to the second moment in every step, and to the root",
            "none": "no eps",
        },
        {"second": tuple(x for x in DIVIDES if x not in ("maximum", "typical"))},
        {"before": CORRECTS, "inside uncorrected": CORRECTS},
    ),
    Feature("root", {"yes": "the root divides", "no": "no root is taken"}, {"second": ("average", "sum")}),
    Feature(
        "form",
        {
            "plain": "the step is the update",
            "sign": "the step is the sign of the update",
            "normalised": "the step is the update over its norm",
            "normalised with eps": "the step is the update over its norm and eps",
            "trust": "the step is the update times |q| over its norm (trust ratio)",
            "resilient": "the step is a size of its own that grows and shrinks (Rprop)",
        },
    ),
    Feature(
        "rectified",
        {"no": "not rectified", "yes": "rectified (RAdam), from rho > 5 on",
         "from 4": "rectified (RAdam), from rho > 4 on"},
        {"second": ("average",), "momentum": ("average",), "form": ("plain",), "ahead": ("no",)},
    ),
    Feature(
        "rate",
        {"constant": "lr is constant", "falling": "lr / (1 + (n - 1) lr_decay)",
         "averaged": "lr / (1 + lambd lr (n - 1))^alpha, and a shrink by lambd times that (ASGD)"},
    ),
    Feature("count", {"1": "steps count from 1", "0": "steps count from 0", "2": "steps count from 2"}),
)  # fmt: skip
BY_NAME = {feature.name: feature for feature in FEATURES}


PLAINLY = {"second": "none", "form": "plain"}
LINEAR = {"family": "elementwise", "momentum": "none", "second": "none", "form": "plain"}
INSTEAD = {"late": "decoupled", "sum": "average", "dampened throughout": "average", "belief": "average",
           "of the momentum": "average", "inside uncorrected": "inside"}  # fmt: skip
"""What an option says where it has no meaning of its own; the plainest option for all others."""
COUNTS = {"first correction": CORRECTED, "second correction": CORRECTED,
          "rectified": ("yes", "from 4"), "ahead": ("scheduled",), "rate": ("falling",)}  # fmt: skip
"""The options of which the step reads its number."""
GUESS = {"eta": 1e-2, "beta": 0.9, "beta2": 0.999, "stability": 1e-8, "k": 1e-2, "tau": 0.1,
         "rate_decay": 0.1, "initial": 0.1, "tau2": 0.9, "beta_c": 0.95, "psi": 0.004, "lambd": 1e-4,
         "power": 0.75, "shrink": 0.5, "grow": 1.2, "least": 1e-6, "most": 50.0, "beta2_power": -0.8,
         "floor": 1e-3, "clip": 1.0}  # fmt: skip
"""Where a fit begins when nobody says anything."""


def meant(feature: Feature, chosen: dict[str, str]) -> bool:
    """Whether a feature has a meaning beside the other options."""
    own = OF_FAMILY.get(chosen["family"])
    if own is not None and feature.name != "family":
        return feature.name in own
    if chosen["form"] == "resilient" and feature.name not in ("family", "direction", "decay", "form"):
        return False
    if feature.name == "count" and not any(chosen[name] in options for name, options in COUNTS.items()):
        return False
    return has(feature.needs, chosen)


def has(needs: dict[str, tuple[str, ...]], chosen: dict[str, str]) -> bool:
    """Whether the options that are needed are there."""
    return all(chosen[name] in options for name, options in needs.items())


def reads(chosen: dict[str, str]) -> list[str]:
    """The numbers that a step of these features reads."""
    found = ["eta"]
    if chosen["decay"] != "none":
        found.append("k")
    if chosen["family"] == "adafactor":
        return [*found, "beta2_power", "stability", "floor", "clip"]
    if chosen["family"] == "muon":
        return [*found, "beta"]
    if chosen["form"] == "resilient":
        return [*found, "shrink", "grow", "least", "most"]
    if chosen["momentum"] != "none":
        found.append("beta")
    if chosen["momentum"].startswith("dampened"):
        found.append("tau")
    if chosen["second"] in (*AVERAGES, "maximum", "typical") or chosen["ahead"] == "lion":
        found.append("beta2")
    if chosen["ahead"] == "scheduled":
        found.append("psi")
    if chosen["second"] != "none" and chosen["eps"] != "none" or chosen["form"] == "normalised with eps":
        found.append("stability")
    if chosen["start"] == "given":
        found.append("initial")
    if chosen["second"] == "weighted":
        found.append("tau2")
    if "by another" in (chosen["first correction"], chosen["second correction"]):
        found.append("beta_c")
    return [*found, *{"falling": ["rate_decay"], "averaged": ["lambd", "power"]}.get(chosen["rate"], [])]
