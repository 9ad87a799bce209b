"""Numba with sine and cosine once for each agent, on any graph in compressed rows, all cores."""

from functools import cache

import numpy as np

from . import gains, rows
from .numba_naive import use

__all__ = ["KINDS", "MOST", "NAME", "NEEDS", "ticker", "use"]

NAME = "numba, sine and cosine once per agent"
NEEDS = ("numba",)
KINDS, MOST = ("ring", "other"), 10**7


@cache
def kernel():
    from numba import njit, prange

    @njit(parallel=True, fastmath=True)
    def advance(phase, ticks, starts, neighbour, gain, frequency, dt):
        n = len(phase)
        cosine, sine = np.empty(n), np.empty(n)
        for _ in range(ticks):
            for i in prange(n):
                cosine[i], sine[i] = np.cos(phase[i]), np.sin(phase[i])
            for i in prange(n):
                across, up = 0.0, 0.0
                for k in range(starts[i], starts[i + 1]):
                    across += cosine[neighbour[k]]
                    up += sine[neighbour[k]]
                pull = up * cosine[i] - across * sine[i]
                phase[i] = (phase[i] + dt * (frequency[i] + gain[i] * pull)) % (2 * np.pi)
        return phase

    return advance


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    starts, neighbour, degree = rows(topology)
    gain, advance = gains(degree, coupling), kernel()

    def tick(phase, ticks):
        return advance(np.array(phase), ticks, starts, neighbour, gain, frequency, dt)

    return tick
