"""A chimera: on a ring of identical agents some stay in step, while the others drift, side by side.

    python examples/chimera.py [--plot FILE]

All agents have the same frequency, sense the same share of the ring on either side, and lag a little less than a
quarter turn behind what they sense. From most starts all fall into step. From a hump of disorder a part stays in step
and turns at one frequency, and the rest turns at others, the more different the farther inside.

Y. Kuramoto, D. Battogtokh, Nonlinear Phenom. Complex Syst. 5, 380 (2002), arXiv:cond-mat/0210694; the start is that of
D. Abrams, S. Strogatz, Phys. Rev. Lett. 93, 174102 (2004), doi:10.1103/PhysRevLett.93.174102.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import emerge
from emerge import observe

AGENTS, REACH, LAG = 256, 90, np.pi / 2 - 0.1
GROUPS = 16
"""Neighbours that are looked at together."""

SETTLE, MEASURE, DT = 100.0, 200.0, 0.05

Floats = npt.NDArray[np.float64]


def main() -> None:
    """Run from two starts, and show both."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=1, help="of the disorder [1]")
    asked.add_argument("--plot", type=Path, metavar="FILE", help="a picture of phases and frequencies")
    options = asked.parse_args()
    print(f"{AGENTS} identical agents, each senses {2 * REACH}\n")
    for name, start in (("a hump of disorder", hump(options.seed)), ("all nearly alike", 0.01 * hump(options.seed))):
        swarm, order, frequency = run(start)
        least = order.min()
        print(f"from {name}: groups of {AGENTS // GROUPS} neighbours, R from {least:.2f} to {order.max():.2f}")
        for k in range(GROUPS):
            turns = frequency[k * AGENTS // GROUPS : (k + 1) * AGENTS // GROUPS].mean()
            print(f"  {'█' * round(30 * order[k]):30} R {order[k]:.2f}   frequency {turns:+.3f}")
        if options.plot and name.startswith("a hump"):
            picture(swarm.phase, frequency, options.plot)


def hump(seed: int) -> Floats:
    """Return phases that are alike but for a hump of disorder."""
    place = np.linspace(-np.pi, np.pi, AGENTS, endpoint=False)
    start: Floats = 6.0 * np.random.default_rng(seed).uniform(-0.5, 0.5, AGENTS) * np.exp(-0.76 * place**2)
    return start


def run(start: Floats) -> tuple[emerge.Swarm, Floats, Floats]:
    """Return the swarm after a while, R of each group over time, and how fast each agent has turned meanwhile."""
    swarm = emerge.Swarm(
        emerge.Topology.ring(AGENTS, degree=2 * REACH), emerge.Kuramoto(coupling=1.0, lag=LAG), phase=start
    )
    watched: list[Any] = [
        observe.GroupOrder(np.arange(AGENTS) * GROUPS // AGENTS, every=1.0, after=SETTLE),
        observe.EffectiveFrequency(after=SETTLE),
    ]
    history = swarm.run(SETTLE + MEASURE, dt=DT, method="rk4", record=watched).history
    assert history is not None
    order = np.abs(history["group_order"].value).mean(axis=0)
    return swarm, order, history["effective_frequency"].value


def picture(phase: Floats, frequency: Floats, path: Path) -> None:
    """Draw a snapshot of the phases above the frequencies."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.scatter(range(AGENTS), phase, s=6, color="#c2410c")
    above.set(ylabel="phase, rad", ylim=(0, 2 * np.pi))
    below.scatter(range(AGENTS), frequency, s=6, color="#1d4ed8")
    below.set(ylabel="frequency, rad / time", xlabel="agent")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
