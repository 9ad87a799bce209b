"""Times a case when it is asked to: the baseline instruction set is chosen at import, so it needs a process.

    EMERGE_ISA=baseline python benchmarks/child.py GRAPH AGENTS PRECISION

Tells its instruction set and a digest of phases; then for each line with a number of ticks how many seconds they took.
"""

import hashlib
import sys

import check

import emerge
from emerge import speed


def main():
    graph, agents, precision = sys.argv[1:]
    topology = speed.GRAPHS[graph](int(agents))
    swarm = speed.swarm_of(topology, precision)
    swarm.step(check.TICKS, dt=check.DT)
    print(emerge.about().instruction_set, hashlib.sha256(swarm.phase.tobytes()).hexdigest(), flush=True)
    way = speed.timed(lambda ticks: swarm.step(ticks, dt=check.DT))
    for line in sys.stdin:
        print(way(int(line)), flush=True)
        speed.idle()


if __name__ == "__main__":
    main()
