"""What a run of a power grid tells in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .grid import PowerGrid
    from .gridrun import GridRun
    from .trips import Trip

__all__ = ["busiest", "name", "named", "told"]

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


def told(run: GridRun) -> str:
    """Return a table of what happened."""
    grid = run.before
    rows = [("time", f"{run.time[-1]:g} s")]
    rows += [("trip", f"{name(grid, trip)} at {trip.at:g} s") for trip in run.trips[:SHOWN]]
    rows += _more("trips", len(run.trips))
    rows += [
        ("nadir", _mhz(run.nadir)),
        ("at the end", _mhz(run.mean[-1])),
        ("steepest", f"{_mhz(run.steepest)}/s"),
    ]
    worst = run.loading.max(axis=0)
    rows += [
        ("beyond its limit", f"line {named(grid, k)}, {100 * worst[k]:.4g} %") for k in run.beyond[:SHOWN].tolist()
    ]
    rows += _more("lines beyond", len(run.beyond))
    rows += [("overload", f"{name(grid, trip)} at {trip.at:g} s") for trip in run.overloads[:SHOWN]]
    rows += _more("overloads", len(run.overloads), f", in {len(run.stages)} stages")
    if len(run.islands) > 1:
        rows += [
            (
                "island",
                f"{len(island.buses)} bus{'es' * (len(island.buses) != 1)}, {island.imbalance:+.4g} MW,"
                f" {_mhz(island.deviation)}",
            )
            for island in run.islands[:SHOWN]
        ]
        rows += _more("islands", len(run.islands))
    wide = max(len(what) for what, _ in rows)
    return "\n".join(f"{what:{wide}}  {value}" for what, value in rows)


def _mhz(frequency: float) -> str:
    """Tell Hz in mHz, to four digits and no finer than a tenth of a µHz."""
    return f"{round(1000 * float(frequency), 4) + 0.0:+.4g} mHz"


def _more(what: str, count: int, beside: str = "") -> list[tuple[str, str]]:
    return [(what, f"{count} in all{beside}")] if count > SHOWN else []


def busiest(run: GridRun, count: int) -> list[int]:
    """Return lines to look at: those whose loading changes most, or whose flow does if none has a limit."""
    shown = run.loading if np.isfinite(run.before.limit).any() else np.abs(run.flows)
    change = np.ptp(shown, axis=0)
    found: list[int] = np.argsort(-change, kind="stable")[:count].tolist()
    return found
