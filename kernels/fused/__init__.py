"""Elementwise optimizers for PyTorch, each step one kernel that is printed from a learning rule.

sgd_rule     SGD in PyTorch's form, whose buffer is free of the step size
elementwise  the Triton kernel: loads, the printed update, stores, rounding at random
launch       one step of one array, on every backend
optimizers   SGD, AdamW, Lion: torch.optim.Optimizer classes; importing them needs torch
"""


def __getattr__(name: str):
    if name not in ("SGD", "AdamW", "Lion"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from noether.kernels.fused import optimizers
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(f"{name} needs torch: pip install 'noether-harness[torch]'") from None
    return getattr(optimizers, name)
