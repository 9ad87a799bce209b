"""How fast a tick is, beside what a user could write instead; every case is checked before it is timed.

    python benchmarks/main.py [--quick]

Time is the least of alternated repeats in one run, so the ratio is what counts, not the nanoseconds.
"""

import argparse
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from peers import numpy_scipy

import emerge

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import oracle

COUPLING, DT, CHECKED_TICKS = 1.0, 0.01, 5
SPARSE, COMPLETE = (10**3, 10**4, 10**5, 10**6), (10**3, 10**4, 10**5, 10**6)
REPEATS, SECONDS = 7, 0.15


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="sizes up to 10 000 agents only")
    most = 10**4 if options.parse_args().quick else 10**9
    about = emerge.about()
    print(
        f"{machine()}, {about.compiler}, {about.instruction_set}, {about.workers} workers at most; float64, explicit"
        f" Euler\nns for each agent and tick (and for each edge end), least of {REPEATS} alternated repeats;"
        f" peer: {numpy_scipy.NAME}, same run, one thread\n"
    )
    print(
        f"{'graph':22}{'agents':>10}{'1 worker':>10}{'picked':>10}{'per edge':>10}{'peer':>10}{'times':>8}{'bytes':>8}"
    )
    print(f"{'':22}{'':>10}{'ns':>10}{'ns':>10}{'ns':>10}{'ns':>10}{'faster':>8}{'/agent':>8}")
    for n in SPARSE:
        if n <= most:
            row("random, degree 10", emerge.Topology.random(n, degree=10, seed=1))
    for n in COMPLETE:
        if n <= most:
            row("complete", emerge.Topology.complete(n))


def row(name, topology):
    """Check one case, time it, print its line."""
    n = len(topology)
    rng = np.random.default_rng(2)
    phase, frequency = rng.uniform(0, 2 * np.pi, n), rng.normal(0, 0.1, n)
    tick = numpy_scipy.ticker(topology, COUPLING, frequency, DT)
    model = emerge.Kuramoto(coupling=COUPLING)
    one, picked = (
        emerge.Swarm(topology, model, phase=phase, frequency=frequency, threads=threads) for threads in (1, None)
    )
    check(topology, phase, frequency, one, picked, tick)
    alone, team, peer = fastest(
        lambda ticks: one.step(ticks, dt=DT), lambda ticks: picked.step(ticks, dt=DT), lambda ticks: tick(phase, ticks)
    )
    edge = team / topology.edge_ends if topology.kind == "stored" else float("nan")
    print(
        f"{name:22}{n:>10}{1e9 * alone / n:>10.2f}{1e9 * team / n:>10.2f}"
        f"{f'{1e9 * edge:.2f}' if edge == edge else '–':>10}"
        f"{1e9 * peer / n:>10.1f}{peer / team:>8.1f}{picked.nbytes / n:>8.1f}",
        flush=True,
    )


def check(topology, phase, frequency, one, picked, tick):
    """Stop if any way to a result differs from the others; small cases are held against the oracle."""
    for swarm in (one, picked):
        swarm.step(CHECKED_TICKS, dt=DT)
    truth = tick(phase, CHECKED_TICKS)
    if topology.edge_ends <= 10**6:
        edges, weights = oracle.both_ways(topology)
        truth = oracle.euler(phase, frequency, edges, weights, ticks=CHECKED_TICKS, dt=DT, coupling=COUPLING)
        if oracle.apart(tick(phase, CHECKED_TICKS), truth) > 1e-12:
            raise SystemExit(f"{numpy_scipy.NAME} is wrong on {topology}")
    if oracle.apart(one.phase, truth) > 1e-12 or not np.array_equal(one.phase, picked.phase):
        raise SystemExit(f"emerge is wrong on {topology}")


def fastest(*ways):
    """Seconds for one tick of each way: the least of alternated repeats, each long enough to be told."""
    ticks = []
    for way in ways:
        count = 1
        while seconds(way, count) < SECONDS / 4 and count < 10**6:
            count *= 4
        ticks.append(count)
    best = [float("inf")] * len(ways)
    for _ in range(REPEATS):
        for k, way in enumerate(ways):
            best[k] = min(best[k], seconds(way, ticks[k]) / ticks[k])
    return best


def seconds(way, ticks):
    begun = perf_counter()
    way(ticks)
    return perf_counter() - begun


def machine():
    """Name the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "this machine"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else "this machine"


if __name__ == "__main__":
    main()
