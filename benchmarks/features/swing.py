"""How fast a power grid swings: RK4 on the 9 241 buses of case9241pegase, or as many that are drawn.

The file is looked for in the folder that EMERGE_DATA names, and beside the project as the tests do.
"""

import os
from functools import partial
from pathlib import Path

import check
import measure
import numpy as np
import oracle

import emerge
from emerge import speed
from emerge.bench import Goal

CASE, NAME = "swing equation", "case9241pegase.m"
DATA = Path(os.environ.get("EMERGE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
BUSES, LINES, SEED = 9241, 14207, 1
DT, KICK, STEPS = 0.002, 0.01, 6000.0
"""Seconds of a tick; rad by which angles are off at first; steps a second that are wanted."""


def grid_of(path):
    """Return the grid in a file, or else one that is drawn, and what it is called."""
    if path.exists():
        return emerge.PowerGrid.read(path), path.stem
    rng = np.random.default_rng(SEED)
    around = np.column_stack([np.arange(BUSES), np.roll(np.arange(BUSES), -1)])
    far = np.unique(np.sort(rng.integers(0, BUSES, (2 * LINES, 2)), axis=1), axis=0)
    far = far[(far[:, 1] - far[:, 0] > 1) & (far[:, 1] - far[:, 0] < BUSES - 1)]
    lines = np.concatenate([around, rng.permutation(far)[: LINES - BUSES]])
    load = rng.normal(0.0, 0.1, BUSES)
    return emerge.PowerGrid(lines, rng.uniform(20.0, 200.0, LINES), load - load.mean()), f"drawn, without {path.name}"


def state(grid):
    """Return angles a little off the power flow."""
    return grid.power_flow().phase + np.random.default_rng(SEED).uniform(-KICK, KICK, len(grid))


def hold(grid, **told):
    """Return how far some ticks are from the equation; raise `check.Wrong` if that is too far."""
    phase = state(grid)
    given = {"coupling": 1.0, "normalize": "none", "inertia": grid.inertia, "damping": grid.damping} | told
    law = oracle.Law(*oracle.both_ways(grid.topology), grid.power, **given)
    now = [phase, np.zeros_like(phase)]
    for tick in range(check.TICKS):
        now, _ = law.tick("rk4", tick * DT, DT, now, np.zeros_like(phase))
    swarm = grid.swarm(phase)
    swarm.step(check.TICKS, dt=DT, method="rk4")
    return check.near(swarm.phase, now[0], CASE)


def timed(effort, folder, bound):
    """Check the grid and time one worker and the team that is picked; what else is measured is not needed."""
    del folder, bound
    grid, name = grid_of(DATA / NAME)
    apart = hold(grid)
    swarms = {"alone": grid.swarm(state(grid), threads=1), "picked": grid.swarm(state(grid))}
    ways = {who: speed.timed(partial(swarm.step, dt=DT, method="rk4")) for who, swarm in swarms.items()}
    times = speed.fastest(ways, effort)
    figures = tuple(
        measure.Figure(who, f"emerge, {who}, {name}", 1 if who == "alone" else None, times[who], "oracle", apart)
        for who in times
    )
    tick = speed.told(speed.Case("power grid", len(grid)), grid.topology, swarms["picked"], times)
    return measure.Found(tick, figures, ())


def goals(found):
    """Judge what was measured: steps of RK4 in a second."""
    return [
        Goal(f"{CASE}: RK4 steps on {found.tick.agents:,} buses", "1/s", STEPS, 1e9 / found.tick.picked, least=True)
    ]
