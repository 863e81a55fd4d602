"""The work in jax: lax.scan over the steps, on arrays over lanes, compiled by XLA for the CPU.

XLA's CPU compiler fuses the operations of a step into a few dozen loops over lanes, one for each value that
several others read. Over all lanes at once these go through memory; on chunks that stay in the second-level
cache they do not, but then they are too small to be divided among threads, so each of two host devices takes
half of the chunks (pmap). Written with vmap instead of arrays, the compiled program is the same.
"""

from __future__ import annotations

import numpy as np

from noether.labs.bench import printing
from noether.labs.bench.peers import THREADS, not_installed
from noether.labs.bench.printing import Dialect
from noether.labs.bench.work import Work

CALLS = {
    name: f"jnp.{word}"
    for name, word in dict(exp="exp", log="log", sqrt="sqrt", abs="abs", max="maximum").items()
}
HEADER = "import jax.numpy as jnp\n"
CHUNK = 1024


def variants(work: Work) -> tuple[str, ...]:
    """The shapes that are tried."""
    return ("chunks of 1024", "all lanes")


def missing() -> str:
    """Why jax is not here, or ''."""
    return not_installed("jax")


def environment() -> dict[str, str]:
    """Read by jax when it is imported. 512-bit vectors, where there are any: XLA takes 256 of its own
    accord."""
    return {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={THREADS} --xla_cpu_prefer_vector_width=512",
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1",
    }


def source(work: Work) -> str:
    """The step as a function of jax."""
    # A bare literal is weakly typed: it takes the type of the array beside it.
    return printing.function(
        work,
        Dialect(lambda value, kind: repr(value), CALLS, lambda text, kind: f"{text}.astype(jnp.{kind})"),
        HEADER,
    )


def prepare(work: Work, variant: str):
    """How arrays are sent to jax, and how the work is run."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    step = printing.load(source(work), "jax").step

    def scanned(state, params, again):
        return lax.scan(lambda s, _: (step(s, params, again), None), state, None, length=work.steps)[0]

    chunked = (
        variant.startswith("chunks") and work.lanes % (THREADS * CHUNK) == 0 and jax.device_count() >= THREADS
    )
    shape = (THREADS, -1, CHUNK) if chunked else (-1,)
    go = jax.pmap(lambda *a: lax.map(lambda chunk: scanned(*chunk), a)) if chunked else jax.jit(scanned)
    send = lambda rows: tuple(jnp.asarray(x.reshape(shape)) for x in rows)
    q, v, params = work.arrays()
    state, params = send([*q, *v, np.zeros(work.lanes, work.residual_arith)]), send(params)

    def run(again):
        out = jax.block_until_ready(go(state, params, again))
        d = work.dim

        def done():
            rows = [np.asarray(x).reshape(-1) for x in out]
            return np.stack(rows[:d]), np.stack(rows[d : 2 * d]), rows[-1]

        return done

    return send, run
