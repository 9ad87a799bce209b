"""Whether a peer computes what it should: before it is timed, or by itself.

    python benchmarks/check.py [PEER ...]

Prints for each peer how far it is from the oracle, or why it is skipped; fails if one is wrong.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import peers
from peers import numpy_mean, numpy_scipy

import emerge

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import oracle

TICKS, COUPLING, DT = 5, 1.0, 0.01
APART = {"double": 1e-13, "single": 1e-7}
"""How far phases may be from the truth, in rad."""
MOVED = 1e-5
"""How far coupling must move some phase, or the check would show nothing."""
ORACLE_ENDS = 10**6
SMALL = {
    "random": lambda: emerge.Topology.random(200, degree=3, seed=1),
    "ring lattice": lambda: emerge.Topology.ring(50, degree=10),
    "complete": lambda: emerge.Topology.complete(30),
}


class Wrong(Exception):
    """A result is too far from the truth."""


def state(n):
    """Return the phases and frequencies that every check begins with."""
    rng = np.random.default_rng(2)
    return rng.uniform(0, 2 * np.pi, n), rng.normal(0, 0.1, n)


def truth(topology, coupling=COUPLING):
    """Return the phases after some ticks, and what told them: the oracle, or beyond its size a peer that it checked."""
    phase, frequency = state(len(topology))
    if topology.edge_ends <= ORACLE_ENDS:
        edges, weights = oracle.both_ways(topology)
        return oracle.euler(phase, frequency, edges, weights, ticks=TICKS, dt=DT, coupling=coupling), "oracle"
    witness = numpy_mean if topology.kind == "complete" else numpy_scipy
    hold(witness, SMALL["complete" if witness is numpy_mean else "random"]())
    return witness.ticker(topology, coupling, frequency, DT)(phase, TICKS), witness.NAME


def hold(peer, topology, wanted=None):
    """Return the peer's ticker and how far it is from the truth; raise `Wrong` if that is too far."""
    phase, frequency = state(len(topology))
    wanted = truth(topology)[0] if wanted is None else wanted
    tick = peer.ticker(topology, COUPLING, frequency, DT)
    return tick, near(tick(phase, TICKS), wanted, peer.NAME)


def near(found, wanted, name, precision="double"):
    """Return how far phases are from the truth; raise `Wrong` if that is too far."""
    apart = float(oracle.apart(found, wanted))
    if not apart <= APART[precision]:
        raise Wrong(f"{name} is wrong by {apart:.1e} rad, where {APART[precision]:.0e} are let pass")
    return apart


def telling(topology, wanted):
    """Raise `Wrong` if swarms without coupling would end in the same phases."""
    phase, frequency = state(len(topology))
    if oracle.apart(phase + TICKS * DT * frequency, wanted) < MOVED:
        raise Wrong(f"coupling moves no phase of {topology}: nothing is checked")


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("peer", nargs="*", choices=[*peers.MODULES, []], help="names of files; all, if none is given")
    warnings.simplefilter("ignore")  # of libraries, about themselves
    failed = False
    for module in options.parse_args().peer or peers.MODULES:
        peer = peers.load(module)
        why = peers.missing(peer)
        if why:
            print(f"{peer.NAME}: skipped, {why}")
            continue
        for name, make in SMALL.items():
            topology = make()
            if peers.serves(peer, topology):
                wanted = truth(topology)[0]
                telling(topology, wanted)
                try:
                    print(f"{peer.NAME}: {name}: right, within {hold(peer, topology, wanted)[1]:.1e} rad", flush=True)
                except Wrong as wrong:
                    failed = True
                    print(f"{name}: {wrong}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
