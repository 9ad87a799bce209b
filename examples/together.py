"""Pollers that fall into step and ask together: the same answers in far fewer requests.

    python examples/together.py [--agents 50] [--periods 3] [--period 0.75] [--seed 1]

Each poller wants the answer to its own key once per period. What asks within a short window goes out as one request,
whoever asks. That alone saves some as long as everybody asks at a time of their own. With attractive coupling each
poller senses six others and moves towards them, and soon all ask in the same window, though no two of their clocks go
equally fast and nobody says when. All figures are counted by the server.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

import numpy as np
from server import Server

import emerge

Ask = Callable[[int], Awaitable[object]]
"""A way to ask for the answer to a key."""

NEIGHBOURS = 6
COUPLING = 40.0
"""In rad per period, once it is switched on: some 600 times as much as clocks differ."""
CLOCKS = 0.01
"""Standard deviation of the speed of the pollers' clocks, relative to its mean."""
TICKS = 200
"""In a period."""
WINDOW = 0.02
"""Periods for which a request waits for other keys to go with it."""
SETTLE = 1.5
"""Periods before the server's counts are taken: what comes before is on the way into step."""


class Batch:
    """Keys that are asked for within a window go out in one request."""

    def __init__(self, server: Server, window: float) -> None:
        self._server = server
        self._window = window
        self._keys: list[int] = []
        self._answers: asyncio.Task[dict[int, str]]

    async def ask(self, key: int) -> str:
        """Return the answer to a key, when the request that it went out with is answered."""
        if not self._keys:
            self._answers = asyncio.create_task(self._send())
        self._keys.append(key)
        return (await asyncio.shield(self._answers))[key]

    async def _send(self) -> dict[int, str]:
        await asyncio.sleep(self._window)
        keys, self._keys = self._keys, []
        return await self._server.ask(*keys)


async def poll(live: emerge.Live, agent: int, ask: Ask) -> None:
    """Ask for the agent's key each time its phase passes 0, which is once per period."""
    async for _ in live.moments(agent):
        await ask(agent)


async def measure(live: emerge.Live, server: Server, ask: Ask, options: argparse.Namespace) -> tuple[float, float]:
    """Let all pollers ask in one way; return requests and answers per second, as the server saw them."""
    clock = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        pollers = [group.create_task(poll(live, agent, ask)) for agent in range(options.agents)]
        await asyncio.sleep(SETTLE * options.period)
        await anext(live.moments(0))
        await asyncio.sleep(options.period / 2)  # so that in step nobody asks where counting begins or ends
        begin = clock.time()
        await asyncio.sleep(options.periods * options.period)
        end = clock.time()
        seen = server.between(begin, end)
        for poller in pollers:
            poller.cancel()
    return len(seen) / (end - begin), sum(request.keys for request in seen) / (end - begin)


def row(way: str, requests: float, answers: float, coherence: float) -> None:
    """Print what one way took."""
    print(f"{way:<34}{requests:>12.1f}{answers:>12.1f}{answers / requests:>16.1f}{coherence:>15.2f}", flush=True)


def swarm_of(options: argparse.Namespace) -> emerge.Swarm:
    """Return pollers out of step: random phases, clocks that differ, no coupling yet. Time is in periods."""
    frequency = 2 * np.pi * np.random.default_rng(options.seed).normal(1.0, CLOCKS, options.agents)
    web = emerge.Topology.regular(options.agents, NEIGHBOURS, seed=options.seed)
    return emerge.Swarm(web, emerge.Kuramoto(coupling=0.0), frequency=frequency, seed=options.seed)


async def main(options: argparse.Namespace) -> None:
    """Measure three ways with the same pollers, and print a row for each."""
    swarm = swarm_of(options)
    async with Server() as server, swarm.live(options.period / TICKS, 1 / options.period) as live:
        print(
            f"{options.agents} pollers, each for its own key once per {options.period:g} s; counted for"
            f" {options.periods} periods each.\n\n"
            f"{'way':<34}{'requests/s':>12}{'answers/s':>12}{'keys/request':>16}{'coherence R':>15}",
            flush=True,
        )
        batch = Batch(server, WINDOW * options.period)
        before, answers = await measure(live, server, server.ask, options)
        row("before: each alone, out of step", before, answers, swarm.coherence)
        row("shared requests, out of step", *await measure(live, server, batch.ask, options), swarm.coherence)
        await live.change(coupling=COUPLING)
        after, answers = await measure(live, server, batch.ask, options)
        row("after: shared requests, in step", after, answers, swarm.coherence)
    print(f"\nIn step, the pollers got their answers with {before / after:.0f} times fewer requests.")


def arguments() -> argparse.Namespace:
    """Return what the user chose."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--agents", type=int, default=50, help="pollers, at least 8 (default 50)")
    options.add_argument("--periods", type=int, default=3, help="periods to count for, in each way (default 3)")
    options.add_argument("--period", type=float, default=0.75, help="seconds from poll to poll (default 0.75)")
    options.add_argument("--seed", type=int, default=1, help="of phases, clocks and neighbours (default 1)")
    chosen = options.parse_args()
    if chosen.agents < 8 or chosen.periods < 1 or not chosen.period > 0:
        options.error("at least 8 agents, 1 period, and a period longer than 0 s are needed")
    return chosen


if __name__ == "__main__":
    try:
        asyncio.run(main(arguments()))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
