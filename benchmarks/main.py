"""How fast a tick is, beside peers and beside what the machine allows; every case is checked before it is timed.

    python benchmarks/main.py [--quick] [--only CASE] [--without-peers] [--output FILE] [--plot FILE]

Times are the least of repeats that all ways take in turns, in one process. Pools of threads that libraries keep
(OpenMP's, PyTorch's, JAX's, Taichi's) are given time to fall asleep before each turn, so that what is timed is
alone. Ratios are what counts, not the nanoseconds.
"""

import argparse
import math
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import check
import features
import features.swing
import limit
import measure
import picture
import record
import rows

from emerge import speed
from emerge.bench import Goal

QUICK_AGENTS = 200
OWN = (features, features.swing)
"""Cases that have no row: each is a room that times and judges itself."""


def read():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="everything once, in small; the figures mean nothing")
    options.add_argument(
        "--only", default="", metavar="CASE", help='cases whose name holds this, such as "random, 1,000"'
    )
    options.add_argument("--without-peers", action="store_true", help="emerge and the limit of the machine alone")
    options.add_argument("--output", type=Path, metavar="FILE", help="lines of JSON, appended; in benchmarks/results")
    options.add_argument("--plot", type=Path, metavar="FILE", help="a picture, such as docs/speed.png")
    found = options.parse_args()
    if not rows.chosen(found.only, 1) and not any(found.only in own.CASE for own in OWN):
        names = "; ".join((*(row.name for row in rows.ROWS), *(own.CASE for own in OWN)))
        options.error(f"no case holds {found.only!r}: there are {names}")
    return found


def main():
    options = read()
    warnings.simplefilter("ignore")  # of libraries, about themselves
    effort = speed.QUICK if options.quick else speed.FULL
    about, output = record.surroundings(), options.output or record.place()
    print(f"{about['machine']}, {about['workers']} workers at most\nexplicit Euler; ns for each agent and tick\n")
    goals, kept = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, found, wanted in measured(options, effort, folder):
            show(name, found)
            lines = [record.line(name, found.tick, figure) for figure in found.figures]
            record.write(output, lines, about)
            kept += lines
            goals += wanted
    if not options.only:
        goals.append(Goal("call of a step of 2 agents", "µs", 1.0, speed.call_cost(effort)))
    judge(goals)
    print(f"\n{len(kept)} measurements: {output}")
    if options.plot:
        picture.speeds(kept, about, options.plot)


def measured(options, effort, folder):
    """Check and time the cases that were chosen; yields their names, what was found, and what was wanted of it."""
    bound = machine_limit(folder)
    for row in rows.chosen(options.only, QUICK_AGENTS if options.quick else 10**9):
        with right(row.name):
            found = contest(row, effort, bound, peers=not options.without_peers)
        yield row.name, found, rows.goals(row, found.tick, found.times)
    for own in OWN:
        if options.only in own.CASE:
            with right(own.CASE):
                found = own.timed(effort, folder, bound)
            yield own.CASE, found, own.goals(found)


def machine_limit(folder):
    """Compile the program that measures the machine, and say what bandwidth it finds; None where that fails."""
    try:
        bound = limit.Limit.built(folder)
        for threads in sorted({1, measure.CORES}):
            found = bound.bandwidth(threads)
            print(
                f"{threads} thread{'s' * (threads > 1)}: triad {found['triad']:.1f}, reading {found['read']:.1f} GB/s"
            )
    except limit.NoLimit as error:
        print(f"skipped: limit of the machine: {error}")
        return None
    print(flush=True)
    return bound


def contest(row, effort, bound, *, peers):
    """Check and time one row."""
    ways = measure.Contest(row, effort)
    ways.engine()
    for module in row.peers if peers else ():
        ways.peer(module)
    if row.gather and bound is not None:
        ways.gather(bound)
    return ways.found()


@contextmanager
def right(case):
    """End the run at a result that is wrong, since a figure beside it would mean nothing."""
    try:
        yield
    except (check.Wrong, limit.NoLimit, RuntimeError) as error:
        raise SystemExit(f"{case}: {error}") from error


def show(name, found):
    tick = found.tick
    print(f"{name}: {tick.workers} worker{'s' * (tick.workers > 1)} picked, {tick.bytes:.1f} bytes for each agent")
    for figure in sorted(found.figures, key=lambda figure: figure.nanoseconds):
        threads = "" if figure.threads is None else f"{figure.threads} thread{'s' * (figure.threads > 1)}"
        times = figure.nanoseconds / tick.picked
        print(f"  {figure.name:40}{threads:>12}{figure.nanoseconds / tick.agents:12.2f} ns{times:12.2f} ×")
    for text in found.left:
        print(f"  skipped: {text}")
    print(flush=True)


def judge(goals):
    """Print each figure that is wanted beside the one that was reached."""
    wide = max(len(goal.name) for goal in goals)
    print(f"{'':{wide}}{'wanted':>10}{'reached':>10}  {'':5}  met")
    for goal in goals:
        reached = "–" if math.isnan(goal.found) else f"{goal.found:.3g}"
        wanted = f"{'≥' if goal.least else '≤'} {goal.wanted:.4g}"
        met = "–" if math.isnan(goal.found) else "yes" if goal.met else "no"
        print(f"{goal.name:{wide}}{wanted:>10}{reached:>10}  {goal.unit:5}  {met}")


if __name__ == "__main__":
    sys.exit(main())
