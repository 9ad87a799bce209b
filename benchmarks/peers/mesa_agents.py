"""Mesa: one object for each agent, which knows its neighbours, senses them all, then turns."""

import math

import numpy as np

from . import rows

NAME = "Mesa, one object per agent"
NEEDS = ("mesa",)
KINDS, MOST = ("ring", "other"), 10**4


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    import mesa

    class Oscillator(mesa.Agent):
        def sense(self):
            own = self.phase
            pull = sum(math.sin(other.phase - own) for other in self.neighbours)
            self.rate = self.frequency + coupling * pull / max(len(self.neighbours), 1)

        def turn(self):
            self.phase = (self.phase + dt * self.rate) % (2 * math.pi)

    starts, neighbour, degree = rows(topology)
    model = mesa.Model(seed=1)
    swarm = [Oscillator(model) for _ in range(len(degree))]
    for i, agent in enumerate(swarm):
        agent.frequency = float(frequency[i])
        agent.neighbours = [swarm[j] for j in neighbour[starts[i] : starts[i + 1]]]

    def tick(phase, ticks):
        for agent, value in zip(swarm, phase, strict=True):
            agent.phase = float(value)
        for _ in range(ticks):
            model.agents.do("sense")
            model.agents.do("turn")
        return np.array([agent.phase for agent in swarm])

    return tick
