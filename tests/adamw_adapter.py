"""AdamW as a user's Triton kernel, with the adapter that says what its arguments are."""

import ptx_audit_kernels as kernels

import noether

NUMBERS = {"lr": 1e-2, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "decay": 0.1}
KINDS = ("float64", "float32", "bfloat16", "float16")


def adamw(block=128, cast=False, fusion=True, **known):
    """The adapter; `known` takes the place of what changes with the step."""
    return noether.triton_adapter(
        kernels.adamw,
        parameters="q_ptr",
        gradient="g_ptr",
        state={"m_ptr": 0.0, "s_ptr": 0.0},
        kinds={"m_ptr": "float32", "s_ptr": "float32"},
        count="n",
        numbers=NUMBERS,
        known={
            "c1": lambda step, numbers: 1 - numbers["beta1"] ** step,
            "c2": lambda step, numbers: 1 - numbers["beta2"] ** step,
        }
        | known,
        constexpr={"CAST": cast, "BLOCK": block},
        enable_fp_fusion=fusion,
        types=KINDS,
    )
