"""Watch a live swarm fall into step, be disturbed, and recover: events as they arrive, and a picture of them.

    python examples/watch.py --seconds 6 --picture watch.png

The swarm ticks by the wall clock in a thread of its own. This program listens, prints what it is told, and sends a few
commands. The picture needs matplotlib (extra `plot`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import monotonic

import numpy as np

import emerge


def main() -> None:
    """Run the swarm, tell its events, and draw them."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--agents", type=int, default=2000, help="how many [2000]")
    asked.add_argument("--seconds", type=float, default=6.0, help="how long [6]")
    asked.add_argument("--picture", metavar="FILE", help="where a picture goes, such as watch.png")
    wanted = asked.parse_args()
    frequency = np.random.default_rng(7).normal(0.0, 0.1, wanted.agents)
    web = emerge.Topology.small_world(wanted.agents, degree=10, rewire=0.2, seed=7)
    swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=5.0), frequency=frequency, seed=7)
    told = watch(swarm, wanted.seconds)
    if wanted.picture:
        draw(told, wanted.picture)
        print(f"picture in {wanted.picture}")


def watch(swarm: emerge.Swarm, seconds: float) -> list[emerge.Event]:
    """Run live for some seconds and return what happened; commands are sent on the way."""
    told: list[emerge.Event] = []
    begun = monotonic()
    with swarm.events.subscribe(maxsize=100_000) as inbox, swarm.live(interval=0.005, speed=10.0) as live:
        commands = plan(swarm, live)
        while (share := (monotonic() - begun) / seconds) < 1:
            while commands and commands[0][0] <= share:
                commands.pop(0)[1]()
            try:
                told.append(inbox.wait(timeout=0.02))
            except TimeoutError:
                continue
            show(told[-1])
    for event in inbox:  # what was still in the buffer
        told.append(event)
        show(event)
    return told


def plan(swarm: emerge.Swarm, live: emerge.Live) -> list[tuple[float, Callable[[], object]]]:
    """Return what is sent to the loop, and after which share of the time."""
    tenth = np.arange(len(swarm) // 10)
    other = swarm.topology.rewired(0.5, seed=1)
    return [
        (0.35, lambda: live.disrupt(0.5)),
        (0.60, lambda: live.fail(tenth)),
        (0.65, lambda: live.change(topology=other)),
        (0.72, lambda: live.disrupt(0.7)),
        (0.92, lambda: live.restore()),
    ]


def show(event: emerge.Event) -> None:
    """Print one event as one line; ticks are for the picture."""
    if not isinstance(event, emerge.Ticked):
        print(f"t = {event.time:6.2f}   R = {event.coherence:.3f}   {type(event).__name__}", flush=True)


def draw(told: list[emerge.Event], path: str) -> None:
    """Draw coherence over time, with the events on it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([event.time for event in told], [event.coherence for event in told], color="0.35", linewidth=1)
    marked = [event for event in told if not isinstance(event, emerge.Ticked)]
    kinds = list(dict.fromkeys(type(event) for event in marked))
    for event in marked:
        colour = f"C{kinds.index(type(event))}"
        axes.axvline(event.time, color=colour, linewidth=1, linestyle=":")
        axes.plot(event.time, event.coherence, "o", color=colour, label=f"{type(event).__name__}, t = {event.time:.1f}")
    axes.set(xlabel="time of the swarm", ylabel="coherence R", ylim=(0, 1.03), xlim=(0, told[-1].time))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
