"""One row of the table: everything is made, checked, and timed in turns in one process."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import check
import limit
import peers

import emerge
from emerge import speed

CHILD = Path(__file__).parent / "child.py"
CORES = emerge.about().workers  # asked before any library sets the number that OpenMP keeps for all of them


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way took: nanoseconds for a tick, on how many threads (None: as many as it likes), and its check."""

    who: str
    name: str
    threads: int | None
    nanoseconds: float
    against: str | None = None
    apart: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """All figures of a row, the engine's own record, and what was left out and why."""

    tick: speed.Tick
    figures: tuple[Figure, ...]
    left: tuple[str, ...]

    @property
    def times(self):
        """Nanoseconds of one tick by who does it, with as many threads as suit it best."""
        best = {}
        for figure in self.figures:
            best[figure.who] = min(figure.nanoseconds, best.get(figure.who, figure.nanoseconds))
        return best


class Contest:
    """The ways of a row, until they are timed; what each is comes along."""

    def __init__(self, row, effort):
        self.row, self.effort = row, effort
        self.topology = speed.GRAPHS[row.case.graph](row.case.agents)
        self.ways, self.about, self.left, self.close = {}, {}, [], []
        self.truth, self.against = check.truth(self.topology)
        check.telling(self.topology, self.truth)
        self.alone, self.picked = speed.swarms_of(row.case, self.topology)

    def add(self, key, way, who, name, threads=None, apart=None):
        against = None if apart is None else self.against
        self.ways[key], self.about[key] = way, (who, name, threads, against, apart)

    def engine(self):
        """Hold the engine against the truth from the beginning, then let it be timed."""
        phase, _ = check.state(len(self.topology))
        for swarm in (self.alone, self.picked):
            swarm.phase = phase
            swarm.step(check.TICKS, dt=check.DT)
            apart = check.near(swarm.phase, self.truth, "emerge", self.row.case.precision)
        digest = hashlib.sha256(self.alone.phase.tobytes()).hexdigest()
        for key, way in speed.ways_of(self.alone, self.picked).items():
            self.add(key, way, key, f"emerge, {key}", 1 if key == "alone" else None, apart)
        if self.row.baseline:
            child = Child(self.row.case, digest)
            self.close.append(child.close)
            self.add("baseline", child.way, "baseline", "emerge, without AVX", None, apart)

    def peer(self, module):
        """Make a peer's ticker and hold it against the truth; say why, where it cannot be."""
        peer = peers.load(module)
        why = peers.missing(peer)
        if why or not peers.serves(peer, self.topology):
            self.left.append(f"{peer.NAME}: {why or 'such graphs are too large for it, or of another kind'}")
            return
        tick, apart = check.hold(peer, self.topology, self.truth)
        phase, _ = check.state(len(self.topology))
        for threads in self.threads(peer):
            self.add(f"{module} {threads}", peer_way(peer, tick, phase, threads), module, peer.NAME, threads, apart)

    def threads(self, peer):
        """Return the numbers of threads that a peer is tried with: some are faster with fewer."""
        if not hasattr(peer, "use"):
            return [None]
        return [1] if self.row.one_thread else sorted({1, CORES})

    def gather(self, bound):
        """Let the bare gather of the same indices be timed with the others."""
        for threads in sorted({1, CORES}):
            way = bound.gather(self.topology, self.row.case.precision, threads)
            self.add(f"gather {threads}", way, "gather", limit.BARE, threads)

    def found(self):
        """Time all ways in turns."""
        try:
            times = speed.fastest(self.ways, self.effort)
        finally:
            for close in self.close:
                close()
        figures = []
        for key, (who, name, threads, against, apart) in self.about.items():
            figures.append(Figure(who, name, threads, times[key], against, apart))
        return Found(speed.told(self.row.case, self.topology, self.picked, times), tuple(figures), tuple(self.left))


def peer_way(peer, tick, phase, threads):
    """Return how a peer is timed. Libraries share OpenMP's number of threads with the engine: it is put back after."""
    way = speed.timed(lambda ticks: tick(phase, ticks))
    if threads is None:
        return way

    def told(ticks):
        peer.use(threads)
        try:
            return way(ticks)
        finally:
            peer.use(CORES)

    return told


class Child:
    """The same case in a process whose instruction set is the least; idle until it is asked."""

    def __init__(self, case, digest):
        words = [sys.executable, str(CHILD), case.graph, str(case.agents), case.precision]
        self.process = subprocess.Popen(
            words, env=os.environ | {"EMERGE_ISA": "baseline"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        said = self.process.stdout.readline().split()
        if said != ["baseline", digest]:
            self.close()
            raise check.Wrong(f"the baseline instruction set gives other bits: {' '.join(said) or 'nothing was told'}")

    def way(self, ticks):
        self.process.stdin.write(f"{ticks}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
