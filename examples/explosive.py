"""Explosive synchronisation: on a scale-free graph whose hubs are fast, coherence jumps, and falls back later.

    python examples/explosive.py

Each agent's natural frequency is its degree. Coupling grows in small steps and shrinks again, each step from where the
last one ended. Coherence jumps up at one coupling and down at a smaller one: hysteresis, as at a transition of first
order. With the same frequencies dealt out at random it grows and shrinks along one smooth curve.

J. Gómez-Gardeñes, S. Gómez, A. Arenas, Y. Moreno, Phys. Rev. Lett. 106, 128701 (2011),
doi:10.1103/PhysRevLett.106.128701: coupling for each edge, so ``normalize="none"``.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

import emerge

AGENTS, EDGES = 500, 3
"""Size of the graph, and edges that each new agent brings."""

SWEEP = np.round(np.arange(0.6, 1.81, 0.1), 2)
"""Couplings, per edge, on the way up."""

SETTLE, MEASURE, DT = 60.0, 20.0, 0.02


def main() -> None:
    """Sweep coupling up and down, twice."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=1, help="of the graph, the phases and the deal [1]")
    seed = asked.parse_args().seed
    web = emerge.Topology.scale_free(AGENTS, EDGES, seed=seed)
    degree = web.degree.astype(np.float64)
    print("            frequency = degree      the same, dealt at random")
    print("coupling    R up      R down        R up      R down")
    columns = [*sweep(web, degree, seed), *sweep(web, np.random.default_rng(seed).permutation(degree), seed)]
    for row in zip(SWEEP, *columns, strict=True):
        print("{:8.2f}    {:.2f}      {:.2f}          {:.2f}      {:.2f}".format(*row))
    jump, smooth = (np.max(np.abs(np.diff(up))) for up in (columns[0], columns[2]))
    print(f"\nlargest step of R going up: {jump:.2f}, and {smooth:.2f} where frequencies are dealt at random")


def sweep(
    web: emerge.Topology, frequency: npt.NDArray[np.float64], seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return coherence over time at each coupling, going up and coming down."""
    swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=0.0), frequency=frequency - frequency.mean(), seed=seed)
    seen = []
    for coupling in [*SWEEP, *SWEEP[::-1]]:
        swarm.model = emerge.Kuramoto(coupling=float(coupling), normalize="none")
        swarm.run(SETTLE, dt=DT, method="heun")
        history = swarm.run(MEASURE, dt=DT, method="heun", record="coherence").history
        assert history is not None
        seen.append(history.coherence.mean())
    return np.array(seen[: len(SWEEP)]), np.array(seen[: len(SWEEP) - 1 : -1])


if __name__ == "__main__":
    main()
