"""The anatomies that have names: which options of the common step an optimizer of that name takes."""

from __future__ import annotations

CORRECTED = {"first correction": "yes", "second correction": "yes"}
ADAM = {"momentum": "average", "second": "average", **CORRECTED}
WELL_KNOWN: dict[str, dict[str, str]] = {
    "gradient descent": {},
    "SGD with momentum": {"momentum": "sum"},
    "SGD with Nesterov momentum": {"momentum": "sum", "ahead": "nesterov"},
    "SGD with dampening": {"momentum": "dampened"},
    "averaged momentum": {"momentum": "average"},
    "Signum": {"momentum": "average", "form": "sign"},
    "Lion": {"momentum": "average", "ahead": "lion", "form": "sign"},
    "normalised descent": {"form": "normalised"},
    "Adagrad": {"second": "sum"},
    "RMSprop": {"second": "average"},
    "RMSprop with momentum": {"second": "average", "momentum": "sum", "carried": "update"},
    "centred RMSprop": {"second": "centred"},
    "Adam": ADAM,
    "AdamW": {**ADAM, "decay": "decoupled"},
    "AMSGrad": {**ADAM, "largest": "amsgrad"},
    "AdaBelief": {**ADAM, "second": "belief"},
    "Adamax": {"momentum": "average", "second": "maximum", "first correction": "yes"},
    "NAdam": {"momentum": "average", "second": "average", "ahead": "scheduled", "second correction": "yes"},
    "RAdam": {"momentum": "average", "second": "average", **CORRECTED, "rectified": "yes", "eps": "before"},
    "Adadelta": {"second": "typical"},
    "ASGD": {"rate": "averaged"},
    "Rprop": {"form": "resilient"},
    "LAMB": {**ADAM, "form": "trust"},
    "Adafactor": {"family": "adafactor"},
    "Muon": {"family": "muon"},
    "Muon with Nesterov momentum": {"family": "muon", "ahead": "nesterov"},
}  # fmt: skip
"""Name -> the options that are not the plainest."""
