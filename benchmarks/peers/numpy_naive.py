"""NumPy as it is written first: one sine for each edge."""

import numpy as np

from . import gains, rows

NAME = "NumPy, sine per edge"
NEEDS = ()
KINDS, MOST = ("ring", "other"), 10**6


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    _, neighbour, degree = rows(topology)
    agent, gain, n = np.repeat(np.arange(len(degree)), degree), gains(degree, coupling), len(degree)

    def tick(phase, ticks):
        for _ in range(ticks):
            pull = np.bincount(agent, np.sin(phase[neighbour] - phase[agent]), n)
            phase = (phase + dt * (frequency + gain * pull)) % (2 * np.pi)
        return phase

    return tick
