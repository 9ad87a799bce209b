"""What is kept of a run: one line of JSON for each measurement, each telling all that it hangs on."""

import importlib.metadata
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import limit
import numpy as np
import peers

import emerge
from emerge import speed

RESULTS = Path(__file__).parent / "results"


def surroundings():
    """Return machine, compiler and versions: the same for all lines of a run."""
    about = emerge.about()
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": speed.machine(),
        "workers": about.workers,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "emerge": about.version,
        "compiler": about.compiler,
        "flags": os.environ.get("EMERGE_CFLAGS", ""),
        "limit_flags": " ".join(limit.FLAGS),
        "instruction_set": about.instruction_set,
        "openmp": about.openmp,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def version(who):
    """Return the version of the library that a peer needs first."""
    needs = peers.load(who).NEEDS if who in peers.MODULES else ()
    return importlib.metadata.version(needs[0]) if needs else None


def line(case, tick, figure):
    """Return what there is to tell of one measurement."""
    ours = figure.who in ("alone", "picked", "baseline")
    return {
        "case": case,
        "graph": tick.graph,
        "agents": tick.agents,
        "edge_ends": tick.edge_ends,
        "precision": tick.precision if ours or figure.who == "gather" else "double",
        "who": figure.who,
        "name": figure.name,
        "version": version(figure.who),
        "threads": tick.workers if figure.who == "picked" else figure.threads,
        "ns_per_agent_tick": figure.nanoseconds / tick.agents,
        "ns_per_edge_tick": figure.nanoseconds / tick.edge_ends if tick.stored else None,
        "bytes_per_agent": tick.bytes if ours else None,
        "checked_against": figure.against,
        "apart": figure.apart,
    }


def place():
    """Return the file that a run writes unless told otherwise."""
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.jsonl"


def write(path, lines, about):
    """Append lines, each with what the whole run hangs on."""
    with Path(path).open("a") as file:
        for one in lines:
            file.write(json.dumps(one | about, allow_nan=False) + "\n")


def read(path):
    """Return the lines of a file."""
    return [json.loads(text) for text in Path(path).read_text().splitlines() if text.strip()]
