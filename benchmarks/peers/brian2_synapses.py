"""Brian2 with its Cython target: agents are neurons, edges are synapses that sum sines."""

import numpy as np

from . import gains, rows

NAME = "Brian2 (Cython)"
NEEDS = ("brian2",)
KINDS, MOST = ("ring", "other"), 10**5

AGENT = """
dtheta/dt = (omega + gain * pull) / second : 1
omega : 1 (constant)
gain : 1 (constant)
pull : 1
"""


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    import brian2

    brian2.prefs.codegen.target = "cython"
    brian2.BrianLogger.log_level_error()
    _, neighbour, degree = rows(topology)
    clock = brian2.Clock(dt=dt * brian2.second)
    swarm = brian2.NeuronGroup(len(degree), AGENT, method="euler", clock=clock, namespace={})
    edges = brian2.Synapses(swarm, swarm, "pull_post = sin(theta_pre - theta_post) : 1 (summed)", clock=clock)
    edges.connect(i=neighbour, j=np.repeat(np.arange(len(degree)), degree))
    swarm.omega, swarm.gain = frequency, gains(degree, coupling)
    net = brian2.Network(swarm, edges)

    def tick(phase, ticks):
        swarm.theta = phase
        net.run(ticks * clock.dt)
        return np.array(swarm.theta) % (2 * np.pi)

    return tick
