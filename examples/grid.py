"""A power grid loses its most loaded line: what follows for frequency and for the other lines.

    python examples/grid.py [CASE] [--plot FILE]

CASE is a file in MATPOWER's format, such as case9241pegase.m; without one a grid of 200 buses is drawn by a seed. The
grid starts where its lines carry what generators feed in and loads take. After a second a line goes out of service,
and lines that bear more than their limit for half a second go too. Lines may bear what the case allows, or a little
more than they bear at first, where that is more already.

B. Schäfer, D. Witthaut, M. Timme, V. Latora, Nat. Commun. 9, 1975 (2018), doi:10.1038/s41467-018-04287-5.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np

import emerge
from emerge.gridrun import GridRun

BUSES, DEGREE, REWIRED = 200, 4, 0.1
CAPACITY, SPARE = 6.0, 2.0
"""What each line can carry, per unit; what it bears beside what it carries at first, in the grid that is drawn."""

TRIP, PATIENCE, DURATION = 1.0, 0.5, 20.0
MARGIN = 1.1
"""What lines of a case bear at least, beside what they carry at first."""


def main() -> None:
    """Trip the line, tell what follows, and draw it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("case", type=Path, nargs="?", metavar="CASE", help="a MATPOWER file")
    asked.add_argument("--seed", type=int, default=1, help="of the grid that is drawn without one [1]")
    asked.add_argument("--plot", type=Path, metavar="FILE", help="a picture of frequency and flows")
    options = asked.parse_args()
    try:
        shown(options)
    except (emerge.EmergeError, OSError) as error:
        sys.exit(f"{asked.prog}: {error}")


def shown(options: argparse.Namespace) -> None:
    """Do what is asked for."""
    grid = drawn(options.seed) if options.case is None else allowed(emerge.PowerGrid.read(options.case))
    print(f"{grid}\n")
    for patience in (None, PATIENCE):
        run = lost(grid, patience)
        print(f"lines bear {'whatever comes' if patience is None else f'too much for {patience:g} s at most'}:")
        print("".join(f"  {line}\n" for line in str(run).splitlines()))
    if options.plot:
        run.save(options.plot)


def drawn(seed: int) -> emerge.PowerGrid:
    """Draw a grid: a small world in which each fifth bus feeds in, and all others take."""
    rng = np.random.default_rng(seed)
    lines = emerge.Topology.small_world(BUSES, degree=DEGREE, rewire=REWIRED, seed=rng).edges
    feeding = rng.permutation(BUSES)[: BUSES // 5]
    load = rng.uniform(0.2, 1.0, BUSES)
    load[feeding] = 0.0
    share = rng.uniform(0.5, 1.5, len(feeding))
    grid = emerge.PowerGrid(
        lines, CAPACITY, load, generator_bus=feeding, generation=load.sum() * share / share.sum(), slack=int(feeding[0])
    )
    bears = SPARE * np.abs(grid.power_flow().flows)
    return dataclasses.replace(grid, limit=np.maximum(bears, np.median(bears)))


def allowed(grid: emerge.PowerGrid) -> emerge.PowerGrid:
    """Let lines bear a little more than they do."""
    return dataclasses.replace(grid, limit=np.maximum(grid.limit, MARGIN * np.abs(grid.power_flow().flows)))


def lost(grid: emerge.PowerGrid, patience: float | None) -> GridRun:
    """Run without the line that carries most, from a second on."""
    flow = grid.power_flow()
    most = int(np.argmax(np.abs(flow.flows)))
    return grid.run(DURATION, trips=emerge.Trip(TRIP, line=most), overload=patience, phase=flow.phase)


if __name__ == "__main__":
    main()
