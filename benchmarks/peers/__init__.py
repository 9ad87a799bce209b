"""One file for each peer: the same tick as people would write it with another tool.

Each has `NAME`; `NEEDS`, what it imports; `KINDS` of topologies and `MOST` agents that it can serve in bearable
time and memory; and `ticker`, which returns a function from phases and a number of ticks to new phases: explicit
Euler in float64, the field divided by the degree. Libraries are imported when a ticker is made, so that a peer can be
named where its library is not there. A peer that can be told its number of threads has `use`.
"""

import importlib

import numpy as np

import emerge

MODULES = (
    "numpy_naive",
    "numpy_scipy",
    "numpy_stencil",
    "numpy_mean",
    "numba_naive",
    "numba_once",
    "numba_mean",
    "numba_expert",
    "torch_csr",
    "jax_rows",
    "jax_mean",
    "taichi_rows",
    "jitcode_side",
    "brian2_synapses",
    "kuramoto_package",
    "xgi_links",
    "mesa_agents",
)


def load(module):
    """Return the peer that lives in this file."""
    return importlib.import_module(f"{__name__}.{module}")


def missing(peer):
    """Say why a peer cannot be used here; None if it can."""
    for name in peer.NEEDS:
        try:
            importlib.import_module(name)
        except Exception as error:
            return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return None


def serves(peer, topology):
    """Say whether a peer can tick such a graph in bearable time and memory."""
    return kind(topology) in peer.KINDS and len(topology) <= peer.MOST


def kind(topology):
    """Tell apart what peers treat apart: "complete", "ring", or "other"."""
    if topology.kind == "complete":
        return "complete"
    return "other" if lattice(topology) is None else "ring"


def lattice(topology):
    """Return how many agents each senses, if this is a ring lattice; else None."""
    n, ends = len(topology), topology.edge_ends
    degree, rest = divmod(ends, n)
    if rest or degree % 2 or not 2 <= degree < n or int(topology.neighbours(0)[0]) != 1:
        return None
    return degree if topology == emerge.Topology.ring(n, degree=degree) else None


def rows(topology):
    """Return where rows start (int64), whom they hold (int32), and how long they are."""
    matrix = topology.to_scipy()
    starts = matrix.indptr.astype(np.int64)
    return starts, matrix.indices.astype(np.int32, copy=False), np.diff(starts)


def gains(degree, coupling):
    """Return what the sum of each agent is multiplied by: 0 for one without neighbours."""
    return np.where(degree > 0, coupling / np.maximum(degree, 1), 0.0)
