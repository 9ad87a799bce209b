"""The `kuramoto` package: one evaluation of its derivative, from a dense matrix, and a step of Euler."""

import numpy as np

NAME = "kuramoto package"
NEEDS = ("kuramoto",)
KINDS, MOST = ("complete", "ring", "other"), 2000


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    from kuramoto import Kuramoto

    matrix = topology.to_scipy().toarray().T
    gain = coupling / np.maximum((matrix != 0).sum(axis=0), 1)
    model = Kuramoto(coupling=coupling, dt=dt, natfreqs=np.asarray(frequency))

    def tick(phase, ticks):
        for _ in range(ticks):
            phase = (phase + dt * model.derivative(phase, 0.0, matrix, gain)) % (2 * np.pi)
        return phase

    return tick
