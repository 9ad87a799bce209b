"""Numba on a complete graph: the mean field, all cores."""

from functools import cache

import numpy as np

from .numba_naive import use

__all__ = ["KINDS", "MOST", "NAME", "NEEDS", "ticker", "use"]

NAME = "numba mean field"
NEEDS = ("numba",)
KINDS, MOST = ("complete",), 10**8


@cache
def kernel():
    from numba import njit, prange

    @njit(parallel=True, fastmath=True)
    def advance(phase, ticks, gain, frequency, dt):
        n = len(phase)
        cosine, sine = np.empty(n), np.empty(n)
        for _ in range(ticks):
            across, up = 0.0, 0.0
            for i in prange(n):
                cosine[i], sine[i] = np.cos(phase[i]), np.sin(phase[i])
                across += cosine[i]
                up += sine[i]
            for i in prange(n):
                pull = up * cosine[i] - across * sine[i]
                phase[i] = (phase[i] + dt * (frequency[i] + gain * pull)) % (2 * np.pi)
        return phase

    return advance


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    gain, advance = coupling / (len(topology) - 1), kernel()

    def tick(phase, ticks):
        return advance(np.array(phase), ticks, gain, frequency, dt)

    return tick
