"""Fireflies in a meadow: they flash in step though nobody leads, and follow a torch that is not too fast.

    python examples/fireflies.py

Each firefly sees those near it and flashes when its phase passes 0. Rhythms differ by some per cent. Left alone, the
swarm falls into step; then somebody in the dark blinks with a torch, first a little faster than the fireflies, then
much faster. The first draws them along and the second does not: a drive of strength F takes along what differs from it
by less than F (R. Adler, Proc. IRE 34, 351 (1946), doi:10.1109/JRPROC.1946.229930).
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

import emerge

FLIES, SIGHT = 200, 0.25
"""How many, in a meadow of 1 by 1, and how far each sees."""

COUPLING, TORCH = 2.0, 0.4
"""How strongly a firefly answers its neighbours, and the torch, in rad per unit of time."""

RHYTHM = 2 * np.pi
"""Mean natural frequency: one flash in a unit of time."""

TICKS = 100
"""Ticks in a unit of time."""


def main() -> None:
    """Let them fall into step, then blink."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=1, help="of places, rhythms and phases [1]")
    swarm = meadow(asked.parse_args().seed)
    print(f"{len(swarm)} fireflies, each sees {swarm.topology.degree.mean():.0f} others\n")
    print("periods   coherence R   flashes in the busiest tenth of a period")
    for periods in (0, 3, 10, 20, 40):
        if periods:
            swarm.run(periods - swarm.time, dt=1 / TICKS)
        print(f"{periods:7d}   {swarm.coherence:11.2f}   {busiest(swarm.phase):40.0%}")
    print(f"\nin the dark they flash {rhythm(swarm):.3f} times in a unit of time")
    for blinks in (1.03, 1.20):
        swarm.model = lit(blinks)
        swarm.run(50.0, dt=1 / TICKS)
        print(f"beside a torch that blinks {blinks:.3f} times: {rhythm(swarm):.3f}")


def meadow(seed: int) -> emerge.Swarm:
    """Return fireflies at random places, out of step."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(0.0, 1.0, (FLIES, 2))
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    web = emerge.Topology.from_edges(np.argwhere(np.triu(apart < SIGHT, 1)), FLIES)
    frequency = RHYTHM * rng.normal(1.0, 0.02, FLIES)
    return emerge.Swarm(web, emerge.Kuramoto(coupling=COUPLING), frequency=frequency, seed=seed)


def lit(blinks: float) -> emerge.Forced:
    """Return the model of fireflies that also see a torch."""
    return emerge.Forced(coupling=COUPLING, strength=TORCH, drive_frequency=2 * np.pi * blinks)


def busiest(phase: npt.NDArray[np.float64]) -> float:
    """Return the largest share of the swarm whose phases lie within a tenth of the circle."""
    ahead = np.mod(phase - phase[:, None], 2 * np.pi)
    return float(np.max(np.mean(ahead < 2 * np.pi / 10, axis=1)))


def rhythm(swarm: emerge.Swarm, periods: int = 20) -> float:
    """Return how often the swarm flashes in a unit of time: turns of its mean phase over some periods."""
    angle = [swarm.mean_phase]
    for _ in range(periods * 10):
        swarm.step(TICKS // 10, dt=1 / TICKS)
        angle.append(swarm.mean_phase)
    turned = np.unwrap(angle)
    return float(turned[-1] - turned[0]) / (2 * np.pi * periods)


if __name__ == "__main__":
    main()
