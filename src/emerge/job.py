"""From what the command line was asked to a swarm that is ready to run.

Whatever was not said is chosen here: a graph, when no file is named, and settings that suit the graph. A file
that brings frequencies (a power grid) gets others than the rest: its swarm is to come to rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue
from .method import Method, integrator
from .model import Kuramoto, Normalize
from .run import ticks_of
from .swarm import BYTES_OF_AN_AGENT, Swarm
from .topology import Topology
from .until import Coherent, Locked, coherent, locked

__all__ = ["TOPOLOGIES", "Frequencies", "Job", "Options", "goal", "prepare"]

Floats = npt.NDArray[np.float64]

TOPOLOGIES = (
    "small-world", "ring", "complete", "star", "grid", "torus", "random", "scale-free", "regular",
)  # fmt: skip
"""Graphs that can be asked for by name; the first is the default."""

LATTICES = frozenset({"grid", "torus"})
WITH_DEGREE = frozenset({"ring", "small-world", "random", "scale-free", "regular"})

GRAPH, FREQUENCIES, PHASES = 2, 3, 4
"""What random numbers are drawn for, beside the purposes 0 and 1 of `Swarm`: each has a stream of its own."""

DT, DURATION = 0.01, 200.0
PULL_OF_A_TICK = 0.95
"""Most that neighbours of a grid's bus may pull in one tick, in rad: Euler steps are stable up to 1."""

TICKS_TO_REST = 2_000_000
TOLERANCE, TOLERANCE_AT_REST = 1e-6, 1e-7
"""Spread of frequencies that counts as locked. At 1e-7 angles over the lines of a grid of 9241 buses, whose
slowest mode decays at a rate of 9e-6, are right to 0.01°."""


