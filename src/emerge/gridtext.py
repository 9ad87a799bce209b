"""What a run of a power grid tells in words."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .gridrun import BELIEVED

if TYPE_CHECKING:
    from .grid import PowerGrid
    from .gridrun import GridRun
    from .trips import Trip

__all__ = ["busiest", "hertz", "name", "named", "told"]

Rows: TypeAlias = "list[tuple[str, str]]"

SHOWN = 5
"""How many of a kind are told one by one."""


def named(grid: PowerGrid, line: int) -> str:
    """Return a line by its buses."""
    return "–".join(grid.labels[bus] for bus in grid.lines[line].tolist())


def name(grid: PowerGrid, trip: Trip) -> str:
    """Return what trips by its buses."""
    if trip.kind == "line":
        return f"line {named(grid, trip.number)}"
    bus = trip.number if trip.kind == "load" else int(grid.generator_bus[trip.number])
    power = (grid.load if trip.kind == "load" else grid.generation)[trip.number] * grid.base
    return f"{trip.kind} at bus {grid.labels[bus]} ({power:.4g} MW)"


def hertz(frequency: float) -> str:
    """Tell Hz, in mHz below 1 Hz, to four digits and no finer than a tenth of a µHz."""
    if abs(frequency) >= 1:
        return f"{frequency:+.4g} Hz"
    return f"{round(1000 * float(frequency), 4) + 0.0:+.4g} mHz"


def told(run: GridRun) -> str:
    """Return a table of what happened."""
    rows = [("time", f"{run.time[-1]:g} s"), *_start(run)]
    rows += [("trip", f"{name(run.before, trip)} at {trip.at:g} s") for trip in run.trips[:SHOWN]]
    rows += _more("trips", len(run.trips))
    rows += [*_frequency(run), *_step(run), *_lines(run), *_islands(run)]
    wide = max(len(what) for what, _ in rows)
    return "\n".join(f"{what:{wide}}  {value}" for what, value in rows)


def _start(run: GridRun) -> Rows:
    """Tell of lines that bear too much before anything has happened."""
    if not run.strained.size:
        return []
    count, worst = len(run.strained), int(run.strained[0])
    lines = f"{count} line{'s' * (count != 1)} beyond {'their' if count != 1 else 'its'} limit already"
    return [("at the start", f"{lines}: {named(run.before, worst)}, {100 * run.loading[0, worst]:.4g} %")]


def _frequency(run: GridRun) -> Rows:
    """Tell of frequency: the mean of the largest island, and the bus that was farthest off."""
    rows = []
    if len(run.islands) > 1:
        rows = [("largest island", f"{len(run.islands[0].buses)} of {len(run.before)} buses")]
    rows += [("nadir", hertz(run.nadir)), ("at the end", hertz(run.mean[-1])), ("steepest", f"{hertz(run.steepest)}/s")]
    swing = run.widest
    rows += [("widest swing", f"bus {run.before.labels[swing.bus]}, {hertz(swing.deviation)} at {swing.at:g} s")]
    if isfinite(run.believed_until):
        beyond = f"from {run.believed_until:g} s on: a bus is off by more than {BELIEVED * run.before.frequency:g} Hz"
        rows += [("past the model", f"{beyond}; real grids have protection, the model has none")]
    return rows


def _step(run: GridRun) -> Rows:
    """Tell which lines' ends do not turn alike at the end."""
    rows = [("out of step", f"line {named(run.before, k)}, {run.apart[k]:.4g} Hz apart") for k in run.slipping[:SHOWN]]
    return rows + _more("out of step", len(run.slipping))


def _lines(run: GridRun) -> Rows:
    """Tell which lines bore too much, and which of them tripped."""
    grid, worst = run.before, run.loading.max(axis=0)
    rows = [("beyond its limit", f"line {named(grid, k)}, {100 * worst[k]:.4g} %") for k in run.beyond[:SHOWN]]
    rows += _more("lines beyond", len(run.beyond))
    rows += [("overload", f"{name(grid, trip)} at {trip.at:g} s") for trip in run.overloads[:SHOWN]]
    return rows + _more("overloads", len(run.overloads), f", in {len(run.stages)} stages")


def _islands(run: GridRun) -> Rows:
    """Tell the pieces that are left, if they are more than one."""
    if len(run.islands) == 1:
        return []
    rows = [
        (
            "island",
            f"{len(island.buses)} bus{'es' * (len(island.buses) != 1)}, {island.imbalance:+.5g} MW,"
            f" {hertz(island.deviation)}{'' if island.in_step else ', out of step'}",
        )
        for island in run.islands[:SHOWN]
    ]
    return rows + _more("islands", len(run.islands))


def _more(what: str, count: int, beside: str = "") -> Rows:
    return [(what, f"{count} in all{beside}")] if count > SHOWN else []


def busiest(run: GridRun, count: int) -> list[int]:
    """Return lines to look at: the first that overload trips, up to half of them, and those whose loading changes most.

    That is the mean of the last tenth of the run less that of the first; flows stand for loading if none has a limit.
    Lines out of step come last.
    """
    shown = run.loading if np.isfinite(run.before.limit).any() else np.abs(run.flows)
    tenth = max(len(shown) // 10, 1)
    change = np.abs(shown[-tenth:].mean(axis=0) - shown[:tenth].mean(axis=0))
    change[run.slipping] = 0.0
    first = [trip.number for trip in run.overloads[: (count + 1) // 2]]
    return list(dict.fromkeys([*first, *np.argsort(-change, kind="stable").tolist()]))[:count]
