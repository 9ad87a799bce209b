"""Pollers that start together and spread evenly apart, each sensing only two others.

    python examples/apart.py [--agents 23] [--periods 4] [--period 0.5] [--seed 1]

After a restart all pollers ask within a hundredth of a period: a herd, again and again. Repulsive coupling spreads
them; how well depends on who senses whom. Where all sense all, coherence goes to 0 but clumps may stay, as two groups
half a period apart are just as incoherent: no better than jitter. On a ring in which each senses two others, only an
even spread stays at rest, provided that the number of pollers is an odd prime. (At rest all steps along the ring are
equal and add up to whole turns; a number that can be divided may leave groups that ask together.) That comes close
to what a central scheduler does. All figures are from times that the server wrote down.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Coroutine, Sequence

import numpy as np
import numpy.typing as npt
from server import Server

import emerge

Times = npt.NDArray[np.float64]

HERD = 0.01
"""Periods within which all start. Some difference there must be: those in step exactly would not feel each other."""
COUPLING = -100.0
"""In rad per period."""
TICKS = 250
"""In a period."""
WINDOW = 0.1
"""Periods: load is the number of requests in a window of this length, wherever it begins."""
SETTLE = 3
"""Periods until a swarm is measured, so that it has spread."""


def peak_to_mean(times: Times, begin: float, period: float, periods: int) -> float:
    """Return the most requests in any window of a tenth of a period over their mean: the median of some periods."""
    times = np.sort(times)
    load = np.searchsorted(times, times + WINDOW * period) - np.arange(len(times))  # from each request on
    which = (times - begin) // period
    peaks = [load[which == k].max(initial=0) for k in range(periods)]
    return float(np.median(peaks) / (len(times) * WINDOW / periods))


def unevenness(times: Times) -> float:
    """Return the standard deviation of the gaps between requests over their mean: 0 if they are evenly apart."""
    gaps = np.diff(np.sort(times))
    return float(gaps.std() / gaps.mean())


async def by_clock(server: Server, key: int, period: float, offset: float) -> None:
    """Ask for a key once per period, by the clock, beginning some part of a period from now."""
    clock = asyncio.get_running_loop()
    due = clock.time() + offset * period
    while True:
        await asyncio.sleep(due - clock.time())
        await server.ask(key)
        due += period


async def by_swarm(server: Server, agent: int, live: emerge.Live) -> None:
    """Ask for the agent's key each time its phase passes 0, which is once per period."""
    async for _ in live.moments(agent):
        await server.ask(agent)


async def measure(
    way: str,
    server: Server,
    pollers: Sequence[Coroutine[object, object, None]],
    settle: float,
    options: argparse.Namespace,
) -> None:
    """Let pollers run, and print a row with what the server saw of them."""
    clock = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(poller) for poller in pollers]
        await asyncio.sleep((settle + 0.5) * options.period)
        begin = clock.time()
        await asyncio.sleep(options.periods * options.period)
        times = np.array([request.time for request in server.between(begin, clock.time())])
        for task in tasks:
            task.cancel()
    peak = peak_to_mean(times, begin, options.period, options.periods)
    rate = len(times) / (options.periods * options.period)
    print(f"{way:<46}{rate:>10.1f}{peak:>14.2f}{unevenness(times):>18.2f}", flush=True)


async def measure_clocks(way: str, server: Server, offsets: Times, options: argparse.Namespace) -> None:
    """Measure pollers that ask by the clock."""
    pollers = [by_clock(server, key, options.period, offset) for key, offset in enumerate(offsets)]
    await measure(way, server, pollers, 0, options)


async def measure_swarm(
    way: str, server: Server, web: emerge.Topology, offsets: Times, options: argparse.Namespace
) -> None:
    """Measure pollers that ask by a swarm with repulsive coupling, which starts as a herd. Its time is in periods."""
    phase = -2 * np.pi * offsets
    swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=COUPLING), frequency=2 * np.pi, phase=phase)
    async with swarm.live(options.period / TICKS, 1 / options.period) as live:
        pollers = [by_swarm(server, agent, live) for agent in range(options.agents)]
        await measure(way, server, pollers, SETTLE, options)


async def main(options: argparse.Namespace) -> None:
    """Measure five ways, and print a row for each."""
    n, rng = options.agents, np.random.default_rng(options.seed)
    herd, jitter, slots = rng.uniform(0, HERD, n), rng.uniform(0, 1, n), np.arange(n) / n
    async with Server() as server:
        print(
            f"{n} pollers, each once per {options.period:g} s; measured for {options.periods} periods each.\n"
            f"Load: requests in {1000 * WINDOW * options.period:g} ms, a tenth of a period.\n\n"
            f"{'way':<46}{'requests/s':>10}{'peak to mean':>14}{'std/mean of gaps':>18}",
            flush=True,
        )
        await measure_clocks("before: all at their start", server, herd, options)
        await measure_clocks("random jitter", server, jitter, options)
        await measure_clocks("central scheduler, the best there is", server, slots, options)
        await measure_swarm("repulsion, all sense all", server, emerge.Topology.complete(n), herd, options)
        await measure_swarm("after: repulsion, ring, each senses two", server, emerge.Topology.ring(n), herd, options)


def arguments() -> argparse.Namespace:
    """Return what the user chose."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--agents", type=int, default=23, help="pollers, an odd prime from 11 on (default 23)")
    options.add_argument("--periods", type=int, default=4, help="periods to measure, for each way (default 4)")
    options.add_argument("--period", type=float, default=0.5, help="seconds from poll to poll (default 0.5)")
    options.add_argument("--seed", type=int, default=1, help="of starts and jitter (default 1)")
    chosen = options.parse_args()
    if chosen.agents < 11 or any(chosen.agents % k == 0 for k in range(2, math.isqrt(chosen.agents) + 1)):
        options.error(f"a ring of {chosen.agents} may fall into groups: choose a prime from 11 on, such as 23, 29, 31")
    if chosen.periods < 1 or not chosen.period > 0:
        options.error("at least 1 period, longer than 0 s, is needed")
    return chosen


if __name__ == "__main__":
    try:
        asyncio.run(main(arguments()))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