@dataclass(frozen=True, slots=True)
class Frequencies:
    """A distribution of natural frequencies: its name and its one or two numbers."""

    name: str
    numbers: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> Frequencies:
        """Read ``normal:MEAN,SPREAD``, ``uniform:LOW,HIGH``, ``lorentz:CENTRE,WIDTH`` or one number."""
        name, colon, rest = text.strip().partition(":")
        if not colon:
            return cls("all", (admit.real(name, "frequency"),))
        parts = rest.split(",")
        if name not in ("normal", "uniform", "lorentz") or len(parts) != 2:
            raise InvalidValue(
                "frequency must be normal:MEAN,SPREAD, uniform:LOW,HIGH, lorentz:CENTRE,WIDTH"
                f" or one number, not {text!r}"
            )
        one, other = (admit.real(part, f"a number of {name}") for part in parts)
        if name == "uniform" and other < one:
            raise InvalidValue(f"uniform must be given its low end first, not {text!r}")
        if name != "uniform" and other < 0:
            raise InvalidValue(f"the width of {name} must be at least 0, not {other:g}")
        return cls(name, (one, other))

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw n frequencies."""
        if self.name == "all":
            return np.full(n, self.numbers[0])
        one, other = self.numbers
        if not math.isfinite(other - one):
            raise InvalidValue(f"the numbers of {self} are too far apart")
        if self.name == "normal":
            return rng.normal(one, other, n)
        if self.name == "uniform":
            return rng.uniform(one, other, n)
        return one + other * rng.standard_cauchy(n)

    def __str__(self) -> str:
        numbers = ",".join(f"{number:g}" for number in self.numbers)
        return numbers if self.name == "all" else f"{self.name}:{numbers}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What was asked; None where nothing was said and the graph decides."""

    graph: str | None = None
    agents: tuple[int, ...] | None = None
    topology: str | None = None
    degree: float | None = None
    rewire: float | None = None
    coupling: float | None = None
    lag: float = 0.0
    noise: float = 0.0
    frequency: Frequencies | None = None
    normalize: Normalize = "weight"
    method: Method = "euler"
    dt: float | None = None
    duration: float | None = None
    until: str | None = None
    timeout: float | None = None
    seed: int = 1
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A swarm ready to run, how it is to be run, and how that is put in words."""

    swarm: Swarm
    coupling: float
    graph: str
    frequency: str
    phase: str
    method: Method
    dt: float
    duration: float
    target: Coherent | Locked | None
    timeout: float | None
    seed: int
    notes: tuple[str, ...]


def goal(text: str, tolerance: float = TOLERANCE) -> Coherent | Locked | None:
    """Read a target: a coherence, ``locked``, ``locked:TOLERANCE``, or ``never``, which is None."""
    word, colon, rest = text.strip().partition(":")
    if word == "never" and not colon:
        return None
    if word == "locked":
        return locked(admit.real(rest, "tolerance", above=0.0) if colon else tolerance)
    try:
        level = float(text)
    except ValueError:
        raise InvalidValue(
            f"the goal must be a coherence in (0, 1], locked, locked:TOLERANCE or never, not {text!r}"
        ) from None
    return coherent(level)


def prepare(options: Options) -> Job:
    """Make the swarm, and choose what was left open."""
    seed = admit.count(options.seed, "seed", least=0)
    topology, graph = _drawn(options, seed) if options.graph is None else _read(options, options.graph)
    n, powered = len(topology), topology.frequency is not None
    admit.memory((BYTES_OF_AN_AGENT + 16) * n, f"a swarm of {n} agents")
    coupling = (1.0 if powered else 2.0) if options.coupling is None else options.coupling
    model = Kuramoto(coupling, lag=options.lag, normalize=options.normalize, noise=options.noise)
    pull = _pull(topology, coupling, options.normalize)
    dt, duration = _time(options, pull if powered else None)
    words, frequency = _frequency(options, topology, seed)
    phase = None
    if powered:
        phase = np.random.default_rng([seed, PHASES]).uniform(-np.pi / 2, np.pi / 2, n)
    notes = topology.notes
    if dt * pull > 1:
        notes += (
            f"in a tick of dt = {dt:g} neighbours may pull an agent by {dt * pull:.3g} rad,"
            " which is too much to trust: give a smaller --dt",
        )
    until = options.until or ("locked" if powered else "0.95")
    return Job(
        swarm=Swarm(topology, model, frequency=frequency, phase=phase, seed=seed, threads=options.threads),
        coupling=coupling,
        graph=graph,
        frequency=words,
        phase="uniform within a quarter turn of 0" if powered else "uniform on the circle",
        method=integrator(options.method, "barrier", model).method,
        dt=dt,
        duration=duration,
        target=goal(until, TOLERANCE_AT_REST if powered else TOLERANCE),
        timeout=None if options.timeout is None else admit.real(options.timeout, "timeout", above=0.0),
        seed=seed,
        notes=notes,
    )


def _read(options: Options, path: str) -> tuple[Topology, str]:
    """Read the file, and say no to options of generated graphs."""
    for name in ("agents", "topology", "degree", "rewire"):
        if getattr(options, name) is not None:
            raise InvalidValue(f"--{name} is for generated graphs, and {path} is a file: leave one of the two out")
    return Topology.read(path), path


def _drawn(options: Options, seed: int) -> tuple[Topology, str]:
    """Make the graph that was asked for by name, and tell it in words."""
    name = options.topology or TOPOLOGIES[0]
    if options.degree is not None and name not in WITH_DEGREE:
        raise InvalidValue(f"--degree does not go with {name}: its agents have the neighbours that the shape gives")
    if options.rewire is not None and name != "small-world":
        raise InvalidValue(f"--rewire is for small-world, not for {name}")
    sides = tuple(admit.count(side, "agents", most=admit.AGENTS_MAX) for side in options.agents or (100_000,))
    rng = np.random.default_rng([seed, GRAPH])
    if name in LATTICES:
        if len(sides) == 1:
            sides = _square(name, sides[0])
        make = Topology.grid if name == "grid" else Topology.torus
        return make(*sides), f"{name} {'x'.join(map(str, sides))}"
    if len(sides) > 1:
        raise InvalidValue(f"only grid and torus have sides: give {name} one number of agents")
    return _joined(name, sides[0], options.degree, 0.2 if options.rewire is None else options.rewire, rng)


def _joined(name: str, n: int, degree: float | None, rewire: float, rng: np.random.Generator) -> tuple[Topology, str]:
    """Make a graph that is no lattice."""
    if name == "complete":
        return Topology.complete(n), name
    if name == "star":
        return Topology.star(n), name
    if name == "ring" and degree is None:
        return Topology.torus(n), name  # as ring(n), and two agents are a ring too
    if degree is None:
        degree = float(min(10, n - 1 if name in ("random", "regular") else (n - 1) // 2 * 2))
        degree = max(degree, 2.0) if name == "scale-free" else degree
    words = f"{name}, degree {degree:g}"
    if name == "random":
        return Topology.random(n, degree=degree, seed=rng), words
    if not degree.is_integer():
        raise InvalidValue(f"degree of {name} must be a whole number, not {degree:g}")
    whole = int(degree)
    if name == "ring":
        return Topology.ring(n, whole), words
    if name == "regular":
        return Topology.regular(n, whole, seed=rng), words
    if name == "small-world":
        return Topology.small_world(n, degree=whole, rewire=rewire, seed=rng), f"{words}, rewire {rewire:g}"
    if whole % 2 or whole < 2:
        raise InvalidValue(f"degree of scale-free must be even, as a new agent brings half of it, not {whole}")
    return Topology.scale_free(n, whole // 2, seed=rng), words


def _square(name: str, n: int) -> tuple[int, int]:
    """Return the sides of the rectangle of n agents that is most like a square."""
    side = next(side for side in range(math.isqrt(n), 0, -1) if n % side == 0)
    if n > 4 * side * side:
        near = max(1, math.isqrt(n))
        raise InvalidValue(
            f"{n} agents make no {name} near a square, only {side}x{n // side}: give the sides,"
            f" such as --agents {near}x{near}"
        )
    return side, n // side


def _frequency(options: Options, topology: Topology, seed: int) -> tuple[str, Floats]:
    """Return natural frequencies, and where they come from."""
    if options.frequency is None and topology.frequency is not None:
        return "from the file", topology.frequency
    spread = options.frequency or Frequencies("normal", (0.0, 0.1))
    return str(spread), spread.draw(np.random.default_rng([seed, FREQUENCIES]), len(topology))


def _time(options: Options, pull: float | None) -> tuple[float, float]:
    """Return dt and duration; `pull` tells how strongly agents of a power grid are pulled."""
    if options.dt is not None:
        dt = admit.real(options.dt, "dt", above=0.0)
    elif pull is not None:
        dt = float(f"{PULL_OF_A_TICK / pull:.3g}") if pull else PULL_OF_A_TICK
    else:
        dt = DT
    if options.duration is not None:
        if options.dt is None and pull is not None:
            dt = options.duration / math.ceil(options.duration / dt)
        ticks_of(options.duration, dt)
        return dt, options.duration
    if DURATION / dt > 2**62:
        raise InvalidValue(f"dt {dt:g} is too small for a duration of {DURATION:g}: choose a larger dt")
    return dt, dt * (TICKS_TO_REST if pull is not None else max(1, round(DURATION / dt)))


def _pull(topology: Topology, coupling: float, normalize: Normalize) -> float:
    """Return how fast, in rad per unit of time, neighbours can turn an agent at most."""
    if normalize == "weight":
        return abs(coupling)
    n = len(topology)
    weights = topology.weights
    if weights is None:
        strongest = float(topology.degree.max())
    else:
        edges, weights = topology.edges, np.abs(weights)
        sums = np.bincount(edges[:, 0], weights, n)
        if not topology.directed:
            sums += np.bincount(edges[:, 1], weights, n)
        strongest = float(sums.max())
    return abs(coupling) * strongest / (n if normalize == "agents" else 1)
