"""XGI: its Kuramoto simulation, on a hypergraph whose edges all join two."""

import numpy as np

from . import gains

NAME = "XGI"
NEEDS = ("xgi",)
KINDS, MOST = ("ring", "other"), 10**4


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    import xgi

    web = xgi.Hypergraph()
    web.add_nodes_from(range(len(topology)))
    web.add_edges_from(topology.edges.tolist())
    gain = gains(topology.degree, coupling)

    def tick(phase, ticks):
        # The last of the phases that it keeps is that before its last step.
        kept, _ = xgi.simulate_kuramoto(web, gain, 0.0, omega=frequency, theta=phase, timesteps=ticks + 1, dt=dt)
        return kept[-1] % (2 * np.pi)

    return tick
