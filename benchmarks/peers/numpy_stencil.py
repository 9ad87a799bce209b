"""NumPy on a ring lattice: sums along the line by doubling, in pieces that stay in the cache; no stored edges."""

import numpy as np

from . import lattice

NAME = "NumPy stencil"
NEEDS = ()
KINDS, MOST = ("ring",), 10**8
PIECE = 8192


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    n, degree = len(topology), lattice(topology)
    half, step = degree // 2, dt * coupling / degree

    def tick(phase, ticks):
        cosine, sine = np.empty(n + degree), np.empty(n + degree)
        phase, drift = np.array(phase), dt * np.asarray(frequency)
        for _ in range(ticks):
            for padded, function in ((cosine, np.cos), (sine, np.sin)):
                function(phase, out=padded[half : n + half])
                padded[:half], padded[n + half :] = padded[n : n + half], padded[half:degree]
            for low in range(0, n, PIECE):
                high = min(low + PIECE, n)
                own, around = slice(low + half, high + half), slice(low, high + degree)
                # The sum holds the agent itself, which pulls with sin 0.
                pull = window(sine[around], degree + 1) * cosine[own]
                pull -= window(cosine[around], degree + 1) * sine[own]
                pull *= step
                pull += drift[low:high]
                phase[low:high] += pull
            np.subtract(phase, 2 * np.pi, out=phase, where=phase >= 2 * np.pi)
            np.add(phase, 2 * np.pi, out=phase, where=phase < 0)
        return phase

    return tick


def window(values, width):
    """Sum each `width` values that follow each other, by sums of 1, 2, 4, 8, ..."""
    length, total, at, run = len(values) - width + 1, None, 0, 1
    while True:
        if width & run:
            part = values[at : at + length]
            total = part.copy() if total is None else np.add(total, part, out=total)
            at += run
        run *= 2
        if run > width:
            return total
        values = values[: -(run // 2)] + values[run // 2 :]
