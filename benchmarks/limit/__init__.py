"""What this machine can do at most: `limit.c`, compiled here and run beside what is timed.

The bare gather loads the phasor at each of a graph's own indices and adds it up, and does nothing else: what an
engine that senses by these indices cannot beat. Bandwidth is what a machine reads and writes at most.
"""

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peers import rows

FLAGS = ("-O3", "-march=native", "-pthread")
SOURCE = Path(__file__).parent / "limit.c"
BARE = "bare gather"


class NoLimit(Exception):
    """There is no compiler, or it failed, or the program did."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The program, and a folder for files of indices."""

    program: Path
    folder: Path

    @classmethod
    def built(cls, folder):
        """Compile the program into a folder."""
        program = Path(folder, "limit")
        compiler = shlex.split(os.environ.get("CC", "cc"))
        run([*compiler, *FLAGS, str(SOURCE), "-o", str(program)])
        return cls(program, Path(folder))

    def bandwidth(self, threads):
        """Return GB/s of a triad, with the lines that stores load first, and of reading."""
        found = json.loads(run([str(self.program), "bandwidth", str(threads)]))
        return {"triad": found["triad"], "read": found["read"]}

    def gather(self, topology, precision, threads):
        """Return the way that gathers a graph's own indices: seconds of so many passes."""
        _, neighbour, degree = rows(topology)
        return self.gather_rows(neighbour, degree, precision, threads)

    def gather_rows(self, neighbour, degree, precision, threads):
        """Return the way that gathers the phasors of rows of agents."""
        path = self.folder / f"{id(neighbour)}-{len(neighbour)}"
        with path.open("wb") as file:
            degree.astype(np.int32).tofile(file)
            neighbour.astype(np.int32).tofile(file)
        size = 8 if precision == "single" else 16
        words = [str(self.program), "gather", str(path), str(len(degree)), str(size), str(threads)]
        wanted = sums(neighbour)

        def way(passes):
            found = json.loads(run(words))
            if abs(found["checksum"] - wanted) > 1e-3 * wanted + 1e-9:
                raise NoLimit(f"the gather added up to {found['checksum']}, not {wanted}")
            return 1e-9 * min(found["plain"], found["ahead"]) * passes

        return way


def sums(neighbour):
    """Add up what the program gathers: value k of all phasors is 1 + k mod 8."""
    value = np.arange(4) * 2
    return float(((2 * value + 3) * np.bincount(neighbour & 3, minlength=4)).sum())


def run(words):
    """Return what a program prints; a sentence where it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NoLimit(f"{words[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        raise NoLimit(f"{words[0]} failed: {' '.join(done.stderr.split())[:200]}")
    return done.stdout
