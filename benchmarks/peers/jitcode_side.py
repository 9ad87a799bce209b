"""JiTCODE: the right-hand side, compiled for the very graph; a tick is one evaluation and a step of Euler.

Setting it up takes 14 s for a thousand agents and minutes beyond. Sines and cosines as its helpers, once for each
agent, are not to be had: it sorts helpers by recursion, which ends at about a thousand.
"""

import numpy as np

from . import rows

NAME = "JiTCODE, right-hand side"
NEEDS = ("jitcode",)
KINDS, MOST = ("ring", "other"), 10**3


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    from jitcode import jitcode, y
    from symengine import sin

    starts, neighbour, degree = rows(topology)
    sides = [
        frequency[i]
        + coupling / max(int(degree[i]), 1) * sum(sin(y(int(j)) - y(i)) for j in neighbour[starts[i] : starts[i + 1]])
        for i in range(len(degree))
    ]
    system = jitcode(sides, n=len(sides), verbose=False)
    system.generate_f_C()
    system.compile_C()
    side = system.f

    def tick(phase, ticks):
        for _ in range(ticks):
            phase = (phase + dt * side(0.0, phase)) % (2 * np.pi)
        return phase

    return tick
