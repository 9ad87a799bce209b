"""A brain whose regions hear of each other late: conduction speed sets the rhythm, and whether there is one.

    python examples/brain.py [--plot FILE]

Regions oscillate at 40 Hz, are connected the more strongly the nearer they are, and sense each other as late as the
way between them takes. At once, they turn together at 40 Hz. The slower their fibres, the slower their common rhythm,
down to some 26 Hz at 7 m/s; slower still, delays are a third of a period and more, and no rhythm is common any more.

J. Cabral, E. Hugues, O. Sporns, G. Deco, NeuroImage 57, 130 (2011), doi:10.1016/j.neuroimage.2011.04.010; the slowing
is that of M. Yeung, S. Strogatz, Phys. Rev. Lett. 82, 648 (1999), doi:10.1103/PhysRevLett.82.648. The brain is drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import emerge
from emerge import observe

REGIONS, HERTZ, SCATTER, COUPLING = 90, 40.0, 1.0, 150.0
"""Regions, their mean frequency and its spread in Hz, and coupling in rad/s."""

SPEEDS = (np.inf, 40.0, 20.0, 14.0, 10.0, 7.0, 5.0, 3.5, 2.5, 1.5)
"""Conduction speeds in m/s, which is mm/ms."""

SETTLE, MEASURE, DT = 1.0, 1.0, 2e-4
"""Seconds."""


def main() -> None:
    """Run through the speeds."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=1, help="of the brain, its frequencies and phases [1]")
    asked.add_argument("--plot", type=Path, metavar="FILE", help="a picture of rhythm and coherence over delay")
    options = asked.parse_args()
    brain = emerge.Connectome.synthetic(REGIONS, seed=options.seed)
    print(f"{brain}, {HERTZ:g} Hz each\n\nspeed, m/s   mean delay, ms   rhythm, Hz   coherence")
    seen = []
    for speed in SPEEDS:
        swarm = swarm_of(brain, speed, options.seed)
        rhythm, coherence = measured(swarm)
        mean = 1e3 * float(np.mean(swarm.delay))
        seen.append((mean, rhythm, coherence))
        print(f"{speed:10g}   {mean:14.1f}   {rhythm:10.1f}   {coherence:9.2f}  {'█' * round(20 * coherence)}")
    if options.plot:
        picture(seen, options.plot)


def swarm_of(brain: emerge.Connectome, speed: float, seed: int) -> emerge.Swarm:
    """Return the regions, with delays as long as their connections take; whom two ticks reach is sensed at once."""
    rng = np.random.default_rng(seed)
    delay = 1e-3 * brain.delays(speed)
    return emerge.Swarm(
        brain.topology,
        emerge.Kuramoto(coupling=COUPLING),
        frequency=2 * np.pi * rng.normal(HERTZ, SCATTER, len(brain)),
        phase=rng.uniform(0.0, 1.0, len(brain)),
        delay=np.where(delay < 2 * DT, 0.0, delay),
        history="rotation",
    )


def measured(swarm: emerge.Swarm) -> tuple[float, float]:
    """Return the mean frequency in Hz, and R over time."""
    swarm.run(SETTLE, dt=DT, method="heun")
    watched = [observe.EffectiveFrequency(), observe.OrderParameter(every=0.002)]
    history = swarm.run(MEASURE, dt=DT, method="heun", record=watched).history
    assert history is not None
    rhythm = history["effective_frequency"].value.mean() / (2 * np.pi)
    return float(rhythm), float(np.abs(history["order_parameter"].value).mean())


def picture(seen: list[tuple[float, float, float]], path: Path) -> None:
    """Draw rhythm and coherence over the mean delay."""
    from matplotlib.figure import Figure

    delay, rhythm, coherence = zip(*seen, strict=True)
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(delay, rhythm, "o-", color="#c2410c")
    above.set(ylabel="rhythm, Hz")
    below.plot(delay, coherence, "o-", color="#1d4ed8")
    below.set(ylabel="coherence", xlabel="mean delay, ms", ylim=(0, 1.02))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
