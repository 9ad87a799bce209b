"""Numba as people write it: one sine for each edge, all cores."""

from functools import cache

import numpy as np

from . import gains, rows

NAME = "numba, sine per edge"
NEEDS = ("numba",)
KINDS, MOST = ("ring", "other"), 10**7


def use(threads):
    """Let numba use so many threads."""
    import numba

    numba.set_num_threads(threads)


@cache
def kernel():
    from numba import njit, prange

    @njit(parallel=True, fastmath=True)
    def advance(phase, new, ticks, starts, neighbour, gain, frequency, dt):
        for _ in range(ticks):
            for i in prange(len(phase)):
                pull = 0.0
                for k in range(starts[i], starts[i + 1]):
                    pull += np.sin(phase[neighbour[k]] - phase[i])
                new[i] = (phase[i] + dt * (frequency[i] + gain[i] * pull)) % (2 * np.pi)
            phase, new = new, phase
        return phase

    return advance


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    starts, neighbour, degree = rows(topology)
    gain, advance = gains(degree, coupling), kernel()

    def tick(phase, ticks):
        return advance(np.array(phase), np.empty(len(phase)), ticks, starts, neighbour, gain, frequency, dt)

    return tick
