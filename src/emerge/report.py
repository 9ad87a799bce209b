"""What is told of a run and of a graph: facts, the table that shows them, and the archive that keeps them.

Facts are what JSON can hold; the table shows the same facts, so that the two never disagree.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.table import Table
from rich.text import Text

from .bench import Concurrency, Goal
from .errors import MissingExtra
from .job import Job
from .result import RunResult
from .speed import Speed
from .topology import Topology
from .until import Coherent, Locked

__all__ = [
    "about_concurrency",
    "about_graph",
    "about_run",
    "about_speed",
    "concurrency_tables",
    "exit_code",
    "graph_table",
    "keep",
    "run_table",
    "speed_tables",
]

Floats = npt.NDArray[np.float64]
Facts = dict[str, Any]

REACHED, NOT_REACHED, INTERRUPTED = 0, 3, 130
"""Exit codes; 2 is for bad input."""

FORMATS = {
    ".txt": "edge list",
    ".tsv": "edge list",
    ".csv": "edge list",
    ".mtx": "Matrix Market",
    ".graphml": "GraphML",
    ".gml": "GML",
    ".npz": "SciPy sparse matrix",
    ".m": "MATPOWER case",
}


def exit_code(job: Job, result: RunResult) -> int:
    """Return what the command exits with."""
    if result.reason == "interrupted":
        return INTERRUPTED
    if result.reason == "reached" or (result.reason == "duration" and job.target is None):
        return REACHED
    return NOT_REACHED


def about_run(job: Job, result: RunResult, before: float, phase: Floats, seconds: float) -> Facts:
    """Tell all there is to tell of a run that began at coherence `before` and ended with the phases `phase`."""
    topology, model = job.swarm.topology, job.swarm.model
    return {
        "graph": job.graph,
        "agents": len(topology),
        "edges": topology.edge_count,
        "model": type(model).__name__,
        "parameters": model._shown(),
        "frequency": job.frequency,
        "phase": job.phase,
        "seed": job.seed,
        "method": job.method,
        "dt": job.dt,
        "duration": job.duration,
        "timeout": job.timeout,
        "until": "never" if job.target is None else str(job.target),
        "reason": result.reason,
        "ended": _ended(job, result),
        "time": result.time,
        "ticks": result.ticks,
        "coherence_before": before,
        "coherence": result.coherence,
        "updates_per_second": result.rate,
        "seconds": seconds,
        "largest_angle": None if topology.frequency is None else _largest_angle(topology, phase),
        "notes": list(job.notes),
        "exit_code": exit_code(job, result),
        "files": {"result": None, "picture": None},
    }


def _ended(job: Job, result: RunResult) -> str:
    """Say in plain words why the run ended."""
    target = {Coherent: f"{job.target}", Locked: f"all turn equally fast ({job.target})"}.get(type(job.target), "")
    if result.reason == "reached":
        return f"target reached: {target}"
    if result.reason == "interrupted":
        return "interrupted" + (f" before {target}" if target else "")
    if result.reason == "timeout":
        return f"the timeout of {job.timeout:g} s was over" + (f" before {target}" if target else "")
    if result.reason == "duration":
        return f"the duration of {job.duration:g} was over" + (f" before {target}" if target else "")
    return result.reason


def _largest_angle(topology: Topology, phase: Floats) -> Facts | None:
    """Find the edge over which phases differ most."""
    edges = topology.edges
    if not len(edges):
        return None
    angle = np.abs(np.angle(np.exp(1j * (phase[edges[:, 0]] - phase[edges[:, 1]]))))
    widest = int(angle.argmax())
    ends = edges[widest].tolist()
    names = ends if topology.labels is None else [str(topology.labels[end]) for end in ends]
    return {"degrees": float(np.degrees(angle[widest])), "between": names}


def run_table(facts: Facts) -> Table:
    """Show the facts of a run."""
    parameters = ", ".join(f"{name} {_shown(value)}" for name, value in facts["parameters"].items())
    rows = {
        "graph": facts["graph"],
        "agents": f"{facts['agents']:,}",
        "edges": f"{facts['edges']:,}",
        "model": f"{facts['model']}, {parameters}",
        "frequency": facts["frequency"],
        "method": f"{facts['method']}, dt {_shown(facts['dt'])}",
        "time": _shown(facts["time"]),
        "ticks": f"{facts['ticks']:,}",
        "R": f"{facts['coherence_before']:.4f} → {facts['coherence']:.4f}",
        "speed": f"{facts['updates_per_second']:.3g} updates/s",
        "wall time": f"{facts['seconds']:.2f} s",
    }
    if facts["largest_angle"] is not None:
        one, other = facts["largest_angle"]["between"]
        rows["largest angle"] = f"{facts['largest_angle']['degrees']:.1f}° over the line {one} – {other}"
    rows |= {name: str(path) for name, path in facts["files"].items() if path is not None}
    table = _table(rows, facts["notes"])
    colour = "green" if facts["exit_code"] == REACHED else "yellow"
    table.title = Text(facts["ended"], style=f"bold {colour}")
    return table


def about_graph(path: str, topology: Topology) -> Facts:
    """Tell what there is to tell of a graph."""
    degree = topology.degree
    sensed = np.bincount(topology.edges[:, 1], minlength=len(topology)) if topology.directed else degree
    notes = list(topology.notes)
    try:
        components: int | None = int(topology.components().max()) + 1
    except MissingExtra as error:
        components = None
        notes.append(f"components were not counted: {error}")
    return {
        "file": path,
        "format": FORMATS.get(Path(path.lower().removesuffix(".gz")).suffix, "unknown"),
        "agents": len(topology),
        "edges": topology.edge_count,
        "directed": topology.directed,
        "weighted": topology.weights is not None,
        "degree": {"min": int(degree.min()), "mean": float(degree.mean()), "max": int(degree.max())},
        "components": components,
        "isolated": int(np.count_nonzero((degree == 0) & (sensed == 0))),
        "labels": topology.labels is not None,
        "frequencies": topology.frequency is not None,
        "notes": notes,
    }


def graph_table(facts: Facts) -> Table:
    """Show the facts of a graph."""
    degree = facts["degree"]
    rows = {
        "file": f"{facts['file']} ({facts['format']})",
        "agents": f"{facts['agents']:,}",
        "edges": f"{facts['edges']:,}",
        "directed": _shown(facts["directed"]),
        "weighted": _shown(facts["weighted"]),
        "degree": f"{degree['min']} to {degree['max']}, mean {degree['mean']:.4g}",
        "components": "–" if facts["components"] is None else f"{facts['components']:,}",
        "isolated agents": f"{facts['isolated']:,}",
        "labels": "brought by the file" if facts["labels"] else "none: agents are numbered from 0",
        "frequencies": "brought by the file" if facts["frequencies"] else "none: give them with --frequency",
    }
    return _table(rows, facts["notes"])


def about_concurrency(found: Concurrency) -> Facts:
    """Tell what was measured, without figures that are not there."""
    return dataclasses.asdict(found) | {"goals": [_judged(goal) for goal in found.goals]}


def about_speed(found: Speed) -> Facts:
    """Tell what was measured."""
    return dataclasses.asdict(found) | {"goals": [_judged(goal) for goal in found.goals]}


def _judged(goal: Goal) -> Facts:
    found = goal.found if math.isfinite(goal.found) else None
    return dataclasses.asdict(goal) | {"found": found, "met": goal.met}


def concurrency_tables(facts: Facts) -> Group:
    """Show what updates and ticks cost, and which goals that meets."""
    load = "" if facts["load"] is None else f", {facts['load']:.1f} others busy before"
    return Group(
        Text(f"{facts['machine']}, {facts['cores']} threads contend{load}; medians of alternated repeats\n"),
        _costs(facts),
        Text("Time of all threads together for each update; at read-copy update one reads, the others publish.\n"),
        _ticks(facts),
        Text("* as many workers as the engine picks by itself; no team has more workers than blocks of 512 agents.\n"),
        _stealing(facts),
        _goals(facts["goals"]),
    )


def speed_tables(facts: Facts) -> Group:
    """Show how fast a tick is, and which goals that meets."""
    load = "" if facts["load"] is None else f", {facts['load']:.1f} others busy before"
    return Group(
        Text(f"{facts['machine']}{load}; least of alternated repeats\n"),
        _speeds(facts["ticks"]),
        Text(f"Graphs have a mean degree of 10. A call of a step of two agents: {facts['call']:,.2f} µs.\n"),
        _goals(facts["goals"]),
    )


def _speeds(ticks: list[Facts]) -> Table:
    names = ("agents", "phasors", "1 worker", "picked", "per edge end", "workers", "bytes")
    table = _columns("Explicit Euler, ns for each agent and tick", "graph", *names)
    for tick in ticks:
        n = tick["agents"]
        table.add_row(
            tick["graph"],
            f"{n:,}",
            tick["precision"],
            f"{tick['alone'] / n:,.2f}",
            f"{tick['picked'] / n:,.2f}",
            f"{tick['picked'] / tick['edge_ends']:,.2f}" if tick["stored"] else "–",
            str(tick["workers"]),
            f"{tick['bytes']:,.1f}",
        )
    return table


def _columns(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, box=None, padding=(0, 2, 0, 0), title_justify="left", title_style="bold")
    table.add_column(first, style="dim", no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _costs(facts: Facts) -> Table:
    table = _columns("One update of one agent, ns", "", "C", "C, contended", "Python", "Python, contended")
    for cost in facts["costs"]:
        figures = (cost[name] for name in ("c", "c_contended", "python", "python_contended"))
        table.add_row(cost["way"], *("–" if value is None else f"{value:,.1f}" for value in figures))
    return table


def _ticks(facts: Facts) -> Table:
    workers = facts["ticks"][0]["workers"]
    names = (f"{count} worker{'s' if count > 1 else ''}" for count in workers)
    table = _columns("One tick, µs", "agents", *names, "picked")
    for row in facts["ticks"]:
        cells = (
            f"{1e-3 * time:,.2f}{'*' if count == row['picked'] else ' '}"
            for count, time in zip(workers, row["nanoseconds"], strict=True)
        )
        table.add_row(f"{row['agents']:,}", *cells, f"{row['picked']}: {1e-3 * row['picked_nanoseconds']:,.2f}")
    return table


def _stealing(facts: Facts) -> Text:
    factor = facts["stealing"]
    told = "not measured: it takes two cores" if factor is None else f"{factor:.1f} times as fast as static dealing"
    return Text(f"Stealing, with one worker ten times as slow as the others: {told}.\n")


def _goals(goals: list[Facts]) -> Table:
    table = _columns("Goals, for two cores", "", "wanted", "found", "unit", "met")
    for goal in goals:
        found = "–" if goal["found"] is None else f"{goal['found']:.3g}"
        bound = f"{'≥' if goal['least'] else '≤'} {goal['wanted']:.3g}"
        met = Text("yes", style="green") if goal["met"] else Text("no", style="yellow")
        table.add_row(goal["name"], bound, found, goal["unit"], met)
    return table


def _table(rows: dict[str, str], notes: list[str]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    for number, note in enumerate(notes):
        table.add_row("" if number else "notes", Text(note))
    return table


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def keep(path: Path, job: Job, result: RunResult, before: Floats, after: Floats, facts: Facts) -> None:
    """Write the archive of a run; the file appears whole or not at all."""
    labels = job.swarm.topology.labels
    arrays: dict[str, npt.NDArray[Any]] = {
        "phase_before": before,
        "phase_after": after,
        "frequency": job.swarm.frequency,
        "reason": np.array(result.reason),
        "seed": np.array(str(job.seed)),
        "parameters": np.array(json.dumps({name: facts[name] for name in facts if name != "files"})),
    }
    if result.history is not None:
        arrays |= {"time": result.history.time, "coherence": result.history.coherence}
    if labels is not None:
        arrays["labels"] = labels
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
