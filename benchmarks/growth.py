"""How time and memory of a tick grow with the number of agents: a random graph of mean degree 10.

    python benchmarks/growth.py [--least N] [--most N] [--output FILE] [--plot FILE]

In double precision up to ten million agents, in single from a million on; sizes for which there is no memory left
are not tried. Few ticks are done at large sizes, since each takes seconds.
"""

import argparse
import sys
from pathlib import Path

import picture
import record

from emerge import speed
from emerge.errors import TooLarge

DOUBLE_MOST, SINGLE_LEAST = 10**7, 10**6
BYTES = {"double": 56 + 40, "single": 40 + 40 + 40}  # of an agent with ten edge ends; the last, for packed edges
DOUBLED = 2.5  # what making a graph may take beside what it holds in the end
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
    for n, precision in sizes(int(found.least), int(found.most)):
        line = measured(n, precision)
        if line is not None:
            lines.append(line)
            record.write(output, [line], about)
    print(f"\n{len(lines)} measurements: {output}")
    if found.plot and lines:
        picture.growth(lines, about, caches(), found.plot)


def sizes(least, most):
    """Return numbers of agents, three in two decades of ten, and the precisions they are tried in."""
    found = sorted({round(10 ** (step / 2), -2) for step in range(4, 17)} | {least, most})
    for n in (int(n) for n in found if least <= n <= most):
        if n <= DOUBLE_MOST:
            yield n, "double"
        if n >= SINGLE_LEAST:
            yield n, "single"


def measured(n, precision):
    """Measure one size; None, and a sentence, where memory does not allow it."""
    need, free = DOUBLED * n * BYTES[precision], memory_left()
    if free is not None and need > free:
        print(f"{n:12,}  {precision:8}  skipped: about {need / 2**30:.1f} GiB are needed, {free / 2**30:.1f} are left")
        return None
    case = speed.Case("random", n, precision)
    try:
        topology = speed.GRAPHS[case.graph](n)
        swarm = speed.swarm_of(topology, precision)
        times = speed.fastest({"picked": speed.ways_of(swarm, swarm)["picked"]})
    except (MemoryError, TooLarge) as error:
        print(f"{n:12,}  {precision:8}  skipped: {error}")
        return None
    tick = speed.told(case, topology, swarm, times | {"alone": times["picked"]})
    print(
        f"{n:12,}  {precision:8}{tick.picked / n:14.2f}{tick.bytes:12.1f}{tick.workers:8}",
        flush=True,
    )
    return {
        "case": f"growth: {case}", "graph": tick.graph, "agents": n, "edge_ends": tick.edge_ends,
        "precision": precision, "who": "picked", "name": "emerge, picked", "version": None, "threads": tick.workers,
        "ns_per_agent_tick": tick.picked / n, "ns_per_edge_tick": tick.picked / tick.edge_ends,
        "bytes_per_agent": tick.bytes, "checked_against": None, "apart": None,
    }  # fmt: skip


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
