"""How time and memory of a tick grow with the number of agents: a random graph of mean degree 10.

    python benchmarks/growth.py [--least N] [--most N] [--output FILE] [--plot FILE]

In double precision up to ten million agents, in single from a million on; sizes for which there is no memory left
are not tried. Few ticks are done at large sizes, since each takes seconds.
"""

import argparse
import sys
from pathlib import Path
from time import perf_counter

import measure
import picture
import record

from emerge import speed
from emerge.errors import TooLarge

GRAPH = "random"
DOUBLE_MOST, SINGLE_LEAST = 10**7, 10**6
BYTES = 56 + 40 + 40 + 16
"""Of an agent with ten edge ends, at most: its state, its row, its packed row, and what is handed to the swarm."""
MAKING = 1.2
"""How much more may be needed while a graph is made."""
WARM_TICKS, WARM = 16, 0.5
"""Ticks and seconds, both at least, before time is taken."""
PHASORS = {"double": 2 * 16, "single": 2 * 8}


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--least", type=float, default=1e3, metavar="N", help="agents, at least [1e3]")
    options.add_argument("--most", type=float, default=1e8, metavar="N", help="agents, at most [1e8]")
    options.add_argument("--output", type=Path, metavar="FILE", help="lines of JSON, appended; in benchmarks/results")
    options.add_argument("--plot", type=Path, metavar="FILE", help="a picture, such as docs/growth.png")
    found = options.parse_args()
    if not 2 <= found.least <= found.most:
        options.error("there must be at least 2 agents, and --most must not be below --least")
    about, output, lines = record.surroundings(), found.output or record.place(), []
    print(f"{about['machine']}\n\n{'agents':>12}  {'phasors':8}{'ns/agent-tick':>14}{'bytes/agent':>12}{'workers':>8}")
    for n in sizes(int(found.least), int(found.most)):
        for line in measured(n):
            lines.append(line)
            record.write(output, [line], about)
    print(f"\n{len(lines)} measurements: {output}")
    if found.plot and lines:
        picture.growth(lines, about, caches(), found.plot)


def sizes(least, most):
    """Return numbers of agents, two in each decade."""
    return [n for power in range(1, 10) for n in (10**power, 3 * 10**power) if least <= n <= most]


def measured(n):
    """Measure one size in the precisions that it is tried in; say so where memory does not allow it."""
    need, free = int(MAKING * n * BYTES), memory_left()
    if free is not None and need > free:
        print(f"{n:12,}  skipped: about {need / 2**30:.1f} GiB are needed, {free / 2**30:.1f} are left")
        return
    precisions = ["double"] * (n <= DOUBLE_MOST) + ["single"] * (n >= SINGLE_LEAST)
    try:
        topology = speed.GRAPHS[GRAPH](n)
        for precision in precisions:
            yield told(topology, precision)
    except (MemoryError, TooLarge) as error:
        print(f"{n:12,}  skipped: {error}")


def told(topology, precision):
    """Measure one size in one precision, print it, return what is kept of it."""
    swarm = speed.swarm_of(topology, precision)
    warm(swarm)
    case = speed.Case(GRAPH, len(topology), precision)
    time = speed.fastest({"picked": speed.timed(lambda ticks: swarm.step(ticks, dt=speed.DT))})["picked"]
    tick = speed.told(case, topology, swarm, {"alone": time, "picked": time})
    print(
        f"{tick.agents:12,}  {precision:8}{time / tick.agents:14.2f}{tick.bytes:12.1f}{tick.workers:8}",
        flush=True,
    )
    figure = measure.Figure("picked", "emerge, picked", None, time)
    return record.line(f"growth: {case}", tick, figure)


def warm(swarm):
    """Let a swarm run until it has cut its graph into tiles, if it does, and tried its teams."""
    begun = perf_counter()
    swarm.step(WARM_TICKS, dt=speed.DT)
    while perf_counter() - begun < WARM:
        swarm.step(dt=speed.DT)


def memory_left():
    """Return the bytes that this machine can still give; None where it does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)


def caches():
    """Return the numbers of agents whose phasors, in double precision and two buffers, fill each cache."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = int(size.rstrip("KM")) * {"K": 2**10, "M": 2**20}[size[-1]] / PHASORS["double"]
    return found


if __name__ == "__main__":
    sys.exit(main())
