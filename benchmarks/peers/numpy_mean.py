"""NumPy on a complete graph: the mean field, so that a tick takes O(N)."""

import numpy as np

NAME = "NumPy mean field"
NEEDS = ()
KINDS, MOST = ("complete",), 10**8


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    gain = coupling / (len(topology) - 1)

    def tick(phase, ticks):
        for _ in range(ticks):
            cosine, sine = np.cos(phase), np.sin(phase)
            pull = sine.sum() * cosine - cosine.sum() * sine
            phase = (phase + dt * (frequency + gain * pull)) % (2 * np.pi)
        return phase

    return tick
