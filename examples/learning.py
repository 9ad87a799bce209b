"""Hebbian clusters: agents of two tempi, all wired to all, learn who belongs together, and part.

    python examples/learning.py

Weights grow between agents in phase and decay between others (Seliger, Young & Tsimring 2002). All begin with the same
weight. Agents of one tempo fall into step and keep their links; phases of the two tempi drift past each other, so that
links between them learn nothing that lasts and fade. In the end the weights alone tell who is of which tempo. Without
learning the same agents, wired for good, stay one crowd.

P. Seliger, S. C. Young, L. S. Tsimring, Phys. Rev. E 65, 041906 (2002), doi:10.1103/PhysRevE.65.041906.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

import emerge
from emerge import observe

AGENTS, TEMPI, SPREAD = 60, (-1.0, 1.0), 0.05
"""How many agents, of which two mean frequencies, and how far theirs differ from these."""

COUPLING, RATE = 3.0, 0.1
"""Of the mean field; and how fast weights learn, slow beside the phases."""

DURATION, EVERY, DT = 120.0, 20.0, 0.02

OTHERS = ~np.eye(AGENTS, dtype=np.bool_)
"""Row by row, whom an agent senses: the order of the weights of a swarm in which all sense all."""


def main() -> None:
    """Let them learn, and look at the weights."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=1, help="of tempi and phases [1]")
    seed = asked.parse_args().seed
    swarm, tempo = begin(seed, emerge.Hebbian(rate=RATE, strength=1.0))
    alike = tempo[:, None] == tempo
    within, between = alike[OTHERS], ~alike[OTHERS]
    record = {"strengths": observe.Strengths(every=EVERY), "order": observe.GroupOrder(tempo, every=EVERY)}
    history = swarm.run(DURATION, dt=DT, method="rk4", record=record).history
    assert history is not None
    print("time    weight within    between    R of each tempo")
    for time, strengths, order in zip(
        history["order"].time, history["strengths"].value, np.abs(history["order"].value), strict=True
    ):
        weights = f"{strengths[within].mean():16.2f}{strengths[between].mean():z11.2f}"
        print(f"{time:5.0f}{weights}{order[0]:12.2f}{order[1]:7.2f}")
    found = clusters(swarm)
    right = (found[:, None] == found) == alike
    print(f"\nclusters that the weights tell  {found.max() + 1:.1f}")
    print(f"pairs of agents that they tell right  {right.mean():.2f}")
    wired, _ = begin(seed, emerge.Hebbian(rate=0.0))
    print(f"coherence of all, learning  {mean_coherence(swarm):.2f}")
    print(f"coherence of all, wired for good  {mean_coherence(wired, DURATION):.2f}")


def begin(seed: int, law: emerge.Hebbian) -> tuple[emerge.Swarm, npt.NDArray[np.int64]]:
    """Return agents at random phases, all wired to all, and the tempo of each."""
    rng = np.random.default_rng(seed)
    tempo = rng.permutation(np.arange(AGENTS) % 2)
    frequency = np.array(TEMPI)[tempo] + rng.normal(0.0, SPREAD, AGENTS)
    everybody = emerge.Topology.complete(AGENTS)
    web = emerge.Topology.from_edges(everybody.edges, n=AGENTS)  # stored, to carry weights
    return emerge.Swarm(web, emerge.Kuramoto(COUPLING), frequency=frequency, seed=seed, adapt=law), tempo


def clusters(swarm: emerge.Swarm, least: float = 0.5) -> npt.NDArray[np.int64]:
    """Return the cluster of each agent: those who have links of at least so much to the same agents."""
    strong = np.eye(AGENTS, dtype=np.bool_)
    strong[OTHERS] = swarm.strengths >= least
    return np.unique(strong, axis=0, return_inverse=True)[1].ravel()


def mean_coherence(swarm: emerge.Swarm, first: float = DT) -> float:
    """Return R over a while, after a time."""
    swarm.run(first, dt=DT, method="rk4")
    history = swarm.run(EVERY, dt=DT, method="rk4", record="coherence").history
    assert history is not None
    return float(history.coherence.mean())


if __name__ == "__main__":
    main()
