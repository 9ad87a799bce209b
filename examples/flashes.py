"""Fireflies with pulses: each charges up, flashes, and pushes those who see it; the whole meadow ends in one flash.

    python examples/flashes.py

A firefly's charge rises along a concave curve, x' = 2 - x; at 1 it flashes and begins anew, and whoever sees the flash
is pushed on by a little. Whoever is pushed to 1 flashes with it and is absorbed. R. Mirollo and S. Strogatz (SIAM J.
Appl. Math. 50, 1645 (1990), doi:10.1137/0150098) proved that fireflies that all see each other end in step, whatever
they begin with; here each sees those near it. Pushed back instead of on, they never do.
"""

from __future__ import annotations

import argparse

import numpy as np

import emerge
from emerge import observe

FLIES, SIGHT = 300, 0.2
"""How many, in a meadow of 1 by 1, and how far each sees."""

DRIVE, LEAK, PUSH = 2.0, 1.0, 0.02
"""x' = drive - leak x; what a flash adds to x."""

PERIOD = float(np.log(DRIVE / (DRIVE - LEAK)) / LEAK)
"""Time from flash to flash of a firefly that sees nobody."""

NIGHT, TICK = 60.0, 0.5
"""How long it is watched, and how often the swarm stops for a look; flashes come when they come."""


def main() -> None:
    """Watch a night, by the flashes that were recorded."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=1, help="of places and phases [1]")
    seed = asked.parse_args().seed
    flashes = watch(meadow(seed))
    print(f"{FLIES} fireflies, {len(flashes)} flashes in {NIGHT:g} units of time\n")
    print("from    to   flashes at once, at most   fireflies in the largest")
    for begin in (0, 5, 10, 20, 40):
        size = largest(flashes, begin, begin + 5)
        print(f"{begin:4d}  {begin + 5:4d}   {size:24d}   {size / FLIES:24.0%}")
    print(f"\nheld back instead of pushed on: {largest(watch(meadow(seed, -PUSH)), 40, 45)} at once, at most")


def meadow(seed: int, push: float = PUSH) -> emerge.Swarm:
    """Return fireflies at random places, out of step."""
    place = np.random.default_rng(seed).uniform(0.0, 1.0, (FLIES, 2))
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    web = emerge.Topology.from_edges(np.argwhere(np.triu(apart < SIGHT, 1)), FLIES)
    return emerge.Swarm(web, emerge.IntegrateAndFire(DRIVE, LEAK, push), seed=seed)


def watch(swarm: emerge.Swarm, span: float = NIGHT) -> emerge.Series:
    """Return all flashes of a span of time: when, and whose."""
    history = swarm.run(span, dt=TICK, record=observe.Firings()).history
    assert history is not None
    return history["firings"]


def largest(flashes: emerge.Series, begin: float, end: float) -> int:
    """Return how many flashed at one moment, at most, between two times."""
    some = flashes.time[(flashes.time >= begin) & (flashes.time < end)]
    return int(np.unique(some, return_counts=True)[1].max())


if __name__ == "__main__":
    main()
