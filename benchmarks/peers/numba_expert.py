"""Numba at its best: one fused pass in the natural order of rows, phasors rotated, two buffers.

Written before the engine's kernels, and frozen. A phasor is 16 bytes side by side; indices are unsigned, so that numba
does not look for negative ones; sine and cosine of what an agent turns in a tick are polynomials, exact to a rounding
below an eighth of a radian; a step of Newton's keeps phasors at length 1. Small swarms run on one thread.
"""

from functools import cache

import numpy as np

from . import gains, rows
from .numba_naive import use

__all__ = ["KINDS", "MOST", "NAME", "NEEDS", "ticker", "use"]

NAME = "numba, written by an expert"
NEEDS = ("numba",)
KINDS, MOST = ("ring", "other"), 10**7
SMALL = 300
"""Agents up to which one thread is faster than opening a parallel loop."""


@cache
def kernel(parallel):
    from numba import njit, prange

    turn = 2 * np.pi

    @njit(parallel=parallel, fastmath=True)
    def advance(phase, ticks, starts, neighbour, gain, frequency, dt):
        n = len(phase)
        old, new = np.empty((n, 2)), np.empty((n, 2))
        for i in prange(n):
            old[i, 0], old[i, 1] = np.cos(phase[i]), np.sin(phase[i])
        for _ in range(ticks):
            for i in prange(n):
                across, up = 0.0, 0.0
                for k in range(starts[i], starts[i + 1]):
                    j = neighbour[k]
                    across += old[j, 0]
                    up += old[j, 1]
                c, s = old[i, 0], old[i, 1]
                d = dt * frequency[i] + gain[i] * (up * c - across * s)
                phi = phase[i] + d
                phi = phi - turn if phi >= turn else phi
                phi = phi + turn if phi < 0.0 else phi
                if abs(d) < 0.125:
                    q = d * d
                    sd = d * (1 + q * (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * (1 / 362880 - q / 39916800)))))
                    cd = 1 + q * (-1 / 2 + q * (1 / 24 + q * (-1 / 720 + q * (1 / 40320 - q / 3628800))))
                    x, y = c * cd - s * sd, s * cd + c * sd
                    r = 1.5 - 0.5 * (x * x + y * y)
                    x, y = x * r, y * r
                else:
                    phi %= turn
                    x, y = np.cos(phi), np.sin(phi)
                phase[i] = phi
                new[i, 0], new[i, 1] = x, y
            old, new = new, old
        return phase

    return advance


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    starts, neighbour, degree = rows(topology)
    starts, neighbour = starts.astype(np.uint64), neighbour.view(np.uint32)
    gain, advance = dt * gains(degree, coupling), kernel(len(topology) > SMALL)

    def tick(phase, ticks):
        return advance(np.array(phase), ticks, starts, neighbour, gain, frequency, dt)

    return tick
