"""What is measured beside what, and what is wanted of it: the table of `make bench`, as data."""

import math
from dataclasses import dataclass, replace

from peers import MODULES, load

from emerge.bench import Goal
from emerge.speed import Case, goals_of

LIBRARIES = ("torch_csr", "taichi_rows", "jax_rows", "numpy_scipy")
NUMBA = ("numba_naive", "numba_once", "numba_expert")
MEANS = ("numpy_mean", "numba_mean", "jax_mean")
OBJECTS = ("jitcode_side", "kuramoto_package", "xgi_links", "mesa_agents")
"""Peers that have their best case at a thousand agents."""
ANY = tuple(module for module in MODULES if module not in MEANS)
GATHER = 1.5


@dataclass(frozen=True)
class Faster:
    """At least so many times as fast as the fastest of some peers."""

    times: float
    peers: tuple[str, ...]
    label: str
    ours: str = "picked"


@dataclass(frozen=True)
class Row:
    """A case, the peers timed with it, and what is wanted beside what `speed.goals_of` tells."""

    case: Case
    peers: tuple[str, ...] = ()
    faster: tuple[Faster, ...] = ()
    most: float | None = None  # ns of an agent's tick
    gather: bool = False
    one_thread: bool = False  # peers that can be told get one thread only
    baseline: bool = False  # also without AVX, in another process

    @property
    def name(self):
        """What `--only` looks for."""
        return str(self.case)


EXPERT = Faster(3, ("numba_expert",), "numba, written by an expert")
ONCE = ("numba_once",)
FASTEST = "the fastest of PyTorch, Taichi, JAX, SciPy"

ROWS = (
    Row(
        Case("random", 10**3),
        ("numpy_naive", *LIBRARIES, *NUMBA, *OBJECTS),
        (
            Faster(4, ANY, "the fastest peer on one thread", "alone"),
            Faster(15, ("jitcode_side",), "JiTCODE's right-hand side", "alone"),
            Faster(1000, ("kuramoto_package",), "the kuramoto package", "alone"),
        ),
        one_thread=True,
    ),
    Row(Case("random", 10**4), ("numpy_naive", *LIBRARIES, *NUMBA)),
    Row(
        Case("random", 10**5),
        ("numpy_naive", *LIBRARIES, *NUMBA, "brian2_synapses"),
        (
            Faster(5, LIBRARIES, FASTEST),
            EXPERT,
            Faster(3, LIBRARIES, f"{FASTEST}, without AVX", "baseline"),
            Faster(30, ("brian2_synapses",), "Brian2"),
        ),
        gather=True,
        baseline=True,
    ),
    Row(
        Case("random", 10**6),
        ("numpy_naive", *LIBRARIES, *NUMBA),
        (Faster(2.5, ANY, "the fastest peer"),),
        gather=True,
    ),
    Row(
        Case("random", 10**6, "single"),
        (*LIBRARIES, *NUMBA),
        (Faster(4.5, ANY, "the fastest peer, in double precision"),),
        gather=True,
    ),
    Row(Case("random", 10**7, "single"), most=30.0),
    *(
        Row(Case(graph, 10**5), (*LIBRARIES, *NUMBA), (Faster(5, ONCE, "numba, sine and cosine once per agent"),))
        for graph in ("small world", "scale-free")
    ),
    *(
        Row(
            Case("ring lattice", n),
            ("numpy_stencil", "numba_once", "numba_expert"),
            (Faster(20, ONCE, "numba's general code"), Faster(20, ("numpy_stencil",), "a NumPy stencil")),
        )
        for n in (10**5, 10**6)
    ),
    *(
        Row(Case("complete", n), MEANS, (Faster(15, MEANS, "the fastest of NumPy, numba, JAX"),))
        for n in (10**5, 10**6)
    ),
)


def chosen(only, most):
    """Return the row of this name, or else all whose names hold it, cut down to so many agents."""
    rows = [row for row in ROWS if row.name == only] or [row for row in ROWS if only in row.name]
    return [replace(row, case=replace(row.case, agents=min(row.case.agents, most))) for row in rows]


def goals(row, tick, times):
    """Judge a row by the nanoseconds that one tick takes in each way; what is missing meets no goal."""
    found = goals_of(tick)
    if row.most is not None:
        found.append(Goal(f"{row.name}: an agent's tick", "ns", row.most, tick.picked / tick.agents))
    for faster in row.faster:
        fastest = min((peer for peer in faster.peers if peer in times), key=times.get, default=None)
        ratio = times.get(fastest, math.nan) / times.get(faster.ours, math.nan)
        label = faster.label + (f": {load(fastest).NAME}" if fastest and len(faster.peers) > 1 else "")
        found.append(Goal(f"{row.name}: beside {label}", "times", faster.times, ratio, least=True))
    if row.gather:
        ratio = tick.picked / times.get("gather", math.nan)
        found.append(Goal(f"{row.name}: beside the bare gather", "times", GATHER, ratio))
    return found
