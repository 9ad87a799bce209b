"""JAX on a complete graph: the mean field, compiled as one loop."""

import numpy as np

NAME = "JAX mean field"
NEEDS = ("jax",)
KINDS, MOST = ("complete",), 10**8


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    gain, frequency = coupling / (len(topology) - 1), jnp.asarray(frequency)

    @jax.jit
    def advance(phase, ticks):
        def body(_, phase):
            cosine, sine = jnp.cos(phase), jnp.sin(phase)
            pull = sine.sum() * cosine - cosine.sum() * sine
            return (phase + dt * (frequency + gain * pull)) % (2 * np.pi)

        return jax.lax.fori_loop(0, ticks, body, phase)

    return lambda phase, ticks: np.asarray(advance(phase, ticks))
